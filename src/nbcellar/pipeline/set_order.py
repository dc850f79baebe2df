"""Which sets give their elements in another order once they were stored and loaded: tables remember what was in them.

A component that goes through a set and one after it that does so, too, may see two orders, where one kernel shows the
same one twice: that is told. Invariant: runs no code of the user: sets of plain values alone are looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

_PLAIN = frozenset({str, bytes, int, float, bool, type(None)})
_MOST_ELEMENTS = 1_000_000
_MOST_PARTS = 1_000


def other_orders(space: Mapping[str, object], names: Iterable[str]) -> tuple[str, ...]:
    """Return those of the names that hold such a set, or have one among their elements."""
    return tuple(sorted(name for name in names if name in space and any(map(_differs, _sets(space[name])))))


def _sets(value: object) -> list[set[object] | frozenset[object]]:
    parts: list[object] = [value]
    if type(value) is dict:
        parts = list(value.values())[:_MOST_PARTS]
    elif type(value) in (list, tuple):
        parts = list(value)[:_MOST_PARTS]  # type: ignore[call-overload]
    return [part for part in parts if type(part) in (set, frozenset)]  # type: ignore[misc]


def _differs(found: set[object] | frozenset[object]) -> bool:
    if len(found) > _MOST_ELEMENTS or not _PLAIN.issuperset(map(type, found)):
        return False
    there = list(found)
    return list(type(found)(there)) != there


__all__ = ["other_orders"]
