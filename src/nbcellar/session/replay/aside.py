"""Running recorded cells again, aside: each begins with the state it began with, and what it makes is compared.

The live namespace is lent to the cells, because functions have it as their globals; live objects never are: what a cell
reads is loaded anew. What is not stored and no step made is absent, so a cell that needs it fails aloud. Invariant:
when `run` returns or raises, names, order and surroundings of the session are what they were, and no live object was in
the cells' reach. What they did outside (files, network) cannot be taken back: that is why a user is asked first.

Not for: which cells (`steps.py`), what comes of it (`engine.py`).
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from nbcellar.errors import CannotRestoreError
from nbcellar.history.model import EMPTY_STATE, Covariable, State
from nbcellar.history.repository import Repository
from nbcellar.history.thin import without_thinned
from nbcellar.ids import CommitId
from nbcellar.session import figures
from nbcellar.session.encode import Limits
from nbcellar.session.groups import Group, Observation
from nbcellar.session.names import as_text
from nbcellar.session.namespaces import entered, let_go
from nbcellar.session.outputs import fold_carriage_returns, is_cut_short
from nbcellar.session.plan import Key, Live, key_of, plan_checkout
from nbcellar.session.previews.preview import preview
from nbcellar.session.replay.execution import Execute
from nbcellar.session.replay.results import Results, collect
from nbcellar.session.replay.sources import anew_each_time, names_in
from nbcellar.session.replay.steps import ALL, ReplayPlan, Step
from nbcellar.session.restore import Given, Restorer
from nbcellar.session.signals import signals_held
from nbcellar.session.surroundings.ambient import RANDOM_PARTS, AmbientTracker, RestoreStatus
from nbcellar.session.threads import end_tasks, user_tasks, user_threads
from nbcellar.session.tracker import Tracker
from nbcellar.trust.gate import LoadPermit


@dataclass(frozen=True, slots=True)
class Tools:
    """What a replay needs of the session."""

    repo: Repository
    tracker: Tracker
    names: Callable[[Mapping[str, object]], dict[str, object]]
    is_skipped: Callable[[str], bool]  # not recorded, because of its name
    ambient: AmbientTracker
    ambient_of: Callable[[State, frozenset[str] | None], dict[str, bytes]]
    permit: Callable[[CommitId], LoadPermit]
    permit_ambient: Callable[[CommitId, set[bytes]], None]
    doubtful: Callable[[Iterable[bytes], CommitId], set[bytes]]  # versions that a state may name wrongly
    printed: Callable[[Step], str | None]  # what a cell wrote when it was recorded; None: not known
    transform: Callable[[str], str]
    execute: Execute
    tell: Callable[[str, str, int, int], None]  # how far it is, as `Work.tell`
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
    """What a cell made, beside the record: how many things were as recorded, and what was not.

    unlike: what may differ though all went the same way (a time that was printed). unsure: what it was made of, that is
    not known for certain.
    """

    same: int = 0
    differing: list[str] = field(default_factory=list)
    unlike: list[str] = field(default_factory=list)
    unsure: list[str] = field(default_factory=list)


class Replay:
    """Runs the steps of one plan. One use."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        live = tools.tracker
        self._scratch = Tracker(live.namespace, tools.names, live.initial, live.examiner.never)
        self._scratch.memory_bytes = live.memory_bytes
        self._skipped: dict[str, object] = {}  # today's values under names that are not recorded
        self._left: list[tuple[Group, tuple[object, ...]]] = []  # what later steps did without, kept alive
        self._findings: dict[CommitId, _Findings] = {}

    def run(self, plan: ReplayPlan, target: CommitId, state: State) -> Replayed:
        """Run the cells; return the objects for `state`, which is that of `target`.

        Raises CannotRestoreError naming the cell that failed, and what loading raises.
        """
        if threads := user_threads():
            raise CannotRestoreError(
                f"cells cannot run again while {', '.join(threads)} run: they would see the variables change",
                hint="stop the threads first; the session is as it was",
            )
        tools = self._tools
        surroundings, managers = tools.ambient.capture(), figures.held()
        try:
            figures.put({})  # a live figure must not be drawn on
            with entered(tools.tracker.namespace) as namespace:
                let_go(tuple(tools.names(namespace)), namespace, tools.tracker.initial)
                self._skipped = _empty(namespace, tools.is_skipped)
                for number, step in enumerate(plan.steps):
                    tools.tell("replay", step.cell.source.strip().partition("\n")[0], number, len(plan.steps))
                    self._run(step)
                results = collect(tools.repo, self._scratch, self._left, plan, target, state)
                return self._judge(plan, results)
        finally:
            with signals_held():
                opened = [manager for number, manager in figures.held().items() if managers.get(number) is not manager]
                figures.put(managers)
                figures.close(opened)
                tools.ambient.restore(surroundings)

    # one cell -----------------------------------------------------------------------------------------------------

    def _run(self, step: Step) -> None:
        tools, scratch = self._tools, self._scratch
        before = tools.repo.read_state(step.before) if step.before is not None else EMPTY_STATE
        before = without_thinned(tools.repo, before)
        findings = self._findings[step.commit] = _Findings()
        self._enter(step, before, findings)
        if step.before is not None:
            self._surround(step.before, before, findings)
        lent = self._lend_skipped(step, findings)
        stood = {group: group.version for group in scratch.groups() if group.reason}
        tasks = user_tasks()
        ran = tools.execute(step.cell.source)
        self._require_end(step, tasks)
        expected = step.cell.error.name if step.cell.error is not None else ""
        if ran.error != expected and ran.error:
            raise CannotRestoreError(
                f"cell [{step.cell.execution_count}] failed when it was run again: {ran.error}: {ran.message}",
                hint=_WITHOUT,
            )
        let_go(lent, scratch.namespace, {})
        self._name_classes(step)
        seen = scratch.observe(None)
        for group, version in stood.items():  # what it used is told by the record
            if scratch.by_name.get(group.names[0]) is group:
                scratch.stand_for(group, version)
        self._compare(step, seen, findings)
        if ran.error != expected:
            findings.differing.append(f"it failed with {expected} then, and not now")
        findings.unlike += [f"what {name} gave" for name in anew_each_time(step.cell.source, tools.transform)]
        printed = tools.printed(step)
        if printed is None or is_cut_short(printed):
            return
        if _bare(fold_carriage_returns(ran.printed)) != _bare(printed):
            findings.unlike.append("what it printed")
        elif printed:
            findings.same += 1

    def _lend_skipped(self, step: Step, findings: _Findings) -> list[str]:
        """Let the cell have the passwords and the like that its text names, as they are today."""
        named = names_in(step.cell.source, self._tools.transform) if self._skipped else frozenset()
        lent = sorted(named & self._skipped.keys())
        if lent:
            self._scratch.namespace.update((name, self._skipped[name]) for name in lent)
            findings.unsure.append(f"{', '.join(map(repr, lent))} as it is today, which is not recorded")
        return lent

    def _require_end(self, step: Step, tasks: frozenset[asyncio.Task[Any]]) -> None:
        """Raise CannotRestoreError if what a cell started goes on: it would have the live variables next."""
        went_on = [f"thread {name}" for name in user_threads()]
        if end_tasks(user_tasks() - tasks):
            went_on.append("a task of asyncio, which was cancelled")
        if went_on:
            raise CannotRestoreError(
                f"cell [{step.cell.execution_count}] was run again and started {', '.join(went_on)}: it would go on "
                "among the live variables",
                hint=_WITHOUT,
            )

    def _enter(self, step: Step, before: State, findings: _Findings) -> None:
        """Make the namespace what the cell began with: what it can have read, and what earlier steps made."""
        scratch = self._scratch
        held = {(g.names, g.defines): g.version for g in scratch.groups()}
        wanted = _needed(before, step.cell.reads, held)
        live = [Live(g.names, g.version, g.defines, bool(g.reason)) for g in scratch.groups()]
        plan = plan_checkout(live, wanted)
        going = {*plan.remove, *(n for entry in plan.load for n in entry.names)}
        values = self._tools.names(scratch.namespace)
        for group in scratch.groups():
            if not going.isdisjoint(group.names) and not group.reason:
                self._left.append((group, tuple(values[name] for name in group.names if name in values)))
        tools = self._tools
        Restorer(tools.repo, scratch, tools.permit, tools.limits).restore(plan, {}, lambda: None, time.perf_counter())
        scratch.complete()
        if step.before is not None:
            doubtful = tools.doubtful([entry.version for entry in plan.load], step.before)
            unsure = {name for e in plan.load if e.uncertain or e.version in doubtful for name in e.names}
            if unsure:
                names = ", ".join(map(repr, sorted(unsure)))
                findings.unsure.append(f"{names}, which changed around that time without a cell that names it")

    def _surround(self, commit: CommitId, before: State, findings: _Findings) -> None:
        tools = self._tools
        parts = tools.ambient_of(before, None)
        tools.permit_ambient(commit, {before.ambient[part] for part in parts})
        tools.ambient.load_streams(parts)
        tools.ambient.validate(parts)
        reports = tools.ambient.restore(parts)
        failed = {
            r.part: r.detail for r in reports if r.status is RestoreStatus.FAILED or (r.part == "cwd" and r.detail)
        }
        findings.differing += [f"the {part} that it began with ({detail})" for part, detail in failed.items()]

    def _name_classes(self, step: Step) -> None:
        """Give classes that the cell made anew the names that history knows them by."""
        namespace = self._scratch.namespace
        for entry in step.put:
            objects = [namespace[name] for name in entry.names if name in namespace]
            made = {id(one): one for one in objects if self._scratch.examiner.is_definition(one)}
            for cls, uid in zip(made.values(), entry.defines, strict=False):  # those with names come first
                self._scratch.uids.assign(cls, uid)

    def _compare(self, step: Step, seen: Observation, findings: _Findings) -> None:
        scratch = self._scratch
        recorded = {name for entry in step.put for name in entry.names} | step.dropped
        for entry in step.put:
            if not entry.names:
                continue
            group = scratch.by_name.get(entry.names[0])
            if group is None or (group.names, group.defines) != key_of(entry):
                findings.differing.append(_names(entry))
            elif not group.reason and group.version == entry.version:
                group.covariable = entry
                findings.same += 1
            elif entry.value is None:
                scratch.stand_for(group, entry.version)
                group.covariable = entry
                if not self._looks_alike(group, entry):
                    findings.unlike.append(f"what is shown of {_names(entry)}")
            else:
                findings.differing.append(_names(entry))
        gone = [name for name in seen.dropped_names if name not in recorded]
        left = [name for name in step.dropped if name in scratch.by_name]
        more = {n for c in seen.changed if not (c.group.reason or c.group.unstable) for n in c.group.names}
        findings.differing += map(repr, sorted({*gone, *left, *(more - recorded)}))
        self._compare_random(step, findings)

    def _looks_alike(self, group: Group, entry: Covariable) -> bool:
        """False if what was shown of a value when it was recorded is not what would be shown now."""
        values = self._tools.names(self._scratch.namespace)
        for name, then in zip(group.names, entry.previews, strict=False):
            now = preview(values[name])
            if (now.type, now.shape) != (then.type, then.shape) or _bare(now.text) != _bare(as_text(then.text)):
                return False
        return True

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

    def _judge(self, plan: ReplayPlan, results: Results) -> Replayed:
        """Say of each variable how sure it is that it is what it was."""
        verified: list[str] = []
        unverified: dict[str, str] = {}
        differing: dict[str, str] = {}
        counts = {step.commit: step.cell.execution_count for step in plan.steps}
        for entry in plan.wanted:
            if key_of(entry) not in results.given:
                continue
            found = {counts[commit]: self._findings[commit] for commit in sorted(plan.closure[key_of(entry)])}
            wrong = _listed({count: one.differing for count, one in found.items()})
            unsure = _listed({count: one.unsure for count, one in found.items()})
            unlike = _listed({count: one.unlike for count, one in found.items()})
            if wrong:
                differing.update(dict.fromkeys(entry.names, f"replayed, but not as recorded: {wrong}"))
            elif unsure:
                differing.update(dict.fromkeys(entry.names, f"replayed with {unsure}"))
            elif unlike:
                unverified.update(dict.fromkeys(entry.names, f"it may be otherwise than then: {unlike}"))
            elif any(one.same for one in found.values()):
                verified += entry.names
            else:
                sentence = "its cells made nothing else that could be compared with the record"
                unverified.update(dict.fromkeys(entry.names, sentence))
        return Replayed(results.given, tuple(sorted(verified)), unverified, differing, results.stale, results.missing)


_WITHOUT = "the session is as it was; without running cells again: --no-replay"
_ADDRESS = re.compile(r"0x[0-9a-fA-F]+")
_KEPT = frozenset({"get_ipython", "exit", "quit", "open", "display"})
_PLAIN = (str, bytes, int, float, bool, type(None))


def _empty(namespace: dict[str, Any], is_skipped: Callable[[str], bool]) -> dict[str, object]:
    """Take what else is there out of a namespace: IPython's outputs are live objects, too. Return what is to be had.

    That are plain values under names that are not recorded.
    """
    skipped = {n: v for n, v in namespace.items() if type(v) in _PLAIN and type(n) is str and is_skipped(n)}
    for name in list(namespace):
        if name not in _KEPT and not (type(name) is str and name.startswith("__") and name.endswith("__")):
            del namespace[name]
    if "get_ipython" in namespace:
        outputs: dict[int, object] = {}
        inputs = [""]
        namespace.update(In=inputs, _ih=inputs, Out=outputs, _oh=outputs, _dh=[])
    return skipped


def _listed(found: Mapping[int, list[str]]) -> str:
    return "; ".join(f"{', '.join(texts)} of [{count}]" for count, texts in found.items() if texts)


def _bare(text: str) -> str:
    return _ADDRESS.sub("", text)


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


def _names(entry: Covariable) -> str:
    return ", ".join(repr(name) for name in entry.names)


__all__ = ["Replay", "Replayed", "Tools"]
