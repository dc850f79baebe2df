"""The lines of `cellar diff` for one kind of change: an array, a table, a text, a picture, blocks.

Pure but for the console's colours and width, as `diff_text.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nbcellar.cli import text
from nbcellar.cli.console import Console
from nbcellar.cli.highlight import highlight
from nbcellar.diff.model import (
    ArrayChange,
    BlocksChange,
    Changed,
    ColumnChange,
    FrameChange,
    PictureChange,
    Statistics,
    TextChange,
)

MARKS = {"added": ("+", "green"), "changed": ("~", "yellow"), "removed": ("-", "red")}
MOST_LINES = 30
_LINE_COLORS = {"+": "green", "-": "red"}
_MOST_COLUMNS = 12


def headline(detail: Any) -> str:
    if isinstance(detail, ArrayChange):
        form = array_form(detail)
        return f"{form}  {cells_changed(detail.cells, detail)}".strip() if detail.cells is not None else form
    if isinstance(detail, FrameChange):
        return frame_size(detail)
    if isinstance(detail, TextChange):
        return f"{'source' if detail.code else 'text'} changed, +{detail.added:,} -{detail.removed:,} lines"
    if isinstance(detail, PictureChange):
        return _picture(detail)
    assert isinstance(detail, BlocksChange)
    return _blocks(detail)


def lines(detail: Any, console: Console, indent: int, everything: bool, *, top: bool) -> Iterator[str]:
    if isinstance(detail, ArrayChange):
        yield from _array(detail, console, indent, top)
    elif isinstance(detail, FrameChange):
        yield from _frame(detail, console, indent, everything)
    elif isinstance(detail, TextChange):
        yield from text_lines(detail, console, indent, None if everything else MOST_LINES)
    elif top:
        yield " " * indent + text.cut(headline(detail), console.width - indent)


def array_form(detail: ArrayChange) -> str:
    old, new = shape(detail.shape_before), shape(detail.shape_after)
    form = new if old == new else f"{old} -> {new}"
    dtypes = detail.dtype_before, detail.dtype_after
    dtype = dtypes[1] if dtypes[0] == dtypes[1] else f"{dtypes[0]} -> {dtypes[1]}"
    return f"{form} {dtype}".rstrip()


def _array(detail: ArrayChange, console: Console, indent: int, top: bool) -> Iterator[str]:
    pad, room = " " * indent, console.width - indent
    if detail.cells is not None:
        if top:
            yield pad + text.cut(cells_changed(detail.cells, detail), room)
        yield from (pad + text.cut(line, room) for line in _statistics_lines(detail.cells))
        yield from (pad + text.cut(line, room) for line in _examples(detail.cells))
    if detail.mask is not None:
        yield pad + text.cut(f"mask: {cells_changed(detail.mask, None)}", room)


def cells_changed(cells: Changed | None, detail: ArrayChange | None) -> str:
    if cells is None:
        return ""
    where = f" of the first {detail.rows:,} rows" if detail is not None and detail.rows is not None else ""
    parts = []
    if cells.changed or not cells.same_number:
        share = f" ({_percent(cells.changed, cells.compared)})" if cells.compared else ""
        parts.append(
            f"{cells.changed:,} of {cells.compared:,}{where} changed{share}" if cells.changed else "none changed"
        )
    if cells.largest is not None and cells.changed:
        at = f" at [{cells.largest_at}]" if detail is not None and cells.largest_at else ""
        parts.append(f"by up to {_number(cells.largest)}{at}")
    if cells.same_number:
        parts.append(f"{cells.same_number:,} equal as numbers but not as bits (0.0 and -0.0, kinds of NaN)")
    return ", ".join(parts)


def _statistics_lines(cells: Changed) -> Iterator[str]:
    if cells.compared <= len(cells.examples) <= 3:
        return  # all of it is shown
    if cells.before is not None and cells.after is not None:
        shown = _statistics(cells.before, cells.after)
        if shown:
            yield shown


def _statistics(old: Statistics, new: Statistics) -> str:
    parts = []
    for name, one, other in (
        ("min", old.min, new.min),
        ("mean", _number(old.mean), _number(new.mean)),
        ("max", old.max, new.max),
    ):
        if one or other:
            parts.append(f"{name} {_short(one)}" if one == other else f"{name} {_short(one)} -> {_short(other)}")
    if old.missing or new.missing:
        same = old.missing == new.missing
        parts.append(f"missing {old.missing:,}" if same else f"missing {old.missing:,} -> {new.missing:,}")
    return ", ".join(parts)


def _short(word: str) -> str:
    """Return a number of a statistic with six digits: the exact one is in --json."""
    try:
        return _number(float(word)) if len(word) > 9 else word
    except ValueError:
        return word


def _examples(cells: Changed) -> Iterator[str]:
    shown = cells.examples[:3]
    if cells.compared == 1 and not shown:
        return
    for example in shown:
        yield f"[{text.one_line(example.at, 30)}]: {text.clean(example.before)} -> {text.clean(example.after)}"
    known = {example.at for example in shown}
    if cells.largest_at and cells.largest_at not in known:
        at = text.one_line(cells.largest_at, 30)
        yield f"[{at}]: {text.clean(cells.largest_before)} -> {text.clean(cells.largest_after)}  (the largest)"


def frame_size(detail: FrameChange) -> str:
    old = f"{detail.rows_before:,} x {detail.columns_before:,}"
    new = f"{detail.rows_after:,} x {detail.columns_after:,}"
    return new if old == new else f"{old} -> {new}"


def _frame(detail: FrameChange, console: Console, indent: int, everything: bool) -> Iterator[str]:
    pad, room = " " * indent, console.width - indent
    by = {"label": "by label", "place": "by place", "content": "by content, the index was numbered anew"}[
        detail.rows_by
    ]
    for mark, count, labels in (
        ("+", detail.rows_added, detail.added_labels),
        ("-", detail.rows_dropped, detail.dropped_labels),
    ):
        if count:
            more = ", …" if count > len(labels) else ""
            shown = ", ".join(text.one_line(label, 30) for label in labels[:6]) + (more if len(labels) <= 6 else ", …")
            line = f"{mark} {text.plural(count, 'row')} ({by}): {shown}"
            yield pad + console.style(text.cut(line, room), _LINE_COLORS[mark])
    if detail.rows_moved:
        yield pad + "~ rows in another order"
    if detail.columns_moved:
        yield pad + "~ columns in another order"
    if detail.index:
        yield pad + text.cut(f"~ index: {text.clean(detail.index)}", room)
    columns = detail.columns if everything else detail.columns[:_MOST_COLUMNS]
    wide = min(max((text.columns(text.clean(column.name)) for column in columns), default=0), 24)
    for column in columns:
        yield from _column(column, console, indent, wide)
    if len(detail.columns) > len(columns):
        yield f"{pad}… {len(detail.columns) - len(columns):,} more columns (--all)"


def _column(column: ColumnChange, console: Console, indent: int, wide: int) -> Iterator[str]:
    mark, color = MARKS[column.change]
    name = text.cut(text.clean(column.name), wide)
    begin = f"{' ' * indent}{console.style(f'{mark} {name}', color)}{' ' * (wide - text.columns(name))}  "
    inner = indent + wide + 4
    room = max(console.width - inner, 20)
    if column.renamed_from:
        yield begin + text.cut(f"was called {text.clean(column.renamed_from)}", room)
        return
    same = column.dtype_before == column.dtype_after
    dtype = column.dtype_after if same or column.change == "added" else column.dtype_before
    if column.change == "changed" and not same:
        dtype = f"{column.dtype_before} -> {column.dtype_after}"
    cells = column.cells
    if column.change != "changed":
        stats = (cells.after or cells.before) if cells is not None else None
        yield begin + text.cut(f"{dtype}  {_statistics(stats, stats) if stats is not None else ''}".rstrip(), room)
        return
    note = f"  {text.clean(column.note)}" if column.note else ""
    told = cells_changed(cells, None) if not column.note or (cells is not None and cells.changed) else ""
    yield begin + text.cut(f"{dtype}  {told}".rstrip() + note, room)
    if cells is not None and cells.changed:
        pad = " " * inner
        yield from (pad + text.cut(line, room) for line in _statistics_lines(cells))
        yield from (pad + text.cut(line, room) for line in _examples(cells))


def text_lines(
    detail: TextChange, console: Console, indent: int, most: int | None, language: str = "python"
) -> Iterator[str]:
    """Yield the lines of a text; code has its colours where no words of a line are marked."""
    lines = detail.lines if most is None else detail.lines[:most]
    pad, room = " " * indent, max(console.width - indent - 2, 10)
    for line in lines:
        if line.mark == "…":
            yield pad + console.style(f"… {text.clean(line.text)}".rstrip(), "dim")
            continue
        shown = text.cut(text.clean(line.text).expandtabs(4), room)
        color = _LINE_COLORS.get(line.mark)
        if color is not None and line.words and shown == line.text:
            yield pad + console.style(f"{line.mark} ", color) + _marked_words(shown, line.words, console, color)
        elif detail.code and console.color:
            mark = console.style(line.mark, color, "bold") if color is not None else " "
            yield f"{pad}{mark} {highlight(shown, language, console)[0]}".rstrip()
        elif color is None:
            yield f"{pad}  {shown}".rstrip()
        else:
            yield pad + console.style(f"{line.mark} {shown}".rstrip(), color)
    if len(detail.lines) > len(lines):
        yield pad + console.style(f"… {len(detail.lines) - len(lines):,} more lines (--all)", "dim")


def _marked_words(shown: str, words: list[tuple[int, int]], console: Console, color: str) -> str:
    parts, at = [], 0
    for begin, end in words:
        parts += [console.style(shown[at:begin], color), console.style(shown[begin:end], color, "bold")]
        at = end
    return "".join([*parts, console.style(shown[at:], color)])


def _picture(detail: PictureChange) -> str:
    if detail.pixels is None:
        return "another picture (see --html)"
    return f"{detail.pixels:,} of {detail.of:,} pixels differ ({_percent(detail.pixels, detail.of)}; see --html)"


def _blocks(detail: BlocksChange) -> str:
    return (
        f"{detail.changed:,} of {text.plural(detail.total, 'block')} differ, "
        f"{text.size(detail.changed_bytes)} of {text.size(detail.total_bytes)}"
    )


def shape(shape: list[int]) -> str:
    return "(" + " x ".join(f"{length:,}" for length in shape) + ")" if shape else "()"


def _percent(part: int, whole: int) -> str:
    if not whole:
        return "0 %"
    share = 100 * part / whole
    return f"{share:.0f} %" if share >= 10 or share == 0 else f"{share:.1f} %" if share >= 0.1 else "under 0.1 %"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


__all__ = [
    "MARKS",
    "MOST_LINES",
    "array_form",
    "cells_changed",
    "frame_size",
    "headline",
    "lines",
    "shape",
    "text_lines",
]
