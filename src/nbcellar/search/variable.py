"""The versions of one variable: where it was made, changed and deleted, and which version came back.

Invariant: there is an event at a commit if and only if the variable's version in its state is another one than in the
nearest state before it, along first parents; two events with the same version hold the same value. Only the changes of
states are read, never a whole one. Not for: what the values are (previews are all that is known here).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import msgspec

from nbcellar.errors import CellarError
from nbcellar.history.log import Summary
from nbcellar.history.model import Commit, Covariable, StateDelta, decode_commit
from nbcellar.ids import CommitId, NotebookId
from nbcellar.search.find import in_scope, kept
from nbcellar.store.interface import Kind

if TYPE_CHECKING:
    from nbcellar.history.repository import Repository

Change = Literal["created", "changed", "deleted"]


class Event(msgspec.Struct, frozen=True):
    """A commit at which a variable came, changed or went.

    back_to: the oldest commit in the listing that had this version before. source: of the cell that ran.
    """

    summary: Summary
    change: Change
    before: Covariable | None
    after: Covariable | None
    source: str = ""
    back_to: CommitId | None = None


class VariableHistory(msgspec.Struct, frozen=True):
    """Events, newest first. elsewhere: how many more there are in commits that were not asked for."""

    events: tuple[Event, ...]
    searched: int
    elsewhere: int


def variable_history(
    repo: Repository,
    notebooks: Sequence[NotebookId],
    name: str,
    *,
    start: CommitId | None = None,
    all_commits: bool = False,
) -> VariableHistory:
    """Return where a variable came, changed and went in what HEAD (or `start`) of each notebook reaches.

    all_commits: in every commit that is still kept.
    """
    scope = in_scope(repo, notebooks, start=start, all_commits=all_commits)
    tracer = _Tracer(_read(repo), name)
    events = [event for summary in scope.values() if (event := tracer.event(summary)) is not None]
    others = () if all_commits else set(kept(repo, notebooks)) - scope.keys()
    elsewhere = sum(tracer.change(commit)[0] is not None for commit in others)
    return VariableHistory(tuple(_with_returns(events)), len(scope), elsewhere)


def names_in(repo: Repository) -> set[str]:
    """Return the names of all variables that were ever recorded."""
    deltas = (commit.state for commit in _read(repo).values() if commit.state is not None)
    return {name for delta in deltas for entry in delta.put for name in entry.names}


def _read(repo: Repository) -> dict[CommitId, Commit]:
    found = {}
    for digest, data in repo.store.scan(Kind.COMMIT):
        if isinstance(data, bytes):
            try:
                found[CommitId(digest)] = decode_commit(data)
            except CellarError:  # `cellar check` tells
                continue
    return found


class _Tracer:
    """Knows the entry that holds a name in the state of each commit."""

    def __init__(self, commits: Mapping[CommitId, Commit], name: str) -> None:
        self._commits = commits
        self._name = name
        self._entries: dict[CommitId, Covariable | None] = {}

    def event(self, summary: Summary) -> Event | None:
        change, before, after = self.change(summary.id)
        if change is None:
            return None
        cell = self._commits[summary.id].cell
        return Event(summary, change, before, after, cell.source if cell is not None else "")

    def change(self, commit_id: CommitId) -> tuple[Change | None, Covariable | None, Covariable | None]:
        """Return what a commit did to the variable, and its entry before and after."""
        commit = self._commits.get(commit_id)
        if commit is None or commit.state is None:
            return None, None, None
        before, after = self._before(commit), self._entry(commit_id)
        return what_changed(before, after), before, after

    def _before(self, commit: Commit) -> Covariable | None:
        """Return the entry in the nearest state before: where a capture failed, there is none."""
        while commit.parents:
            parent = CommitId(commit.parents[0])
            found = self._commits.get(parent)
            if found is None:
                return None
            if found.state is not None:
                return self._entry(parent)
            commit = found
        return None

    def _entry(self, commit: CommitId) -> Covariable | None:
        """Return the entry in a commit's state: walk along bases to what is known, then come back."""
        chain: list[tuple[CommitId, StateDelta]] = []
        current: CommitId | None = commit
        while current is not None and current not in self._entries:
            found = self._commits.get(current)
            if found is None or found.state is None:
                break
            chain.append((current, found.state))
            current = CommitId(found.state.base) if found.state.base is not None else None
        entry = self._entries.get(current) if current is not None else None
        for identifier, delta in reversed(chain):
            entry = self._entries[identifier] = _apply(entry, delta, self._name, identifier)
        return entry


def _apply(before: Covariable | None, delta: StateDelta, name: str, commit: CommitId) -> Covariable | None:
    """Do to one name what `model.apply_delta` does to all."""
    for entry in delta.put:
        if name in entry.names:
            return entry if entry.origin else msgspec.structs.replace(entry, origin=commit)
    if before is None or (not delta.put and not delta.drop and not delta.drop_definitions):
        return before
    gone = {other for entry in delta.put for other in entry.names} | set(delta.drop)
    undefined = {uid for entry in delta.put for uid in entry.defines} | set(delta.drop_definitions)
    return before if gone.isdisjoint(before.names) and undefined.isdisjoint(before.defines) else None


def what_changed(before: Covariable | None, after: Covariable | None) -> Change | None:
    """Say what happened to a variable between two states, by its entries there."""
    if before is None:
        return None if after is None else "created"
    if after is None:
        return "deleted"
    if (before.version, before.value) == (after.version, after.value):
        return None
    # Of what cannot be stored only the first half of a version says what it is; the rest counts its uses.
    if before.value is None and after.value is None and before.names == after.names:
        return None if before.version and before.version[:8] == after.version[:8] else "changed"
    return "changed"


def _with_returns(events: Sequence[Event]) -> list[Event]:
    first: dict[tuple[bytes, bytes | None], CommitId] = {}
    found = []
    for event in reversed(events):
        after = event.after
        if after is not None and after.version:
            version = (after.version, after.value)
            if version in first:
                event = msgspec.structs.replace(event, back_to=first[version])
            first.setdefault(version, event.summary.id)
        found.append(event)
    return found[::-1]


__all__ = ["Change", "Event", "VariableHistory", "names_in", "variable_history", "what_changed"]
