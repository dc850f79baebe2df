"""Every call by which a process changes files: Python's and SQLite's, in order, to be counted, refused or recorded.

`Calls` stands between the product and the system: `os` functions and pathlib's are replaced, and SQLite gets a VFS that
passes everything on. A `Policy` sees each `Call` before it happens and may raise OSError instead. Portable: no root,
no compiler, no file system in user space. Invariant: without a policy that refuses, nothing behaves otherwise. Not for:
shared memory and locks of SQLite, which no power failure survives anyway.
"""

from __future__ import annotations

import contextlib
import errno
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw


@dataclass(frozen=True)
class Call:
    """One call: what it does, to which file; `data` and `offset` of a write, `target` of a rename or link."""

    kind: str  # open, write, sync, truncate, rename, link, unlink, mkdir, rmdir
    path: str
    data: bytes = b""
    offset: int = 0
    target: str = ""
    by_sqlite: bool = False


Policy = Callable[[Call], None]
KINDS = ("open", "write", "sync", "truncate", "rename", "link", "unlink", "mkdir")


class Calls:
    """Shows all calls below `folder` to `policy`; a context manager. `settled` sees what has happened."""

    def __init__(self, folder: Path, policy: Policy, settled: Policy = lambda call: None) -> None:
        self._root = os.path.realpath(folder) + os.sep
        self._policy = policy
        self._settled = settled
        self._files: dict[int, str] = {}
        self._positions: dict[int, int] = {}
        self._lock = threading.RLock()
        self._originals: dict[str, Any] = {}

    def __enter__(self) -> Calls:
        for name in ("open", "close", "write", "fsync", "rename", "replace", "link", "unlink", "mkdir", "ftruncate"):
            self._originals[name] = getattr(os, name)
            setattr(os, name, getattr(self, f"_{name}"))
        self._originals["remove"], os.remove = os.remove, self._unlink
        self._vfs = _Shim(self)
        return self

    def __exit__(self, *exc: object) -> None:
        for name, original in self._originals.items():
            setattr(os, name, original)
        self._vfs.unregister()
        apsw.set_default_vfs(_base())

    @contextlib.contextmanager
    def happens(self, call: Call) -> Iterator[None]:
        """Around one call: ask before it, tell after it. Calls elsewhere are nobody's business."""
        if not (call.path + os.sep).startswith(self._root):
            yield
            return
        with self._lock:
            self._policy(call)
            yield
            self._settled(call)

    def _open(self, path: Any, flags: int, mode: int = 0o777, **named: Any) -> int:
        name = os.path.realpath(os.fsdecode(path))
        if not flags & os.O_CREAT:
            descriptor = int(self._originals["open"](path, flags, mode, **named))
        else:
            with self.happens(Call("open", name)):
                descriptor = int(self._originals["open"](path, flags, mode, **named))
        self._files[descriptor], self._positions[descriptor] = name, 0
        return descriptor

    def _close(self, descriptor: int) -> None:
        self._files.pop(descriptor, None)
        self._originals["close"](descriptor)

    def _write(self, descriptor: int, data: Any) -> int:
        if descriptor not in self._files:
            return int(self._originals["write"](descriptor, data))
        position = self._positions[descriptor]
        with self.happens(Call("write", self._files[descriptor], bytes(data), position)):
            count = int(self._originals["write"](descriptor, data))
        self._positions[descriptor] += count
        return count

    def _fsync(self, descriptor: int) -> None:
        with self.happens(Call("sync", self._files.get(descriptor, ""))):
            self._originals["fsync"](descriptor)

    def _ftruncate(self, descriptor: int, size: int) -> None:
        with self.happens(Call("truncate", self._files.get(descriptor, ""), offset=size)):
            self._originals["ftruncate"](descriptor, size)

    def _rename(self, source: Any, target: Any, **named: Any) -> None:
        with self.happens(Call("rename", _real(source), target=_real(target))):
            self._originals["rename"](source, target, **named)

    def _replace(self, source: Any, target: Any, **named: Any) -> None:
        with self.happens(Call("rename", _real(source), target=_real(target))):
            self._originals["replace"](source, target, **named)

    def _link(self, source: Any, target: Any, **named: Any) -> None:
        with self.happens(Call("link", _real(source), target=_real(target))):
            self._originals["link"](source, target, **named)

    def _unlink(self, path: Any, **named: Any) -> None:
        with self.happens(Call("unlink", _real(path))):
            self._originals["unlink"](path, **named)

    def _mkdir(self, path: Any, mode: int = 0o777, **named: Any) -> None:
        with self.happens(Call("mkdir", _real(path))):
            self._originals["mkdir"](path, mode, **named)


def refuse(call: Call, number: int) -> None:
    """Raise what the system would: EIO, ENOSPC, ..."""
    raise OSError(number, os.strerror(number), call.path)


def _real(path: Any) -> str:
    text = os.fsdecode(path)
    return os.path.join(os.path.realpath(os.path.dirname(text)), os.path.basename(text))  # noqa: PTH118, PTH119, PTH120


def _base() -> str:
    return "win32" if os.name == "nt" else "unix"


class _Shim(apsw.VFS):
    """SQLite's door to the files."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        super().__init__("cellar-faults", _base(), makedefault=True, exclude={"xCurrentTimeInt64", "xGetLastError"})

    def xOpen(self, name: Any, flags: list[int]) -> Any:
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        if path is None:  # a temporary file of SQLite's own
            return apsw.VFSFile(_base(), name, flags)
        with _as_sqlite(apsw.CantOpenError):
            if flags[0] & apsw.SQLITE_OPEN_CREATE and not os.path.exists(path):  # noqa: PTH110
                with self._calls.happens(Call("open", os.path.realpath(path), by_sqlite=True)):
                    return _File(self._calls, path, name, flags)
            return _File(self._calls, path, name, flags)

    def xDelete(self, path: str, sync_folder: bool) -> None:
        real = os.path.realpath(path)
        with _as_sqlite(apsw.IOError), self._calls.happens(Call("unlink", real, by_sqlite=True)):
            super().xDelete(path, sync_folder)
        if sync_folder:
            with _as_sqlite(apsw.IOError), self._calls.happens(Call("sync", os.path.dirname(real), by_sqlite=True)):  # noqa: PTH120
                pass  # done by xDelete

    def excepthook(self, *exc: object) -> None:
        pass  # what is refused here is heard of as an error of SQLite


class _File(apsw.VFSFile):
    def __init__(self, calls: Calls, path: str, name: Any, flags: list[int]) -> None:
        self._calls = calls
        self._path = os.path.realpath(path)
        kinds = apsw.SQLITE_OPEN_MAIN_JOURNAL | apsw.SQLITE_OPEN_SUPER_JOURNAL | apsw.SQLITE_OPEN_WAL
        # SQLite's unix VFS syncs the folder together with the first sync of such a file.
        self._syncs_folder = bool(flags[0] & apsw.SQLITE_OPEN_CREATE and flags[0] & kinds)
        super().__init__(_base(), name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        call = Call("write", self._path, bytes(data), offset, by_sqlite=True)
        with _as_sqlite(apsw.IOError), self._calls.happens(call):
            super().xWrite(data, offset)

    def xTruncate(self, size: int) -> None:
        call = Call("truncate", self._path, offset=size, by_sqlite=True)
        with _as_sqlite(apsw.IOError), self._calls.happens(call):
            super().xTruncate(size)

    def xSync(self, flags: int) -> None:
        with _as_sqlite(apsw.IOError), self._calls.happens(Call("sync", self._path, by_sqlite=True)):
            super().xSync(flags)
        if self._syncs_folder:
            self._syncs_folder = False
            folder = os.path.dirname(self._path)  # noqa: PTH120
            with _as_sqlite(apsw.IOError), self._calls.happens(Call("sync", folder, by_sqlite=True)):
                pass  # done by xSync


@contextlib.contextmanager
def _as_sqlite(failure: type[apsw.Error]) -> Iterator[None]:
    """Turn what a policy raised into what SQLite's own VFS would answer."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise apsw.FullError(str(error)) from None
        raise failure(str(error)) from None


__all__ = ["KINDS", "Call", "Calls", "Policy", "refuse"]
