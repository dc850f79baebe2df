"""What a library sets when it is first imported: a checkout of an earlier state takes it back and says so."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .live import Live, live_session

LIBRARY = """
import os, warnings
os.environ["SETTER_OF_THINGS_THREADS"] = "1"
warnings.filterwarnings("ignore", module="setter_of_things")
"""
NOTE = "what importing setter_of_things had set is not set in this state, and importing it again does not set it"


@pytest.fixture
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Live]:
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "setter_of_things.py").write_text(LIBRARY, "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path / "library"))
    monkeypatch.setenv("SETTER_OF_THINGS_THREADS", "")
    monkeypatch.delenv("SETTER_OF_THINGS_THREADS")
    with warnings.catch_warnings(), live_session(tmp_path) as made:
        yield made
    sys.modules.pop("setter_of_things", None)


def notes(live: Live, commit: Any) -> list[str]:
    """Check a commit out and return what was said of it."""
    found: list[str] = live.session.checkout(commit, None)["notes"]
    return found


def test_a_checkout_says_that_what_an_import_had_set_is_taken_back(live: Live) -> None:
    before = live.cell("x = 1")
    after = live.cell("import setter_of_things\ny = 2")
    assert notes(live, before) == [f"environ and warnings: {NOTE}"]
    assert "SETTER_OF_THINGS_THREADS" not in os.environ
    live.cell("import setter_of_things\ny = 2")
    assert "SETTER_OF_THINGS_THREADS" not in os.environ  # Python ran the library's code once
    assert notes(live, after) == []
    assert os.environ["SETTER_OF_THINGS_THREADS"] == "1"


def test_it_is_said_of_each_state_that_lacks_it_and_of_no_other(live: Live) -> None:
    first = live.cell("x = 1")
    second = live.cell("x = 2")
    third = live.cell("import setter_of_things")
    fourth = live.cell("x = 3")
    assert [len(notes(live, commit)) for commit in (fourth, second, first, third, second)] == [0, 1, 1, 0, 1]


def test_nothing_is_said_of_what_the_cell_sets_itself(live: Live) -> None:
    before = live.cell("x = 1")
    live.cell(
        "import os, warnings, setter_of_things\n"
        "os.environ['SETTER_OF_THINGS_THREADS'] = '2'; warnings.simplefilter('ignore')"
    )
    assert notes(live, before) == []


def test_nothing_is_said_of_what_was_set_without_an_import(live: Live) -> None:
    live.cell("import os, setter_of_things as library\nname = 'SETTER_OF_THINGS' + '_SIZE'")
    before = live.cell("x = 1")
    live.cell("os.environ[name] = '3'; library.warnings.filterwarnings('ignore', module='abc')")
    assert notes(live, before) == []
    assert "SETTER_OF_THINGS_SIZE" not in os.environ


def test_an_undo_which_leaves_surroundings_alone_says_nothing(live: Live) -> None:
    live.cell("x = 1")
    live.cell("import setter_of_things\ny = 2")
    assert live.session.undo()["notes"] == []
    assert os.environ["SETTER_OF_THINGS_THREADS"] == "1"


def test_what_a_restore_imports_is_imported_for_the_first_time(live: Live) -> None:
    first = live.cell("x = 1")
    second = live.cell("import setter_of_things\ny = 2")
    live.session.wait_saved()
    del sys.modules["setter_of_things"], os.environ["SETTER_OF_THINGS_THREADS"]
    live.restart()
    live.session.restore(second)
    assert os.environ["SETTER_OF_THINGS_THREADS"] == "1"
    assert notes(live, first) == [f"environ: {NOTE}"]  # the filter was there all the time
