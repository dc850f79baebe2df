"""Comparing two tables: rows that came and went, columns by name, cells of the rows that both have.

Invariant: each row of the result is told in one way, by its label where labels are unique on both sides, else by its
place. Of columns whose blocks are equal and whose rows stay nothing is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import gt
from typing import Any

import msgspec

from nbcellar.diff.arrays import STATISTICS_BYTES
from nbcellar.diff.model import Changed, ColumnChange, FrameChange, Kind
from nbcellar.diff.numbers import Where, compare, compare_values, statistics, statistics_of_values
from nbcellar.diff.sides import Side
from nbcellar.values.columns import MISSING, CategoryColumn, Column, PlainColumn, RangeColumn
from nbcellar.values.dtypes import Shown
from nbcellar.values.elements import Elements, loaded_numpy
from nbcellar.values.frames import Frame, Index
from nbcellar.values.nodes import Call, Node
from nbcellar.values.stored import InlineRun
from nbcellar.values.words import word

_MOST_LABELS = 10


class Rows(msgspec.Struct, frozen=True):
    """Which rows correspond: places on both sides, None for all in their order."""

    before: Sequence[int] | None = None
    after: Sequence[int] | None = None
    added: Sequence[int] = ()
    dropped: Sequence[int] = ()
    by: str = "label"
    moved: bool = False
    note: str = ""


def compare_frames(before: Frame, after: Frame, ours: Side, theirs: Side) -> FrameChange | None:
    """Return what differs between two tables, None if nothing does."""
    compared = _Tables(ours, theirs)
    rows = compared.rows(before, after)
    columns = compared.columns(before, after, rows)
    old, new = _names(before.labels), _names(after.labels)
    common = [name for name in new if name in set(old)]
    moved = [name for name in old if name in set(new)] != common
    if not (columns or rows.added or rows.dropped or rows.moved or rows.note or moved):
        return None
    label = compared.labels_of(before), compared.labels_of(after)
    return FrameChange(
        rows_before=before.rows,
        rows_after=after.rows,
        columns_before=len(before.columns),
        columns_after=len(after.columns),
        rows_added=len(rows.added),
        rows_dropped=len(rows.dropped),
        added_labels=[label[1](place) for place in rows.added[:_MOST_LABELS]],
        dropped_labels=[label[0](place) for place in rows.dropped[:_MOST_LABELS]],
        rows_by=rows.by,  # type: ignore[arg-type]
        rows_moved=rows.moved,
        columns_moved=moved,
        index=rows.note,
        columns=columns,
    )


def compare_indexes(before: Index, after: Index, ours: Side, theirs: Side) -> FrameChange | None:
    """Return what differs between two indexes that are values of their own: labels added and dropped."""
    old = Frame(before.type, [], [], before, before.count)
    new = Frame(after.type, [], [], after, after.count)
    return compare_frames(old, new, ours, theirs)


class _Tables:
    """Compares with the sides at hand; labels are read once."""

    def __init__(self, ours: Side, theirs: Side) -> None:
        self.ours, self.theirs = ours, theirs

    # rows ---------------------------------------------------------------------------------------------------------

    def rows(self, before: Frame, after: Frame) -> Rows:
        """Return which rows correspond."""
        if before.index is None or after.index is None:
            return _by_place(before.rows, after.rows, "")
        one, other = before.index, after.index
        # Numbers that rows were taken from are a list of them: another type, and nothing to be told.
        numbered = {one.type, other.type} == {"RangeIndex", "Index"} and before.rows != after.rows
        note = _joined(*([] if numbered else self._index_types(one, other)), self._index_names(one, other))
        if self._same_labels(one.column, other.column):
            return Rows(note=note)
        if isinstance(one.column, RangeColumn) and isinstance(other.column, RangeColumn):
            return self._ranges(before, after, one.column, other.column, note)
        return self._by_label(before, after, note)

    def _index_types(self, one: Index, other: Index) -> list[str]:
        notes = []
        if one.type != other.type:
            notes.append(f"{one.type} -> {other.type}")
        elif one.column.dtype != other.column.dtype:
            notes.append(f"{one.column.dtype} -> {other.column.dtype}")
        if one.freq != other.freq:
            notes.append(f"freq {one.freq or None} -> {other.freq or None}")
        return notes

    def _index_names(self, one: Index, other: Index) -> str:
        old, new = [word(n) for n in one.names], [word(n) for n in other.names]
        return f"name {', '.join(old)} -> {', '.join(new)}" if old != new else ""

    def _same_labels(self, one: Column, other: Column) -> bool:
        if one.count != other.count:
            return False
        key = one.key()
        if key is not None and key == other.key():
            return True
        a, b = one.plain(), other.plain()
        if a is not None and b is not None and a.dtype == b.dtype:
            return not compare(a, b).changed
        return self._label_keys(self.ours, one) == self._label_keys(self.theirs, other)

    def _ranges(self, before: Frame, after: Frame, one: RangeColumn, other: RangeColumn, note: str) -> Rows:
        """Labels that nobody has set: rows of the same number are the same, unless most of them then differ."""
        common = range(min(one.count, other.count))
        if one.range[: len(common)] != other.range[: len(common)]:
            return self._by_label(before, after, note)
        added, dropped = range(len(common), other.count), range(len(common), one.count)
        rows = Rows(common, common, added=added, dropped=dropped, note=note)
        return self._by_content(before, after, note) or rows

    def _by_content(self, before: Frame, after: Frame, note: str) -> Rows | None:
        """Find rows that were taken out or put in, and the rest numbered anew, by what is in the rows.

        Only where that explains all of it: every row of the shorter table is, in order, one of the longer.
        """
        if max(before.rows, after.rows) > 200_000 or before.rows == after.rows:
            return None
        if len(before.labels) != len(after.labels) or _names(before.labels) != _names(after.labels):
            return None
        old, new = self._row_keys(self.ours, before), self._row_keys(self.theirs, after)
        short, long = (old, new) if len(old) < len(new) else (new, old)
        if short == long[: len(short)]:
            return None  # appended or cut off: the numbers say the same
        kept, extra = [], []
        at = 0
        for place, row in enumerate(long):
            if at < len(short) and row == short[at]:
                kept.append(place)
                at += 1
            else:
                extra.append(place)
        if at < len(short):
            return None
        numbers = range(len(short))
        if len(old) < len(new):
            return Rows(numbers, kept, added=extra, by="content", note=note)
        return Rows(kept, numbers, dropped=extra, by="content", note=note)

    def _row_keys(self, side: Side, frame: Frame) -> list[tuple[Any, ...]]:
        columns = [self._label_keys(side, column) for column in frame.columns]
        return list(zip(*columns, strict=True)) if columns else [()] * frame.rows

    def _by_label(self, before: Frame, after: Frame, note: str) -> Rows:
        assert before.index is not None and after.index is not None
        old = self._label_keys(self.ours, before.index.column)
        new = self._label_keys(self.theirs, after.index.column)
        places = {key: place for place, key in enumerate(old)}
        if len(places) < len(old) or len(set(new)) < len(new):
            return _by_place(before.rows, after.rows, _joined(note, "its labels changed and are not unique"))
        there = set(new)
        pairs = [(places[key], place) for place, key in enumerate(new) if key in places]
        if not pairs and old and new and len(old) == len(new):
            return _by_place(before.rows, after.rows, _joined(note, "every label changed"))
        dropped = [place for place, key in enumerate(old) if key not in there]
        added = [place for place, key in enumerate(new) if key not in places]
        firsts = [first for first, _ in pairs]
        return Rows(
            firsts,
            [second for _, second in pairs],
            added=added,
            dropped=dropped,
            moved=any(map(gt, firsts, firsts[1:])),
            note=note,
        )

    def _label_keys(self, side: Side, column: Column) -> list[Any]:
        """Return values that are equal where labels are, and can be keys."""
        return [self._key(side, value) for value in column.values()]

    def _key(self, side: Side, value: Any) -> Any:
        kind = type(value)
        if kind is float:
            return value if value == value else ("nan",)
        if kind in (str, int, bool, Shown, bytes) or value is None or value is MISSING:
            return value
        if kind is tuple:
            return tuple(self._key(side, part) for part in value)
        if kind is complex:
            return (value.real, value.imag)
        return side.fingerprints.of(value)

    def labels_of(self, frame: Frame) -> Where:
        """Return what words the label of a row."""
        if frame.index is None:
            return str
        column = frame.index.column
        if isinstance(column, RangeColumn):
            labels = column.range
            return lambda place: str(labels[place])
        cache: list[Any] = []

        def worded(place: int) -> str:
            if not cache:
                cache.extend(column.values())
            return word(cache[place])

        return worded

    # columns ------------------------------------------------------------------------------------------------------

    def columns(self, before: Frame, after: Frame, rows: Rows) -> list[ColumnChange]:
        """Return the columns that differ, those of `after` in their order, then those that are gone."""
        old = dict(zip(_names(before.labels), before.columns, strict=True))
        new = dict(zip(_names(after.labels), after.columns, strict=True))
        gone = {name: column for name, column in old.items() if name not in new}
        where = self.labels_of(after)
        found = []
        for name, column in new.items():
            if name in old:
                change = self._changed(name, old[name], column, rows, where)
                if change is not None:
                    found.append(change)
                continue
            source = self._renamed_from(column, gone, rows)
            if source is not None:
                del gone[source]
                found.append(ColumnChange(name=name, change="changed", renamed_from=source, dtype_after=column.dtype))
            else:
                found.append(self._whole(name, column, "added"))
        found += [self._whole(name, column, "removed") for name, column in gone.items()]
        return found

    def _whole(self, name: str, column: Column, change: Kind) -> ColumnChange:
        stats = self._statistics(column, column.plain())
        cells = Changed(compared=0, changed=0, **{"after" if change == "added" else "before": stats}) if stats else None
        dtypes = {"dtype_after" if change == "added" else "dtype_before": column.dtype}
        return ColumnChange(name=name, change=change, cells=cells, **dtypes)

    def _renamed_from(self, column: Column, gone: dict[str, Column], rows: Rows) -> str | None:
        """Return the name of a column that is gone and holds the same, told by its blocks, or by its few values."""
        if rows.added or rows.dropped or rows.moved or not column.count:
            return None
        key = column.key()
        for name, other in gone.items():
            if other.dtype != column.dtype or other.count != column.count:
                continue
            if key is not None and other.key() == key:
                return name
            if column.count <= 100_000 and self._changed(name, other, column, rows, str) is None:
                return name
        return None

    def _changed(self, name: str, old: Column, new: Column, rows: Rows, where: Where) -> ColumnChange | None:
        whole = rows.before is None and old.count == new.count
        key = old.key() if whole and old.dtype == new.dtype else None
        if key is not None and key == new.key():
            return None
        cells = self._cells(old, new, rows, where)
        note = self._categories(old, new)
        if old.dtype == new.dtype and not cells.changed and not cells.same_number and not note:
            return None
        if cells.changed and cells.before is None:
            cells = msgspec.structs.replace(
                cells,
                before=self._statistics(old, old.plain()),
                after=self._statistics(new, new.plain()),
            )
        return ColumnChange(
            name=name, change="changed", dtype_before=old.dtype, dtype_after=new.dtype, cells=cells, note=note
        )

    def _categories(self, old: Column, new: Column) -> str:
        """Return how the categories of a column changed, values or not."""
        if not isinstance(old, CategoryColumn) or not isinstance(new, CategoryColumn):
            return ""
        ours = {self._key(self.ours, label): label for label in old.labels}
        theirs = {self._key(self.theirs, label): label for label in new.labels}
        words = [f"+{word(label, 20)}" for key, label in theirs.items() if key not in ours]
        words += [f"-{word(label, 20)}" for key, label in ours.items() if key not in theirs]
        if not words:
            return "" if list(ours) == list(theirs) else "categories in another order"
        return f"categories {', '.join(words[:6])}" + (", …" if len(words) > 6 else "")

    def _cells(self, old: Column, new: Column, rows: Rows, where: Where) -> Changed:
        a, b = old.plain(), new.plain()
        after = rows.after
        place: Where = where if after is None else lambda at: where(after[at])
        if a is not None and b is not None and (a.dtype == b.dtype or _both_numbers(a, b)):
            return compare(_take(a, rows.before), _take(b, after), place)
        before_values, after_values = _pick(old.values(), rows.before), _pick(new.values(), after)
        changed = compare_values(before_values, after_values, place, same=self.same, words=self.word)
        if changed.largest is None:
            return changed
        present = [[v for v in values if v is not MISSING] for values in (before_values, after_values)]
        stats = [
            statistics_of_values(there, len(values) - len(there))
            for there, values in zip(present, (before_values, after_values), strict=True)
        ]
        return msgspec.structs.replace(changed, before=stats[0], after=stats[1])

    def same(self, old: Node, new: Node) -> bool:
        """Say whether two values of a column are equal."""
        kind = type(old)
        if kind is not type(new):
            return False
        if kind is float:
            return bool(old == new or (old != old and new != new))
        if kind in (str, int, bool, bytes, Shown, complex):
            return bool(old == new)
        return self.ours.fingerprints.of(old) == self.theirs.fingerprints.of(new)

    def word(self, value: Node) -> str:
        return self.theirs.word(value) if type(value) is Call else word(value)

    def _statistics(self, column: Column, elements: Elements | None) -> Any:
        if elements is None or elements.size_bytes > STATISTICS_BYTES or not isinstance(column, PlainColumn):
            return None
        return statistics(elements)


def _both_numbers(a: Elements, b: Elements) -> bool:
    return a.dtype.kind in "iufcb" and b.dtype.kind in "iufcb"


def _take(elements: Elements, places: Sequence[int] | None) -> Elements:
    """Return the elements at some places."""
    if places is None:
        return elements
    count = len(places)
    if not count or places == range(count):
        return elements.part(0, count)
    size = elements.dtype.size
    data = elements.read(0, elements.count)
    numpy = loaded_numpy() if count > 1000 else None
    if numpy is not None and size:
        taken = numpy.frombuffer(data, f"|V{size}")[numpy.array(places)].tobytes()
    else:
        taken = b"".join(data[place * size : (place + 1) * size] for place in places)
    return Elements(InlineRun(taken), elements.dtype, count)


def _pick(values: list[Any], places: Sequence[int] | None) -> list[Any]:
    return values if places is None else [values[place] for place in places]


def _by_place(before: int, after: int, note: str) -> Rows:
    if before == after:
        return Rows(by="place", note=note)
    common = range(min(before, after))
    added, dropped = range(len(common), after), range(len(common), before)
    return Rows(common, common, added=added, dropped=dropped, by="place", note=note)


def _joined(*notes: str) -> str:
    return "; ".join(note for note in notes if note)


def _names(labels: list[Any]) -> list[str]:
    """Return columns' names as text, each only once: of equal ones the later get a number."""
    names: dict[str, None] = {}
    for label in labels:
        name = found = str(label) if type(label) in (str, Shown) else word(label)
        number = 1
        while found in names:
            number += 1
            found = f"{name} ({number})"
        names[found] = None
    return list(names)


__all__ = ["compare_frames", "compare_indexes"]
