"""Requests of the panels History and Variables. See `messages.py`."""

from __future__ import annotations

import msgspec

from nbcellar.server.messages import Asked, Count


class AskedEntries(Asked, frozen=True, kw_only=True):
    """`limit` entries after `skip`, newest first; or, where the last `have` are as they were when their listing had
    `digest`, all before them."""

    skip: Count = 0
    limit: Count = 200
    have: Count = 0
    digest: str = ""


class UndoTo(Asked, frozen=True, kw_only=True):
    """Undo cell runs until the step of `ref` is the last one."""

    ref: str
    without: list[str] = msgspec.field(default_factory=list)
    replay: str = "no"


__all__ = ["AskedEntries", "UndoTo"]
