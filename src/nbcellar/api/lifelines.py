"""When the variables of a commit changed on the way to it: what a sparkline draws.

Invariant: a place is listed if and only if `search.variable` has an event there on the line of first parents. Only the
changes of states are read, but where a state builds on another commit than the one before it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from nbcellar.api.history_views import Lifeline, Lifelines
from nbcellar.history.model import Commit, Covariable, StateDelta, decode_commit
from nbcellar.history.repository import Repository
from nbcellar.ids import CommitId, NotebookId
from nbcellar.search.variable import what_changed
from nbcellar.store.interface import Kind

if TYPE_CHECKING:
    from nbcellar.api.repo import Repo

_MOST_PLACES = 64
# From here on reading all commits in their order on disk costs less than asking for each.
_MANY = 1000


def lifelines(repo: Repo, ref: str = "HEAD") -> Lifelines:
    """Return when each variable of a commit's state came, changed and went on the line of its first parents."""
    notebook, commit = repo.locate(ref)
    line = _line(repo.repository, notebook, commit)
    found = _Walk(repo.repository, line)
    found.run()
    return Lifelines(
        commit=commit.hex(),
        length=len(line),
        variables=[_lifeline(name, found.changes[name], len(line)) for name in sorted(found.now)],
    )


class _Walk:
    """Goes from the oldest commit to the newest one; knows the entry of each name."""

    def __init__(self, repository: Repository, line: Sequence[CommitId]) -> None:
        self._repository = repository
        self._line = line
        self._commits = _read(repository, line)
        self.now: dict[str, Covariable] = {}
        self.changes: dict[str, list[tuple[int, Covariable | None]]] = {}

    def run(self) -> None:
        """Walk the whole line."""
        last: CommitId | None = None
        for place, identifier in enumerate(self._line):
            commit = self._commits.get(identifier)
            if commit is None or commit.state is None:
                continue
            base = CommitId(commit.state.base) if commit.state.base is not None else None
            before = self.now
            touched: set[str] | None = None
            if base == last:
                before, touched = self._touched(commit.state)
            else:
                self.now = self._state(base)
            _apply(self.now, commit.state)
            self._note(place, before, touched if touched is not None else before.keys() | self.now.keys())
            last = identifier

    def _touched(self, delta: StateDelta) -> tuple[dict[str, Covariable], set[str]]:
        """Return the entries that a change of the state replaces, and all names that it can concern."""
        names = {name for entry in delta.put for name in entry.names} | set(delta.drop)
        for entry in _replaced(self.now, delta):
            names.update(entry.names)
        return {name: self.now[name] for name in names if name in self.now}, names

    def _state(self, base: CommitId | None) -> dict[str, Covariable]:
        entries = self._repository.read_state(base).covariables if base is not None else ()
        return {name: entry for entry in entries for name in entry.names}

    def _note(self, place: int, before: Mapping[str, Covariable], names: set[str]) -> None:
        for name in names:
            after = self.now.get(name)
            if what_changed(before.get(name), after) is not None:
                self.changes.setdefault(name, []).append((place, after))


def _replaced(now: Mapping[str, Covariable], delta: StateDelta) -> list[Covariable]:
    names = {name for entry in delta.put for name in entry.names} | set(delta.drop)
    uids = {uid for entry in delta.put for uid in entry.defines} | set(delta.drop_definitions)
    found = [now[name] for name in names if name in now]
    if uids:
        found += [entry for entry in now.values() if not uids.isdisjoint(entry.defines)]
    return found


def _apply(now: dict[str, Covariable], delta: StateDelta) -> None:
    """Do in place what `model.apply_delta` does."""
    for entry in _replaced(now, delta):
        for name in entry.names:
            now.pop(name, None)
    for entry in delta.put:
        for name in entry.names:
            now[name] = entry


def _line(repository: Repository, notebook: NotebookId, commit: CommitId) -> list[CommitId]:
    parents = {summary.id: summary.parents for summary in repository.log(notebook, start=commit)}
    line = [commit]
    while parents.get(line[-1]):
        line.append(parents[line[-1]][0])
    return line[::-1]


def _read(repository: Repository, line: Sequence[CommitId]) -> dict[CommitId, Commit]:
    if len(line) < _MANY:
        return {identifier: repository.read_commit(identifier) for identifier in line}
    wanted = set(line)
    return {
        identifier: decode_commit(data)
        for digest, data in repository.store.scan(Kind.COMMIT)
        if isinstance(data, bytes) and (identifier := CommitId(digest)) in wanted
    }


def _lifeline(name: str, changes: Sequence[tuple[int, Covariable | None]], length: int) -> Lifeline:
    many = len(changes) > _MOST_PLACES
    kept = {place * _MOST_PLACES // length if many else place: (place, entry) for place, entry in changes}
    return Lifeline(
        name=name,
        versions=len(changes),
        places=[place for place, _ in kept.values()],
        values=[_drawn(entry, name) for _, entry in kept.values()],
    )


def _drawn(entry: Covariable | None, name: str) -> float | None:
    place = entry.names.index(name) if entry is not None else -1
    if entry is None or place >= len(entry.previews):
        return None
    preview = entry.previews[place]
    if preview.shape:
        return float(preview.shape[0])
    try:
        number = float(preview.text) if preview.type.rpartition(".")[2].startswith(_NUMBERS) else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None


_NUMBERS = ("int", "float", "uint", "Decimal")

__all__ = ["lifelines"]
