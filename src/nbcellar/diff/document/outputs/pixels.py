"""Whether two files show the same picture, in how many pixels they differ, and a picture of where.

With Pillow, where it is installed, the formats of `_FORMATS`; without, PNG as `diff/png.py` reads it.
Invariant: "the same" is said only where every pixel of every frame was compared, its transparency, too.
"""

from __future__ import annotations

import io
import warnings
from typing import Any

import msgspec

from nbcellar.diff import png
from nbcellar.diff.document.outputs.picture_sizes import picture_size

_FORMATS = {
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/jpg": "JPEG",
    "image/gif": "GIF",
    "image/webp": "WEBP",
    "image/bmp": "BMP",
}
_MODES = frozenset({"1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr"})  # eight bits a sample, at most
_LOOKS = ("gamma", "icc_profile", "srgb", "chromaticity", "duration", "loop")  # what a file says besides, and shows
_WITHOUT_PILLOW = 32  # so many times fewer pixels are compared without it: each takes a microsecond or two


class Difference(msgspec.Struct, frozen=True):
    """`pixels` of `of` differ; None: they were not compared, `why` says why. `drawn` is a PNG file, or nothing."""

    pixels: int | None = None
    of: int = 0
    drawn: bytes = b""
    why: str = ""


def compare_pixels(mime: str, before: bytes, after: bytes, *, most_pixels: int, draw: bool) -> Difference:
    """Compare two files of one MIME type; never raises for what they hold."""
    sizes = picture_size(before), picture_size(after)
    if sizes[0] is None or sizes[1] is None:
        return Difference(why="not a picture that can be read")
    if sizes[0] != sizes[1]:
        return Difference(why="other sizes")
    count = sizes[0][0] * sizes[0][1]
    if count > most_pixels:
        return Difference(why=f"more than {most_pixels:,} pixels")
    try:
        from PIL import Image
    except Exception:  # not installed, or not for this Python
        return _without_pillow(mime, before, after, count, most_pixels, draw)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            formats = [_FORMATS[mime]]
            old, new = (Image.open(io.BytesIO(data), formats=formats) for data in (before, after))
            with old, new:
                return _compare_images(old, new, most_pixels, draw)
    except Exception as error:  # a damaged file, or one made to do harm
        return Difference(why=f"cannot be read: {type(error).__name__}")


# with Pillow ------------------------------------------------------------------------------------------------------


def _compare_images(old: Any, new: Any, most_pixels: int, draw: bool) -> Difference:
    frames = getattr(old, "n_frames", 1), getattr(new, "n_frames", 1)
    if frames[0] != frames[1]:
        return Difference(why=f"{frames[0]:,} -> {frames[1]:,} frames")
    if old.mode not in _MODES or new.mode not in _MODES or old.size != new.size:
        return Difference(why=f"pixels of the kinds {old.mode} and {new.mode}")
    of = old.width * old.height
    if of * frames[0] > most_pixels:
        return Difference(why=f"{frames[0]:,} frames of more than {most_pixels:,} pixels")
    looks = [name for name in _LOOKS if old.info.get(name) != new.info.get(name)]
    total, drawn = 0, b""
    for number in range(frames[0]):
        if frames[0] > 1:
            old.seek(number)
            new.seek(number)
            looks += ["duration"] * (old.info.get("duration") != new.info.get("duration"))
        apart = _apart(old, new)
        count = of - apart.histogram()[0]
        total += count
        if count and draw and not drawn:
            drawn = _draw(new, apart)
    why = "" if total else _finer(old, new) or (f"the same pixels, another {looks[0]}" if looks else "")
    return Difference(None if why else total, of * frames[0], drawn, why)


def _apart(old: Any, new: Any) -> Any:
    """Return how much each pixel differs, as a grey image; that is nothing where both are wholly transparent."""
    from PIL import ImageChops

    one, other = old.convert("RGBA"), new.convert("RGBA")
    bands = [ImageChops.difference(one.getchannel("A"), other.getchannel("A"))]
    flat = _over_white(one), _over_white(other)
    bands += ImageChops.difference(*flat).split()
    apart = bands[0]
    for band in bands[1:]:
        apart = ImageChops.lighter(apart, band)
    return apart


def _over_white(image: Any) -> Any:
    from PIL import Image

    if image.getextrema()[3][0] == 255:
        return image.convert("RGB")
    white = Image.new("RGBA", image.size, (255, 255, 255, 255))
    return Image.alpha_composite(white, image).convert("RGB")


def _finer(old: Any, new: Any) -> str:
    """Return what says that samples have more than the eight bits that were compared."""
    for image in (old, new):
        if image.format == "PNG" and _depth(image.fp) == 16:
            return "sixteen bits a sample, of which eight are the same"
    return ""


def _depth(file: Any) -> int:
    if file is None:
        return 0
    at = file.tell()
    file.seek(24)
    depth = file.read(1)
    file.seek(at)
    return depth[0] if depth else 0


def _draw(new: Any, apart: Any) -> bytes:
    """Return the picture of a difference: equal pixels pale, others red, the stronger the more they differ."""
    from PIL import Image

    pale = _over_white(new.convert("RGBA")).convert("L").point([min(208 + 3 * v // 16, 255) for v in range(256)])
    weak = apart.point([max(140 - v, 0) for v in range(256)])
    red = Image.merge("RGB", (apart.point([225] * 256), weak, apart.point([max(140 - v, 20) for v in range(256)])))
    mask = apart.point([0] + [255] * 255)
    file = io.BytesIO()
    Image.composite(red, pale.convert("RGB"), mask).save(file, "PNG", compress_level=3)
    return file.getvalue()


# without ----------------------------------------------------------------------------------------------------------


def _without_pillow(mime: str, before: bytes, after: bytes, count: int, most_pixels: int, draw: bool) -> Difference:
    if mime != "image/png":
        return Difference(why="not read without Pillow")
    if count > max(most_pixels // _WITHOUT_PILLOW, 1):
        return Difference(why=f"{count:,} pixels, too many to be compared without Pillow")
    if any(name in data for data in (before, after) for name in (b"acTL", b"gAMA", b"iCCP")):
        return Difference(why="not read without Pillow")  # frames, colours that the samples alone do not give
    old, new = png.decode(before), png.decode(after)
    if old is None or new is None:
        return Difference(why="not read without Pillow")
    if old == new:
        return Difference(0, count)
    apart = png.difference(old, new)
    if apart is None:
        return Difference(why="other sizes")
    pixels = max(apart[1], _alpha_differs(old, new))
    return Difference(pixels, count, png.encode(apart[0]) if draw and pixels else b"")


def _alpha_differs(old: png.Pixels, new: png.Pixels) -> int:
    """Return in how many pixels the transparency differs."""
    one, other = _alpha(old), _alpha(new)
    return sum(map(int.__ne__, one, other)) if one != other else 0


def _alpha(pixels: png.Pixels) -> bytes:
    if pixels.channels in (1, 3):
        return b"\xff" * (pixels.width * pixels.height)
    return pixels.data[pixels.channels - 1 :: pixels.channels]


__all__ = ["Difference", "compare_pixels"]
