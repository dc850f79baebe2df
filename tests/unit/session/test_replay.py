"""What cannot be stored comes back by running the smallest set of cells again, and says how sure that is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.unit.session.live import Live, live_session

from nbcellar.errors import CannotRestoreError


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    with live_session(tmp_path) as live:
        yield live


def back(live: Live, commit: Any, replay: str = "yes") -> dict[str, Any]:
    """Bring a state into a new kernel."""
    live.restart()
    return live.session.restore(commit, (), replay)  # type: ignore[arg-type]


def cells(report: dict[str, Any]) -> list[int]:
    return [cell["execution_count"] for cell in report["replay"]["cells"]]


def test_a_generator_comes_back_where_it_was(live: Live) -> None:
    live.cell("def count():\n    yield from range(100)")
    live.cell("unrelated = [1, 2, 3]")
    live.cell("g = count()")
    live.cell("unrelated.append(4)")
    live.cell("first = [next(g), next(g)]")
    there = live.cell("third = next(g)")
    live.cell("rest = list(g)")
    report = back(live, there)
    assert live.value("next(g), first, third, unrelated") == (3, [0, 1], 2, [1, 2, 3, 4])
    assert cells(report) == [3, 5, 6]
    assert report["replayed"] == ["g"]
    assert (report["not_restored"], report["uncertain"], report["unverified"]) == ({}, {}, {})


def test_nothing_runs_without_consent(live: Live, tmp_path: Path) -> None:
    live.cell(f"from pathlib import Path\nlog = Path({str(tmp_path / 'log')!r})")
    live.cell("log.write_text('x'); g = (i for i in range(3))")
    there = live.cell("x = next(g)")
    report = back(live, there, "no")
    assert list(report["not_restored"]) == ["g"]
    assert cells(report) == [2, 3]
    assert report["replay"]["cells"][0]["effects"] == ["writes a file: write_text('x')"]
    (tmp_path / "log").write_text("as it is")
    asked = back(live, there, "ask")
    assert asked["ask"]["brings"] == ["g"]
    assert "x" not in live.ns
    assert (tmp_path / "log").read_text() == "as it is"


def test_a_yes_is_for_the_cells_that_were_shown_and_no_others(live: Live) -> None:
    live.cell("runs = []\ng = (i for i in range(9))")
    live.cell("h = (i for i in range(9))")
    live.cell("del g")
    shown = live.session.undo(1, (), "ask")["ask"]
    live.cell("del h")
    other = live.session.undo(2, (), shown["id"])["ask"]
    assert (shown["brings"], other["brings"]) == (["g"], ["g", "h"])
    assert other["id"] != shown["id"]
    assert not {"g", "h"} & live.names()
    assert live.session.undo(2, (), other["id"])["replayed"] == ["g", "h"]


def test_a_yes_does_not_outlive_a_rewriting_of_history(live: Live) -> None:
    from nbcellar.history.forget import forget_variable

    live.cell("private = 1")
    live.cell("del private")
    live.cell("g = (i for i in range(9))")
    live.cell("x = next(g)")
    live.cell("del g")
    shown = live.session.undo(1, (), "ask")["ask"]
    live.session.wait_saved()
    forget_variable(
        live.repo, live.session.notebook, "private", key=live.session.key, children_of=lambda kind, data: []
    )
    again = live.session.undo(1, (), shown["id"])["ask"]
    assert [cell["title"] for cell in again["cells"]] == [cell["title"] for cell in shown["cells"]]
    assert again["id"] != shown["id"] and "g" not in live.ns
    assert live.session.undo(1, (), again["id"])["replayed"] == ["g"]
    assert live.value("next(g)") == 1


def test_a_generator_of_unseeded_random_numbers_comes_back_equal(live: Live) -> None:
    live.cell("import random")
    live.cell("data = [random.random() for _ in range(5)]\ng = (random.random() + d for d in data)")
    there = live.cell("first = next(g)")
    live.cell("more = [next(g), next(g), random.random()]")
    expected = live.value("data, first, more")
    report = back(live, there)
    live.cell("more = [next(g), next(g), random.random()]")
    assert live.value("data, first, more") == expected
    assert (report["uncertain"], report["unverified"]) == ({}, {})


def test_an_alias_between_what_is_replayed_and_what_is_stored_holds(live: Live) -> None:
    live.cell("items = [1, 2, 3]")
    live.cell("g = (x for x in items)")
    there = live.cell("first = next(g)")
    back(live, there)
    live.cell("items.append(4)")
    assert live.value("list(g)") == [2, 3, 4]


def test_an_alias_that_cannot_hold_is_said(live: Live) -> None:
    live.cell("items = [1, 2, 3]")
    live.cell("g = (x for x in items)")
    there = live.cell("items.append(4)")
    report = back(live, there)
    assert live.value("items") == [1, 2, 3, 4]
    assert "earlier 'items'" in report["uncertain"]["g"]


def test_what_was_made_anew_does_not_take_the_cells_that_made_it_before(live: Live) -> None:
    for _ in range(3):
        live.cell("g = (i for i in range(10))")
        live.cell("x = next(g)")
    report = back(live, live.cell("y = 1"))
    assert cells(report) == [5, 6]


def test_what_is_made_of_another_takes_its_cells_too(live: Live) -> None:
    live.cell("g = (i for i in range(10))")
    live.cell("g = (2 * i for i in g)")
    there = live.cell("x = next(g)")
    report = back(live, there)
    assert cells(report) == [1, 2, 3]
    assert live.value("next(g)") == 2


def test_an_instance_of_a_notebook_class_that_holds_a_lock_keeps_its_class(live: Live) -> None:
    live.cell("import threading\nclass Box:\n    def __init__(self):\n        self.lock = threading.Lock(); self.n = 0")
    live.cell("plain = object.__new__(Box)")
    live.cell("box = Box()")
    there = live.cell("box.n += 1")
    report = back(live, there)
    assert live.value("box.n, type(box) is Box, type(plain) is Box, isinstance(box, type(plain))") == (
        1,
        True,
        True,
        True,
    )
    assert report["replayed"] == ["box"]
    assert list(report["unverified"]) == ["box"]


def test_a_cell_that_makes_something_else_now_is_named(live: Live) -> None:
    live.cell("import time")
    there = live.cell("stamp = time.time_ns()\ng = (i for i in range(3))")
    stamp = live.value("stamp")
    report = back(live, there)
    assert live.value("stamp") == stamp
    assert report["uncertain"]["g"] == "replayed, but not as recorded: 'stamp' of [2]"


def test_a_cell_that_fails_now_leaves_the_session_as_it_was(live: Live, tmp_path: Path) -> None:
    (tmp_path / "input").write_text("1")
    live.cell("from pathlib import Path")
    live.cell(f"text = Path({str(tmp_path / 'input')!r}).read_text()\ng = (c for c in text)")
    there = live.cell("x = 1")
    live.restart()
    live.cell("mine = [1]")
    mine = live.ns["mine"]
    (tmp_path / "input").unlink()
    with pytest.raises(CannotRestoreError, match=r"cell \[2\] failed when it was run again: FileNotFoundError"):
        live.session.restore(there, (), "yes")
    assert live.names() - {"__builtins__"} == {"mine"}
    assert live.ns["mine"] is mine


def test_live_objects_are_out_of_reach_of_cells_that_run_again(live: Live) -> None:
    live.cell("log = []")
    live.cell("log.append(1)\ng = (i for i in range(3))")
    there = live.cell("x = next(g)")
    log = live.ns["log"]
    live.cell("x = list(g)")
    report = live.session.checkout(there, None, (), "yes")
    assert log == [1]
    assert live.ns["log"] is log
    assert report["replayed"] == ["g"]
    assert live.value("next(g), x") == (1, 0)


def test_undo_brings_back_an_iterator_that_was_used(live: Live) -> None:
    live.cell("g = (i for i in range(5))")
    live.cell("x = next(g)")
    kept = live.session.undo()
    assert "used since" in kept["uncertain"]["g"]
    live.session.redo()
    live.cell("y = next(g)")
    undone = live.session.undo(2, (), "yes")
    assert undone["replayed"] == ["g"]
    assert live.value("next(g)") == 0


def test_what_was_there_before_recording_has_no_cell(live: Live) -> None:
    live.ns["g"] = (i for i in range(3))
    live.session.attach()
    report = back(live, live.cell("x = 1"))
    assert list(report["not_restored"]) == ["g"]
    assert "recording began" in report["replay"]["cannot"]["g"]


def test_random_state_and_surroundings_are_the_targets_afterwards(live: Live) -> None:
    live.cell("import random\nrandom.seed(1)")
    live.cell("g = (i for i in range(3))\nrandom.random()")
    there = live.cell("random.seed(5)")
    back(live, there)
    import random

    drawn = random.random()
    random.seed(5)
    assert drawn == random.random()


def test_a_cell_that_failed_then_may_fail_again(live: Live) -> None:
    there = live.cell("g = (i for i in range(3))\nx = next(g)\n1 / 0")
    report = back(live, there)
    assert report["replayed"] == ["g"]
    assert report["uncertain"] == {}
    assert live.value("next(g)") == 1


def test_a_class_of_one_name_defined_twice_is_the_right_one(live: Live) -> None:
    lock = "import threading\n"
    live.cell(lock + "class A:\n    k = 1\n    def __init__(self): self.lock = threading.Lock()")
    live.cell("old = A()")
    live.cell(lock + "class A:\n    k = 2\n    def __init__(self): self.lock = threading.Lock()")
    there = live.cell("new = A()")
    report = back(live, there)
    assert live.value("old.k, new.k, type(new) is A, type(old) is A") == (1, 2, True, False)
    assert report["replayed"] == ["new", "old"]
