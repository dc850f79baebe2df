"""Comparing texts by line, and lines that correspond by word. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nbcellar.diff.align import Step, align
from nbcellar.diff.model import Line, TextChange

CONTEXT = 2
MOST_LINES = 200
_LONGEST_LINE = 2000
_WORDS = re.compile(r"\w+|\s+|.", re.DOTALL)


def compare_texts(
    before: str, after: str, *, code: bool = False, context: int = CONTEXT, most: int = MOST_LINES
) -> TextChange:
    """Return the lines that differ, with `context` lines around them; at most `most` lines in all."""
    old, new = before.splitlines(), after.splitlines()
    steps = align(old, new)
    added = sum(step.b_stop - step.b_start for step in steps)
    removed = sum(step.a_stop - step.a_start for step in steps)
    lines = _lines(old, new, steps, context, most)
    if len(lines) > most:
        lines = [*lines[:most], Line(mark="…", text=f"{len(lines) - most:,} more lines")]
    return TextChange(added=added, removed=removed, lines=lines, code=code)


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
    """Return lines that went, then those that came; where they go by pairs, with the words that differ."""
    gone, come = [], []
    paired = len(old) == len(new) and len(old) <= 50
    for place, text in enumerate(old):
        words = _words(text, new[place])[0] if paired else []
        gone.append(Line(mark="-", text=_cut(text), words=words))
    for place, text in enumerate(new):
        words = _words(old[place], text)[1] if paired else []
        come.append(Line(mark="+", text=_cut(text), words=words))
    return gone + come


def _words(old: str, new: str) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Return where two lines differ; nothing if they have too little in common."""
    if max(len(old), len(new)) > _LONGEST_LINE:
        return [], []
    ours, theirs = _WORDS.findall(old), _WORDS.findall(new)
    steps = align(ours, theirs)
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
