"""The texts in the bytes of a stored value, found without loading it.

Invariant: nothing is executed or believed: bytes are looked at. Every run of letters is found, whatever surrounds it;
which of them are strings of a pickle is told for short streams only. Not for: what a value means.
"""

from __future__ import annotations

import io
import itertools
import pickletools
import re
from collections.abc import Iterable, Iterator
from typing import Any

LONGEST_STREAM = 65_536
_MOST_INSTRUCTIONS = 20_000

_RUN = re.compile(rb"[\x20-\x7e\t\r\n\x80-\xff]{8,}")
_WIDE = re.compile(rb"(?:[\x20-\x7e]\x00\x00\x00){8,}|(?:[\x20-\x7e]\x00){8,}")


def pickled_strings(stream: bytes) -> list[str]:
    """Return the strings of a pickle, in order; of a stream that is long or damaged those at its beginning."""
    found: list[str] = []
    source = io.BytesIO(stream[:LONGEST_STREAM])
    while source.tell() < min(len(stream), LONGEST_STREAM):  # a value can be several pickles
        before = source.tell()
        try:
            _collect(itertools.islice(pickletools.genops(source), _MOST_INSTRUCTIONS), found)
        except Exception:  # the tools raise what they like for what is no pickle
            break
        if source.tell() == before:
            break
    return found


def _collect(instructions: Iterable[tuple[pickletools.OpcodeInfo, Any, int | None]], found: list[str]) -> None:
    """Add strings, and again where a string that came before is meant."""
    memo: dict[int, str] = {}
    memoized = 0
    last: str | None = None
    for operation, argument, _ in instructions:
        name = operation.name
        if name == "MEMOIZE":
            if last is not None:
                memo[memoized] = last
            memoized += 1
        elif name in ("BINGET", "LONG_BINGET"):
            if argument in memo:
                found.append(memo[argument])
        elif name in ("BINPUT", "LONG_BINPUT") and last is not None:
            memo[argument] = last
        last = argument if isinstance(argument, str) and "UNICODE" in name else None
        if last is not None:
            found.append(last)


def runs_of_text(data: bytes) -> Iterator[str]:
    """Yield what could be text in any bytes: of one, two or four bytes a letter."""
    for match in _RUN.finditer(data):
        yield match[0].decode(errors="replace")
    if b"\0" in data:
        for match in _WIDE.finditer(data):
            yield match[0].replace(b"\0", b"").decode("ascii")


__all__ = ["LONGEST_STREAM", "pickled_strings", "runs_of_text"]
