"""What search, the history of a variable and the scan for secrets give back: frozen data for people and programs.

Invariant: as in `views.py`. A secret itself is in none of these: only its first and last letters and a fingerprint.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from nbcellar.api.views import CommitLine, Variable, View


class MatchedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line that matches: its number from 1, its text, and (start, end) of each match in characters."""

    number: int
    text: str
    matches: list[tuple[int, int]]


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """A text that matches.

    where: executed "code", a cell of the "document" that did not run as it stands there, an "output", a "message", the
    preview of a "variable". Equal texts are given once: it stands in `commits` commits of those searched, the oldest
    of which is `first`. variable: the name, for a preview. cell: the cell's number in the document, 0 elsewhere. Of
    many lines the first 20 are given, `more_lines` counts the rest.
    """

    where: Literal["code", "document", "output", "message", "variable"]
    lines: list[MatchedLine]
    more_lines: int = 0
    commits: int = 1
    first: str = ""
    variable: str = ""
    cell: int = 0


class VariableEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A commit at which a variable was created, changed or deleted.

    source: of the cell that ran. back_to: the oldest commit that had this version before, when it came back.
    """

    change: Literal["created", "changed", "deleted"]
    commit: CommitLine
    source: str = ""
    before: Variable | None = None
    after: Variable | None = None
    back_to: str | None = None


class SecretPlace(msgspec.Struct, frozen=True, kw_only=True):
    """Where a secret stands: in `commits` commits, the oldest of which is `commit`.

    name: of a variable, or of an environment variable. cell: number in the document, from 1. line: from 1; 0 where
    there are no lines.
    """

    where: Literal["code", "document", "output", "message", "note", "preview", "value", "environment"]
    commit: str
    commits: int = 1
    line: int = 0
    name: str = ""
    cell: int = 0


class Secret(msgspec.Struct, frozen=True, kw_only=True):
    """Something that looks like a secret. `shown` is what may be seen of it; `forget` is the command that removes it.

    id: stands for it in `cellar forget --secret` and in the setting secrets.allow. occurrences: places and commits
    together. Of many places the first 20 are given.
    """

    id: str
    kind: str
    shown: str
    occurrences: int
    places: list[SecretPlace]
    more_places: int = 0
    forget: str = ""


class SecretScan(View, frozen=True, kw_only=True):
    """`cellar secrets scan --json`. allowed: secrets that are left out, as the user said that they are none.

    values_in_part: values of which only the beginning was looked at, as they are large. damaged: what could not be
    read.
    """

    secrets: list[Secret]
    commits: int
    allowed: int = 0
    values_in_part: int = 0
    damaged: list[str] = msgspec.field(default_factory=list)


class VariableHistory(View, frozen=True, kw_only=True):
    """`cellar vars --history NAME --json`, `cellar log NAME --json`: the versions of one variable, newest first.

    searched: commits that were looked at. elsewhere: further versions in commits that these do not reach.
    """

    name: str
    events: list[VariableEvent]
    searched: int
    elsewhere: int = 0


class FoundCommit(msgspec.Struct, frozen=True, kw_only=True):
    """A commit and what matches in it. A text that several commits hold is under the newest of them."""

    commit: CommitLine
    matches: list[Match] = []
    event: VariableEvent | None = None


class Search(View, frozen=True, kw_only=True):
    """`cellar search --json`: commits with matches, newest first.

    searched: commits that were looked at. elsewhere: matching texts that only other commits hold (`--all` shows them).
    damaged: what could not be read, and so was not searched.
    """

    commits: list[FoundCommit]
    searched: int
    elsewhere: int = 0
    damaged: list[str] = msgspec.field(default_factory=list)


__all__ = [
    "Secret",
    "SecretPlace",
    "SecretScan",
    "FoundCommit",
    "Match",
    "MatchedLine",
    "Search",
    "VariableEvent",
    "VariableHistory",
]
