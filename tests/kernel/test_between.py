"""Changes that no cell's code shows are found, recorded, and said to be uncertain."""

from __future__ import annotations

from .support import Kernel, values_of, wait_until


def test_a_callback_after_the_cell_is_found_when_the_kernel_idles(fresh: Kernel) -> None:
    fresh.run("x = [1]")
    assert not fresh.try_run(
        """
            import asyncio
            changed = asyncio.Event()
            def later():
                x.append('later')
            _ = asyncio.get_running_loop().call_later(0.05, later)
            """
    ).error
    wait_until(lambda: fresh.project.log()[0].kind == "between")
    assert values_of(fresh.variable("x")) == ["[1, 'later']"]
    assert fresh.project.show().changes[0].name == "x" and fresh.project.show().notes
    fresh.undo()
    assert fresh.value("x") == [1]


def test_a_callback_is_found_by_undo_itself(fresh: Kernel) -> None:
    fresh.run("x = [1]", "y = 2")
    fresh.do("x.append('by a widget')")
    fresh.undo()
    assert fresh.value("x") == [1]
    between = next(line for line in fresh.project.log(all=True) if line.kind == "between")
    fresh.checkout(between.id)
    assert fresh.value("x") == [1, "by a widget"]


def test_what_an_unseen_change_may_have_touched_is_uncertain(fresh: Kernel) -> None:
    fresh.project.configure("[record]\ncheck_ms = 0\n")
    fresh.restart()
    fresh.run("x = [{'n': i} for i in range(30_000)]", "a = 1")
    fresh.do("x.append('unseen')")
    fresh.run("c = 3")
    change = fresh.checkout("HEAD~1")
    assert fresh.value("len(x)") == 30_000 and "x" in change.uncertain and "a" not in change.uncertain
    found = next(line for line in fresh.project.log(all=True) if line.kind == "between")
    change = fresh.checkout(found.id)
    assert fresh.value("x[-1]") == "unseen" and "x" not in change.uncertain


def test_an_object_that_a_library_holds_is_watched(fresh: Kernel) -> None:
    fresh.project.write(
        "library.py",
        """
        kept = []
        def register(x):
            kept.append(x)
        def poke():
            kept[0].append('poked')
        """,
    )
    fresh.run("import library\nx = [1]\nlibrary.register(x)", "library.poke()")
    assert values_of(fresh.variable("x")) == ["[1, 'poked']"]
    fresh.undo()
    assert fresh.value("x") == [1]


def test_a_named_commit_looks_at_everything_first(fresh: Kernel) -> None:
    fresh.run("x = [1]")
    fresh.do("x.append(2); made = 3")
    fresh.commit("now")
    assert values_of(fresh.variable("x")) == ["[1, 2]"] and "made" in fresh.names()


def test_an_unstable_pickle_does_not_fill_the_history(fresh: Kernel) -> None:
    fresh.run(
        """
        import os
        class Restless:
            def __getstate__(self):
                return {'token': os.urandom(8)}
            def __setstate__(self, state):
                self.__dict__.update(state)
        r = Restless()
        """
    )
    for number in range(5):
        fresh.run(f"x = {number}")
    assert sum("r" in line.changed for line in fresh.project.log()) <= 1
    assert not [line for line in fresh.project.log() if line.kind == "between"]


def test_cached_properties_and_lazily_filled_caches_do_not_fill_the_history(fresh: Kernel) -> None:
    fresh.run("""
        import pandas as pd, re, datetime
        df = pd.DataFrame({'a': range(100)}, index=[f'r{i}' for i in range(100)])
        s = 'x' * 10000
        b = b'y' * 10000
        """)
    fresh.run("""
        hash(s); hash(b); 'r5' in df.index; df.index.is_unique; df.columns; df['a'].is_monotonic_increasing; repr(df)
        None
        """)
    line = fresh.project.log()[0]
    assert line.changed == [] and line.added == []
