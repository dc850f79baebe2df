"""Which function compares which MIME type, and comparing whole bundles by it.

A handler is a function `(mime, before, after) -> Detail | None`; `before` and `after` are the values of one MIME type
as a notebook holds them in memory (text in one piece, binary content as base64, JSON as values) and differ; None stands
for a side that has no such value. It returns None for what it cannot compare: the next that fits is asked, and at last
it is told how many bytes differ.

An error output comes as the MIME type `ERROR`, its value is a dict of `ename`, `evalue` and `traceback`.

Invariant: a handler is loaded when a value of its type changed, not before; one that fails ends no comparison: the
change is told as bytes that differ, with a note that names the handler's error.

To add a type: write `outputs/<kind>.py` with a handler, and enter it in `HANDLERS` above those that are less special.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from importlib import import_module
from typing import Any

from nbcellar.diff.document.equality import same_json
from nbcellar.diff.document.operations import value_size
from nbcellar.diff.document.outputs.model import BytesChange, Detail, MimeChange
from nbcellar.diff.model import Kind

Handler = Callable[[str, Any, Any], Detail | None]

_PACKAGE = "nbcellar.diff.document.outputs"
ERROR = "application/vnd.cellar.error"
# Pattern of MIME types -> "module:function"; the first that fits is asked first.
HANDLERS: tuple[tuple[str, str], ...] = (
    (ERROR, f"{_PACKAGE}.text:compare_errors"),
    ("text/*", f"{_PACKAGE}.text:compare"),
    ("image/svg+xml", f"{_PACKAGE}.text:compare"),
    ("application/javascript", f"{_PACKAGE}.text:compare"),
    ("application/x-latex", f"{_PACKAGE}.text:compare"),
)


def compare_bundle(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[MimeChange, ...]:
    """Return what changed between two MIME bundles, by MIME type in alphabetical order."""
    found = []
    for mime in sorted(before.keys() | after.keys()):
        if mime not in before or mime not in after or not same_json(before[mime], after[mime]):
            found.append(compare_mime(mime, before.get(mime), after.get(mime)))
    return tuple(found)


def compare_mime(mime: str, before: Any, after: Any) -> MimeChange:
    """Return what changed between two values of one MIME type that differ; None stands for no value."""
    change: Kind = "added" if before is None else "removed" if after is None else "changed"
    note = ""
    for name in _names(mime):
        try:
            detail = _load(name)(mime, before, after)
        except Exception as error:  # whatever a plug-in raises; hostile content is its input
            note = f"{name} could not compare this: {type(error).__name__}: {error}"
            continue
        if detail is not None:
            return MimeChange(mime=mime, change=change, detail=detail, note=note)
    return MimeChange(mime=mime, change=change, detail=BytesChange(before=_size(before), after=_size(after)), note=note)


def _names(mime: str) -> Iterator[str]:
    return (name for pattern, name in HANDLERS if fnmatchcase(mime.lower(), pattern))


def _load(name: str) -> Handler:
    module, _, function = name.partition(":")
    return getattr(import_module(module), function)  # type: ignore[no-any-return]


def _size(value: Any) -> int:
    if value is None:
        return 0
    return len(value) if isinstance(value, str) else value_size(value)


__all__ = ["ERROR", "HANDLERS", "Handler", "compare_bundle", "compare_mime"]
