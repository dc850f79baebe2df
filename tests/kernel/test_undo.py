"""Undo and redo: which step, how many, across kernels, and what they leave alone."""

from __future__ import annotations

import pytest

from nbcellar.errors import InvalidInputError

from .support import Kernel


def test_the_first_cell_can_be_undone(fresh: Kernel) -> None:
    fresh.run("x = 1")
    change = fresh.undo()
    assert [step.cell for step in change.undone] == ["x = 1"]
    assert "x" not in fresh.value("sorted(globals())")
    fresh.redo()
    assert fresh.value("x") == 1


def test_undo_says_which_cells_it_took_back(fresh: Kernel) -> None:
    fresh.run("x = 1", "# a comment\nx = 2", "x = 3")
    change = fresh.undo(2)
    assert [(step.cell, step.execution_count) for step in change.undone] == [("x = 3", 3), ("# a comment", 2)]
    assert fresh.value("x") == 1


def test_too_many_undos_are_an_error_that_says_how_many_there_are(fresh: Kernel) -> None:
    fresh.run("x = 1", "x = 2")
    with pytest.raises(InvalidInputError, match="cannot undo 5 steps: only 2 steps can be undone"):
        fresh.undo(5)
    assert fresh.value("x") == 2
    fresh.undo(2)
    with pytest.raises(InvalidInputError, match="nothing to undo"):
        fresh.undo()


def test_redo_without_an_undo_is_an_error(fresh: Kernel) -> None:
    fresh.run("x = 1")
    with pytest.raises(InvalidInputError, match="nothing to redo"):
        fresh.redo()


def test_too_many_redos_are_an_error_that_says_how_many_there_are(fresh: Kernel) -> None:
    fresh.run("x = 1", "x = 2", "x = 3")
    fresh.undo(2)
    with pytest.raises(InvalidInputError, match="only 2 steps can be done again"):
        fresh.redo(3)
    assert fresh.value("x") == 1


def test_running_a_cell_ends_what_can_be_redone(fresh: Kernel) -> None:
    fresh.run("x = 1", "x = 2")
    fresh.undo()
    fresh.run("y = x")
    assert fresh.value("y") == 1
    with pytest.raises(InvalidInputError, match="nothing to redo"):
        fresh.redo()
    fresh.undo(2)
    assert not {"x", "y"} & set(fresh.value("sorted(globals())"))


def test_undo_and_redo_in_any_order_lead_where_they_say(fresh: Kernel) -> None:
    fresh.run("x = [0]", "x.append(1)", "x.append(2)", "x.append(3)")
    position, last = 3, 3
    for step in (-1, -1, 1, -2, 1, 2, -3, 3, -1):
        (fresh.undo if step < 0 else fresh.redo)(abs(step))
        position += step
        assert 0 <= position <= last and fresh.value("x") == list(range(position + 1))


def test_code_and_input_history_are_left_alone(fresh: Kernel) -> None:
    file = fresh.project.root / "a.ipynb"
    text = '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'
    file.write_text(text)
    fresh.run("x = 1", "x = 2")
    count = fresh.value("get_ipython().execution_count")
    fresh.undo()
    assert file.read_text() == text
    assert fresh.value("In[1:]") == ["x = 1", "x = 2"]
    assert fresh.value("get_ipython().execution_count") == count


def test_undo_crosses_a_restart(fresh: Kernel) -> None:
    fresh.run("x = [1]", "y = 2")
    fresh.restart()
    fresh.run("z = 3")
    assert fresh.value("'x' in globals()") is False
    assert [step.cell for step in fresh.undo().undone] == ["z = 3"]
    fresh.undo()
    fresh.is_true("x == [1]", "y == 2", "'z' not in globals()")
    fresh.undo()
    fresh.is_true("x == [1]", "'y' not in globals()")
    fresh.redo(3)
    fresh.is_true("z == 3", "'x' not in globals()")


def test_named_commits_and_commands_are_no_steps(fresh: Kernel) -> None:
    fresh.run("x = 1", "x = 2")
    fresh.commit("a name")
    fresh.run("%cellar status", "x = 3")
    fresh.undo(2)
    assert fresh.value("x") == 1
    fresh.redo()
    assert fresh.value("x") == 2


def test_a_cell_that_failed_to_compile_is_a_step_that_changes_nothing(fresh: Kernel) -> None:
    fresh.run("x = 1")
    fresh.fail("x = = 2", "SyntaxError")
    assert fresh.undo().undone[0].cell == "x = = 2"
    assert fresh.value("x") == 1


def test_undo_from_the_notebook_itself_acts_and_is_no_step(fresh: Kernel) -> None:
    fresh.run("x = [1]", "x.append(2)")
    said = fresh.run("%cellar undo").text
    assert "x.append(2)" in said
    assert fresh.value("x") == [1]
    fresh.run("%cellar redo")
    assert fresh.value("x") == [1, 2]


def test_undo_as_a_function_of_the_package(fresh: Kernel) -> None:
    fresh.run("x = [1]", "x.append(2)")
    fresh.run("import nbcellar\nnbcellar.open('a.ipynb' if __import__('os').path.exists('a.ipynb') else '.').undo()")
    assert fresh.value("x") == [1]


def test_the_same_objects_are_there_after_undo_and_redo_of_something_else(fresh: Kernel) -> None:
    fresh.run("big = list(range(10_000))\nwatch = big", "y = 1")
    identity = fresh.value("id(big)")
    fresh.undo()
    fresh.redo()
    assert fresh.value("id(big)") == identity
    fresh.is_true("big is watch")


def test_objects_that_appear_in_undone_output_are_replaced_in_no_history(fresh: Kernel) -> None:
    fresh.run("x = [1]", "x", "x.append(2)")
    fresh.undo()
    fresh.is_true("x == [1]", "Out[2] == [1, 2]")


def test_hundred_steps_back_and_forth(fresh: Kernel) -> None:
    fresh.run("x = []")
    for number in range(100):
        assert not fresh.try_run(f"x.append({number})").error
    fresh.settle()
    fresh.undo(100)
    assert fresh.value("x") == []
    fresh.redo(57)
    assert fresh.value("x") == list(range(57))
