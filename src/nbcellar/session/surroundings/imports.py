"""What libraries set in the surroundings when they were first imported into this process.

Python runs a library's code once: scikit-learn sets environment variables and warnings filters then and never again. A
checkout of a state from before takes these back, for they belong to what the state was; but the library stays loaded,
and running the cell that imports it gives another session than it gave at first. That cannot be mended without undoing
imports, so it is said. Invariant: nothing is imported or changed here.

What a cell's own text names does not count: running the cell sets it again.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping

import msgspec

PARTS = frozenset({"environ", "warnings"})
_WORDS = {"warnings": ("warn", "filter")}  # a cell that has one of these set the filters itself, it may be
_LISTED = 6


class FirstImports:
    """Remembers which entries came while libraries were first imported. Mutable."""

    def __init__(self) -> None:
        self._count = 0
        self._roots: frozenset[str] = frozenset()
        self._before: dict[str, bytes] = {}
        self._set: dict[str, dict[bytes, tuple[str, ...]]] = {part: {} for part in PARTS}

    def begin(self, captured: Mapping[str, bytes]) -> None:
        """Take what is loaded and set now as what was there."""
        self._before = {part: captured[part] for part in PARTS & captured.keys()}
        if len(sys.modules) != self._count:
            self._count, self._roots = len(sys.modules), _loaded_roots()

    def look(self, source: str, captured: Mapping[str, bytes]) -> None:
        """Note what was set since the last look, if libraries were imported since.

        source: of the cell that ran, or names of the libraries of values that were loaded.
        """
        known, before = self._roots, self._before
        self.begin(captured)
        new = self._roots - known
        for part in before.keys() & self._before.keys() if new else ():
            if before[part] == self._before[part]:
                continue
            came = entries(part, self._before[part]) - entries(part, before[part])
            unnamed = [entry for entry in came if not _is_named(part, entry, source)]
            self._set[part].update(dict.fromkeys(unnamed, _names(new, source) if unnamed else ()))

    def lacking(self, part: str, payload: bytes) -> frozenset[str]:
        """Return the libraries of whose entries a recorded state of a part has not all."""
        found = self._set.get(part)
        if not found:
            return frozenset()
        there = entries(part, payload)
        return frozenset(name for entry, names in found.items() if entry not in there for name in names)


def is_unnamed(part: str, before: bytes, now: bytes, source: str) -> bool:
    """True if all that came to a part is what the source does not name, as what libraries set that it imports."""
    if part not in PARTS:
        return False
    came = entries(part, now) - entries(part, before)
    gone = entries(part, before) - entries(part, now)
    return not gone and not any(_is_named(part, entry, source) for entry in came)


def entries(part: str, payload: bytes) -> frozenset[bytes]:
    """Return the variables or filters that a recorded part consists of, each as bytes of its own."""
    decoded = msgspec.msgpack.decode(payload)
    return frozenset(map(msgspec.msgpack.encode, decoded[0] if part == "environ" else decoded))


def notes(lacking: Mapping[str, Iterable[str]]) -> list[str]:
    """Return sentences about parts that were restored without what libraries set when they were imported."""
    parts: dict[tuple[str, ...], list[str]] = {}
    for part, names in sorted(lacking.items()):
        if names:
            parts.setdefault(tuple(sorted(names)), []).append(part)
    return [f"{' and '.join(of)}: {_sentence(names)}" for names, of in parts.items()]


def _sentence(names: tuple[str, ...]) -> str:
    listed = ", ".join(names[:_LISTED]) + (", ..." if len(names) > _LISTED else "")
    return f"what importing {listed} had set is not set in this state, and importing it again does not set it"


def _is_named(part: str, entry: bytes, source: str) -> bool:
    if part in _WORDS:
        return any(word in source for word in _WORDS[part])
    name: bytes = msgspec.msgpack.decode(entry)[0]
    return name.decode(errors="replace") in source


def _names(roots: frozenset[str], source: str) -> tuple[str, ...]:
    """Return the libraries that the cell's text names, sorted; all if it names none of them."""
    words = set(re.findall(r"\w+", source))
    return tuple(sorted(roots & words or roots))


def _loaded_roots() -> frozenset[str]:
    found = {name.partition(".")[0] for name in list(sys.modules)} - sys.stdlib_module_names
    return frozenset(name for name in found if not name.startswith("_"))
