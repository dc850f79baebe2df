"""What became of a notebook's pipeline: between two versions, and commit by commit in git.

Invariant: reading only; a version that is no notebook is told as such and hides no commit.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

import msgspec

from nbcellar.api.views import View
from nbcellar.components.comparing import ParameterChange, PipelineChanges, compare_pipelines
from nbcellar.components.model import Pipeline
from nbcellar.components.parameters import as_json
from nbcellar.components.reading import read_pipeline
from nbcellar.git.choices import GitCommit
from nbcellar.ids import CellId
from nbcellar.notebook.codec import read
from nbcellar.notebook.model import Notebook

if TYPE_CHECKING:
    from nbcellar.api.document_sources import Pair
    from nbcellar.git.history import Touched, Versions
    from nbcellar.git.repository import GitRepository

State = Literal["added", "removed", "changed", "same", "unreadable"]


class Compared(msgspec.Struct, frozen=True):
    """Two versions of a notebook's pipeline; `name` is the notebook as a person knows it."""

    name: str
    before: Pipeline
    after: Pipeline
    changes: PipelineChanges
    state: State = "changed"


class NotebookChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What differs in one notebook. `names`: what components are called, or were, by id, for those that edges name."""

    name: str
    state: State
    changes: PipelineChanges
    names: dict[str, str]


class PipelineDiff(View, frozen=True, kw_only=True):
    """`cellar pipeline diff A B --json`: the notebooks that differ, or that one side alone has."""

    notebooks: list[NotebookChanges]


class PipelineCommit(GitCommit, frozen=True, kw_only=True):
    """One commit that touched the notebook; `path` is its path in it, `old_path` the one before, where it was renamed.

    state: whether the notebook came, went, or its pipeline changed; "same": something else of it did.
    """

    old_path: str = ""
    state: State
    changes: PipelineChanges
    names: dict[str, str]


class PipelineLog(View, frozen=True, kw_only=True):
    """`cellar pipeline log NB --json`: newest first."""

    commits: list[PipelineCommit]


def compare_notebooks(before: Notebook | None, after: Notebook | None, name: str) -> Compared:
    """Return what differs between the pipelines of two versions of a notebook; None: there is none."""
    if before is not None and after is not None:
        before, after = _with_common_ids(before, after)
    old, new = _pipeline(before), _pipeline(after)
    changes = compare_pipelines(old, new)
    state: State = "added" if before is None else "removed" if after is None else "changed" if changes else "same"
    return Compared(name, old, new, changes, state)


def compare_pair(pair: Pair) -> Compared:
    """Return what differs between the two sides of a pair. Raises InvalidInputError for what is no notebook."""
    sides = [read(side.data, path=side.name) if side.data is not None else None for side in (pair.before, pair.after)]
    return compare_notebooks(sides[0], sides[1], pair.name)


def changes_of(found: Compared) -> NotebookChanges:
    """Return a comparison for programs."""
    return NotebookChanges(name=found.name, state=found.state, changes=_plain(found.changes), names=names_of(found))


def log_for_programs(commits: Iterable[PipelineCommit]) -> PipelineLog:
    """Return commits for programs."""
    return PipelineLog(commits=[msgspec.structs.replace(commit, changes=_plain(commit.changes)) for commit in commits])


def parameters_of(changes: PipelineChanges) -> tuple[ParameterChange, ...]:
    """Return what became of parameters, for programs: what JSON cannot hold is text in Python."""
    return tuple(
        msgspec.structs.replace(each, before=as_json(each.before), after=as_json(each.after))
        for each in changes.parameters
    )


def _plain(changes: PipelineChanges) -> PipelineChanges:
    return msgspec.structs.replace(changes, parameters=parameters_of(changes))


def names_of(found: Compared) -> dict[str, str]:
    """Return the names of the components that changed edges name, by id."""
    wanted = {id for edge in found.changes.edges for id in (edge.parent, edge.child)}
    components = (*found.before.components, *found.after.components)
    return {component.id: component.name for component in components if component.id in wanted}


def log_of(repository: GitRepository, path: str, *, limit: int | None = None) -> list[PipelineCommit]:
    """Return the commits that touched a notebook, newest first, with what became of its pipeline."""
    from nbcellar.git.history import Versions, commits_of

    versions = Versions(repository.git)
    return [_commit(entry, versions) for entry in commits_of(repository, path, limit=limit)]


def _commit(entry: Touched, versions: Versions) -> PipelineCommit:
    new = versions.read(entry.new) if entry.new else None
    old = versions.read(entry.old) if entry.old else None
    found = compare_notebooks(old, new, entry.path)
    unreadable = (entry.new and new is None) or (entry.old and old is None)
    return PipelineCommit(
        commit=entry.commit,
        author=entry.author,
        moment=entry.moment,
        title=entry.title,
        path=entry.path,
        old_path=entry.old_path,
        state="unreadable" if unreadable else found.state,
        changes=PipelineChanges() if unreadable else found.changes,
        names={} if unreadable else names_of(found),
    )


def _pipeline(notebook: Notebook | None) -> Pipeline:
    return read_pipeline(notebook) if notebook is not None else Pipeline(components=())


def _with_common_ids(before: Notebook, after: Notebook) -> tuple[Notebook, Notebook]:
    """Return the notebooks with ids to compare by: cells of one without any get those of the cells they pair with."""
    has_ids = [any(cell.id for cell in notebook.cells) for notebook in (before, after)]
    if all(has_ids) or not (before.cells and after.cells):
        return before, after
    from nbcellar.diff.document.pairing import pair_cells
    from nbcellar.notebook.ids import with_unique_ids

    if not any(has_ids):
        before = msgspec.structs.replace(before, cells=with_unique_ids(before.cells))
    pairs = pair_cells(before.cells, after.cells).pairs
    if has_ids[1]:
        ids = {pair.a: after.cells[pair.b].id for pair in pairs}
        return _with_ids(before, ids, "before"), after
    return before, _with_ids(after, {pair.b: before.cells[pair.a].id for pair in pairs}, "after")


def _with_ids(notebook: Notebook, ids: dict[int, CellId], side: str) -> Notebook:
    cells = tuple(
        msgspec.structs.replace(cell, id=ids.get(place, CellId(f"{side}-{place + 1}")))
        for place, cell in enumerate(notebook.cells)
    )
    return msgspec.structs.replace(notebook, cells=cells)


__all__ = [
    "Compared",
    "NotebookChanges",
    "PipelineCommit",
    "PipelineDiff",
    "PipelineLog",
    "changes_of",
    "compare_notebooks",
    "compare_pair",
    "log_for_programs",
    "log_of",
    "names_of",
    "parameters_of",
]
