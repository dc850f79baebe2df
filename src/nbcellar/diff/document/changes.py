"""What a comparison of two notebooks found: the model that the terminal, pages, Markdown and JSON draw.

Invariant: frozen, and made of text and numbers alone, so that it is its own JSON. Places count cells from 0. What only
changed by itself (`noise.py`) is in it, and marked. Not for: finding changes (`compare.py`), drawing them, applying
them (`operations.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from nbcellar.diff.document.noise import NOISES, Noise
from nbcellar.diff.document.outputs.model import MimeChange
from nbcellar.diff.model import Kind, TextChange, ValueChange

CellKind = Literal["added", "removed", "changed", "replaced", "moved", "split", "joined"]
_ORDER: tuple[CellKind, ...] = ("changed", "added", "removed", "moved", "split", "joined")
OutputKind = Literal["added", "removed", "changed", "moved"]

_WORDS: dict[Noise, str] = {
    "execution order": "execution order",
    "run time": "run time",
    "addresses": "memory addresses",
    "ids": "ids",
    "kernel": "kernel metadata",
    "widgets": "widget state",
    "format": "format version",
    "pieces": "pieces of streams",
    "temporary files": "temporary files",
    "terminal": "terminal colours and progress",
    "tolerance": "numbers within the tolerance",
    "pictures": "files of the same pictures",
    "frames": "line numbers and folders in tracebacks",
    "layout": "layout",
}


class _Part(msgspec.Struct, frozen=True, kw_only=True):
    pass


class StateChange(_Part, frozen=True):
    """A named property: before and after in words, "" where it was not set."""

    name: str
    before: str = ""
    after: str = ""


class OutputChange(_Part, frozen=True):
    """One output. `before` and `after` are its places, None where it is not there.

    `type` is nbformat's (`stream`, `display_data`, `execute_result`, `error`), `name` a stream's name or an error's.
    `parts`: what changed by MIME type; text of streams and tracebacks is `text/plain`. `noise` names what changed by
    itself; `only_noise`: nothing else did.
    """

    change: OutputKind
    type: str
    name: str = ""
    before: int | None = None
    after: int | None = None
    parts: list[MimeChange] = []
    metadata: list[ValueChange] = []
    noise: list[Noise] = []
    only_noise: bool = False


class AttachmentChange(_Part, frozen=True):
    """An attachment of a cell, by its file name."""

    name: str
    change: Kind
    parts: list[MimeChange] = []


class CellChange(_Part, frozen=True):
    """One cell; of a split the cell and its parts, of a join the parts and the cell.

    `before` and `after` are places in the two notebooks: one each for a cell that has a counterpart, none for one that
    was added or removed, several for the parts of a split. `moved` is true for a cell that changed and moved, too.
    "replaced": the id says it is the same cell, and nothing else does.
    `count_before`, `count_after`: the execution counts, if these differ. `source` is None if the source is the same;
    for added and removed cells it has all lines.
    """

    change: CellKind
    type: str
    before: list[int] = []
    after: list[int] = []
    type_before: str = ""
    id: str = ""
    moved: bool = False
    source: TextChange | None = None
    outputs: list[OutputChange] = []
    attachments: list[AttachmentChange] = []
    tags_added: list[str] = []
    tags_removed: list[str] = []
    tags_reordered: bool = False
    states: list[StateChange] = []
    metadata: list[ValueChange] = []
    count_before: int | None = None
    count_after: int | None = None
    noise: list[Noise] = []
    only_noise: bool = False


class NotebookChange(_Part, frozen=True):
    """Two notebooks. `cells` come in the order of the second one, removed cells where they stood.

    `states` are named properties of the notebook (kernel, language version, format, title, widgets), `metadata` all
    others. `ids_changed` of `ids_of` cells with a counterpart have another id. `summary` says in a line what changed.
    """

    cells_before: int
    cells_after: int
    cells: list[CellChange] = []
    states: list[StateChange] = []
    metadata: list[ValueChange] = []
    ids_changed: int = 0
    ids_of: int = 0
    noise: list[Noise] = []
    only_noise: bool = False
    summary: str = ""


def word_noise(noise: Iterable[Noise]) -> str:
    """Return kinds of noise as words: "execution order and run time"."""
    return join_words([_WORDS[kind] for kind in NOISES if kind in set(noise)])


def join_words(words: Sequence[str]) -> str:
    """Return words as a list in a sentence."""
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)


def summarize(cells: Sequence[CellChange], *, members: bool, noise: Iterable[Noise]) -> str:
    """Return a line such as "2 cells changed, 1 moved; execution order changed, too", "" if nothing changed.

    `members`: metadata of the notebook changed beyond noise.
    """
    counts: dict[CellKind, int] = {}
    for cell in cells:
        if not cell.only_noise:
            kind: CellKind = "changed" if cell.change == "replaced" else cell.change
            counts[kind] = counts.get(kind, 0) + 1
    parts = [f"{counts[kind]} {kind}" for kind in _ORDER if kind in counts]
    if parts:
        count, _, verb = parts[0].partition(" ")
        parts[0] = f"{count} {'cell' if count == '1' else 'cells'} {verb}"
    if members:
        parts.append("notebook metadata changed")
    words = word_noise(noise)
    if not parts:
        return f"only {words} changed" if words else ""
    return ", ".join(parts) + (f"; {words} changed, too" if words else "")


__all__ = [
    "AttachmentChange",
    "CellChange",
    "CellKind",
    "NotebookChange",
    "OutputChange",
    "OutputKind",
    "StateChange",
    "join_words",
    "summarize",
    "word_noise",
]
