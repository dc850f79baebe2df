"""The top level of a notebook's JSON text, read with an eye on where things stand.

Invariant: what is not JSON is refused with its line and column; a text that Python's `json` reads is read alike.

Not for: the usual way of reading, which looks for places only when something is wrong (`codec.py`).
"""

from __future__ import annotations

import json
import re
from typing import Any

from nbcellar.errors import InvalidInputError
from nbcellar.notebook.model import JsonObject

_blank = re.compile(r"[ \t\r\n]*")
_decoder = json.JSONDecoder()


class Scan:
    """The top level of a notebook's JSON text: its members, and where each cell's text begins and ends."""

    def __init__(self, text: str, where: str) -> None:
        self.text = text
        self.where = where
        self.cells: list[tuple[int, int]] = []

    def members(self) -> JsonObject:
        """Return the members of the top-level object; note the places of the cells."""
        at = self._skip(0)
        if self.text[at : at + 1] != "{":
            if at == len(self.text):
                raise InvalidInputError(f"{self.where}: empty, so not a notebook")
            self._value(at)
            raise InvalidInputError(f"{self.where}: JSON, but not a notebook: it is not an object")
        members: JsonObject = {}
        at, close = self._enter(at, "}")
        while not close:
            key, at = self._value(at) if self.text[at : at + 1] == '"' else self._fail("a name in quotes", at)
            at = self._expect(":", at)
            is_cells = key == "cells" and self.text[at : at + 1] == "["
            members[key], at = self._list(at) if is_cells else self._value(at)
            at, close = self._next(at, "}")
        if at != len(self.text):
            self._fail("the end of the file", at)
        return members

    def cell_places(self) -> list[str]:
        """Return where each cell is, for errors."""
        places, line, last = [], 1, 0
        for number, (start, _) in enumerate(self.cells, 1):
            line += self.text.count("\n", last, start)
            last = start
            places.append(f"{self.where}, cell {number} (line {line})")
        return places

    def pieces(self) -> tuple[bytes, list[bytes], bytes]:
        """Return the text before the first cell, of each cell and after the last (without the file's end)."""
        body = len(self.text.rstrip())
        if not self.cells:
            close = re.compile(r'"cells"[ \t\r\n]*:[ \t\r\n]*\[[ \t\r\n]*\]').search(self.text)
            middle = close.end() if close else body
            return self.text[:middle].encode(), [], self.text[middle:body].encode()
        cells = [self.text[start:end].encode() for start, end in self.cells]
        return self.text[: self.cells[0][0]].encode(), cells, self.text[self.cells[-1][1] : body].encode()

    def _list(self, at: int) -> tuple[list[Any], int]:
        values: list[Any] = []
        self.cells = []
        at, close = self._enter(at, "]")
        while not close:
            value, end = self._value(at)
            values.append(value)
            self.cells.append((at, end))
            at, close = self._next(end, "]")
        return values, at

    def _enter(self, at: int, close: str) -> tuple[int, bool]:
        at = self._skip(at + 1)
        return (self._skip(at + 1), True) if self.text[at : at + 1] == close else (at, False)

    def _next(self, at: int, close: str) -> tuple[int, bool]:
        at = self._skip(at)
        if self.text[at : at + 1] == close:
            return self._skip(at + 1), True
        return self._expect(",", at), False

    def _expect(self, mark: str, at: int) -> int:
        at = self._skip(at)
        if self.text[at : at + 1] != mark:
            self._fail(f"'{mark}'", at)
        return self._skip(at + 1)

    def _value(self, at: int) -> tuple[Any, int]:
        try:
            return _decoder.raw_decode(self.text, at)
        except json.JSONDecodeError as error:
            what = error.msg.lower().removesuffix(" at")
            message = f"{self.where}, line {error.lineno}, column {error.colno}: not JSON: {what}"
            raise InvalidInputError(message, hint=self._conflict_hint()) from None
        except ValueError as error:  # a number of more digits than Python converts
            raise InvalidInputError(f"{self.where}, line {self._line(at)}: {error}") from None
        except RecursionError:
            raise InvalidInputError(f"{self.where}, line {self._line(at)}: nested too deeply to be read") from None

    def _fail(self, wanted: str, at: int) -> tuple[str, int]:
        column = at - self.text.rfind("\n", 0, at)
        message = f"{self.where}, line {self._line(at)}, column {column}: not JSON: {wanted} expected"
        raise InvalidInputError(message, hint=self._conflict_hint())

    def _conflict_hint(self) -> str:
        if re.search(r"(?m)^(<<<<<<<|>>>>>>>) ", self.text):
            return "the file holds git's conflict marks; to make cells of both sides: cellar fix FILE"
        return ""

    def _skip(self, at: int) -> int:
        found = _blank.match(self.text, at)
        return found.end() if found else at

    def _line(self, at: int) -> int:
        return self.text.count("\n", 0, at) + 1
