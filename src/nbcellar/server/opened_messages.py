"""Requests about the notebook that is open in the browser, and about the kernel under it. See `messages.py`."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from nbcellar.api.drafts import MOST, SentCell
from nbcellar.api.returning import LostSession
from nbcellar.server.messages import Asked

Count = Annotated[int, msgspec.Meta(ge=0, lt=MOST)]


class OpenNotebook(Asked, frozen=True, kw_only=True):
    """A notebook as the browser holds it, with unsaved edits. `message`: why it is recorded."""

    notebook: dict[str, Any]
    message: str = "the notebook as it was open"


class OpenDraft(Asked, frozen=True, kw_only=True):
    """A notebook as the browser holds it, left for its kernel: only what changed since the last draft of this client.

    `client` and `sent_ms` are the session and the date in the header of the last execute request that was sent; `order`
    are the numbers of the cells' versions, `cells` those that the server does not have, `rest` the notebook without
    cells, null if it is as it was, and `minor` its nbformat_minor. `opening`: no kernel may record it yet.
    """

    client: str
    sent_ms: Count = 0
    order: list[Count]
    cells: tuple[SentCell, ...] = ()
    rest: dict[str, Any] | None = None
    minor: Count = 5
    opening: bool = False


class ClosedDraft(Asked, frozen=True, kw_only=True):
    """A client holds the notebook no longer."""

    client: str


class OtherVersion(msgspec.Struct, frozen=True, kw_only=True):
    """The notebook of a commit. `trusted`: Jupyter trusts exactly this text."""

    commit: str
    notebook: dict[str, Any]
    trusted: bool


class Lost(msgspec.Struct, frozen=True, kw_only=True):
    """The session that a restore would bring into the notebook's empty kernel, None where there is none."""

    session: LostSession | None


class Attached(msgspec.Struct, frozen=True, kw_only=True):
    """`recording`: the notebook is recorded, now or from its next kernel; `notes` say what is left to do."""

    recording: bool
    notes: list[str]
