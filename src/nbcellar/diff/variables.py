"""Comparing one variable at two points: the way in.

Invariant: what cannot be looked into, for whatever reason, is compared by its stored blocks, and says so. Lists and
dicts that are stored in parts are read where their parts differ. Not for: what a part is (`tree.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from nbcellar.diff.model import BlocksChange, Kind, ValueChange
from nbcellar.diff.sides import Side
from nbcellar.diff.tree import Comparison
from nbcellar.values.inert import UnreadableError
from nbcellar.values.nodes import Dict, List
from nbcellar.values.stored import Stored, count_blocks, damaged_is_unreadable


def compare_values_of(name: str, place: int, before: Side, after: Side, place_before: int = -1) -> ValueChange | None:
    """Return what changed in a variable, None if its value is the same.

    place: which object of the co-variable it is, `place_before` on the other side if that is another one.
    """
    try:
        with damaged_is_unreadable():
            compared = Comparison(before, after)
            if before.stored.value.container and before.stored.value.container == after.stored.value.container:
                by_parts: ValueChange | None = _long_containers(compared, name)
                if by_parts is not NotImplemented:
                    return by_parts
            ours, theirs = before.stored.objects(), after.stored.objects()
            old, new = ours[place_before if place_before >= 0 else place], theirs[place]
            return compared.compare(name, old, new)
    except UnreadableError as error:
        return _by_blocks(name, before, after, str(error))


def _by_blocks(name: str, before: Side, after: Side, reason: str) -> ValueChange:
    changed, total, changed_bytes, total_bytes = count_blocks(before.stored, after.stored)
    detail = BlocksChange(changed=changed, total=total, changed_bytes=changed_bytes, total_bytes=total_bytes)
    return ValueChange(path=name, change="changed", detail=detail, notes=[f"compared by its stored blocks: {reason}"])


def describe_value(name: str, change: Kind, place: int, side: Side) -> ValueChange:
    """Return a variable that only one of the two points has."""
    try:
        with damaged_is_unreadable():
            node = side.stored.objects()[place]
            text, kind = side.word(node), side.type_name(node)
    except UnreadableError as error:
        return ValueChange(path=name, change=change, notes=[str(error)])
    if change == "added":
        return ValueChange(path=name, change=change, after=text, type_after=kind)
    return ValueChange(path=name, change=change, before=text, type_before=kind)


def _long_containers(compared: Comparison, path: str) -> Any:
    """Compare lists or dicts that are stored in parts by the parts that differ; NotImplemented for others."""
    ours, theirs = compared.ours.stored, compared.theirs.stored
    a, b = ours.part_keys(), theirs.part_keys()
    if not a or not b:
        return NotImplemented
    if ours.value.container == "dict":
        known_a, known_b = set(a), set(b)
        old = _pairs(ours, [i for i, key in enumerate(a) if key not in known_b])
        new = _pairs(theirs, [i for i, key in enumerate(b) if key not in known_a])
        whole = compared.mapping(path, old.pairs, new.pairs, old, new, ordered=not known_a & known_b)
        return _without_words(whole) if known_a & known_b else whole
    same = 0
    while same < min(len(a), len(b)) and a[same] == b[same]:
        same += 1
    end = 0
    while end < min(len(a), len(b)) - same and a[-1 - end] == b[-1 - end]:
        end += 1
    base = sum(len(part.items) for part in (ours.part(i) for i in range(same)) if type(part) is List)
    before, after = _items(ours, range(same, len(a) - end)), _items(theirs, range(same, len(b) - end))
    return _without_words(compared.sequence(path, before.items, after.items, before, after, base))


def _pairs(stored: Stored, numbers: Sequence[int]) -> Dict:
    parts = [stored.part(number) for number in numbers]
    return Dict([pair for part in parts if type(part) is Dict for pair in part.pairs])


def _items(stored: Stored, numbers: Sequence[int]) -> List:
    parts = [stored.part(number) for number in numbers]
    return List([item for part in parts if type(part) is List for item in part.items])


def _without_words(change: ValueChange | None) -> ValueChange | None:
    """Return a change that does not word the parts that were read as if they were all."""
    return msgspec.structs.replace(change, before="", after="") if change is not None else None


__all__ = ["compare_values_of", "describe_value"]
