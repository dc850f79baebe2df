"""What a cell leaves behind is recorded, however the cell ran."""

from __future__ import annotations

from .support import Kernel, values_of


def test_a_failed_cell_is_recorded_with_what_it_changed_before(kernel: Kernel) -> None:
    kernel.run("x = [1]")
    kernel.fail("x.append(2)\n1/0\nx.append(3)", "ZeroDivisionError")
    commit = kernel.head()
    assert commit.cell is not None and commit.cell.error is not None
    assert (commit.cell.error.name, commit.cell.error.line) == ("ZeroDivisionError", 2)
    assert values_of(kernel.variable("x")) == ["[1, 2]"]
    kernel.undo()
    assert kernel.value("x") == [1]
    kernel.redo()
    assert kernel.value("x") == [1, 2]


def test_an_interrupted_cell_is_recorded_with_what_it_changed_before(kernel: Kernel) -> None:
    running = kernel.start("import time\nx = [1]\nprint('waiting', flush=True)\ntime.sleep(600)\nx.append(2)")
    running.wait_for("waiting")
    kernel.interrupt()
    assert running.finish().error == "KeyboardInterrupt"
    kernel.settle()
    commit = kernel.head()
    assert commit.cell is not None and commit.cell.error is not None and commit.cell.error.name == "KeyboardInterrupt"
    assert values_of(kernel.variable("x")) == ["[1]"]
    kernel.undo()
    assert "x" not in kernel.value("sorted(globals())")


def test_a_cell_that_does_not_compile_is_recorded_and_changes_nothing(kernel: Kernel) -> None:
    kernel.run("x = 1")
    version = kernel.variable("x").version
    kernel.fail("x = 2 +", "SyntaxError")
    commit = kernel.head()
    assert commit.cell is not None and commit.cell.error is not None and commit.cell.error.name == "SyntaxError"
    assert kernel.variable("x").version == version
