"""Which notebook a file is: its identity lives in the store, never in the file.

Invariant: a path belongs to one notebook. A file that was renamed or moved keeps its notebook: the old path is gone,
and either the file is the very same one (device, inode, size, time) or half of the cells are. A copy, while the
original is still there, starts a new notebook that remembers where it was forked. Not for: what is in a notebook
(`notebook/`); who sees a file that changed tells so with `Recorder.saw_file`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from blake3 import blake3

from nbcellar.errors import AmbiguousReferenceError, CellarError, ConflictError, InvalidInputError, NotFoundError
from nbcellar.history import refs
from nbcellar.history.operations import Operation, OperationKind, RefChange, encode_operation
from nbcellar.ids import CommitId, NotebookId

if TYPE_CHECKING:
    from nbcellar.history.repository import Repository
    from nbcellar.notebook.model import Notebook
    from nbcellar.store.interface import Transaction

ContentKey = Callable[[Path], Iterable[bytes]]
"""Returns the digests of a notebook file's non-empty cells; what cannot be read gives none."""

SAME_NOTEBOOK_SHARE = 0.5
_KEY_BYTES = 8


class NotebookInfo(msgspec.Struct, frozen=True):
    """A notebook of the repository. `path` is relative to its root; `time_ns` is that of the newest commit, 0: none."""

    id: NotebookId
    path: str
    head: CommitId | None
    branch: str | None
    time_ns: int
    commits: int
    forked_from: CommitId | None


class Evidence(msgspec.Struct, frozen=True, array_like=True):
    """How a notebook's file looked when it was last seen."""

    device: int = 0
    inode: int = 0
    size_bytes: int = 0
    modified_ns: int = 0
    cells: tuple[bytes, ...] = ()  # first 8 bytes of the digests, sorted


def list_notebooks(repo: Repository) -> list[NotebookInfo]:
    """Return the notebooks of a repository, by path."""
    totals = repo.index.totals()
    found = []
    for path, notebook in sorted(_paths(repo).items()):
        head = repo.head(notebook)
        forked = repo.store.ref(notebook, refs.FORKED_FROM)
        count, time_ns = totals.get(notebook, (0, 0))
        found.append(
            NotebookInfo(
                id=notebook,
                path=path,
                head=head.commit,
                branch=head.branch,
                time_ns=time_ns,
                commits=count,
                forked_from=CommitId(forked) if forked else None,
            )
        )
    return found


def notebook_for(repo: Repository, path: Path, *, create: bool, content_key: ContentKey) -> NotebookId:
    """Return the notebook that the file at `path` is; with `create`, start one for a file never seen.

    The file need not exist yet. Raises NotFoundError without `create`, InvalidInputError for a path outside the root.
    """
    relative = relative_path(repo, path)
    known = repo.store.ref(refs.PROJECT_SCOPE, refs.NOTEBOOK + relative)
    if known is not None:
        return NotebookId(known.decode())
    seen = _look(repo.root / relative, content_key)
    try:
        return _renamed(repo, relative, seen) or _start(repo, relative, seen, create=create)
    except ConflictError:  # another process was first
        known = repo.store.ref(refs.PROJECT_SCOPE, refs.NOTEBOOK + relative)
        if known is None:
            raise
        return NotebookId(known.decode())


def evidence_of(status: os.stat_result, cells: Iterable[bytes]) -> Evidence:
    """Return how a file looks now; `cells` as `cell_keys` gives them."""
    keys = tuple(sorted({bytes(digest)[:_KEY_BYTES] for digest in cells}))
    return Evidence(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, keys)


def note_evidence(repo: Repository, tx: Transaction, notebook: NotebookId, seen: Evidence) -> None:
    """Note in a transaction how the notebook's file looks, so that a later rename or copy is recognised."""
    old, new = repo.store.ref(notebook, refs.EVIDENCE), msgspec.msgpack.encode(seen)
    if old != new:
        tx.set_ref(notebook, refs.EVIDENCE, old=old, new=new)


def cell_keys(content: Notebook) -> list[bytes]:
    """Return digests of the cells that say something, by type and source."""
    return [
        blake3(f"{c.type}\n{c.source}".encode(errors="replace")).digest() for c in content.cells if c.source.strip()
    ]


def read_cell_keys(path: Path) -> list[bytes]:
    """Return the `cell_keys` of a file; none for one that cannot be read or is no notebook."""
    from nbcellar import notebook  # not needed by a kernel whose notebook is known

    try:
        return cell_keys(notebook.read(path.read_bytes(), path=path.name))
    except (OSError, CellarError):
        return []


def path_of(repo: Repository, notebook: NotebookId) -> str:
    """Return a notebook's path relative to the root; raises NotFoundError."""
    for path, identifier in _paths(repo).items():
        if identifier == notebook:
            return path
    raise NotFoundError(f"there is no notebook {notebook[:8]} in this repository")


def find_notebook(repo: Repository, text: str) -> NotebookId:
    """Return the notebook that a user means: a path, the end of a path, or the beginning of an id.

    Raises NotFoundError, AmbiguousReferenceError.
    """
    paths = _paths(repo)
    exact = paths.get(text) or paths.get(_relative_or(repo, text))
    if exact is not None:
        return exact
    fitting = {p: i for p, i in paths.items() if _fits(p, text) or (len(text) >= 4 and i.startswith(text))}
    if len(fitting) == 1:
        return next(iter(fitting.values()))
    if fitting:
        raise AmbiguousReferenceError(
            f"'{text}' fits several notebooks: {', '.join(sorted(fitting))}", hint="give the whole path"
        )
    known = ", ".join(sorted(paths)[:5]) or "none yet"
    raise NotFoundError(f"no notebook '{text}' is recorded here", hint=f"recorded notebooks: {known}")


def relative_path(repo: Repository, path: Path) -> str:
    """Return `path` relative to the repository's root, with `/`. Raises InvalidInputError outside of it."""
    absolute = Path(os.path.normpath(repo.root.absolute() / path))
    for base, candidate in ((repo.root, absolute), (repo.root.resolve(), absolute.parent.resolve() / absolute.name)):
        if candidate.is_relative_to(base):
            return candidate.relative_to(base).as_posix()
    raise InvalidInputError(f"{path} is outside of the repository {repo.root}", hint="run cellar init in its folder")


def _relative_or(repo: Repository, text: str) -> str:
    try:
        return relative_path(repo, Path(text))
    except (InvalidInputError, OSError, ValueError):
        return text


def _fits(path: str, text: str) -> bool:
    return path.endswith("/" + text) or text in (Path(path).name, Path(path).stem)


def _paths(repo: Repository) -> dict[str, NotebookId]:
    found = repo.store.refs(refs.PROJECT_SCOPE, refs.NOTEBOOK)
    return {name.removeprefix(refs.NOTEBOOK): NotebookId(value.decode()) for (_, name), value in found.items()}


def _renamed(repo: Repository, relative: str, seen: Evidence) -> NotebookId | None:
    best: tuple[float, str, NotebookId] | None = None
    for path, notebook in _paths(repo).items():
        if (repo.root / path).exists():
            continue
        share = _likeness(_decode_evidence(repo.store.ref(notebook, refs.EVIDENCE)), seen)
        if share >= SAME_NOTEBOOK_SHARE and (best is None or share > best[0]):
            best = (share, path, notebook)
    if best is None:
        return None
    _, old_path, notebook = best
    old_evidence = repo.store.ref(notebook, refs.EVIDENCE)
    with repo.store.begin() as tx:
        tx.set_ref(refs.PROJECT_SCOPE, refs.NOTEBOOK + old_path, old=notebook.encode(), new=None)
        tx.set_ref(refs.PROJECT_SCOPE, refs.NOTEBOOK + relative, old=None, new=notebook.encode())
        tx.set_ref(notebook, refs.EVIDENCE, old=old_evidence, new=msgspec.msgpack.encode(seen))
        tx.commit()
    return notebook


def _start(repo: Repository, relative: str, seen: Evidence, *, create: bool) -> NotebookId:
    if not create:
        raise NotFoundError(f"{relative} is not recorded here", hint=f"record it with: cellar attach {relative}")
    notebook = NotebookId(os.urandom(16).hex())
    with repo.store.begin() as tx:
        tx.set_ref(refs.PROJECT_SCOPE, refs.NOTEBOOK + relative, old=None, new=notebook.encode())
        tx.set_ref(notebook, refs.EVIDENCE, old=None, new=msgspec.msgpack.encode(seen))
        fork = _fork_point(repo, seen)
        if fork is not None:
            tx.set_ref(notebook, refs.FORKED_FROM, old=None, new=fork)
        _set_first_head(repo, tx, notebook, relative)
        tx.commit()
    return notebook


def _set_first_head(repo: Repository, tx: Transaction, notebook: NotebookId, relative: str) -> None:
    value = refs.encode_head(branch=refs.DEFAULT_BRANCH)
    tx.set_ref(notebook, refs.HEAD, old=None, new=value)
    operation = Operation(
        notebook=notebook,
        kind=OperationKind.CREATE,
        time_ns=repo.clock(),
        by=repo.by,
        changes=(RefChange(refs.HEAD, None, value),),
        description=f"start {relative}",
    )
    tx.append(notebook, encode_operation(operation))


def _fork_point(repo: Repository, seen: Evidence) -> CommitId | None:
    """Return HEAD of the notebook that a new file is a copy of, if there is one."""
    best: tuple[float, CommitId] | None = None
    for path, notebook in _paths(repo).items():
        if not (repo.root / path).exists():
            continue
        share = _shared_cells(_decode_evidence(repo.store.ref(notebook, refs.EVIDENCE)), seen)
        head = repo.head(notebook).commit
        if head is not None and share >= SAME_NOTEBOOK_SHARE and (best is None or share > best[0]):
            best = (share, head)
    return best[1] if best else None


def _look(path: Path, content_key: ContentKey) -> Evidence:
    try:
        status = path.stat()
    except OSError:
        return Evidence()
    return evidence_of(status, content_key(path))


def _decode_evidence(payload: bytes | None) -> Evidence:
    if payload is None:
        return Evidence()
    try:
        return msgspec.msgpack.decode(payload, type=Evidence)
    except msgspec.DecodeError:
        return Evidence()  # evidence only helps to recognise a file; without it a rename starts a new notebook


def _likeness(before: Evidence, now: Evidence) -> float:
    # The time is needed, too: file systems give the inode of a deleted file to the next one.
    return 1.0 if _is_same_file(before, now) else _shared_cells(before, now)


def _is_same_file(before: Evidence, now: Evidence) -> bool:
    return before.inode != 0 and _stat(before) == _stat(now)


def _stat(seen: Evidence) -> tuple[int, int, int, int]:
    return seen.device, seen.inode, seen.size_bytes, seen.modified_ns


def _shared_cells(before: Evidence, now: Evidence) -> float:
    """Return the share of the larger notebook's cells that both hold, 0.0 when there are none."""
    larger = max(len(before.cells), len(now.cells))
    return len(set(before.cells) & set(now.cells)) / larger if larger else 0.0


__all__ = [
    "ContentKey",
    "Evidence",
    "NotebookInfo",
    "cell_keys",
    "evidence_of",
    "find_notebook",
    "list_notebooks",
    "note_evidence",
    "notebook_for",
    "path_of",
    "read_cell_keys",
]
