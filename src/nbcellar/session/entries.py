"""What a recording kernel says about itself in `.cellar/kernels/`, for commands that want to talk to it.

Invariant: an entry that `is_own` was written by a kernel of the same user, with the same signing key: a folder that was
unzipped or cloned can hold entries of its maker's choice, and a command would send its requests where they say.
Not for: finding kernels and talking to them (`api/kernels.py`).
"""

from __future__ import annotations

import hmac
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from nbcellar.trust.keys import SigningKey


class KernelEntry(msgspec.Struct, frozen=True):
    """A running kernel. `host` is empty when the kernel did not say; `seal` vouches for the fields before `python`."""

    protocol: int
    version: str
    pid: int
    connection_file: str
    notebook: str
    path: str
    started_ns: int
    host: str = ""
    python: str = ""
    seal: str = ""


def sealed(entry: KernelEntry, key: SigningKey) -> KernelEntry:
    """Return the entry with the seal of its kernel's key."""
    return msgspec.structs.replace(entry, seal=_seal(entry, key))


def is_own(entry: KernelEntry, key: SigningKey | None) -> bool:
    """True if a kernel that has this key wrote the entry."""
    return key is not None and hmac.compare_digest(entry.seal.encode(), _seal(entry, key).encode())


def _seal(entry: KernelEntry, key: SigningKey) -> str:
    # These and no others, so that fields of later versions do not break the seal.
    told = (entry.protocol, entry.version, entry.pid, entry.connection_file, entry.notebook, entry.path)
    return key.mac(msgspec.json.encode((*told, entry.started_ns, entry.host)), "kernel entry").hex()


def began_at(pid: int) -> int | None:
    """Return when a process began, in ticks since the machine started; None where that cannot be known."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return None


__all__ = ["KernelEntry", "began_at", "is_own", "sealed"]
