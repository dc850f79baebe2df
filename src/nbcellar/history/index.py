"""Narrow tables beside the objects: what a listing, a prefix or a walk needs, without decoding commits.

Invariant: the tables are derived; `rebuild_index` makes them again from COMMIT objects. A commit's number `n` is
larger than those of its parents, and stays the same when history is rewritten. Integer keys, and an index on eight
bytes of the id only: some 110 bytes a commit. Not for: refs and operations, which the store keeps.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import cast

import msgspec

from nbcellar.errors import UnknownReferenceError
from nbcellar.history.model import Commit, CommitKind, is_not_saved
from nbcellar.history.states import Changes
from nbcellar.ids import CommitId, NotebookId, short
from nbcellar.store.interface import RefsAndTables, Store, Transaction

SCHEMA: tuple[str, ...] = (
    "CREATE TABLE IF NOT EXISTS ix_notebooks (k INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE)",
    (
        "CREATE TABLE IF NOT EXISTS ix_commits (n INTEGER PRIMARY KEY, id BLOB NOT NULL, notebook INTEGER NOT NULL,"
        " kind INTEGER NOT NULL, time_ns INTEGER NOT NULL, parent INTEGER, at INTEGER, execution_count INTEGER,"
        " flags INTEGER NOT NULL, depth INTEGER NOT NULL, weight INTEGER NOT NULL, title TEXT NOT NULL,"
        " changes TEXT NOT NULL)"
    ),
    "CREATE INDEX IF NOT EXISTS ix_commits_prefix ON ix_commits (substr(id, 1, 8))",
    (
        "CREATE TABLE IF NOT EXISTS ix_parents (n INTEGER NOT NULL, position INTEGER NOT NULL, parent INTEGER NOT NULL,"
        " PRIMARY KEY (n, position)) WITHOUT ROWID"
    ),
    "CREATE TABLE IF NOT EXISTS ix_thinned (value BLOB PRIMARY KEY, time_ns INTEGER NOT NULL) WITHOUT ROWID",
)

KIND_NUMBERS = {
    CommitKind.AUTO: 1,
    CommitKind.NAMED: 2,
    CommitKind.START: 3,
    CommitKind.ATTACH: 4,
    CommitKind.BETWEEN: 5,
    CommitKind.UNDO: 6,
    CommitKind.REDO: 7,
    CommitKind.CHECKOUT: 8,
    CommitKind.RESTORE: 9,
}
KINDS = {number: kind for kind, number in KIND_NUMBERS.items()}

FAILED, HAS_STATE, HAS_TREE, HAS_MORE_PARENTS, UNCERTAIN, THINNED, NOT_SAVED = 1, 2, 4, 8, 16, 32, 64

TITLE_CHARS = 80
_LISTED_CHANGES = 24
_SEPARATOR = "\n"
_MORE = "…"

_NUMBER_OF = "(SELECT n FROM ix_commits WHERE substr(id, 1, 8) = substr(?, 1, 8) AND id = ?)"
_INSERT_NOTEBOOK = "INSERT OR IGNORE INTO ix_notebooks (id) VALUES (?)"
_INSERT = (
    "INSERT INTO ix_commits"
    " (id, notebook, kind, time_ns, parent, at, execution_count, flags, depth, weight, title, changes)"
    f" SELECT ?, (SELECT k FROM ix_notebooks WHERE id = ?), ?, ?, {_NUMBER_OF}, {_NUMBER_OF}, ?, ?, ?, ?, ?, ?"
    f" WHERE NOT EXISTS {_NUMBER_OF}"
)
_UPDATE = (
    f"UPDATE ix_commits SET id = ?, parent = {_NUMBER_OF}, at = {_NUMBER_OF}, flags = ? | (flags & {THINNED}),"
    " depth = ?, weight = ?,"
    f" title = ?, changes = coalesce(?, changes) WHERE n = {_NUMBER_OF}"
)
_INSERT_PARENT = f"INSERT OR IGNORE INTO ix_parents (n, position, parent) VALUES ({_NUMBER_OF}, ?, {_NUMBER_OF})"
_ANCESTOR = (
    "WITH RECURSIVE line (n, back) AS (SELECT n, 0 FROM ix_commits WHERE substr(id, 1, 8) = substr(?, 1, 8) AND id = ?"
    " UNION ALL SELECT c.parent, back + 1 FROM line JOIN ix_commits c ON c.n = line.n"
    " WHERE back < ? AND c.parent IS NOT NULL)"
    " SELECT (SELECT id FROM ix_commits c WHERE c.n = line.n), back FROM line ORDER BY back DESC LIMIT 1"
)
_DOCUMENT = (
    "WITH RECURSIVE line (parent, flags) AS (SELECT parent, flags FROM ix_commits"
    " WHERE substr(id, 1, 8) = substr(?, 1, 8) AND id = ?"
    " UNION ALL SELECT c.parent, c.flags FROM line JOIN ix_commits c ON c.n = line.parent"
    f" WHERE line.flags & {HAS_TREE} = 0)"
    f" SELECT 1 FROM line WHERE flags & {HAS_TREE} LIMIT 1"
)


class Row(msgspec.Struct, frozen=True):
    """What the index says of a commit beside what the commit itself does."""

    id: CommitId
    commit: Commit
    depth: int  # deltas since the nearest whole state
    weight: int  # bytes that they take
    changes: Changes


class Node(msgspec.Struct, frozen=True):
    """A commit as a walk sees it."""

    id: CommitId
    kind: CommitKind
    parent: CommitId | None
    at: CommitId | None = None


def title_of(commit: Commit) -> str:
    """Return the first line of the message, else of the source, else nothing; at most 80 characters."""
    return first_line(commit.message) or first_line(commit.cell.source if commit.cell else "")


def first_line(text: str) -> str:
    """Return the first line that is not blank, at most 80 characters, without what would command a terminal."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    if len(line) > TITLE_CHARS:
        line = line[: TITLE_CHARS - 1] + _MORE
    return line if line.isprintable() else "".join(c if c.isprintable() else "\ufffd" for c in line)


def encode_changes(changes: Changes) -> str:
    """Return changes as marked lines, cut after 24 names; the last line then says how many more there are."""
    marked = [
        mark + name.replace("\\", "\\\\").replace("\n", "\\n")
        for mark, names in (("+", changes.added), ("~", changes.changed), ("-", changes.removed))
        for name in names
    ]
    if len(marked) > _LISTED_CHANGES:
        marked[_LISTED_CHANGES:] = [f"{_MORE}{len(marked) - _LISTED_CHANGES}"]
    return _SEPARATOR.join(marked)


def insert_commit(tx: Transaction, row: Row) -> None:
    """Add a commit's row inside `tx`; a known commit is left as it is. Parents come before their children."""
    commit = row.commit
    parents = commit.parents
    first = parents[0] if parents else None
    at, cell = commit.at, commit.cell
    tx.execute(_INSERT_NOTEBOOK, (commit.notebook,))
    tx.execute(
        _INSERT,
        (
            row.id,
            commit.notebook,
            KIND_NUMBERS[commit.kind],
            commit.time_ns,
            first,
            first,
            at,
            at,
            cell.execution_count if cell else None,
            flags_of(commit),
            row.depth,
            row.weight,
            title_of(commit),
            encode_changes(row.changes),
            row.id,
            row.id,
        ),
    )
    for position, parent in enumerate(parents[1:], start=1):
        tx.execute(_INSERT_PARENT, (row.id, row.id, position, parent, parent))


def update_commit(
    tx: Transaction,
    old: CommitId,
    new: CommitId,
    commit: Commit,
    chain: tuple[int, int],
    changes: Changes | None,
) -> None:
    """Let the row of a rewritten commit say what the new one is; its number stays. Parents come before children.

    changes: None when they are what they were.
    """
    first = commit.parents[0] if commit.parents else None
    at = commit.at
    tx.execute(f"DELETE FROM ix_parents WHERE n = {_NUMBER_OF}", (old, old))
    listed = encode_changes(changes) if changes is not None else None
    parameters = (new, first, first, at, at, flags_of(commit), *chain, title_of(commit), listed, old, old)
    tx.execute(_UPDATE, parameters)
    for position, parent in enumerate(commit.parents[1:], start=1):
        tx.execute(_INSERT_PARENT, (new, new, position, parent, parent))


def flags_of(commit: Commit) -> int:
    """Return the flag bits of a commit."""
    flags = FAILED if commit.cell is not None and commit.cell.error is not None else 0
    if commit.state is not None:
        flags |= HAS_STATE
        if any(entry.uncertain for entry in commit.state.put):
            flags |= UNCERTAIN
        if any(entry.value is None and is_not_saved(entry.reason) for entry in commit.state.put):
            flags |= NOT_SAVED
    if commit.tree is not None:
        flags |= HAS_TREE
    if len(commit.parents) > 1:
        flags |= HAS_MORE_PARENTS
    return flags


class Index:
    """Reads the tables of one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def has(self, commit: CommitId) -> bool:
        return self.number(commit) is not None

    def number(self, commit: CommitId) -> int | None:
        """Return a commit's number in this store, None when it is unknown."""
        rows = self._rows(
            "SELECT n FROM ix_commits WHERE substr(id, 1, 8) = substr(?, 1, 8) AND id = ?", commit, commit
        )
        return cast("int", rows[0][0]) if rows else None

    def chain(self, commit: CommitId) -> tuple[int, int] | None:
        """Return (depth, weight): deltas since the nearest whole state and their bytes."""
        rows = self._rows(
            "SELECT depth, weight FROM ix_commits WHERE substr(id, 1, 8) = substr(?, 1, 8) AND id = ?", commit, commit
        )
        return (cast("int", rows[0][0]), cast("int", rows[0][1])) if rows else None

    def node(self, commit: CommitId) -> Node:
        """Return a commit's place in the graph; raises UnknownReferenceError."""
        rows = self._rows(
            "SELECT c.kind, p.id, a.id FROM ix_commits c LEFT JOIN ix_commits p ON p.n = c.parent"
            " LEFT JOIN ix_commits a ON a.n = c.at WHERE substr(c.id, 1, 8) = substr(?, 1, 8) AND c.id = ?",
            commit,
            commit,
        )
        if not rows:
            raise UnknownReferenceError(f"there is no commit {short(commit)} in this repository")
        kind, parent, at = rows[0]
        return Node(commit, KINDS[cast("int", kind)], _optional_id(parent), _optional_id(at))

    def ancestor(self, commit: CommitId, steps: int) -> tuple[CommitId, int]:
        """Return the commit `steps` first parents back, or the last one on the way, and how many steps it is back."""
        rows = self._rows(_ANCESTOR, commit, commit, steps)
        if not rows:
            raise UnknownReferenceError(f"there is no commit {short(commit)} in this repository")
        return CommitId(cast("bytes", rows[0][0])), cast("int", rows[0][1])

    def has_document(self, commit: CommitId) -> bool:
        """True if a notebook was recorded at a commit or before it, by first parents."""
        return bool(self._rows(_DOCUMENT, commit, commit))

    def with_prefix(self, prefix: str, *, limit: int = 64) -> list[tuple[CommitId, NotebookId, str]]:
        """Return (id, notebook, title) of the commits whose id begins with the hexadecimal `prefix`, newest first."""
        low = bytes.fromhex(prefix[:16].ljust(16, "0"))
        high = bytes.fromhex(prefix[:16].ljust(16, "f"))
        rows = self._rows(
            "SELECT c.id, b.id, c.title FROM ix_commits c JOIN ix_notebooks b ON b.k = c.notebook"
            " WHERE substr(c.id, 1, 8) BETWEEN ? AND ? ORDER BY c.n DESC LIMIT ?",
            low,
            high,
            limit,
        )
        found = [(CommitId(cast("bytes", i)), NotebookId(cast("str", b)), cast("str", t)) for i, b, t in rows]
        return [entry for entry in found if entry[0].hex().startswith(prefix)]

    def totals(self) -> dict[NotebookId, tuple[int, int]]:
        """Return (number of commits, time of the newest) by notebook."""
        rows = self._rows(
            "SELECT b.id, count(*), max(c.time_ns) FROM ix_commits c JOIN ix_notebooks b ON b.k = c.notebook"
            " GROUP BY c.notebook"
        )
        return {NotebookId(cast("str", b)): (cast("int", count), cast("int", time)) for b, count, time in rows}

    def is_present(self) -> bool:
        """True if the tables are there."""
        return bool(self._rows("SELECT 1 FROM sqlite_schema WHERE name = 'ix_commits'"))

    def is_empty(self) -> bool:
        return not self._rows("SELECT 1 FROM ix_commits LIMIT 1")

    def ids(self) -> Iterator[CommitId]:
        """Yield every commit of the index, oldest first."""
        for row in self._rows("SELECT id FROM ix_commits ORDER BY n"):
            yield CommitId(cast("bytes", row[0]))

    def rows(self, statement: str, *parameters: object) -> Sequence[tuple[object, ...]]:
        """Run one query of `log.py`, to its end: no cursor stays open."""
        return self._rows(statement, *parameters)

    def _rows(self, statement: str, *parameters: object) -> list[tuple[object, ...]]:
        return list(self._store.query(statement, parameters))


def delete_commits(tx: RefsAndTables, commits: Iterable[CommitId]) -> None:
    """Remove the rows of commits that are no longer in the store, or go with this transaction."""
    for commit in commits:
        tx.execute(f"DELETE FROM ix_parents WHERE n = {_NUMBER_OF}", (commit, commit))
        tx.execute("DELETE FROM ix_commits WHERE substr(id, 1, 8) = substr(?, 1, 8) AND id = ?", (commit, commit))


def _optional_id(value: object) -> CommitId | None:
    return CommitId(value) if isinstance(value, bytes) else None


__all__ = [
    "FAILED",
    "HAS_MORE_PARENTS",
    "HAS_STATE",
    "HAS_TREE",
    "KINDS",
    "NOT_SAVED",
    "SCHEMA",
    "THINNED",
    "UNCERTAIN",
    "Index",
    "Node",
    "Row",
    "delete_commits",
    "encode_changes",
    "first_line",
    "flags_of",
    "insert_commit",
    "title_of",
    "update_commit",
]
