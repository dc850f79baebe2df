"""Reads the notebooks that are compared with plain runs, from `plain_cases.txt`.

### name              a notebook
x = 1                 its first cell
---                   the next cell
=== file data.csv     a file beside it
=== then              a version of it that follows
=== cell 1            a cell that is another one in it, from 0
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple


class Version(NamedTuple):
    """What changes: cells by number, from 0, and files that are written."""

    cells: dict[int, str]
    files: dict[str, str]


class Case(NamedTuple):
    """A notebook, as versions that follow each other; the first one has all cells."""

    name: str
    versions: tuple[Version, ...]


def read_cases() -> list[Case]:
    """Return all of them."""
    text = Path(__file__).with_name("plain_cases.txt").read_text("utf-8")
    return [_read(block) for block in re.split(r"^### ", text, flags=re.MULTILINE) if block.strip()]


def _read(block: str) -> Case:
    name, _, rest = block.partition("\n")
    first, *parts = re.split(r"^=== (.*)\n", rest.rstrip("\n") + "\n", flags=re.MULTILINE)
    versions = [Version(dict(enumerate(cell.strip("\n") for cell in first.split("\n---\n"))), {})]
    for head, body in zip(parts[::2], parts[1::2], strict=True):
        kind, _, what = head.partition(" ")
        if kind == "then":
            versions.append(Version({}, {}))
        elif kind == "cell":
            versions[-1].cells[int(what)] = body.strip("\n")
        else:
            versions[-1].files[what] = body
    return Case(name, tuple(versions))


__all__ = ["Case", "Version", "read_cases"]
