"""Listing commits from the index: ten thousand without decoding one.

Invariant: children come before their parents, and what is listed is reachable from the starts asked for. Not for:
what a commit holds (`Repository.read_commit`) or drawing (`graph.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from nbcellar.history import refs
from nbcellar.history.index import (
    FAILED,
    HAS_MORE_PARENTS,
    HAS_STATE,
    HAS_TREE,
    KINDS,
    NOT_SAVED,
    THINNED,
    UNCERTAIN,
    first_line,
)
from nbcellar.history.model import CommitKind
from nbcellar.history.states import Changes
from nbcellar.ids import CommitId, NotebookId

if TYPE_CHECKING:
    from nbcellar.history.repository import Repository


class Summary(msgspec.Struct, frozen=True):
    """One line of a listing."""

    id: CommitId
    parents: tuple[CommitId, ...]
    kind: CommitKind
    time_ns: int
    title: str  # first line of the newest message, else of the source; may be empty
    execution_count: int | None
    at: CommitId | None
    flags: int
    packed_changes: str

    @property
    def is_failed(self) -> bool:
        """The cell raised an error."""
        return bool(self.flags & FAILED)

    @property
    def has_state(self) -> bool:
        return bool(self.flags & HAS_STATE)

    @property
    def has_tree(self) -> bool:
        return bool(self.flags & HAS_TREE)

    @property
    def is_uncertain(self) -> bool:
        """Some variable may not be what it was."""
        return bool(self.flags & UNCERTAIN)

    @property
    def is_thinned(self) -> bool:
        """Some value of its state was thinned out."""
        return bool(self.flags & THINNED)

    @property
    def is_not_saved(self) -> bool:
        """A limit kept some value from being stored."""
        return bool(self.flags & NOT_SAVED)

    @property
    def changes(self) -> Changes:
        """Names that were added, changed and removed, 24 at most; see `more_changes`."""
        lines = [_unescape(line) for line in self.packed_changes.split("\n") if line]
        by_mark = {mark: tuple(line[1:] for line in lines if line[0] == mark) for mark in "+~-"}
        return Changes(by_mark["+"], by_mark["~"], by_mark["-"])

    @property
    def more_changes(self) -> int:
        """How many changed names `changes` leaves out."""
        last = self.packed_changes.rpartition("\n")[2]
        return int(last[1:]) if last.startswith("…") else 0


def log(
    repo: Repository,
    notebook: NotebookId,
    *,
    start: CommitId | None = None,
    all_refs: bool = False,
    limit: int | None = None,
) -> list[Summary]:
    """Return commits reachable from `start` (default: HEAD), or from every ref, newest first."""
    starts = {start if start is not None else repo.head(notebook).commit}
    if all_refs:
        starts |= {ref.commit for ref in (*repo.branches(notebook), *repo.tags(notebook))}
        starts.add(repo.head(notebook).commit)
    messages = _newer_messages(repo)
    wanted = (commit for commit in starts if commit is not None)
    return list(_walk(repo, wanted, messages, limit))


def everything(repo: Repository, notebook: NotebookId) -> list[Summary]:
    """Return all commits of a notebook that are kept, newest first, whatever reaches them."""
    rows: list[Any] = list(repo.index.rows(_SELECT_ALL, notebook))
    messages = _newer_messages(repo)
    found = []
    for row in rows:
        more = _more_parents(repo, row[0]) if row[6] & HAS_MORE_PARENTS else ()
        found.append(_summary(row, tuple(identifier for _, identifier in more), messages))
    return found


def documented(repo: Repository, listed: Sequence[Summary]) -> set[CommitId]:
    """Return those of a listing, children before parents, that have a notebook recorded at or before them."""
    known: dict[CommitId, bool] = {}
    for summary in reversed(listed):
        parent = summary.parents[0] if summary.parents else None
        if parent is not None and parent not in known and not summary.has_tree:
            known[parent] = repo.index.has_document(parent)
        known[summary.id] = summary.has_tree or (parent is not None and known[parent])
    return {summary.id for summary in listed if known[summary.id]}


def labels(repo: Repository, notebook: NotebookId) -> dict[CommitId, tuple[str, ...]]:
    """Return the names that point at commits: `HEAD`, branches, `tag: NAME`."""
    head = repo.head(notebook)
    found: dict[CommitId, list[str]] = {}
    if head.commit is not None and head.branch is None:
        found.setdefault(head.commit, []).append("HEAD")
    for branch in sorted(repo.branches(notebook), key=lambda ref: not ref.is_current):
        name = f"HEAD -> {branch.name}" if branch.is_current else branch.name
        found.setdefault(branch.commit, []).append(name)
    for tag in repo.tags(notebook):
        found.setdefault(tag.commit, []).append(f"tag: {tag.name}")
    return {commit: tuple(names) for commit, names in found.items()}


_CHUNK = 2048
_COLUMNS = (
    "SELECT n, id, kind, time_ns, title, execution_count, flags, changes, parent,"
    " (SELECT id FROM ix_commits p WHERE p.n = c.parent),"
    " (SELECT id FROM ix_commits a WHERE a.n = c.at)"
    " FROM ix_commits c"
)
_SELECT = _COLUMNS + " WHERE n <= ? ORDER BY n DESC LIMIT ?"
_SELECT_ALL = _COLUMNS + " WHERE notebook = (SELECT k FROM ix_notebooks WHERE id = ?) ORDER BY n DESC"


def _walk(
    repo: Repository, starts: Iterable[CommitId], messages: dict[CommitId, str], limit: int | None
) -> Iterator[Summary]:
    # A parent's number is smaller than its child's, so one pass from the largest number down meets every ancestor.
    wanted = {number for commit in starts if (number := repo.index.number(commit)) is not None}
    left = limit if limit is not None else -1
    chunk = _CHUNK if limit is None else min(_CHUNK, limit + 16)
    while wanted and left:
        rows: list[Any] = list(repo.index.rows(_SELECT, max(wanted), chunk))
        if not rows:
            return
        for row in rows:
            number = row[0]
            if number not in wanted:
                continue
            wanted.remove(number)
            if row[8] is not None:
                wanted.add(row[8])
            more = _more_parents(repo, number) if row[6] & HAS_MORE_PARENTS else ()
            wanted.update(parent for parent, _ in more)
            yield _summary(row, tuple(identifier for _, identifier in more), messages)
            left -= 1
            if not left or not wanted:
                return
        # What a damaged index names and does not hold is passed over: `check` reports it.
        wanted = {number for number in wanted if number < rows[-1][0]}
        chunk = _CHUNK


def _summary(row: Any, more: tuple[CommitId, ...], messages: dict[CommitId, str]) -> Summary:
    _, identifier, kind, time_ns, title, count, flags, changes, _, parent, at = row
    if messages and identifier in messages:
        title = messages[identifier]
    parents = () if parent is None else (parent, *more)
    return Summary(identifier, parents, KINDS[kind], time_ns, title, count, at, flags, changes)


def _more_parents(repo: Repository, number: int) -> tuple[tuple[int, CommitId], ...]:
    rows: list[Any] = list(
        repo.index.rows(
            "SELECT m.parent, c.id FROM ix_parents m JOIN ix_commits c ON c.n = m.parent WHERE m.n = ?"
            " ORDER BY m.position",
            number,
        )
    )
    return tuple((parent, CommitId(identifier)) for parent, identifier in rows)


def _newer_messages(repo: Repository) -> dict[CommitId, str]:
    found = repo.store.refs(None, refs.MESSAGE)
    return {
        CommitId(bytes.fromhex(name.removeprefix(refs.MESSAGE))): first_line(text.decode())
        for (_, name), text in found.items()
    }


def _unescape(line: str) -> str:
    if "\\" not in line:
        return line
    return line.replace("\\\\", "\0").replace("\\n", "\n").replace("\0", "\\")


__all__ = ["Summary", "documented", "everything", "labels", "log"]
