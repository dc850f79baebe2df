"""A merge that waits for decisions: what is offered is what can be chosen."""

from __future__ import annotations

import sys
from itertools import chain, combinations
from pathlib import Path

import msgspec
import pytest
from blake3 import blake3

from nbcellar.api.merging import look, merge_versions
from nbcellar.api.merging_files import look_at_file
from nbcellar.errors import CellarError
from nbcellar.ids import CellId
from nbcellar.merge.marks import MARKERS, find_groups, mark_of
from nbcellar.merge.model import Labels
from nbcellar.merge.resolving import CHOICES, resolve
from nbcellar.notebook.codec import write
from nbcellar.notebook.model import Cell, Notebook


def notebook(*sources: str) -> bytes:
    cells = [Cell(type="code", source=source, id=CellId(f"c{at}"), outputs=()) for at, source in enumerate(sources)]
    return write(Notebook(cells=tuple(cells)))


def takes(found: Notebook, choice: str) -> bool:
    try:
        resolve(found, choice)  # type: ignore[arg-type]
    except CellarError:
        return False
    return True


@pytest.mark.parametrize("theirs", [("a = 3", "b = 1"), ("b = 1",)], ids=("changed", "deleted"))
@pytest.mark.parametrize("deleted", [*chain.from_iterable(combinations(range(3), count) for count in range(3))])
def test_what_is_offered_is_what_can_be_chosen_whichever_notes_are_left(
    theirs: tuple[str, ...], deleted: tuple[int, ...]
) -> None:
    versions = merge_versions(notebook("a = 1", "b = 1"), notebook("a = 2", "b = 1"), notebook(*theirs), Labels())
    merged = versions.merged.notebook
    notes = [at for at, cell in enumerate(merged.cells) if (mark := mark_of(cell)) and mark["role"] in MARKERS]
    gone = {notes[at] for at in deleted}
    found = msgspec.structs.replace(merged, cells=tuple(c for at, c in enumerate(merged.cells) if at not in gone))
    assert len(find_groups(found)) == 1
    (conflict,) = look(found, None, target="n.ipynb", version="v").conflicts
    assert [pick for pick in CHOICES if pick in conflict.choices] == [pick for pick in CHOICES if takes(found, pick)]


class NoInput:
    """Standard input that nobody may read."""

    @property
    def buffer(self) -> None:
        raise AssertionError("standard input was read")


@pytest.mark.parametrize("name", ["-", "~", "~root", "-x.ipynb"])
def test_a_file_is_found_whatever_it_is_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(sys, "stdin", NoInput())
    data = notebook("a = 1")
    (tmp_path / name).write_bytes(data)
    found = look_at_file(tmp_path / name, {})
    assert (found.state, found.target, found.version) == ("none", name, blake3(data).hexdigest())
