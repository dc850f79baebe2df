"""How much more may be written: the cap of a store, and the part of the disk that is left free.

Invariant: asking changes nothing. What is answered holds for this moment only: others write to the store and to the
disk, too, so a write that was let through can still fail. Not for: what is left out when not all fits (the session).
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import msgspec

from nbcellar.store.database import FILES, one_integer, sqlite_errors
from nbcellar.store.local import LocalStore

LEAST_RESERVE_BYTES = 16 << 20
MOST_RESERVE_BYTES = 1 << 30
_RESERVED_SHARE = 100  # a hundredth of the disk


class Room(msgspec.Struct, frozen=True):
    """Bytes that may be written, 0 or more, and what bounds them, in words that stay the same while it lasts."""

    bytes: int
    reason: str


class Disk(msgspec.Struct, frozen=True):
    """A file system: bytes in all and free for this user."""

    total: int
    free: int


def room(store: LocalStore, *, cap_bytes: int) -> Room:
    """Return what may be written to the store. cap_bytes: 0 for none."""
    disk = disk_of(store.folder)
    reserve = reserve_bytes(disk.total)
    by_disk = Room(max(disk.free - reserve, 0), f"the disk is almost full ({_mib(reserve)} MiB of it are left free)")
    if not cap_bytes:
        return by_disk
    by_cap = Room(max(cap_bytes - used_bytes(store), 0), f"the store is at its cap of {_mib(cap_bytes)} MiB")
    return min(by_cap, by_disk, key=lambda found: found.bytes)


def used_bytes(store: LocalStore) -> int:
    """Return what counts for the cap: packs and the database. The trash does not: what is there was given up."""
    with sqlite_errors(store.database_path), store.connection() as db:
        packs = one_integer(db, "SELECT coalesce(sum(size_bytes), 0) FROM packs")
        free, pages, page = (
            one_integer(db, f"PRAGMA {name}") for name in ("freelist_count", "page_count", "page_size")
        )
    return packs + (pages - free) * page


def database_bytes(folder: Path) -> int:
    """Return the size of the database's files."""
    total = 0
    for name in FILES:
        with contextlib.suppress(OSError):
            total += (folder / name).stat().st_size
    return total


def disk_of(folder: Path) -> Disk:
    """Return the size of the disk that holds a folder; what cannot be asked counts as endless."""
    if not hasattr(os, "statvfs"):
        import shutil

        usage = shutil.disk_usage(folder)
        return Disk(usage.total, usage.free)
    try:
        found = os.statvfs(folder)
    except OSError:
        return Disk(1 << 62, 1 << 62)
    return Disk(found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize)


def reserve_bytes(total: int) -> int:
    """Return how much of a disk of `total` bytes is left free.

    A hundredth, at least 16 MiB and at most 1 GiB; of a very small disk no more than a quarter.
    """
    return min(max(LEAST_RESERVE_BYTES, min(total // _RESERVED_SHARE, MOST_RESERVE_BYTES)), total // 4)


def _mib(size: int) -> int:
    return size >> 20


__all__ = ["Disk", "Room", "database_bytes", "disk_of", "reserve_bytes", "room", "used_bytes"]
