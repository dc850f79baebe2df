"""What stays in the session and still holds objects that a restore replaces.

Variables that can be encoded are restored together with whatever they share state with. One that cannot be encoded (a
connection, a generator, a dictionary with a lock in it) stays as it is, and nobody knows what it shares: the list
inside is then no longer the list that the variable beside it names. Invariant: only looks, changes nothing, is bounded.
"""

from __future__ import annotations

import gc
import sys
import weakref
from array import array
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from types import (
    CodeType,
    FunctionType,
    MethodDescriptorType,
    MethodType,
    MethodWrapperType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any

from nbcellar.session.groups import Group
from nbcellar.session.immutable import ATOMS, is_immutable_type
from nbcellar.session.sharing import Span, share, sorted_ids

MOST_OBJECTS = 50_000
MOST_OF_STATE = 20_000
_NOT_ENTERED = (ModuleType, CodeType, type)
_CODE = (FunctionType, MethodType, MethodWrapperType, MethodDescriptorType, WrapperDescriptorType)
_PROXIES = (weakref.ProxyType, weakref.CallableProxyType)  # what is behind one shows itself as the object


@dataclass(frozen=True, slots=True)
class Reached:
    """What a variable reaches, not through the namespace, modules and classes; a `Sharer`.

    classes: of what it reaches.
    """

    shared: array[int]
    spans: tuple[Span, ...]
    complete: bool
    classes: frozenset[type] = frozenset()


def stale_holders(kept: Mapping[str, object], replaced: Collection[Group], namespace: dict[str, Any]) -> dict[str, str]:
    """Return, for each name of `kept` that reaches state of a replaced group, a sentence that says so."""
    found = {}
    for name, obj in kept.items():
        reached = reach((obj,), namespace)
        former = sorted({other for group in replaced if share(reached, group) for other in group.names})
        classes = with_bases(reached.classes)
        made_anew = sorted({cls.__name__ for group in replaced for cls in group.roots if cls in classes})
        if made_anew:
            found[name] = f"it is made of a former class {', '.join(made_anew)}: that was replaced"
        elif former:
            found[name] = f"it still holds what was replaced of {', '.join(former)}"
        elif not reached.complete:
            found[name] = "whether it still holds what was replaced cannot be seen"
    return found


def reach(objects: tuple[object, ...], namespace: dict[str, Any]) -> Reached:
    """Return what objects reach, as far as the collector sees and within bounds."""
    seen = {id(namespace)}
    spans: list[Span] = []
    classes: set[type] = set()
    queue, hidden = list(objects), False
    while queue and len(seen) <= MOST_OBJECTS:
        hidden = hidden or any(type(one) in _PROXIES for one in queue)
        batch = [one for one in queue if id(one) not in seen and not issubclass(type(one), _NOT_ENTERED)]
        seen.update(map(id, batch))
        classes.update(map(type, batch))
        spans += [span for one in batch if (span := _span(one)) is not None]
        queue = [inner for one in batch for inner in _inside(one)]
    whole = not queue and not hidden
    return Reached(sorted_ids(array("Q", seen)), tuple(sorted(spans)), whole, frozenset(classes))


def with_bases(classes: Iterable[type]) -> set[type]:
    """Return classes with those that they inherit from and are instances of."""
    found: set[type] = {base for cls in classes for base in cls.__mro__}
    metaclasses: set[type] = {type(cls) for cls in found}
    return found.union(*(metaclass.__mro__ for metaclass in metaclasses))


def state_within(objects: tuple[object, ...], namespace: dict[str, Any]) -> tuple[array[int], bool]:
    """Return the ids of what objects hold that can change, sorted, and whether that is all."""
    seen = {id(namespace), id(sys.modules)}
    state = array("Q")
    queue = list(objects)
    whole = True
    while queue and len(seen) <= MOST_OF_STATE:
        batch = {id(one): one for one in queue if id(one) not in seen and type(one) not in ATOMS}
        seen.update(batch)
        queue = []
        for ident, one in batch.items():
            kind = type(one)
            if issubclass(kind, _NOT_ENTERED) or kind.__module__ == "logging":  # loggers are everybody's
                continue
            if not (kind in _CODE or issubclass(kind, weakref.ReferenceType) or is_immutable_type(kind)):
                state.append(ident)
            whole = whole and kind not in _PROXIES
            queue.extend(_inside(one))
    return sorted_ids(state), whole and not queue


def _inside(obj: Any) -> Iterable[object]:
    if type(obj) is FunctionType:  # not its globals
        return (obj.__closure__, obj.__defaults__, obj.__kwdefaults__, obj.__dict__)
    if issubclass(type(obj), weakref.ReferenceType):
        return (obj(),)
    return gc.get_referents(obj)


def _span(obj: Any) -> Span | None:
    """Return the memory of an array: the collector does not look into arrays, nor at what they are views of."""
    numpy = sys.modules.get("numpy")
    if numpy is None or not issubclass(type(obj), numpy.ndarray):
        return None
    from nbcellar.session.reducers.numpy_reducers import byte_bounds

    low, high = byte_bounds(obj)
    return (low, high, False) if high > low else None


__all__ = ["MOST_OBJECTS", "Reached", "reach", "stale_holders", "state_within", "with_bases"]
