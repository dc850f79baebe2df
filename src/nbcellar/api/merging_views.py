"""What a browser is told of a merge that waits for decisions, and what it answers. Cells are dicts as nbformat's."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from nbcellar.api.shown_outputs import OutputShown
from nbcellar.merge.model import Side

Pick = Literal["ours", "theirs", "both", "base", "edited"]


class MergeLabels(msgspec.Struct, frozen=True, kw_only=True):
    """What the three versions are called."""

    base: str = "base"
    ours: str = "ours"
    theirs: str = "theirs"


class MergeValue(msgspec.Struct, frozen=True, kw_only=True):
    """A setting of the notebook that both sides changed; `there` names the versions that have it at all.

    label: what it is called, for one of a pipeline's structure; "" for others."""

    path: list[str]
    there: list[str]
    label: str = ""
    base: Any = None
    ours: Any = None
    theirs: Any = None


class MergeOutputs(msgspec.Struct, frozen=True, kw_only=True):
    """The outputs of each version in their static form."""

    base: list[OutputShown] = []
    ours: list[OutputShown] = []
    theirs: list[OutputShown] = []


class MergeConflict(msgspec.Struct, frozen=True, kw_only=True):
    """One decision that is left.

    what: the parts that both sides changed ("source", "metadata.tags", "deleted by ours").
    cell: its place, from 1, where each conflict counts as one cell. base, ours, theirs: the cells of each version as
    they are now, without marks; none where the version has no such cell. notes: what a person wrote into the notes
    around; it stays.
    choices: what can be picked. values: for settings of the notebook and the structure of a pipeline, which have no
    cells. said: a sentence about it, for components of a pipeline; "" for others.
    """

    id: str
    kind: Literal["cell", "notebook", "structure"]
    what: list[str]
    cell: int
    choices: list[Pick]
    base: list[dict[str, Any]] = []
    ours: list[dict[str, Any]] = []
    theirs: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    values: list[MergeValue] = []
    said: str = ""
    outputs: MergeOutputs = MergeOutputs()


class MergeDropped(msgspec.Struct, frozen=True, kw_only=True):
    """What the merge left out of one side by a policy. cell: its place on that side, from 1; 0: the notebook."""

    id: str
    side: Side
    what: str
    reason: str
    cell: int
    value: Any


class MergeGit(msgspec.Struct, frozen=True, kw_only=True):
    """How git stands to the notebook. operation: what it waits to go on with. others: other files in conflict.

    next: the command to go on with when nothing is left, "" where git has nothing to do with it."""

    operation: Literal["", "merge", "rebase", "cherry-pick", "revert"] = ""
    in_conflict: bool = False
    others: int = 0
    next: str = ""


class MergeLook(msgspec.Struct, frozen=True, kw_only=True):
    """A merge that waits for decisions. state: "marked" with cells that show conflicts, "text" for a file that git left
    with its own marks in the JSON (`marks` of them), which no notebook program opens, "none" without a conflict: where
    git is in conflict all the same, `anew` counts those that merging its versions anew comes to,
    and `holds` says which of them alone is in the file.

    version: names the text that was read; a save refuses when the file has another one by then. target: what a save
    writes. language: of the code. hidden: conflicts inside of others, which show when these are decided. warnings: what
    to look at in a merged pipeline.
    """

    state: Literal["marked", "text", "none"]
    target: str
    version: str
    labels: MergeLabels = MergeLabels()
    language: str = ""
    marks: int = 0
    anew: int | None = None
    holds: Literal["", "ours", "theirs"] = ""
    hidden: int = 0
    conflicts: list[MergeConflict] = []
    dropped: list[MergeDropped] = []
    repairs: list[str] = []
    warnings: list[str] = []
    git: MergeGit = MergeGit()


class Decision(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person picked. edited: `source` is the cell's text, all else is as `side` has it."""

    id: str
    pick: Pick
    source: str = ""
    side: Side = "ours"


class MergeResult(msgspec.Struct, frozen=True, kw_only=True):
    """The notebook with decisions taken; `left` counts conflicts that are open in it.

    shown: the outputs of each cell in their static form, where that was asked for.
    """

    notebook: dict[str, Any]
    left: int
    shown: list[list[OutputShown]] = []


class MergeSaved(msgspec.Struct, frozen=True, kw_only=True):
    """What a save came to. resolved: git was told. recorded: the commit that has the file as it was before, "" if none.

    problem: why git was not told, though nothing is left.
    """

    left: int
    version: str = ""
    resolved: bool = False
    recorded: str = ""
    problem: str = ""
    git: MergeGit = MergeGit()


class MergeFixed(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a notebook that did not open. marks: how many conflicts git had left in its text. conflicts: how
    many are marked as cells now. dropped, repairs and remaining are sentences; remaining: what still is not allowed."""

    written: bool
    marks: int = 0
    conflicts: int = 0
    dropped: list[str] = []
    repairs: list[str] = []
    remaining: list[str] = []


__all__ = [
    "Decision",
    "MergeConflict",
    "MergeDropped",
    "MergeFixed",
    "MergeGit",
    "MergeLabels",
    "MergeLook",
    "MergeOutputs",
    "MergeResult",
    "MergeSaved",
    "MergeValue",
    "Pick",
]
