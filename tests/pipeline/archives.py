"""Archives taken apart and put together again, as somebody would who means harm."""

from __future__ import annotations

import gzip
import tarfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec
from blake3 import blake3

from nbcellar.history.repository import Repository
from nbcellar.pipeline.archive_file import header, write_archive
from nbcellar.pipeline.archive_format import (
    BLOBS,
    MANIFEST,
    SIGNATURE,
    Item,
    Manifest,
    decode_manifest,
    encode_manifest,
    in_order,
    sign_manifest,
)
from nbcellar.trust.keys import SigningKey

MALLORY = SigningKey(b"m" * 32)

Members = list[tuple[str, bytes]]


def members_of(path: Path) -> Members:
    """Return names and contents, as tar has them."""
    with tarfile.open(path) as file:
        return [(entry.name, file.extractfile(entry).read()) for entry in file]  # type: ignore[union-attr]


def tar_of(members: Iterable[tuple[str, bytes]]) -> bytes:
    """Return a tar archive in the one form that is read."""
    parts = []
    for name, data in members:
        parts += [header(name, len(data)), data, bytes(-len(data) % 512)]
    return b"".join(parts) + bytes(1024)


def pack(path: Path, members: Members) -> Path:
    """Write members as an archive."""
    write_archive(path, lambda: iter(members))
    return path


def pack_tar(path: Path, tar: bytes) -> Path:
    """Write the bytes of a tar archive, packed."""
    path.write_bytes(gzip.compress(tar, 1))
    return path


def with_entry(members: Members, place: int, entry: tarfile.TarInfo, data: bytes = b"") -> bytes:
    """Return a tar archive with an entry put in at a place."""
    entry.size = len(data)
    put = entry.tobuf(tarfile.USTAR_FORMAT) + data + bytes(-len(data) % 512)
    return tar_of(members[:place])[:-1024] + put + tar_of(members[place:])


def manifest_of(members: Members) -> Manifest:
    """Return the manifest among members."""
    return decode_manifest(dict(members)[MANIFEST])


def signed_anew(manifest: Manifest | bytes, members: Members, key: SigningKey = MALLORY) -> Members:
    """Return members with another manifest, signed by `key`, and the blobs that it lists, as far as there are some."""
    payload = manifest if isinstance(manifest, bytes) else encode_manifest(manifest)
    known = dict(members)
    blobs = [(name, data) for name, data in known.items() if name.startswith(BLOBS)]
    if isinstance(manifest, Manifest):
        wanted = [BLOBS + item.digest for item in manifest.objects]
        blobs = [(name, known[name]) for name in wanted if name in known]
    return [(MANIFEST, payload), (SIGNATURE, sign_manifest(payload, key)), *blobs]


def changed(members: Members, key: SigningKey = MALLORY, **fields: Any) -> Members:
    """Return members whose manifest says something else, signed by `key`."""
    return signed_anew(msgspec.structs.replace(manifest_of(members), **fields), members, key)


def with_first_entry(members: Members, change: Callable[[Any], Any]) -> Members:
    """Return members whose first result is said to be something else."""
    entries = manifest_of(members).entries
    return changed(members, entries=(change(entries[0]), *entries[1:]))


def with_blob(members: Members, kind: str, data: bytes) -> Members:
    """Return members with one more object."""
    digest = blake3(data).hexdigest()
    manifest = manifest_of(members)
    listed = in_order([*manifest.objects, Item(digest, kind, len(data))])
    return signed_anew(msgspec.structs.replace(manifest, objects=listed), [*members, (BLOBS + digest, data)])


def contents(root: Path) -> tuple[Any, ...]:
    """Return what a repository holds: all refs, all objects."""
    with Repository.open(root, by="") as repo:
        return sorted(repo.store.refs().items()), sorted(info.digest for info in repo.store.objects(None))
