"""Reducers of other distributions: the entry points of the group `nbcellar.reducers`.

The name of an entry point is the package that it is for, its value a module that registers reducers when it is
imported, or `module:function`, which is called. Looked for once, when an object of an installed library is first
encoded, off the path of a cell; loaded when an object of its package is. Invariant: whatever is wrong with one of them
is noted and nothing else: recording goes on as if it were not there. How one is written: docs/reducers.md.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from nbcellar.entry_points import find_entry_points

GROUP = "nbcellar.reducers"


@dataclass(frozen=True, slots=True)
class Plugin:
    """One entry point: the package that it is for, what it names, and the distribution that brings it."""

    package: str
    value: str
    distribution: str


def find_plugins(path: Iterable[str]) -> list[Plugin]:
    """Return the entry points of all distributions on a search path, in its order."""
    return [Plugin(*point) for point in find_entry_points(GROUP, path)]


def load(plugin: Plugin) -> None:
    """Import what an entry point names and, if that is a function, call it. Raises whatever that raises."""
    from importlib.metadata import EntryPoint

    loaded: Any = EntryPoint(plugin.package, plugin.value, GROUP).load()
    if ":" in plugin.value:
        loaded()


def describe(error: BaseException) -> str:
    """Return an error in one line."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:200]}" if lines else type(error).__name__


def examine(path: Iterable[str] | None = None) -> list[dict[str, str]]:
    """Load every entry point there is; return what each is and what is wrong with it. For `cellar doctor`."""
    found = []
    for plugin in find_plugins(sys.path if path is None else path):
        error = ""
        try:
            load(plugin)
        except BaseException as raised:  # SystemExit, too: others' code runs
            error = describe(raised)
        found.append(
            {
                "package": plugin.package,
                "value": plugin.value,
                "distribution": plugin.distribution,
                "error": error,
            }
        )
    return found


__all__ = ["GROUP", "Plugin", "describe", "examine", "find_plugins", "load"]
