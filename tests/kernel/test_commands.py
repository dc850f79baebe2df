"""The commands in a terminal against real kernels that record themselves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.manager import KernelManager

CELLS = ["import math\nn = 2", "values = [n] * 3\nprint(sum(values))", "values.append(math.pi)"]


def notebook_text(sources: list[str], tags: dict[int, str] | None = None) -> str:
    """Return the text of a notebook with these code cells."""
    cells = [
        {
            "cell_type": "code",
            "execution_count": None,
            "id": f"c{number}",
            "metadata": {"tags": [tags[number]]} if tags and number in tags else {},
            "outputs": [],
            "source": source.splitlines(keepends=True),
        }
        for number, source in enumerate(sources)
    ]
    spec = {"display_name": "Python 3", "language": "python", "name": "python3"}
    value = {"cells": cells, "metadata": {"kernelspec": spec}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(value, indent=1) + "\n"


def wait_for(file: Path) -> None:
    """Return when a file is there."""
    for _ in range(600):
        if file.exists():
            return
        time.sleep(0.1)
    raise AssertionError(f"{file} does not appear")


class Desk:
    """A folder with a recorded notebook, a terminal in it, and the notebook's kernel."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "work.ipynb"
        self.file.write_text(notebook_text(CELLS))
        self.environ: dict[str, str] = {}
        self.manager: Any = None
        self.client: Any = None

    def cellar(self, *words: str, code: int = 0) -> str:
        """Run a command in the terminal; return what it prints, and fail unless it exits with `code`."""
        run = self.terminal(*words)
        out, err = run.communicate(timeout=60)
        assert run.returncode == code, out + err
        return out + err

    def terminal(self, *words: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "nbcellar.cli.main", *words]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(command, cwd=self.folder, env={**os.environ, **self.environ}, text=True, **pipes)

    def start(self, environ: Mapping[str, str] | None = None) -> None:
        """Start the notebook's kernel as a server would; let it join, unless `environ` says something else."""
        self.manager = KernelManager(kernel_name="python3")
        present = {**os.environ, "JPY_SESSION_NAME": str(self.file), **(environ or {"NBCELLAR_RECORD": "1"})}
        self.manager.start_kernel(cwd=str(self.folder), env=present)
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)
        if environ is None:
            self.execute("%load_ext nbcellar")

    def execute(self, source: str) -> str:
        """Run a cell and return its text."""
        texts: list[str] = []

        def collect(message: Any) -> None:
            content = message["content"]
            texts.append(content.get("text") or content.get("data", {}).get("text/plain") or content.get("evalue", ""))

        self.client.execute_interactive(source, output_hook=collect, timeout=60)
        return "".join(texts)

    def choose_kernel(self, name: str, *argv: str) -> None:
        """Make the notebook one of another kernel, with one cell."""
        folder = self.folder / "data" / "kernels" / name
        folder.mkdir(parents=True)
        spec = {"argv": argv, "display_name": name, "language": "python"}
        (folder / "kernel.json").write_text(json.dumps(spec))
        self.file.write_text(notebook_text(["1"]).replace('"python3"', f'"{name}"'))
        self.environ["JUPYTER_PATH"] = str(self.folder / "data")

    def stop(self) -> None:
        """End the kernel, if it runs."""
        if self.manager is not None:
            self.client.stop_channels()
            self.manager.shutdown_kernel(now=True)
            self.manager.cleanup_resources()
            self.manager = None


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """An initialised folder without a kernel."""
    made = Desk(tmp_path)
    made.cellar("init")
    yield made
    made.stop()


@pytest.fixture
def session(desk: Desk) -> Desk:
    """A kernel that has run three cells."""
    desk.start()
    for source in CELLS:
        desk.execute(source)
    return desk


def test_undo_and_redo_in_a_terminal_change_the_live_kernel(session: Desk) -> None:
    assert "undid [4] values.append(math.pi)\n  loaded: values" in session.cellar("undo")
    assert session.execute("print(values)") == "[2, 2, 2]\n"
    session.cellar("undo", "2")
    assert "redid" in session.cellar("redo")
    assert "cannot redo 9 steps" in session.cellar("redo", "9", code=2)


def test_a_line_in_the_notebook_does_the_same_and_is_no_step(session: Desk) -> None:
    assert "undid [4] values.append(math.pi)" in session.execute("%cellar undo")
    assert "redid [4] values.append(math.pi)" in session.execute("%cellar redo")
    assert "error: 'lgo' is no command of cellar" in session.execute("%cellar lgo")
    assert "[3] values = [n] * 3  +values" in session.execute("%cellar log")
    assert "%cellar" not in session.cellar("log")


def test_status_says_what_the_kernel_does_also_from_inside(session: Desk) -> None:
    assert "recording: kernel" in session.cellar("status", "--wait")
    assert "recording: kernel" in session.execute("%cellar status")


def test_undoing_the_start_of_recording_says_what_it_was(desk: Desk) -> None:
    desk.cellar("run", "work.ipynb")
    desk.start(environ={"NBCELLAR_RECORD": "0"})
    desk.execute("early = 1")
    desk.execute("%load_ext nbcellar")
    (desk.folder / "other.ipynb").write_text(notebook_text(["other = 1"]))
    desk.execute("%cellar run other.ipynb")  # what that leaves running in the kernel is nobody's thread
    said = desk.execute("%cellar undo")
    assert said.startswith("undid recording began\n  loaded: math, n, values\n  removed: early\n  now at main at ")


def test_a_checkout_leaves_nothing_behind_and_makes_a_branch(session: Desk) -> None:
    session.cellar("commit", "-m", "good")
    session.cellar("tag", "good")
    session.execute("values = None")
    assert "loaded: values" in session.cellar("checkout", "good")
    assert session.execute("print(len(values))") == "4\n"
    session.execute("fresh = 1")
    drawn = session.cellar("log", "--graph", "--all")
    assert "|/" in drawn and "(HEAD -> main-2)" in drawn
    session.cellar("checkout", "main")
    assert session.execute("print(values)") == "None\n"


def test_the_kernel_follows_when_an_operation_is_undone(session: Desk) -> None:
    said = session.cellar("op", "undo")
    assert "the session is now at main" in said
    assert session.execute("print(values)") == "[2, 2, 2]\n"


def keep_busy(session: Desk, then: str = "") -> Path:
    """Start a cell that runs until the returned file is there, and then does what `then` says."""
    begun, go = session.folder / "begun", session.folder / "go"
    lines = ["import pathlib, time", "pathlib.Path('begun').touch()", "while not pathlib.Path('go').exists():"]
    session.client.execute("\n".join([*lines, "    time.sleep(0.01)", then]))
    wait_for(begun)
    return go


def test_a_busy_kernel_is_waited_for_and_the_store_answers_meanwhile(session: Desk) -> None:
    go = keep_busy(session)
    assert "values.append" in session.cellar("log")
    assert "values" in session.cellar("vars")
    assert "busy (a cell is running): kernel" in session.cellar("status")
    waiting = session.terminal("undo")
    assert waiting.stderr is not None
    assert "waiting for the kernel of" in waiting.stderr.readline()
    assert waiting.poll() is None
    go.touch()
    out, _ = waiting.communicate(timeout=60)
    assert waiting.returncode == 0 and "undid" in out


def test_ctrl_c_stops_waiting_and_says_what_happens(session: Desk) -> None:
    go = keep_busy(session)
    waiting = session.terminal("undo")
    assert waiting.stderr is not None
    assert "waiting for the kernel" in waiting.stderr.readline()
    waiting.send_signal(signal.SIGINT)
    out, err = waiting.communicate(timeout=60)
    go.touch()
    assert waiting.returncode == 3
    assert "stopped waiting: the kernel drops the request" in err and "Traceback" not in out + err
    assert session.execute("print(len(values))") == "4\n", "nothing was undone"


def test_a_request_of_a_terminal_that_was_closed_is_dropped(session: Desk) -> None:
    go = keep_busy(session)
    waiting = session.terminal("undo")
    assert waiting.stderr is not None
    assert "waiting for the kernel" in waiting.stderr.readline()
    waiting.kill()
    waiting.communicate(timeout=60)
    go.touch()
    assert session.execute("print(len(values))") == "4\n"
    assert "undo" not in {line["kind"] for line in json.loads(session.cellar("log", "--json"))["commits"]}


def test_a_request_behind_a_failing_cell_is_carried_out_all_the_same(session: Desk) -> None:
    go = keep_busy(session, then="1/0")
    waiting = session.terminal("undo")
    assert waiting.stderr is not None
    waiting.stderr.readline()
    go.touch()
    out, _ = waiting.communicate(timeout=60)
    assert waiting.returncode == 0 and "undid" in out


def test_after_a_crash_the_session_comes_back(session: Desk) -> None:
    session.cellar("status", "--wait")
    os.kill(session.manager.provisioner.pid, signal.SIGKILL)
    session.stop()
    assert "no kernel records this notebook" in session.cellar("undo", code=3)
    assert "no kernel records it now" in session.cellar("status")
    session.start()
    assert "loaded:" in session.cellar("restore")
    assert session.execute("print(values[:3], n, math.pi > 3)") == "[2, 2, 2] 2 True\n"


def test_detach_stops_recording_and_attach_asks_for_it(session: Desk) -> None:
    assert "its kernel stopped recording" in session.cellar("detach", "work.ipynb")
    session.execute("unseen = 1")
    assert "unseen" not in session.cellar("log")
    assert "%load_ext nbcellar" in session.cellar("attach", "work.ipynb")
    session.execute("__import__('nbcellar').load_ipython_extension(get_ipython())")
    assert "unseen" in session.cellar("vars")


def test_run_records_a_fresh_kernel_and_writes_only_where_it_is_told(desk: Desk) -> None:
    before = desk.file.read_bytes()
    said = desk.cellar("run", "work.ipynb", "--out", "out.ipynb", "-p", "extra=[1, 2]")
    assert "ran work.ipynb: 4 cells" in said and "recorded at" in said
    assert desk.file.read_bytes() == before
    written = json.loads((desk.folder / "out.ipynb").read_text())
    assert written["cells"][0]["source"] == ["# Parameters\n", "extra = [1, 2]"]
    assert written["cells"][2]["outputs"] == [{"name": "stdout", "output_type": "stream", "text": ["6\n"]}]
    assert "~values" in desk.cellar("log") and "extra" in desk.cellar("vars")


def test_a_failing_cell_stops_a_run_and_what_ran_is_kept(desk: Desk) -> None:
    desk.file.write_text(notebook_text(["a = 1\nb = 2", "a = 5\n\n1/0", "never = 1"]))
    said = desk.cellar("run", "work.ipynb", "--out", "out.ipynb", code=1)
    assert "failed: work.ipynb, cell 2, line 3: ZeroDivisionError: division by zero" in said
    cells = json.loads((desk.folder / "out.ipynb").read_text())["cells"]
    assert [len(cell["outputs"]) for cell in cells] == [0, 1, 0]
    assert "failed  ~a" in desk.cellar("log", "-N", "1")
    shown = desk.cellar("vars")
    assert "a " in shown and "never" not in shown


def test_ctrl_c_interrupts_the_cell_of_a_run_and_what_it_did_is_recorded(desk: Desk) -> None:
    desk.file.write_text(
        notebook_text(["a = 1", "b = 2\nimport time, pathlib; pathlib.Path('on').touch()\ntime.sleep(60)"])
    )
    run = desk.terminal("run", "work.ipynb")
    wait_for(desk.folder / "on")
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=60)
    assert run.returncode == 130
    assert "interrupted: work.ipynb, cell 2, line 3: KeyboardInterrupt" in out
    assert "Traceback" not in err
    assert "+b" in desk.cellar("log", "-N", "1")


def test_a_kernel_that_dies_ends_a_run_with_a_sentence(desk: Desk) -> None:
    desk.file.write_text(
        notebook_text(["kept = 1", "import os, signal, time; time.sleep(1); os.kill(os.getpid(), signal.SIGKILL)"])
    )
    said = desk.cellar("run", "work.ipynb", code=3)
    assert "the kernel died in cell 2 of work.ipynb" in said and "Traceback" not in said
    assert "+kept" in desk.cellar("log")


def test_a_run_outside_of_a_repository_says_that_it_is_not_recorded(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    assert "not recorded" in desk.cellar("run", "work.ipynb")


def test_a_kernel_that_is_not_installed_is_named(desk: Desk) -> None:
    desk.file.write_text(notebook_text(["1"]).replace('"python3"', '"nowhere"'))
    assert "wants the kernel 'nowhere', which is not installed" in desk.cellar("run", "work.ipynb", code=2)


def test_a_kernel_that_dies_at_its_start_is_started_again(desk: Desk) -> None:
    start = f"test -f tried || {{ touch tried; exit 1; }}; exec {sys.executable} -m ipykernel_launcher -f $0"
    desk.choose_kernel("second", "sh", "-c", start, "{connection_file}")
    assert "ran work.ipynb: 1 cell in" in desk.cellar("run", "work.ipynb")
    assert (desk.folder / "tried").exists()


def test_a_kernel_that_does_not_start_is_a_sentence(desk: Desk) -> None:
    desk.choose_kernel("broken", "false", "{connection_file}")
    said = desk.cellar("run", "work.ipynb", code=3)
    assert said.startswith("error: the kernel 'broken' of work.ipynb did not start: ") and "Traceback" not in said


def test_a_polite_kill_interrupts_the_cell_of_a_run_and_what_it_did_is_recorded(desk: Desk) -> None:
    desk.file.write_text(notebook_text(["b = 2\nimport time, pathlib; pathlib.Path('on').touch()\ntime.sleep(60)"]))
    run = desk.terminal("run", "work.ipynb")
    wait_for(desk.folder / "on")
    run.terminate()
    out, err = run.communicate(timeout=60)
    assert "interrupted: work.ipynb, cell 1, line 3: KeyboardInterrupt" in out and err == ""
    assert "+b" in desk.cellar("log", "-N", "1")


def test_a_notebook_that_was_renamed_is_still_the_one_of_its_kernel(session: Desk) -> None:
    session.file.rename(session.folder / "renamed.ipynb")
    session.cellar("log", "-n", "renamed.ipynb")
    (session.folder / "other.ipynb").write_text(notebook_text(["other = 1"]))
    session.cellar("run", "other.ipynb")
    assert "values.append" in session.execute("%cellar log -N 1")
    assert "notebook: renamed.ipynb" in session.execute("%cellar show")
    own = "import nbcellar\nwith nbcellar.open('.') as repo: print(repo.log(limit=1).commits[0].notebook)"
    assert session.execute(own) == "renamed.ipynb\n"


def test_attach_lets_a_running_kernel_join_that_a_server_knows(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from nbcellar.api import joining, open_repo
    from nbcellar.api.servers import Session

    desk.start(environ={"NBCELLAR_RECORD": "0"})
    desk.execute("early = 1")
    desk.cellar("detach", "--all")
    known = Session(desk.file.resolve(), "id", Path(desk.manager.connection_file))
    monkeypatch.setattr(joining, "sessions", lambda environ: [known])
    with open_repo(desk.folder, environ=os.environ) as repo:
        assert joining.attach(repo, "work.ipynb").notes == (
            "its running kernel joined; what it holds is recorded",
            "until it restarts, because record.enabled is false; see: cellar config",
        )
    assert "+early" in desk.cellar("log")
