"""Which notebook a file is: its identity lives in the store, never in the file.

Invariant: a path belongs to one notebook. A file that was renamed or moved keeps its notebook: what is at the old path,
if anything, is another file, and the new one is the same (`evidence.py`). A copy, while the original is still there,
starts a new notebook that remembers where it was forked. Not for: what is in a notebook (`notebook/`); who sees a file
that changed tells so with `Recorder.saw_file`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from nbcellar.errors import AmbiguousReferenceError, ConflictError, InvalidInputError, NotFoundError
from nbcellar.history import evidence, refs
from nbcellar.history.evidence import ContentKey, Evidence, decode_evidence, look
from nbcellar.history.operations import Operation, OperationKind, RefChange, encode_operation
from nbcellar.ids import CommitId, NotebookId

if TYPE_CHECKING:
    from nbcellar.history.repository import Repository
    from nbcellar.store.interface import Transaction


class NotebookInfo(msgspec.Struct, frozen=True):
    """A notebook of the repository. `path` is relative to its root; `time_ns` is that of the newest commit, 0: none."""

    id: NotebookId
    path: str
    head: CommitId | None
    branch: str | None
    time_ns: int
    commits: int
    forked_from: CommitId | None


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
    known = _at(repo, relative)
    if known is not None and not _has_moved_away(repo, known, relative, content_key):
        return known
    seen = look(repo.root / relative, content_key)
    for _ in range(_ATTEMPTS):
        try:
            return _renamed(repo, relative, seen) or _start(repo, relative, seen, create=create)
        except ConflictError as error:  # another process was first, or history was rewritten under a fork
            conflict = error
            known = _at(repo, relative)
            if known is not None:
                return known
    raise conflict


_ATTEMPTS = 10


def move(repo: Repository, notebook: NotebookId, old: str, new: str, seen: Evidence) -> bool:
    """Note that a notebook is at another path; False if another notebook is there."""
    if _at(repo, new) is not None:
        return False
    old_evidence = repo.store.ref(notebook, refs.EVIDENCE)
    with repo.store.begin() as tx:
        tx.set_ref(refs.PROJECT_SCOPE, refs.NOTEBOOK + old, old=notebook.encode(), new=None)
        tx.set_ref(refs.PROJECT_SCOPE, refs.NOTEBOOK + new, old=None, new=notebook.encode())
        tx.set_ref(notebook, refs.EVIDENCE, old=old_evidence, new=msgspec.msgpack.encode(seen))
        tx.commit()
    return True


def find_moved(
    repo: Repository,
    notebook: NotebookId,
    path: str,
    before: Evidence,
    content_key: ContentKey,
    *,
    at_least: float = evidence.SAME_SHARE,
) -> str | None:
    """Return where the file of a notebook went within its folder, and note it; None if it is not found.

    before: how it was seen last. The file at `path` is gone, or another one that looks like it to the share `at_least`.
    """
    for sibling in _siblings(repo.root / path, before.inode):
        new = relative_path(repo, sibling)
        now = look(sibling, content_key)
        wanted = max(at_least, evidence.SAME_SHARE)
        if evidence.has_same_inode(before, now) and evidence.likeness(before, now) >= wanted:
            if move(repo, notebook, path, new, now):
                return new
    return None


def note_evidence(repo: Repository, tx: Transaction, notebook: NotebookId, seen: Evidence) -> None:
    """Note in a transaction how the notebook's file looks, so that a later rename or copy is recognised."""
    old, new = repo.store.ref(notebook, refs.EVIDENCE), msgspec.msgpack.encode(seen)
    if old != new:
        tx.set_ref(notebook, refs.EVIDENCE, old=old, new=new)


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


def _at(repo: Repository, relative: str) -> NotebookId | None:
    value = repo.store.ref(refs.PROJECT_SCOPE, refs.NOTEBOOK + relative)
    return None if value is None else NotebookId(value.decode())


def _has_moved_away(repo: Repository, notebook: NotebookId, relative: str, content_key: ContentKey) -> bool:
    """True if the file at a path is another one, and that of the notebook which was there is found under another name.

    `Untitled.ipynb` is renamed, and the next notebook is called `Untitled.ipynb`.
    """
    before = decode_evidence(repo.store.ref(notebook, refs.EVIDENCE))
    path = repo.root / relative
    if before.inode == 0 or repo.store.read_only:
        return False
    try:
        status = path.stat()
    except OSError:
        return False
    if (status.st_dev, status.st_ino) == (before.device, before.inode):
        return False
    here = evidence.likeness(before, look(path, content_key))  # saved by way of a new file, perhaps
    return find_moved(repo, notebook, relative, before, content_key, at_least=here) is not None


def _siblings(path: Path, inode: int) -> Iterator[Path]:
    """Yield the other notebooks of a folder that have this inode."""
    try:
        with os.scandir(path.parent) as entries:
            names = [entry.name for entry in entries if entry.inode() == inode and entry.name.endswith(".ipynb")]
    except OSError:
        return
    yield from (path.with_name(name) for name in names if name != path.name)


def _renamed(repo: Repository, relative: str, seen: Evidence) -> NotebookId | None:
    best: tuple[float, str, NotebookId] | None = None
    for path, notebook in _paths(repo).items():
        if (repo.root / path).exists():
            continue
        share = evidence.likeness(decode_evidence(repo.store.ref(notebook, refs.EVIDENCE)), seen)
        if share >= evidence.SAME_SHARE and (best is None or share > best[0]):
            best = (share, path, notebook)
    if best is None:
        return None
    _, old_path, notebook = best
    return notebook if move(repo, notebook, old_path, relative, seen) else None


def _start(repo: Repository, relative: str, seen: Evidence, *, create: bool) -> NotebookId:
    if not create:
        raise NotFoundError(f"{relative} is not recorded here", hint=f"record it with: cellar attach {relative}")
    notebook = NotebookId(os.urandom(16).hex())
    with repo.store.begin() as tx:
        tx.set_ref(refs.PROJECT_SCOPE, refs.NOTEBOOK + relative, old=None, new=notebook.encode())
        tx.set_ref(notebook, refs.EVIDENCE, old=None, new=msgspec.msgpack.encode(seen))
        generation = repo.store.ref(refs.PROJECT_SCOPE, refs.GENERATION)
        fork = _fork_point(repo, seen)
        if fork is not None:  # which must not be taken out of history meanwhile
            tx.set_ref(refs.PROJECT_SCOPE, refs.GENERATION, old=generation, new=generation)
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
    """Return HEAD of the notebook that a new file is a copy of, if there is one; of several, that of the newest."""
    best: tuple[float, int, CommitId] | None = None
    for path, notebook in _paths(repo).items():
        if not (repo.root / path).exists():
            continue
        share = evidence.shared_cells(decode_evidence(repo.store.ref(notebook, refs.EVIDENCE)), seen)
        head = repo.head(notebook).commit
        if head is None or share < evidence.COPY_SHARE:
            continue
        candidate = (share, repo.read_commit(head).time_ns, head)
        if best is None or candidate > best:
            best = candidate
    return best[2] if best else None


__all__ = [
    "NotebookInfo",
    "find_moved",
    "find_notebook",
    "list_notebooks",
    "move",
    "note_evidence",
    "notebook_for",
    "path_of",
]
