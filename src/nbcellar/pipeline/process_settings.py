"""Settings of a process that a component changes for all that comes after it, beyond what sessions record.

Where modules are looked for, how deep calls may go, which messages are logged, and more plain settings of the
interpreter. Invariant: a setting is told against what the process began with, so that it holds in another process as
well. Not for: random state, options of libraries, environment, folder (`session/surroundings/`).
"""

from __future__ import annotations

import contextlib
import csv
import gc
import locale
import logging
import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec

PATH, DEPTH, LEVELS = "sys.path", "sys.recursionlimit", "logging"


class _Setting(NamedTuple):
    """One that is a plain value. word: what stands in code that sets it. The time zone is that of the environment."""

    word: str
    get: Callable[[], Any]
    put: Callable[[Any], object]


def _put_gc(value: list[Any]) -> None:
    (gc.enable if value[0] else gc.disable)()
    gc.set_threshold(*value[1:])


def _put_locale(value: dict[str, str]) -> None:
    for name, setting in value.items():
        with contextlib.suppress(locale.Error):  # another machine may not have it
            locale.setlocale(getattr(locale, name), setting)


def _timeout() -> float | None:
    return sys.modules["socket"].getdefaulttimeout() if "socket" in sys.modules else None


def _put_timeout(value: float | None) -> None:
    if "socket" in sys.modules or value is not None:
        import socket

        socket.setdefaulttimeout(value)


def _umask() -> int | None:
    """Return the mask of new files, without setting it, which other threads would notice."""
    try:
        with open("/proc/self/status", encoding="ascii", errors="replace") as file:
            return next((int(line.split()[1], 8) for line in file if line.startswith("Umask:")), None)
    except OSError:
        return None


_LOCALES = ("LC_COLLATE", "LC_CTYPE", "LC_MONETARY", "LC_NUMERIC", "LC_TIME", "LC_MESSAGES")
_PLAIN = {
    "csv.field_size_limit": _Setting("field_size_limit", csv.field_size_limit, csv.field_size_limit),
    "gc": _Setting("gc", lambda: [gc.isenabled(), *gc.get_threshold()], _put_gc),
    "locale": _Setting(
        "locale", lambda: {name: locale.setlocale(getattr(locale, name)) for name in _LOCALES}, _put_locale
    ),
    "socket timeout": _Setting("setdefaulttimeout", _timeout, _put_timeout),
    "switch interval": _Setting("setswitchinterval", sys.getswitchinterval, sys.setswitchinterval),
    "time zone": _Setting("tzset", lambda: [*time.tzname, time.timezone], lambda value: time.tzset()),
    "umask": _Setting("umask", _umask, lambda value: None if value is None else os.umask(value)),
}
if hasattr(sys, "set_int_max_str_digits"):
    _PLAIN["digits of int"] = _Setting("int_max_str", sys.get_int_max_str_digits, sys.set_int_max_str_digits)


class ProcessSettings:
    """Those of this process; `begin` puts them back to what they were when this was made."""

    def __init__(self) -> None:
        self._path = list(sys.path)
        self._depth = sys.getrecursionlimit()
        self._levels = _levels()
        self._plain = {part: setting.get() for part, setting in _PLAIN.items()}

    def begin(self, folder: str) -> None:
        """Put back what components before changed; a component finds modules in its folder."""
        sys.path[:] = [folder, *(entry for entry in self._path if entry != folder)]
        sys.setrecursionlimit(self._depth)
        for part, setting in _PLAIN.items():
            if setting.get() != self._plain[part]:
                setting.put(self._plain[part])
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
        for part, setting in _PLAIN.items():
            now = setting.get()
            found[part] = [now] if now != self._plain[part] else None  # in a list, as it may be 0
        return {part: msgspec.json.encode(value).decode() for part, value in found.items() if value}

    def apply(self, parts: Mapping[str, str], folder: str) -> None:
        """Set what components before set; after `begin`."""
        given = {part: msgspec.json.decode(value) for part, value in parts.items()}
        if given.get(PATH):
            front, back = ([os.path.join(folder, entry) for entry in each] for each in given[PATH])  # noqa: PTH118
            sys.path[:] = [*front, *sys.path, *back]
        if given.get(DEPTH):
            sys.setrecursionlimit(given[DEPTH])
        for part in given.keys() & _PLAIN.keys():
            if given[part]:
                _PLAIN[part].put(given[part][0])
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

    Levels and plain settings that libraries set for themselves when they are imported are not the cell's.
    """
    found = {part: now.get(part, "null") for part in before.keys() | now.keys() if before.get(part) != now.get(part)}
    if has_imported:
        others = [part for part in found.keys() & _PLAIN.keys() if _PLAIN[part].word not in source]
        found = {part: value for part, value in found.items() if part not in others}
    if has_imported and LEVELS in found:
        then, after = (msgspec.json.decode(parts.get(LEVELS, "{}")) for parts in (before, now))
        unnamed = {name for name in after if after[name] != then.get(name) and name and name not in source}
        own = {name: level for name, level in after.items() if name not in unnamed}
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
