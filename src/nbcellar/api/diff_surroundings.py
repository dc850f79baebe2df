"""What changed around the variables: random states, working directory, environment, options, library versions."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from nbcellar.api.diff_views import SurroundingChange
from nbcellar.errors import CellarError
from nbcellar.history.repository import Repository
from nbcellar.ids import Digest

_MOST = 6
_NAMES = {
    "random": "random state",
    "numpy.random": "random state of numpy",
    "torch": "random state of torch",
    "cwd": "working directory",
    "environ": "environment variables",
    "sys.path": "sys.path",
    "warnings": "warning filters",
    "decimal": "decimal context",
    "numpy.print": "print options of numpy",
    "numpy.err": "error handling of numpy",
    "pandas.options": "options of pandas",
    "matplotlib.rc": "rcParams of matplotlib",
    "modules": "library versions",
}
_MOVED = frozenset({"random", "numpy.random", "torch"})


def compare_surroundings(
    repository: Repository, before: Mapping[str, bytes], after: Mapping[str, bytes]
) -> list[SurroundingChange]:
    """Return each part that differs, in the order of the list above."""
    order = {name: place for place, name in enumerate(_NAMES)}
    names = sorted(before.keys() | after.keys(), key=lambda name: (order.get(name, len(order)), name))
    found = []
    for name in names:
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        text = _described(repository, name, old, new)
        if text:
            found.append(SurroundingChange(part=_NAMES.get(name, name), text=text))
    return found


def _described(repository: Repository, name: str, old: bytes | None, new: bytes | None) -> str:
    if name in _MOVED:
        # A library's stream is recorded once it is loaded: that it appears is no draw.
        return "" if old is None else "it is no longer recorded" if new is None else "moved on or was set anew"
    try:
        was, now = (_read(repository, name, digest) for digest in (old, new))
    except (CellarError, msgspec.DecodeError, ValueError, TypeError, IndexError):
        return "changed"
    if isinstance(was, dict) and isinstance(now, dict):
        return _pairs(was, now)
    if isinstance(was, list) and isinstance(now, list):
        gone = [f"-{item}" for item in was if item not in now]
        come = [f"+{item}" for item in now if item not in was]
        return _joined(come + gone) if come or gone else "another order" if was != now else ""
    if was is None or was == {} or was == []:
        return "" if name != "cwd" else f"{now}"
    return f"{was} -> {now}"


def _read(repository: Repository, name: str, digest: bytes | None) -> Any:
    if digest is None:
        return {} if name not in ("cwd", "sys.path", "warnings") else None
    payload = msgspec.msgpack.decode(repository.read_object(Digest(digest)))
    shape: Callable[[Any], Any] | None = _SHAPES.get(name)
    return shape(payload) if shape is not None else payload


def _environment(payload: Any) -> dict[str, Any]:
    changed, removed = payload
    found: dict[str, Any] = {os.fsdecode(name): os.fsdecode(value) for name, value in changed}
    return found | {os.fsdecode(name): "(removed)" for name in removed}


def _path(payload: Any) -> list[str]:
    """Return the folders, whichever of several lists comes first."""
    first = payload[0] if payload and isinstance(payload[0], list) else payload
    return [os.fsdecode(item) if isinstance(item, bytes) else str(item) for item in first]


_SHAPES: dict[str, Callable[[Any], Any]] = {"cwd": os.fsdecode, "environ": _environment, "sys.path": _path}


def _pairs(was: dict[Any, Any], now: dict[Any, Any]) -> str:
    words = []
    for key in sorted(was.keys() | now.keys(), key=str):
        if key not in was:
            words.append(f"+{key}={_short(now[key])}")
        elif key not in now:
            words.append(f"-{key}")
        elif was[key] != now[key]:
            words.append(f"{key}: {_short(was[key])} -> {_short(now[key])}")
    return _joined(words)


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 40 else text[:39] + "…"


def _joined(words: list[str]) -> str:
    rest = len(words) - _MOST
    return ", ".join(words[:_MOST]) + (f" and {rest} more" if rest > 0 else "")


__all__ = ["compare_surroundings"]
