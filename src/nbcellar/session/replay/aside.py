"""Running recorded cells again, aside: each begins with the state it began with, and what it makes is compared.

The live namespace is lent to the cells, because functions have it as their globals; live objects never are: what a cell
reads is loaded anew. What is not stored and no step made is absent, so a cell that needs it fails aloud. Invariant:
when `run` returns or raises, names, order and surroundings of the session are what they were, and no live object was in
the cells' reach. What they did outside (files, network) cannot be taken back: that is why a user is asked first.

Not for: which cells (`steps.py`), what comes of it (`engine.py`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from nbcellar.errors import CannotRestoreError
from nbcellar.history.model import EMPTY_STATE, Covariable, State
from nbcellar.history.repository import Repository
from nbcellar.history.thin import without_thinned
from nbcellar.ids import CommitId
from nbcellar.session import figures
from nbcellar.session.encode import Limits
from nbcellar.session.figures import with_figures
from nbcellar.session.groups import Group
from nbcellar.session.leftovers import Reached, reach
from nbcellar.session.namespaces import entered, let_go
from nbcellar.session.plan import Key, Live, key_of, plan_checkout
from nbcellar.session.replay.execution import Execute
from nbcellar.session.replay.steps import ALL, ReplayPlan, Step
from nbcellar.session.restore import Given, Restorer
from nbcellar.session.sharing import share
from nbcellar.session.surroundings.ambient import RANDOM_PARTS, AmbientTracker
from nbcellar.session.threads import user_threads
from nbcellar.session.tracker import Tracker
from nbcellar.trust.gate import LoadPermit


@dataclass(frozen=True, slots=True)
class Tools:
    """What a replay needs of the session."""

    repo: Repository
    tracker: Tracker
    names: Callable[[Mapping[str, object]], dict[str, object]]
    ambient: AmbientTracker
    ambient_of: Callable[[State, frozenset[str] | None], dict[str, bytes]]
    permit: Callable[[CommitId], LoadPermit]
    permit_ambient: Callable[[CommitId, set[bytes]], None]
    printed: Callable[[Step], str]  # what a cell wrote when it was recorded
    execute: Execute
    limits: Limits


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of a replay. unverified, differing, stale: by variable, a sentence each; verified: the others."""

    given: Mapping[Key, Given] = field(default_factory=dict)
    verified: tuple[str, ...] = ()
    unverified: Mapping[str, str] = field(default_factory=dict)
    differing: Mapping[str, str] = field(default_factory=dict)
    stale: Mapping[str, str] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """The variables that cells brought back."""
        return tuple(sorted({*self.verified, *self.unverified, *self.differing}))


@dataclass(slots=True)
class _Findings:
    """What a cell made, beside the record: how many things were as recorded, and what was not."""

    same: int = 0
    differing: list[str] = field(default_factory=list)


class Replay:
    """Runs the steps of one plan. One use."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        live = tools.tracker
        self._scratch = Tracker(live.namespace, lambda space: with_figures(tools.names(space)), live.initial)
        self._scratch.memory_bytes = live.memory_bytes
        self._left: list[tuple[Group, tuple[object, ...]]] = []  # what later steps did without, kept alive
        self._findings: dict[CommitId, _Findings] = {}

    def run(self, plan: ReplayPlan, target: State) -> Replayed:
        """Run the cells; return the objects for `target`.

        Raises CannotRestoreError naming the cell that failed, and what loading raises.
        """
        if threads := user_threads():
            raise CannotRestoreError(
                f"cells cannot run again while {', '.join(threads)} run: they would see the variables change",
                hint="stop the threads first; the session is as it was",
            )
        tools = self._tools
        surroundings = tools.ambient.capture()
        opened = figures.held()
        try:
            figures.put({})
            with entered(tools.tracker.namespace) as namespace:
                let_go(tuple(tools.names(namespace)), namespace, tools.tracker.initial)
                for step in plan.steps:
                    self._run(step)
                return self._collect(plan, target)
        finally:
            figures.put(opened)
            tools.ambient.restore(surroundings)

    # one cell -----------------------------------------------------------------------------------------------------

    def _run(self, step: Step) -> None:
        tools, scratch = self._tools, self._scratch
        before = tools.repo.read_state(step.before) if step.before is not None else EMPTY_STATE
        before = without_thinned(tools.repo, before)
        self._enter(step, before)
        if step.before is not None:
            self._surround(step.before, before)
        ran = tools.execute(step.cell.source)
        expected = step.cell.error.name if step.cell.error is not None else ""
        if ran.error != expected and ran.error:
            raise CannotRestoreError(
                f"cell [{step.cell.execution_count}] failed when it was run again: {ran.error}: {ran.message}",
                hint="the session is as it was; without running cells again: --no-replay",
            )
        self._name_classes(step)
        scratch.observe(None)
        findings = self._findings[step.commit] = self._compare(step)
        if ran.error != expected:
            findings.differing.append(f"it failed with {expected} then, and not now")
        if ran.printed and ran.printed == tools.printed(step):
            findings.same += 1

    def _enter(self, step: Step, before: State) -> None:
        """Make the namespace what the cell began with: what it can have read, and what earlier steps made."""
        scratch = self._scratch
        held = {(g.names, g.defines): g.version for g in scratch.groups()}
        wanted = _needed(before, step.cell.reads, held)
        live = [Live(g.names, g.version, g.defines, bool(g.reason)) for g in scratch.groups()]
        plan = plan_checkout(live, wanted)
        going = {*plan.remove, *(n for entry in plan.load for n in entry.names)}
        for group in scratch.groups():
            if not going.isdisjoint(group.names) and not group.reason:
                now = with_figures(scratch.namespace)
                objects = tuple(now[name] for name in group.names if name in now)
                self._left.append((group, objects))
        tools = self._tools
        Restorer(tools.repo, scratch, tools.permit, tools.limits).restore(plan, {}, lambda: None, time.perf_counter())
        scratch.complete()

    def _surround(self, commit: CommitId, before: State) -> None:
        tools = self._tools
        parts = tools.ambient_of(before, None)
        tools.permit_ambient(commit, {before.ambient[part] for part in parts})
        tools.ambient.load_streams(parts)
        tools.ambient.validate(parts)
        tools.ambient.restore(parts)

    def _name_classes(self, step: Step) -> None:
        """Give classes that the cell made anew the names that history knows them by."""
        namespace = self._scratch.namespace
        for entry in step.put:
            if len(entry.names) == len(entry.defines) == 1:
                made = namespace.get(entry.names[0])
                if isinstance(made, type):
                    self._scratch.uids.assign(made, entry.defines[0])

    def _compare(self, step: Step) -> _Findings:
        scratch, findings = self._scratch, _Findings()
        for entry in step.put:
            if not entry.names:
                continue
            group = scratch.by_name.get(entry.names[0])
            if group is None or (group.names, group.defines) != key_of(entry):
                findings.differing.append(_names(entry))
            elif not group.reason and group.version == entry.version:
                findings.same += 1
            elif entry.value is None:
                scratch.stand_for(group, entry.version)
            else:
                findings.differing.append(_names(entry))
        self._compare_random(step, findings)
        return findings

    def _compare_random(self, step: Step, findings: _Findings) -> None:
        """A random state that the cell moved, and moved to where it was, is a sign that all went the same way."""
        tools = self._tools
        delta = tools.repo.read_commit(step.commit).state
        moved = RANDOM_PARTS.intersection(delta.ambient) if delta is not None else frozenset()
        if not moved:
            return
        recorded = tools.ambient_of(tools.repo.read_state(step.commit), frozenset(moved))
        now = tools.ambient.capture(only=moved)
        for part, data in recorded.items():
            if now.get(part) == data:
                findings.same += 1
            else:
                findings.differing.append(f"the state of {part}")

    # the results --------------------------------------------------------------------------------------------------

    def _collect(self, plan: ReplayPlan, target: State) -> Replayed:
        scratch = self._scratch
        given: dict[Key, Given] = {}
        missing: dict[str, str] = {}
        stale: dict[str, str] = {}
        entries = {key_of(entry): entry for entry in target.covariables}
        by_name = {name: entry for entry in target.covariables for name in entry.names}
        for entry in plan.wanted:
            group = scratch.by_name.get(entry.names[0])
            if group is None or (group.names, group.defines) != key_of(entry):
                missing.update(dict.fromkeys(entry.names, "the cells that were run again did not make it"))
                continue
            given[key_of(entry)] = self._given(group)
            reached = self._reached(group)
            for other in scratch.groups():
                if other is not group and not other.reason and _touches(reached, other):
                    self._take_along(other, entries, given)
            former = sorted(self._outlived(reached, by_name, entries))
            if former:
                sentence = (
                    f"it holds an earlier {', '.join(map(repr, former))}: cells that were not run again changed it"
                )
                stale.update(dict.fromkeys(entry.names, sentence))
            elif not reached.complete:
                stale.update(dict.fromkeys(entry.names, "what else it shares with cannot be seen"))
        verdicts = self._verdicts(plan, given)
        return Replayed(given=given, stale=stale, missing=missing, **verdicts)

    def _given(self, group: Group) -> Given:
        now = with_figures(self._scratch.namespace)
        return Given(tuple(now[name] for name in group.names) + group.hidden, group.roots)

    def _reached(self, group: Group) -> Reached:
        namespace = self._scratch.namespace
        now = with_figures(namespace)
        return reach(tuple(now[name] for name in group.names), namespace)

    def _take_along(self, group: Group, entries: Mapping[Key, Covariable], given: dict[Key, Given]) -> None:
        """Hand over what a replayed object shares with, where that is what the target has: it stays an alias."""
        entry = entries.get((group.names, group.defines))
        if entry is not None and entry.version == group.version and key_of(entry) not in given:
            given[key_of(entry)] = self._given(group)

    def _outlived(
        self, reached: Reached, by_name: Mapping[str, Covariable], entries: Mapping[Key, Covariable]
    ) -> set[str]:
        """Return variables of the target of which the object holds another version than the target's."""
        now = [group for group in self._scratch.groups() if not group.reason]
        former: set[str] = set()
        for group in [*now, *(group for group, _ in self._left)]:
            entry = entries.get((group.names, group.defines))
            if entry is not None and entry.version == group.version and group in now:
                continue
            if _touches(reached, group):
                former.update(name for name in group.names if name in by_name)
        return former

    def _verdicts(self, plan: ReplayPlan, given: Mapping[Key, Given]) -> dict[str, Any]:
        verified: list[str] = []
        unverified: dict[str, str] = {}
        differing: dict[str, str] = {}
        counts = {step.commit: step.cell.execution_count for step in plan.steps}
        for entry in plan.wanted:
            if key_of(entry) not in given:
                continue
            found = {commit: self._findings[commit] for commit in plan.closure[key_of(entry)]}
            wrong = [
                f"{', '.join(one.differing)} of [{counts[commit]}]" for commit, one in found.items() if one.differing
            ]
            if wrong:
                sentence = f"replayed, but not as recorded: {'; '.join(wrong)}"
                differing.update(dict.fromkeys(entry.names, sentence))
            elif any(one.same for one in found.values()):
                verified += entry.names
            else:
                sentence = "its cells made nothing else that could be compared with the record"
                unverified.update(dict.fromkeys(entry.names, sentence))
        return {"verified": tuple(sorted(verified)), "unverified": unverified, "differing": differing}


def _needed(before: State, reads: tuple[str, ...] | None, held: Mapping[Key, bytes]) -> tuple[Covariable, ...]:
    """Return what a cell needs of the state before it; what earlier steps made and is still that, stays."""
    if reads is None or reads == ALL:
        return before.covariables
    names = set(reads)
    defining = {uid: entry for entry in before.covariables for uid in entry.defines}
    chosen: dict[Key, Covariable] = {}
    queue = [
        entry
        for entry in before.covariables
        if not names.isdisjoint(entry.names) or held.get(key_of(entry)) == entry.version
    ]
    while queue:
        entry = queue.pop()
        if key_of(entry) not in chosen:
            chosen[key_of(entry)] = entry
            queue += [defining[uid] for uid in entry.needs if uid in defining]
    return tuple(entry for entry in before.covariables if key_of(entry) in chosen)


def _touches(reached: Reached, group: Group) -> bool:
    return share(reached, group) or any(root in reached.classes for root in group.roots)


def _names(entry: Covariable) -> str:
    return ", ".join(repr(name) for name in entry.names)


__all__ = ["Replay", "Replayed", "Tools"]
