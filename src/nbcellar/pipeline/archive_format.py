"""What an archive of results is: a manifest, its signature, and objects named by their digest.

    manifest.json       what is in it, in clear; first, so that it can be looked at without reading the rest
    manifest.sig        who made the archive, and their signature of the manifest
    blobs/<BLAKE3>      objects of the store as they are, in the order of the manifest

Invariant: the manifest is canonical JSON, so equal results make equal bytes; whatever is believed of it is compared
with the signed commits at import. Pure. Not for: the file (`archive_file.py`).
"""

from __future__ import annotations

from typing import Any

import msgspec
from blake3 import blake3

from nbcellar.errors import CorruptStoreError, UnsupportedFormatError
from nbcellar.ids import KeyId
from nbcellar.store.interface import Kind
from nbcellar.trust.keys import KEY_BYTES, SigningKey, verify

SCHEMA = "cellar-results"
FORMAT = 1
MANIFEST, SIGNATURE, BLOBS = "manifest.json", "manifest.sig", "blobs/"

MIB = 1 << 20
MOST_BYTES = {
    Kind.COMMIT: 64 * MIB,
    Kind.VALUE: 256 * MIB,
    Kind.OUTPUTS: 256 * MIB,
    Kind.ENVIRONMENT: 64 * MIB,
    Kind.AMBIENT: 64 * MIB,
    Kind.BLOCK: 64 * MIB,
}
"""The kinds of objects that results consist of, in the order of an archive, and how large one may be."""
MOST_OBJECTS = 2_000_000
MOST_ENTRIES = 20_000
MOST_MANIFEST_BYTES = 256 * MIB

_HEX_DIGITS = frozenset("0123456789abcdef")
_PURPOSE = b"cellar-results-archive\x00"


class ArchivedValue(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One name of a result. size_bytes: of the live object; type, shape: as they were when it was recorded.

    runs_code: loading it imports and calls what its pickle names; such a value is loaded if its signer is trusted, and
    so is any other. reason: why there is no value.
    """

    digest: str = ""
    type: str = ""
    shape: tuple[int, ...] = ()
    size_bytes: int = 0
    runs_code: bool = False
    reason: str = ""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One result. facts: what it depends on, as in the message of its commit; signer, signature: of the commit."""

    component: str
    cell: str
    key: str
    commit: str
    signer: str
    signature: str
    time_ns: int
    seconds: float
    values: dict[str, ArchivedValue]
    outputs: str
    facts: dict[str, Any]


class Item(msgspec.Struct, frozen=True, array_like=True):
    """One object: its digest in hexadecimal, its kind, its size in bytes."""

    digest: str
    kind: str
    size_bytes: int


class Maker(msgspec.Struct, frozen=True, kw_only=True):
    """What made an archive, and for whom."""

    program: str
    author: str
    python: str
    platform: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """All that is in an archive. structure: digest of the pipeline whose results these are; notebook: its path."""

    schema: str
    format: int
    notebook: str
    structure: str
    made_by: Maker
    entries: tuple[Entry, ...]
    objects: tuple[Item, ...]

    @property
    def size_bytes(self) -> int:
        """What the objects take when they are unpacked."""
        return sum(item.size_bytes for item in self.objects)


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """Who signed a manifest; in hexadecimal."""

    algorithm: str
    key: str
    signature: str


class _Head(msgspec.Struct):
    schema: str
    format: int


_encode = msgspec.json.Encoder(order="deterministic").encode


def encode_manifest(manifest: Manifest) -> bytes:
    """Return the canonical bytes of a manifest."""
    return _encode(manifest)


def decode_manifest(payload: bytes) -> Manifest:
    """Raise CorruptStoreError for what is no manifest, UnsupportedFormatError for a newer one."""
    try:
        head = msgspec.json.decode(payload, type=_Head)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise CorruptStoreError("it is no archive of results: its manifest is none") from None
    if head.schema != SCHEMA:
        raise CorruptStoreError(f"it is no archive of results, but of {head.schema[:60]!r}")
    if head.format > FORMAT:
        raise UnsupportedFormatError(
            f"it is of format {head.format}; this Cellar reads up to {FORMAT}",
            hint="upgrade with: pip install --upgrade nbcellar",
        )
    try:
        manifest = msgspec.json.decode(payload, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CorruptStoreError(f"its manifest cannot be understood: {error}") from None
    _check(manifest)
    return manifest


def sign_manifest(payload: bytes, key: SigningKey) -> bytes:
    """Return the content of manifest.sig."""
    signature = key.sign(_message(payload))
    return _encode(Signature(algorithm="ed25519", key=key.key_id.hex(), signature=signature.hex()))


def signer_of(payload: bytes, signed: bytes) -> KeyId:
    """Return who signed a manifest. Raises CorruptStoreError where nobody did."""
    try:
        found = msgspec.json.decode(signed, type=Signature)
        key, signature = bytes.fromhex(found.key), bytes.fromhex(found.signature)
    except (msgspec.DecodeError, ValueError):
        raise CorruptStoreError("its signature cannot be understood") from None
    if found.algorithm != "ed25519" or len(key) != KEY_BYTES or not verify(key, _message(payload), signature):
        raise CorruptStoreError("its signature does not hold: somebody changed it")
    return KeyId(key)


def kind_of(item: Item) -> Kind:
    """Return the kind of an object. Raises CorruptStoreError for one that results do not have."""
    kind = Kind.__members__.get(item.kind.upper())
    if kind is None or kind not in MOST_BYTES:
        raise CorruptStoreError(f"its manifest lists an object of kind {item.kind[:40]!r}, which results do not have")
    return kind


def in_order(items: list[Item]) -> tuple[Item, ...]:
    """Return objects in the order of an archive: what says what the others are comes first."""
    kinds = list(MOST_BYTES)
    return tuple(sorted(items, key=lambda item: (kinds.index(kind_of(item)), item.digest)))


def is_digest(text: str) -> bool:
    """True for 64 hexadecimal digits, in small letters."""
    return len(text) == 64 and _HEX_DIGITS.issuperset(text)


def _message(payload: bytes) -> bytes:
    # Longer than a digest, and led by its purpose: no signature of a commit can be taken for one of a manifest.
    return _PURPOSE + blake3(payload).digest()


def _check(manifest: Manifest) -> None:
    if len(manifest.objects) > MOST_OBJECTS or len(manifest.entries) > MOST_ENTRIES:
        raise CorruptStoreError(
            f"its manifest lists {len(manifest.entries):,} results and {len(manifest.objects):,} objects: too many"
        )
    seen: set[str] = set()
    for item in manifest.objects:
        if not is_digest(item.digest):
            raise CorruptStoreError(f"its manifest names an object {item.digest[:80]!r}, which is no digest")
        if item.digest in seen:
            raise CorruptStoreError(f"its manifest lists object {item.digest[:8]} twice")
        seen.add(item.digest)
        if not 0 <= item.size_bytes <= MOST_BYTES[kind_of(item)]:
            raise CorruptStoreError(
                f"its manifest lists an object of {item.size_bytes:,} bytes; of kind {item.kind}"
                f" the limit is {MOST_BYTES[kind_of(item)]:,}"
            )
    if in_order(list(manifest.objects)) != manifest.objects:
        raise CorruptStoreError("its manifest lists objects out of order")
    for entry in manifest.entries:
        if not is_digest(entry.commit) or not is_digest(entry.key):
            raise CorruptStoreError("its manifest names a result by what is no digest")


__all__ = [
    "BLOBS",
    "FORMAT",
    "MANIFEST",
    "MIB",
    "MOST_BYTES",
    "MOST_MANIFEST_BYTES",
    "SCHEMA",
    "SIGNATURE",
    "ArchivedValue",
    "Entry",
    "Item",
    "Maker",
    "Manifest",
    "decode_manifest",
    "encode_manifest",
    "in_order",
    "is_digest",
    "kind_of",
    "sign_manifest",
    "signer_of",
]
