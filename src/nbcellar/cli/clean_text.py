"""What `cellar clean` says of one file: in a line, as a list, as lines that change."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from nbcellar.cli.text import clean, names, plural

if TYPE_CHECKING:
    from nbcellar.api.documents_clean import CleanedFile, CleanedText
    from nbcellar.clean.model import Kind, LeftOut

_LONGEST_LINE = 160
_NOUNS: dict[Kind, tuple[str, str]] = {
    "cell": ("cell", "cells"),
    "output": ("output", "outputs"),
    "widgets": ("widget", "widgets"),
    "line": ("overlong line", "overlong lines"),
    "id": ("cell id", "cell ids"),
    "execution count": ("execution count", "execution counts"),
    "run time": ("run time", "run times"),
    "view state": ("view state", "view states"),
    "address": ("memory address", "memory addresses"),
}


def summary(file: CleanedFile) -> str:
    """Return what was left out of a file, on one line."""
    by_kind: dict[Kind, list[LeftOut]] = {}
    for each in file.left_out:
        by_kind.setdefault(each.kind, []).append(each)
    parts = [plural(len(file.repairs), "repair")] if file.repairs else []
    parts += [_counted(kind, found) for kind, found in by_kind.items()]
    return ", ".join(parts) or "layout of the text"


def listed(file: CleanedFile) -> Iterator[str]:
    """Yield a line for each repair and each thing that was left out."""
    for repair in file.repairs:
        yield f"repaired: {clean(str(repair))}"
    for each in file.left_out:
        where = f"cell {each.cell}: " if each.cell else ""
        times = f" ({each.count:,} times)" if each.count > 1 else ""
        yield clean(
            f"{where}{each.kind} {each.what}{times}" if each.kind != each.what else f"{where}{each.what}{times}"
        )


def diff_lines(text: CleanedText) -> Iterator[str]:
    """Yield the lines of a unified diff of the files, long ones cut."""
    before, after = (part.decode("utf-8", "replace").splitlines() for part in (text.before, text.after))
    for line in difflib.unified_diff(before, after, lineterm="", n=2):
        if not line.startswith(("---", "+++")):
            yield clean(line if len(line) <= _LONGEST_LINE else line[: _LONGEST_LINE - 1] + "…")


def _counted(kind: Kind, found: list[LeftOut]) -> str:
    count = sum(each.count for each in found)
    if kind == "kernel":
        return "kernel metadata"
    if kind == "image blanks":
        return "blanks behind image data"
    if kind == "metadata":
        return f"metadata ({names(_distinct(found), most=4)})"
    words = plural(count, *_NOUNS[kind])
    return f"{words} ({names(_distinct(found), most=4)})" if kind in ("output", "cell") else words


def _distinct(found: list[LeftOut]) -> list[str]:
    return list(dict.fromkeys(each.what for each in found))
