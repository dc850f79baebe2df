"""Single variables of a recorded state come into the session as it is, whole or not at all; undo takes it back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.unit.session.live import Live, describe, live_session

from nbcellar.errors import CannotRestoreError, InvalidInputError, NotFoundError, StoreUnavailableError
from nbcellar.trust.keys import load_or_create


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    with live_session(tmp_path) as live:
        yield live


def test_one_variable_comes_back_and_the_rest_stays(live: Live) -> None:
    there = live.cell("import random\nframe = {'a': [1, 2]}; other = [1]")
    live.cell("frame = None; other.append(2); new = 3; random.seed(5)")
    other, random_state = live.ns["other"], live.value("random.getstate()")
    report = live.session.take(there, ["frame"])
    assert (report["loaded"], report["removed"], report["kept"]) == (["frame"], [], [])
    assert live.value("frame, other, new") == ({"a": [1, 2]}, [1, 2], 3)
    assert live.ns["other"] is other and live.value("random.getstate()") == random_state


def test_it_is_a_commit_that_undo_takes_back_and_redo_brings_again(live: Live) -> None:
    there = live.cell("x = [1]; y = [5]")
    before = live.cell("x = [2]; y.append(6)")
    report = live.session.take(there, ["x"])
    commit = live.repo.read_commit(live.session.writer.position.head)
    assert (commit.kind.value, commit.parents, commit.message) == ("checkout", (before,), f"x of {there.hex()[:8]}")
    assert report["head"] == live.session.writer.position.head.hex()
    undone = live.session.undo()
    assert [step["kind"] for step in undone["undone"]] == ["checkout"]
    assert live.value("x, y") == ([2], [5, 6])
    live.session.redo()
    assert live.value("x, y") == ([1], [5, 6])
    live.cell("x.append(9)")
    live.session.undo(2)
    assert live.value("x, y") == ([2], [5, 6])
    assert live.repo.read_state(there).covariables != ()


def test_the_recorded_state_is_the_live_one_afterwards(live: Live) -> None:
    there = live.cell("s = {'b', 'a', 'c'}; big = list(range(5000)); gone = [1]")
    live.cell("s.add('d'); big[7] = 0; del gone; kept = {'k': 1}")
    live.session.take(there, ["s", "big", "gone"])
    wanted = describe(live.ns)
    head = live.session.writer.position.head
    live.cell("s = big = gone = kept = 0")
    live.restart()
    live.session.restore(head)
    assert describe(live.ns) == wanted
    assert live.value("(sorted(s), big[7], gone, kept)") == (["a", "b", "c"], 7, [1], {"k": 1})


def test_aliases_come_together_and_are_aliases(live: Live) -> None:
    there = live.cell("a = [1]; b = [a]; c = 3")
    live.cell("a = b = None")
    with pytest.raises(InvalidInputError, match="'b' shared state with 'a'") as caught:
        live.session.take(there, ["b"])
    assert caught.value.hint == f"name all: cellar checkout {there.hex()[:8]} -- a b"
    assert live.value("a, b") == (None, None)
    live.session.take(there, ["b", "a"])
    assert live.value("b[0] is a and a == [1]") is True


def test_what_shares_state_now_keeps_it_when_one_of_its_names_goes_back(live: Live) -> None:
    there = live.cell("a = [1]")
    live.cell("a = [2]; b = [a]; c = [a]")
    live.session.take(there, ["a"])
    assert live.value("a, b, b[0] is c[0]") == ([1], [[2]], True)
    live.cell("b[0].append(3)")
    head = live.session.writer.position.head
    live.restart()
    live.session.restore(head)
    assert live.value("a, b, c, b[0] is c[0]") == ([1], [[2, 3]], [[2, 3]], True)
    live.session.undo(2)
    assert live.value("a, b, b[0] is a and c[0] is a") == ([2], [[2]], True)


def test_what_is_as_it_was_stays_the_same_object_and_makes_no_commit(live: Live) -> None:
    there = live.cell("x = [1]; y = 2")
    head = live.cell("y = 3")
    x = live.ns["x"]
    report = live.session.take(there, ["x"])
    assert report["kept"] == ["x"] and live.ns["x"] is x
    assert live.session.writer.position.head == head


def test_a_change_that_no_cell_made_is_recorded_before_it_is_replaced(live: Live) -> None:
    there = live.cell("x = [1]; y = [1]")
    live.cell("x = [2]")
    live.ns["x"].append(3)
    live.ns["y"].append(7)
    live.session.take(there, ["x"])
    assert live.value("x, y") == ([1], [1, 7])
    live.session.undo()
    assert live.value("x, y") == ([2, 3], [1, 7])


MAKE_CLASS = "class Point:\n    side = {side}\n    def __init__(self, n):\n        self.n = n"


def test_an_instance_is_of_the_live_class_where_that_is_the_one_it_had(live: Live) -> None:
    live.cell(MAKE_CLASS.format(side=1))
    there = live.cell("p = Point(1); q = Point(2)")
    live.cell("p = None")
    live.session.take(there, ["p"])
    assert live.value("type(p) is Point and type(q) is Point and p.n") == 1


def test_an_instance_of_a_class_that_is_another_one_now_comes_with_its_class(live: Live) -> None:
    live.cell(MAKE_CLASS.format(side=1))
    there = live.cell("p = Point(1)")
    live.cell(MAKE_CLASS.format(side=2))
    live.cell("p = None; q = Point(5)")
    with pytest.raises(InvalidInputError, match="which is not the one that is live") as caught:
        live.session.take(there, ["p"])
    assert caught.value.hint.endswith(f"cellar checkout {there.hex()[:8]} -- Point p")
    live.session.take(there, ["Point", "p"])
    assert live.value("type(p) is Point and Point.side == 1 and (q.side, type(q) is Point)") == (2, False)


def test_a_class_is_not_replaced_under_what_is_made_of_it(live: Live) -> None:
    there = live.cell(MAKE_CLASS.format(side=1))
    live.cell("q = Point(5)\nPoint.side = 2")
    with pytest.raises(InvalidInputError, match="'q' is made of Point as it is now"):
        live.session.take(there, ["Point"])
    assert live.value("q.side, type(q) is Point") == (2, True)


def test_a_class_that_had_no_name_comes_along_and_is_recorded(live: Live) -> None:
    live.cell(MAKE_CLASS.format(side=1))
    there = live.cell("p = Point(1); del Point")
    live.cell("p = None")
    live.cell("import gc; gc.collect()")
    live.session.take(there, ["p"])
    assert live.value("p.side, p.n") == (1, 1)
    head = live.session.writer.position.head
    live.restart()
    live.session.restore(head)
    assert live.value("p.side, type(p).__name__") == (1, "Point")


def test_it_is_the_very_version_that_it_was_and_stores_nothing_anew(live: Live) -> None:
    there = live.cell("words = {str(n) for n in range(300)}; data = bytes(range(256)) * 4000")
    version = {entry.names: entry.version for entry in live.repo.read_state(there).covariables}
    live.cell("words = data = None")
    live.session.take(there, ["words", "data"])
    saved = live.session.writer.saved_bytes
    head = live.session.writer.position.head
    assert {e.names: e.version for e in live.repo.read_state(head).covariables} == version
    live.cell("n = 1")
    assert live.session.writer.saved_bytes - saved < 1000
    state = {e.names: e for e in live.repo.read_state(live.session.writer.position.head).covariables}
    assert state[("words",)].origin == there and state[("words",)].version == version[("words",)]


def test_a_function_sees_the_session_it_comes_into(live: Live) -> None:
    there = live.cell("rate = 2\ndef f(x): return x * rate")
    live.cell("rate = 3\ndef f(x): return None")
    live.session.take(there, ["f"])
    assert live.value("f(2)") == 6


def test_what_is_not_stored_or_not_there_is_refused_and_nothing_changes(live: Live) -> None:
    there = live.cell("g = (i for i in range(3)); x = [1]")
    head = live.cell("g = x = 0")
    with pytest.raises(CannotRestoreError, match=r"does not hold the value of 'g' \(cannot store a generator"):
        live.session.take(there, ["x", "g"])
    with pytest.raises(NotFoundError, match="has no variable 'nope'") as caught:
        live.session.take(there, ["nope", "x"])
    assert caught.value.hint == "it has: g, x"
    assert live.value("g, x") == (0, 0) and live.session.writer.position.head == head


def test_a_value_that_cannot_be_rebuilt_leaves_the_session_as_it_was(live: Live) -> None:
    live.cell(
        "allowed = True\nclass C:\n    def __setstate__(self, state):\n        assert allowed\n        self.__dict__.update(state)"
    )
    there = live.cell("c = C(); c.n = 1; x = [1]")
    head = live.cell("c = None; x = [2]; allowed = False")
    with pytest.raises(CannotRestoreError, match="variable 'c' could not be rebuilt"):
        live.session.take(there, ["x", "c"])
    assert live.value("c, x") == (None, [2]) and live.session.writer.position.head == head


@pytest.mark.parametrize(
    ("error", "where"),
    [(StoreUnavailableError, "_job"), (KeyboardInterrupt, "_job"), (StoreUnavailableError, "writer._write")],
)
def test_a_failure_while_it_is_recorded_puts_the_old_objects_back(
    live: Live, monkeypatch: pytest.MonkeyPatch, error: type[BaseException], where: str
) -> None:
    there = live.cell("x = [1]")
    live.cell("x = [2]; y = [x]")
    x = live.ns["x"]

    def fail(*args: Any, **kwargs: Any) -> None:
        raise error("now")

    with monkeypatch.context() as patch, pytest.raises(error):
        patch.setattr(live.session.writer if "." in where else live.session, where.rpartition(".")[2], fail)
        live.session.take(there, ["x"])
    assert live.ns["x"] is x and live.value("y[0] is x") is True
    live.cell("x.append(4)")
    head = live.session.writer.position.head
    live.restart()
    live.session.restore(head)
    assert live.value("x, y[0] is x") == ([2, 4], True)


def test_it_outlives_the_branch_that_it_was_taken_from(live: Live) -> None:
    from nbcellar.history.repository import Repository
    from nbcellar.store.interface import Kind
    from nbcellar.values.manifest import referenced_digests

    start = live.cell("n = 0")
    there = live.cell("data = bytes(range(256)) * 4000; best = {'k': data}")
    live.session.checkout(start, None)
    live.cell("n = 1")
    live.session.take(there, ["data", "best"])
    head = live.session.writer.position.head
    with Repository.open(live.folder / "project") as other:
        other.delete_branch(live.session.notebook, "main")
        other.gc(lambda kind, data: referenced_digests(data) if kind is Kind.VALUE else [], keep_ops_days=0)
    live.restart()
    live.session.restore(head)
    assert live.value("n, data == bytes(range(256)) * 4000, best['k'] == data") == (1, True, True)


def test_a_value_that_is_forgotten_is_forgotten_where_it_was_taken_to_as_well(live: Live) -> None:
    from nbcellar.history.forget import forget_variable
    from nbcellar.store.interface import Kind
    from nbcellar.values.manifest import referenced_digests

    there = live.cell("private = 'the cat sat on the mat'")
    live.cell("private = None")
    live.session.take(there, ["private"])
    live.cell("del private")
    forget_variable(
        live.repo,
        live.session.notebook,
        "private",
        key=load_or_create(live.folder / "user"),
        children_of=lambda kind, data: referenced_digests(data) if kind is Kind.VALUE else [],
    )
    head = live.repo.head(live.session.notebook).commit
    commits = [line.id for line in live.repo.log(live.session.notebook)]
    entries = [entry for commit in commits for entry in live.repo.read_state(commit).covariables]
    assert [entry.value for entry in entries if "private" in entry.names] == [None] * 3
    live.restart()
    live.session.restore(head)
    assert "private" not in live.ns
