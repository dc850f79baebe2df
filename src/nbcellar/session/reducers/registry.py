"""Reducers by type, for what plain pickle copies, loses or gets wrong.

A reducer is `function(obj, encoder) -> reduction | NotImplemented`, found by the qualified name of the object's exact
type, so that a library is never imported to ask for it. Reducers of a library are loaded when one of its types is
first seen: Cellar's own, then those of other distributions (`plugins.py`), which may replace them.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import Any

from nbcellar.session.reducers import plugins

Reducer = Callable[[Any, Any], Any]
Choose = Callable[[type], Reducer | None]

_MODULES: dict[str, str] = {  # by package, the modules of this one that register reducers for it
    "builtins": "builtin_reducers",
    "matplotlib": "matplotlib_reducers",
    "mpl_toolkits": "matplotlib_reducers",
    "numpy": "numpy_reducers",
    "pandas": "pandas_reducers",
    "torch": "torch_reducers",
    "sympy": "sympy_reducers",
    "polars": "polars_reducers",
    **dict.fromkeys(("argparse", "ipaddress", "_struct", "_io", "weakref"), "stdlib_reducers"),
    "scipy": "scipy_reducers cache_reducers",
    "astropy": "astropy_reducers",
    "PIL": "image_reducers",
    "bokeh": "bokeh_reducers",
    "cv2": "image_reducers",
    "pint": "pint_reducers",
    "spacy": "spacy_reducers",
    "sqlalchemy": "sqlalchemy_reducers",
    "sklearn": "sklearn_reducers cache_reducers",
    **dict.fromkeys(("dask", "dask_expr", "networkx", "nltk"), "cache_reducers"),
}
_WITH_RESULTS = frozenset({"numpy", "pandas", "scipy", "sklearn", "xarray", "dask", "xml"})
_by_type: dict[str, Reducer] = {}
_by_base: dict[str, Choose] = {}
_by_package: dict[str, Choose] = {}
_loaded: set[str] = set()
_NOT_INSTALLED = sys.stdlib_module_names | {"__main__", "nbcellar"}  # nobody else registers reducers for these
_plugins: dict[str, list[plugins.Plugin]] | None = None  # by package; None: not looked for yet
_broken: list[str] = []  # sentences that nobody has taken yet


def register(path: str, reducer: Reducer) -> None:
    """Use `reducer` for objects whose exact type is `path`, like "numpy.ndarray"."""
    _by_type[path] = reducer


def register_base(path: str, choose: Choose) -> None:
    """Ask `choose(type)` for every type that has `path` among its bases; None leaves it to pickle."""
    _by_base[path] = choose


def register_package(package: str, choose: Choose) -> None:
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
            if package not in _loaded:
                _load(package)
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


def take_broken() -> tuple[str, ...]:
    """Return, once, a sentence for each plug-in that turned out not to work."""
    taken = tuple(_broken)
    _broken.clear()
    return taken


def _load(package: str) -> None:
    _loaded.add(package)
    for name in _MODULES.get(package, "").split():
        importlib.import_module(f"nbcellar.session.reducers.{name}")
    if package not in _NOT_INSTALLED:
        for plugin in _plugins_for(package):
            _load_plugin(plugin)


def _plugins_for(package: str) -> list[plugins.Plugin]:
    global _plugins
    if _plugins is None:
        _plugins = {}
        for plugin in plugins.find_plugins(sys.path):
            _plugins.setdefault(plugin.package, []).append(plugin)
    return _plugins.get(package, [])


def _load_plugin(plugin: plugins.Plugin) -> None:
    """Let a plug-in register its reducers; one that fails leaves everything as it was, and a sentence."""
    tables: tuple[dict[str, Any], ...] = (_by_type, _by_base, _by_package)
    before = [dict(table) for table in tables]
    try:
        plugins.load(plugin)
    except KeyboardInterrupt:
        _loaded.discard(plugin.package)  # the capture is over; the next one tries again
        raise
    except BaseException as error:  # SystemExit, too: others' code runs
        for table, entries in zip(tables, before, strict=True):
            table.clear()
            table.update(entries)
        _note(plugin, f"could not be loaded: {plugins.describe(error)}")
        return
    for table, entries in zip(tables[1:], before[1:], strict=True):
        for key in [key for key in table if table[key] is not entries.get(key)]:
            table[key] = _guarded(plugin, table[key])


def _guarded(plugin: plugins.Plugin, choose: Choose) -> Choose:
    def ask(kind: type) -> Reducer | None:
        try:
            return choose(kind)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            _note(plugin, f"failed for {_path(kind)}: {plugins.describe(error)}")
            return None

    return ask


def _note(plugin: plugins.Plugin, what: str) -> None:
    whose = f"the reducers of {plugin.distribution} for '{plugin.package}' ({plugin.value})"
    _broken.append(f"{whose} {what}; its objects are recorded without them")


def _path(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
