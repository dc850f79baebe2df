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

_MODULES: dict[str, str] = {  # by package, the modules of this one that register reducers for it
    "builtins": "builtin_reducers",
    "matplotlib": "matplotlib_reducers",
    "mpl_toolkits": "matplotlib_reducers",
    "numpy": "numpy_reducers",
    "pandas": "pandas_reducers",
    "torch": "torch_reducers",
    "sympy": "sympy_reducers",
    "polars": "polars_reducers",
    **dict.fromkeys(("argparse", "_struct", "_io", "weakref"), "stdlib_reducers"),
    "scipy": "scipy_reducers cache_reducers",
    **dict.fromkeys(("astropy", "dask", "dask_expr", "networkx", "nltk", "sklearn"), "cache_reducers"),
}
_WITH_RESULTS = frozenset({"numpy", "pandas", "scipy", "sklearn", "xarray", "dask", "xml"})
_by_type: dict[str, Reducer] = {}
_by_base: dict[str, Callable[[type], Reducer | None]] = {}
_by_package: dict[str, Callable[[type], Reducer | None]] = {}
_loaded: set[str] = set()


def register(path: str, reducer: Reducer) -> None:
    """Use `reducer` for objects whose exact type is `path`, like "numpy.ndarray"."""
    _by_type[path] = reducer


def register_base(path: str, choose: Callable[[type], Reducer | None]) -> None:
    """Ask `choose(type)` for every type that has `path` among its bases; None leaves it to pickle."""
    _by_base[path] = choose


def register_package(package: str, choose: Callable[[type], Reducer | None]) -> None:
    """Ask `choose(type)` for every type with a base in this top-level package for which nothing else is registered."""
    _by_package[package] = choose


def find_reducer(kind: type) -> Reducer | None:
    """Return the reducer for a type, or None."""
    reducer = _find(kind)
    if any(str(base.__module__).partition(".")[0] in _WITH_RESULTS for base in kind.__mro__):
        from nbcellar.session.reducers.results import without_new_results

        return without_new_results(kind, reducer)
    return reducer


def _find(kind: type) -> Reducer | None:
    for base in kind.__mro__:
        module = base.__module__
        if isinstance(module, str):
            package = module.partition(".")[0]
            if package not in _loaded and package in _MODULES:
                _loaded.add(package)
                for name in _MODULES[package].split():
                    importlib.import_module(f"nbcellar.session.reducers.{name}")
    reducer = _by_type.get(_path(kind))
    if reducer is not None:
        return reducer
    for base in kind.__mro__:
        choose = _by_base.get(_path(base))
        if choose is not None:
            return choose(kind)
    for base in kind.__mro__:
        choose = _by_package.get(base.__module__.partition(".")[0]) if isinstance(base.__module__, str) else None
        if choose is not None:
            return choose(kind)
    return None


def _path(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
