"""Which classes, functions and modules are found again by name, in this process and in a new one.

A class counts as one *of the notebook* when it is not found by name: its module is `__main__`, or was removed, or has
no import behind it (made by `types.ModuleType`), or holds another object under that name (a reloaded module, a class
redefined), or the class was made inside a function or by a call of `type()`, `namedtuple()`, `make_dataclass()`,
`Enum()`. Types of C that carry no usable name (`function`, `generator`) are reached through `types`.

Nothing is imported to answer: what is not imported cannot have made the object.
"""

from __future__ import annotations

import sys
import types
from typing import Any, TypeGuard

MAIN_MODULES = frozenset({"__main__", "__mp_main__"})
_HEAP_TYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE: made by a class statement, or by a C extension of the newer kind


def is_found_by_name(obj: Any) -> bool:
    """True if importing the object's module and following its qualified name gives this very object."""
    module_name = getattr(obj, "__module__", None)
    name = getattr(obj, "__qualname__", None)
    if type(module_name) is not str or type(name) is not str or module_name in MAIN_MODULES:
        return False
    if not has_import(module_name):
        return False
    module = sys.modules[module_name]
    if "." not in name:
        found = vars(module).get(name)
        if found is obj:
            return True
        if found is not None:
            return False
    return _follow(module, name) is obj


def is_notebook_class(obj: Any, namespace: dict[str, Any]) -> bool:
    """True if `obj` is a class that has to be encoded by value (see the module's docstring)."""
    return is_class(obj) and is_heap_type(obj) and not is_found_by_name(obj)


def is_class(obj: object) -> TypeGuard[type]:
    """True for a class. `isinstance` would ask `__class__`, by which `list[int]` passes for one in Python 3.10."""
    return issubclass(type(obj), type)


def is_heap_type(cls: type) -> bool:
    """False for static types of C, which no notebook can make."""
    return bool(cls.__flags__ & _HEAP_TYPE)


def is_importable_module(module: types.ModuleType) -> bool:
    """True if `import` gives this module object."""
    name = module.__name__
    return type(name) is str and name not in MAIN_MODULES and sys.modules.get(name) is module and has_import(name)


def has_import(module_name: str) -> bool:
    """True for a loaded module that an import brought, itself or as a part that its parent made (as pybind11 does)."""
    module = sys.modules.get(module_name)
    if module is None:
        return False
    if getattr(module, "__spec__", None) is not None:
        return True
    parent = module_name.rpartition(".")[0]
    return bool(parent) and has_import(parent)


def alias_of(cls: type) -> tuple[str, str] | None:
    """Return (module, name) under which a static type of C without a usable name is found, or None."""
    if not _aliases:
        import _collections_abc

        for path, module in (("types", types), ("_collections_abc", _collections_abc)):
            for name, value in vars(module).items():
                if is_class(value) and not is_heap_type(value):
                    _aliases.setdefault(value, (path, name))
    return _aliases.get(cls)


_aliases: dict[type, tuple[str, str]] = {}


def _follow(module: types.ModuleType, name: str) -> object:
    found: Any = module
    for part in name.split("."):
        if part == "<locals>":
            return None
        try:
            found = getattr(found, part)
        except Exception:  # a module's own __getattr__ may raise anything
            return None
    return found
