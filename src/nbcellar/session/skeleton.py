"""Making a class object without running anything of the user: no metaclass code, `__init_subclass__` or `__set_name__`.

`type.__new__` calls `__init_subclass__` of the bases whatever one does. A class with a `__init_subclass__` of no effect
is therefore put before the bases, and `__bases__` set right afterwards; that class needs the memory layout of the best
base, so the few possible layouts are tried. Creating a class below a live one adds the weak reference in
`__subclasses__()`; nothing else of a live class changes.
"""

from __future__ import annotations

import gc
import itertools
from collections.abc import Iterator
from types import FunctionType
from typing import Any

_LAYOUTS: tuple[dict[str, Any], ...] = (
    {},
    {"__slots__": ()},
    {"__slots__": ("__dict__",)},
    {"__slots__": ("__weakref__",)},
)


def native(cls: type, name: str) -> Any:
    """Return the C implementation of `cls.<name>` that is nearest in the method resolution order."""
    for base in cls.__mro__:
        found = base.__dict__.get(name)
        if found is not None and not isinstance(found, (FunctionType, staticmethod, classmethod)):
            return getattr(base, name)
    raise TypeError(f"{cls.__qualname__} has no {name} in C")


def make_skeleton(
    metaclass: type, name: str, bases: tuple[type, ...], namespace: dict[str, Any], layout: tuple[bool, bool]
) -> type:
    """Return a new class. layout: whether instances have a `__dict__` and can be weakly referenced.

    Raises TypeError when the layout of the bases defeats every attempt.
    """
    if not _has_hook(bases):
        return _create(metaclass, name, bases, namespace)
    try:
        return _make_quietly(metaclass, name, bases, namespace, layout)
    finally:
        gc.collect(0)  # what was tried is out of `__subclasses__()` of live classes before anyone looks


def _create(metaclass: type, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> type:
    made: type = type.__new__(metaclass, name, bases, dict(namespace))
    return made


def _make_quietly(
    metaclass: type, name: str, bases: tuple[type, ...], namespace: dict[str, Any], layout: tuple[bool, bool]
) -> type:
    problem = "no layout fits"
    for parent, slots in itertools.product(_ancestors(bases), _LAYOUTS):
        try:
            return _make_behind(_silencer(parent, slots), metaclass, name, bases, namespace, layout)
        except TypeError as error:
            problem = str(error)
    raise TypeError(f"class {name} cannot be made without running __init_subclass__ of its bases: {problem}")


def _has_hook(bases: tuple[type, ...]) -> bool:
    return any("__init_subclass__" in vars(cls) for base in bases for cls in base.__mro__ if cls is not object)


def _ancestors(bases: tuple[type, ...]) -> Iterator[type]:
    """Yield `object` and then the ancestors in memory of the bases."""
    seen: set[type] = {object}
    yield object
    for base in bases:
        cls: type | None = base
        while cls is not None:
            if cls not in seen:
                seen.add(cls)
                yield cls
            cls = cls.__base__


def _silencer(parent: type, slots: dict[str, Any]) -> type:
    """Return a class below `parent` whose `__init_subclass__` does nothing."""
    namespace = {**slots, "__module__": __name__, "__init_subclass__": classmethod(_do_nothing)}
    metaclass = type if parent is object else type(parent)
    if not _has_hook((parent,)):
        return _create(metaclass, "Silencer", (parent,), namespace)
    for layout in _LAYOUTS:
        try:
            inner = _create(type, "Silencer", (object,), {**layout, "__init_subclass__": classmethod(_do_nothing)})
            return _exchange(_create(metaclass, "Silencer", (inner, parent), namespace), (parent,))
        except TypeError:
            continue
    raise TypeError(f"the layout of {parent.__qualname__} cannot be repeated")


def _make_behind(
    silencer: type,
    metaclass: type,
    name: str,
    bases: tuple[type, ...],
    namespace: dict[str, Any],
    layout: tuple[bool, bool],
) -> type:
    made = _exchange(_create(metaclass, name, (silencer, *bases), namespace), bases)
    if (bool(made.__dictoffset__), bool(made.__weakrefoffset__)) != layout:
        raise TypeError("another layout")
    return made


def _exchange(cls: type, bases: tuple[type, ...]) -> type:
    type.__setattr__(cls, "__bases__", bases)
    return cls


def _do_nothing(cls: Any, /, **_: Any) -> None:
    return None
