"""Who may add and who may remove: writers share `gc.lock`, a sweep holds it alone.

Invariant: between a writer's first "is it there?" and its COMMIT no object is removed. A waiting sweep announces itself
in `gc.intent`, so that a steady stream of writers cannot starve it; the kernel drops both locks of a killed process.
Not for: ordering two writers (SQLite does).
"""

from __future__ import annotations

import contextlib
import errno
import os
import time
import weakref
from pathlib import Path

from nbcellar.errors import StoreUnavailableError
from nbcellar.store.files import file_errors

try:
    import fcntl
except ImportError:  # Windows: gc refuses there, writers need no lock then
    fcntl = None  # type: ignore[assignment]

_GATE_WAIT_S = 2.0
_POLL_S = 0.005
_NO_LOCKS_HERE = {errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}


class Held:
    """A lock that is held until `release`, at the latest until the process ends."""

    __slots__ = ("__weakref__", "_descriptor")

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor
        if descriptor is not None:
            _held.add(self)

    def release(self) -> None:
        """Give the lock back; may be called twice."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            _held.discard(self)
            # Unlocked first: a forked child may still hold a copy of the descriptor, which would keep the lock.
            with contextlib.suppress(OSError):
                fcntl.flock(descriptor, fcntl.LOCK_UN)
            os.close(descriptor)

    def forget_after_fork(self) -> None:
        """Close this process's copy of the descriptor without unlocking: the lock is the parent's."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def __enter__(self) -> Held:
        return self

    def __exit__(self, *exc: object) -> None:
        self.release()


_held: weakref.WeakSet[Held] = weakref.WeakSet()


def _drop_inherited() -> None:
    for held in list(_held):
        held.forget_after_fork()
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_drop_inherited)


class WritersLock:
    """The writers' side of one store's locks; names are kept as text, since `share` is called for each commit."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = str(folder / "gc.lock")
        self._intent = str(folder / "gc.intent")

    def share(self) -> Held:
        """Return the writers' lock, after letting a waiting sweep go first."""
        if fcntl is None:
            return Held(None)
        with file_errors("lock", self._path):
            if os.path.exists(self._intent):  # noqa: PTH110 - ten times as fast
                _let_a_sweep_pass(self._folder)
            descriptor = _open(self._path)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_SH)
            except OSError as error:
                os.close(descriptor)
                if error.errno in _NO_LOCKS_HERE:
                    return Held(None)
                raise
            except BaseException:
                os.close(descriptor)
                raise
        return Held(descriptor)


class Collector:
    """The sweep's side: one collector at a time for its whole run, writers kept out only while `exclude_writers`."""

    def __init__(self, folder: Path, *, timeout_s: float) -> None:
        self._folder = folder
        self._timeout_s = timeout_s
        self._alone = _wait_for(folder / "gc.collector", timeout_s, f"another gc is running in {folder}")

    def exclude_writers(self) -> Held:
        """Return `gc.lock` held alone. Raises StoreUnavailableError when writers do not let go in time."""
        intent = self._folder / "gc.intent"
        with file_errors("write", intent):
            os.close(_open(intent))
        try:
            return _wait_for(self._folder / "gc.lock", self._timeout_s, f"a kernel is writing to {self._folder}")
        finally:
            with contextlib.suppress(OSError):
                intent.unlink()

    def __enter__(self) -> Collector:
        return self

    def __exit__(self, *exc: object) -> None:
        self._alone.release()


def exclude_writers_now(folder: Path) -> Held | None:
    """Return `gc.lock` held alone if nobody writes at this moment, else None."""
    return _attempt(folder / "gc.lock") if fcntl is not None else None


def _wait_for(path: Path, timeout_s: float, reason: str) -> Held:
    deadline = time.monotonic() + timeout_s
    while (held := _attempt(path)) is None:
        if time.monotonic() > deadline:
            raise StoreUnavailableError(f"cannot clean up: {reason}", hint="try again later")
        time.sleep(_POLL_S)
    return held


def _attempt(path: Path) -> Held | None:
    """Return the lock on `path` held alone, or None when another process has it."""
    if fcntl is None:
        raise StoreUnavailableError("this system has no file locks, so nothing can be removed safely")
    with file_errors("lock", path):
        descriptor = _open(path)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        except OSError as error:
            os.close(descriptor)
            if error.errno in _NO_LOCKS_HERE:
                raise StoreUnavailableError(f"the file system of {path} has no locks, so gc cannot run") from None
            raise
        except BaseException:
            os.close(descriptor)
            raise
    return Held(descriptor)


def _let_a_sweep_pass(folder: Path) -> None:
    intent = folder / "gc.intent"
    deadline = time.monotonic() + _GATE_WAIT_S
    while intent.exists() and time.monotonic() < deadline:
        dead_owner = _attempt(folder / "gc.collector")
        if dead_owner is not None:
            with contextlib.suppress(OSError):
                intent.unlink()
            dead_owner.release()
            return
        time.sleep(_POLL_S)


def _open(path: Path | str) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
