"""What a notebook being edited differs in from a version of it: marks beside its cells, and staging single ones.

Invariant: what is compared with a version in git is what would be committed, so outputs that the filter keeps out of
commits make no mark. Reading only, but for `stage`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from nbcellar.api.document_sources import GIT
from nbcellar.api.editors import from_editor
from nbcellar.diff.document.changes import CellChange
from nbcellar.diff.document.compare import compare_notebooks
from nbcellar.diff.document.filters import EVERYTHING
from nbcellar.diff.document.pairing import Pairing
from nbcellar.errors import InvalidInputError, NotFoundError, UnknownReferenceError
from nbcellar.git.cleaner import load_cleaner
from nbcellar.git.history import NotebookHistory, history_of
from nbcellar.git.process import GitFailedError
from nbcellar.git.repository import GitRepository, find_git_repository
from nbcellar.git.revisions import Place, find_commit, parse_place, read_file
from nbcellar.git.staging import stage_cells
from nbcellar.git.working_files import has_filter
from nbcellar.notebook.codec import read
from nbcellar.notebook.model import Notebook
from nbcellar.notebook.plain import cell_from_plain, to_plain

Mark = Literal["added", "changed", "moved", "outputs", "metadata"]


class CellMark(msgspec.Struct, frozen=True, kw_only=True):
    """A cell of the notebook being edited that differs from the base. Places count from 0; `base` None: it is new.

    outputs: nothing but its outputs changed. metadata: nothing but its tags, states, attachments or other metadata.
    """

    cell: int
    base: int | None
    mark: Mark
    moved: bool = False


class GoneMark(msgspec.Struct, frozen=True, kw_only=True):
    """A cell that only the base has; it stood before the cell at `before` of the notebook being edited."""

    before: int
    base: int


class Marks(msgspec.Struct, frozen=True, kw_only=True):
    """What differs from the base, which is called `name`; `digest` is the base's, "" where there is none."""

    name: str
    digest: str
    cells: list[CellMark]
    gone: list[GoneMark]
    summary: str = ""


class BaseNotebook(msgspec.Struct, frozen=True, kw_only=True):
    """The base as Jupyter has notebooks in memory; None where the notebook is not in it. `digest` names its content."""

    name: str
    digest: str
    notebook: dict[str, Any] | None


class Staged(msgspec.Struct, frozen=True, kw_only=True):
    """changed: the index is another one now."""

    changed: bool


class Branched(msgspec.Struct, frozen=True, kw_only=True):
    """A branch of git's that was made at a commit."""

    name: str
    commit: str


class Review:
    """A notebook file in a git repository. Raises NoRepositoryError where there is none."""

    def __init__(self, file: Path, environ: Mapping[str, str]) -> None:
        self.repository: GitRepository = find_git_repository(file.parent, environ)
        self.path = self.repository.path_of(file)

    def base(self, revision: str = "HEAD", *, at: Path | None = None) -> BaseNotebook:
        """Return the notebook at a revision of git's, "" for the index; `at`: where it was then, if elsewhere."""
        name, data = self._read(revision, self.path if at is None else self.repository.path_of(at))
        if data is None:
            return BaseNotebook(name=name, digest="", notebook=None)
        return BaseNotebook(name=name, digest=_digest(data), notebook=to_plain(read(data, path=name)))

    def marks(self, live: Mapping[str, Any], revision: str = "HEAD", *, outputs: bool = True) -> Marks:
        """Return what the notebook being edited differs in from a revision; without `outputs`, these do not count."""
        name, data = self._read(revision, self.path)
        fresh = from_editor(live)
        if data is None:
            cells = [CellMark(cell=place, base=None, mark="added") for place in range(len(fresh.cells))]
            return Marks(name=name, digest="", cells=cells, gone=[], summary="not in git yet")
        filters = msgspec.structs.replace(EVERYTHING, outputs=outputs, ids=False, transient=False)
        diff = compare_notebooks(read(data, path=name), self._as_committed(fresh), filters)
        marked = [mark for change in diff.changes.cells if not change.only_noise for mark in _marks(change)]
        gone = [change.before[0] for change in diff.changes.cells if change.change == "removed"]
        return Marks(
            name=name,
            digest=_digest(data),
            cells=marked,
            gone=_gone(gone, diff.pairing),
            summary=diff.changes.summary,
        )

    def stage(self, live: Mapping[str, Any], cells: Sequence[int], gone: Sequence[Mapping[str, Any]]) -> Staged:
        """Put single cells of the notebook being edited into the index, and take cells out of it."""
        removed = [cell_from_plain(cell, where=f"cell {place + 1}") for place, cell in enumerate(gone)]
        return Staged(changed=stage_cells(self.repository, self.path, from_editor(live), cells, removed))

    def log(self, limit: int) -> NotebookHistory:
        """Return the newest commits that changed the notebook, and which of its cells."""
        return NotebookHistory(commits=history_of(self.repository, self.path, limit=limit))

    def branch(self, name: str, revision: str) -> Branched:
        """Make a branch of git's at a commit, without going there. Raises InvalidInputError for a name it refuses."""
        commit = find_commit(self.repository.git, revision)
        try:
            self.repository.git.run("branch", "--no-track", "--", name, commit)
        except GitFailedError as error:
            raise InvalidInputError(
                f"git makes no branch '{name}': {error.message}", hint="choose another name"
            ) from None
        return Branched(name=name, commit=commit)

    def _read(self, revision: str, path: str) -> tuple[str, bytes | None]:
        """Return what a version is called, and its bytes; None where it has no such notebook."""
        place = parse_place(f"{GIT}{revision}")
        if place.path is not None:
            raise InvalidInputError(f"'{revision}' names a file, not a revision", hint="leave the file's path out")
        shown = place.revision or "the index"
        try:
            return shown, read_file(self.repository.git, Place(place.revision, path)) or None  # empty: `git add -N`
        except UnknownReferenceError:
            if place.revision == "HEAD":  # nothing is committed yet
                return shown, None
            raise
        except NotFoundError:
            return shown, None

    def _as_committed(self, notebook: Notebook) -> Notebook:
        git = self.repository.git
        if not has_filter(git, self.path):
            return notebook
        return load_cleaner(git.folder, git.environ, lambda text: None).clean(notebook, self.path)


def _marks(change: CellChange) -> list[CellMark]:
    if change.change == "removed":
        return []
    if change.change in ("split", "joined"):
        first = change.before[0] if change.before else None
        return [CellMark(cell=place, base=first, mark="changed") for place in change.after]
    base = change.before[0] if change.before else None
    return [CellMark(cell=change.after[0], base=base, mark=_mark(change), moved=change.moved)]


def _mark(change: CellChange) -> Mark:
    if change.change == "added":
        return "added"
    if change.source is not None or change.type_before or change.change == "replaced":
        return "changed"
    if any(not output.only_noise for output in change.outputs):
        return "outputs"
    return "moved" if change.change == "moved" else "metadata"


def _gone(places: Sequence[int], pairing: Pairing) -> list[GoneMark]:
    """Return where removed cells stood: behind the counterpart of the nearest cell before them that stayed in order."""
    stayed = sorted((pair.a, pair.b) for pair in pairing.pairs if not pair.moved)
    found = []
    for place in places:
        at = bisect_left(stayed, (place, -1))
        found.append(GoneMark(before=stayed[at - 1][1] + 1 if at else 0, base=place))
    return found


def _digest(data: bytes) -> str:
    from blake3 import blake3

    return blake3(data).hexdigest()


__all__ = ["BaseNotebook", "Branched", "CellMark", "GoneMark", "Marks", "Review", "Staged"]
