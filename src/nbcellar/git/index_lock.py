"""git's index, held from reading it to writing it, as git's own commands hold it.

Invariant: while it is held, no other git and no other thread of ours writes the index; the index is replaced as a
whole, or, after an error, not at all; the lock file is gone in either case.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from nbcellar.errors import ConflictError, StoreUnavailableError
from nbcellar.git.process import Git
from nbcellar.git.repository import GitRepository

# Another click on the way, or a command in a terminal.
_PATIENCE_S = 10.0
_PAUSE_S = 0.02


@contextlib.contextmanager
def locked_index(repository: GitRepository) -> Iterator[Git]:
    """Hold the index; yield git that reads and writes what becomes the index when the block ends.

    Raises ConflictError when another git does not let go of it, StoreUnavailableError where it cannot be written.
    """
    named = repository.git.environ.get("GIT_INDEX_FILE")
    index = repository.git.folder / named if named else repository.git_dir / "index"
    lock, made = (index.with_name(f"{index.name}.{end}") for end in ("lock", "cellar"))
    _take(lock)
    try:
        made.unlink(missing_ok=True)  # of a process that was killed
        if index.exists():
            shutil.copy(index, made)
        yield msgspec.structs.replace(repository.git, environ={**repository.git.environ, "GIT_INDEX_FILE": str(made)})
        if made.exists():
            made.replace(index)
    except OSError as error:
        raise StoreUnavailableError(f"cannot write git's index: {error.strerror or error}") from error
    finally:
        made.unlink(missing_ok=True)
        lock.unlink(missing_ok=True)


def _take(lock: Path) -> None:
    until = time.monotonic() + _PATIENCE_S
    while True:
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        except FileExistsError:
            if time.monotonic() > until:
                raise ConflictError(
                    "another git is at work in this repository",
                    hint=f"if there is none, one was killed; then remove {lock}",
                ) from None
            time.sleep(_PAUSE_S)
        except OSError as error:
            raise StoreUnavailableError(f"cannot write git's index: {error.strerror or error}") from error
        else:
            return
