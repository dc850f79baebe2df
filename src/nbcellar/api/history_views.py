"""What the panels of the browser show of a history: entries with their code, a state with its origins, lifelines.

Invariant: as in `views.py`; made from the index, commits and previews alone.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from nbcellar.api.views import CommitLine, Variable


class Entry(CommitLine, frozen=True, kw_only=True):
    """A commit with the beginning of its cell's code.

    source: the first lines, without blank ones before them, each cut. lines: how many the code has, 0 without a cell.
    duration_s: how long the cell ran, None without a cell.
    """

    source: str = ""
    lines: int = 0
    duration_s: float | None = None


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """A branch or a tag; `current`: HEAD is attached to it."""

    kind: Literal["branch", "tag"]
    name: str
    commit: str
    current: bool = False


class History(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of all that refs reach, newest first, or what is new in it.

    digest: stands for the whole listing of `total` entries, names aside. follows: what the asker has is as it was, and
    `entries` are all that stand before it; else it has to read anew, and `entries` are the stretch it asked for.
    head and branch are now; names are all branches and tags.
    """

    entries: list[Entry]
    total: int
    digest: str
    follows: bool = False
    head: str | None = None
    branch: str | None = None
    names: list[Named] = []


class StateOf(msgspec.Struct, frozen=True, kw_only=True):
    """The variables of a commit, and the commits that recorded their versions, newest first."""

    commit: Entry
    variables: list[Variable]
    recorded: list[Entry]


class Lifeline(msgspec.Struct, frozen=True, kw_only=True):
    """When a variable changed on the way to a commit: at `places` of that way, 0 is its first commit.

    values: for each place what can be drawn: a number, the first dimension of an array or a frame, the length of a text
    or a list; None for other values and where the variable went. versions counts all changes; of many, some places
    stand for their neighbours.
    """

    name: str
    versions: int
    places: list[int]
    values: list[float | None]


class Lifelines(msgspec.Struct, frozen=True, kw_only=True):
    """The lifelines of all variables of a commit; the way to it has `length` commits."""

    commit: str
    length: int
    variables: list[Lifeline]


__all__ = ["Entry", "History", "Lifeline", "Lifelines", "Named", "StateOf"]
