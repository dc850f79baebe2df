"""Settings of a process that a component changes for all that comes after it, beyond what sessions record.

Where modules are looked for, how deep calls may go, which messages are logged. Invariant: a setting is told against
what the process began with, so that it holds in another process as well. Not for: random state, options of libraries,
environment, folder (`session/surroundings/`).
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping

import msgspec

PATH, DEPTH, LEVELS = "sys.path", "sys.recursionlimit", "logging"


class ProcessSettings:
    """Those of this process; `begin` puts them back to what they were when this was made."""

    def __init__(self) -> None:
        self._path = list(sys.path)
        self._depth = sys.getrecursionlimit()
        self._levels = _levels()

    def begin(self, folder: str) -> None:
        """Put back what components before changed; a component finds modules in its folder."""
        sys.path[:] = [folder, *(entry for entry in self._path if entry != folder)]
        sys.setrecursionlimit(self._depth)
        for name, level in _levels().items():
            if self._levels.get(name, logging.NOTSET) != level:
                logging.getLogger(name).setLevel(self._levels.get(name, logging.NOTSET))

    def capture(self, folder: str, root: str) -> dict[str, str]:
        """Return part -> what it differs in from the beginning, as JSON. Folders in `root` are relative to `folder`."""
        base = {folder, *self._path}
        new = [(at, entry) for at, entry in enumerate(sys.path) if entry not in base]
        kept = [at for at, entry in enumerate(sys.path) if entry in base]
        first = kept[0] if kept else 0
        front = [_relative(entry, folder, root) for at, entry in new if at <= first]
        back = [_relative(entry, folder, root) for at, entry in new if at > first]
        levels = {name: level for name, level in sorted(_levels().items()) if self._levels.get(name) != level}
        found: dict[str, object] = {PATH: [front, back] if new else None, LEVELS: levels}
        found[DEPTH] = sys.getrecursionlimit() if sys.getrecursionlimit() != self._depth else None
        return {part: msgspec.json.encode(value).decode() for part, value in found.items() if value}

    def apply(self, parts: Mapping[str, str], folder: str) -> None:
        """Set what components before set; after `begin`."""
        given = {part: msgspec.json.decode(value) for part, value in parts.items()}
        if given.get(PATH):
            front, back = ([os.path.join(folder, entry) for entry in each] for each in given[PATH])  # noqa: PTH118
            sys.path[:] = [*front, *sys.path, *back]
        if given.get(DEPTH):
            sys.setrecursionlimit(given[DEPTH])
        for name, level in (given.get(LEVELS) or {}).items():
            logging.getLogger(name).setLevel(level)


def places(folder: str, *parts: Mapping[str, str]) -> list[str]:
    """Return where a component finds modules first: what was put before its folder, by the first of `parts` that says
    so, and its folder."""
    told = next((part[PATH] for part in parts if PATH in part), "null")
    front = (msgspec.json.decode(told) or [[]])[0]
    return [*(os.path.join(folder, entry) for entry in front), folder]  # noqa: PTH118


def changed(before: Mapping[str, str], now: Mapping[str, str], source: str, *, has_imported: bool) -> dict[str, str]:
    """Return the parts that a cell changed, "null" for one as it was in the beginning.

    Levels that libraries set for themselves when they are imported are not the cell's.
    """
    found = {part: now.get(part, "null") for part in before.keys() | now.keys() if before.get(part) != now.get(part)}
    if has_imported and LEVELS in found:
        then, after = (msgspec.json.decode(parts.get(LEVELS, "{}")) for parts in (before, now))
        others = {name for name in after if after[name] != then.get(name) and name and name not in source}
        own = {name: level for name, level in after.items() if name not in others}
        found[LEVELS] = msgspec.json.encode(own).decode()
        if own == then:
            del found[LEVELS]
    return dict(sorted(found.items()))


def _levels() -> dict[str, int]:
    """Return the level of each logger that has one of its own; that of the root is under no name."""
    loggers = logging.root.manager.loggerDict.items()
    known = {name: each.level for name, each in loggers if isinstance(each, logging.Logger) and each.level}
    return {"": logging.root.level, **known}


def _relative(entry: str, folder: str, root: str) -> str:
    return os.path.relpath(entry, folder) if entry.startswith(root + os.sep) else entry


__all__ = ["ProcessSettings", "changed", "places"]
