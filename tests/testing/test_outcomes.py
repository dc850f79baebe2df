"""Notebooks as tests of pytest, with real kernels: what passes, what fails, and what a failure says."""

from __future__ import annotations

from pathlib import Path

from .support import code, display, error, kernels_of, result, run_pytest, stream, text_of


def test_cells_are_tests_that_pass_fail_and_are_skipped_after_an_error(tmp_path: Path) -> None:
    folder = tmp_path / "analyses"
    folder.mkdir()
    (folder / "data.txt").write_text("4")
    notebook = text_of(
        code("x = int(open('data.txt').read())\nprint('read', x)", stream("read 4\n")),
        code("x * 0.5", result("1.5", 2)),
        code("object()", result("<object at 0x7f0011223344>", 3)),
        code("def f():\n    raise ValueError('no such column')\n\nf()"),
        code("x", result("4", 5)),
    )
    (folder / "nb.ipynb").write_text(notebook)
    done = run_pytest(tmp_path)
    assert done.code == 1
    assert list(done.outcomes.values()) == ["passed", "failed", "passed", "failed", "skipped"], done
    assert "analyses/nb.ipynb::cell 2 (c2)" in done.text
    line = notebook[: notebook.index("x * 0.5")].count("\n")
    assert f"cell 2: 1 output differs from what is stored\n  analyses/nb.ipynb:{line}\n" in done.text
    assert "    ┄ ~ result\n      - 1.5\n      + 2.0\n" in done.text
    assert "cell 4, line 4: ValueError: no such column" in done.text
    assert "  >   4 f()" in done.text
    assert "----> 2     raise ValueError('no such column')" in done.text
    assert "cell 4 failed" in done.text
    assert "\x1b" not in done.text
    assert (folder / "nb.ipynb").read_text() == notebook
    assert not list(folder.glob(".cellar")) and kernels_of(folder) == []


def test_marks_rules_and_noise_are_honoured(tmp_path: Path) -> None:
    cells = (
        code("import time; time.time()", result("1.0", 1), tags=["skip-compare"]),
        code("# NBVAL_IGNORE_OUTPUT\ntime.time()", result("1.0", 2)),
        code("1 / 0", error("ZeroDivisionError", "division by zero"), tags=["raises-exception"]),
        code("1 / 0", error("ZeroDivisionError", "another"), tags=["raises-exception"]),
        code("raise SystemError('never')", tags=["nbval-skip"]),
        code("import sys; print('warned', file=sys.stderr)", tags=["ignore-stderr"]),
        code("import sys; print('warned', file=sys.stderr)", ignore=["stderr", "image/*"]),
        code("print('a'); print('w', file=sys.stderr); print('b')", stream("a\nb\n"), stream("w\n", "stderr")),
        code("print('at 12:30:59')", stream("at 01:02:03\n")),
        code(
            "from IPython.display import display\ndisplay({'image/png': 'AAAA', 'text/plain': 'p'}, raw=True)",
            display(image_png="BBBB", text_plain="p"),
            ignore=["image/*"],
        ),
        code("input()", tags=["nbval-raises-exception"], compare=False),
        code("6 * 7", result("42", 99)),
        code("1 / 3", result("0.3334"), absolute=1e-3),
        code("1 / 3", result("0.3334")),
    )
    (tmp_path / "nb.ipynb").write_text(text_of(*cells))
    (tmp_path / "clean.cfg").write_text("[times]\nregex: \\d\\d:\\d\\d:\\d\\d\nreplace: TIME\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\nnotebooks_sanitize = clean.cfg\n")
    done = run_pytest(tmp_path)
    outcomes = list(done.outcomes.values())
    assert outcomes == ["passed"] * 3 + ["failed", "skipped"] + ["passed"] * 8 + ["failed"], done
    assert "1 line changed, 1 number by 6.67e-05 (0.3334 -> 0.3333333333333333)" in done.text
    assert "~ error: ZeroDivisionError: another -> division by zero" in done.text


def test_chosen_cells_run_after_the_cells_before_them_in_any_order(tmp_path: Path) -> None:
    (tmp_path / "nb.ipynb").write_text(
        text_of(code("n = 1"), code("n += 1\nn", result("2", 2)), code("n", result("2", 3)), code("raise KeyError(n)"))
    )
    (tmp_path / "bad.ipynb").write_text(text_of(code("boom"), code("1"), code("2")))
    (tmp_path / "conftest.py").write_text(
        "def pytest_collection_modifyitems(items):\n    items.sort(key=lambda item: item.name, reverse=True)\n"
    )
    done = run_pytest(tmp_path, "-k", "(nb and not c1 and not c4) or (bad and not c1)", "-v")
    assert "nb.ipynb::cell 3 (c3) PASSED" in done.text and "nb.ipynb::cell 2 (c2) PASSED" in done.text
    # A cell that was not chosen and fails is told all the same, once.
    assert "bad.ipynb::cell 3 (c3) FAILED" in done.text and "bad.ipynb::cell 2 (c2) SKIPPED" in done.text
    assert "cell 1, line 1: NameError: name 'boom' is not defined" in done.text
    assert "hint: cell 3 needs the cells before it, so this one ran first" in done.text


def test_another_try_of_a_cell_runs_the_notebook_anew(tmp_path: Path) -> None:
    (tmp_path / "nb.ipynb").write_text(
        text_of(
            code("import pathlib\np = pathlib.Path('tries')\nn = int(p.read_text()) if p.exists() else 0"),
            code("p.write_text(str(n + 1))\nif n == 0: raise OSError('flaky')", tags=["skip-compare"]),
            code("n", result("1", 3)),
        )
    )
    # What pytest-rerunfailures does.
    (tmp_path / "conftest.py").write_text(
        "from _pytest.runner import runtestprotocol\n"
        "def pytest_runtest_protocol(item, nextitem):\n"
        "    reports = runtestprotocol(item, nextitem=nextitem, log=False)\n"
        "    if any(report.failed for report in reports):\n"
        "        reports = runtestprotocol(item, nextitem=nextitem, log=False)\n"
        "    for report in reports:\n"
        "        item.ihook.pytest_runtest_logreport(report=report)\n"
        "    return True\n"
    )
    done = run_pytest(tmp_path)
    assert list(done.outcomes.values()) == ["passed"] * 3, done


def test_a_notebook_without_stored_outputs_is_run_and_said_to_be_compared_with_nothing(tmp_path: Path) -> None:
    (tmp_path / "nb.ipynb").write_text(text_of(code("print('a')", count=None), code("print('b')", count=None)))
    copies = tmp_path / ".ipynb_checkpoints"
    copies.mkdir()
    (copies / "nb-checkpoint.ipynb").write_text(text_of(code("raise ValueError")))
    bare = '{"nbformat": 4, "nbformat_minor": 2, "cells": [{"cell_type": "code", "source": "x = 1"}]}'
    (tmp_path / "bare.ipynb").write_text(bare)
    done = run_pytest(tmp_path, "-o", "norecursedirs=none")
    assert list(done.outcomes.values()) == ["passed"] * 3, done
    assert "bare.ipynb::cell 1 PASSED" in done.text
    assert "nb.ipynb has no stored outputs: its cells are run, and nothing is compared" in done.text


def test_lax_compares_marked_cells_alone_and_keep_going_runs_on_after_an_error(tmp_path: Path) -> None:
    (tmp_path / "nb.ipynb").write_text(
        text_of(
            code("1 + 1", result("3", 1)),
            code("# NBVAL_CHECK_OUTPUT\n1 + 1", result("3", 2)),
            code("boom"),
            code("1 + 1", result("2", 4), tags=["nbval-check-output"]),
        )
    )
    done = run_pytest(tmp_path, "--notebooks-lax", "--notebooks-keep-going")
    assert list(done.outcomes.values()) == ["passed", "failed", "failed", "passed"], done


def test_nothing_is_collected_without_the_option(tmp_path: Path) -> None:
    (tmp_path / "nb.ipynb").write_text(text_of(code("1")))
    (tmp_path / "test_a.py").write_text(
        "import sys\n\ndef test_a():\n    assert 'nbcellar.testing.plugin' in sys.modules\n"
        "    loaded = [name for name in sys.modules if name.startswith(('nbcellar.', 'msgspec', 'nbclient', 'zmq'))]\n"
        "    assert sorted(loaded) == ['nbcellar.testing', 'nbcellar.testing.plugin']\n"
    )
    done = run_pytest(tmp_path, asked=False)
    assert "1 passed" in done.text and done.outcomes == {}, done
