"""Comparing pictures: arrays that are images, images of PIL, outputs of cells."""

from __future__ import annotations

import base64

from nbcellar.diff import png
from nbcellar.diff.model import PictureChange
from nbcellar.values.arrays import Array
from nbcellar.values.nodes import Call, List, Node

_MOST_BYTES = 2 << 20
_MODES = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}


def pixels_of_array(array: Array) -> png.Pixels | None:
    """Return an array as a picture if it looks like one: unsigned bytes, at least 8 by 8, up to four channels."""
    shape = array.shape
    if array.dtype.kind != "u" or array.dtype.size != 1 or len(shape) not in (2, 3):
        return None
    channels = shape[2] if len(shape) == 3 else 1
    height, width = shape[:2]
    if channels not in (1, 3, 4) or min(height, width) < 8 or height * width > png.MOST_PIXELS // 4:
        return None
    data = array.in_c_order().read(0, array.elements.count)
    return png.Pixels(width, height, channels, data)


def pixels_of_image(node: Node) -> png.Pixels | None:
    """Return the picture that an image of PIL is."""
    if type(node) is not Call or not node.path.startswith("PIL.") or type(node.state) is not List:
        return None
    parts = node.state.items
    if len(parts) < 5 or parts[1] not in _MODES or type(parts[2]) is not tuple or type(parts[4]) is not bytes:
        return None
    size, channels, data = parts[2], _MODES[parts[1]], parts[4]
    if len(size) != 2 or any(type(n) is not int or n <= 0 for n in size):
        return None
    if size[0] * size[1] > png.MOST_PIXELS or len(data) != size[0] * size[1] * channels:
        return None
    return png.Pixels(size[0], size[1], channels, data)


def compare_pixels(before: png.Pixels | None, after: png.Pixels | None, *, drawn: bool = True) -> PictureChange | None:
    """Return two pictures and their difference; None if there is none to show. Not drawn: only how much differs."""
    if before is None and after is None:
        return None
    apart = png.difference(before, after) if before is not None and after is not None else None
    return PictureChange(
        before=_uri(png.encode(before)) if before is not None and drawn else "",
        after=_uri(png.encode(after)) if after is not None and drawn else "",
        difference=_uri(png.encode(apart[0])) if apart is not None and drawn else "",
        pixels=apart[1] if apart is not None else None,
        of=after.width * after.height if after is not None else 0,
    )


def compare_files(before: bytes, after: bytes) -> PictureChange | None:
    """Return two PNG files as they are, and their difference where they can be read."""
    if before == after or not (before or after):
        return None
    old, new = png.decode(before), png.decode(after)
    apart = png.difference(old, new) if old is not None and new is not None else None
    return PictureChange(
        before=_uri(before) if before else "",
        after=_uri(after) if after else "",
        difference=_uri(png.encode(apart[0])) if apart is not None else "",
        pixels=apart[1] if apart is not None else None,
        of=new.width * new.height if new is not None else 0,
    )


def _uri(data: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(data).decode() if len(data) <= _MOST_BYTES else ""


__all__ = ["compare_files", "compare_pixels", "pixels_of_array", "pixels_of_image"]
