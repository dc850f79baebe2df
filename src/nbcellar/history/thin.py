"""Thinning out: old states give up the values that only they hold; all else of their commits stays.

A commit's code, outputs, message, previews and surroundings are never thinned out, so log, search and diff stay whole
and every signature holds. What goes are VALUE objects with their blocks. An operation of kind THIN lists them, written
in the transaction that removes them: what is missing and listed is thinned out, what is missing otherwise is damage.

Invariant: a value goes only if no kept state holds it, and it is neither small, nor the definition of a class, nor the
newest that some name of the notebook, or of a component's results, ever had. `ix_thinned` holds exactly the values
that an operation lists and that no commit has put again since.

Not for: which states are kept (`keep.py`), removing (`maintenance.py`, the store).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, timezone
from typing import TYPE_CHECKING, cast

import msgspec

from nbcellar.errors import CellarError
from nbcellar.history import refs
from nbcellar.history.index import HAS_STATE, THINNED, Index
from nbcellar.history.keep import KeepPolicy, Place, kept_states
from nbcellar.history.model import Commit, Covariable, State, decode_commit
from nbcellar.history.operations import Operation, OperationKind, decode_operation, encode_operation
from nbcellar.history.reach import DAY_NS, ChildrenOf, mark, named_commits, operation_roots, ref_roots
from nbcellar.history.results import line_of, result_of
from nbcellar.history.states import StateBuilder
from nbcellar.ids import CommitId, Digest, NotebookId
from nbcellar.store.interface import Kind, Transaction

if TYPE_CHECKING:  # the store's collector is what a kernel seldom needs
    from nbcellar.history.repository import Repository
    from nbcellar.store.collect import Note

THINNED_OUT = "thinned out"
"""How the reason begins for which a value that was recorded cannot be had."""


class Candidate(msgspec.Struct, frozen=True):
    """A value that only states hold which are not kept. `states` counts those that lose it."""

    value: Digest
    notebook: NotebookId
    names: tuple[str, ...]
    size_bytes: int  # before compression, without regard to what other values share
    first: CommitId  # that recorded it
    states: int = 0


Spare = Callable[[Sequence[Candidate]], AbstractSet[bytes]]
"""Returns the values among the candidates that are to stay after all: what is dear to compute again, say."""


class Survey(msgspec.Struct, frozen=True):
    """What is alive, and what of it the keep policy lets go."""

    live: set[Digest]
    thinned: tuple[Candidate, ...] = ()
    states: tuple[CommitId, ...] = ()  # commits whose state loses a value
    notebooks: Mapping[CommitId, NotebookId] = {}  # of those
    kept: Mapping[CommitId, str] = {}


def survey(
    repo: Repository,
    children_of: ChildrenOf,
    *,
    now_ns: int,
    keep_ops_days: float,
    policy: KeepPolicy | None,
    spare: Spare = lambda candidates: frozenset(),
) -> Survey:
    """Return what is alive. `policy` None: with the values of all states."""
    since = now_ns - int(keep_ops_days * DAY_NS)
    named = set(ref_roots(repo))
    roots = named | set(operation_roots(repo, since_ns=since))
    live: set[Digest] = set()
    values: set[Digest] = set()
    waiting = [(Kind.COMMIT, Digest(commit)) for commit in roots]
    if policy is None:
        mark(repo, waiting, children_of, live)
        return Survey(live)
    mark(repo, waiting, children_of, live, values=values)
    commits = _commits(repo, live)
    places = [_place(identifier, commit) for identifier, commit in commits.items()]
    pinned = _pinned(repo, commits) | set(operation_roots(repo, since_ns=since, moves_only=True))
    kept = kept_states(places, policy, now_ns=now_ns, pinned=pinned)
    candidates = _candidates(commits, kept.keys(), policy)
    going: dict[bytes, Candidate] = {c.value: c for c in candidates if c.value in values and repo.store.has(c.value)}
    for value in spare(list(going.values())):
        going.pop(value, None)
    mark(repo, [(Kind.VALUE, value) for value in values if value not in going], children_of, live)
    states = list(states_without(commits, going.keys())) if going else []
    losses = Counter(value for _, lost in states for value in lost)
    return Survey(
        live,
        tuple(msgspec.structs.replace(c, states=losses[c.value]) for c in going.values()),
        tuple(identifier for identifier, _ in states),
        {identifier: NotebookId(commits[identifier].notebook) for identifier, _ in states},
        kept,
    )


def note_of(repo: Repository, found: Survey, *, now_ns: int) -> Note:
    """Return what goes into the transaction that removes the values: operations, the index, the generation."""
    from nbcellar.store.collect import Note

    by_notebook: dict[NotebookId, list[Candidate]] = {}
    for candidate in found.thinned:
        by_notebook.setdefault(candidate.notebook, []).append(candidate)
    records = []
    for notebook, thinned in by_notebook.items():
        count = sum(1 for of in found.notebooks.values() if of == notebook)
        operation = Operation(
            notebook=notebook,
            kind=OperationKind.THIN,
            time_ns=now_ns,
            by=repo.by,
            changes=(),
            description=f"thin out {_plural(len(thinned), 'value')} of {_plural(count, 'old state')}",
            values=tuple(c.value for c in thinned),
        )
        records.append((str(notebook), encode_operation(operation)))
    statements: list[tuple[str, tuple[object, ...]]] = [(_INSERT, (c.value, now_ns)) for c in found.thinned]
    statements += [(_MARK, (THINNED, commit, commit)) for commit in found.states]
    return Note(tuple(records), tuple(statements))


def thinned_values(index: Index) -> dict[bytes, int]:
    """Return when each value that is thinned out was, in ns."""
    rows = index.rows("SELECT value, time_ns FROM ix_thinned")
    return {cast("bytes", value): cast("int", time_ns) for value, time_ns in rows}


def stored_again(tx: Transaction, commit: Commit) -> None:
    """Note in the index that the values which a commit puts are there, whatever was before."""
    for entry in commit.state.put if commit.state is not None else ():
        if entry.value is not None and tx.has(Digest(entry.value)):  # not so for one that only names it
            tx.execute(_DELETE, (entry.value,))


def without_thinned(repo: Repository, state: State) -> State:
    """Return the state with what was thinned out as not to be had, and the reason."""
    thinned = repo.thinned()
    if not thinned:
        return state
    entries = tuple(_without(entry, thinned) for entry in state.covariables)
    return State(entries, state.ambient)


def is_thinned(entry: Covariable) -> bool:
    """True for an entry that `without_thinned` marked."""
    return entry.value is None and entry.reason.startswith(THINNED_OUT)


def nearest_states(repo: Repository, commit: CommitId, names: AbstractSet[str]) -> list[CommitId]:
    """Return the nearest commit before and the nearest after, in time, whose states still hold all of `names`.

    Names that a state does not have do not count against it, as long as it has one of them.
    """
    here = repo.read_commit(commit)
    found: list[CommitId] = []
    for order, compare in (("DESC", "<"), ("ASC", ">")):
        rows = repo.index.rows(_NEIGHBOURS.format(order=order, compare=compare), here.notebook, here.time_ns, HAS_STATE)
        for (identifier,) in rows:
            other = CommitId(cast("bytes", identifier))
            if other != commit and _holds(repo, other, names):
                found.append(other)
                break
    return found


def states_without(
    commits: Mapping[CommitId, Commit], values: AbstractSet[bytes]
) -> Iterator[tuple[CommitId, list[bytes]]]:
    """Yield the commits whose states hold some of `values`, with those. Commits are given parents and bases first."""
    for identifier, builder in _states(commits):
        lost = [entry.value for entry in builder.entries() if entry.value is not None and entry.value in values]
        if lost:
            yield identifier, lost


def rebuild_thinned(repo: Repository, tx: Transaction, commits: Mapping[CommitId, Commit]) -> None:
    """Make `ix_thinned` and the marks of commits again, from the operations and what was put after them."""
    listed: dict[bytes, int] = {}
    for record in repo.iter_records(None):
        try:
            operation = decode_operation(record)
        except CellarError:
            continue  # damaged: `check` reports it
        for value in operation.values:
            listed[value] = max(listed.get(value, 0), operation.time_ns)
    for commit in commits.values():
        for entry in commit.state.put if commit.state is not None and listed else ():
            if entry.value is None or listed.get(entry.value, commit.time_ns) >= commit.time_ns:
                continue
            if repo.store.has(Digest(entry.value)):
                del listed[entry.value]
    tx.execute("DELETE FROM ix_thinned")
    for removed, time_ns in listed.items():
        tx.execute(_INSERT, (removed, time_ns))
    for identifier, _ in states_without(commits, listed.keys()) if listed else ():
        tx.execute(_MARK, (THINNED, identifier, identifier))


def _commits(repo: Repository, live: AbstractSet[Digest]) -> dict[CommitId, Commit]:
    """Return the living commits, parents and bases before those that build on them."""
    found = (identifier for identifier in repo.index.ids() if Digest(identifier) in live)
    return {identifier: decode_commit(repo.store.read(Digest(identifier))) for identifier in found}


def _place(identifier: CommitId, commit: Commit) -> Place:
    parents = tuple(CommitId(parent) for parent in commit.parents)
    return Place(identifier, line_of(commit), commit.kind, commit.time_ns, parents, commit.state is not None)


def _pinned(repo: Repository, commits: Mapping[CommitId, Commit]) -> set[CommitId]:
    """Return the commits that a ref names, but for a result's own branch: its component names the last one."""
    found = set()
    for (_, name), value in repo.store.refs().items():
        for commit in named_commits(name, value):
            if not name.startswith(refs.BRANCH) or commit not in commits or result_of(commits[commit]) is None:
                found.add(commit)
    return found


def _candidates(
    commits: Mapping[CommitId, Commit], kept: AbstractSet[CommitId], policy: KeepPolicy
) -> Iterator[Candidate]:
    """Yield what no kept state holds and no rule spares, in the order in which it was recorded."""
    needed: set[bytes] = set()
    newest: dict[tuple[str, str], bytes] = {}
    found: dict[bytes, Candidate] = {}
    for identifier, commit in commits.items():
        for entry in commit.state.put if commit.state is not None else ():
            if entry.value is None:
                continue
            for name in entry.names:
                newest[line_of(commit), name] = entry.value
            if entry.defines or entry.size_bytes < policy.below_bytes:
                needed.add(entry.value)
            elif entry.value not in found:
                value, notebook = Digest(entry.value), NotebookId(commit.notebook)
                found[value] = Candidate(value, notebook, entry.names, entry.size_bytes, identifier)
    needed.update(newest.values())
    for identifier, builder in _states(commits):
        if identifier in kept:
            needed.update(entry.value for entry in builder.entries() if entry.value is not None)
    yield from (candidate for value, candidate in found.items() if value not in needed)


def _states(commits: Mapping[CommitId, Commit]) -> Iterator[tuple[CommitId, StateBuilder]]:
    """Yield each commit that has a state with a builder that holds it, to be looked at and not to be kept."""
    bases = Counter(commit.state.base for commit in commits.values() if commit.state is not None)
    builders: dict[bytes, StateBuilder] = {}
    for identifier, commit in commits.items():
        delta = commit.state
        if delta is None:
            continue
        builder = StateBuilder()
        if delta.base is not None and delta.base in builders:
            bases[delta.base] -= 1
            # The last one that builds on a state takes it over, the others copy it.
            builder = builders[delta.base].copy() if bases[delta.base] else builders.pop(delta.base)
        builder.apply(delta, identifier)
        yield identifier, builder
        if bases[identifier]:
            builders[identifier] = builder


def _without(entry: Covariable, thinned: Mapping[bytes, int]) -> Covariable:
    when = thinned.get(entry.value) if entry.value is not None else None
    if when is None:
        return entry
    day = datetime.fromtimestamp(when / 1e9, timezone.utc).date()
    return msgspec.structs.replace(entry, value=None, reason=f"{THINNED_OUT} on {day}")


def _holds(repo: Repository, commit: CommitId, names: AbstractSet[str]) -> bool:
    thinned = repo.thinned()
    try:
        entries = repo.read_state(commit).covariables
    except CellarError:
        return False
    asked = [entry for entry in entries if not names.isdisjoint(entry.names)]
    return bool(asked) and all(entry.value is not None and entry.value not in thinned for entry in asked)


def _plural(count: int, word: str) -> str:
    return f"{count:,} {word}" + ("" if count == 1 else "s")


_INSERT = "INSERT OR REPLACE INTO ix_thinned (value, time_ns) VALUES (?, ?)"
_DELETE = "DELETE FROM ix_thinned WHERE value = ?"
_MARK = "UPDATE ix_commits SET flags = flags | ? WHERE substr(id, 1, 8) = substr(?, 1, 8) AND id = ?"
_MOST_NEIGHBOURS = 400
_NEIGHBOURS = (
    "SELECT c.id FROM ix_commits c JOIN ix_notebooks b ON b.k = c.notebook WHERE b.id = ? AND c.time_ns {compare} ?"
    f" AND c.flags & ? ORDER BY c.time_ns {{order}} LIMIT {_MOST_NEIGHBOURS}"
)

__all__ = [
    "THINNED_OUT",
    "Candidate",
    "Spare",
    "Survey",
    "is_thinned",
    "nearest_states",
    "note_of",
    "rebuild_thinned",
    "states_without",
    "stored_again",
    "survey",
    "thinned_values",
    "without_thinned",
]
