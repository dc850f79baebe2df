"""Which rows of two tables of text correspond, and which of their cells differ.

Invariant: each row of both tables is in exactly one pair, or among those that came or went.
"""

from __future__ import annotations

from itertools import pairwise
from operator import gt

import msgspec

from nbcellar.diff.align import Step, align
from nbcellar.diff.document.outputs import noise
from nbcellar.diff.document.outputs.figures import Figures, skeleton
from nbcellar.diff.document.outputs.html_tables import Table
from nbcellar.diff.document.outputs.model import OutputSettings, TableChange, TableRow
from nbcellar.diff.model import Changed, ColumnChange, Example, FrameChange

_MOST_ROWS = 60  # that a result draws
_MOST_LABELS = 10
_MOST_EXAMPLES = 5
_MOST_TRIED = 30  # rows of a gap that are compared each with each
_CONTEXT = 1
_LONGEST = 200


class Pairs(msgspec.Struct, frozen=True):
    """Places of rows: those that both tables have, in the order of the second, those that went, and those that came."""

    both: list[tuple[int, int]]
    dropped: list[int]
    added: list[int]
    by: str = "label"
    moved: bool = False


class Columns(msgspec.Struct, frozen=True):
    """Places of columns that are no labels of rows, by their names where these are unique, else by their order."""

    both: list[tuple[int, int]]
    dropped: list[int]
    added: list[int]
    moved: bool = False


def compare_tables(
    place: int, before: Table, after: Table, settings: OutputSettings, names: dict[str, None], figures: Figures
) -> TableChange | None:
    """Return what differs between two tables in more than noise; the noise is added to `names`."""
    columns = _columns(before, after)
    pairs = _pairs(before, after, columns)
    cells = _Cells(settings, names, figures)
    changed = [cells.row(before, after, pair, columns) for pair in pairs.both]
    if not (any(changed) or pairs.dropped or pairs.added or pairs.moved):
        if not (columns.dropped or columns.added or columns.moved) and _heads(before) == _heads(after):
            return None
    return TableChange(
        place=place,
        caption=_short(after.caption or before.caption),
        frame=_frame(before, after, columns, pairs, cells),
        header=[_short(name) for name in after.columns],
        rows=_drawn(before, after, pairs, changed),
        cells_changed=sum(map(len, changed)),
    )


def _heads(table: Table) -> tuple[str, list[str], int]:
    return table.caption, table.columns, table.labels


# columns ----------------------------------------------------------------------------------------------------------


def _columns(before: Table, after: Table) -> Columns:
    old, new = before.columns[before.labels :], after.columns[after.labels :]
    a, b = before.labels, after.labels
    if len(set(old)) == len(old) and len(set(new)) == len(new):
        there = {name: place for place, name in enumerate(old)}
        both = [(there[name] + a, place + b) for place, name in enumerate(new) if name in there]
        known = set(new)
        return Columns(
            both,
            [place + a for place, name in enumerate(old) if name not in known],
            [place + b for place, name in enumerate(new) if name not in there],
            moved=any(first[0] > second[0] for first, second in pairwise(both)),
        )
    pairs, gone, come = _aligned(old, new)
    return Columns([(i + a, j + b) for i, j in pairs], [place + a for place in gone], [place + b for place in come])


def _aligned(old: list[str], new: list[str]) -> tuple[list[tuple[int, int]], list[int], list[int]]:
    """Return places of items that correspond in their order: equal ones, and as many others between these."""
    pairs: list[tuple[int, int]] = []
    gone: list[int] = []
    come: list[int] = []
    x = y = 0
    for step in [*align(old, new), Step(len(old), len(old), len(new), len(new))]:
        pairs += zip(range(x, step.a_start), range(y, step.b_start), strict=True)
        a, b = range(step.a_start, step.a_stop), range(step.b_start, step.b_stop)
        pairs += zip(a, b, strict=False)
        gone += a[len(b) :]
        come += b[len(a) :]
        x, y = step.a_stop, step.b_stop
    return pairs, gone, come


# rows -------------------------------------------------------------------------------------------------------------


def _pairs(before: Table, after: Table, columns: Columns) -> Pairs:
    old, new = _labels(before), _labels(after)
    if old is not None and new is not None and not (len(old) != len(new) and _numbered(old) and _numbered(new)):
        places = {label: place for place, label in enumerate(old)}
        both = [(places[label], place) for place, label in enumerate(new) if label in places]
        known = set(new)
        firsts = [first for first, _ in both]
        return Pairs(
            both,
            [place for place, label in enumerate(old) if label not in known],
            [place for place, label in enumerate(new) if label not in places],
            moved=any(map(gt, firsts, firsts[1:])),
        )
    return _by_content(before, after, columns, labelled=old is None or new is None)


def _labels(table: Table) -> list[tuple[str, ...]] | None:
    """Return the labels of rows, None where there are none or where two rows share one."""
    if not table.labels:
        return None
    found = [tuple(row[: table.labels]) for row in table.rows]
    return found if len(set(found)) == len(found) else None


def _numbered(labels: list[tuple[str, ...]]) -> bool:
    """Return whether nobody chose the labels: they number the rows from 0."""
    return all(label == (str(place),) for place, label in enumerate(labels))


def _by_content(before: Table, after: Table, columns: Columns, *, labelled: bool) -> Pairs:
    """Pair rows with equal cells in their order; others between these by how many cells they have in common."""
    ours = [_key(row, [i for i, _ in columns.both], before.labels if labelled else 0) for row in before.rows]
    theirs = [_key(row, [j for _, j in columns.both], after.labels if labelled else 0) for row in after.rows]
    both: list[tuple[int, int]] = []
    dropped: list[int] = []
    added: list[int] = []
    x = y = 0
    for step in [*align(ours, theirs), Step(len(ours), len(ours), len(theirs), len(theirs))]:
        both += zip(range(x, step.a_start), range(y, step.b_start), strict=True)
        a, b = range(step.a_start, step.a_stop), range(step.b_start, step.b_stop)
        pairs = _in_gap(a, b, ours, theirs)
        both += pairs
        gone, come = {i for i, _ in pairs}, {j for _, j in pairs}
        dropped += [place for place in a if place not in gone]
        added += [place for place in b if place not in come]
        x, y = step.a_stop, step.b_stop
    return Pairs(both, dropped, added, by="content")


def _key(row: list[str], columns: list[int], labels: int) -> tuple[str, ...]:
    return tuple(row[:labels]) + tuple([row[column] for column in columns])


def _in_gap(a: range, b: range, ours: list[tuple[str, ...]], theirs: list[tuple[str, ...]]) -> list[tuple[int, int]]:
    if len(a) == len(b):
        return list(zip(a, b, strict=True))
    if not a or not b or max(len(a), len(b)) > _MOST_TRIED:
        return []
    pairs, last = [], b.start
    for i in a:
        best, found = 0, -1
        for j in range(last, b.stop):
            common = sum(map(str.__eq__, ours[i], theirs[j]))
            if common * 2 > len(ours[i]) and common > best:
                best, found = common, j
        if found >= 0:
            pairs.append((i, found))
            last = found + 1
    return pairs


# cells ------------------------------------------------------------------------------------------------------------


class _Count:
    """What was seen in one column."""

    def __init__(self) -> None:
        self.changed = 0
        self.examples: list[Example] = []
        self.largest: tuple[float, str, str, str] | None = None


class _Cells:
    """Compares cells, and counts by column."""

    def __init__(self, settings: OutputSettings, names: dict[str, None], figures: Figures) -> None:
        self.names = names
        self.figures = figures
        self.settings = settings
        self.by_column: dict[int, _Count] = {}

    def row(self, before: Table, after: Table, pair: tuple[int, int], columns: Columns) -> dict[int, str]:
        """Return the old texts of cells that changed, by column."""
        old, new = before.rows[pair[0]], after.rows[pair[1]]
        found: dict[int, str] = {}
        if old == new and before.columns == after.columns and before.labels == after.labels:
            return found
        for i, j in columns.both:
            if old[i] != new[j] and not self.same(old[i], new[j]):
                found[j] = old[i]
                self.count(j, _name(after, pair[1]), old[i], new[j])
        return found

    def same(self, old: str, new: str) -> bool:
        first, seen = noise.mask(old)
        second, seen_new = noise.mask(new)
        if first == second:
            self.names.update(dict.fromkeys(noise.differing(seen, seen_new)))
            return True
        one, other = skeleton(first), skeleton(second)
        if one[0] != other[0] or not one[1]:
            return False
        return self.figures.same(one[1], other[1], "") and one[1] != other[1]

    def count(self, column: int, label: str, old: str, new: str) -> None:
        counted = self.by_column.setdefault(column, _Count())
        counted.changed += 1
        if len(counted.examples) < _MOST_EXAMPLES:
            counted.examples.append(Example(at=label, before=_short(old), after=_short(new)))
        one, other = skeleton(old), skeleton(new)
        if len(one[1]) == len(other[1]) == 1 and one[0] == other[0]:
            apart = Figures(self.settings)
            apart.same(one[1], other[1], label)
            result = apart.result()
            if result is not None and result.largest is not None:
                if counted.largest is None or result.largest > counted.largest[0]:
                    counted.largest = (result.largest, label, _short(old), _short(new))


def _name(table: Table, row: int) -> str:
    labels = table.rows[row][: table.labels]
    return _short(", ".join(labels)) if labels else str(row)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _frame(before: Table, after: Table, columns: Columns, pairs: Pairs, cells: _Cells) -> FrameChange:
    changes = []
    for _, j in columns.both:
        counted = cells.by_column.get(j)
        if counted is not None:
            changes.append(_column(_short(after.columns[j]), len(pairs.both), counted))
    changes += [ColumnChange(name=_short(after.columns[j]), change="added") for j in columns.added]
    changes += [ColumnChange(name=_short(before.columns[i]), change="removed") for i in columns.dropped]
    heads = [", ".join(filter(None, table.columns[: table.labels])) for table in (before, after)]
    return FrameChange(
        rows_before=len(before.rows),
        rows_after=len(after.rows),
        columns_before=len(before.columns) - before.labels,
        columns_after=len(after.columns) - after.labels,
        rows_added=len(pairs.added),
        rows_dropped=len(pairs.dropped),
        added_labels=[_name(after, place) for place in pairs.added[:_MOST_LABELS]],
        dropped_labels=[_name(before, place) for place in pairs.dropped[:_MOST_LABELS]],
        rows_by=pairs.by,  # type: ignore[arg-type]
        rows_moved=pairs.moved,
        columns_moved=columns.moved,
        index=f"{_short(heads[0])} -> {_short(heads[1])}" if heads[0] != heads[1] else "",
        columns=changes,
    )


def _column(name: str, compared: int, counted: _Count) -> ColumnChange:
    largest = counted.largest or (None, "", "", "")
    cells = Changed(
        compared=compared,
        changed=counted.changed,
        largest=largest[0],
        largest_at=largest[1],
        largest_before=largest[2],
        largest_after=largest[3],
        examples=counted.examples,
    )
    return ColumnChange(name=name, change="changed", cells=cells)


# drawing ----------------------------------------------------------------------------------------------------------


def _drawn(before: Table, after: Table, pairs: Pairs, changed: list[dict[int, str]]) -> list[TableRow]:
    """Return the rows that differ with one around them, in the order of `after`, as many as are drawn."""
    old = {j: cells for (_, j), cells in zip(pairs.both, changed, strict=True)}
    touched = sorted([*(j for j, cells in old.items() if cells), *pairs.added])
    near = {place + apart for place in touched[:_MOST_ROWS] for apart in range(-_CONTEXT, _CONTEXT + 1)}
    gone = _where_dropped(pairs)
    near.update(gone)
    rows: list[TableRow] = []
    left_out = 0
    for place in range(len(after.rows) + 1):
        if len(rows) >= _MOST_ROWS:
            break
        if place in near and left_out:
            rows.append(TableRow(mark="…", label=f"{left_out:,}"))
            left_out = 0
        rows += [TableRow(mark="-", label=_name(before, i), cells=_cut(before.rows[i])) for i in gone.get(place, ())]
        if place not in near:
            left_out += 1
        elif place < len(after.rows):
            rows.append(_drawn_row(after, place, old.get(place)))
    more = len(touched) + len(pairs.dropped) - sum(row.mark in "+-~" for row in rows)
    return [*rows[:_MOST_ROWS], TableRow(mark="…", label=f"{more:,} more")] if more > 0 else rows


def _drawn_row(after: Table, place: int, old: dict[int, str] | None) -> TableRow:
    mark = "+" if old is None else "~" if old else " "
    before = {column: _short(text) for column, text in (old or {}).items()}
    return TableRow(mark=mark, label=_name(after, place), cells=_cut(after.rows[place]), before=before)


def _where_dropped(pairs: Pairs) -> dict[int, list[int]]:
    """Return rows that went, by the place in `after` before which they are drawn."""
    there = dict(pairs.both)
    following: dict[int, list[int]] = {}
    place = 0
    last = -1
    for i in sorted(pairs.dropped):
        for kept in range(last + 1, i):
            place = there.get(kept, place - 1) + 1
        last = i
        following.setdefault(place, []).append(i)
    return following


def _cut(cells: list[str]) -> list[str]:
    return [_short(cell) for cell in cells]


__all__ = ["compare_tables"]
