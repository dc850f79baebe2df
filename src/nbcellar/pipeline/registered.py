"""What a cell registers with Python for the whole process: reducers, codecs, handlers of signals, what ends it.

No value holds that. What only needs its cell to run again, in the process of those after it, is told as a patch, as
that of a module (`patches.py`); the rest, which belongs to objects of that cell alone, as a note. Libraries that are
imported register a lot for themselves: then only that counts of which the cell's text speaks. Invariant: runs no code
of the user, changes nothing. Not for: plain settings (`process_settings.py`).
"""

from __future__ import annotations

import abc
import atexit
import codecs
import copyreg
import csv
import functools
import importlib
import logging
import resource
import signal
import sys
import weakref
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from nbcellar.pipeline import shell_state

# What `signal.getsignal` calls: that looks for a name of what it found, too, which takes ten times as long.
_handler_of: Any = importlib.import_module("_signal").getsignal
_SIGNALS = tuple(sorted(signal.valid_signals()))
_OF_CELLS = ("__main__", "builtins", None)  # None: methods of objects of Python's own
_LIMITS = tuple(sorted({value for name, value in vars(resource).items() if name.startswith("RLIMIT_")}))


class Changed(NamedTuple):
    """patches: what a rerun of the cell brings back; notes: what nothing does."""

    patches: tuple[str, ...]
    notes: tuple[str, ...]


class _Kind(NamedTuple):
    """word: what stands in code that registers; look: what is registered, to be compared."""

    word: str
    look: Callable[[], Any]


class Registered:
    """Follows one process. Mutable."""

    def __init__(self, shell: object = None) -> None:
        """shell: IPython's, where cells run in one."""
        self._shell = shell
        self._of_shell: list[shell_state.Part] = []
        self._codecs = 0
        for name in ("register", "register_error"):
            setattr(codecs, name, self._counting(getattr(codecs, name)))
        self._kinds = {
            "the codecs": _Kind("codecs", lambda: self._codecs),
            "the dialects of csv": _Kind("dialect", _dialects),
            "the handlers of signals": _Kind("signal", lambda: [*map(_handler_of, _SIGNALS)]),
            "the profiler": _Kind("setprofile", sys.getprofile),
            "the reducers of copyreg": _Kind("copyreg", lambda: dict(copyreg.dispatch_table)),
            "the adapters of sqlite3": _Kind("register_", _adapters),
            "the accessors of pandas": _Kind("_accessor", _accessors),
            "the types of mimetypes": _Kind("mimetypes", _file_types),
        }
        self._told = {
            "a function at the end of the process (atexit)": _Kind("atexit", atexit._ncallbacks),
            "something for when an object goes (weakref.finalize)": _Kind("finalize", _finalizers),
            "a class with an abstract one (abc)": _Kind(".register(", abc.get_cache_token),
            "handlers of loggers": _Kind("logging", lambda: list(logging._handlerList)),  # type: ignore[attr-defined]
            "limits of the process (resource)": _Kind("setrlimit", lambda: [*map(resource.getrlimit, _LIMITS)]),
        }
        self._before: dict[str, Any] = {}

    def begin(self) -> None:
        """Take what is registered now."""
        self._before = {name: kind.look() for name, kind in (self._kinds | self._told).items()}
        self._of_shell = self._parts()

    def changed(self, source: str, *, has_imported: bool) -> Changed:
        """Return what was registered since `begin`."""
        patches, notes = [], []
        for name, kind in (self._kinds | self._told).items():
            then, now = self._before[name], kind.look()
            if now == then or (has_imported and kind.word not in source):
                continue
            if name in self._told:
                notes.append(f"it registered {name}: those after it do not have that")
            elif _is_for_own_class(then, now):
                notes.append(f"it changed {name} for a class of the notebook: those after it do not see that")
            else:
                patches.append(name)
        for name, keys in shell_state.changed(self._of_shell, self._parts(), source):
            if any(getattr(key, "__module__", "") == "__main__" for key in keys):
                notes.append(f"it changed {name} for a class of the notebook: those after it do not see that")
            else:
                patches.append(name)
        return Changed(tuple(patches), tuple(notes))

    def _parts(self) -> list[shell_state.Part]:
        return shell_state.parts_of(self._shell) if self._shell is not None else []

    def _counting(self, function: Any) -> Any:
        @functools.wraps(function)
        def register(*values: Any, **named: Any) -> Any:
            __tracebackhide__ = True
            made = function(*values, **named)
            self._codecs += 1
            return made

        register.__module__ = "codecs"
        return register


def _dialects() -> dict[str, object]:
    return {name: csv.get_dialect(name) for name in csv.list_dialects()}


def _adapters() -> dict[Any, object]:
    module = sys.modules.get("sqlite3.dbapi2")
    return {} if module is None else {**module.adapters, **module.converters}


def _accessors() -> list[frozenset[str]]:
    pandas = sys.modules.get("pandas")
    kinds = [getattr(pandas, name, None) for name in ("Series", "DataFrame", "Index")]
    return [frozenset(getattr(kind, "_accessors", ())) for kind in kinds]


def _file_types() -> list[int]:
    found = getattr(sys.modules.get("mimetypes"), "_db", None)
    return [] if found is None else [len(known) for known in (*found.types_map, *found.types_map_inv)]


def _finalizers() -> int:
    """Return how many finalizers there are that are functions of a cell, or of an object: the others are libraries'."""
    infos: Mapping[Any, Any] = weakref.finalize._registry  # type: ignore[attr-defined]
    return sum(getattr(info.func, "__module__", None) in _OF_CELLS for info in list(infos.values()))


def _is_for_own_class(then: Any, now: Any) -> bool:
    if not isinstance(now, dict):
        return False
    changed = [key for key in now if key not in then or now[key] is not then[key]]
    kinds = [key[0] if isinstance(key, tuple) else key for key in changed]
    return any(getattr(kind, "__module__", "") == "__main__" for kind in kinds)


__all__ = ["Changed", "Registered"]
