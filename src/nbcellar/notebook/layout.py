"""The text layout of a notebook: JSON values to text, and the layout of a text found again.

Invariant: `render_value` gives what Python's `json` gives (that is what Jupyter writes), whatever the layout.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from nbcellar.notebook.model import Formatting

_LOOK = 2000
# Looking through all of a long file takes as long as parsing it.
_LOOK_FOR_ESCAPES = 500_000
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_indented_line = re.compile(rb"(?m)^ +")
_not_ascii = re.compile(r"[^\x00-\x7f]")
_lone_surrogate = re.compile("[\ud800-\udfff]")
_escaped_letter = re.compile(rb"\\u(?:[1-9a-f]|0[1-9a-f]|00[89a-f])")
_first_indent = re.compile(rb'\{(\r?\n)([ \t]*)"')


def detect_formatting(data: bytes) -> Formatting:
    """Guess the layout from the first lines and the last; what the guess misses is kept verbatim by the codec."""
    marked = data.startswith(_BYTE_ORDER_MARK)
    text = data.removeprefix(_BYTE_ORDER_MARK)
    start = (text[:_LOOK] if text[:1] == b"{" else text.lstrip())[:_LOOK]
    end = text[len(text.rstrip()) :].decode()
    ascii_only = text.isascii() and _escaped_letter.search(text, 0, _LOOK_FOR_ESCAPES) is not None
    first = _first_indent.match(start)
    if first is None:
        compact = b'", "' not in start and b'": ' not in start
        return Formatting(None, compact, ascii_only, "\n", end, marked)
    return Formatting(first[2].decode(), False, ascii_only, first[1].decode(), end, marked)


def encode_compact(value: Any) -> str:
    """Return JSON without blanks, keys in their order, numbers as Python writes them; lone surrogates are escaped."""
    # json and not msgspec: Jupyter writes with json, whose floats read 1e-07 where msgspec's read 1e-7, and notebooks
    # in the wild hold NaN, which msgspec turns into null without a word.
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return _lone_surrogate.sub(_escape, text)


def render_value(value: Any, formatting: Formatting, depth: int) -> bytes:
    """Return a JSON value as it stands at `depth` levels of indentation, without the indentation of its first line."""
    if formatting.indent is None:
        separators = (",", ":") if formatting.compact else (", ", ": ")
        text = json.dumps(value, ensure_ascii=False, separators=separators)
        return _escaped(_lone_surrogate.sub(_escape, text), formatting).encode()
    lines = _format(value).replace(b"\n", b"\n" + b" " * depth)
    if formatting.indent != " ":
        unit = formatting.indent.encode()
        # A line break inside a string is always escaped, so blanks at the start of a line are indentation.
        lines = _indented_line.sub(lambda found: unit * len(found[0]), lines)
    if formatting.newline != "\n":
        lines = lines.replace(b"\n", formatting.newline.encode())
    return _escaped(lines.decode(), formatting).encode() if formatting.ascii else lines


def render_object(
    members: Mapping[str, Any], formatting: Formatting, *, splice: str, items: Sequence[bytes]
) -> tuple[bytes, bytes, bytes]:
    """Render a top-level object whose member `splice` is a list of rendered `items`.

    Returns the text before the first item, between two items, and after the last.
    """
    newline, unit = (formatting.newline, formatting.indent) if formatting.indent is not None else ("", "")
    blank = "" if formatting.compact else " "
    comma = "," + newline + unit if newline else "," + blank
    parts = []
    for key, value in members.items():
        rendered = b"\0" if key == splice else render_value(value, formatting, 1)
        parts.append(render_value(key, formatting, 0) + f":{blank}".encode() + rendered)
    frame = f"{{{newline}{unit}".encode() + comma.encode().join(parts) + f"{newline}}}".encode()
    head, tail = frame.split(b"\0")
    if not items:
        return head + b"[]", b"", tail
    return (
        head + f"[{newline}{unit * 2}".encode(),
        f",{newline}{unit * 2}".encode() if newline else comma.encode(),
        f"{newline}{unit}]".encode() + tail,
    )


def _format(value: Any) -> bytes:
    text = encode_compact(value).encode()
    try:
        return msgspec.json.format(text, indent=1)
    except msgspec.DecodeError:  # NaN and Infinity: Python's own formatter is slow but takes them
        return _lone_surrogate.sub(_escape, json.dumps(value, ensure_ascii=False, indent=1)).encode()


def _escaped(text: str, formatting: Formatting) -> str:
    return _not_ascii.sub(_escape, text) if formatting.ascii else text


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 0x10000:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
