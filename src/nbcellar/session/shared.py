"""Which of the objects that a pickle reached could be state shared with another variable.

Read off the pickler's memo while it is alive. Invariant: what is left out is immutable, found by name, or a temporary
that nothing but the memo keeps; everything else counts as shared state, also what only a tuple holds: two tuples, or a
tuple and a list, may hold it. Written for a million objects: loops run in C.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Collection, Iterable, Mapping
from itertools import compress, repeat
from operator import is_
from types import ModuleType
from typing import Any

from nbcellar.session.immutable import is_immutable_type
from nbcellar.session.importable import is_found_by_name, is_importable_module

Memo = Mapping[int, tuple[int, Any]]

_PLAIN = frozenset({str, int, float, bytes, tuple, complex, bool, frozenset})
_CONTAINERS = frozenset({list, dict, set, bytearray})
_HOLDERS = frozenset({list, dict, set, tuple})
_LONG = frozenset({str, bytes, tuple, frozenset})
_SHORT = frozenset({str, int, float, bool, complex, type(None)})
_LONG_FROM = 256
_FEW = 5  # kinds; with more of them one pass in Python is faster than one in C for each


def shared_state(memo: Memo, roots: frozenset[int], ignored: set[int]) -> array[int]:
    """Return ids of objects that two variables could share and change.

    roots: ids of classes that count although classes do not. ignored: ids that a reducer has told not to count.
    """
    ids = array("Q")
    for kind, objects in _by_kind([pair[1] for pair in memo.values()]):
        ids.extend(_shared_of(kind, objects, roots))
    if ignored:
        ids = array("Q", [ident for ident in ids if ident not in ignored])
    return ids


def within_temporaries(memo: Memo) -> Collection[int]:
    """Return ids of what only temporaries hold, as the dicts in a state that a class makes for its pickle.

    Their memory is used again by the next pickling, and a variable would seem to share state with what lay there.
    """
    return _within_temporaries([pair[1] for pair in memo.values()])


def _within_temporaries(objects: list[Any]) -> Collection[int]:
    counts = list(map(sys.getrefcount, objects))
    queue = [obj for obj, count in zip(objects, counts, strict=True) if count <= _TEMPORARY and type(obj) in _HOLDERS]
    if not queue:
        return ()
    others = dict(zip(map(id, objects), counts, strict=True))  # how many hold it, and a constant
    found = set()
    while queue:
        holder = queue.pop()
        for part in holder.values() if type(holder) is dict else holder:
            ident = id(part)
            if ident in others:
                others[ident] -= 1
                if others[ident] == _TEMPORARY:
                    found.add(ident)
                    if type(part) in _HOLDERS:
                        queue.append(part)
    return found


def _by_kind(objects: list[Any]) -> Iterable[tuple[type, list[Any]]]:
    """Return the objects by type, without those that never count."""
    kinds = list(map(type, objects))
    present = set(kinds) - _PLAIN
    if len(present) <= _FEW:
        return [(kind, list(compress(objects, map(is_, kinds, repeat(kind))))) for kind in present]
    found: dict[type, list[Any]] = {kind: [] for kind in present}
    for kind, obj in zip(kinds, objects, strict=True):
        if kind in found:
            found[kind].append(obj)
    return found.items()


def _shared_of(kind: type, objects: list[Any], roots: frozenset[int]) -> Iterable[int]:
    if kind is ModuleType:
        return [id(obj) for obj in objects if not is_importable_module(obj)]
    if kind not in _CONTAINERS:
        if is_immutable_type(kind):
            return [id(obj) for obj in objects if id(obj) in roots] if roots else []
        if any("__call__" in vars(base) for base in kind.__mro__):  # pickled by name, most likely
            return [id(obj) for obj in objects if not is_found_by_name(obj)]
    held = map(_TEMPORARY.__lt__, map(sys.getrefcount, objects))
    return compress(map(id, objects), held)


def long_values(memo: Memo) -> list[int]:
    """Return ids of long immutable values."""
    objects = [pair[1] for pair in memo.values()]
    kinds = list(map(type, objects))
    ids: list[int] = []
    for kind in set(kinds) & _LONG:
        chosen = list(compress(objects, map(is_, kinds, repeat(kind))))
        ids.extend(compress(map(id, chosen), map(_LONG_FROM.__lt__, map(len, chosen))))
    return ids


def is_plain_part(part: Any) -> bool:
    """True if a list or dict holds nothing but numbers and short texts; asked only where texts come first.

    Then it shares no state, and its memo, with an entry for each text, need not be looked at.
    """
    values = part if type(part) is list else part.values()
    if type(next(iter(values))) is not str and (type(part) is list or type(next(iter(part))) is not str):
        return False  # numbers have no memo entries; there is nothing to save
    columns = (part,) if type(part) is list else (part, values)
    kinds = {kind for column in columns for kind in set(map(type, column))}
    if not kinds <= _SHORT:
        return False
    texts = (item for column in columns for item in column if type(item) is str) if kinds != {str} else None
    longest = max(map(len, texts), default=0) if texts is not None else max(max(map(len, c)) for c in columns)
    return longest <= _LONG_FROM


def _count_of_temporary() -> int:
    """Return the reference count that `_shared_of` sees of an object which only a memo holds."""
    table: list[object] = [[]]  # stands for the pickler's own table
    memo = {0: (0, table[0])}
    chosen = list(compress([pair[1] for pair in memo.values()], map(is_, map(type, table), repeat(list))))
    return next(map(sys.getrefcount, chosen))


_TEMPORARY = _count_of_temporary()
