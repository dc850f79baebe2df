"""The code of a commit back into a file: a checkout of the document.

Invariant: nothing is lost. A file that differs from every recorded document is recorded before it is replaced, and a
notebook that is open somewhere is not written under its editor: the code goes into a copy beside it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from nbcellar import notebook as notebooks
from nbcellar.api.notebook_files import write_file
from nbcellar.errors import InvalidInputError, NotFoundError, StoreUnavailableError
from nbcellar.history.model import CommitKind
from nbcellar.history.recording import Recorder
from nbcellar.history.repository import Repository
from nbcellar.ids import CommitId, Digest, NotebookId, short
from nbcellar.notebook import tree
from nbcellar.store.interface import Kind

if TYPE_CHECKING:
    from nbcellar.api.repo import Repo


class Written(NamedTuple):
    """The file that holds the code now, and what to tell about it."""

    path: Path
    notes: tuple[str, ...] = ()
    unchanged: bool = False


def write_code(repo: Repo, notebook: NotebookId, commit: CommitId) -> Written:
    """Write the document of a commit into the notebook's file, or into a copy when the notebook is open.

    Raises NotFoundError where no document was recorded.
    """
    data = document(repo.repository, commit)
    path = repo.root / repo.repository.label(notebook)
    if _read(path) == data:
        return Written(path, ("the notebook has this code already",), unchanged=True)
    where = _open_in(repo, notebook, path)
    if where:
        copy = _free_name(path, commit, data)
        write_file(copy, data)
        return Written(copy, (f"{path.name} is open {where}, so it was not changed; the code is in a copy",))
    recorded = record_first(repo, notebook, path, "the notebook before a checkout of code")
    write_file(path, data)
    name = short(recorded) if recorded is not None else ""
    return Written(path, (f"{path.name} as it was comes back with: cellar checkout --code {name}",) if name else ())


def document(repository: Repository, commit: CommitId) -> bytes:
    """Return the file of the newest document at or before a commit. Raises NotFoundError where there is none."""
    current: CommitId | None = commit
    while current is not None:
        found = repository.read_commit(current)
        if found.tree is not None:
            return notebooks.write(tree.join(Digest(found.tree), repository.store.read))
        current = CommitId(found.parents[0]) if found.parents else None
    raise NotFoundError(
        f"no document was recorded at {short(commit)} or before, only cells that ran",
        hint=f"see the cell with: cellar show {short(commit)}",
    )


def put_file(recorder: Recorder, path: Path) -> Digest | None:
    """Put the notebook at `path` into a transaction and return its tree; None when there is no such file."""
    data = _read(path)
    if data is None:
        return None
    root, objects = tree.split(notebooks.read(data, path=path.name))
    for part in objects:
        recorder.put(Kind[part.kind], part.data, digest=part.digest)
    return root


def record_first(repo: Repo, notebook: NotebookId, path: Path, message: str) -> CommitId | None:
    """Record a file that is to be replaced, unless the store holds exactly this document; return the commit, if any.

    Raises InvalidInputError for a file that is no notebook.
    """
    data = _read(path)
    if data is None:
        return None
    try:
        root, _ = tree.split(notebooks.read(data, path=path.name))
    except InvalidInputError as error:
        raise InvalidInputError(
            f"{path.name} would be replaced but cannot be recorded first: {error.message}",
            hint=f"move it away: mv {path.name} {path.name}.broken",
        ) from None
    if repo.repository.store.has(root):
        return None
    from nbcellar.api.session import record_document

    made, _ = record_document(repo, notebook, kind=CommitKind.CHECKOUT, message=message)
    return made


def _open_in(repo: Repo, notebook: NotebookId, path: Path) -> str:
    """Return where the notebook is open, in words; empty when it is open nowhere that can be seen."""
    from nbcellar.api.kernels import live_kernels
    from nbcellar.api.servers import sessions

    if any(entry.notebook == notebook for entry in live_kernels(repo.cellar_folder)):
        return "with a live kernel"
    if any(session.path == path.resolve() for session in sessions(repo.environ)):
        return "in a Jupyter server"
    return ""


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreUnavailableError(f"{path}: {error.strerror or error}") from None


def _free_name(path: Path, commit: CommitId, data: bytes) -> Path:
    """Return `NAME-<commit>.ipynb`, or the next number when another file is there."""
    number = 1
    while True:
        suffix = "" if number == 1 else f"-{number}"
        candidate = path.with_name(f"{path.stem}-{short(commit)}{suffix}{path.suffix}")
        if not candidate.exists() or candidate.read_bytes() == data:
            return candidate
        number += 1
