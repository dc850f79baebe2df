"""Files that appear whole or not at all, by way of another one beside them.

Invariant: whatever happens, the other file is gone afterwards. Not for: the store's files, which have their own.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def written_beside(path: Path, data: bytes, *, mode: int = 0o666) -> Iterator[Path]:
    """Write a new file in the folder of `path`, on stable storage, and yield it: to be moved to `path` or linked.

    It has a name that nobody can guess: a repository may hold a link of any other name, to any file of the user's.
    Raises OSError; then, and if it is not moved, it is removed.
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(6).hex()}.new")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield aside
    finally:
        with contextlib.suppress(OSError):
            aside.unlink()


def replace_file(path: Path, data: bytes) -> None:
    """Write a file in one step, with the permissions of the one it replaces. Raises OSError; then nothing changed."""
    with written_beside(path, data) as aside:
        if path.exists():
            aside.chmod(path.stat().st_mode & 0o7777)
        aside.replace(path)


__all__ = ["replace_file", "written_beside"]
