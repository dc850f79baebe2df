"""Which cells have to run again so that what could not be stored comes back: the smallest set, found in history alone.

A co-variable that is not stored gets a new version whenever a cell may have used it, and versions of one object begin
with the same eight bytes. So the cells that made and used an object are the origins of its versions, and what else they
used that is not stored is found in the same way, one state earlier. What is stored is loaded, never recomputed.

Invariant: nothing is run, loaded or changed here. Not for: running the cells (`aside.py`).
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter

import msgspec

from nbcellar.history.model import EMPTY_STATE, CellRun, Commit, CommitKind, Covariable, State
from nbcellar.history.repository import Repository
from nbcellar.history.rewrite import CODE_CHANGED
from nbcellar.ids import CommitId
from nbcellar.session.plan import Key, key_of
from nbcellar.session.replay.sources import assigned_before_use, why_not_again

MOST_STEPS = 1000
ALL = ("*",)


@dataclass(frozen=True, slots=True)
class Step:
    """One cell run to repeat: the commit that recorded it, and the commit whose state it began with."""

    commit: CommitId
    before: CommitId | None
    cell: CellRun
    put: tuple[Covariable, ...]  # what it made or changed, as recorded
    dropped: frozenset[str] = frozenset()  # names that it deleted


@dataclass(frozen=True, slots=True)
class ReplayPlan:
    """Cells in the order in which they ran; `wanted`: what they bring back; `impossible`: names that stay away, why."""

    steps: tuple[Step, ...]
    wanted: tuple[Covariable, ...]
    closure: Mapping[Key, frozenset[CommitId]]  # for each wanted one, the cells that it takes
    impossible: Mapping[str, str]

    @property
    def names(self) -> tuple[str, ...]:
        """The variables that come back."""
        return tuple(sorted(name for entry in self.wanted for name in entry.names))


class CannotReplayError(Exception):
    """Why no cells bring a co-variable back, for people."""


def is_stored(entry: Covariable, thinned: Container[bytes]) -> bool:
    """True if the value can be loaded. thinned: values that were recorded and are no longer there."""
    return entry.value is not None and entry.value not in thinned


def find_steps(
    repo: Repository,
    wanted: Iterable[Covariable],
    *,
    is_stored: Callable[[Covariable], bool],
    transform: Callable[[str], str] = lambda source: source,
) -> ReplayPlan:
    """Return what to run for co-variables of a state. `transform`: IPython's, of magics into code."""
    finder = Finder(repo, is_stored, transform)
    every: dict[CommitId, Step] = {}
    closure: dict[Key, frozenset[CommitId]] = {}
    found: list[Covariable] = []
    impossible: dict[str, str] = {}
    for entry in wanted:
        try:
            steps = finder.steps_of(entry)
        except CannotReplayError as error:
            impossible.update(dict.fromkeys(entry.names, str(error)))
            continue
        every.update({step.commit: step for step in steps})
        closure[key_of(entry)] = frozenset(step.commit for step in steps)
        found.append(entry)
    return ReplayPlan(tuple(finder.in_order(every)), tuple(found), closure, impossible)


class Finder:
    """Finds steps in one history, and remembers what it found."""

    def __init__(
        self, repo: Repository, is_stored: Callable[[Covariable], bool], transform: Callable[[str], str]
    ) -> None:
        self._repo = repo
        self._is_stored = is_stored
        self._transform = transform
        self._after: dict[CommitId, set[CommitId]] = {}  # what a step takes

    def steps_of(self, entry: Covariable) -> list[Step]:
        """Return the steps that one entry takes, what it builds on included."""
        steps: dict[CommitId, Step] = {}
        queue = [CommitId(entry.origin)]
        _require_known(entry)
        while queue:
            commit_id = queue.pop()
            if commit_id in steps:
                continue
            if len(steps) >= MOST_STEPS:
                raise CannotReplayError(f"it takes more than {MOST_STEPS} cells")
            step = steps[commit_id] = self.step(commit_id)
            needed = self.needed(step)
            for one in needed:
                _require_known(one)
            self._after[commit_id] = {CommitId(one.origin) for one in needed}
            queue += self._after[commit_id]
        return list(steps.values())

    def in_order(self, steps: Mapping[CommitId, Step]) -> list[Step]:
        """Return steps so that each comes after what it takes, else by when they were recorded."""
        sorter = TopologicalSorter({commit: self._after[commit] for commit in steps})
        sorter.prepare()
        ordered: list[Step] = []
        ready: list[tuple[int, CommitId]] = []
        while sorter.is_active():
            for commit in sorter.get_ready():
                heapq.heappush(ready, (self._repo.read_commit(commit).time_ns, commit))
            _, first = heapq.heappop(ready)
            ordered.append(steps[first])
            sorter.done(first)
        return ordered

    def step(self, commit_id: CommitId) -> Step:
        """Return how to repeat the cell of a commit. Raises CannotReplayError."""
        commit = self._repo.read_commit(commit_id)
        if commit.cell is None or commit.state is None:
            raise CannotReplayError(_no_cell(commit))
        cell = commit.cell
        if cell.after_unrecorded:
            raise CannotReplayError(
                f"what ran before cell [{cell.execution_count}] was not recorded, so what that did is not known"
            )
        interrupted = cell.error is not None and cell.error.name == "KeyboardInterrupt"
        why = "it was interrupted" if interrupted else why_not_again(cell.source, self._transform)
        why = CODE_CHANGED if CODE_CHANGED in commit.notes else why
        if why:
            raise CannotReplayError(f"cell [{cell.execution_count}] cannot be run again by itself: {why}")
        before = CommitId(commit.state.base) if commit.state.base is not None else None
        put = tuple(e if e.origin else _with_origin(e, commit_id) for e in commit.state.put)
        return Step(commit_id, before, cell, put, frozenset(commit.state.drop))

    def needed(self, step: Step) -> list[Covariable]:
        """Return what is not stored and was there before the cell, which it used."""
        there = self.state_before(step).covariables
        used = {name for entry in step.put for name in entry.names} | step.dropped
        reads = step.cell.reads
        missing = [entry for entry in there if entry.names and not self._is_stored(entry)]
        if reads is not None and reads != ALL:
            used.update(reads)
        touched = [entry for entry in missing if not used.isdisjoint(entry.names)]
        if not touched:
            return []
        fresh = assigned_before_use(step.cell.source, {n for e in touched for n in e.names}, self._transform)
        after = {entry.names: entry.version[:8] for entry in step.put}
        return [e for e in touched if after.get(e.names) == e.version[:8] or not fresh.issuperset(e.names)]

    def state_before(self, step: Step) -> State:
        """Return what a cell began with."""
        return self._repo.read_state(step.before) if step.before is not None else EMPTY_STATE


def _require_known(entry: Covariable) -> None:
    if entry.uncertain:
        raise CannotReplayError(entry.uncertain)


def _with_origin(entry: Covariable, commit: CommitId) -> Covariable:
    return msgspec.structs.replace(entry, origin=commit)


_NO_CELL = {
    CommitKind.ATTACH: "it was there when recording began: no recorded cell makes it",
    CommitKind.BETWEEN: "it changed between cells: no recorded cell makes it",
}


def _no_cell(commit: Commit) -> str:
    return _NO_CELL.get(commit.kind, "no recorded cell makes it")
