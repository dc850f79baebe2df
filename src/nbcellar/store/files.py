"""The file system: durable writes, and what kind of file system a folder is on.

Invariant: when `publish` returns, file and name survive a power failure; fsync is never retried on the same file, since
a kernel may drop the pages that it failed to write and report success next time. Not for: knowing what files mean.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from nbcellar.errors import StoreUnavailableError

_DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
# Shared memory maps and byte-range locks, on which a WAL depends, are not dependable there.
# fmt: off
_NETWORK_TYPES = frozenset([
    "9p", "acfs", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "fhgfs", "gfs2", "glusterfs", "gpfs",
    "lustre", "ncpfs", "nfs", "nfs4", "ocfs2", "orangefs", "panfs", "prl_fs", "pvfs2", "smb2", "smb3",
    "smbfs", "vboxsf", "virtiofs", "vmhgfs", "wekafs",
])
# fmt: on
_MACOS_MNT_LOCAL = 0x1000


@contextlib.contextmanager
def file_errors(action: str, path: Path | str) -> Iterator[None]:
    """Turn an OSError into a StoreUnavailableError that says what was done to which file."""
    try:
        yield
    except StoreUnavailableError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        failure = StoreUnavailableError(f"cannot {action} {path}: {reason}", hint=_hint(error.errno))
        failure.errno = error.errno
        raise failure from error


def _hint(number: int | None) -> str:
    if number in _DISK_FULL:
        return "free some space and try again"
    if number in _FORBIDDEN:
        return "see who owns the folder and whether the disk is mounted read-only"
    return "try again; if it comes back, the disk or the network behind it may be failing"


def sync_file(descriptor: int) -> None:
    """Wait until the file's bytes are on stable storage."""
    if sys.platform == "darwin":
        import fcntl

        try:
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)  # fsync does not reach the platter there
            return
        except OSError as error:
            if error.errno not in (errno.ENOTSUP, errno.EINVAL):
                raise
    os.fsync(descriptor)


def sync_folder(folder: Path | str) -> None:
    """Wait until the names in `folder` are on stable storage."""
    if sys.platform == "win32":
        return  # a folder cannot be opened there; NTFS journals names
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        sync_file(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network file systems have no fsync of folders
            raise
    finally:
        os.close(descriptor)


def make_folder(folder: Path, *, mode: int = 0o700) -> None:
    """Make `folder` durable; harmless when it exists.

    One that exists was perhaps made by another process a moment ago, whose sync is yet to come: what this process puts
    into it must not depend on that. So its name is synced once by each process, too.
    """
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=mode)
    name = os.fspath(folder)
    inode = os.stat(name).st_ino  # noqa: PTH116 - for each pack
    if _durable.get(name) != inode:
        sync_folder(folder.parent)
        _durable[name] = inode


_durable: dict[str, int] = {}
"""Folders, by path, whose names this process has synced, with their inode numbers."""


def publish(temporary: Path, target: Path) -> None:
    """Give the synced file `temporary` its final name, durably; the folder of `target` is made when missing."""
    make_folder(target.parent)
    temporary.rename(target)
    sync_folder(target.parent)


def write_all(descriptor: int, data: memoryview) -> None:
    """Write all of `data`: `os.write` may stop short when the disk is nearly full."""
    while data:
        data = data[os.write(descriptor, data) :]


def read_all(descriptor: int, size: int, offset: int) -> bytes:
    """Return `size` bytes at `offset`, fewer only at the end of the file."""
    data = os.pread(descriptor, size, offset)
    while len(data) < size:
        more = os.pread(descriptor, size - len(data), offset + len(data))
        if not more:
            break
        data += more
    return data


def is_network_file_system(folder: Path) -> bool:
    """True if `folder` is on a file system where several hosts, or a user-space server, may be behind the files."""
    if sys.platform == "linux":
        try:
            lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace").splitlines()
            return is_network_type(mounted_type(lines, folder.stat().st_dev, os.path.realpath(folder)))
        except OSError:
            return False
    if sys.platform == "darwin":
        return not _is_local_on_macos(folder)
    return False


def is_network_type(name: str) -> bool:
    """True for the names that Linux gives to network and FUSE file systems; `fuseblk` is a local disk."""
    return name in _NETWORK_TYPES or name == "fuse" or name.startswith("fuse.")


def mounted_type(mountinfo: list[str], device: int, path: str) -> str:
    """Return the file system type of `path` from the lines of /proc/self/mountinfo, "" when none fits.

    The device number decides; where it names no mount (subvolumes), the longest mount point above `path` does.
    """
    number = f"{os.major(device)}:{os.minor(device)}"
    found, longest = "", -1
    for line in mountinfo:
        before, _, after = line.partition(" - ")
        fields, kind = before.split(), after.split()
        if len(fields) < 5 or not kind:
            continue
        if fields[2] == number:
            return kind[0]
        point = fields[4].replace("\\040", " ")
        inside = path == point or path.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= longest:
            found, longest = kind[0], len(point)
    return found


def _is_local_on_macos(folder: Path) -> bool:
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    statfs = getattr(libc, "statfs$INODE64", None) or libc.statfs
    buffer = ctypes.create_string_buffer(4096)
    if statfs(os.fsencode(folder), buffer) != 0:
        return True
    flags_offset = 64  # struct statfs with 64-bit inodes: 2 x u32, 5 x u64, fsid, owner, type, flags
    return bool(int.from_bytes(buffer.raw[flags_offset : flags_offset + 4], sys.byteorder) & _MACOS_MNT_LOCAL)
