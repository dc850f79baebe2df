"""Notebooks made to fool a replay: each comes back right, is refused aloud, or says what it cannot know."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.unit.session.live import Live, live_session

from nbcellar.errors import CannotRestoreError
from nbcellar.history.model import CellError, CellRun

LOCKED = "import threading\nclass Box:\n    def __init__(self):\n        self.lock = threading.Lock(); self.n = 0"


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    with live_session(tmp_path) as live:
        yield live


def back(live: Live, commit: Any, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """Bring a state into a new kernel, with cells run again."""
    live.restart()
    return live.session.restore(commit, without, "yes")


def cells(report: dict[str, Any]) -> list[int]:
    return [cell["execution_count"] for cell in report["replay"]["cells"]]


# what was used without being named ------------------------------------------------------------------------------------


def test_an_object_that_was_used_under_another_name_comes_back_as_used(live: Live) -> None:
    live.cell("a = (i for i in range(9))")
    live.cell("b = a; y = 1")
    live.cell("x = next(a)")
    back(live, live.cell("del a"))
    assert live.value("next(b)") == 1


def test_a_generator_that_another_one_used_up_comes_back_used_up(live: Live) -> None:
    live.cell("g = (i for i in range(9))")
    live.cell("h = (x for x in g); y = 1")
    live.cell("x = list(h)[0]")
    back(live, live.cell("del h"))
    assert live.value("list(g)") == []


def test_a_table_made_through_a_cursor_that_is_gone_comes_back(live: Live) -> None:
    live.cell("import sqlite3\nconnection = sqlite3.connect(':memory:')")
    live.cell("cursor = connection.cursor()")
    live.cell("cursor.execute('create table t (a)')")
    back(live, live.cell("del cursor"))
    assert live.value("connection.execute('select * from t').fetchall()") == []


def test_an_undo_says_what_was_used_through_another_variable(live: Live) -> None:
    live.cell("g = (i for i in range(9))")
    live.cell("h = (x for x in g)")
    live.cell("x = next(h)")
    assert set(live.session.undo()["uncertain"]) == {"g", "h"}


def test_generators_that_share_nothing_do_not_take_each_others_cells(live: Live) -> None:
    live.cell("g = (i for i in range(9))")
    live.cell("h = (i for i in range(9))")
    live.cell("x = next(h)")
    there = live.cell("del h")
    assert cells(back(live, there)) == [1]


# what was not recorded ------------------------------------------------------------------------------------------------


def test_what_a_cell_that_was_off_may_have_used_is_refused(live: Live) -> None:
    live.cell("g = (i for i in range(9))")
    source = "next(g)"
    live.session.begin_cell("off", source, source)
    live.session.skip_cell()
    exec(source, live.ns)
    report = back(live, live.cell("y = 1"))
    assert "not recorded" in report["replay"]["cannot"]["g"]
    assert "g" not in live.ns


def test_what_an_interrupted_capture_missed_is_refused(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    live.cell("g = (i for i in range(9))")

    def interrupt(*args: object, **options: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(live.session, "_observe", interrupt)
        live.cell("next(g)")
    live.cell("y = 1")
    live.cell("h = (i for i in range(3))")
    report = back(live, live.cell("z = next(h)"))
    assert list(report["replay"]["cannot"]) == ["g"]
    assert report["replayed"] == ["h"]


@pytest.mark.parametrize("how", ["undo", "checkout"])
def test_an_object_that_was_kept_in_a_state_it_is_not_of_is_refused(live: Live, how: str) -> None:
    there = live.cell("g = (i for i in range(9))")
    live.cell("next(g)")
    _ = live.session.undo() if how == "undo" else live.session.checkout(there, None)
    report = back(live, live.cell("z = 1; next(g)"))
    assert "used since" in report["replay"]["cannot"]["g"]


def test_an_undo_that_ran_cells_again_leaves_nothing_in_doubt(live: Live) -> None:
    live.cell("g = (i for i in range(9))")
    live.cell("x = next(g)")
    live.cell("x = next(g)")
    live.session.undo(2, (), "yes")
    live.session.redo(1, (), "yes")
    there = live.cell("y = next(g)")
    report = back(live, there)
    assert live.value("x, y, next(g)") == (0, 1, 2)
    assert cells(report) == [1, 2, 4]


def test_a_cell_that_was_interrupted_is_not_run_to_its_end(live: Live) -> None:
    source = "g = (i for i in range(3))\nfor x in g: wait(x)"
    live.session.begin_cell("c", source, source)
    exec("g = (i for i in range(3)); next(g)", live.ns)
    live.session.end_cell(CellRun("c", source, 1, error=CellError("KeyboardInterrupt", "")), lambda: None)
    report = back(live, live.cell("y = 1"))
    assert "it was interrupted" in report["replay"]["cannot"]["g"]


# what it shares with --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["del items", "items = [1, 2, 3]", "items = 'other'"])
def test_a_list_that_was_changed_and_left_is_said_to_be_an_earlier_one(live: Live, end: str) -> None:
    live.cell("items = [1, 2, 3]")
    live.cell("g = (x for x in items); y = 1")
    live.cell("items.append(4)")
    report = back(live, live.cell(end))
    assert "an earlier 'items'" in report["uncertain"]["g"]
    assert live.value("list(g)") == [1, 2, 3]


def test_a_list_that_was_left_as_it_was_is_no_reason_to_doubt(live: Live) -> None:
    live.cell("items = [1, 2, 3]")
    live.cell("g = (x for x in items); y = 1")
    report = back(live, live.cell("del items"))
    assert report["uncertain"] == {}


def test_what_cannot_be_stored_comes_along_with_what_it_is_made_of(live: Live) -> None:
    live.cell("g = (i for i in range(9))")
    live.cell("h = (x for x in g)")
    live.cell("del g")
    report = live.session.undo(1, (), "yes")
    assert report["replayed"] == ["g", "h"]
    live.cell("x = next(h)")
    assert live.value("x, next(g)") == (0, 1)


def test_inputs_that_are_in_doubt_are_said(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    live.cell("items = [1, 2, 3]")
    there = live.cell("g = (x for x in items); y = 1")
    version = live.session.tracker.by_name["items"].version
    live.restart()
    monkeypatch.setattr(
        "nbcellar.session.replay.replayer.doubtful_versions", lambda repo, notebook, asked, at: {version} & set(asked)
    )
    assert "'items', which changed around that time" in live.session.restore(there, (), "yes")["uncertain"]["g"]


# classes --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "source",
    [
        LOCKED + "\nOther = Box\no = Box()",
        "import threading\nmade = []\nclass Base:\n    def __init_subclass__(cls): made.append(cls)\n"
        "class Box(Base):\n    def __init__(self): self.lock = threading.Lock()\no = Box()",
        "import threading\nclass Meta(type): pass\nclass Box(metaclass=Meta):\n"
        "    def __init__(self): self.lock = threading.Lock()\no = Box()",
    ],
)
@pytest.mark.parametrize("split", [False, True])
def test_an_instance_is_of_the_class_that_its_name_names(live: Live, source: str, split: bool) -> None:
    if split:
        live.cell(source.removesuffix("\no = Box()"))
    live.cell("o = Box()" if split else source)
    there = live.cell("plain = object.__new__(Box)")
    names = [name for name in ("Other", "Base", "Meta", "made") if name in live.ns]
    report = back(live, there)
    assert report["uncertain"] == {}
    assert live.value("type(o) is Box and type(plain) is Box")
    for name in names:
        related = {"Other": "Other is Box", "Base": "issubclass(Box, Base)", "Meta": "type(Box) is Meta"}
        assert live.value(related.get(name, "made == [Box]"))


def test_an_instance_whose_class_was_replaced_says_so(live: Live) -> None:
    live.cell(LOCKED)
    live.cell("first = Box()")
    live.cell("second = Box()")
    live.cell("second.n += 1")
    report = live.session.undo(1, (), "yes")
    assert live.value("type(second) is Box, second.n") == (True, 0)
    assert live.value("type(first) is Box") or "former class Box" in report["uncertain"]["first"]


def test_an_undo_of_a_change_of_a_class_names_its_instances(live: Live) -> None:
    live.cell(LOCKED)
    live.cell("box = Box()")
    live.cell("Box.k = 5")
    assert "former class Box" in live.session.undo()["uncertain"]["box"]


# out of reach ---------------------------------------------------------------------------------------------------------


def test_what_ipython_keeps_is_not_what_a_cell_sees_again(live: Live) -> None:
    shown = [7]
    live.ns.update({"_": shown, "Out": {1: shown}, "get_ipython": lambda: None})
    there = live.cell("g = (x for x in _); z = 1")
    live.restart()
    other = [666]
    live.ns.update({"_": other, "Out": {1: other}, "get_ipython": lambda: None})
    with pytest.raises(CannotRestoreError, match="NameError: name '_' is not defined"):
        live.session.restore(there, (), "yes")
    assert live.ns["_"] is other
    assert live.ns["Out"] == {1: other}


def test_a_password_is_lent_as_it_is_today_and_that_is_said(live: Live) -> None:
    live.cell("password = 'a'")
    there = live.cell("g = (x for x in password); z = 1")
    live.restart()
    live.ns["password"] = "b"
    report = live.session.restore(there, (), "yes")
    assert "'password' as it is today" in report["uncertain"]["g"]
    assert live.ns["password"] == "b"


def test_a_live_list_under_a_name_that_is_not_recorded_is_out_of_reach(live: Live) -> None:
    live.cell("secret_list = [1]")
    live.cell("api_key = [1]")
    there = live.cell("g = (x for x in api_key); z = 1")
    live.restart()
    live.ns["api_key"] = mine = [2]
    with pytest.raises(CannotRestoreError, match="NameError"):
        live.session.restore(there, (), "yes")
    assert live.ns["api_key"] is mine


def test_a_cell_that_leaves_a_thread_running_is_refused(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[threading.Event] = []
    monkeypatch.setattr(threading, "events", events, raising=False)
    there = live.cell(
        "import threading\nthreading.events.append(threading.Event())\n"
        "thread = threading.Thread(target=threading.events[-1].wait)\nthread.start()\nz = 1"
    )
    events[0].set()
    live.ns["thread"].join()
    live.restart()
    try:
        with pytest.raises(CannotRestoreError, match="started thread"):
            live.session.restore(there, (), "yes")
        assert "z" not in live.ns
    finally:
        events[1].set()
        for thread in threading.enumerate():
            if thread.name.endswith("(wait)"):
                thread.join()


def test_a_question_names_every_cell_that_a_yes_runs(live: Live) -> None:
    live.cell("g = (i for i in range(9))")
    live.cell("h = (i for i in range(9))")
    live.cell("next(g)")
    live.cell("del h")
    asked = live.session.undo(2, (), "ask")["ask"]
    done = live.session.undo(2, (), "yes")["replay"]
    assert [cell["commit"] for cell in asked["cells"]] == [cell["commit"] for cell in done["cells"]]


# what is compared -----------------------------------------------------------------------------------------------------


def test_what_a_cell_makes_besides_is_a_difference(live: Live, tmp_path: Path) -> None:
    live.cell("from pathlib import Path")
    there = live.cell(f"g = (i for i in range(3)); y = 1\nif Path({str(tmp_path / 'flag')!r}).exists():\n    more = 1")
    (tmp_path / "flag").touch()
    assert "'more' of [2]" in back(live, there)["uncertain"]["g"]


@pytest.mark.parametrize(
    "source",
    ["import time\ny = 1\ng = (x for x in [time.time()])", "import uuid\nu = 1\ng = (x for x in [uuid.uuid4()])"],
)
def test_what_a_clock_gave_is_not_taken_for_what_it_was(live: Live, source: str) -> None:
    report = back(live, live.cell(source))
    assert "it may be otherwise" in report["unverified"]["g"]


def test_a_variable_over_the_cap_outlives_cells_that_do_not_name_it(tmp_path: Path) -> None:
    with live_session(tmp_path, never_store_names=("raw*",)) as live:
        live.cell("raw = [1]")
        live.cell("g = (i for i in range(3))")
        live.cell("h = (i for i in range(3))")
        there = live.cell("raw.append(next(g) + next(h))")
        report = back(live, there)
        assert live.value("raw, next(g), next(h)") == ([1, 0], 1, 1)
        assert cells(report) == [1, 2, 3, 4]


def test_the_next_cell_records_nothing_but_its_own_changes(live: Live) -> None:
    live.cell("items = [1]\ndef f(): return items")
    live.cell("g = (x for x in items); both = [items]")
    back(live, live.cell("n = 5"))
    delta = live.repo.read_commit(live.cell("w = 1")).state
    assert delta is not None
    assert [entry.names for entry in delta.put] == [("w",)]
    assert delta.drop == ()
