"""Which notebook a commit holds: what was open when the cell ran, or the file; never an older one than the other."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from nbcellar.api import code
from nbcellar.api.drafts import KeptDraft, SentCell, SentDraft, keep_draft
from nbcellar.history.drafts import draft_name, index_path
from nbcellar.ids import CommitId, Digest
from nbcellar.notebook import tree
from nbcellar.session import drafts
from nbcellar.store.interface import Kind

from .live import Live, live_session

_keys = count()


def cell(identity: str, source: str) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": identity,
        "metadata": {},
        "outputs": [],
        "source": source,
    }


def notebook(**cells: str) -> dict[str, Any]:
    """Return a notebook: sources by cell id."""
    return {
        "cells": [cell(identity, source) for identity, source in cells.items()],
        "metadata": {},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


class Tab:
    """An editor's connection to a kernel."""

    def __init__(self, live: Live, client: str = "tab") -> None:
        self.live = live
        self.client = client
        self.sent: dict[str, int] = {}

    def send(self, sent_ms: int, *, file: Path | None = None, **cells: str) -> KeptDraft:
        """Leave what is open: sources by cell id."""
        order, fresh = [], []
        for identity, source in cells.items():
            text = json.dumps(cell(identity, source))
            if text not in self.sent:
                self.sent[text] = next(_keys)
                fresh.append(SentCell(key=self.sent[text], cell=json.loads(text)))
            order.append(self.sent[text])
        rest = {key: value for key, value in notebook().items() if key != "cells"}
        draft = SentDraft(
            client=self.client, sent_ms=sent_ms, order=order, cells=fresh, rest=rest, minor=5, opening=True
        )
        return keep_draft(file or self.live.path, {"NBCELLAR_CONFIG_DIR": str(self.live.folder)}, draft)

    def modified(self, seconds: float) -> None:
        """Let the draft be from another time than it is."""
        index = index_path(self.live.drafts, draft_name(self.client))
        modified_ns = self.live.path.stat().st_mtime_ns + int(seconds * 1e9)
        os.utime(index, ns=(modified_ns, modified_ns))


@pytest.fixture
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Live]:
    monkeypatch.setattr(drafts, "ANSWER_S", 0.0)
    monkeypatch.setattr(drafts, "GREETING_S", 0.0)
    with live_session(tmp_path) as session:
        yield session


@pytest.fixture
def tab(live: Live) -> Tab:
    return Tab(live)


def save(live: Live, **cells: str) -> None:
    live.path.write_text(json.dumps(notebook(**cells), indent=1, sort_keys=True) + "\n")


def sources(live: Live, commit: CommitId) -> dict[str, str] | None:
    """Return what a commit itself holds of the notebook."""
    root = live.repo.read_commit(commit).tree
    if root is None:
        return None
    found = tree.join(Digest(root), live.repo.store.read)
    return {str(each.id): each.source for each in found.cells}


def held(live: Live, commit: CommitId) -> dict[str, str]:
    """Return the notebook that a checkout of a commit gives: its own or the last one before."""
    found = json.loads(code.document(live.repo, commit))
    return {each["id"]: "".join(each["source"]) for each in found["cells"]}


# the rule -------------------------------------------------------------------------------------------------------------


def test_what_was_open_is_recorded_though_the_file_is_newer(live: Live, tab: Tab) -> None:
    tab.send(10, a="x = 1", b="y = 'edited'")
    save(live, a="x = 1", b="y = 2")
    tab.modified(-5.0)
    commit = live.cell("x = 1", cell_id="a", sender=("tab", 10))
    assert sources(live, commit) == {"a": "x = 1", "b": "y = 'edited'"}


def test_edits_after_the_run_do_not_change_the_source_that_ran(live: Live, tab: Tab) -> None:
    tab.send(12, a="x = 'edited while it ran'", b="y = 2")
    commit = live.cell("x = 1", cell_id="a", sender=("tab", 10))
    assert sources(live, commit) == {"a": "x = 1", "b": "y = 2"}
    tab.send(20, a="x = 'edited while it ran'", b="y = 2")
    commit = live.cell("y = 2", cell_id="b", sender=("tab", 20))
    assert sources(live, commit) == {"a": "x = 'edited while it ran'", "b": "y = 2"}


def test_a_draft_without_the_cell_that_ran_is_older_than_the_run(live: Live, tab: Tab) -> None:
    save(live, a="x = 1")
    live.cell("x = 1", cell_id="a")
    tab.send(10, a="x = 1")
    tab.modified(5.0)
    assert sources(live, live.cell("new = 1", cell_id="new", sender=("tab", 11))) is None
    tab.send(12, a="x = 1", new="new = 1")
    commit = live.cell("x = 1", cell_id="a", sender=("tab", 12))
    assert sources(live, commit) == {"a": "x = 1", "new": "new = 1"}, "the next one holds it"


def test_of_a_silent_editor_the_newer_of_draft_and_file_counts(live: Live, tab: Tab) -> None:
    save(live, a="x = 1", b="y = 'file'")
    tab.send(10, a="x = 1", b="y = 'draft'")
    tab.modified(5.0)
    commit = live.cell("x = 2", cell_id="a", sender=("tab", 11))
    assert sources(live, commit) == {"a": "x = 2", "b": "y = 'draft'"}
    tab.modified(-5.0)
    commit = live.cell("x = 3", cell_id="a", sender=("tab", 12))
    assert sources(live, commit) == {"a": "x = 1", "b": "y = 'file'"}, "a stale draft never wins"


def test_a_draft_as_old_as_the_file_does_not_win(live: Live, tab: Tab) -> None:
    save(live, a="x = 'file'")
    tab.send(10, a="x = 'draft'")
    tab.modified(0.0)
    assert held(live, live.cell("x = 2", cell_id="a", sender=("tab", 11))) == {"a": "x = 'file'"}


def test_each_editor_has_its_own(live: Live, tab: Tab) -> None:
    save(live, a="x = 'file'")
    other = Tab(live, "another tab")
    tab.send(10, a="x = 'here'")
    other.send(20, a="x = 'there'")
    assert sources(live, live.cell("x = 'here'", cell_id="a", sender=("tab", 10))) == {"a": "x = 'here'"}
    assert sources(live, live.cell("x = 'there'", cell_id="a", sender=("another tab", 20))) == {"a": "x = 'there'"}
    assert sources(live, live.cell("x = 'else'", sender=("nbclient", 30))) == {"a": "x = 'file'"}


def test_a_run_that_nobody_sent_takes_the_file(live: Live, tab: Tab) -> None:
    save(live, a="x = 'file'")
    tab.send(10, a="x = 'draft'")
    tab.modified(5.0)
    assert held(live, live.cell("x = 1")) == {"a": "x = 'file'"}


def test_another_notebook_of_the_same_kernel_is_another_one(live: Live, tab: Tab) -> None:
    save(live, a="x = 'file'")
    tab.send(10, file=live.path.with_name("b.ipynb"), a="x = 'another notebook'")
    tab.modified(5.0)
    assert held(live, live.cell("x = 1", cell_id="a", sender=("tab", 10))) == {"a": "x = 'file'"}


def test_commits_without_a_run_take_the_newer_one_of_the_last_editor(live: Live, tab: Tab) -> None:
    save(live, a="x = 1", b="y = 'file'")
    tab.send(10, a="x = 1", b="y = 1")
    live.cell("x = 1", cell_id="a", sender=("tab", 10))
    tab.send(10, a="x = 1", b="y = 'edited since'")
    tab.modified(5.0)
    assert sources(live, live.session.commit("named")) == {"a": "x = 1", "b": "y = 'edited since'"}
    tab.modified(-5.0)
    assert sources(live, live.session.commit("named")) == {"a": "x = 1", "b": "y = 'file'"}


def test_the_draft_of_a_run_is_waited_for(live: Live, tab: Tab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drafts, "ANSWER_S", 600.0)
    monkeypatch.setattr(drafts, "GREETING_S", 600.0)
    live.drafts.mkdir()
    sending = threading.Thread(target=lambda: tab.send(10, a="x = 1", b="first"))
    sending.start()
    assert sources(live, live.cell("x = 1", cell_id="a", sender=("tab", 10))) == {"a": "x = 1", "b": "first"}
    sending.join()
    sending = threading.Thread(target=lambda: tab.send(11, a="x = 1", b="second"))
    sending.start()
    assert sources(live, live.cell("x = 1", cell_id="a", sender=("tab", 11))) == {"a": "x = 1", "b": "second"}
    sending.join()


def test_who_stayed_silent_is_not_waited_for_until_it_speaks(
    live: Live, tab: Tab, monkeypatch: pytest.MonkeyPatch
) -> None:
    live.drafts.mkdir()
    live.cell("x = 1", cell_id="a", sender=("tab", 10))
    monkeypatch.setattr(drafts, "ANSWER_S", 600.0)
    monkeypatch.setattr(drafts, "GREETING_S", 600.0)
    live.cell("x = 2", cell_id="a", sender=("tab", 11))  # comes back at once
    tab.send(12, a="x = 3")
    assert sources(live, live.cell("x = 3", cell_id="a", sender=("tab", 12))) == {"a": "x = 3"}


# outputs --------------------------------------------------------------------------------------------------------------


def printed(text: str) -> bytes:
    return json.dumps([{"output_type": "stream", "name": "stdout", "text": text}]).encode()


def outputs(live: Live, commit: CommitId) -> dict[str, tuple[int | None, str]]:
    """Return count and text of the cells of a commit's notebook, by id."""
    cells = json.loads(code.document(live.repo, commit))["cells"]
    return {
        each["id"]: (each["execution_count"], "".join("".join(output["text"]) for output in each["outputs"]))
        for each in cells
    }


def test_cells_that_ran_have_their_outputs_though_the_editor_sent_them_before(live: Live, tab: Tab) -> None:
    tab.send(1, a="print(1)", b="print(2)", c="print(3)")  # all three are asked for at once
    first = live.cell("print(1)", cell_id="a", sender=("tab", 1), outputs=printed("1\n"))
    second = live.cell("print(2)", cell_id="b", sender=("tab", 1), outputs=printed("2\nmore"))
    third = live.cell("print(3)", cell_id="c", sender=("tab", 1))
    assert outputs(live, first) == {"a": (1, "1\n"), "b": (None, ""), "c": (None, "")}
    assert outputs(live, second) == {"a": (1, "1\n"), "b": (2, "2\nmore"), "c": (None, "")}
    assert outputs(live, third) == {"a": (1, "1\n"), "b": (2, "2\nmore"), "c": (3, "")}
    tab.send(2, a="print('edited, and its outputs cleared')", b="print(2)", c="print(3)")
    fourth = live.cell("print(3)", cell_id="c", sender=("tab", 2), outputs=printed("3"))
    assert outputs(live, fourth) == {"a": (None, ""), "b": (2, "2\nmore"), "c": (4, "3")}


def test_outputs_that_are_large_or_cut_are_those_of_the_editor(
    live: Live, tab: Tab, monkeypatch: pytest.MonkeyPatch
) -> None:
    tab.send(1, a="print(1)")
    cut = live.cell("print(1)", cell_id="a", sender=("tab", 1), outputs=printed("[9 characters were not recorded]"))
    assert outputs(live, cut) == {"a": (1, "")}
    monkeypatch.setattr(drafts, "MOST_OUTPUT_BYTES", 10)
    large = live.cell("print(1)", cell_id="a", sender=("tab", 1), outputs=printed("1"))
    assert outputs(live, large) == {"a": (2, "")}


# what can be wrong with a draft ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("damage", ["no cells", "short", "flipped", "index cut", "index empty", "index gone", "link"])
def test_a_damaged_draft_is_none(live: Live, tab: Tab, damage: str) -> None:
    save(live, a="x = 'file'")
    tab.send(10, a="x = 'draft'")
    index = index_path(live.drafts, draft_name("tab"))
    cells = next(live.drafts.glob("*.cells"))
    data = cells.read_bytes()
    if damage == "no cells":
        cells.unlink()
    elif damage == "short":
        cells.write_bytes(data[:-1])
    elif damage == "flipped":
        cells.write_bytes(bytes([data[0] ^ 1]) + data[1:])
    elif damage == "index cut":
        index.write_bytes(index.read_bytes()[:-1])
    elif damage == "index empty":
        index.write_bytes(b"")
    elif damage == "index gone":
        index.unlink()
    else:
        target = cells.rename(live.folder / "elsewhere")
        cells.symlink_to(target)
    assert held(live, live.cell("x = 1", cell_id="a", sender=("tab", 10))) == {"a": "x = 'file'"}


def test_a_draft_without_a_file_is_recorded(live: Live, tab: Tab) -> None:
    tab.send(10, a="x = 1")
    assert sources(live, live.cell("x = 1", cell_id="a", sender=("tab", 10))) == {"a": "x = 1"}


# what it costs --------------------------------------------------------------------------------------------------------


def test_what_did_not_change_is_recorded_once(live: Live, tab: Tab) -> None:
    cells = {f"c{n}": f"x{n} = {n}" for n in range(300)}
    tab.send(1, **cells)
    first = live.cell("x0 = 0", cell_id="c0", sender=("tab", 1))
    tab.send(2, **cells)
    live.cell("x1 = 1", cell_id="c1", sender=("tab", 2))
    assert live.repo.read_commit(live.cell("x = 2", cell_id="", sender=("tab", 2))).tree is None
    before = {info.digest for info in live.repo.store.objects() if info.kind in (Kind.CELL, Kind.TREE)}
    tab.send(3, **{**cells, "c7": "x7 = 'edited'"})
    commit = live.cell("x = 3", cell_id="", sender=("tab", 3))
    new = [info.kind for info in live.repo.store.objects() if info.digest not in before]
    assert new.count(Kind.CELL) == 1 and new.count(Kind.TREE) in (2, 3), "the cell, its group, the root"
    assert sources(live, commit) == {**cells, "c7": "x7 = 'edited'"}, "not what ran instead of another source"
    assert sources(live, first) == cells


def test_what_was_collected_is_put_again(live: Live, tab: Tab) -> None:
    tab.send(1, a="x = 1")
    live.cell("x = 1", cell_id="a", sender=("tab", 1))
    document = live.session.writer._fixed.document
    document.forget(unsaved=True)  # as after a commit that was not saved
    tab.send(2, a="x = 1")
    assert sources(live, live.cell("x = 1", cell_id="a", sender=("tab", 2))) == {"a": "x = 1"}


def test_a_rename_is_recognised_while_drafts_are_recorded(live: Live, tab: Tab) -> None:
    save(live, a="x = 1", b="y = 2")
    tab.send(1, a="x = 1", b="y = 2")
    live.cell("x = 1", cell_id="a", sender=("tab", 1))
    save(live, a="x = 1", b="y = 2", c="saved later")
    tab.send(2, a="x = 1", b="y = 2", c="saved later")
    live.cell("x = 1", cell_id="a", sender=("tab", 2))
    renamed = live.path.with_name("renamed.ipynb")
    live.path.rename(renamed)
    tab.sent.clear()
    tab.send(3, file=renamed, a="x = 'after the rename'", b="y = 2")
    commit = live.cell("x = 'after the rename'", cell_id="a", sender=("tab", 3))
    assert sources(live, commit) == {"a": "x = 'after the rename'", "b": "y = 2"}
    assert live.repo.notebook_for(renamed) == live.session.notebook
