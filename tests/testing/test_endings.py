"""Runs of notebooks that end otherwise than they should: no process stays behind, and what happened is said."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from nbcellar.api.repo import init

from .support import code, command, kernels_of, result, run_pytest, stream, text_of


def wait_until(true: Callable[[], object], seconds: float = 60) -> bool:
    """Return whether something became true."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def test_a_cell_that_takes_too_long_is_interrupted_and_says_where_it_was(tmp_path: Path) -> None:
    child = "import subprocess; p = subprocess.Popen(['sleep', '600'])"
    cells = code(child), code("import time\ntime.sleep(500)", timeout=1), code("1")
    (tmp_path / "nb.ipynb").write_text(text_of(*cells))
    done = run_pytest(tmp_path)
    assert list(done.outcomes.values()) == ["passed", "failed", "skipped"], done
    assert "cell 2, line 2: this cell took longer than 1 s" in done.text
    assert "KeyboardInterrupt" in done.text
    assert kernels_of(tmp_path) == []


def test_a_kernel_that_dies_is_told_once_and_leaves_nothing(tmp_path: Path) -> None:
    child = "import os, subprocess; p = subprocess.Popen(['sleep', '600'])"
    (tmp_path / "nb.ipynb").write_text(text_of(code(child), code("os._exit(3)"), code("1")))
    (tmp_path / "other.ipynb").write_text(text_of(code("1", result("1"))))
    done = run_pytest(tmp_path)
    assert list(done.outcomes.values()) == ["passed", "failed", "skipped", "passed"], done
    assert "cell 2: the kernel died in this cell" in done.text
    assert kernels_of(tmp_path) == []


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda ending: ending.name)
def test_kernels_end_with_pytest_whatever_ends_it(tmp_path: Path, ending: signal.Signals) -> None:
    notebook = text_of(code("import pathlib, time\npathlib.Path('here').touch()\ntime.sleep(600)"))
    (tmp_path / "nb.ipynb").write_text(notebook)
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(command("--notebooks-update"), cwd=tmp_path, stdout=log, stderr=log, env=os.environ)
    try:
        assert wait_until((tmp_path / "here").exists)
        assert kernels_of(tmp_path)
        process.send_signal(ending)
        process.wait(60)
        assert wait_until(lambda: kernels_of(tmp_path) == [])
    finally:
        process.kill()
        process.wait()
    assert (tmp_path / "nb.ipynb").read_text() == notebook
    if ending == signal.SIGINT:
        assert process.returncode == 2
        assert "KeyboardInterrupt" in (tmp_path / "log").read_text()


@pytest.mark.parametrize("dist", ["load", "loadgroup"])
def test_workers_of_xdist_get_whole_notebooks(tmp_path: Path, dist: str) -> None:
    cells = (
        code("import os\nrun = os.getpid()"),
        code("print('run', run)", tags=["skip-compare"]),
        code("1", result("2")),
    )
    for name in ("a", "b"):
        begin = f"import pathlib; pathlib.Path('{name}-%d' % os.getpid()).touch()"
        (tmp_path / f"{name}.ipynb").write_text(text_of(*cells, code(begin), code("boom"), code("2")))
    (tmp_path / "test_plain.py").write_text("def test_one(): pass\ndef test_two(): pass\n")
    done = run_pytest(tmp_path, "-n", "2", "--dist", dist)
    for name in ("a", "b"):
        found = [word for test, word in sorted(done.outcomes.items()) if test.startswith(f"{name}.ipynb")]
        assert found == ["passed", "passed", "failed", "passed", "failed", "skipped"], done
        assert len(list(tmp_path.glob(f"{name}-*"))) == 1
    assert "      - 2\n      + 1\n" in done.text and "cell 5, line 1: NameError" in done.text
    assert "4 failed" in done.text and "8 passed" in done.text and "2 skipped" in done.text


def test_what_cannot_be_run_is_said_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "a.ipynb").write_text(text_of(code("x = 1"), code("y = 2"), kernel="octave"))
    (tmp_path / "b.ipynb").write_text("print('hello')")
    (tmp_path / "c.ipynb").write_text(text_of(code("1", absolut=1e-3)))
    (tmp_path / "d.ipynb").write_text(text_of(code("1", timeout=-1)))
    environ = {**os.environ, "JUPYTER_DATA_DIR": str(tmp_path / "data")}  # without the kernels that other tests added
    done = run_pytest(tmp_path, "--continue-on-collection-errors", environ=environ)
    assert done.outcomes == {"a.ipynb::cell 1 (c1)": "failed", "a.ipynb::cell 2 (c2)": "skipped"}, done
    assert "a.ipynb wants the kernel 'octave', which is not installed" in done.text
    assert "hint: installed kernels: python3; choose one in Jupyter, or --notebooks-kernel NAME" in done.text
    assert "b.ipynb, line 1, column 1: not JSON" in done.text
    assert "metadata.cellar.test of cell 1: Object contains unknown field `absolut`" in done.text
    assert "timeout in metadata.cellar.test of cell 1 must be a number, 0 or more, not -1.0" in done.text
    assert "Traceback" not in done.text
    done = run_pytest(tmp_path, "--notebooks-kernel", "python3", "a.ipynb")
    assert "2 passed" in done.text, done


def test_a_kernel_that_dies_at_its_start_is_started_again_but_not_for_ever(tmp_path: Path) -> None:
    start = f"test -f tried || {{ touch tried; exit 1; }}; exec {sys.executable} -m ipykernel_launcher -f $0"
    for name, argv in {"second": ["sh", "-c", start, "{connection_file}"], "never": ["false"]}.items():
        spec = tmp_path / "jupyter" / "kernels" / name / "kernel.json"
        spec.parent.mkdir(parents=True)
        spec.write_text(json.dumps({"argv": argv, "display_name": name, "language": "python"}))
        (tmp_path / f"{name}.ipynb").write_text(text_of(code("x = 1"), code("x", result("1", 2)), kernel=name))
    done = run_pytest(tmp_path, environ={**os.environ, "JUPYTER_PATH": str(tmp_path / "jupyter")})
    assert list(done.outcomes.values()) == ["failed", "skipped", "passed", "passed"], done
    assert "the kernel 'never' of never.ipynb did not start: Kernel died before replying" in done.text
    assert kernels_of(tmp_path) == []


def test_missing_nbclient_is_said(tmp_path: Path) -> None:
    (tmp_path / "nb.ipynb").write_text(text_of(code("1")))
    (tmp_path / "conftest.py").write_text("import sys\nsys.modules['nbclient'] = None\n")
    done = run_pytest(tmp_path)
    assert done.outcomes == {"nb.ipynb::cell 1 (c1)": "failed"}, done
    assert "running notebooks needs nbclient, which is not installed\nhint: pip install nbclient" in done.text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--notebooks-absolute", "much"), "notebooks_absolute must be a number, 0 or more, not 'much'"),
        (("--notebooks-timeout", "-3"), "notebooks_timeout must be a number, 0 or more, not -3.0"),
        (("--notebooks-sanitize", "none.cfg"), "none.cfg, the file of notebooks_sanitize, cannot be read"),
        (("--notebooks-sanitize", "bad.cfg"), "bad.cfg, line 2: '(a+)+' repeats a repetition"),
    ],
)
def test_options_that_make_no_sense_end_the_run_at_once(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    (tmp_path / "bad.cfg").write_text("[x]\nregex: (a+)+\nreplace: b\n")
    done = run_pytest(tmp_path, *arguments)
    assert done.code == 4
    assert said in done.text


def test_only_a_run_that_is_asked_for_is_recorded(tmp_path: Path) -> None:
    init(tmp_path, environ=os.environ).close()
    packs = tmp_path / ".cellar" / "packs"
    before = sorted(packs.rglob("*"))
    (tmp_path / "nb.ipynb").write_text(text_of(code("x = 1\nprint(x)", stream("1\n"))))
    assert "1 passed" in run_pytest(tmp_path).text
    assert sorted(packs.rglob("*")) == before
    assert "1 passed" in run_pytest(tmp_path, "--notebooks-record").text
    assert len(sorted(packs.rglob("*"))) > len(before)
