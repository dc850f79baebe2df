"""Any detail of an output's change as lines of text, for a view that has no drawing of its own for it.

Pure. Not for: what a view draws better itself (texts, pictures, tables).
"""

from __future__ import annotations

from collections.abc import Iterator

from nbcellar.diff.document.outputs.model import (
    BytesChange,
    Detail,
    HtmlChange,
    TableChange,
    TracebackChange,
    TreeChange,
)
from nbcellar.diff.model import Line, TextChange, ValueChange


def as_text(detail: Detail | None) -> TextChange | None:
    """Return a detail as a comparison of lines; None for pictures, and where there is nothing to list."""
    if isinstance(detail, TextChange):
        return detail
    lines = list(_lines(detail))
    if not lines:
        return None
    marks = [line.mark for line in lines]
    return TextChange(added=marks.count("+"), removed=marks.count("-"), lines=lines)


def _lines(detail: Detail | None) -> Iterator[Line]:
    if isinstance(detail, TreeChange):
        for value in detail.values:
            yield from _value(value)
        if detail.more:
            yield Line(mark="…", text=f"{detail.more:,} more values")
    elif isinstance(detail, HtmlChange):
        for table in detail.tables:
            yield from _table(table)
        yield from detail.text.lines if detail.text is not None else ()
    elif isinstance(detail, TracebackChange):
        yield from _traceback(detail)
    elif isinstance(detail, BytesChange) and detail.digest_before and detail.digest_after:
        yield Line(mark="-", text=f"{detail.before:,} bytes, BLAKE3 {detail.digest_before[:16]}")
        yield Line(mark="+", text=f"{detail.after:,} bytes, BLAKE3 {detail.digest_after[:16]}")


def _value(value: ValueChange) -> Iterator[Line]:
    path = f"{value.path}: " if value.path else ""
    if value.change != "added":
        yield Line(mark="-", text=path + value.before)
    if value.change != "removed":
        yield Line(mark="+", text=path + value.after)


def _table(table: TableChange) -> Iterator[Line]:
    if any(table.header):
        yield Line(mark=" ", text=" | ".join(table.header))
    for row in table.rows:
        if row.mark == "…":
            yield Line(mark="…", text=f"{row.label} rows" if row.label[:1].isdigit() else row.label)
        elif row.mark == "~":
            before = [row.before.get(column, cell) for column, cell in enumerate(row.cells)]
            yield Line(mark="-", text=" | ".join(before), words=_words(before, row.before))
            yield Line(mark="+", text=" | ".join(row.cells), words=_words(row.cells, row.before))
        else:
            yield Line(mark=row.mark, text=" | ".join(row.cells))


def _words(cells: list[str], changed: dict[int, str]) -> list[tuple[int, int]]:
    """Return where the cells that changed stand in a row's line."""
    found, at = [], 0
    for column, cell in enumerate(cells):
        if column in changed and cell:
            found.append((at, at + len(cell)))
        at += len(cell) + 3
    return found


def _traceback(detail: TracebackChange) -> Iterator[Line]:
    if detail.frames_added or detail.frames_removed:
        for frame in detail.frames:
            place = f"{frame.file}, line {frame.line}" if frame.line else frame.file
            function = f", in {frame.function}" if frame.function else ""
            yield Line(mark=frame.mark, text=f"{place}{function}".strip(", "))
            if frame.source:
                yield Line(mark=frame.mark, text=f"    {frame.source}")
    if detail.type_before and detail.type_after and detail.type_before != detail.type_after:
        yield Line(mark="-", text=detail.type_before)
        yield Line(mark="+", text=detail.type_after)
    for text in (detail.message, detail.text):
        yield from text.lines if text is not None else ()


__all__ = ["as_text"]
