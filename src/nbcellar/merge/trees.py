"""Three-way merging of JSON: objects by key, tags and declared edges as sets, all else whole.

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
COMPONENT: Path = ("cellar", "component")
"""Where the metadata of a cell says that it is a component of a pipeline."""
AFTER: Path = (*COMPONENT, "after")
PARAMETERS: Path = ("metadata", "cellar", "parameters")
"""Where a notebook has the parameters of its pipeline: each is merged by its name, its value as one thing."""
# Keys that go when their last member goes: without them, they are as if empty.
_HOLDERS = frozenset({COMPONENT[:-1], PARAMETERS[:-1], PARAMETERS})
_HOLDING = frozenset({"cellar", "parameters"})
_OF_PIPELINES = frozenset({COMPONENT[-1], PARAMETERS[-1]})
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
    if path in _HOLDERS and _are_of_pipelines(base, ours, theirs, path):
        return _merge_holders(base, ours, theirs, whole, path)
    if (
        isinstance(ours, dict)
        and isinstance(theirs, dict)
        and not (path and path[-1] in whole)
        and len(path) < _DEEPEST
        and path[:-1] != PARAMETERS
    ):
        return _merge_objects(base if isinstance(base, dict) else {}, ours, theirs, whole, path)
    if path and (path[-1] == "tags" or path == AFTER):
        tags = [[] if side is ABSENT else side for side in (base, ours, theirs)]
        if _are_tags(*tags):
            merged: Any = _merge_tags(*tags) or (ABSENT if ABSENT in (ours, theirs) or path == AFTER else [])
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


def value_at(tree: Any, path: Path) -> Any:
    """Return what stands at a path of keys, `ABSENT` where nothing does."""
    for key in path:
        if not isinstance(tree, dict) or key not in tree:
            return ABSENT
        tree = tree[key]
    return tree


def with_value_at(tree: dict[str, Any], path: Path, value: Any) -> dict[str, Any]:
    """Return the objects of `tree` with another value at a path; objects on the way that are not there are made.

    Where something stands in the way that is no object, nothing is changed.
    """
    key, rest = path[0], path[1:]
    if rest:
        inner = tree.get(key, {})
        if not isinstance(inner, dict) or (key not in tree and value is ABSENT):
            return tree
        made = with_value_at(inner, rest, value)
        if made or key not in _HOLDING:
            return {**tree, key: made}
    if rest or value is ABSENT:
        return {name: held for name, held in tree.items() if name != key}
    return {**tree, key: value}


def _are_of_pipelines(base: Any, ours: Any, theirs: Any, path: Path) -> bool:
    """Return whether these are objects, or absent, and say something of a pipeline."""
    if not all(side is ABSENT or isinstance(side, dict) for side in (ours, theirs)):
        return False
    held = [side for side in (base, ours, theirs) if isinstance(side, dict)]
    return path == PARAMETERS or any(not _OF_PIPELINES.isdisjoint(side) for side in held)


def _merge_holders(base: Any, ours: Any, theirs: Any, whole: Collection[str], path: Path) -> TreeMerge:
    """Merge objects that are as if empty where they are not there, and that go with their last member."""
    objects = [side if isinstance(side, dict) else {} for side in (base, ours, theirs)]
    merged = _merge_objects(objects[0], objects[1], objects[2], whole, path)
    empty = {} if ours == {} or theirs == {} else ABSENT  # empty in a file already: left so
    return TreeMerge(merged.ours or empty, merged.theirs or empty, merged.conflicts)


def _merge_tags(base: Sequence[str], ours: Sequence[str], theirs: Sequence[str]) -> list[str]:
    of_base, of_ours, of_theirs = set(base), set(ours), set(theirs)
    kept = [tag for tag in ours if tag in of_theirs or tag not in of_base]
    return kept + [tag for tag in theirs if tag not in of_ours and tag not in of_base]


def _are_tags(*values: Any) -> bool:
    return all(isinstance(value, list) and all(isinstance(tag, str) for tag in value) for value in values)


def _same(a: Any, b: Any) -> bool:
    return a is b if a is ABSENT or b is ABSENT else same_json(a, b)


__all__ = [
    "ABSENT",
    "AFTER",
    "COMPONENT",
    "PARAMETERS",
    "Path",
    "TreeMerge",
    "merge_trees",
    "value_at",
    "with_value_at",
]
