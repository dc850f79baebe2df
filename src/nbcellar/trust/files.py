"""Small private files that appear complete or not at all.

Invariant: a reader sees the old content or the new one, and other users see neither. Not for: the store's files.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from nbcellar.errors import StoreUnavailableError
from nbcellar.files import written_beside

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


def create_private(path: Path, content: bytes) -> bool:
    """Create `path` with `content`; False, and nothing changed, if another process was faster."""
    with _temporary(path, content) as temporary:
        try:
            os.link(temporary, path)
        except FileExistsError:
            return False
        except OSError:  # a file system without hard links
            if path.exists():
                return False
            temporary.rename(path)
        _sync_folder(path.parent)
        return True


def replace_private(path: Path, content: bytes) -> None:
    """Give `path` a new content."""
    with _temporary(path, content) as temporary:
        temporary.replace(path)
        _sync_folder(path.parent)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock file, so that two processes do not overwrite each other's change."""
    with _file_errors(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if fcntl is not None:
            with contextlib.suppress(OSError):  # a file system without locks: the last change wins
                fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _temporary(path: Path, content: bytes) -> Iterator[Path]:
    with _file_errors(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with written_beside(path, content, mode=0o600) as temporary:
            yield temporary


@contextlib.contextmanager
def _file_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreUnavailableError(f"cannot write {path}: {error.strerror or error}") from error


def _sync_folder(folder: Path) -> None:
    with contextlib.suppress(OSError):  # not every file system syncs folders
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
