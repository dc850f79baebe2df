"""Requests about a notebook in git. See `messages.py`."""

from __future__ import annotations

from typing import Any

import msgspec

from nbcellar.git.history import Touched
from nbcellar.server.messages import Asked, Count


class AskedBase(Asked, frozen=True, kw_only=True):
    """A notebook at a revision of git's; "" is the index. `at`: its path there, if it had another, below the root."""

    revision: str = "HEAD"
    at: str = ""


class AskedMarks(Asked, frozen=True, kw_only=True):
    """What a notebook being edited differs in from a revision.

    outputs: whether these count; where they do not, `notebook` need not have them.
    """

    notebook: dict[str, Any]
    revision: str = "HEAD"
    outputs: bool = True


class Stage(Asked, frozen=True, kw_only=True):
    """Cells of the notebook being edited, by place, that go into the index; and cells that are taken out of it."""

    notebook: dict[str, Any]
    cells: list[int] = msgspec.field(default_factory=list)
    gone: list[dict[str, Any]] = msgspec.field(default_factory=list)


class AskedGitLog(Asked, frozen=True, kw_only=True):
    """The newest commits of git's that changed the notebook."""

    limit: Count = 50


class NewGitBranch(Asked, frozen=True, kw_only=True):
    """A branch of git's at a commit."""

    name: str
    revision: str


class TouchingCommit(Touched, frozen=True, kw_only=True):
    """A commit that changed the notebook. `here`, `here_before`: its paths in it and before, below the server's root.

    "" for what the server does not show, and for a path before that is the same.
    """

    here: str = ""
    here_before: str = ""


class GitLog(msgspec.Struct, frozen=True, kw_only=True):
    """The commits of git's that changed a notebook, newest first."""

    commits: list[TouchingCommit]
