"""Three-way merging of texts by lines.

Invariant: what one side left as it was follows the other; the same change on both sides counts once; changes that
touch each other are a conflict, as with git: between two changes there has to be a line that neither of them touched.
Method: the two alignments with the base are cut where all three agree (Khanna, Kunal and Pierce, "A Formal
Investigation of Diff3", 2007).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from nbcellar.diff.align import Step, align


class TextMerge(msgspec.Struct, frozen=True):
    """Both ways to read a merged text: they differ in the conflicting places alone, not at all if there are none."""

    ours: str
    theirs: str
    conflicts: int

    @property
    def is_clean(self) -> bool:
        """True when both are the same text."""
        return not self.conflicts


class _Region(msgspec.Struct, frozen=True):
    """Lines of the base that at least one side replaced, and what each has in their place."""

    base: tuple[int, int]
    ours: tuple[int, int]
    theirs: tuple[int, int]


def merge_texts(base: str, ours: str, theirs: str) -> TextMerge:
    """Merge two edits of one text."""
    if ours == theirs or theirs == base:
        return TextMerge(ours, ours, 0)
    if ours == base:
        return TextMerge(theirs, theirs, 0)
    # Without their ends: a line that is appended does not change the one before it, which is the last of most cells.
    a, b, c = base.split("\n"), ours.split("\n"), theirs.split("\n")
    mine: list[str] = []
    yours: list[str] = []
    conflicts = done = 0
    for region in _regions(align(a, b), align(a, c)):
        both = a[done : region.base[0]]
        done = region.base[1]
        chosen = _decide(a[slice(*region.base)], b[slice(*region.ours)], c[slice(*region.theirs)])
        mine += both + chosen[0]
        yours += both + chosen[1]
        conflicts += chosen[0] != chosen[1]
    rest = a[done:]
    return TextMerge("\n".join(mine + rest), "\n".join(yours + rest), conflicts)


def _decide(base: list[str], ours: list[str], theirs: list[str]) -> tuple[list[str], list[str]]:
    if ours == theirs or theirs == base:
        return ours, ours
    if ours == base:
        return theirs, theirs
    return ours, theirs


def _regions(ours: Sequence[Step], theirs: Sequence[Step]) -> Iterator[_Region]:
    """Join the changes of both sides where they overlap or touch; yield them in order."""
    i = j = 0
    shift_ours = shift_theirs = 0  # how much longer each side is than the base, before the region
    while i < len(ours) or j < len(theirs):
        first = min(steps[k].a_start for steps, k in ((ours, i), (theirs, j)) if k < len(steps))
        start, stop = first, first
        begin_ours, begin_theirs = start + shift_ours, start + shift_theirs
        grown = True
        while grown:
            grown = False
            while i < len(ours) and ours[i].a_start <= stop:
                stop = max(stop, ours[i].a_stop)
                shift_ours += (ours[i].b_stop - ours[i].b_start) - (ours[i].a_stop - ours[i].a_start)
                i, grown = i + 1, True
            while j < len(theirs) and theirs[j].a_start <= stop:
                stop = max(stop, theirs[j].a_stop)
                shift_theirs += (theirs[j].b_stop - theirs[j].b_start) - (theirs[j].a_stop - theirs[j].a_start)
                j, grown = j + 1, True
        yield _Region(
            base=(start, stop),
            ours=(begin_ours, stop + shift_ours),
            theirs=(begin_theirs, stop + shift_theirs),
        )


__all__ = ["TextMerge", "merge_texts"]
