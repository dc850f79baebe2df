"""How a notebook's file looked when it was last seen, and whether another file is the same notebook.

Invariant: an inode alone proves nothing (file systems give that of a deleted file to the next one), and neither does
one cell that two notebooks have in common. Pure but for `look`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from blake3 import blake3

from nbcellar.errors import CellarError

if TYPE_CHECKING:
    from nbcellar.notebook.model import Notebook

ContentKey = Callable[[Path], Iterable[bytes]]
"""Returns the digests of a notebook file's non-empty cells; what cannot be read gives none."""

SAME_SHARE = 0.5
COPY_SHARE = 0.75
_FEW = 2
_KEY_BYTES = 8


class Evidence(msgspec.Struct, frozen=True, array_like=True):
    """A file as it was seen. `ran` are cells that a kernel ran while the file held none."""

    device: int = 0
    inode: int = 0
    size_bytes: int = 0
    modified_ns: int = 0
    cells: tuple[bytes, ...] = ()  # first 8 bytes of the digests, sorted
    ran: tuple[bytes, ...] = ()


def evidence_of(status: os.stat_result, cells: Iterable[bytes], ran: Iterable[bytes] = ()) -> Evidence:
    """Return how a file looks now; `cells` and `ran` as `cell_key` gives them."""
    return Evidence(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, _keys(cells), _keys(ran))


def look(path: Path, content_key: ContentKey) -> Evidence:
    """Return how the file at `path` looks; an empty one where there is none."""
    try:
        status = path.stat()
    except OSError:
        return Evidence()
    return evidence_of(status, content_key(path))


def decode_evidence(payload: bytes | None) -> Evidence:
    """Return what was noted; an empty one for what cannot be read: a rename then starts a new notebook."""
    if payload is None:
        return Evidence()
    try:
        return msgspec.msgpack.decode(payload, type=Evidence)
    except msgspec.DecodeError:
        return Evidence()


def cell_key(kind: str, source: str) -> bytes:
    """Return the digest of a cell by its type and source."""
    return blake3(f"{kind}\n{source}".encode(errors="replace")).digest()


def cell_keys(content: Notebook) -> list[bytes]:
    """Return the keys of the cells that say something."""
    return [cell_key(cell.type, cell.source) for cell in content.cells if cell.source.strip()]


def read_cell_keys(path: Path) -> list[bytes]:
    """Return the `cell_keys` of a file; none for one that cannot be read or is no notebook."""
    from nbcellar import notebook  # not needed by a kernel whose notebook is known

    try:
        return cell_keys(notebook.read(path.read_bytes(), path=path.name))
    except (OSError, CellarError):
        return []


def is_same_file(before: Evidence, now: Evidence) -> bool:
    """True if a file is the very one that was seen, unchanged."""
    return before.inode != 0 and _stat(before) == _stat(now)


def has_same_inode(before: Evidence, now: Evidence) -> bool:
    """True if a file may be the one that was seen, saved in place since."""
    return before.inode != 0 and (before.device, before.inode) == (now.device, now.inode)


def likeness(before: Evidence, now: Evidence) -> float:
    """Return from 0 to 1 how much a file looks like the one that was seen; from `SAME_SHARE` on it is the same."""
    if is_same_file(before, now):
        return 1.0
    if has_same_inode(before, now):  # much was added to it or taken out since, perhaps
        known = set(before.cells or before.ran)
        fewer = min(len(known), len(now.cells))
        if fewer and len(known.intersection(now.cells)) >= SAME_SHARE * fewer:
            return 0.99
    return shared_cells(before, now)


def shared_cells(before: Evidence, now: Evidence) -> float:
    """Return the share of the larger notebook's cells that both hold; 0 where one cell is all they have in common."""
    larger = max(len(before.cells), len(now.cells))
    common = len(set(before.cells) & set(now.cells))
    return common / larger if common >= min(_FEW, larger) and larger else 0.0


def _keys(digests: Iterable[bytes]) -> tuple[bytes, ...]:
    return tuple(sorted({bytes(digest)[:_KEY_BYTES] for digest in digests}))


def _stat(seen: Evidence) -> tuple[int, int, int, int]:
    return seen.device, seen.inode, seen.size_bytes, seen.modified_ns


__all__ = [
    "COPY_SHARE",
    "SAME_SHARE",
    "ContentKey",
    "Evidence",
    "cell_key",
    "cell_keys",
    "decode_evidence",
    "evidence_of",
    "has_same_inode",
    "is_same_file",
    "likeness",
    "look",
    "read_cell_keys",
    "shared_cells",
]
