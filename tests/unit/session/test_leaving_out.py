"""One variable that cannot be rebuilt here does not keep the others back, if the user says so."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from nbcellar.errors import CannotRestoreError, NotFoundError

from .live import Live, live_session

MODULE = "class Box:\n    def __init__(self, n):\n        self.n = n\n"


@pytest.fixture
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Live]:
    (tmp_path / "vanishing.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    with live_session(tmp_path) as session:
        yield session
    sys.modules.pop("vanishing", None)


@pytest.fixture
def moved(live: Live, tmp_path: Path) -> Live:
    """A session whose `box` is made by a library that the new kernel does not have."""
    live.cell("import vanishing\nbox = vanishing.Box(1)\nother = [1]\nalias = other")
    live.session.wait_saved()
    (tmp_path / "vanishing.py").unlink()
    sys.modules.pop("vanishing", None)
    importlib.invalidate_caches()
    live.restart()
    return live


def test_the_error_says_how_to_get_the_rest(moved: Live) -> None:
    with pytest.raises(CannotRestoreError, match="box") as caught:
        moved.session.restore(None)
    assert "--without box --without vanishing" in caught.value.hint
    assert moved.names() == set()


def test_the_rest_comes_back_and_what_is_left_out_is_named(moved: Live) -> None:
    done = moved.session.restore(None, ["box", "vanishing"])
    assert moved.value("other is alias and other == [1]")
    assert moved.names() == {"other", "alias"}
    assert done["not_restored"] == {"box": "left out, as asked", "vanishing": "left out, as asked"}


def test_what_is_recorded_afterwards_is_what_is_there(moved: Live) -> None:
    moved.session.restore(None, ["box", "vanishing"])
    head = moved.cell("other.append(2)")
    assert {n for c in moved.repo.read_state(head).covariables for n in c.names} == {"other", "alias"}
    moved.session.undo()
    assert moved.value("other is alias and other == [1]")
    moved.session.redo()
    assert moved.value("alias == [1, 2]")


def test_what_shares_state_is_left_out_together(live: Live) -> None:
    live.cell("a = [1]\nb = a\nc = 3")
    live.cell("a.append(2)\nc = 4")
    done = live.session.undo(1, ["a"])
    assert live.names() == {"c"} and live.value("c") == 3
    assert done["not_restored"] == {
        "a": "left out, as asked for a: they share state",
        "b": "left out, as asked for a: they share state",
    }
    live.session.redo()
    assert live.value("a is b and a == [1, 2] and c == 4"), "what an undo leaves out is not lost"


def test_what_is_already_as_wanted_stays(live: Live) -> None:
    live.cell("a = [1]\nc = 3")
    live.cell("c = 4")
    before = live.value("a")
    assert live.session.undo(1, ["a"])["not_restored"] == {}
    assert live.value("a") is before


def test_instances_of_a_class_that_is_left_out_are_left_out_too(live: Live) -> None:
    live.cell("class A: pass\na = A()\nn = 1")
    live.cell("n = 2")
    live.restart()
    done = live.session.restore(None, ["A"])
    assert live.names() == {"n"}
    assert done["not_restored"].keys() == {"A", "a"}


def test_a_name_that_is_not_there_changes_nothing(live: Live) -> None:
    live.cell("a = [1]\nc = 3")
    live.cell("c = 4")
    with pytest.raises(NotFoundError, match="'q'") as caught:
        live.session.undo(1, ["q"])
    assert caught.value.hint == "that state has: a, c"
    assert live.value("c") == 4


@pytest.mark.parametrize("source", ["data = [1]\nraw = data", "raw = [1]\ndata = raw"])
def test_a_name_that_a_setting_leaves_out_is_left_out_beside_another_name_of_its_object(
    tmp_path: Path, source: str
) -> None:
    with live_session(tmp_path, never_store_names=("raw",)) as live:
        live.cell(source)
        known = live.session.tracker.by_name
        assert "never_store_names" in known["raw"].reason
        assert known["data"].reason == ""
