"""Requests about the session, and answers that no command of the terminal has. See `messages.py`."""

from __future__ import annotations

from typing import Literal

import msgspec

from nbcellar.api import views
from nbcellar.server.messages import Asked, Count


class AskedLog(Asked, frozen=True, kw_only=True):
    """Commits that `ref` (default: HEAD) reaches, or all; `limit` of them, after `skip`."""

    ref: str | None = None
    all: bool = True
    limit: Count = 500
    skip: Count = 0


class LogPart(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of the log, newest first. `total` counts all commits of the notebook; `head` and `branch` are now."""

    commits: list[views.CommitLine]
    total: int
    more: bool
    head: str | None = None
    branch: str | None = None


class AskedRef(Asked, frozen=True, kw_only=True):
    """One commit."""

    ref: str = "HEAD"


class AskedDiff(Asked, frozen=True, kw_only=True):
    """Two commits (`before` None: the step before `after`), of all variables or of those in `names`, a `,` between."""

    before: str | None = None
    after: str = "HEAD"
    names: str = ""
    pictures: bool = True


class AskedHistory(Asked, frozen=True, kw_only=True):
    """The versions of one variable."""

    name: str


class AskedSearch(Asked, frozen=True, kw_only=True):
    """Where a text stands, in code, messages, outputs and previews of all commits; or the versions of a variable.

    where: "code", "document", "output", "message" or "variable", a `,` between; nothing: everywhere.
    """

    text: str = ""
    where: str = ""
    variable: str | None = None
    all: bool = True
    regex: bool = False


class Steps(Asked, frozen=True, kw_only=True):
    """Undo or redo of some cell runs."""

    steps: int = 1
    without: list[str] = msgspec.field(default_factory=list)
    replay: str = "no"


class Checkout(Asked, frozen=True, kw_only=True):
    """Go to a commit. `names`: only these variables. `code` writes the file, and only where no editor has it open."""

    ref: str
    variables: bool = True
    code: bool = False
    names: list[str] = msgspec.field(default_factory=list)
    without: list[str] = msgspec.field(default_factory=list)
    replay: str = "no"


class Restore(Asked, frozen=True, kw_only=True):
    """Bring a state (default: the last one) into the live kernel."""

    ref: str | None = None
    without: list[str] = msgspec.field(default_factory=list)
    replay: str = "no"


class NewCommit(Asked, frozen=True, kw_only=True):
    """Name this point."""

    message: str = ""


class NewName(Asked, frozen=True, kw_only=True):
    """A branch or a tag at a commit."""

    name: str
    ref: str = "HEAD"
    force: bool = False


class Name(Asked, frozen=True, kw_only=True):
    """A branch or a tag."""

    kind: Literal["branch", "tag"]
    name: str


class NewMessage(Asked, frozen=True, kw_only=True):
    """Another message for a commit."""

    ref: str
    message: str


class AskedOperation(Asked, frozen=True, kw_only=True):
    """Undo of an operation (default: the last one)."""

    number: int | None = None
