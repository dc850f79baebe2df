"""What stays in the session and still holds objects that a restore replaces.

Variables that can be encoded are restored together with whatever they share state with. One that cannot be encoded (a
connection, a generator, a dictionary with a lock in it) stays as it is, and nobody knows what it shares: the list
inside is then no longer the list that the variable beside it names. Invariant: only looks, changes nothing, is bounded.
"""

from __future__ import annotations

import gc
from array import array
from collections.abc import Collection, Iterable, Mapping
from types import CodeType, FunctionType, ModuleType
from typing import Any

from nbcellar.session.groups import Group
from nbcellar.session.sharing import share_ids, sorted_ids

MOST_OBJECTS = 50_000
_NOT_ENTERED = (ModuleType, CodeType, type)


def stale_holders(kept: Mapping[str, object], replaced: Collection[Group], namespace: dict[str, Any]) -> dict[str, str]:
    """Return, for each name of `kept` that reaches state of a replaced group, a sentence that says so."""
    found = {}
    for name, obj in kept.items():
        reached, complete = _reached(obj, namespace)
        former = sorted({other for group in replaced if share_ids(reached, group.shared) for other in group.names})
        if former:
            found[name] = f"it still holds what was replaced of {', '.join(former)}"
        elif not complete:
            found[name] = "it is too large to be looked through for what was replaced"
    return found


def _reached(obj: object, namespace: dict[str, Any]) -> tuple[array[int], bool]:
    """Return the sorted ids of what an object reaches (not through namespace, modules, classes), and if that is all."""
    seen = {id(namespace)}
    queue = [obj]
    while queue:
        batch = [one for one in queue if id(one) not in seen and not issubclass(type(one), _NOT_ENTERED)]
        seen.update(map(id, batch))
        if len(seen) > MOST_OBJECTS:
            return sorted_ids(array("Q", seen)), False
        queue = [inner for one in batch for inner in _inside(one)]
    return sorted_ids(array("Q", seen)), True


def _inside(obj: object) -> Iterable[object]:
    if type(obj) is FunctionType:  # not its globals
        return (obj.__closure__, obj.__defaults__, obj.__kwdefaults__, obj.__dict__)
    if type(obj).__module__ == "numpy":  # the collector does not look into arrays
        return (getattr(obj, "base", None),)
    return gc.get_referents(obj)


__all__ = ["MOST_OBJECTS", "stale_holders"]
