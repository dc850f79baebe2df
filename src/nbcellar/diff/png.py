"""Writing and reading small PNG pictures, and the picture of a difference, without a library.

Invariant: what `decode` is given may be anybody's bytes: it returns None for all it does not take, and allocates no
more than `MOST_PIXELS` ask for. Read are eight bits a sample, not interlaced, as matplotlib writes them.
"""

from __future__ import annotations

import struct
import zlib

import msgspec

MOST_PIXELS = 4_000_000
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}
_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}


class Pixels(msgspec.Struct, frozen=True):
    """Rows of samples of eight bits; channels: 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha."""

    width: int
    height: int
    channels: int
    data: bytes


def encode(pixels: Pixels) -> bytes:
    """Return a PNG file."""
    row = pixels.width * pixels.channels
    lines = b"".join(b"\0" + pixels.data[at : at + row] for at in range(0, row * pixels.height, row))
    header = struct.pack(">IIBBBBB", pixels.width, pixels.height, 8, _TYPES[pixels.channels], 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines, 6)), (b"IEND", b""))
    return _SIGNATURE + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def decode(data: bytes) -> Pixels | None:
    """Return the pixels of a PNG file, None for one that is not read here."""
    if not data.startswith(_SIGNATURE):
        return None
    at, form, parts = len(_SIGNATURE), None, []
    while at + 12 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        body = data[at + 8 : at + 8 + size]
        if kind == b"IHDR" and len(body) == 13:
            form = struct.unpack(">IIBBBBB", body)
        elif kind == b"IDAT":
            parts.append(body)
        at += 12 + size
    if form is None or form[2] != 8 or form[3] not in _CHANNELS or form[6] != 0:
        return None
    width, height, channels = form[0], form[1], _CHANNELS[form[3]]
    if not 0 < width * height <= MOST_PIXELS:
        return None
    row = width * channels
    try:
        lines = zlib.decompressobj().decompress(b"".join(parts), (row + 1) * height)
    except zlib.error:
        return None
    if len(lines) != (row + 1) * height:
        return None
    plain = _unfilter(lines, row, height, channels)
    return Pixels(width, height, channels, plain) if plain is not None else None


def _unfilter(lines: bytes, row: int, height: int, step: int) -> bytes | None:
    found = bytearray()
    above = bytes(row)
    for number in range(height):
        start = number * (row + 1)
        kind, line = lines[start], bytearray(lines[start + 1 : start + 1 + row])
        if kind == 1:
            for i in range(step, row):
                line[i] = line[i] + line[i - step] & 255
        elif kind == 2:
            line = bytearray((a + b) & 255 for a, b in zip(line, above, strict=True))
        elif kind == 3:
            for i in range(row):
                left = line[i - step] if i >= step else 0
                line[i] = line[i] + (left + above[i] >> 1) & 255
        elif kind == 4:
            for i in range(row):
                left, corner = (line[i - step], above[i - step]) if i >= step else (0, 0)
                line[i] = line[i] + _paeth(left, above[i], corner) & 255
        elif kind != 0:
            return None
        found += line
        above = bytes(line)
    return bytes(found)


def _paeth(left: int, up: int, corner: int) -> int:
    guess = left + up - corner
    a, b, c = abs(guess - left), abs(guess - up), abs(guess - corner)
    return left if a <= b and a <= c else up if b <= c else corner


def difference(before: Pixels, after: Pixels) -> tuple[Pixels, int] | None:
    """Return a picture of where two pictures differ, and in how many pixels; None for other sizes.

    Equal pixels are pale, others red, the stronger the more they differ.
    """
    if (before.width, before.height) != (after.width, after.height):
        return None
    ours, theirs = _rgb(before), _rgb(after)
    out = bytearray(len(ours))
    count = 0
    for at in range(0, len(ours), 3):
        old, new = ours[at : at + 3], theirs[at : at + 3]
        if old == new:
            grey = 208 + sum(new) // 16
            out[at] = out[at + 1] = out[at + 2] = min(grey, 255)
            continue
        count += 1
        apart = max(abs(a - b) for a, b in zip(old, new, strict=True))
        out[at : at + 3] = bytes((225, max(140 - apart, 0), max(140 - apart, 20)))
    return Pixels(before.width, before.height, 3, bytes(out)), count


def _rgb(pixels: Pixels) -> bytes:
    """Return the samples as RGB, over white where they are transparent."""
    data, channels = pixels.data, pixels.channels
    if channels == 3:
        return data
    if channels == 1:
        return bytes(sample for sample in data for _ in range(3))
    out = bytearray()
    for at in range(0, len(data), channels):
        alpha = data[at + channels - 1]
        colour = data[at : at + 3] if channels == 4 else data[at : at + 1] * 3
        out += colour if alpha == 255 else bytes((c * alpha + 255 * (255 - alpha)) // 255 for c in colour)
    return bytes(out)


__all__ = ["MOST_PIXELS", "Pixels", "decode", "difference", "encode"]
