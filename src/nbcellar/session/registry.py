"""Reducers by type, for what plain pickle copies, loses or gets wrong.

A reducer is `function(obj, encoder) -> reduction | NotImplemented`, found by the qualified name of the object's exact
type, so that a library is never imported to ask for it. Reducers of a library are loaded when one of its types is
first seen.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

Reducer = Callable[[Any, Any], Any]

_MODULES: dict[str, str] = {
    "builtins": "nbcellar.session.builtin_reducers",
    "matplotlib": "nbcellar.session.matplotlib_reducers",
    "mpl_toolkits": "nbcellar.session.matplotlib_reducers",
    "numpy": "nbcellar.session.numpy_reducers",
    "pandas": "nbcellar.session.pandas_reducers",
}
_by_type: dict[str, Reducer] = {}
_by_base: dict[str, Callable[[type], Reducer | None]] = {}
_loaded: set[str] = set()


def register(path: str, reducer: Reducer) -> None:
    """Use `reducer` for objects whose exact type is `path`, like "numpy.ndarray"."""
    _by_type[path] = reducer


def register_base(path: str, choose: Callable[[type], Reducer | None]) -> None:
    """Ask `choose(type)` for every type that has `path` among its bases; None leaves it to pickle."""
    _by_base[path] = choose


def find_reducer(kind: type) -> Reducer | None:
    """Return the reducer for a type, or None."""
    for base in kind.__mro__:
        module = base.__module__
        if isinstance(module, str):
            package = module.partition(".")[0]
            if package in _MODULES and package not in _loaded:
                _loaded.add(package)
                importlib.import_module(_MODULES[package])
    reducer = _by_type.get(_path(kind))
    if reducer is not None:
        return reducer
    for base in kind.__mro__:
        choose = _by_base.get(_path(base))
        if choose is not None:
            return choose(kind)
    return None


def _path(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
