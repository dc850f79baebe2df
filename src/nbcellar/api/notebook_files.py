"""Notebook files on disk: reading them, and writing them whole or not at all.

Invariant: a write that fails leaves the file as it was; a file that has the bytes already is not touched; a symbolic
link stays one, its target is written; the file keeps its mode.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

from nbcellar.errors import InvalidInputError, NotFoundError, StoreUnavailableError
from nbcellar.notebook.model import Notebook

STANDARD_INPUT = "-"


def read_bytes(name: str, folder: Path) -> bytes:
    """Return the bytes of a file, of standard input for "-".

    Raises NotFoundError, InvalidInputError for a folder, StoreUnavailableError for what the system refuses.
    """
    if name == STANDARD_INPUT:
        return sys.stdin.buffer.read()
    path = folder / Path(name).expanduser()
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise NotFoundError(f"no file {name}", hint=_similar(path)) from None
    except IsADirectoryError:
        raise InvalidInputError(f"{name} is a folder, not a notebook") from None
    except OSError as error:
        raise StoreUnavailableError(f"cannot read {name}: {error.strerror or error}") from error


def read_notebook(name: str, folder: Path) -> Notebook:
    """Return the notebook in a file, or on standard input for "-". Raises as `read_bytes` and `codec.read` do."""
    from nbcellar.notebook.codec import read

    shown = "standard input" if name == STANDARD_INPUT else name
    return read(read_bytes(name, folder), path=shown)


def write_bytes(name: str, folder: Path, data: bytes) -> bool:
    """Write a file; return False if it held these bytes already."""
    path = folder / Path(name).expanduser()
    try:
        return _replace(path.resolve(), data)
    except OSError as error:
        message = f"cannot write {name}: {error.strerror or error}"
        raise StoreUnavailableError(message, hint="the file is as it was") from error


def _replace(path: Path, data: bytes) -> bool:
    mode = None
    if path.exists():
        if not path.is_file():  # a pipe, a device
            path.write_bytes(data)
            return True
        if path.read_bytes() == data:
            return False
        mode = path.stat().st_mode & 0o7777
    aside = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}.part")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            aside.chmod(mode)
        aside.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            aside.unlink()
        raise
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


__all__ = ["STANDARD_INPUT", "read_bytes", "read_notebook", "write_bytes"]
