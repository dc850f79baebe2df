"""What a comparison of two outputs found.

Invariant: frozen, and made of text and numbers alone, so that it is its own JSON. Every result has a sentence for a
person (`note`) and names what of it is noise: nothing that a reader of the notebook would call a change.
Not for: finding changes (one module for each kind of output), drawing them.
"""

from __future__ import annotations

import msgspec

from nbcellar.diff.model import (
    Changed,
    FrameChange,
    Kind,
    PictureChange,
    TextChange,
    ValueChange,
)


class _Part(msgspec.Struct, frozen=True, kw_only=True):
    pass


class OutputSettings(_Part, frozen=True):
    """How outputs are compared.

    absolute, relative: two numbers in texts, tables and JSON are taken for equal if they differ by at most
    `absolute + relative * larger magnitude`; whole numbers on both sides are always compared exactly.
    draw: pictures and their difference come along as data URIs. most_pixels: larger pictures are told by size and
    bytes; without Pillow a thirty-second of that. plugins: ask comparers of other distributions; ask_plugins: MIME
    types that they may answer for although Cellar knows them.
    """

    absolute: float = 0.0
    relative: float = 0.0
    draw: bool = True
    most_pixels: int = 16_000_000
    plugins: bool = True
    ask_plugins: tuple[str, ...] = ()


class TreeChange(_Part, frozen=True, tag="tree"):
    """JSON by its structure: how many values came, went and changed; `values` are the first of them.

    `more` counts those that are not listed.
    """

    added: int = 0
    removed: int = 0
    changed: int = 0
    values: list[ValueChange] = []
    more: int = 0


class TableRow(_Part, frozen=True):
    """A row of a table as it is drawn: mark " " (equal), "+", "-", "~" (changed) or "…" (`label`: how many lack).

    `cells` are those after, of a row that went those before; `before` are the old ones where they changed, by column.
    """

    mark: str
    label: str = ""
    cells: list[str] = []
    before: dict[int, str] = {}


class TableChange(_Part, frozen=True):
    """A table of an HTML output: `frame` counts, by column; `header` and `rows` are what to draw."""

    place: int
    change: Kind = "changed"
    caption: str = ""
    frame: FrameChange | None = None
    header: list[str] = []
    rows: list[TableRow] = []
    cells_changed: int = 0


class HtmlChange(_Part, frozen=True, tag="html"):
    """HTML by its tables, and by lines of what is around them (`text`)."""

    tables: list[TableChange] = []
    text: TextChange | None = None


class ImageChange(PictureChange, frozen=True, kw_only=True, tag="image"):
    """Pictures, with their sizes in pixels where these are known, and in bytes."""

    width_before: int | None = None
    height_before: int | None = None
    width_after: int | None = None
    height_after: int | None = None
    bytes_before: int = 0
    bytes_after: int = 0


class FrameLine(_Part, frozen=True):
    """A frame of a traceback: mark " ", "+" or "-"; `line` is 0 where it is not known."""

    mark: str
    file: str
    line: int = 0
    function: str = ""
    source: str = ""


class TracebackChange(_Part, frozen=True, tag="traceback"):
    """An error by its type, its message and its frames, outermost first; `text`: what else differs in the traceback."""

    type_before: str = ""
    type_after: str = ""
    message: TextChange | None = None
    frames_added: int = 0
    frames_removed: int = 0
    frames: list[FrameLine] = []
    text: TextChange | None = None


class BytesChange(_Part, frozen=True, tag="bytes"):
    """What is known by its size in bytes and its digest (BLAKE3, hexadecimal) alone; a side that lacks is empty."""

    before: int
    after: int
    digest_before: str = ""
    digest_after: str = ""


Detail = TextChange | TreeChange | HtmlChange | ImageChange | TracebackChange | BytesChange


class MimeChange(_Part, frozen=True):
    """One MIME type of a bundle that came, went or changed.

    note: a sentence that says what changed, and what could not be done. only_noise: nothing but what `noise` names
    differs. numbers: how many numbers were compared and changed, beyond the tolerance, and the largest difference.
    secondary: it was not looked into, for a richer type of the same bundle tells what changed.
    """

    mime: str
    change: Kind = "changed"
    detail: Detail | None = None
    note: str = ""
    only_noise: bool = False
    noise: list[str] = []
    numbers: Changed | None = None
    secondary: bool = False


__all__ = [
    "BytesChange",
    "Detail",
    "FrameLine",
    "HtmlChange",
    "ImageChange",
    "MimeChange",
    "OutputSettings",
    "TableChange",
    "TableRow",
    "TracebackChange",
    "TreeChange",
]
