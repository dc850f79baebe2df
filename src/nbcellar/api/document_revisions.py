"""The versions of one notebook that a person may want to compare, and the notebooks below a folder that changed.

Invariant: reading only; where there is no git, or no history of Cellar's, its part is empty and the rest is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from nbcellar.api import views
from nbcellar.api.document_sources import Given, InGit, Pair, Sources
from nbcellar.api.documents import compare_pair
from nbcellar.api.notebook_files import find_notebooks, read_bytes
from nbcellar.api.repo import open_repo
from nbcellar.diff.document.filters import Filters
from nbcellar.errors import CellarError, NoRepositoryError, NotFoundError
from nbcellar.git import choices
from nbcellar.git.choices import GitCommit, GitRef
from nbcellar.git.revisions import Place
from nbcellar.history.log import documented

_COMMITS = 50
_MOST_NOTEBOOKS = 500


class Revisions(msgspec.Struct, frozen=True, kw_only=True):
    """What a notebook can be compared with.

    in_git: it lies in a git repository that has a commit; `branch` is that of HEAD, "" for none. `commits` of git's
    touched this notebook, `recorded` are Cellar's that have a notebook; both newest first and not all of them.
    """

    in_git: bool = False
    branch: str = ""
    refs: list[GitRef] = []
    commits: list[GitCommit] = []
    recorded: list[views.CommitLine] = []


class NotebookState(msgspec.Struct, frozen=True, kw_only=True):
    """A notebook below a folder, by its path there, beside git's HEAD.

    state: "same", "changed", "new" (not in HEAD), "unknown" (no git), "broken" (`summary` says why).
    """

    path: str
    state: str
    summary: str = ""
    bytes: int = 0


class NotebookStates(msgspec.Struct, frozen=True, kw_only=True):
    """The notebooks below a folder; `more` of them are not listed."""

    notebooks: list[NotebookState]
    branch: str | None = None
    more: int = 0


def revisions(file: Path, environ: Mapping[str, str]) -> Revisions:
    """Return the versions of a notebook that are there to be compared."""
    found = Revisions(recorded=_recorded(file, environ))
    try:
        repository = Sources(file.parent, environ).repository
        current = choices.branch(repository.git)
        if current is None:
            return found
        path = repository.path_of(file)
        return msgspec.structs.replace(
            found,
            in_git=True,
            branch=current,
            refs=choices.refs(repository.git),
            commits=choices.commits_of(repository.git, path, _COMMITS),
        )
    except CellarError:  # no git repository, or none that git reads
        return found


def notebook_states(folder: Path, environ: Mapping[str, str]) -> NotebookStates:
    """Return the notebooks of a folder and what changed in each since git's HEAD."""
    files = list(find_notebooks(folder))
    sources = Sources(folder, environ)
    try:
        current = choices.branch(sources.repository.git)
        in_git = True
    except CellarError:
        current, in_git = None, False
    listed = [
        _state(file, folder, sources, has_head=current is not None, in_git=in_git) for file in files[:_MOST_NOTEBOOKS]
    ]
    return NotebookStates(notebooks=listed, branch=current, more=max(len(files) - _MOST_NOTEBOOKS, 0))


def pair_with_head(file: Path, name: str, sources: Sources) -> Pair:
    """Return a file beside its version in git's HEAD; one that is not there has no data."""
    given = Given(name=name, data=read_bytes(str(file), sources.folder), path=file)
    return sources.pair(InGit(Place("HEAD", None), "git:HEAD"), given)


def _state(file: Path, folder: Path, sources: Sources, *, has_head: bool, in_git: bool) -> NotebookState:
    name = file.relative_to(folder).as_posix()
    try:
        size = file.stat().st_size
        if not in_git:
            return NotebookState(path=name, state="unknown", bytes=size)
        pair = pair_with_head(file, name, sources) if has_head else None
        if pair is None or pair.before.data is None:
            return NotebookState(path=name, state="new", bytes=size)
        if pair.before.data == pair.after.data:
            return NotebookState(path=name, state="same", bytes=size)
        found = compare_pair(pair, Filters(pictures=False))
    except (CellarError, OSError) as error:
        return NotebookState(path=name, state="broken", summary=getattr(error, "message", str(error)))
    summary = found.changes.summary if found else ""
    return NotebookState(path=name, state="changed" if found else "same", summary=summary, bytes=size)


def _recorded(file: Path, environ: Mapping[str, str]) -> list[views.CommitLine]:
    try:
        with open_repo(file.parent, environ=environ, notebook=str(file)) as repo:
            listed = repo.repository.log(repo.notebook(), all_refs=True, limit=_COMMITS)
            there = {commit.hex() for commit in documented(repo.repository, listed)}
            return [line for line in repo.log(all=True, limit=_COMMITS).commits if line.id in there]
    except (NoRepositoryError, NotFoundError):
        return []


__all__ = ["NotebookState", "NotebookStates", "Revisions", "notebook_states", "pair_with_head", "revisions"]
