"""A block of lines of ours in a file of somebody else's.

Invariant: `without_block(with_block(text, block)) == text` for every text, ends of lines, a missing last one and a
missing file included; nothing outside of the block is ever changed.
"""

from __future__ import annotations

import os
from pathlib import Path

from nbcellar.errors import ConflictError, StoreUnavailableError

_NAME = b"written by cellar git install, removed by cellar git uninstall"
_BEGIN = b"# >>> cellar: " + _NAME
_END = b"# <<< cellar"
_NO_FILE = b" (there was no file)"
_NO_END = b" (the line before had no end)"


def with_block(text: bytes | None, block: bytes) -> bytes:
    """Return a file's text with the block at its end, instead of one that is there; None: there is no file."""
    before = without_block(text) if text is not None else None
    mark = _BEGIN
    if before is None:
        mark += _NO_FILE
    elif before and not before.endswith(b"\n"):
        mark, before = mark + _NO_END, before + b"\n"
    return (before or b"") + mark + b"\n" + block + _END + b"\n"


def without_block(text: bytes) -> bytes | None:
    """Return a file's text as it was without the block; None: as there was no file."""
    start, end = _place(text)
    if start is None or end is None:
        return text
    mark = text[start : text.find(b"\n", start)]
    head, tail = text[:start], text[end:]
    if _NO_END in mark and not tail:
        head = head.removesuffix(b"\n")
    if _NO_FILE in mark and not head and not tail:
        return None
    return head + tail


def _place(text: bytes) -> tuple[int | None, int | None]:
    start = 0 if text.startswith(_BEGIN) else text.find(b"\n" + _BEGIN) + 1
    if start == 0 and not text.startswith(_BEGIN):
        return None, None
    end = text.find(b"\n" + _END, start)
    if end < 0:
        return None, None
    after = text.find(b"\n", end + 1)
    return start, len(text) if after < 0 else after + 1


def edit(path: Path, block: bytes | None) -> bool:
    """Put the block into a file, or take it out (None); return whether the file changed.

    The file is locked as git locks its configuration, its mode is kept, and a link to it stays a link. Raises
    ConflictError when git writes it at this moment, StoreUnavailableError when it cannot be written.
    """
    path = path.resolve()
    try:
        old = path.read_bytes()
    except FileNotFoundError:
        old = None
    except OSError as error:
        raise StoreUnavailableError(f"{path}: {error.strerror or error}") from None
    new = with_block(old, block) if block is not None else without_block(old) if old is not None else None
    if new == old:
        return False
    try:
        _write(path, old, new)
    except FileExistsError:
        raise ConflictError(
            f"{path} is being written by another program", hint=f"if none is running, remove {path}.lock"
        ) from None
    except OSError as error:
        raise StoreUnavailableError(f"{path}: {error.strerror or error}") from None
    return True


def _write(path: Path, old: bytes | None, new: bytes | None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.with_name(path.name + ".lock")
    descriptor = os.open(lock, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(new or b"")
        if new is None:
            path.unlink()
            lock.unlink()
            return
        if old is not None:
            lock.chmod(path.stat().st_mode & 0o7777)
        lock.replace(path)
    except BaseException:
        lock.unlink(missing_ok=True)
        raise
