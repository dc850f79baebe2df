"""Notebook files on disk: reading them, and writing them whole or not at all.

Invariant: a write that fails leaves the file as it was; a file that has the bytes already is not touched; a symbolic
link stays one, its target is written; the file keeps its mode and, where that is allowed, its owner. What is larger
than the limit is not read.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from nbcellar.config.documents import Notebooks
from nbcellar.errors import ConflictError, InvalidInputError, NotFoundError, StoreUnavailableError
from nbcellar.files import written_beside
from nbcellar.notebook.model import Notebook

STANDARD_INPUT = "-"
MIB = 1 << 20


class NotebookFile(msgspec.Struct, frozen=True):
    """What was read from a file, when it was last changed then, and its mode."""

    path: Path
    shown: str
    data: bytes
    written_ns: int
    mode: int


def read_bytes(name: str, folder: Path, *, max_mb: int = Notebooks().max_mb) -> bytes:
    """Return the bytes of a file, of standard input for "-".

    Raises NotFoundError, InvalidInputError for a folder or a file above the limit, StoreUnavailableError for what the
    system refuses.
    """
    if name == STANDARD_INPUT:
        return sys.stdin.buffer.read()
    path = named(name, folder)
    try:
        with path.open("rb") as file:
            _check_size(os.fstat(file.fileno()), name, max_mb)
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        if path.is_symlink():
            raise NotFoundError(f"{name} is a link to {path.readlink()}, which is not there") from None
        raise NotFoundError(f"no file {name}", hint=_similar(path)) from None
    except IsADirectoryError:
        raise InvalidInputError(f"{name} is a folder, not a notebook") from None
    except OSError as error:
        raise StoreUnavailableError(f"cannot read {name}: {error.strerror or error}") from error


def named(name: str, folder: Path) -> Path:
    """Return the file that a person named; `~` is a home where it is the first character, and somebody has it."""
    return folder / (os.path.expanduser(name) if name.startswith("~") else name)  # noqa: PTH111 - Path forgets `./`


def plain_name(path: Path) -> str:
    """Return what names a file in its folder and nothing else: `-` and `~` alone would have a meaning."""
    return f".{os.sep}{path.name}" if path.name.startswith((STANDARD_INPUT, "~")) else path.name


def read_file(name: str, folder: Path, *, max_mb: int = Notebooks().max_mb) -> NotebookFile:
    """Return a file that is to be replaced. Raises as `read_bytes` does, and InvalidInputError for a pipe."""
    path = named(name, folder)
    try:
        state = path.stat()  # before reading, so that a change between the two is noticed when it is replaced
    except OSError:
        state = None
    if state is not None and not stat.S_ISREG(state.st_mode) and not stat.S_ISDIR(state.st_mode):
        raise InvalidInputError(f"{name} is no file, so no notebook")  # to open a pipe is to wait for its writer
    data = read_bytes(name, folder, max_mb=max_mb)
    if state is None:
        state = path.stat()
    return NotebookFile(path, name, data, state.st_mtime_ns, stat.S_IMODE(state.st_mode))


def replace_file(file: NotebookFile, data: bytes) -> None:
    """Put `data` in the place of what was read.

    Raises ConflictError if the file was changed meanwhile, StoreUnavailableError if it cannot be written.
    """
    if not file.mode & 0o222:
        raise StoreUnavailableError(f"cannot write {file.shown}: it is read-only", hint="the file is as it was")
    try:
        _replace(file.path.resolve(), data, written_ns=file.written_ns)
    except ConflictError:
        raise ConflictError(f"{file.shown} was changed by another program meanwhile", hint="run it again") from None
    except OSError as error:
        message = f"cannot write {file.shown}: {error.strerror or error}"
        raise StoreUnavailableError(message, hint="the file is as it was") from error


def find_notebooks(folder: Path) -> Iterator[Path]:
    """Yield the notebooks in a folder and below, in order; hidden folders, checkpoints and links are passed over."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise StoreUnavailableError(f"cannot read {folder}: {error.strerror or error}") from error
    for entry in entries:
        if entry.is_symlink() or entry.name.startswith(".") or entry.name == "node_modules":
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from find_notebooks(Path(entry.path))
        elif entry.name.endswith(".ipynb") and entry.is_file(follow_symlinks=False):
            yield Path(entry.path)


def read_notebook(name: str, folder: Path) -> Notebook:
    """Return the notebook in a file, or on standard input for "-". Raises as `read_bytes` and `codec.read` do."""
    from nbcellar.notebook.codec import read

    shown = "standard input" if name == STANDARD_INPUT else name
    return read(read_bytes(name, folder), path=shown)


def read_to_rewrite(name: str, folder: Path) -> tuple[NotebookFile, Notebook]:
    """Return a notebook and the file that a changed one is to replace. Raises as `read_file` and `codec.read` do."""
    from nbcellar.notebook.codec import read

    if name == STANDARD_INPUT:
        shown = "standard input"
        file = NotebookFile(Path(), shown, read_bytes(name, folder), 0, 0)
    else:
        shown, file = name, read_file(name, folder)
    return file, read(file.data, path=shown)


def write_rewritten(file: NotebookFile, target: str, folder: Path, data: bytes) -> bool:
    """Write what was made of `file` to `target`, which may be the same; return False if it held these bytes already.

    Raises ConflictError if `file` is to be replaced and was changed since it was read.
    """
    if target != file.shown:
        return write_bytes(target, folder, data)
    if file.data == data:
        return False
    replace_file(file, data)
    return True


def write_bytes(name: str, folder: Path, data: bytes) -> bool:
    """Write a file; return False if it held these bytes already."""
    path = named(name, folder)
    try:
        return _replace(path.resolve(), data)
    except OSError as error:
        message = f"cannot write {name}: {error.strerror or error}"
        raise StoreUnavailableError(message, hint="the file is as it was") from error


def write_file(path: Path, data: bytes) -> bool:
    """Write a file, and the folders above it where they are not there; return False if it held these bytes already.

    Raises StoreUnavailableError.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailableError(f"cannot make {path.parent}: {error.strerror or error}") from error
    return write_bytes(str(path), path.parent, data)


def _check_size(state: os.stat_result, name: str, max_mb: int) -> None:
    if stat.S_ISREG(state.st_mode) and state.st_size > max_mb * MIB:
        raise InvalidInputError(
            f"{name} has {state.st_size / MIB:,.0f} MiB, the limit is {max_mb:,}",
            hint="if there is memory of seven times its size: cellar config notebooks.max_mb N",
        )


def _replace(path: Path, data: bytes, *, written_ns: int | None = None) -> bool:
    """written_ns: when the file was last changed; raises ConflictError if that is no longer so."""
    mode = owner = None
    if path.exists():
        if not path.is_file():  # a pipe, a device
            path.write_bytes(data)
            return True
        if path.read_bytes() == data:
            return False
        state = path.stat()
        mode, owner = state.st_mode & 0o7777, (state.st_uid, state.st_gid)
    with written_beside(path, data) as aside:
        if owner is not None and hasattr(os, "chown"):
            with contextlib.suppress(PermissionError):  # of a colleague, in a shared folder: it becomes ours
                os.chown(aside, *owner)
        if mode is not None:
            aside.chmod(mode)
        if written_ns is not None and path.stat().st_mtime_ns != written_ns:
            raise ConflictError(f"{path} was changed meanwhile")
        aside.replace(path)
    return True


def _similar(path: Path) -> str:
    """Return a hint that names a file nearby, "" where there is none."""
    import difflib

    try:
        names = [found.name for found in path.parent.glob("*.ipynb")]
    except OSError:
        return ""
    close = difflib.get_close_matches(path.name, names, n=1, cutoff=0.75)
    return f"there is {close[0]}" if close else ""


__all__ = [
    "STANDARD_INPUT",
    "NotebookFile",
    "find_notebooks",
    "named",
    "plain_name",
    "read_bytes",
    "read_file",
    "read_notebook",
    "read_to_rewrite",
    "replace_file",
    "write_rewritten",
    "write_bytes",
    "write_file",
]
