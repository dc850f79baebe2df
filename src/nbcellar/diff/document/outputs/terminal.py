"""What a terminal shows in the end of a text with carriage returns, colours and movements of the cursor.

Invariant: takes a time linear in the text, whatever it holds; text without control characters comes back as it is.
Not for: drawing colours; what is compared is the text.
"""

from __future__ import annotations

import re

# Escape sequences: CSI, OSC (titles, links), and those of two characters.
_ESCAPE = r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\^_=>()]"
_ESCAPES = re.compile(_ESCAPE)
_MOVES = re.compile(r"\r(?!\n)|\x08|\x1b\[\d{0,4}[ABFGK]")
_PIECES = re.compile(rf"{_ESCAPE}|\r\n|[\r\n\x08]|[^\x1b\r\n\x08]+|\x1b")
_MOST_BACK = 1000  # rows that the cursor can go up: a terminal's height, amply
_MOST_ON_SCREEN = 10_000_000  # characters; of longer texts the end of each line is taken


def without_colours(text: str) -> str:
    """Return the text without escape sequences."""
    return _ESCAPES.sub("", text) if "\x1b" in text else text


def writable(text: str) -> str:
    """Return the text with halves of surrogate pairs spelt out: JSON allows them, UTF-8 does not."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def last_state(text: str) -> str:
    """Return what is left to read after everything that was overwritten."""
    if "\r" not in text and "\x1b" not in text and "\x08" not in text:
        return text
    if _MOVES.search(text) is None:
        return without_colours(text)
    if len(text) > _MOST_ON_SCREEN:
        lines = without_colours(text).replace("\r\n", "\n").split("\n")
        return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines)
    screen = _Screen()
    for found in _PIECES.finditer(text):
        screen.take(found.group())
    return "\n".join("".join(row) for row in screen.rows)


class _Screen:
    """Rows of characters, and a cursor that never leaves them."""

    def __init__(self) -> None:
        self.rows: list[list[str]] = [[]]
        self.row = 0
        self.column = 0

    def take(self, piece: str) -> None:
        first = piece[0]
        if first == "\n" or piece == "\r\n":
            self.row, self.column = self.row + 1, 0
            if self.row == len(self.rows):
                self.rows.append([])
        elif first == "\r":
            self.column = 0
        elif first == "\x08":
            self.column = max(self.column - 1, 0)
        elif first == "\x1b":
            if piece.startswith("\x1b["):
                self.control(piece[2:-1], piece[-1])
        else:
            row = self.rows[self.row]
            row[self.column : self.column + len(piece)] = piece
            self.column += len(piece)

    def control(self, parameter: str, final: str) -> None:
        count = int(parameter) if parameter.isascii() and parameter.isdigit() and len(parameter) < 5 else 0
        if final in "AF":
            self.row = max(self.row - min(count or 1, _MOST_BACK), 0)
        elif final == "B":
            self.row = min(self.row + (count or 1), len(self.rows) - 1)
        elif final == "K":
            self.erase(count)
        elif final != "G":
            return
        width = len(self.rows[self.row])
        self.column = min(max(count - 1, 0) if final == "G" else 0 if final == "F" else self.column, width)

    def erase(self, part: int) -> None:
        """Erase to the end of the row; up to the cursor (1); all of it (2)."""
        row = self.rows[self.row]
        if part == 0:
            del row[self.column :]
        elif part == 1:
            row[: self.column] = " " * min(self.column, len(row))
        elif part == 2:
            row.clear()
            self.column = 0


__all__ = ["last_state", "without_colours", "writable"]
