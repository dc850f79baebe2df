"""Comparing texts by line, and lines that correspond by word. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nbcellar.diff.align import Step, align
from nbcellar.diff.model import Line, TextChange

CONTEXT = 2
MOST_LINES = 200
_LONGEST_LINE = 2000
_MOST_WORDS = 100  # edits of words in a line: they cost their square, and more of them tell nobody anything
_WORDS = re.compile(r"\w+|\s+|.", re.DOTALL)


def compare_texts(before: str, after: str, *, code: bool = False, context: int = CONTEXT) -> TextChange:
    """Return the lines that differ, with `context` lines around them."""
    old, new = before.splitlines(), after.splitlines()
    steps = align(old, new)
    added = sum(step.b_stop - step.b_start for step in steps)
    removed = sum(step.a_stop - step.a_start for step in steps)
    lines = _lines(old, new, steps, context)
    if len(lines) > MOST_LINES:
        lines = [*lines[:MOST_LINES], Line(mark="…", text=f"{len(lines) - MOST_LINES:,} more lines")]
    return TextChange(added=added, removed=removed, lines=lines, code=code)


def _lines(old: list[str], new: list[str], steps: Sequence[Step], context: int) -> list[Line]:
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
        if len(found) > 4 * MOST_LINES:
            break
    if steps and shown < len(old):
        found.append(Line(mark="…", text=""))
    return found


def _replaced(old: list[str], new: list[str]) -> list[Line]:
    """Return lines that went, then those that came; where they go by pairs, with the words that differ."""
    gone, come = [], []
    paired = len(old) == len(new) and len(old) <= 50
    words = [_words(*pair) for pair in zip(old, new, strict=True)] if paired else []
    for place, text in enumerate(old):
        gone.append(Line(mark="-", text=_cut(text), words=words[place][0] if paired else []))
    for place, text in enumerate(new):
        come.append(Line(mark="+", text=_cut(text), words=words[place][1] if paired else []))
    return gone + come


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
