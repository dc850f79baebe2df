"""Which environment variables a component reads that it did not get from one before it.

Told are variables that its cell, or a local module, asks for by name: `os.environ["X"]`, `os.getenv("X")`, `"X" in
os.environ`. What libraries ask for is theirs. Invariant: what is kept of a value is a digest, and nothing of those
whose names look like secrets; a look at all of them is told as a note. Not for: variables that a component sets
(`session/surroundings/`).
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any

from blake3 import blake3

from nbcellar.session.surroundings.process import is_secret_name

_OWN = frozenset({"PYTHONHASHSEED", "PYTHONDONTWRITEBYTECODE", "MPLBACKEND"})
"""Those that a worker has other than who started it."""
_BETWEEN = frozenset({"os", "_collections_abc", "collections.abc"})
ALL = "it looks through all environment variables: these are not compared"


class Environment:
    """Watches `os.environ` in one process. `begin`, `watching`, `end`: for each component; mutable."""

    def __init__(self, is_own: Callable[[str], bool]) -> None:
        """is_own: a module is one of the user's own files."""
        self._is_own = is_own
        self._outside = dict(os.environ)
        self._read: dict[str, str] = {}
        self._listed: set[str] = set()  # names that were given to who goes through all of them
        self._has_listed = self._is_on = False
        self._watch()

    def begin(self) -> None:
        """Forget what was read."""
        self._read, self._listed, self._has_listed = {}, set(), False

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch what runs within."""
        self._is_on = True
        try:
            yield
        finally:
            self._is_on = False

    def end(self) -> tuple[dict[str, str], tuple[str, ...]]:
        """Return name -> digest of each variable that was read since `begin`, and notes."""
        return dict(sorted(self._read.items())), (ALL,) if self._has_listed else ()

    def _watch(self) -> None:
        kind: Any = type(os.environ)
        get, each = kind.__getitem__, kind.__iter__

        @functools.wraps(get)
        def one(mapping: Any, name: Any) -> Any:
            if self._is_on and mapping is os.environ and isinstance(name, str) and self._asked(sys._getframe(1)):
                self._note(name)
            return get(mapping, name)

        @functools.wraps(each)
        def all_of_them(mapping: Any) -> Any:
            if self._is_on and mapping is os.environ and self._asked(sys._getframe(1)):
                self._has_listed = True
                self._listed.update(each(mapping))
            return each(mapping)

        kind.__getitem__, kind.__iter__ = one, all_of_them

    def _note(self, name: str) -> None:
        if name in self._listed:
            self._listed.discard(name)
            return
        self._is_on = False
        try:
            now = os.environ.get(name)
        finally:
            self._is_on = True
        if now == self._outside.get(name) and is_compared(name):
            self._read[name] = variable_digest(name, self._outside)

    def _asked(self, frame: FrameType | None) -> bool:
        """True where the user's own code asks."""
        while frame is not None and frame.f_globals.get("__name__") in _BETWEEN:
            frame = frame.f_back
        name = frame.f_globals.get("__name__") if frame is not None else None
        return isinstance(name, str) and (name == "__main__" or self._is_own(name))


def is_compared(name: str) -> bool:
    """False for what a worker has for itself, and for what may be a secret."""
    return name not in _OWN and not is_secret_name(name)


def variable_digest(name: str, environ: Mapping[str, str]) -> str:
    """Return a digest of the value of a variable, empty where there is none."""
    value = environ.get(name)
    return "" if value is None else blake3(f"{name}={value}".encode("utf-8", "surrogateescape")).hexdigest()[:32]


__all__ = ["ALL", "Environment", "is_compared", "variable_digest"]
