"""Which names share state with an object that cannot be stored, as a writer does with the buffer that it writes to.

Invariant: reads what the garbage collector knows of objects; runs no code of the user. Not for: what can be stored,
whose sharing the session finds (`session/`).
"""

from __future__ import annotations

import gc
from collections.abc import Mapping
from types import BuiltinFunctionType, FunctionType, ModuleType

import msgspec

from nbcellar.pipeline.model import Value

_MOST_OBJECTS = 20_000


def with_company(values: Mapping[str, Value], space: Mapping[str, object]) -> dict[str, Value]:
    """Return the values, those without a place in the store with the names whose objects they reach."""
    found = dict(values)
    objects = {id(space[name]): name for name in values if name in space and _may_share(space[name])}
    for name, value in values.items():
        if not value.reason or name not in space:
            continue
        for other in sorted(_reached(space[name], objects) - {name}):
            for one, two in ((name, other), (other, name)):
                together = dict.fromkeys((*found[one].together, two))
                found[one] = msgspec.structs.replace(found[one], together=tuple(together))
    return found


def _may_share(value: object) -> bool:
    return not isinstance(value, type | ModuleType | FunctionType | str | bytes | int | float | complex | None)


def _reached(start: object, objects: Mapping[int, str]) -> set[str]:
    todo, seen, found = [start], {id(start)}, set()
    while todo and len(seen) < _MOST_OBJECTS:
        for inner in gc.get_referents(todo.pop()):
            if id(inner) in seen or isinstance(inner, type | ModuleType | FunctionType):
                continue
            seen.add(id(inner))
            if id(inner) in objects:
                found.add(objects[id(inner)])
            if gc.is_tracked(inner) or isinstance(inner, BuiltinFunctionType):
                todo.append(inner)
    return found


__all__ = ["with_company"]
