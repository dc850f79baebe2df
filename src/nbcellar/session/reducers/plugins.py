"""Reducers of other distributions: the entry points of the group `nbcellar.reducers`.

The name of an entry point is the package that it is for, its value a module that registers reducers when it is
imported, or `module:function`, which is called. Looked for once, when an object of an installed library is first
encoded, off the path of a cell; loaded when an object of its package is. Invariant: whatever is wrong with one of them
is noted and nothing else: recording goes on as if it were not there. How one is written: docs/reducers.md.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

GROUP = "nbcellar.reducers"
_METADATA = (".dist-info", ".egg-info")


@dataclass(frozen=True, slots=True)
class Plugin:
    """One entry point: the package that it is for, what it names, and the distribution that brings it."""

    package: str
    value: str
    distribution: str


def find_plugins(path: Iterable[str]) -> list[Plugin]:
    """Return the entry points of all distributions on a search path, in its order.

    `importlib.metadata` parses every distribution's for that, which takes 30 ms; here only those that name the group.
    """
    found: list[Plugin] = []
    seen: set[str] = set()
    for folder in path:
        for name in _names_in(folder or os.curdir):
            if name.lower().endswith(_METADATA) and name not in seen:
                seen.add(name)  # an earlier folder hides a later one
                found += _plugins_of(Path(folder, name))
    return found


def _names_in(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:  # a zip file, a folder that is gone
        return []


def _plugins_of(folder: Path) -> list[Plugin]:
    try:
        text = (folder / "entry_points.txt").read_bytes()
    except OSError:
        return []
    if GROUP.encode() not in text:
        return []
    from importlib.metadata import PathDistribution

    try:
        distribution = PathDistribution(folder)
        name = distribution.metadata["Name"] or folder.name
        points = distribution.entry_points.select(group=GROUP)
        return [Plugin(point.name, point.value, name) for point in points]
    except Exception:  # a damaged file of some other distribution
        return []


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
