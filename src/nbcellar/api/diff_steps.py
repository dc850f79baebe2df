"""Which cells ran between two commits, and which of these runs still count.

A commit's state is that of its parent and its own cell; an undo, a checkout, a restore leads to the state of another
commit (`at`). Walking back from the later point that way passes the runs that are in its state; the other ones on the
way were undone.

    a1 --- a2 --- a3 --- undo(at a1) --- a4          from a1 to a4: a2 and a3 are undone, a4 counts
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from nbcellar.api.diff_views import DiffStep
from nbcellar.api.views import Failure
from nbcellar.diff.texts import compare_texts
from nbcellar.history.index import title_of
from nbcellar.history.model import Commit, CommitKind
from nbcellar.history.repository import Repository
from nbcellar.ids import CommitId

Way = Literal["same", "ahead", "back", "across", "apart"]
MOST_STEPS = 300
_MOST_SEARCHED = 300
JUMPS = (CommitKind.UNDO, CommitKind.REDO, CommitKind.RESTORE, CommitKind.CHECKOUT)
_SHOWN = (*JUMPS, CommitKind.AUTO, CommitKind.START, CommitKind.ATTACH, CommitKind.BETWEEN, CommitKind.NAMED)


def between(
    repository: Repository, before: CommitId, after: CommitId
) -> tuple[Way, CommitId | None, list[DiffStep], int]:
    """Return how two commits lie to each other, where they meet, what is between them, and how many are not listed."""
    if before == after:
        return "same", before, [], 0
    ours, theirs = _line(repository, before), _line(repository, after)
    known = set(theirs)
    base = next((commit for commit in ours if commit in known), None)
    lost = ours[: ours.index(base)] if base is not None else []
    made = theirs[: theirs.index(base)] if base is not None else []
    way: Way = "apart" if base is None else "across" if lost and made else "ahead" if made else "back"
    steps = _steps(repository, lost[::-1], before, lost=True) + _steps(repository, made[::-1], after, lost=False)
    return way, base, steps[-MOST_STEPS:], max(len(steps) - MOST_STEPS, 0)


def _line(repository: Repository, commit: CommitId) -> list[CommitId]:
    """Return a commit and its first parents, back to the beginning."""
    found = []
    at: CommitId | None = commit
    while at is not None:
        found.append(at)
        at = repository.node(at).parent
    return found


def _effective(repository: Repository, line: Sequence[CommitId], end: CommitId) -> set[CommitId]:
    """Return the commits of a line whose effect is in the state of its end."""
    inside = set(line)
    found: set[CommitId] = set()
    at: CommitId | None = end
    while at is not None and at in inside and at not in found:
        node = repository.node(at)
        found.add(at)
        at = node.at if node.kind in JUMPS and node.at is not None else node.parent
    return found


def _steps(repository: Repository, line: list[CommitId], end: CommitId, *, lost: bool) -> list[DiffStep]:
    counting = _effective(repository, line, end)
    found: list[DiffStep] = []
    sources: dict[str, str] = {}
    for place, commit_id in enumerate(line):
        commit = repository.read_commit(commit_id)
        if commit.kind not in _SHOWN:
            continue
        cell = commit.cell
        step = DiffStep(
            commit=commit_id.hex(),
            kind=commit.kind.value,
            title=title_of(commit),
            undone=cell is not None and commit_id not in counting,
            lost=lost,
            at=commit.at.hex() if commit.at else None,
        )
        if cell is None:
            found.append(step)
            continue
        before = sources.get(cell.cell_id) if cell.cell_id else None
        if before is None and cell.cell_id and place < _MOST_SEARCHED:
            before = _last_source(repository, line[0], cell.cell_id)
        sources[cell.cell_id] = cell.source
        found.append(_of_cell(step, commit, before))
    return found


def _of_cell(step: DiffStep, commit: Commit, before: str | None) -> DiffStep:
    import msgspec

    cell = commit.cell
    assert cell is not None
    changed = before is not None and before != cell.source
    return msgspec.structs.replace(
        step,
        execution_count=cell.execution_count,
        cell_id=cell.cell_id,
        source=cell.source,
        error=Failure(name=cell.error.name, value=cell.error.value, line=cell.error.line) if cell.error else None,
        again=before is not None,
        source_change=compare_texts(before, cell.source, code=True) if changed and before is not None else None,
    )


def _last_source(repository: Repository, start: CommitId, cell_id: str) -> str | None:
    """Return what a cell's source was when it last ran before a commit, None if it is not found nearby."""
    at = repository.node(start).parent
    for _ in range(_MOST_SEARCHED):
        if at is None:
            return None
        commit = repository.read_commit(at)
        if commit.cell is not None and commit.cell.cell_id == cell_id:
            return commit.cell.source
        at = CommitId(commit.parents[0]) if commit.parents else None
    return None


__all__ = ["JUMPS", "Way", "between"]
