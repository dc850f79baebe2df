"""Finds what a cell changes inside of modules, which no result can hold: it is run again for what comes after it.

`math.tau = 3`, `setattr(math, "tau", 3)`, `decimal.DefaultContext.prec = 4`, `pandas.DataFrame.f = f`,
`sys.modules["m"] = m`; in modules of the user's own also `helper.seen.append(1)`. Options of libraries, which are
recorded, are none. Found from the source and the names that it left; nothing is run. Not seen: what functions of
modules change in these when called (of some it is known: `registered.py`).
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType

from nbcellar.components.transform import NotPythonError, trees_of

_MISSING = object()
_RECORDED = frozenset({"environ", "options", "path", "rcParams"})


def patches_of(source: str, space: Mapping[str, object], is_own: Callable[[str, object], bool]) -> tuple[str, ...]:
    """Return the modules, and classes in them, that a cell changed. is_own: a module is one of the user's own files."""
    try:
        trees = trees_of(source)
    except NotPythonError:
        return ()
    found = set()
    for place, is_set in (place for tree in trees for place in _places(tree)):
        changed = _resolve(place, space)
        start = space.get(_first(place), _MISSING)
        if is_set and isinstance(changed, ModuleType) and sys.modules.get(changed.__name__) is changed:
            found.add(f"the module {changed.__name__}")
        elif is_set and isinstance(changed, type) and _is_installed(changed):
            found.add(f"the class {changed.__module__}.{changed.__qualname__}")
        elif changed is sys.modules:
            found.add("the modules")
        elif isinstance(start, ModuleType) and (
            is_own(start.__name__, start) or (is_set and changed is not _MISSING and not _is_recorded(place))
        ):
            found.add(f"the module {start.__name__}")
    return tuple(sorted(found))


def may_patch(tree: ast.AST) -> bool:
    """True if something in one of a source's trees could be what `patches_of` finds."""
    return next(_places(tree), None) is not None


def _places(tree: ast.AST) -> Iterator[tuple[ast.expr, bool]]:
    """Yield the expressions for the objects that statements change, or may change by a call; True for the former."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
            yield node.value, True
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("setattr", "delattr"):
            yield from ((place, True) for place in node.args[:1])
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            function = node.value.func
            if isinstance(function, ast.Attribute) and not isinstance(function.value, ast.Name):
                yield function.value, False


def _resolve(node: ast.expr, space: Mapping[str, object]) -> object:
    if isinstance(node, ast.Name):
        return space.get(node.id, _MISSING)
    if isinstance(node, ast.Attribute):
        inner = _resolve(node.value, space)
        if inner is not _MISSING:
            return inspect.getattr_static(inner, node.attr, _MISSING)
    return _MISSING


def _is_recorded(node: ast.expr) -> bool:
    """True for options of libraries, and for what else of modules is part of the surroundings."""
    return any(isinstance(part, ast.Attribute) and part.attr in _RECORDED for part in ast.walk(node))


def _first(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _is_installed(found: type) -> bool:
    module = sys.modules.get(found.__module__)
    return found.__module__ != "__main__" and getattr(module, found.__name__, None) is found


__all__ = ["may_patch", "patches_of"]
