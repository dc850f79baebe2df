"""Requests about merges. See `messages.py`. `given` names a merge that was handed to the server process, instead of a
path below its root."""

from __future__ import annotations

from typing import Any

import msgspec

from nbcellar.api.merging_views import Decision
from nbcellar.server.messages import Asked


class AskedMerge(Asked, frozen=True, kw_only=True):
    """What is to be decided in a notebook's file, or in a merge that was handed over."""

    given: str = ""


class LiveMerge(Asked, frozen=True, kw_only=True):
    """What is to be decided in a notebook as an editor holds it."""

    notebook: dict[str, Any]


class Decided(Asked, frozen=True, kw_only=True):
    """Decisions to try: the result is answered and nothing is written. Without `notebook` that of the file counts.

    shown: with the outputs in their static form."""

    decisions: list[Decision] = msgspec.field(default_factory=list)
    back: list[str] = msgspec.field(default_factory=list)
    notebook: dict[str, Any] | None = None
    given: str = ""
    shown: bool = False


class AnewMerge(Asked, frozen=True, kw_only=True):
    """The versions of git's index are to be merged into the file that `version` names."""

    version: str


class SaveMerge(Asked, frozen=True, kw_only=True):
    """Decisions to be written into the file that `version` names."""

    version: str
    decisions: list[Decision] = msgspec.field(default_factory=list)
    back: list[str] = msgspec.field(default_factory=list)
    given: str = ""


class EndMerge(Asked, frozen=True, kw_only=True):
    """The person is done with a merge that was handed over; `path` is "" then."""

    given: str
