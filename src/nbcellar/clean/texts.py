"""Memory addresses and overlong lines in the text of outputs.

Invariant: time is linear in the length of the text, whatever it holds: the expressions begin with a fixed text and look
a bounded number of letters around it. What was replaced is not found a second time.
"""

from __future__ import annotations

import re

ADDRESS = "0x..."
"""What stands for an address."""

_COLOUR = r"(?:\x1b\[[0-9;]{0,20}m){0,4}"
# <A object at 0x7f3a1c>, also as HTML and with colours; <code object f at 0x7f3a1c, file "a.py", line 3> goes on
# behind the address. A program that prints "crash at 0x401000" means that address, and it is kept.
_address = re.compile(rf"( at {_COLOUR})0x[0-9A-Fa-f]{{4,16}}(?={_COLOUR}(?:>|&gt;|([,;])[^\n>]{{0,120}}(?:>|&gt;)))")
_BEFORE = 300


def without_addresses(text: str) -> tuple[str, int]:
    """Return text with the addresses of objects replaced, and how many there were."""
    if " at " not in text or "0x" not in text:
        return text, 0
    found = 0

    def replaced(match: re.Match[str]) -> str:
        nonlocal found
        if match[2] is not None and not _is_within_brackets(text, match.start()):
            return match[0]
        found += 1
        return match[1] + ADDRESS

    return _address.sub(replaced, text), found


def with_short_lines(text: str, longest: int) -> tuple[str, int]:
    """Return text whose lines have at most `longest` letters, and how many were cut; the end of a cut line says so."""
    if len(text) <= longest:
        return text, 0
    lines = text.split("\n")
    cut = [_cut(line, longest) if len(line) > longest else line for line in lines]
    return "\n".join(cut), sum(len(line) > longest for line in lines)


def _is_within_brackets(text: str, at: int) -> bool:
    line = text.rfind("\n", max(0, at - _BEFORE), at) + 1 or max(0, at - _BEFORE)
    return "<" in text[line:at] or "&lt;" in text[line:at]


def _cut(line: str, longest: int) -> str:
    mark = f"... ({len(line):,} letters)"
    return line[: longest - len(mark)] + mark if len(mark) < longest else line[:longest]
