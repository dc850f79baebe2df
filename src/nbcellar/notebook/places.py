"""Lines of places in a JSON text: where `cells[3].outputs[0].data` stands in the file."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from nbcellar.notebook.origin import BYTE_ORDER_MARK

_blank = re.compile(r"[ \t\r\n]*")
_decoder = json.JSONDecoder()


def lines_of(data: bytes, paths: Sequence[tuple[str | int, ...]]) -> list[int]:
    """Return the line of the value at each path, or of the innermost value around it that is there.

    data: text that was read as JSON already.
    """
    if not paths:
        return []
    text = data.removeprefix(BYTE_ORDER_MARK).decode()
    root: _Node = {}
    for path in paths:
        node = root
        for step in path:
            node = node.setdefault(step, {})
    starts: dict[tuple[str | int, ...], int] = {}
    _walk(text, _skip(text, 0), root, (), starts)
    return [text.count("\n", 0, starts[_longest(path, starts)]) + 1 for path in paths]


_Node = dict["str | int", "_Node"]


def _longest(path: tuple[str | int, ...], starts: dict[tuple[str | int, ...], int]) -> tuple[str | int, ...]:
    while path not in starts:
        path = path[:-1]
    return path


def _walk(
    text: str, at: int, wanted: _Node, path: tuple[str | int, ...], starts: dict[tuple[str | int, ...], int]
) -> int:
    """Note where the wanted values below `at` begin; return where the value at `at` ends."""
    starts[path] = at
    opening = text[at]
    if not wanted or opening not in "{[":
        return _decoder.raw_decode(text, at)[1]
    at = _skip(text, at + 1)
    place = 0
    while text[at] not in "]}":
        key: str | int = place
        if opening == "{":
            key, at = _decoder.raw_decode(text, at)
            at = _skip(text, _skip(text, at) + 1)
        inner = wanted.get(key)
        end = _decoder.raw_decode(text, at)[1] if inner is None else _walk(text, at, inner, (*path, key), starts)
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)
        place += 1
    return at + 1


def _skip(text: str, at: int) -> int:
    found = _blank.match(text, at)
    return found.end() if found else at
