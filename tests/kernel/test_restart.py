"""After a crash or a restart the session comes back, and works."""

from __future__ import annotations

import pytest

from nbcellar.errors import NoKernelError, NotFoundError

from .support import Kernel

SESSION = """
    import enum, functools, math
    import numpy as np
    def scaled(x):
        return factor * x
    def counter():
        n = 0
        def up():
            nonlocal n
            n += 1
            return n
        return up
    class Base:
        kind = 'base'
        def who(self):
            return [self.kind]
    class Child(Base):
        kind = 'child'
        def who(self):
            return super().who() + ['of Base']
    class Colour(enum.Enum):
        RED = 1
    factor = 3
    up = counter()
    up()
    child = Child()
    colour = Colour.RED
    data = np.arange(100_000)
    part = data[10:20]
    items = [1, [2]]
    alias = items
    table = {Colour.RED: child, 'items': items}
    np.random.seed(7)
"""
TRUTHS = (
    "scaled(2) == 6 and scaled.__globals__ is globals()",
    "child.who() == ['child', 'of Base'] and type(child) is Child and isinstance(child, Base)",
    "colour is Colour.RED and table[Colour.RED] is child and table['items'] is items",
    "alias is items and items == [1, [2]]",
    "part.base is not None and np.shares_memory(part, data) and part[0] == 10",
    "math.pi > 3",
)


def test_after_kill_the_session_is_restored_into_a_new_kernel(fresh: Kernel) -> None:
    fresh.run(SESSION, "draw = lambda: float(np.random.rand())", "first = draw()")
    fresh.kill()
    fresh.start_again()
    assert fresh.value("'items' in globals()") is False
    change = fresh.restore()
    assert {"items", "alias", "data", "part", "child", "scaled"} <= set(change.loaded)
    fresh.is_true(*TRUTHS, "up() == 2")
    fresh.run("data[12] = -1\nitems.append(3)\nfactor = 10\nsecond = draw()")
    fresh.is_true("part[2] == -1", "alias[-1] == 3", "scaled(1) == 10")
    expected = fresh.value("(lambda r: (r.rand(), r.rand()))(np.random.RandomState(7))")
    assert (fresh.value("first"), fresh.value("second")) == expected
    fresh.undo()
    fresh.is_true(*TRUTHS, "'second' not in globals()")


def test_kill_in_the_middle_of_a_cell_loses_that_cell_only(fresh: Kernel) -> None:
    fresh.run("x = [1]", "x.append(2)")
    running = fresh.start("x.append(3)\nimport time\nprint('busy', flush=True)\ntime.sleep(600)")
    running.wait_for("busy")
    fresh.kill()
    fresh.start_again()
    fresh.restore()
    assert fresh.value("x") == [1, 2]


def test_kill_while_a_capture_is_written_leaves_a_store_that_restores(fresh: Kernel) -> None:
    fresh.run("import numpy as np\nx = 'before'")
    for seed in range(3):
        running = fresh.start(
            f"big = np.random.default_rng({seed}).random(8_000_000)\nx = {seed}\nprint('made', flush=True)"
        )
        running.wait_for("made")
        fresh.kill()
        fresh.start_again()
        fresh.restore()
        assert fresh.value("x") in ("before", *range(seed + 1))
        assert fresh.value("'big' in globals()") is (fresh.value("x") != "before")
        assert fresh.project.cellar("check", "--read-data").returncode == 0


def test_a_restored_session_goes_on_and_undo_crosses_the_crash(fresh: Kernel) -> None:
    fresh.run("x = [1]", "x.append(2)")
    fresh.kill()
    fresh.start_again()
    fresh.restore()
    fresh.run("x.append(3)")
    fresh.undo()
    assert fresh.value("x") == [1, 2]
    fresh.undo()
    assert fresh.value("x") == [1]


def test_any_commit_can_be_restored(fresh: Kernel) -> None:
    fresh.run("x = 1", "x = 2\ny = 1", "x = 3")
    middle = fresh.project.commit_id("HEAD~1").hex()
    fresh.restart()
    fresh.run("z = 'here before'")
    fresh.restore(middle[:12])
    fresh.is_true("x == 2", "y == 1", "'z' not in globals()")
    fresh.undo()
    fresh.is_true("x == 1", "'y' not in globals()")


def test_what_was_there_before_a_restore_is_not_lost(fresh: Kernel) -> None:
    fresh.run("x = 1")
    fresh.restart()
    fresh.run("x = 'of the new kernel'")
    fresh.restore()
    assert fresh.value("x") == 1
    with fresh.project.open() as repo:
        repo.op_undo()
    assert fresh.value("x") == "of the new kernel"


def test_without_an_earlier_session_restore_says_so(fresh: Kernel) -> None:
    fresh.run("x = 1")
    with pytest.raises(NotFoundError, match="no earlier session"):
        fresh.restore()
    assert fresh.value("x") == 1


def test_restoring_twice_is_harmless(fresh: Kernel) -> None:
    fresh.run(SESSION)
    fresh.restart()
    fresh.restore()
    identity = fresh.value("[id(items), id(Child), id(data)]")
    fresh.restore()
    fresh.is_true(*TRUTHS)
    assert fresh.value("[id(items), id(Child), id(data)]") == identity


def test_a_dead_kernel_is_said_to_be_dead(fresh: Kernel) -> None:
    fresh.run("x = 1")
    fresh.kill()
    with pytest.raises(NoKernelError, match="no kernel records"):
        fresh.undo()
    done = fresh.project.cellar("undo")
    assert done.returncode != 0 and "Traceback" not in done.stderr and "hint" in done.stderr


def test_a_kernel_that_is_shut_down_has_saved_its_last_cell(fresh: Kernel) -> None:
    fresh.run("x = 1")
    assert not fresh.try_run("x = 'last words'").error
    fresh.shut_down()
    fresh.start_again()
    fresh.restore()
    assert fresh.value("x") == "last words"


def test_a_session_saved_by_one_kernel_is_restored_by_a_process_with_other_hashes(fresh: Kernel) -> None:
    fresh.run("""
        s = {f'item {i}' for i in range(100)}
        d = {frozenset('abc'): 1}
        class A: pass
        objects = {A(), A()}
        kinds = {A: 1}
        """)
    fresh.restart()
    fresh.restore()
    fresh.is_true(
        "s == {f'item {i}' for i in range(100)} and 'item 7' in s",
        "d[frozenset('cab')] == 1",
        "len(objects) == 2 and all(o in objects for o in objects) and kinds[A] == 1",
    )
    commits = len(fresh.project.log())
    fresh.run("y = 1")
    assert len(fresh.project.log()) == commits + 1, "an equal set with another order counted as a change"


def test_a_library_that_a_restore_loads_sees_a_notebook_as_one_that_a_cell_loads(fresh: Kernel) -> None:
    fresh.run("import pandas as pd", "df = pd.DataFrame({'a': [1]})")
    before = fresh.value("(pd.get_option('display.max_columns'), pd.get_option('display.width'))")
    fresh.restart()
    fresh.restore()
    assert fresh.value("(pd.get_option('display.max_columns'), pd.get_option('display.width'))") == before
