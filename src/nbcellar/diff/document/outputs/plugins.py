"""Comparers of other distributions: the entry points of the group `nbcellar.output_comparers`.

The name of an entry point is the MIME type that it is for, or a beginning of one and "*"; its value a function
`compare(mime, before, after, settings)` that returns a `MimeChange`, or None for no difference worth a word. Looked
for once, when a MIME type is met that Cellar does not know by its full name. Invariant: whatever is wrong with one of
them becomes a note of the result, and the comparison goes on without it. How one is written: docs/output-comparers.md.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import msgspec

from nbcellar.diff.document.outputs.model import MimeChange, OutputSettings
from nbcellar.entry_points import EntryPoint, find_entry_points

GROUP = "nbcellar.output_comparers"

_points: list[EntryPoint] | None = None  # None: not looked for yet
_loaded: dict[EntryPoint, Any] = {}  # functions, or the exception that loading one raised


def find_comparer(mime: str) -> EntryPoint | None:
    """Return the plug-in for a MIME type: that of its full name, else that of the longest beginning."""
    global _points
    if _points is None:
        _points = find_entry_points(GROUP, sys.path)
    best: EntryPoint | None = None
    for point in _points:
        if point.name == mime:
            return point
        if point.name.endswith("*") and mime.startswith(point.name[:-1]):
            if best is None or len(point.name) > len(best.name):
                best = point
    return best


def ask(
    point: EntryPoint, mime: str, before: Any, after: Any, settings: OutputSettings
) -> tuple[MimeChange | None, str]:
    """Return what a plug-in finds of two values that differ; or None and a note of what is wrong with it."""
    whose = f"the comparer of {point.distribution} for '{point.name}' ({point.value})"
    try:
        function = _load(point)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit, too: others' code runs
        return None, f"{whose} could not be loaded: {_describe(error)}"
    try:
        found = function(mime, before, after, settings)
        return _checked(mime, found, point), ""
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return None, f"{whose} failed: {_describe(error)}"


def _load(point: EntryPoint) -> Callable[..., Any]:
    if point not in _loaded:
        from importlib.metadata import EntryPoint as Named

        try:
            _loaded[point] = Named(point.name, point.value, GROUP).load()
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            _loaded[point] = error
    found = _loaded[point]
    if isinstance(found, BaseException):
        raise found
    if not callable(found):
        raise TypeError(f"a function is needed, this is of type {type(found).__name__}")
    return found  # type: ignore[no-any-return]


def _checked(mime: str, found: Any, point: EntryPoint) -> MimeChange:
    """Return a result that is what it says to be; raise TypeError or ValueError for another."""
    if found is None:
        name = f"what {point.distribution} takes for equal"
        return MimeChange(mime=mime, note=f"only {name}", only_noise=True, noise=[name])
    if not isinstance(found, MimeChange):
        raise TypeError(f"it returned {type(found).__name__}, and no MimeChange")
    # Through JSON, which is what views get: every part of it has the type that it should have, and can be written.
    checked = msgspec.json.decode(msgspec.json.encode(found), type=MimeChange)
    if not checked.note.strip():
        raise ValueError("it returned a MimeChange without a note")
    return msgspec.structs.replace(checked, mime=mime)


def _describe(error: BaseException) -> str:
    try:
        lines = str(error).strip().splitlines()
    except Exception:
        lines = []
    return f"{type(error).__name__}: {lines[0][:200]}" if lines else type(error).__name__


__all__ = ["GROUP", "ask", "find_comparer"]
