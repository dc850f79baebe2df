"""Requests about notebooks as documents, and what they are answered with. See `messages.py`."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from nbcellar.api.document_rows import CellShown, Row
from nbcellar.api.shown_outputs import OutputShown
from nbcellar.diff.document.changes import NotebookChange
from nbcellar.diff.model import TextChange
from nbcellar.server.messages import Asked


class AskedSide(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One side of a comparison.

    open: `notebook`, as somebody has it open. file: `path` (default: what the request is about). git: that path
    at `revision` (None: the index). commit: what Cellar recorded at `revision`. nothing: a notebook that is not there.
    """

    kind: Literal["open", "file", "git", "commit", "nothing"]
    path: str | None = None
    revision: str | None = None
    notebook: dict[str, Any] | None = None


class AskedDocuments(Asked, frozen=True, kw_only=True):
    """Compare two sides. `instead`: a comparison that is not needed any more. `handed`: what a command handed over."""

    before: AskedSide | None = None
    after: AskedSide | None = None
    handed: str = ""
    instead: str = ""


class DocumentSide(msgspec.Struct, frozen=True, kw_only=True):
    """A side as it was found. trusted: Jupyter trusts its very text."""

    name: str
    is_there: bool
    trusted: bool = False


class DocumentDiff(msgspec.Struct, frozen=True, kw_only=True):
    """Two notebooks beside each other; `id` is asked with for more of it (`diff-outputs`, `diff-raw`, `diff-pipeline`).

    pipeline: whether the pipelines differ, "none" where no cell of either notebook is a component.
    """

    id: str
    name: str
    language: str
    before_side: DocumentSide
    after_side: DocumentSide
    changes: NotebookChange
    rows: list[Row]
    before: list[CellShown]
    after: list[CellShown]
    pipeline: Literal["none", "same", "changed"] = "none"


class AskedOutputs(Asked, frozen=True, kw_only=True):
    """Outputs of some cells of one side, their places with a `,` between. raw: JSON, for Jupyter itself."""

    id: str
    side: Literal["before", "after"]
    cells: str
    raw: bool = False


class CellOutputs(msgspec.Struct, frozen=True, kw_only=True):
    """The outputs of one cell."""

    place: int
    shown: list[OutputShown]
    raw: list[dict[str, Any]] = []


class Outputs(msgspec.Struct, frozen=True, kw_only=True):
    """The outputs that were asked for."""

    cells: list[CellOutputs]


class AskedRaw(Asked, frozen=True, kw_only=True):
    """More of a comparison: the text of both files, their pipelines."""

    id: str


class RawDiff(msgspec.Struct, frozen=True, kw_only=True):
    """The lines in which the texts of two notebook files differ, with those around them."""

    text: TextChange


class HandOver(Asked, frozen=True, kw_only=True):
    """Two versions of a notebook, as text; None for one that is not there."""

    name: str
    before_name: str
    after_name: str
    before: str | None = None
    after: str | None = None


class HandedPair(msgspec.Struct, frozen=True, kw_only=True):
    """One of those that a command handed over; `summary` says what changed, or why it cannot be compared."""

    id: str
    name: str
    summary: str


class HandedPairs(msgspec.Struct, frozen=True, kw_only=True):
    """All that commands handed over."""

    pairs: list[HandedPair]


class Handed(msgspec.Struct, frozen=True, kw_only=True):
    """Under which id the page finds it."""

    id: str
