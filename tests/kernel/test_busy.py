"""Requests, queued cells and cells within cells: nothing is mixed up, nothing is lost."""

from __future__ import annotations

import concurrent.futures

from .support import Kernel


def test_cells_that_are_queued_are_recorded_one_by_one(fresh: Kernel) -> None:
    cells = [fresh.start(f"x{number} = [{number}]") for number in range(10)]
    for cell in cells:
        assert not cell.finish().error
    fresh.settle()
    assert [line.title for line in fresh.project.log()][:10] == [
        f"x{number} = [{number}]" for number in range(9, -1, -1)
    ]
    fresh.undo(3)
    fresh.is_true("x6 == [6]", "'x7' not in globals()")


def test_cells_that_were_dropped_behind_a_failing_one_are_not_recorded(fresh: Kernel) -> None:
    failing, behind = fresh.start("x = 1\n1/0"), fresh.start("never = 1")
    assert failing.finish().error == "ZeroDivisionError"
    assert behind.finish().reply["status"] == "aborted"
    fresh.settle()
    assert fresh.names() == {"x"} and fresh.project.log()[0].title == "x = 1"


def test_undo_waits_for_the_running_cell_and_takes_it_back(fresh: Kernel) -> None:
    fresh.run("x = [1]")
    running = fresh.start(
        """
        import os, time
        x.append(2)
        print('busy', flush=True)
        while not os.path.exists('go'):
            time.sleep(0.01)
        x.append(3)
        """
    )
    running.wait_for("busy")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        undone = pool.submit(fresh.undo)
        fresh.project.write("go", "")
        assert not running.finish().error
        assert undone.result().undone[0].execution_count == 2
    assert fresh.value("x") == [1]


def test_a_cell_that_runs_a_cell_is_recorded(fresh: Kernel) -> None:
    fresh.run("x = [1]", "get_ipython().run_cell('x.append(2)')\nx.append(3)", "y = 1")
    fresh.undo()
    assert fresh.value("x") == [1, 2, 3]
    fresh.undo()
    assert fresh.value("x") == [1]


def test_a_cleared_namespace_comes_back(fresh: Kernel) -> None:
    fresh.run("x = [1]\nclass A: pass\na = A()", "%reset -f")
    assert fresh.names() == set()
    fresh.undo()
    fresh.is_true("x == [1]", "type(a) is A")
    fresh.run("x.append(2)")
    fresh.undo()
    assert fresh.value("x") == [1]


def test_a_cell_that_exits_is_recorded_as_failed(fresh: Kernel) -> None:
    fresh.fail("x = 1\nraise SystemExit(3)", "SystemExit")
    line = fresh.project.log()[0]
    assert line.failed and line.added == ["x"]


def test_many_requests_at_once_are_answered_each(fresh: Kernel) -> None:
    fresh.run("x = []", *(f"x.append({number})" for number in range(8)))
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(fresh.undo) for _ in range(8)]:
            assert len(done.result().undone) == 1
    assert fresh.value("x") == []


def test_magics_of_the_user_that_change_variables_are_seen(fresh: Kernel) -> None:
    fresh.run(
        """
        from IPython.core.magic import register_line_magic
        x = []
        @register_line_magic
        def note(line):
            x.append(line)
        """,
        "%note one",
        "%prun -q x.append('two')",
        "%%timeit -n1 -r1\nx.append('three')",
    )
    assert fresh.value("x") == ["one", "two", "three"]
    fresh.undo(3)
    assert fresh.value("x") == []
