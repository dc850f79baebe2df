"""Notebook files: read within a limit, replaced whole or not at all, found in folders.

Invariant: a file that could not be written whole is as it was; so is one that somebody else wrote meanwhile. Mode and
owner are kept, and a symbolic link stays one: what it leads to is replaced.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec

from nbcellar.errors import ConflictError, InvalidInputError, NotFoundError, StoreUnavailableError

MIB = 1 << 20


class NotebookFile(msgspec.Struct, frozen=True):
    """What was read, and when the file was last changed then."""

    path: Path
    data: bytes
    written_ns: int
    mode: int


def read_notebook_file(path: Path, *, max_mb: int) -> NotebookFile:
    """Return the bytes of a file.

    Raises NotFoundError, InvalidInputError (a folder, a pipe, too large) or StoreUnavailableError.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode) and not path.is_dir():
            raise InvalidInputError(f"{path}: not a file, so no notebook")  # opening a pipe would wait for a writer
        with path.open("rb") as file:
            state = os.fstat(file.fileno())
            if state.st_size > max_mb * MIB:
                raise InvalidInputError(
                    f"{path}: {state.st_size / MIB:,.0f} MiB, above the limit of {max_mb:,}",
                    hint="if there is memory of seven times its size: cellar config notebooks.max_mb N",
                )
            data = file.read()
    except FileNotFoundError:
        raise NotFoundError(f"{path}: there is no such file") from None
    except IsADirectoryError:
        raise InvalidInputError(f"{path}: a folder, not a notebook") from None
    except OSError as error:
        raise StoreUnavailableError(f"{path}: cannot be read: {error.strerror or error}") from None
    return NotebookFile(path, data, state.st_mtime_ns, stat.S_IMODE(state.st_mode))


def replace_notebook_file(file: NotebookFile, data: bytes) -> None:
    """Put `data` in the place of what was read.

    Raises ConflictError if the file was changed meanwhile, StoreUnavailableError if it cannot be written.
    """
    target = Path(os.path.realpath(file.path))
    if not file.mode & 0o222:
        raise StoreUnavailableError(f"{file.path}: cannot be written: it is read-only", hint=f"chmod u+w {file.path}")
    aside = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        _write_aside(aside, data, file.mode, target)
        if target.stat().st_mtime_ns != file.written_ns:
            raise ConflictError(
                f"{file.path}: changed by another program meanwhile; left as it is", hint="run it again"
            )
        aside.replace(target)
    except OSError as error:
        raise StoreUnavailableError(f"{file.path}: cannot be written: {error.strerror or error}") from None
    finally:
        aside.unlink(missing_ok=True)


def _write_aside(aside: Path, data: bytes, mode: int, target: Path) -> None:
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        if hasattr(os, "fchown"):
            owner = target.stat()
            try:
                os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
            except PermissionError:
                pass  # a file of somebody else in a shared folder becomes ours, as with every editor
            os.fchmod(file.fileno(), mode)
        os.fsync(file.fileno())


def find_notebooks(folder: Path) -> Iterator[Path]:
    """Yield the notebooks in a folder and below, in order; hidden folders, checkpoints and links are passed over."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise StoreUnavailableError(f"{folder}: cannot be read: {error.strerror or error}") from None
    for entry in entries:
        if entry.is_symlink() or entry.name.startswith(".") or entry.name == "node_modules":
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from find_notebooks(Path(entry.path))
        elif entry.name.endswith(".ipynb") and entry.is_file(follow_symlinks=False):
            yield Path(entry.path)
