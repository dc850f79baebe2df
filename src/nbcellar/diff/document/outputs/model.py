"""What changed in one MIME type of an output or attachment.

Invariant: frozen, and made of text and numbers alone, so that it is its own JSON.
"""

from __future__ import annotations

import msgspec

from nbcellar.diff.model import FrameChange, Kind, PictureChange, TextChange, ValueChange


class BytesChange(msgspec.Struct, frozen=True, kw_only=True, tag="bytes"):
    """Content that was not looked into: sizes in characters as the notebook holds it."""

    before: int
    after: int


class TreeChange(msgspec.Struct, frozen=True, kw_only=True, tag="tree"):
    """JSON by its structure: what changed at which paths; `more` counts those not listed."""

    values: list[ValueChange] = []
    more: int = 0


Detail = TextChange | PictureChange | FrameChange | TreeChange | BytesChange


class MimeChange(msgspec.Struct, frozen=True, kw_only=True):
    """One MIME type of a bundle that came, went or changed.

    `note` is a sentence that says more ("equal within the tolerance", a handler that failed), or is empty.
    """

    mime: str
    change: Kind
    detail: Detail | None = None
    note: str = ""


__all__ = ["BytesChange", "Detail", "MimeChange", "TreeChange"]
