"""What a comparison of two values found.

Invariant: frozen, and made of text and numbers alone, so that it is its own JSON. Values are worded as they are shown:
floats with all their digits, texts quoted and cut. Not for: finding changes (`tree.py`), drawing them.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Kind = Literal["added", "removed", "changed"]


class _Part(msgspec.Struct, frozen=True, kw_only=True):
    pass


class Example(_Part, frozen=True):
    """One place that changed: a row's label or an index, and the value before and after."""

    at: str
    before: str
    after: str


class Statistics(_Part, frozen=True):
    """Numbers about numbers; `missing` counts NaN, NaT and values that are not there. Mean is None for dates."""

    count: int
    missing: int
    min: str = ""
    max: str = ""
    mean: float | None = None


class Changed(_Part, frozen=True):
    """How many of `compared` places changed, and by how much at most.

    `largest` is the largest absolute difference of two numbers, at `largest_at`. `same_number`: of the places that are
    equal as numbers, how many have other bits (0.0 and -0.0, two kinds of NaN); they are not counted as changed.
    """

    compared: int
    changed: int
    largest: float | None = None
    largest_at: str = ""
    largest_before: str = ""
    largest_after: str = ""
    same_number: int = 0
    examples: list[Example] = []
    before: Statistics | None = None
    after: Statistics | None = None


class ArrayChange(_Part, frozen=True, tag="array"):
    """An array: `cells` is None where shapes do not allow a comparison; with `rows`, only the first rows were compared.

    `mask` is the same for the mask of a masked array.
    """

    shape_before: list[int]
    shape_after: list[int]
    dtype_before: str
    dtype_after: str
    cells: Changed | None = None
    mask: Changed | None = None
    rows: int | None = None


class ColumnChange(_Part, frozen=True):
    """A column that came, went, changed or got another name (`renamed_from`)."""

    name: str
    change: Kind
    dtype_before: str = ""
    dtype_after: str = ""
    renamed_from: str = ""
    cells: Changed | None = None
    note: str = ""


class FrameChange(_Part, frozen=True, tag="frame"):
    """A table. Rows are told by their labels where these are unique on both sides (`rows_by` "label"), else by place.

    `rows_moved`: rows that both have stand in another order. `index` is what changed of the labels themselves.
    """

    rows_before: int
    rows_after: int
    columns_before: int
    columns_after: int
    rows_added: int = 0
    rows_dropped: int = 0
    added_labels: list[str] = []
    dropped_labels: list[str] = []
    rows_by: Literal["label", "place", "content"] = "label"
    rows_moved: bool = False
    columns_moved: bool = False
    index: str = ""
    columns: list[ColumnChange] = []


class Line(_Part, frozen=True):
    """A line of a text comparison: mark " ", "+", "-" or "…" for lines left out.

    `words`: pairs of begin and end, of what is new or gone in the line where it has a counterpart.
    """

    mark: str
    text: str
    words: list[tuple[int, int]] = []


class TextChange(_Part, frozen=True, tag="text"):
    """A text by its lines."""

    added: int
    removed: int
    lines: list[Line] = []
    code: bool = False


class PictureChange(_Part, frozen=True, tag="picture"):
    """Pictures as data URIs, where there are any; `difference` is one, too. `pixels` of `of` differ."""

    before: str = ""
    after: str = ""
    difference: str = ""
    pixels: int | None = None
    of: int = 0


class BlocksChange(_Part, frozen=True, tag="blocks"):
    """What was compared by the digests of its stored blocks alone."""

    changed: int
    total: int
    changed_bytes: int
    total_bytes: int


Detail = ArrayChange | FrameChange | TextChange | PictureChange | BlocksChange


class ValueChange(_Part, frozen=True):
    """A change at a path (`config['lr']`, `model.coef_`). `parts` are changes inside; `more` counts those not listed.

    `before` and `after` word the value on a line. No parts and no detail: that line says it all.
    """

    path: str
    change: Kind
    before: str = ""
    after: str = ""
    type_before: str = ""
    type_after: str = ""
    detail: Detail | None = None
    parts: list[ValueChange] = []
    more: int = 0
    notes: list[str] = []


__all__ = [
    "ArrayChange",
    "BlocksChange",
    "Changed",
    "ColumnChange",
    "Detail",
    "Example",
    "FrameChange",
    "Kind",
    "Line",
    "PictureChange",
    "Statistics",
    "TextChange",
    "ValueChange",
]
