"""Comparing what nothing is known about: by size and digest; text by line, JSON by structure.

Invariant: base64 is decoded only if it is well formed, so that two different texts never pass for the same bytes.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

import blake3

from nbcellar.diff.document.equality import json_key
from nbcellar.diff.document.outputs import noise
from nbcellar.diff.document.outputs.model import BytesChange, MimeChange, OutputSettings
from nbcellar.diff.document.outputs.terminal import writable

_SHORTEST = 64  # a shorter text may be a word that happens to be base64


def decoded(value: Any) -> bytes | None:
    """Return the bytes that a text holds in base64, None if it is none."""
    if not isinstance(value, str):
        return None
    try:
        return base64.b64decode("".join(value.split()), validate=True)
    except (binascii.Error, ValueError):
        return None


def compare_bytes(mime: str, before: Any, after: Any, settings: OutputSettings) -> MimeChange | None:
    """Return what differs between two values in base64, None if nothing does."""
    if isinstance(before, str) and before == after:
        return None
    old, new = decoded(before), decoded(after)
    if old is None or new is None:
        from nbcellar.diff.document.outputs.text import compare_text

        if not isinstance(before, str) or not isinstance(after, str):
            return compare_text(mime, before, after, settings)  # by structure
        old, new = (writable(text).encode() for text in (before, after))
    if old == new:
        return MimeChange(mime=mime, note=noise.only([noise.FORM]), only_noise=True, noise=[noise.FORM])
    detail = BytesChange(
        before=len(old),
        after=len(new),
        digest_before=blake3.blake3(old).hexdigest(),
        digest_after=blake3.blake3(new).hexdigest(),
    )
    return MimeChange(mime=mime, note=sizes(len(old), len(new)), detail=detail)


def compare_unknown(mime: str, before: Any, after: Any, settings: OutputSettings) -> MimeChange | None:
    """Return what differs between two values of a type that nobody knows."""
    if all(isinstance(value, str) and len(value) >= _SHORTEST for value in (before, after)):
        if decoded(before) is not None and decoded(after) is not None:
            return compare_bytes(mime, before, after, settings)
    from nbcellar.diff.document.outputs.text import compare_text

    return compare_text(mime, before, after, settings)


def alone(mime: str, value: Any, *, is_new: bool) -> MimeChange:
    """Return what is known of a value that came or went."""
    data = decoded(value)
    if data is None:
        data = writable(value).encode() if isinstance(value, str) else json_key(value)
    digest = blake3.blake3(data).hexdigest()
    if is_new:
        detail = BytesChange(before=0, after=len(data), digest_after=digest)
        return MimeChange(mime=mime, change="added", note=f"{len(data):,} bytes", detail=detail)
    detail = BytesChange(before=len(data), after=0, digest_before=digest)
    return MimeChange(mime=mime, change="removed", note=f"{len(data):,} bytes", detail=detail)


def sizes(old: int, new: int) -> str:
    """Return two sizes in words."""
    return f"other bytes, {new:,} of them" if old == new else f"{old:,} -> {new:,} bytes"


__all__ = ["alone", "compare_bytes", "compare_unknown", "decoded", "sizes"]
