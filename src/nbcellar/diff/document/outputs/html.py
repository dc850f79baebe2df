"""Comparing HTML: its tables by row and cell, what is around them by lines of tags and text.

Invariant: what differs is told by the first of these that sees it: a table's rows, columns and cells; lines outside of
tables; attributes inside of them. Ids that libraries make up are numbered in their order and compared as such.
"""

from __future__ import annotations

from typing import Any

from nbcellar.diff.align import Step, align
from nbcellar.diff.document.outputs import noise
from nbcellar.diff.document.outputs.figures import Figures, count, largest_in_words
from nbcellar.diff.document.outputs.html_tables import Page, Table, read_page
from nbcellar.diff.document.outputs.markup import Piece, lines, pieces
from nbcellar.diff.document.outputs.model import HtmlChange, MimeChange, OutputSettings, TableChange
from nbcellar.diff.document.outputs.rows import compare_tables
from nbcellar.diff.document.outputs.terminal import writable
from nbcellar.diff.document.outputs.text import compare_lines, compare_text
from nbcellar.diff.model import FrameChange, Kind, TextChange

_LONGEST = 20_000_000  # characters; longer pages are compared as text


def compare_html(mime: str, before: Any, after: Any, settings: OutputSettings) -> MimeChange | None:
    """Return what differs between two texts of HTML, None if nothing does."""
    if not isinstance(before, str) or not isinstance(after, str) or max(len(before), len(after)) > _LONGEST:
        return compare_text(mime, before, after, settings)
    if before == after:
        return None
    old, new = list(pieces(writable(before))), list(pieces(writable(after)))
    ours, theirs = read_page(old), read_page(new)
    names: dict[str, None] = {}
    figures = Figures(settings)
    tables = _tables(ours, theirs, settings, names, figures)
    around = _around(mime, ours.rest, theirs.rest, settings)
    if not tables and (around is None or around.only_noise):
        if around is None and not names and not figures.noise():
            around = _around(mime, old, new, settings)
            if around is None:
                names[_hidden(before, after)] = None
    return _told(mime, tables, around, names, figures)


def _hidden(before: str, after: str) -> str:
    """Return the name of a difference that no line shows: ids, or blanks and comments."""
    return noise.IDS if noise.Ids().mask(before) == noise.Ids().mask(after) else noise.MARKUP


def _around(mime: str, old: list[Piece], new: list[Piece], settings: OutputSettings) -> MimeChange | None:
    ours, theirs = lines(old, noise.Ids()), lines(new, noise.Ids())
    if ours == theirs:
        return None
    return compare_lines(mime, "\n".join(ours), "\n".join(theirs), settings)


def _tables(
    ours: Page, theirs: Page, settings: OutputSettings, names: dict[str, None], figures: Figures
) -> list[TableChange]:
    """Compare tables in their order; of unequal numbers of them those are left out that have no counterpart."""
    found = []
    for place, (old, new) in enumerate(_matched(ours.tables, theirs.tables)):
        if old is None or new is None:
            table = old or new
            assert table is not None
            found.append(_whole(place, table, "removed" if new is None else "added"))
        elif (old.rows, old.columns, old.caption, old.labels) != (new.rows, new.columns, new.caption, new.labels):
            change = compare_tables(place, old, new, settings, names, figures)
            if change is not None:
                found.append(change)
    return found


def _matched(ours: list[Table], theirs: list[Table]) -> list[tuple[Table | None, Table | None]]:
    if len(ours) == len(theirs):
        return list(zip(ours, theirs, strict=True))
    one = [(table.caption, tuple(table.columns)) for table in ours]
    other = [(table.caption, tuple(table.columns)) for table in theirs]
    matched: list[tuple[Table | None, Table | None]] = []
    x = y = 0
    for step in [*align(one, other), Step(len(ours), len(ours), len(theirs), len(theirs))]:
        matched += zip(ours[x : step.a_start], theirs[y : step.b_start], strict=True)
        matched += [(table, None) for table in ours[step.a_start : step.a_stop]]
        matched += [(None, table) for table in theirs[step.b_start : step.b_stop]]
        x, y = step.a_stop, step.b_stop
    return matched


def _whole(place: int, table: Table, change: Kind) -> TableChange:
    width, rows, gone = len(table.columns) - table.labels, len(table.rows), change == "removed"
    frame = FrameChange(
        rows_before=rows if gone else 0,
        rows_after=0 if gone else rows,
        columns_before=width if gone else 0,
        columns_after=0 if gone else width,
    )
    return TableChange(place=place, change=change, caption=table.caption[:200], frame=frame)


def _told(
    mime: str,
    tables: list[TableChange],
    around: MimeChange | None,
    names: dict[str, None],
    figures: Figures,
) -> MimeChange:
    noises = [*names, *figures.noise(), *(around.noise if around is not None else [])]
    noises = list(dict.fromkeys(noises))
    numbers = figures.result() or (around.numbers if around is not None else None)
    real = around if around is not None and not around.only_noise else None
    if not tables and real is None:
        return MimeChange(mime=mime, note=noise.only(noises), only_noise=True, noise=noises, numbers=numbers)
    told = [_table_told(table, len(tables)) for table in tables[:3]]
    if len(tables) > 3:
        told.append(f"{len(tables) - 3:,} more tables")
    if figures.changed:
        told.append(f"{count(figures.changed, 'number')} {largest_in_words(figures.result())}")
    if real is not None:
        told.append(f"around the tables: {real.note}" if tables else real.note)
    text = real.detail if real is not None and isinstance(real.detail, TextChange) else None
    detail = HtmlChange(tables=tables, text=text)
    return MimeChange(mime=mime, note="; ".join(told), noise=noises, detail=detail, numbers=numbers)


def _table_told(table: TableChange, tables: int) -> str:
    name = f"table {table.place + 1}" if tables > 1 else "table"
    frame = table.frame
    assert frame is not None
    if table.change != "changed":
        rows = max(frame.rows_before, frame.rows_after)
        return f"{name} {table.change}, {count(rows, 'row')}"
    told = []
    if frame.rows_added or frame.rows_dropped:
        told.append(f"+{frame.rows_added:,} -{frame.rows_dropped:,} rows")
    came = [column.change for column in frame.columns]
    if came.count("added") or came.count("removed"):
        told.append(f"+{came.count('added'):,} -{came.count('removed'):,} columns")
    if table.cells_changed:
        told.append(f"{count(table.cells_changed, 'cell')} changed")
    told += ["rows in another order"] * frame.rows_moved + ["columns in another order"] * frame.columns_moved
    return f"{name}: {', '.join(told) or 'headings changed'}"


__all__ = ["compare_html"]
