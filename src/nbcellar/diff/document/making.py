"""Making the operations that lead from one value to another.

Invariant: `patch_value(a, diff_values(a, b))` is strictly equal to `b`; equal values need no operation.

Of two ways to say a change the shorter one is taken: a value is replaced where patching it would take more.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from nbcellar.diff.align import Step, align
from nbcellar.diff.document.equality import json_key, same_json
from nbcellar.diff.document.operations import (
    Add,
    AddRange,
    Operation,
    Operations,
    Patch,
    Remove,
    RemoveRange,
    Replace,
    size,
    value_size,
)
from nbcellar.diff.document.similarity import common_ends

_DEEPEST = 100
_WORDS = re.compile(r"\w+|\s+|.", re.DOTALL)
_LONGEST_LINE = 4000
_ONE_STRETCH = 40
_NEAR = 8
_MOST_LINES = 2_000

Differ = Callable[[Any, Any, int], Operations]


def diff_values(a: Any, b: Any, depth: int = 0) -> Operations:
    """Return the operations from `a` to `b`, two dicts, two lists or two texts."""
    if isinstance(a, dict):
        return diff_dicts(a, b, depth)
    if isinstance(a, str):
        return diff_texts(a, b)
    return diff_lists(a, b, depth)


def diff_dicts(a: dict[str, Any], b: dict[str, Any], depth: int = 0) -> Operations:
    """Return the operations between two dicts, by key."""
    found: Operations = []
    for key in sorted(a.keys() | b.keys()):
        if key not in b:
            found.append(Remove(key))
        elif key not in a:
            found.append(Add(key, b[key]))
        elif not same_json(a[key], b[key]):
            found.append(diff_member(key, a[key], b[key], depth))
    return found


def diff_member(key: str, old: Any, new: Any, depth: int = 0, differ: Differ = diff_values) -> Operation:
    """Return the operation for a key whose value changed: a patch, or a replacement if that is shorter."""
    if not can_patch(old, new, depth):
        return Replace(key, new)
    inner = differ(old, new, depth + 1)
    return Patch(key, inner) if size(inner) < value_size(new) else Replace(key, new)


def can_patch(old: Any, new: Any, depth: int) -> bool:
    """Return whether a value may be patched: containers of one kind, and texts in which that could be shorter."""
    if depth >= _DEEPEST or type(old) is not type(new):
        return False
    if isinstance(old, str):
        return len(old) > 20 < len(new) and ("\n" in old or len(old) < _LONGEST_LINE)
    return isinstance(old, dict | list)


def diff_lists(
    a: Sequence[Any], b: Sequence[Any], depth: int = 0, alike: Callable[[Any, Any], bool] | None = None
) -> Operations:
    """Return the operations between two lists. Items that stand for each other are patched if they are `alike`."""
    found: Operations = []
    for step in align([json_key(item) for item in a], [json_key(item) for item in b]):
        x, y = step.a_start, step.b_start
        for i, j, inner in [*_patches(a, b, step, depth, alike or _same_kind), (step.a_stop, step.b_stop, None)]:
            if j > y:
                found.append(AddRange(x, list(b[y:j])))
            if i > x:
                found.append(RemoveRange(x, i - x))
            if inner is not None:
                found.append(Patch(i, inner))
            x, y = i + 1, j + 1
    return found


def _patches(
    a: Sequence[Any], b: Sequence[Any], step: Step, depth: int, alike: Callable[[Any, Any], bool]
) -> list[tuple[int, int, Operations | None]]:
    """Return items of a replaced stretch that are worth a patch: their places, in order, and the patch."""
    found: list[tuple[int, int, Operations | None]] = []
    j = step.b_start
    for i in range(step.a_start, step.a_stop):
        for other in range(j, min(step.b_stop, j + _NEAR)):
            if isinstance(a[i], dict | list) and can_patch(a[i], b[other], depth) and alike(a[i], b[other]):
                inner = diff_values(a[i], b[other], depth + 1)
                if size(inner) < value_size(b[other]):
                    found.append((i, other, inner))
                j = other + 1
                break
    return found


def _same_kind(a: Any, b: Any) -> bool:
    if isinstance(a, dict):
        return 2 * len(a.keys() & b.keys()) >= max(len(a), len(b))
    return True


def diff_texts(a: str, b: str, depth: int = 0) -> Operations:
    """Return the operations between two texts, by line, and within a line by character."""
    old, new = a.splitlines(keepends=True), b.splitlines(keepends=True)
    found: Operations = []
    for step in align(old, new):
        if step.a_stop - step.a_start == step.b_stop - step.b_start <= _MOST_LINES:
            found += _diff_stretch(old, new, step)
        else:
            found += _replaced(new, step.a_start, step.a_stop, step.b_start, step.b_stop)
    return found


def _replaced(new: Sequence[str], a_start: int, a_stop: int, b_start: int, b_stop: int) -> Operations:
    found: Operations = []
    if b_stop > b_start:
        found.append(AddRange(a_start, list(new[b_start:b_stop])))
    if a_stop > a_start:
        found.append(RemoveRange(a_start, a_stop - a_start))
    return found


def _diff_stretch(old: Sequence[str], new: Sequence[str], step: Step) -> Operations:
    """Return the operations for lines that go by pairs: patches where they are shorter than the line."""
    found: Operations = []
    begin = 0
    count = step.a_stop - step.a_start
    for n in range(count + 1):
        inner = diff_line(old[step.a_start + n], new[step.b_start + n]) if n < count else None
        if inner is None and n < count:
            continue
        x, y = step.a_start, step.b_start
        found += _replaced(new, x + begin, x + n, y + begin, y + n)
        if inner is not None:
            found.append(Patch(x + n, inner))
        begin = n + 1
    return found


def diff_line(old: str, new: str) -> Operations | None:
    """Return the operations between two lines by character, None if the new line itself is shorter."""
    start, end = common_ends(old, new)
    inner = _diff_middle(old[start : len(old) - end], new[start : len(new) - end], start)
    return inner if size(inner) < len(new) + 60 else None


def _diff_middle(old: str, new: str, at: int) -> Operations:
    steps = [Step(0, len(old), 0, len(new))]
    if min(len(old), len(new)) > _ONE_STRETCH and max(len(old), len(new)) < _LONGEST_LINE:
        steps = _by_words(old, new)
    found: Operations = []
    for step in steps:
        if step.b_stop > step.b_start:
            found.append(AddRange(at + step.a_start, new[step.b_start : step.b_stop]))
        if step.a_stop > step.a_start:
            found.append(RemoveRange(at + step.a_start, step.a_stop - step.a_start))
    return found


def _by_words(old: str, new: str) -> list[Step]:
    """Return which characters are replaced, by the words that both lines have."""
    ours, theirs = _WORDS.findall(old), _WORDS.findall(new)
    starts_a, starts_b = _starts(ours), _starts(theirs)
    merged: list[Step] = []
    for step in align(ours, theirs):
        a, b = starts_a[step.a_start], starts_b[step.b_start]
        # An operation takes 30 characters; less than that between two changes is said again.
        if merged and a - merged[-1].a_stop < 30:
            a, b = merged[-1].a_start, merged.pop().b_start
        merged.append(Step(a, starts_a[step.a_stop], b, starts_b[step.b_stop]))
    return merged


def _starts(words: Sequence[str]) -> list[int]:
    starts = [0]
    for word in words:
        starts.append(starts[-1] + len(word))
    return starts


__all__ = ["Differ", "can_patch", "diff_dicts", "diff_line", "diff_lists", "diff_member", "diff_texts", "diff_values"]
