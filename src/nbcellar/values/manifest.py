"""The manifest of one captured co-variable: what a VALUE object holds.

Invariant: the manifest and the blocks it names determine the value. Part of the format (docs/format.md).
"""

from __future__ import annotations

import msgspec

from nbcellar.errors import CorruptStoreError, UnsupportedFormatError
from nbcellar.ids import DIGEST_BYTES, Digest

VALUE_FORMAT = 1


class StoredRegion(msgspec.Struct, frozen=True, array_like=True):
    """Blocks of one run of bytes: `ends` are cumulative, `blocks` the digests in order, 32 bytes each, joined."""

    ends: tuple[int, ...]
    blocks: bytes

    def digests(self) -> list[Digest]:
        """Return the blocks' digests in order."""
        joined = self.blocks
        return [Digest(joined[i : i + DIGEST_BYTES]) for i in range(0, len(joined), DIGEST_BYTES)]

    @property
    def size_bytes(self) -> int:
        """Size of the run of bytes."""
        return self.ends[-1] if self.ends else 0


class Value(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    """A captured value. The stream is `inline` or, when long, in `stream` blocks.

    container: "" if the stream is one pickle, of a tuple of objects; "list" or "dict" if it is several, ending at
    `part_ends`, each of some elements of the one object.

    places: for each export of the stream (region, offset), flat; raw_buffers: exports that pickle asks for as
    out-of-band buffers, in order, with their readonly flag; compacted: exports whose strides no longer hold.
    """

    format: int
    python: tuple[int, int]
    inline: bytes = b""
    stream: StoredRegion | None = None
    regions: tuple[StoredRegion, ...] = ()
    places: tuple[int, ...] = ()
    sizes: tuple[int, ...] = ()  # bytes of each raw buffer, in the order of raw_buffers
    raw_buffers: tuple[int, ...] = ()
    readonly: tuple[bool, ...] = ()
    compacted: tuple[int, ...] = ()
    container: str = ""
    part_ends: tuple[int, ...] = ()


_encoder = msgspec.msgpack.Encoder(order="deterministic")
_decoder = msgspec.msgpack.Decoder(Value)


def encode_value(value: Value) -> bytes:
    """Return the canonical bytes of a VALUE object."""
    return _encoder.encode(value)


def decode_value(payload: bytes) -> Value:
    """Raise UnsupportedFormatError for a newer format, CorruptStoreError for other bytes."""
    try:
        value = _decoder.decode(payload)
    except msgspec.DecodeError as error:
        raise CorruptStoreError(f"stored bytes are no value: {error}") from None
    if value.format > VALUE_FORMAT:
        raise UnsupportedFormatError(
            f"a value of format {value.format}; this Cellar reads up to {VALUE_FORMAT}",
            hint="upgrade with: pip install --upgrade nbcellar",
        )
    return value


def referenced_digests(payload: bytes) -> list[Digest]:
    """Return the blocks that a VALUE object refers to."""
    value = decode_value(payload)
    runs = (*value.regions, value.stream) if value.stream is not None else value.regions
    return [digest for run in runs if run is not None for digest in run.digests()]
