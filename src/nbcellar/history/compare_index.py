"""Does the index say what the commits say?

Invariant: what is reported would be put right by making the index again (`reindex.py`). A commit's number is not
compared, since the order of recording cannot be told from the commits; that it is larger than its parents' is. That a
commit is marked as thinned out is believed wherever an operation ever took one of its values: a value that is stored
again leaves the mark. Not for: damage of the commits themselves, which `check.py` reports.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from nbcellar.history.index import KIND_NUMBERS, THINNED, Row, encode_changes, flags_of, title_of
from nbcellar.history.model import Commit
from nbcellar.history.operations import Operation, OperationKind
from nbcellar.history.reindex import index_rows
from nbcellar.history.rewrite import REASON
from nbcellar.history.thin import states_without
from nbcellar.ids import CommitId

if TYPE_CHECKING:
    from nbcellar.history.repository import Repository

Commits = Mapping[CommitId, tuple[Commit, int]]
"""All commits that the index should list, with the sizes of their payloads."""

_FIELDS = (
    "notebook",
    "kind",
    "time",
    "parent",
    "at",
    "execution count",
    "flags",
    "depth",
    "weight",
    "title",
    "changes",
    "other parents",
)
_CHANGES, _FLAGS = _FIELDS.index("changes"), _FIELDS.index("flags")


def wrong_commits(repo: Repository, commits: Commits, operations: list[Operation]) -> Iterator[tuple[CommitId, str]]:
    """Yield each commit whose row differs from what it says, with what is different."""
    listed, disordered = _listed(repo)
    rows = list(index_rows(repo, dict(commits)))
    may_lack = _may_lack({row.id: row.commit for row in rows}, operations)
    for row in rows:
        found = listed.get(row.id)
        if found is None:
            continue
        wanted = _wanted(row, listed)
        thinned = found[_FLAGS] & THINNED if row.id in may_lack else 0
        wanted[_FLAGS] |= thinned
        wrong = [place for place, value in enumerate(wanted) if found[place] != value]
        if wrong == [_CHANGES] and _is_forgotten(row.commit):
            continue  # what the values were, which decides what changed, is not there any more
        if wrong:
            yield row.id, ", ".join(_FIELDS[place] for place in wrong)
        elif row.id in disordered:
            yield row.id, "number"


def _may_lack(commits: Mapping[CommitId, Commit], operations: list[Operation]) -> set[CommitId]:
    """Return the commits that may be marked: what was forgotten after it was thinned out leaves the mark, too.

    The commits are given parents and bases first.
    """
    taken = {value for operation in operations for value in operation.values}
    if taken and any(operation.kind is OperationKind.FORGET for operation in operations):
        return set(commits)
    return {identifier for identifier, _ in states_without(commits, taken)} if taken else set()


def wrong_values(repo: Repository, operations: list[Operation]) -> int:
    """Return how many values the index has for thinned out that no operation took, or at another time."""
    taken = {(value, operation.time_ns) for operation in operations for value in operation.values}
    return sum((value, time_ns) not in taken for value, time_ns in repo.index.rows(_THINNED))


def _listed(repo: Repository) -> tuple[dict[CommitId, list[Any]], set[CommitId]]:
    """Return the rows of the index, and which of them stand before a parent."""
    more: dict[int, list[bytes | None]] = {}
    for n, parent in repo.index.rows(_PARENTS):
        more.setdefault(n, []).append(parent)  # type: ignore[arg-type]
    listed: dict[CommitId, list[Any]] = {}
    disordered: set[CommitId] = set()
    for n, last, identifier, *fields in repo.index.rows(_COMMITS):
        listed[CommitId(identifier)] = [*fields, more.pop(n, [])]  # type: ignore[arg-type, call-overload]
        if last >= n:  # type: ignore[operator]
            disordered.add(CommitId(identifier))  # type: ignore[arg-type]
    return listed, disordered


def _wanted(row: Row, listed: Mapping[CommitId, object]) -> list[Any]:
    commit = row.commit
    parents = [parent if parent in listed else None for parent in commit.parents]
    return [
        commit.notebook,
        KIND_NUMBERS[commit.kind],
        commit.time_ns,
        parents[0] if parents else None,
        commit.at if commit.at in listed else None,
        commit.cell.execution_count if commit.cell else None,
        flags_of(commit),
        row.depth,
        row.weight,
        title_of(commit),
        encode_changes(row.changes),
        parents[1:],
    ]


def _is_forgotten(commit: Commit) -> bool:
    return commit.state is not None and any(entry.reason == REASON for entry in commit.state.put)


_COMMITS = (
    "SELECT c.n, max(coalesce(c.parent, -1), coalesce(c.at, -1)), c.id, b.id, c.kind, c.time_ns, p.id, a.id,"
    " c.execution_count, c.flags, c.depth, c.weight, c.title, c.changes FROM ix_commits c"
    " LEFT JOIN ix_notebooks b ON b.k = c.notebook LEFT JOIN ix_commits p ON p.n = c.parent"
    " LEFT JOIN ix_commits a ON a.n = c.at ORDER BY c.n"
)
_PARENTS = "SELECT m.n, c.id FROM ix_parents m LEFT JOIN ix_commits c ON c.n = m.parent ORDER BY m.n, m.position"
_THINNED = "SELECT value, time_ns FROM ix_thinned"

__all__ = ["Commits", "wrong_commits", "wrong_values"]
