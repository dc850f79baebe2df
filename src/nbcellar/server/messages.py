"""What all requests carry, and what any of them may be answered with.

Invariant: unknown fields of a request are refused, so that a misspelt one is never silently a default. `path` is a path
as Jupyter's contents API has it: relative to the server's root, with `/`.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from nbcellar.api import views
from nbcellar.api.asking import Progress
from nbcellar.server.pipeline_lines import PipelineLine

Count = Annotated[int, msgspec.Meta(ge=0, le=2**31)]
"""How many of something: a stretch of a list never counts from its other end."""


class Asked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request about a notebook or a folder."""

    path: str


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Why a request was not carried out: a stable code, what happened, what to do next."""

    code: str
    message: str
    hint: str = ""


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """A change that has nothing more to tell; `commit` is the commit it concerns, "" where there is none."""

    commit: str = ""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where a notebook stands. `repository` is its folder as in `/analysis`, "" where there is none; `notebook` is None
    while nothing is recorded of it.

    `off`: why its kernels do not record by themselves, "" when they do; that of `notebook` is the same. `in_git`: the
    notebook lies in a git repository. `version` is that of Cellar in the server.
    """

    version: str
    repository: str = ""
    notebook: views.NotebookLine | None = None
    enabled: str = ""
    off: str = ""
    read_only: bool = False
    stored_bytes: int = 0
    cap_bytes: int = 0
    counted_bytes: int = 0
    in_git: bool = False


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something changed. history: commits, refs or messages of the repository; kernel: what records; git: HEAD, index
    or the branch; hello: from now on nothing is missed. `path` is the one that was subscribed.

    progress: a request about this notebook, anybody's, is on its way; `progress` says how far, None when it has ended.
    `request` is the name that it was sent with, or "".

    pipeline: a run of the notebook's pipeline told `line`.
    """

    event: Literal["history", "kernel", "git", "file", "hello", "progress", "pipeline"]
    path: str = ""
    request: str = ""
    progress: Progress | None = None
    line: PipelineLine | None = None


class AskedToCancel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request that is to be taken back, by the name that it was sent with."""

    request: str


class ToBeCancelled(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the request was still on its way; what becomes of it, its own answer says."""

    found: bool
