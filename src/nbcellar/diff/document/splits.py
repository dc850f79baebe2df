"""Cells that were split into several, and cells that were joined into one, found among what the pairing left over.

Invariant: the cells of one side of a split stand next to each other, are of one type, and their lines one after the
other are the lines of the cell on the other side, up to a few that were edited.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from nbcellar.diff.document.gaps import How
from nbcellar.notebook.model import Cell

_LINES_KEPT = 0.75
_MOST_PARTS = 12


class Split(msgspec.Struct, frozen=True):
    """One cell became several (`a` has one place, `b` has more), or several became one."""

    a: tuple[int, ...]
    b: tuple[int, ...]


def find_splits(a: Sequence[Cell], b: Sequence[Cell], found: dict[int, tuple[int, How]]) -> tuple[Split, ...]:
    """Return splits and joins. A cell that has no pair yet is paired with its largest part, in `found`."""
    taken = {j: i for i, (j, _) in found.items()}
    open_a = {i for i in range(len(a)) if i not in found}
    open_b = {j for j in range(len(b)) if j not in taken}
    splits = []
    if open_b:
        partners = {i: j for i, (j, how) in found.items() if how != "same"}
        for i, parts in _parted(a, b, open_a, open_b, partners, _near(found, len(a), len(b))):
            splits.append(Split((i,), parts))
            if i not in found:
                main = max(parts, key=lambda j: len(b[j].source))
                found[i] = main, "similar"
                open_a.discard(i)
    if open_a:
        partners = {j: i for i, (j, how) in found.items() if how != "same"}
        near = _near({j: (i, how) for i, (j, how) in found.items()}, len(b), len(a))
        done = {j for split in splits for j in split.b}
        for j, parts in _parted(b, a, open_b - done, open_a, partners, near):
            splits.append(Split(parts, (j,)))
            if j not in {j for j, _ in found.values()}:
                main = max(parts, key=lambda i: len(a[i].source))
                found[main] = j, "similar"
    return tuple(splits)


def _near(found: Mapping[int, tuple[int, How]], count: int, other: int) -> list[int]:
    """Return, for each place, the place on the other side that follows the partner of the nearest one before."""
    near, last = [], 0
    for place in range(count):
        near.append(min(last, other))
        if place in found:
            last = found[place][0] + 1
    return near


def _parted(
    whole: Sequence[Cell],
    parts: Sequence[Cell],
    open_whole: set[int],
    open_parts: set[int],
    partners: Mapping[int, int],
    near: Sequence[int],
) -> list[tuple[int, tuple[int, ...]]]:
    """Return each cell of `whole` with the run of cells of `parts` that it was cut into."""
    found = []
    for place in sorted(open_whole | partners.keys()):
        start = partners.get(place, near[place])
        run = _run(start, open_parts, parts, has_partner=place in partners)
        lines = _lines(whole[place].source)
        if len(run) < 2 or len(lines) < 2:
            continue
        best = _best_run(lines, whole[place].type, run, parts, partners.get(place))
        if best:
            open_parts.difference_update(best)
            found.append((place, best))
    return found


def _run(start: int, open_parts: set[int], parts: Sequence[Cell], *, has_partner: bool) -> list[int]:
    """Return the open places around `start`, which itself may have been paired."""
    first = start
    while first - 1 in open_parts and start - first < _MOST_PARTS:
        first -= 1
    last = start + 1 if has_partner else start
    while last in open_parts and last - start < _MOST_PARTS:
        last += 1
    return [place for place in range(first, last) if parts[place].source.strip()]


def _best_run(
    lines: Sequence[str], kind: str, run: Sequence[int], parts: Sequence[Cell], partner: int | None
) -> tuple[int, ...]:
    """Return the neighbours whose lines together are those of the whole; () if there are none."""
    count = Counter(lines)
    texts = {place: _lines(parts[place].source) for place in run}
    best: tuple[int, ...] = ()
    most = max(_LINES_KEPT, *(_kept(lines, count, text) + 1e-9 for text in texts.values()))
    for first in range(len(run)):
        together: list[str] = []
        for last in range(first, len(run)):
            place = run[last]
            if parts[place].type != kind or place - run[first] != last - first:
                break
            together += texts[place]
            some = tuple(run[first : last + 1])
            if len(some) < 2 or (partner is not None and partner not in some):
                continue
            kept = _kept(lines, count, together)
            if kept >= most and all(_contributes(texts[place], count) for place in some):
                best, most = some, kept + 1e-9
    return best


def _kept(lines: Sequence[str], count: Counter[str], others: Sequence[str]) -> float:
    """Return the part of the lines of both that is the same."""
    return 2 * (count & Counter(others)).total() / (len(lines) + len(others))


def _contributes(lines: Sequence[str], whole: Counter[str]) -> bool:
    return 2 * sum(line in whole for line in lines) >= len(lines)


def _lines(source: str) -> list[str]:
    return [line.rstrip() for line in source.splitlines() if line.strip()]


__all__ = ["Split", "find_splits"]
