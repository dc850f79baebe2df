"""Comparing texts by line, and lines that correspond by word. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nbcellar.diff.align import Step, align
from nbcellar.diff.best_pairs import best_pairs
from nbcellar.diff.model import Line, TextChange

CONTEXT = 2
MOST_LINES = 200
_LONGEST_LINE = 2000
_MOST_WORDS = 100  # edits of words in a line: they cost their square, and more of them tell nobody anything
_MOST_PAIRED = 50
_MOST_COMPARED = 400
_ALIKE = 0.5
_WORDS = re.compile(r"\w+|\s+|.", re.DOTALL)


def compare_texts(
    before: str, after: str, *, code: bool = False, context: int = CONTEXT, most: int = MOST_LINES
) -> TextChange:
    """Return the lines that differ, with `context` lines around them; at most `most` lines in all."""
    old, new = before.splitlines(), after.splitlines()
    steps = align(old, new)
    added = sum(step.b_stop - step.b_start for step in steps)
    removed = sum(step.a_stop - step.a_start for step in steps)
    if not steps and before != after:
        return TextChange(added=0, removed=0, lines=[Line(mark="…", text=_line_ends(before, after))], code=code)
    lines = _lines(old, new, steps, context, most)
    if len(lines) > most:
        lines = [*lines[:most], Line(mark="…", text=f"{len(lines) - most:,} more lines")]
    return TextChange(added=added, removed=removed, lines=lines, code=code)


def _line_ends(before: str, after: str) -> str:
    """Say how two texts of the same lines differ."""
    if before.splitlines(keepends=True)[:-1] == after.splitlines(keepends=True)[:-1]:
        ended, was = (
            bool(text) and text.splitlines(keepends=True)[-1] != text.splitlines()[-1] for text in (after, before)
        )
        if ended != was:
            return "a line break at the end came" if ended else "the line break at the end went"
    return "other line breaks"


def _lines(old: list[str], new: list[str], steps: Sequence[Step], context: int, most: int) -> list[Line]:
    found: list[Line] = []
    shown = 0  # lines of `old` that are done
    for number, step in enumerate(steps):
        begin = max(step.a_start - context, shown)
        if begin > shown:
            found.append(Line(mark="…", text=""))
        found += [Line(mark=" ", text=_cut(text)) for text in old[begin : step.a_start]]
        found += _replaced(old[step.a_start : step.a_stop], new[step.b_start : step.b_stop])
        following = steps[number + 1].a_start if number + 1 < len(steps) else len(old)
        shown = min(step.a_stop + context, following)
        found += [Line(mark=" ", text=_cut(text)) for text in old[step.a_stop : shown]]
        if len(found) > 4 * most:
            break
    if steps and shown < len(old):
        found.append(Line(mark="…", text=""))
    return found


def _replaced(old: list[str], new: list[str]) -> list[Line]:
    """Return lines that went, then those that came; where two stand for each other, with the words that differ."""
    words_a: dict[int, list[tuple[int, int]]] = {}
    words_b: dict[int, list[tuple[int, int]]] = {}
    for x, y in _counterparts(old, new):
        words_a[x], words_b[y] = _words(old[x], new[y])
    gone = [Line(mark="-", text=_cut(text), words=words_a.get(place, [])) for place, text in enumerate(old)]
    return gone + [Line(mark="+", text=_cut(text), words=words_b.get(place, [])) for place, text in enumerate(new)]


def _counterparts(old: list[str], new: list[str]) -> list[tuple[int, int]]:
    """Return which lines stand for each other: by pairs, or where their numbers differ, those that are most alike."""
    if len(old) == len(new):
        return [(place, place) for place in range(len(old))] if len(old) <= _MOST_PAIRED else []
    if len(old) * len(new) > _MOST_COMPARED:
        return []
    bags_a, bags_b = [_bag(text) for text in old], [_bag(text) for text in new]
    return best_pairs([[_gain(one, other) for other in bags_b] for one in bags_a])


def _bag(text: str) -> set[str]:
    return set(_WORDS.findall(text[:_LONGEST_LINE])) - {" "}


def _gain(one: set[str], other: set[str]) -> float:
    alike = 2 * len(one & other) / max(len(one) + len(other), 1)
    return alike if alike >= _ALIKE else 0.0


def _words(old: str, new: str) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Return where two lines differ; nothing if they have too little in common."""
    if max(len(old), len(new)) > _LONGEST_LINE:
        return [], []
    ours, theirs = _WORDS.findall(old), _WORDS.findall(new)
    steps = align(ours, theirs, most_edits=_MOST_WORDS)
    common = sum(len(word) for word in ours) - sum(len(w) for s in steps for w in ours[s.a_start : s.a_stop])
    if common * 3 < max(len(old), len(new)):
        return [], []
    return (
        _places(ours, [(step.a_start, step.a_stop) for step in steps]),
        _places(theirs, [(step.b_start, step.b_stop) for step in steps]),
    )


def _places(words: list[str], ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    starts = [0]
    for found in words:
        starts.append(starts[-1] + len(found))
    return [(starts[first], starts[last]) for first, last in ranges if last > first]


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_LINE else text[: _LONGEST_LINE - 1] + "…"


__all__ = ["compare_texts"]
