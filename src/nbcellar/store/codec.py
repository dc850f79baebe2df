"""How the bytes of one object are packed: chosen by a sample, bounded when unpacked.

Invariant: `decompress(*compress(kind, data), len(data)) == data`, and unpacking never yields or allocates more than the
`raw_bytes` that the index states. Digests are of raw bytes, so an object has one name whatever its codec. Not for:
deciding where bytes are kept (`transaction.py`).
"""

from __future__ import annotations

import enum
import sys
import threading
from typing import Any

from nbcellar.errors import InvalidInputError, UnsupportedFormatError
from nbcellar.store.interface import Data, Kind

MAX_RAW_BYTES = 1 << 30
"""No object is larger; a stated size above it is damage or an attack."""

TINY_BYTES = 256

PIECE_BYTES = 262_144
"""Shuffled objects are packed in pieces of this size: with larger ones malloc goes back to the kernel for every buffer,
and the page faults cost more than the packing (1.4 ms against 0.56 ms for 1 MiB)."""

_SHUFFLE_FROM_BYTES = 4096
_SAMPLE_PIECES = 4
_SAMPLE_PIECE_BYTES = 16_384
# Normally distributed float64 shrink by 6 % with shuffle + lz4 and uniform ones by 12 %, for three times the CPU of
# hashing when written and again when read: for blocks that does not pay. Small objects and text keep every 5 %.
_WORTH_BLOCK = 0.875
_WORTH_OTHER = 0.95
# zstd is about ten times slower than shuffle + lz4, so it must be clearly smaller (rounded decimals, bools, pickles).
_ZSTD_ADVANTAGE = 0.75


class Codec(enum.IntEnum):
    """Values are part of the format."""

    RAW = 0
    ZSTD = 1
    SHUFFLE8_LZ4 = 2
    SHUFFLE4_LZ4 = 3


_ELEMENT_BYTES: dict[int, int] = {Codec.SHUFFLE8_LZ4: 8, Codec.SHUFFLE4_LZ4: 4}


def byte_view(data: Data) -> memoryview:
    """Return `data` as flat bytes. Raises InvalidInputError when it is not contiguous."""
    try:
        return memoryview(data).cast("B")
    except TypeError:
        raise InvalidInputError("the data of an object must be contiguous bytes") from None


def compress(kind: Kind, data: memoryview) -> tuple[Codec, Data]:
    """Return the codec that a sample of `data` suggests, and the bytes to store (`data` itself for RAW)."""
    size = len(data)
    if size < TINY_BYTES:
        return Codec.RAW, data
    if kind is not Kind.BLOCK or size < _SHUFFLE_FROM_BYTES:
        return _if_smaller(Codec.ZSTD, data, _WORTH_OTHER)
    codec = _choose(data)
    return (Codec.RAW, data) if codec is Codec.RAW else _if_smaller(codec, data, _WORTH_BLOCK)


def decompress(codec: int, stored: Data, raw_bytes: int) -> Data:
    """Return the raw bytes. Raises ValueError when `stored` cannot be the packed form of `raw_bytes` bytes."""
    if not isinstance(raw_bytes, int) or isinstance(stored, str):  # of a damaged row
        raise ValueError("its entry in the database is damaged")
    if not 0 <= raw_bytes <= MAX_RAW_BYTES:
        raise ValueError(f"a stated size of {raw_bytes} bytes is out of bounds")
    if codec == Codec.RAW:
        raw = stored
    elif codec == Codec.ZSTD:
        raw = _unzstd(stored, raw_bytes)
    else:
        raw = bytearray(raw_bytes)
        _unshuffle(codec, stored, memoryview(raw))
    if len(raw) != raw_bytes:
        raise ValueError(f"{len(raw)} bytes instead of the {raw_bytes} stated")
    return raw


def decompress_into(codec: int, stored: Data, target: memoryview) -> None:
    """As `decompress`, into `target`, whose size is the stated one."""
    if codec in _ELEMENT_BYTES:
        _unshuffle(codec, stored, target)
        return
    raw = decompress(codec, stored, len(target))
    target[:] = raw


def _choose(data: memoryview) -> Codec:
    sample = _sample(data)
    size, best = min((len(_encode(codec, sample)), codec) for codec in (Codec.SHUFFLE8_LZ4, Codec.SHUFFLE4_LZ4))
    zstd_size = len(_encode(Codec.ZSTD, sample))
    if zstd_size < size * _ZSTD_ADVANTAGE:
        size, best = zstd_size, Codec.ZSTD
    return best if size <= len(sample) * _WORTH_BLOCK else Codec.RAW


def _sample(data: memoryview) -> memoryview:
    """Return pieces from all over `data`, at offsets that keep elements of 8 bytes whole."""
    size = len(data)
    if size <= _SAMPLE_PIECES * _SAMPLE_PIECE_BYTES:
        return data
    step = (size - _SAMPLE_PIECE_BYTES) // (_SAMPLE_PIECES - 1) & ~7
    return memoryview(b"".join(data[i * step : i * step + _SAMPLE_PIECE_BYTES] for i in range(_SAMPLE_PIECES)))


def _if_smaller(codec: Codec, data: memoryview, worth: float) -> tuple[Codec, Data]:
    stored = _encode(codec, data)
    return (codec, stored) if len(stored) <= len(data) * worth else (Codec.RAW, data)


def _encode(codec: Codec, data: memoryview) -> bytes | bytearray:
    if codec is Codec.ZSTD:
        frame: bytes = _zstd_compressor().compress(data)
        return frame
    from lz4.block import compress as lz4_compress

    width = _ELEMENT_BYTES[codec]
    packed = bytearray()
    for start in range(0, len(data), PIECE_BYTES):
        piece = lz4_compress(_shuffle(data[start : start + PIECE_BYTES], width), store_size=False)
        packed += len(piece).to_bytes(4, "little")
        packed += piece
    return packed


def _shuffle(data: memoryview, width: int) -> bytes:
    """Return first the first bytes of all elements, then the second bytes, ...; a rest shorter than an element last."""
    whole = len(data) - len(data) % width
    numpy = _numpy()
    if numpy is not None:
        planes = numpy.frombuffer(data[:whole], numpy.uint8).reshape(-1, width).T.tobytes()
        return planes + bytes(data[whole:]) if whole < len(data) else planes  # type: ignore[no-any-return]
    flat = bytes(data)
    return b"".join([*(flat[i:whole:width] for i in range(width)), flat[whole:]])


def _unshuffle(codec: int, stored: Data, target: memoryview) -> None:
    from lz4.block import LZ4BlockError
    from lz4.block import decompress as lz4_decompress

    width = _ELEMENT_BYTES.get(codec)
    if width is None:
        raise UnsupportedFormatError(f"an object is packed with codec {codec}, unknown here", hint=UPGRADE_HINT)
    rest = memoryview(stored)
    for start in range(0, len(target), PIECE_BYTES):
        into = target[start : start + PIECE_BYTES]
        end = 4 + int.from_bytes(rest[:4], "little")
        if end > len(rest):
            raise ValueError("the last piece is cut off")
        try:
            flat = lz4_decompress(rest[4:end], uncompressed_size=len(into))
        except (LZ4BlockError, ValueError, OverflowError) as error:
            raise ValueError(f"not an lz4 block: {error}") from None
        if len(flat) != len(into):
            raise ValueError(f"a piece of {len(flat)} bytes instead of {len(into)}")
        _scatter(flat, width, into)
        rest = rest[end:]
    if rest:
        raise ValueError(f"{len(rest)} bytes too many")


def _scatter(flat: bytes, width: int, target: memoryview) -> None:
    count, whole = len(flat) // width, len(flat) - len(flat) % width
    numpy = _numpy()
    if numpy is not None:
        planes = numpy.frombuffer(flat, numpy.uint8, whole).reshape(width, count)
        elements = numpy.frombuffer(target, numpy.uint8, whole).reshape(count, width)
        for i in range(width):  # a column at a time is twice as fast as one transposed assignment
            elements[:, i] = planes[i]
    else:
        scattered = bytearray(whole)  # a strided store is a C loop in bytearray, but slow in memoryview
        for i in range(width):
            scattered[i::width] = flat[i * count : (i + 1) * count]
        target[:whole] = scattered
    target[whole:] = flat[whole:]


def _unzstd(stored: Data, raw_bytes: int) -> bytes:
    import zstandard

    try:
        # zstandard ignores max_output_size when the frame states a size, so the stated one is checked first.
        if zstandard.frame_content_size(stored) != raw_bytes:
            raise ValueError("the zstd frame states another size")
        raw: bytes = _zstd_decompressor().decompress(stored, max_output_size=raw_bytes)
    except zstandard.ZstdError as error:
        raise ValueError(f"not a zstd frame: {error}") from None
    return raw


UPGRADE_HINT = "upgrade with: pip install --upgrade nbcellar"
_of_thread = threading.local()


def _zstd_compressor() -> Any:
    """Return this thread's compressor: one context must not be used by two threads at once."""
    compressor = getattr(_of_thread, "zstd", None)
    if compressor is None:
        import zstandard

        compressor = _of_thread.zstd = zstandard.ZstdCompressor(level=1)
    return compressor


def _zstd_decompressor() -> Any:
    decompressor = getattr(_of_thread, "unzstd", None)
    if decompressor is None:
        import zstandard

        decompressor = _of_thread.unzstd = zstandard.ZstdDecompressor()
    return decompressor


def _numpy() -> Any:
    """Return numpy if the process has it loaded: importing it here would cost more than it saves."""
    return sys.modules.get("numpy")
