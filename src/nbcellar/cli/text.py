"""Small pieces of text that several commands show: sizes, tables, lists of names, clean one-line text.

Pure: no streams, no clock. Text that came from a notebook passes through `clean`, so that a recorded escape sequence
cannot draw over a terminal.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

_control = re.compile(
    r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-_]"
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"
)


_colour = re.compile(r"(\x1b\[[0-9;]*m)")


def clean(text: str) -> str:
    """Return text without escape sequences and control characters; line breaks and tabs stay."""
    return text if text.isprintable() else _control.sub("", text)


def with_notebook(hint: str, name: str | None) -> str:
    """Return a hint whose commands name a notebook, where they say NB."""
    if not name or "NB" not in hint:
        return hint
    import shlex

    return re.sub(r"\b(cellar (?:pipeline [a-z]+|resolve) )NB\b", lambda found: found[1] + shlex.quote(name), hint)


def without_tricks(text: str) -> str:
    """Return text as `clean` does, but for its colours; for lines that were coloured here."""
    parts = _colour.split(text)  # colours are at the odd places
    return "".join(part if place % 2 else clean(part) for place, part in enumerate(parts))


def one_line(text: str, width: int) -> str:
    """Return text on one line of at most `width` columns, cut with an ellipsis."""
    flat = " ".join(clean(text).split())
    return cut(flat, width)


def cut(text: str, width: int) -> str:
    """Return at most `width` columns of `text`; the last one is an ellipsis when something was cut."""
    if columns(text) <= width:
        return text
    kept, used = [], 1
    for letter in text:
        used += columns(letter)
        if used > width:
            break
        kept.append(letter)
    return "".join(kept).rstrip() + "…"


def shown_columns(text: str) -> int:
    """Return the columns that text with colours takes."""
    return columns(clean(text))


def columns(text: str) -> int:
    """Return the columns that text takes in a terminal: wide letters take two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        for letter in text
    )


def size(count: int) -> str:
    """Return a number of bytes for people: 812 B, 12.3 KB, 4.0 MB (powers of 1024)."""
    if count < 1024:
        return f"{count} B"
    value = float(count)
    for unit in ("KB", "MB", "GB"):
        value /= 1024
        if value < 1000:
            return f"{value:.1f} {unit}"
    return f"{value / 1024:.1f} TB"


def seconds(value: float) -> str:
    """Return a duration for people: 12 ms, 3.4 s, 2 min 5 s."""
    if value < 1:
        return f"{value * 1000:.0f} ms"
    if value < 60:
        return f"{value:.1f} s"
    return f"{int(value // 60)} min {int(value % 60)} s"


def plural(count: int, noun: str, nouns: str = "") -> str:
    """Return `3 cells`, `1 cell`."""
    return f"{count:,} {noun if count == 1 else nouns or noun + 's'}"


def names(items: Sequence[str], *, most: int = 8) -> str:
    """Return names separated by commas, cut after `most` with a count of the rest."""
    shown = [clean(item) for item in items[:most]]
    rest = len(items) - len(shown)
    return ", ".join(shown) + (f" and {rest} more" if rest else "")


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, width: int, right: Sequence[int] = ()) -> list[str]:
    """Return the lines of a table with columns as wide as needed; the last column is cut to fit `width`.

    right: numbers of the columns that are aligned to the right.
    """
    cells = [list(head), *[[one_line(cell, 200) for cell in row] for row in rows]]
    wide = [max(columns(row[n]) for row in cells) for n in range(len(head))]
    wide = [min(w, 40) for w in wide[:-1]] + wide[-1:]
    lines = []
    for row in cells:
        parts = []
        for n, cell in enumerate(row):
            shown = cut(cell, wide[n]) if n < len(row) - 1 else cell
            gap = " " * (wide[n] - columns(shown))
            parts.append(gap + shown if n in right else shown + gap)
        lines.append(cut("  ".join(parts).rstrip(), width))
    return lines
