"""Three-way merging of JSON: objects by key, tags as a set, all else whole.

Invariant: a value that one side left as it was follows the other. Order of keys: that of ours, new keys of theirs at
the end. Not for: texts (`lines.py`), outputs (`outputs.py`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import msgspec

from nbcellar.diff.document.equality import same_json


class _Absent:
    def __repr__(self) -> str:
        return "absent"


ABSENT: Any = _Absent()

Path = tuple[str, ...]
_DEEPEST = 100  # nothing that programs write is nested so; below, values are taken whole


class TreeMerge(msgspec.Struct, frozen=True):
    """Both ways to read a merged value: they differ at `conflicts`, and are the same value if there are none."""

    ours: Any
    theirs: Any
    conflicts: tuple[Path, ...] = ()


def merge_trees(base: Any, ours: Any, theirs: Any, *, whole: Collection[str] = (), path: Path = ()) -> TreeMerge:
    """Merge two edits of one value; `ABSENT` stands for a key that is not there.

    whole: names of keys whose objects are merged as one thing, because their members belong together.
    """
    if _same(ours, theirs) or _same(theirs, base):
        return TreeMerge(ours, ours)
    if _same(ours, base):
        return TreeMerge(theirs, theirs)
    if (
        isinstance(ours, dict)
        and isinstance(theirs, dict)
        and not (path and path[-1] in whole)
        and len(path) < _DEEPEST
    ):
        return _merge_objects(base if isinstance(base, dict) else {}, ours, theirs, whole, path)
    if path and path[-1] == "tags":
        tags = [[] if side is ABSENT else side for side in (base, ours, theirs)]
        if _are_tags(*tags):
            merged: Any = _merge_tags(*tags) or (ABSENT if ABSENT in (ours, theirs) else [])
            return TreeMerge(merged, merged)
    return TreeMerge(ours, theirs, (path,))


def _merge_objects(
    base: dict[str, Any], ours: dict[str, Any], theirs: dict[str, Any], whole: Collection[str], path: Path
) -> TreeMerge:
    mine: dict[str, Any] = {}
    yours: dict[str, Any] = {}
    conflicts: list[Path] = []
    for key in [*ours, *(key for key in theirs if key not in ours)]:
        sides = (base.get(key, ABSENT), ours.get(key, ABSENT), theirs.get(key, ABSENT))
        merged = merge_trees(*sides, whole=whole, path=(*path, key))
        if merged.ours is not ABSENT:
            mine[key] = merged.ours
        if merged.theirs is not ABSENT:
            yours[key] = merged.theirs
        conflicts += merged.conflicts
    return TreeMerge(mine, yours if conflicts else mine, tuple(conflicts))


def _merge_tags(base: Sequence[str], ours: Sequence[str], theirs: Sequence[str]) -> list[str]:
    of_base, of_ours, of_theirs = set(base), set(ours), set(theirs)
    kept = [tag for tag in ours if tag in of_theirs or tag not in of_base]
    return kept + [tag for tag in theirs if tag not in of_ours and tag not in of_base]


def _are_tags(*values: Any) -> bool:
    return all(isinstance(value, list) and all(isinstance(tag, str) for tag in value) for value in values)


def _same(a: Any, b: Any) -> bool:
    return a is b if a is ABSENT or b is ABSENT else same_json(a, b)


__all__ = ["ABSENT", "Path", "TreeMerge", "merge_trees"]
