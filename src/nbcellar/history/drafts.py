"""Notebooks as editors hold them, with edits that no file has yet: left in `.cellar/drafts` for their kernels.

A draft belongs to one connection of an editor to a kernel, by the client id that its messages carry. Its cells lie in
one file, as CELL objects, and an index names them, so that only what changed is written, and only that is read.

Invariant: an index appears whole or not at all, and what it names is checked by its digest when it is read: a draft
that is torn, of another format or gone is no draft. Nothing here lasts: an editor sends again what is not there.

Not for: which of draft and file a commit holds (`session/drafts.py`), what an editor sends (`api/drafts.py`).
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
from blake3 import blake3

from nbcellar.errors import InvalidInputError

FOLDER_NAME = "drafts"
FORMAT = 1
MOST_BYTES = 32 << 20  # of a notebook's cells
DAY_S = 86_400.0
_SLACK_BYTES = 4 << 20
_CONTENTS = re.compile(r"[0-9a-f]{32}-[0-9a-f]{16}\.cells")
_LOCK = threading.Lock()


class DraftCell(msgspec.Struct, frozen=True, array_like=True):
    """A version of a cell: the editor's number for it, the cell's id, the beginning of its `evidence.cell_key`."""

    key: int
    id: str
    source: bytes
    digest: bytes
    offset: int
    size: int


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A notebook in an editor. `path` has no links; `sent_ms` is the date of the last run that it was sent for, by the
    editor's clock; `members` is what a TREE says beside cells."""

    format: int = FORMAT
    path: str
    sent_ms: int
    members: bytes
    contents: str
    cells: tuple[DraftCell, ...]


class Version(NamedTuple):
    """A version of a cell that an editor sends: its id, the beginning of its `cell_key`, its CELL object."""

    id: str
    source: bytes
    payload: bytes


def draft_name(client: str) -> str:
    """Return the name of a client's draft: nothing that a client calls itself becomes part of a path."""
    return blake3(client.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def index_path(folder: Path, name: str) -> Path:
    """Return where the index of a draft is."""
    return folder / f"{name}.index"


def read_draft(folder: Path, name: str) -> Draft | None:
    """Return a draft; None for one that is not there or cannot be read."""
    try:
        found = msgspec.msgpack.decode(_read(index_path(folder, name)), type=Draft)
    except (OSError, msgspec.DecodeError):
        return None
    return found if found.format == FORMAT and _CONTENTS.fullmatch(found.contents) else None


def read_cells(folder: Path, draft: Draft, wanted: Sequence[DraftCell]) -> list[bytes] | None:
    """Return the CELL objects of some cells; None if one of them is not what the index says."""
    if not wanted:
        return []
    found = []
    try:
        descriptor = os.open(folder / draft.contents, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    with open(descriptor, "rb") as file:
        for cell in wanted:
            data = os.pread(file.fileno(), cell.size, cell.offset) if cell.size <= MOST_BYTES else b""
            if blake3(data).digest() != cell.digest:
                return None
            found.append(data)
    return found


def write_draft(
    folder: Path,
    client: str,
    *,
    path: str,
    sent_ms: int,
    members: bytes | None,
    order: Sequence[int],
    fresh: Mapping[int, Version],
) -> bool:
    """Keep a draft: the cells in `order`, of which those that are not in `fresh` were sent before, as were `members`
    that are None. False if something of it is not here: then nothing was changed, and all of it has to come.

    Raises InvalidInputError for a draft that is too large, OSError.
    """
    with _LOCK:
        name = draft_name(client)
        old = read_draft(folder, name)
        known = {cell.key: cell for cell in old.cells} if old is not None and _holds(folder, old) else {}
        members = members if members is not None or old is None else old.members
        if members is None or any(key not in fresh and key not in known for key in order):
            return False
        size = sum(len(fresh[key].payload) if key in fresh else known[key].size for key in order)
        if size > MOST_BYTES:
            raise InvalidInputError(f"a notebook of more than {MOST_BYTES >> 20} MiB is recorded from its file only")
        _require_folder(folder)
        contents, cells = _put_cells(folder, name, old, known, order, fresh)
        draft = Draft(path=path, sent_ms=sent_ms, members=members, contents=contents, cells=cells)
        _replace(index_path(folder, name), msgspec.msgpack.encode(draft))
        if old is None:
            _sweep(folder, time.time() - DAY_S)
        elif old.contents != contents:
            _remove(folder / old.contents)
        return True


def drop_draft(folder: Path, client: str) -> None:
    """Remove a client's draft."""
    with _LOCK:
        name = draft_name(client)
        _remove(index_path(folder, name))
        for path in folder.glob(f"{name}-*.cells"):
            _remove(path)


def drop_drafts_of(folder: Path, path: str) -> None:
    """Remove all drafts of a notebook."""
    with _LOCK:
        for index in folder.glob("*.index"):
            draft = read_draft(folder, index.stem)
            if draft is not None and draft.path == path:
                _remove(index)
                _remove(folder / draft.contents)


def sweep_drafts(folder: Path, *, older_than_s: float = DAY_S) -> None:
    """Remove drafts that nobody has touched for some time, and what is left of others."""
    with _LOCK:
        _sweep(folder, time.time() - older_than_s)


def _put_cells(
    folder: Path,
    name: str,
    old: Draft | None,
    known: Mapping[int, DraftCell],
    order: Sequence[int],
    fresh: Mapping[int, Version],
) -> tuple[str, tuple[DraftCell, ...]]:
    """Append new cells to the draft's file, or write another one where most of it is of no use any more."""
    kept = [known[key] for key in dict.fromkeys(order) if key not in fresh]
    end = (folder / old.contents).stat().st_size if old is not None and known else 0
    versions = {key: fresh[key] for key in order if key in fresh}
    contents = old.contents if old is not None and known else ""
    if not contents or end > 2 * sum(cell.size for cell in kept) + _SLACK_BYTES:
        payloads = read_cells(folder, old, kept) if old is not None else []
        if payloads is None:
            raise OSError("a draft was changed while it was copied")
        again = {c.key: Version(c.id, c.source, data) for c, data in zip(kept, payloads, strict=True)}
        versions, known, end = {**again, **versions}, {}, 0
        contents = f"{name}-{os.urandom(8).hex()}.cells"
    placed = dict(known)
    for key, (identity, source, payload) in versions.items():
        placed[key] = DraftCell(key, identity, source, blake3(payload).digest(), end, len(payload))
        end += len(payload)
    if versions or not known:
        _append(folder / contents, b"".join(version.payload for version in versions.values()))
    return contents, tuple(placed[key] for key in order)


def _holds(folder: Path, draft: Draft) -> bool:
    """True if the file of a draft's cells is there and long enough."""
    try:
        found = (folder / draft.contents).lstat()
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_size >= max((c.offset + c.size for c in draft.cells), default=0)


def _require_folder(folder: Path) -> None:
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    if not stat.S_ISDIR(folder.lstat().st_mode):  # a link in a repository of somebody else's leads anywhere
        raise NotADirectoryError(f"{folder} is no folder")


def _append(path: Path, data: bytes) -> None:
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    with open(os.open(path, flags, 0o600), "ab", buffering=0) as file:
        left = memoryview(data)
        while left:
            left = left[file.write(left) :]


def _replace(path: Path, data: bytes) -> None:
    """Write a file in one step. It need not outlive a power failure, so nothing is synced."""
    aside = path.with_name(f"{path.name}.{os.urandom(8).hex()}.new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        with open(os.open(aside, flags, 0o600), "wb") as file:
            file.write(data)
        aside.replace(path)
    except OSError:
        _remove(aside)
        raise


def _read(path: Path) -> bytes:
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:
        return file.read()


def _sweep(folder: Path, before_s: float) -> None:
    try:
        names = {path.name: path.lstat().st_mtime for path in folder.iterdir()}
    except OSError:
        return
    alive = {name[:32] for name, modified_s in names.items() if name.endswith(".index") and modified_s >= before_s}
    for name, modified_s in names.items():
        if name[:32] not in alive and modified_s < before_s:
            _remove(folder / name)


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()


__all__ = [
    "FOLDER_NAME",
    "FORMAT",
    "MOST_BYTES",
    "Draft",
    "DraftCell",
    "Version",
    "draft_name",
    "drop_draft",
    "drop_drafts_of",
    "index_path",
    "read_cells",
    "read_draft",
    "sweep_drafts",
    "write_draft",
]
