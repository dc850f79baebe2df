"""A result as it travels by a remote: its commit, who signed it, and the objects that it consists of.

Small values are in the parcel. The blocks of a large one lie beside it in pieces, named by what is in them, so that
results share these; the parcel is written last, so whoever reads it finds them all. Invariant: nothing is given that
the digest of the commit and its signature do not stand for, and no value is decoded. Not for: sending and fetching
(`exchange.py`), whom to trust (whoever asks).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from blake3 import blake3

from nbcellar.errors import CorruptStoreError, UnsupportedFormatError
from nbcellar.history.model import decode_commit
from nbcellar.history.reach import references_of_commit
from nbcellar.history.receiving import Received
from nbcellar.ids import CommitId, Digest, KeyId
from nbcellar.pipeline.archive_format import MOST_BYTES
from nbcellar.pipeline.archive_import import require_result
from nbcellar.store.codec import byte_view, compress, decompress
from nbcellar.store.interface import Data, Kind
from nbcellar.trust.keys import KEY_BYTES, SIGNATURE_BYTES, verify
from nbcellar.values.manifest import referenced_digests

if TYPE_CHECKING:
    from nbcellar.history.recent import Signed
    from nbcellar.history.repository import Repository

FORMAT = 1
MIB = 1 << 20
INLINE_BYTES = MIB >> 2
"""A value whose blocks take less is in the parcel: a request costs about what this much does."""
MOST_INLINE_BYTES = 128 * MIB
"""Of all values in a parcel together: it is read into memory as a whole."""
PIECE_BYTES = 16 * MIB
MOST_PARCEL_BYTES = 512 * MIB
MOST_PIECE_BYTES = PIECE_BYTES + MOST_BYTES[Kind.BLOCK] + MIB

_HEAD = struct.Struct(">BQ")  # codec, bytes when unpacked


class Part(msgspec.Struct, frozen=True, array_like=True):
    """An object in the parcel. data: packed, see `packed`."""

    digest: bytes
    kind: int
    data: bytes


class Piece(msgspec.Struct, frozen=True, array_like=True):
    """Blocks that lie beside it, in this order, packed, in a list as msgpack."""

    digests: tuple[bytes, ...]

    @property
    def name(self) -> str:
        """Return what is equal for equal blocks."""
        return blake3(b"".join(self.digests)).hexdigest()


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """A result. commit: its payload; parts and pieces: all else that it consists of."""

    format: int
    commit: bytes
    key: bytes
    signature: bytes
    parts: tuple[Part, ...]
    pieces: tuple[Piece, ...]


class Plan(NamedTuple):
    """How a result is sent: its signed commit, what goes into the parcel, and what lies beside it."""

    signed: Signed
    parts: Mapping[Digest, Kind]
    pieces: tuple[Piece, ...]


class _Head(msgspec.Struct):
    format: int


class Contents(NamedTuple):
    """What is in a parcel, checked: it and its pieces are a result with all it consists of, and nothing beside."""

    received: Received
    payload: bytes
    objects: Mapping[Digest, tuple[Kind, Data]]
    pieces: tuple[Piece, ...]


def plan(repo: Repository, commit: CommitId) -> Plan:
    """Return how a result is sent. Raises NotFoundError where the repository has not all of it."""
    signed, store = repo.read_signed(commit), repo.store
    parts: dict[Digest, Kind] = {}
    pieces: list[Piece] = []
    held = 0
    for kind, digest in references_of_commit(decode_commit(signed.payload)):
        parts.setdefault(digest, kind)
        blocks = referenced_digests(store.read(digest)) if kind is Kind.VALUE else []
        sizes = {block: store.info(block).raw_bytes for block in blocks}
        size = sum(sizes.values())
        if size < INLINE_BYTES and held + size < MOST_INLINE_BYTES:
            held += size
            for block in blocks:
                parts.setdefault(block, Kind.BLOCK)
            continue
        # As if none of them were met before: the same value makes the same pieces in every result.
        pieces += [Piece(tuple(group)) for group in _groups(sizes)]
    return Plan(signed, parts, tuple(dict.fromkeys(pieces)))


def pack(repo: Repository, planned: Plan) -> bytes:
    """Return a parcel as it lies in a remote. Raises NotFoundError where the repository has not all of it."""
    signed = planned.signed
    made = Parcel(
        format=FORMAT,
        commit=signed.payload,
        key=signed.key,
        signature=signed.signature,
        parts=tuple(Part(each, kind, packed(kind, repo.store.read(each))) for each, kind in planned.parts.items()),
        pieces=planned.pieces,
    )
    return msgspec.msgpack.encode(made)


def _groups(sizes: Mapping[Digest, int]) -> Iterator[list[Digest]]:
    group: list[Digest] = []
    held = 0
    for digest, size in sizes.items():
        if group and held + size > PIECE_BYTES:
            yield group
            group, held = [], 0
        group.append(digest)
        held += size
    if group:
        yield group


def pack_piece(repo: Repository, piece: Piece) -> bytes:
    """Return a piece as it lies in a remote."""
    return msgspec.msgpack.encode([packed(Kind.BLOCK, repo.store.read(Digest(digest))) for digest in piece.digests])


def unpack_piece(piece: Piece, data: bytes) -> Iterator[tuple[Digest, Data]]:
    """Yield the blocks of a piece. Raises CorruptStoreError for what is another one."""
    try:
        found = msgspec.msgpack.decode(data, type=list[bytes])
    except (msgspec.DecodeError, RecursionError):
        found = []
    if len(found) != len(piece.digests):
        raise CorruptStoreError(f"piece {piece.name[:8]} cannot be understood: it was changed or cut off")
    for digest, each in zip(piece.digests, found, strict=True):
        yield Digest(digest), unpacked(Kind.BLOCK, Digest(digest), each)


def packed(kind: Kind, data: Data) -> bytes:
    """Return an object as it lies in a remote."""
    view = byte_view(data)
    codec, stored = compress(kind, view)
    return _HEAD.pack(codec, len(view)) + bytes(stored)


def unpacked(kind: Kind, digest: Digest, data: bytes) -> Data:
    """Return the object that has a digest. Raises CorruptStoreError for another one."""
    try:
        codec, size = _HEAD.unpack_from(data)
        if size > MOST_BYTES[kind]:
            raise ValueError
        raw = decompress(codec, memoryview(data)[_HEAD.size :], size)
    except (struct.error, ValueError, KeyError):
        raise CorruptStoreError(f"object {digest.hex()[:8]} cannot be understood: it was changed or cut off") from None
    if blake3(raw).digest() != digest:
        raise CorruptStoreError(f"object {digest.hex()[:8]} does not match its digest: it was changed")
    return raw


def decode(commit: CommitId, data: bytes) -> Parcel:
    """Return a parcel of a commit whose signature holds. Raises CorruptStoreError, UnsupportedFormatError."""
    name = commit.hex()[:8]
    try:
        if msgspec.msgpack.decode(data, type=_Head).format > FORMAT:
            raise UnsupportedFormatError(
                f"result {name} is of a newer format", hint="upgrade with: pip install --upgrade nbcellar"
            )
        parcel = msgspec.msgpack.decode(data, type=Parcel)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise CorruptStoreError(f"result {name} cannot be understood: it was changed or cut off") from None
    if blake3(parcel.commit).digest() != commit:
        raise CorruptStoreError(f"result {name} does not match its digest: it was changed")
    if (len(parcel.key), len(parcel.signature)) != (KEY_BYTES, SIGNATURE_BYTES) or not verify(
        KeyId(parcel.key), commit, parcel.signature
    ):
        raise CorruptStoreError(f"the signature of result {name} does not hold")
    return parcel


def unpack(commit: CommitId, parcel: Parcel) -> Contents:
    """Return what is in a parcel. Raises CorruptStoreError unless that is a result with all it consists of.

    Whoever can write into the remote can add to a parcel, so nothing is unpacked that the signed commit does not need.
    """
    found, name = decode_commit(parcel.commit), commit.hex()[:8]
    require_result(commit, found)
    parts = {Digest(part.digest): part for part in parcel.parts}
    objects: dict[Digest, tuple[Kind, Data]] = {}
    needed: dict[Digest, set[Kind]] = {}  # equal bytes are one object, whatever they are for

    def unpack_part(digest: Digest) -> None:
        part = parts[digest]
        if part.kind not in needed[digest]:
            raise CorruptStoreError(f"result {name} lists an object of a kind that it does not have there")
        kind = Kind(part.kind)
        objects[digest] = (kind, unpacked(kind, digest, part.data))

    for kind, digest in references_of_commit(found):
        if digest not in parts:
            raise CorruptStoreError(f"result {name} lacks {kind.name.lower()} {digest.hex()[:8]}")
        needed.setdefault(digest, set()).add(kind)
    values = [digest for digest, kinds in needed.items() if Kind.VALUE in kinds]
    for digest in list(needed):
        unpack_part(digest)
    for value in values:
        for digest in referenced_digests(bytes(objects[value][1])):
            needed.setdefault(digest, set()).add(Kind.BLOCK)
    there = {*parts, *(Digest(digest) for piece in parcel.pieces for digest in piece.digests)}
    counts = len(parcel.parts) == len(parts) and len(set(parcel.pieces)) == len(parcel.pieces)
    if there != needed.keys() or not counts:
        raise CorruptStoreError(f"result {name} does not come with what it consists of")
    for digest in parts.keys() - objects.keys():
        unpack_part(digest)
    received = Received(commit, found, len(parcel.commit), KeyId(parcel.key), parcel.signature)
    return Contents(received, parcel.commit, objects, parcel.pieces)


__all__ = [
    "MOST_PARCEL_BYTES",
    "MOST_PIECE_BYTES",
    "Contents",
    "Parcel",
    "Part",
    "Piece",
    "Plan",
    "decode",
    "pack",
    "pack_piece",
    "packed",
    "plan",
    "unpack",
    "unpack_piece",
    "unpacked",
]
