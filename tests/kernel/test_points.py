"""Named points, checkouts, branches, tags and operations, with a live kernel."""

from __future__ import annotations

import pytest

from nbcellar.errors import CannotRestoreError, NotFoundError
from nbcellar.history.model import CommitKind

from .support import Kernel


def test_a_checkout_of_an_earlier_commit_brings_variables_back(fresh: Kernel) -> None:
    fresh.run("x = 1", "x = 2\ny = [x]", "del y\nx = 3")
    change = fresh.checkout("HEAD~1")
    fresh.is_true("x == 2", "y == [2]")
    assert set(change.loaded) == {"x", "y"}
    assert change.head == fresh.project.commit_id("HEAD").hex()
    fresh.checkout("HEAD~1")
    fresh.is_true("x == 1", "'y' not in globals()")


def test_a_checkout_of_branch_and_tag(fresh: Kernel) -> None:
    fresh.run("x = 'tagged'")
    with fresh.project.open() as repo:
        repo.tag("v1")
    fresh.run("x = 'later'")
    with fresh.project.open() as repo:
        repo.branch("other", "HEAD~1")
    fresh.checkout("v1")
    assert fresh.value("x") == "tagged"
    fresh.checkout("main")
    assert fresh.value("x") == "later"
    assert fresh.checkout("other").branch == "other"
    fresh.run("x = 'on other'")
    assert {b.name: b.current for b in fresh.project.open().branches().branches} == {"main": False, "other": True}
    fresh.checkout("main")
    assert fresh.value("x") == "later"
    fresh.checkout("other")
    assert fresh.value("x") == "on other"


def test_leaving_a_point_and_running_a_cell_makes_a_branch_by_itself(fresh: Kernel) -> None:
    fresh.run("x = 1", "x = 2", "x = 3")
    fresh.checkout("HEAD~1")
    fresh.run("x = 20")
    with fresh.project.open() as repo:
        branches = {branch.name: branch for branch in repo.branches().branches}
        assert len(branches) == 2 and "main" in branches
        new = next(branch for branch in branches.values() if branch.current)
        assert new.name != "main" and new.commit == repo.resolve("HEAD").hex()
    fresh.checkout("main")
    assert fresh.value("x") == 3
    fresh.checkout(new.name)
    assert fresh.value("x") == 20
    fresh.undo()
    assert fresh.value("x") == 2


def test_a_named_commit_holds_what_is_there_and_keeps_its_message(fresh: Kernel) -> None:
    fresh.run("x = [1]")
    commit = fresh.commit("first results")
    assert fresh.project.commit(commit).kind is CommitKind.NAMED
    assert fresh.project.log()[0].title == "first results"
    fresh.run("x.append(2)")
    fresh.checkout(commit[:10])
    assert fresh.value("x") == [1]


def test_what_was_made_but_not_recorded_is_recorded_before_a_checkout_replaces_it(fresh: Kernel) -> None:
    fresh.run("x = 1", "x = 2")
    fresh.do("x = 'unseen'; made = ['nobody saw this']")
    fresh.checkout("HEAD~1")
    fresh.is_true("x == 1", "'made' not in globals()")
    between = [line for line in fresh.project.log(all=True) if line.kind == "between"]
    assert between
    fresh.checkout(between[0].id)
    fresh.is_true("x == 'unseen'", "made == ['nobody saw this']")


def test_an_operation_undone_takes_a_checkout_back(fresh: Kernel) -> None:
    fresh.run("x = 1", "x = 2")
    fresh.checkout("HEAD~1")
    assert fresh.value("x") == 1
    with fresh.project.open() as repo:
        done = repo.op_undo()
        assert done.head_moved and done.session is not None
    assert fresh.value("x") == 2
    fresh.run("x = 3")
    assert [line.title for line in fresh.project.log()][:2] == ["x = 3", "x = 2"]


def test_a_deleted_branch_comes_back_by_undoing_the_operation(fresh: Kernel) -> None:
    fresh.run("x = 1")
    with fresh.project.open() as repo:
        repo.branch("side")
        repo.delete_branch("side")
        assert {b.name for b in repo.branches().branches} == {"main"}
        repo.op_undo()
        assert {b.name for b in repo.branches().branches} == {"main", "side"}


def test_an_unknown_reference_changes_nothing(fresh: Kernel) -> None:
    fresh.run("x = 1")
    before = fresh.project.commit_id("HEAD")
    with pytest.raises(NotFoundError, match="nowhere"):
        fresh.checkout("nowhere")
    assert fresh.value("x") == 1 and fresh.project.commit_id("HEAD") == before


# Everything that a failed checkout could have changed, as text: names, identities, contents, class attributes, streams.
WATCH = """
    import sys
    sys.dont_write_bytecode = True
    import enum, importlib, os, random
    import numpy as np
    def everything():
        names = sorted(n for n, v in globals().items() if not n.startswith('_') and n not in ('In', 'Out'))
        attributes = [(k, repr(v), id(v)) for c in (Thing, E) for k, v in sorted(vars(c).items())]
        streams = random.getstate(), np.random.get_state()[1].tolist()
        values = a.tolist()[:9], view.tolist(), items, vars(thing), E.__members__, os.getcwd()
        return repr((names, [id(globals()[n]) for n in names], attributes, streams, values))
"""
FIRST = """
    class Thing:
        shared = [1]
        def __repr__(self):
            return 'thing'
    class E(enum.Enum):
        A = 1
    e = E.A
    a = np.zeros(300_000)
    view = a[:4]
    thing = Thing()
    items = [thing, 'old']
    alias = items
"""
LATER = """
    class Thing:
        shared = [2]
        extra = 'x'
        def __repr__(self):
            return 'new thing'
    class E(enum.Enum):
        B = 2
    a[0] = 5
    view = a[:6]
    items.append('new')
    thing = Thing()
    thing.x = e
    random.random()
    np.random.rand()
    del spoiled
"""


def holds_that_nothing_changes(kernel: Kernel, reason: str) -> None:
    """Check out a state whose variable `spoiled` cannot be made, and look at everything."""
    before, head = kernel.value("everything()"), kernel.project.commit_id("HEAD")
    for go in (lambda: kernel.checkout("HEAD~1"), kernel.undo):
        with pytest.raises(CannotRestoreError, match="'spoiled'") as caught:
            go()
        assert reason in str(caught.value)
        assert kernel.value("everything()") == before
        assert kernel.project.commit_id("HEAD") == head
    kernel.run("after = 'works'")
    assert kernel.names() >= {"after", "thing", "items"}
    kernel.undo()
    kernel.is_true("'after' not in globals()", "view.base is a", "alias is items")


def test_a_checkout_that_needs_a_module_that_is_gone_leaves_everything_as_it_was(fresh: Kernel) -> None:
    module = fresh.project.write("gone.py", "class Gone:\n    pass\n")
    fresh.run(WATCH, FIRST, "spoiled = [__import__('gone').Gone()]", LATER)
    module.unlink()
    fresh.do("sys.modules.pop('gone'); importlib.invalidate_caches()")
    holds_that_nothing_changes(fresh, "gone")


def test_a_checkout_of_an_object_that_refuses_leaves_everything_as_it_was(fresh: Kernel) -> None:
    fresh.project.write(
        "shy.py",
        """
            import os
            class Shy:
                def __init__(self):
                    self.n = 1
                def __setstate__(self, state):
                    if 'SHY' in os.environ:
                        raise ValueError('it does not want to')
                    self.__dict__.update(state)
            """,
    )
    fresh.run(WATCH, FIRST, "import shy\nspoiled = [shy.Shy()]", LATER)
    assert not fresh.variable("spoiled", "HEAD~1").reason
    fresh.do("os.environ['SHY'] = 'yes'")
    holds_that_nothing_changes(fresh, "ValueError: it does not want to")


def test_a_checkout_of_a_class_whose_own_code_fails_leaves_everything_as_it_was(fresh: Kernel) -> None:
    fresh.run(
        WATCH,
        FIRST,
        """
        class Moody:
            def __init__(self):
                self.n = 1
            def __setstate__(self, state):
                os.stat('mood')
                self.__dict__.update(state)
        open('mood', 'w').close()
        spoiled = Moody()
        """,
        LATER,
    )
    assert not fresh.variable("spoiled", "HEAD~1").reason
    (fresh.project.root / "mood").unlink()
    holds_that_nothing_changes(fresh, "FileNotFoundError")


def test_one_variable_of_a_commit_comes_back_from_the_terminal(kernel: Kernel) -> None:
    kernel.run("import numpy as np\ndata = np.arange(6.0); total = data.sum(); pair = [data]")
    there = kernel.commit("all of it")
    kernel.run("data = None; pair = None; total = 0.0")
    cellar = kernel.project.cellar
    refused = cellar("checkout", there[:8], "--", "data")
    assert refused.returncode == 2 and f"cellar checkout {there[:8]} -- data pair" in refused.stderr
    done = cellar("checkout", there[:8], "--", "data", "pair")
    assert done.returncode == 0, done.stderr
    assert f"checked out data, pair of {there[:8]}" in done.stdout and "loaded: data, pair" in done.stdout
    assert kernel.value("(data.tolist(), pair[0] is data, float(total))") == ([0.0, 1.0, 2.0, 3.0, 4.0, 5.0], True, 0.0)
    line = kernel.project.log()[0]
    assert (line.kind, line.title, line.changed) == ("checkout", f"data, pair of {there[:8]}", ["data", "pair"])
    assert "undid checkout" in cellar("undo").stdout
    assert kernel.value("(data, pair)") == (None, None)
    kernel.run(f"%cellar checkout {there[:8]} -- total")
    assert kernel.value("float(total)") == 15.0
