"""What a merge is told and what it gives back.

Invariant: frozen. Nothing of either side is lost without an entry here: what is in neither the merged notebook nor a
conflict is listed in `dropped`. Not for: how conflicts look inside a notebook (`marks.py`).
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from nbcellar.notebook.model import Cell, JsonObject, Notebook

Side = Literal["ours", "theirs"]
SIDES: tuple[Side, Side] = ("ours", "theirs")
OutputPolicy = Literal["ran", "ours", "theirs", "none"]
ConflictPolicy = Literal["mark", "ours", "theirs"]


def other_side(side: Side) -> Side:
    """Return the side that a side is not."""
    return "theirs" if side == "ours" else "ours"


class Labels(msgspec.Struct, frozen=True):
    """What the three versions are called for a person: branch names, commit titles, files."""

    base: str = "base"
    ours: str = "ours"
    theirs: str = "theirs"


class MergeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How a merge decides.

    outputs: of a cell whose outputs both sides changed, keep those of the side that ran the merged source ("ran", ours
    if both did), of one side, or none. metadata: what to do where both sides changed the same key to different values.
    conflicts: mark what is left as cells, or take one side of it all.
    """

    outputs: OutputPolicy = "ran"
    metadata: ConflictPolicy = "mark"
    conflicts: ConflictPolicy = "mark"


class Conflict(msgspec.Struct, frozen=True, kw_only=True):
    """One decision that is left to a person.

    what: the parts of the cell or notebook that both sides changed ("source", "metadata.title", "deleted by ours").
    cell: the number of the group's first cell in the merged notebook, from 0; None for one of the notebook's metadata.
    base, ours, theirs: the versions of the cell, None where it is not there. values: for the notebook's metadata, for
    each `path` of keys what `base`, `ours` and `theirs` have there; a version that has nothing is left out. For one of
    a pipeline's structure each has the id of its `cell` as well, the component's `name`, and a `label` for a person;
    the path is in the metadata of the cell. said: a sentence about it, where it is about components.
    """

    id: str
    what: tuple[str, ...]
    cell: int | None = None
    base: Cell | None = None
    ours: Cell | None = None
    theirs: Cell | None = None
    values: tuple[JsonObject, ...] = ()
    said: str = ""


class Dropped(msgspec.Struct, frozen=True, kw_only=True):
    """Something of one side that the merged notebook does not have, by a policy and not by an edit.

    what: "outputs", "metadata.kernelspec", ...; value: the thing itself, as JSON; reason: a sentence.
    cell: the id of the cell on that side, "" for the notebook; number: its place there, from 1. path: the keys that
    lead to it, in the cell or the notebook; `what` is the same for a person.
    """

    side: Side
    what: str
    reason: str
    value: Any
    cell: str = ""
    number: int = 0
    path: tuple[str, ...] = ()


class Merged(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome. `repairs` are sentences: what was mended in invalid input before merging, and ids and names of
    components made unique. `warnings`: what to look at in a merged pipeline though nothing was in conflict."""

    notebook: Notebook
    conflicts: tuple[Conflict, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    repairs: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def is_clean(self) -> bool:
        """True when nothing is left to decide."""
        return not self.conflicts


__all__ = [
    "SIDES",
    "Conflict",
    "ConflictPolicy",
    "Dropped",
    "Labels",
    "MergeSettings",
    "Merged",
    "OutputPolicy",
    "Side",
    "other_side",
]
