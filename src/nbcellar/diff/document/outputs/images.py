"""Comparing pictures: by their pixels, with a picture of the difference; where these cannot be read by size and bytes.

Invariant: pictures with other bytes are noise only if `pixels` compared every pixel of both.
"""

from __future__ import annotations

import base64
from typing import Any

from nbcellar.diff.document.outputs import noise
from nbcellar.diff.document.outputs.model import ImageChange, MimeChange, OutputSettings
from nbcellar.diff.document.outputs.opaque import compare_bytes, decoded, sizes
from nbcellar.diff.document.outputs.picture_sizes import picture_size

_MOST_BYTES = 8 << 20  # of a picture that comes along as a data URI


def compare_image(mime: str, before: Any, after: Any, settings: OutputSettings) -> MimeChange | None:
    """Return what differs between two pictures in base64, None if nothing does."""
    if isinstance(before, str) and before == after:
        return None
    old, new = decoded(before), decoded(after)
    if old is None or new is None or old == new or not old or not new:
        return compare_bytes(mime, before, after, settings)
    from nbcellar.diff.document.outputs.pixels import compare_pixels

    apart = compare_pixels(mime, old, new, most_pixels=settings.most_pixels, draw=settings.draw)
    if apart.pixels == 0:
        names = [noise.SAME_PICTURE]
        return MimeChange(mime=mime, note=noise.only(names), only_noise=True, noise=names)
    size, size_new = picture_size(old) or (None, None), picture_size(new) or (None, None)
    detail = ImageChange(
        before=_uri(mime, old) if settings.draw else "",
        after=_uri(mime, new) if settings.draw else "",
        difference=_uri("image/png", apart.drawn) if apart.drawn else "",
        pixels=apart.pixels,
        of=apart.of,
        width_before=size[0],
        height_before=size[1],
        width_after=size_new[0],
        height_after=size_new[1],
        bytes_before=len(old),
        bytes_after=len(new),
    )
    why = f"; the pixels were not compared: {apart.why}" if apart.why and apart.why != "other sizes" else ""
    return MimeChange(mime=mime, note=_told(detail) + why, detail=detail)


def image_alone(mime: str, value: Any, settings: OutputSettings, *, is_new: bool) -> MimeChange | None:
    """Return a picture that came or went, None for what is none."""
    data = decoded(value)
    size = picture_size(data) if data else None
    if not data or size is None:
        return None
    told = f"picture of {_size(*size)}"
    uri = _uri(mime, data) if settings.draw else ""
    if is_new:
        detail = ImageChange(after=uri, width_after=size[0], height_after=size[1], bytes_after=len(data))
        return MimeChange(mime=mime, change="added", note=told, detail=detail)
    detail = ImageChange(before=uri, width_before=size[0], height_before=size[1], bytes_before=len(data))
    return MimeChange(mime=mime, change="removed", note=told, detail=detail)


def _told(detail: ImageChange) -> str:
    old = _size(detail.width_before, detail.height_before)
    new = _size(detail.width_after, detail.height_after)
    if old != new:
        return f"picture of {old} -> {new} pixels"
    if detail.pixels is not None:
        share = 100 * detail.pixels / max(detail.of, 1)
        percent = "100 %" if share == 100 else f"{share:.1f} %" if share >= 0.1 else "less than 0.1 %"
        return f"picture of {new}: {detail.pixels:,} of {detail.of:,} pixels differ ({percent})"
    name = f"picture of {new}" if new != "unknown size" else "picture"
    return f"{name}: {sizes(detail.bytes_before, detail.bytes_after)}"


def _size(width: int | None, height: int | None) -> str:
    return f"{width:,} × {height:,}" if width is not None and height is not None else "unknown size"


def _uri(mime: str, data: bytes) -> str:
    return f"data:{mime};base64,{base64.b64encode(data).decode()}" if len(data) <= _MOST_BYTES else ""


__all__ = ["compare_image"]
