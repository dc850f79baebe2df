"""Cells run again for what cannot be stored: in real kernels, after a crash, seen by nobody and asked for first."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest

from .support import Kernel, Project


def again(kernel: Kernel) -> None:
    kernel.kill()
    kernel.start_again()


def test_a_generator_and_a_connection_survive_a_crash(kernel: Kernel) -> None:
    kernel.run(
        "import random, sqlite3",
        "items = [random.random() for _ in range(5)]",
        "connection = sqlite3.connect(':memory:')\n_ = connection.execute('create table t (a)')",
        "g = (i + random.random() for i in items)",
        "first = next(g)",
        "print('rows', connection.execute('insert into t values (7)').rowcount)",
    )
    kernel.settle()
    expected = kernel.value("(items, first, random.getstate()[1][:3])")
    again(kernel)
    change = kernel.restore(replay="yes")
    assert change.replayed == ["connection", "g"]
    assert change.not_restored == {} and change.uncertain == {} and change.unverified == {}
    assert kernel.value("(items, first, random.getstate()[1][:3])") == expected
    assert kernel.value("connection.execute('select a from t').fetchall()") == [(7,)]
    kernel.is_true("next(g) > items[1]")


def test_nobody_sees_a_cell_that_runs_again(kernel: Kernel) -> None:
    kernel.run(
        "from IPython.display import display\nimport matplotlib.pyplot as plt",
        "print('hello'); display('shown'); g = (i for i in range(3)); plt.plot([1, 2]); g",
        "next(g); 1 / 1",
        "n = 1",
    )
    again(kernel)
    running = kernel.start("%cellar restore --replay")
    result = running.finish()
    assert "replayed" in result.text and "hello" not in result.text
    assert [
        m["msg_type"] for m in result.messages if m["msg_type"] in ("display_data", "execute_result", "error")
    ] == []
    assert kernel.value("next(g)") == 1
    kernel.run("x = 5")
    assert next(line.title for line in kernel.project.log()) == "x = 5"
    assert kernel.value("(len(Out), In[-1])") == (0, "x = 5")


def test_an_error_that_was_there_then_shows_no_traceback_now(kernel: Kernel) -> None:
    assert kernel.try_run("g = (i for i in range(3))\n1 / 0").error == "ZeroDivisionError"
    kernel.run("x = next(g)")
    again(kernel)
    result = kernel.run("%cellar restore --replay")
    assert [m for m in result.messages if m["msg_type"] == "error"] == []
    assert kernel.value("next(g)") == 1


def test_a_cell_that_fails_now_is_named_and_leaves_all_as_it_was(kernel: Kernel) -> None:
    kernel.project.write("data.txt", "abc")
    kernel.run("with open('data.txt') as file:\n    g = (c for c in file.read())", "x = 1")
    again(kernel)
    kernel.run("mine = 1")
    (kernel.project.root / "data.txt").unlink()
    result = kernel.run("%cellar restore --replay")
    assert "failed when it was run again: FileNotFoundError" in result.text
    assert kernel.names() == {"mine"}
    assert kernel.value("(mine, 'x' in globals(), 'g' in globals())") == (1, False, False)


def test_a_cell_that_is_interrupted_leaves_all_as_it_was(kernel: Kernel) -> None:
    kernel.run(
        "import os, time",
        "if os.path.exists('slow'):\n    print('waiting', flush=True); open('waiting', 'w').close(); time.sleep(60)\n"
        "g = (i for i in range(3))",
    )
    again(kernel)
    kernel.run("mine = [1]\nident = id(mine)")
    kernel.project.write("slow", "")
    running = kernel.start("%cellar restore --replay")
    while not (kernel.project.root / "waiting").exists():
        pass
    kernel.interrupt()
    running.finish()
    kernel.is_true("id(mine) == ident", "'g' not in globals()")


def test_a_variable_and_a_class_that_the_settings_name_are_not_stored_but_come_back(project: Project) -> None:
    project.configure('[record]\nnever_store = ["decimal.*", "Big"]\nnever_store_names = ["raw*"]\n')
    kernel = project.kernel()
    kernel.run(
        "import decimal\nclass Big: pass",
        "raw_data = list(range(10))\nd = decimal.Decimal(3)\nb = Big(); b.n = 1",
        "raw_data.append(len(raw_data)); b.n += 1\nplain = [1]",
    )
    kernel.settle()
    for name, word in (("raw_data", "never_store_names"), ("d", "never_store"), ("b", "never_store")):
        entry = kernel.variable(name)
        assert entry.value is None and word in entry.reason
        assert entry.previews[0].text
    again(kernel)
    assert set(kernel.restore().not_restored) == {"raw_data", "d", "b"}
    change = kernel.restore(replay="yes")
    assert set(change.replayed) == {"raw_data", "d", "b"}
    assert kernel.value("(raw_data, int(d), b.n, type(b) is Big, plain)") == ([*range(10), 10], 3, 2, True, [1])


@pytest.mark.parametrize(("answer", "comes"), [("y\n", True), ("n\n", False)])
def test_a_terminal_is_asked_first(kernel: Kernel, answer: str, comes: bool) -> None:
    kernel.run("g = (i for i in range(3))", "x = next(g)", "open('out.txt', 'w').close()")
    again(kernel)
    near, far = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "nbcellar.cli.main", "restore"],
        cwd=kernel.project.root,
        env=kernel.project.environ,
        stdin=far,
        stdout=subprocess.PIPE,
        stderr=far,
        text=True,
    )
    os.close(far)
    os.write(near, answer.encode())
    out, _ = process.communicate(timeout=60)
    asked = os.read(near, 10_000).decode()
    os.close(near)
    assert "2 cells bring back, run again, g" in asked and "] g = (i for i in range(3))" in asked
    assert ("replayed" in out) is comes
    assert ("g" in kernel.value("list(globals())")) is comes


def test_files_that_a_cell_wrote_are_named_before_it_runs_again(kernel: Kernel) -> None:
    kernel.run("import numpy", "numpy.save('out.npy', numpy.zeros(3)); g = (i for i in range(3))")
    again(kernel)
    said = kernel.project.cellar("restore").stdout
    assert "wrote out.npy" in said and "writes a file: save('out.npy')" in said


def test_a_kernel_that_may_not_run_cells_says_how(kernel: Kernel) -> None:
    kernel.run("g = (i for i in range(3))")
    again(kernel)
    done = kernel.project.cellar("restore")
    assert done.returncode == 1
    assert "not restored: g" in done.stdout and "the same command with --replay runs them" in done.stdout
    assert kernel.project.cellar("config", "replay.allowed", "always").returncode == 0
    assert "replayed" in kernel.project.cellar("restore").stdout
