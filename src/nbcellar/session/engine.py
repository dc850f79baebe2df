"""One kernel's session: recording, and the commands that change it.

Runs on the kernel's main thread. Invariant: nothing live is replaced before its present state is recorded; a command
that fails leaves variables, HEAD and recording as they were. Not for: IPython's hooks (`kernel.py`).
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Collection
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import msgspec

from nbcellar.errors import CannotRestoreError, CellarError, CorruptStoreError, NotFoundError, StoreUnavailableError
from nbcellar.history import steps
from nbcellar.history.doubts import doubtful_versions
from nbcellar.history.model import CommitKind, State
from nbcellar.history.thin import is_thinned, nearest_states, without_thinned
from nbcellar.ids import CommitId, Digest, short
from nbcellar.session.caches import empty_caches
from nbcellar.session.encode import Limits
from nbcellar.session.groups import Group, Observation
from nbcellar.session.jobs import Job
from nbcellar.session.plan import Plan, leave_out
from nbcellar.session.recorder import HistoryMovedError, Recorder
from nbcellar.session.regions import Layout
from nbcellar.session.replay.replayer import AskedError, Replayer, Wish
from nbcellar.session.signals import signals_held
from nbcellar.session.surroundings.ambient import FIGURES, RANDOM_PARTS
from nbcellar.session.surroundings.imports import notes as import_notes
from nbcellar.trust import gate

if TYPE_CHECKING:
    from nbcellar.session.replay.aside import Replayed
    from nbcellar.session.restore import Restored, Restorer


STEP_PARTS = RANDOM_PARTS | {FIGURES}  # what an undo turns back beside variables
UNCERTAIN = "it changed around that time without a cell that names it"
_MOST_LOOKS = 20


class Session(Recorder):
    """A recorder that can also take its namespace to any recorded state."""

    @cached_property
    def replayer(self) -> Replayer:
        """Runs cells again, where that is wished."""
        return Replayer(self)

    def earlier_session(self) -> tuple[tuple[str, ...], int] | None:
        """Return the names in the last recorded state and its time, if this kernel could bring any back."""
        head = self.repo.head(self.notebook).commit
        if head is None or self._opened:
            return None
        head = self._with_state(head)
        if head is None:
            return None
        state = self.repo.read_state(head)
        names = tuple(sorted(name for entry in state.covariables if entry.value for name in entry.names))
        return (names, self.repo.read_commit(head).time_ns) if names else None

    def commit(self, message: str) -> CommitId:
        """Make a named commit of variables and code."""
        self._settle()
        job = self._job(CommitKind.NAMED, None)
        job.message = message
        self._submit(job)
        self.wait_saved()
        if job.commit is None:
            raise StoreUnavailableError("the commit was not saved")
        return job.commit

    def undo(
        self, count: int = 1, without: Collection[str] = (), replay: Wish = "no", *, to: CommitId | None = None
    ) -> dict[str, Any]:
        """Step variables and random state back over `count` cells, or `to` a commit; the code and all else stay.

        without: variables that are not brought back, here and in the other commands; what they are now is recorded.
        replay: whether cells may run again for what is not stored; "ask" gives {"ask": ...} and changes nothing, and so
        does the id of an answer, where other cells would run by now.
        """

        def step() -> dict[str, Any]:
            self._open()
            target = self._as_rewritten(to)
            number = count if target is None else steps.require_undos_to(self.repo, self._head(), target)
            return self._step(CommitKind.UNDO, number, steps.undo_target, without, replay)

        return self._in_present_history(step)

    def redo(self, count: int = 1, without: Collection[str] = (), replay: Wish = "no") -> dict[str, Any]:
        """Take back `count` undos."""
        return self._in_present_history(lambda: self._step(CommitKind.REDO, count, steps.redo_target, without, replay))

    def restore(self, target: CommitId | None, without: Collection[str] = (), replay: Wish = "no") -> dict[str, Any]:
        """Bring a recorded state into this kernel; None: the last one before this kernel started."""
        return self._in_present_history(lambda: self._restore(self._as_rewritten(target), without, replay))

    def checkout(
        self, target: CommitId, branch: str | None, without: Collection[str] = (), replay: Wish = "no"
    ) -> dict[str, Any]:
        """Bring variables and ambient state to `target` and move HEAD there; `branch`: the branch to be on, if any."""
        return self._in_present_history(
            lambda: self._checkout(self._as_rewritten(target) or target, branch, without, replay)
        )

    def take(self, target: CommitId, names: Collection[str]) -> dict[str, Any]:
        """Bring single variables of `target` into the session; see `taking.take`."""
        from nbcellar.session.taking import take

        return self._in_present_history(lambda: take(self, self._as_rewritten(target) or target, names))

    def _in_present_history(self, command: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Carry out a command; once more if history was rewritten or collected under it, by whomever.

        What this kernel has in memory of the old history must not come back. That is asked after the swap, which can be
        put back: to ask before it takes longer than all the rest of a small undo.
        """
        try:
            try:
                return command()
            except HistoryMovedError:
                pass
            except CellarError:
                if not self.repo.refresh():
                    raise
            self.writer.wait()
            self.writer.follow_rewriting()
            return command()
        except AskedError as asked:
            return {"ask": asked.answer}
        except HistoryMovedError:
            raise StoreUnavailableError("history is being rewritten all the time", hint="try again later") from None

    def _as_rewritten(self, target: CommitId | None) -> CommitId | None:
        if target is None or self.repo.has_commit(target):
            return target
        return self.repo.rewritten_to(self.notebook, target) or target

    def _restore(self, target: CommitId | None, without: Collection[str], replay: Wish) -> dict[str, Any]:
        started = time.perf_counter()
        self._open()
        where = self._before_start() if target is None else target
        arrive = partial(self._record_arrival, CommitKind.RESTORE, where, where)
        restored = self._go(where, None, started, arrive, without, replay)
        self.has_restored = True
        return self._report(restored) | {"target": where.hex()}

    def _checkout(self, target: CommitId, branch: str | None, without: Collection[str], replay: Wish) -> dict[str, Any]:
        started = time.perf_counter()
        self._open()
        before = self._head()
        restored = self._go(target, None, started, lambda: self._move_head(target, branch, before), without, replay)
        return self._report(restored) | {"target": target.hex()}

    def _step(
        self,
        kind: CommitKind,
        count: int,
        find: Callable[..., steps.StepPlan],
        without: Collection[str],
        replay: Wish,
    ) -> dict[str, Any]:
        started = time.perf_counter()
        self._open()
        plan = find(self.repo, self._head(), count)
        while not self._has_state(plan.state):  # its capture was interrupted: the next one, then
            count += 1
            plan = find(self.repo, self._head(), count)
        arrive = partial(self._record_arrival, kind, plan.target, plan.state)
        restored = self._go(plan.state, STEP_PARTS, started, arrive, without, replay)
        return self._report(restored) | {"undone": [self._step_text(commit) for commit in plan.steps]}

    def _has_state(self, commit: CommitId) -> bool:
        try:
            self.repo.read_state(commit)
        except NotFoundError:
            return False
        return True

    def _go(
        self,
        target: CommitId,
        parts: frozenset[str] | None,
        started: float,
        arrive: Callable[[], None],
        without: Collection[str],
        replay: Wish,
    ) -> Restored:
        """Bring the session to a recorded state; `arrive` notes in history that it is there.

        What is replaced is looked at, and recorded if it changed, before it goes; what stays, right after the swap: if
        that had changed without a cell, it is recorded, too, and brought to the target in a second turn. If anything
        fails before all is durable, an interrupt included, the session is put back to what it was.
        """
        self.finish_capture()
        state = without_thinned(self.repo, self._recorded_names(self.repo.read_state(target)))
        if without:
            state = msgspec.structs.replace(state, covariables=leave_out(state.covariables, without))
        replayed = self._replay(target, state, without, replay)
        before = self.ambient.capture(only=parts)
        turns: list[Restorer] = []
        arrived = False
        try:
            restored = self._turn(target, state, parts, started, turns, replayed)
            later = self._observe(None)
            if later.changed or later.dropped_names:
                self._submit(self._seen_too_late(later))
                restored = restored.followed_by(self._turn(target, state, parts, started, turns))
            if self.repo.refresh():
                raise HistoryMovedError
            self.wait_saved()
            self.work.settle()
            with signals_held():
                arrive()
                arrived = True
            self.wait_saved()
        except BaseException as error:
            if not (arrived and isinstance(error, KeyboardInterrupt)):  # else it is done, but not waited for
                with signals_held():
                    self._put_back(turns, before)
            raise
        there = {*restored.kept, *(replayed.names if replayed is not None else ())}
        if any(is_thinned(entry) for entry in state.covariables if not there.isdisjoint(entry.names)):
            self.writer.lacking = True  # it lives on here, and is to be stored again
        for turn in turns:
            turn.finish()
        tracked = self.tracker.by_name
        self._kept_used = {name: tracked[name].version[:8] for name in tracked.keys() & self._doubtful}
        if restored.loaded or restored.removed:
            emptied = empty_caches(self.tracker.variables(), self.tracker.namespace)
            restored = dataclasses.replace(restored, emptied=emptied)
        restored = self._with_doubts(self._with_stale(restored), state, target)
        return _with_replay(restored, replayed) if replayed is not None else restored

    def _replay(self, target: CommitId, state: State, without: Collection[str], wish: Wish) -> Replayed | None:
        """Run cells again, aside, for what cannot be loaded; None where that is not needed or not wished."""
        from nbcellar.session.restore import Restorer

        self.replayer.answer = None
        if all(entry.value is not None for entry in state.covariables):
            return None
        plan = Restorer(self.repo, self.tracker, self.permit, Limits()).plan(state)
        found = self.replayer.consider(plan, target, state, wish, without)
        if found is None:
            return None
        if self.repo.refresh():  # before anything runs: what was agreed to is a list of the history as it is
            raise HistoryMovedError
        return self.replayer.run(found, target, state)

    def _with_stale(self, restored: Restored) -> Restored:
        """Go on saying what holds on to objects that an earlier command replaced, as long as it is still there."""
        namespace, tracked = self.tracker.namespace, self.tracker.by_name
        self._stale.update({name: (id(namespace.get(name)), why) for name, why in restored.stale.items()})
        self._stale = {
            name: (ident, why)
            for name, (ident, why) in self._stale.items()
            if name in tracked and tracked[name].reason and id(namespace.get(name)) == ident
        }
        uncertain = {name: why for name, (_, why) in self._stale.items()}
        return dataclasses.replace(restored, uncertain=uncertain | dict(restored.uncertain))

    def _put_back(self, turns: list[Restorer], ambient: dict[str, bytes]) -> None:
        """Make the session what it was before the turns, and look at all of it anew before anything is recorded."""
        reverted = [turn.revert() for turn in reversed(turns)]
        if any(reverted):
            self.ambient.restore(ambient)
            self._resync = True

    def _seen_too_late(self, observation: Observation) -> Job:
        """Return the commit of a change that was found after the swap: it had happened before."""
        surroundings = self._ambient_base
        job = self._between(observation)
        job.ambient = {}
        self._ambient_base = surroundings
        return job

    def _with_doubts(self, restored: Restored, state: State, target: CommitId) -> Restored:
        """Add what is uncertain because a change was missed while `target` was made."""
        doubtful = doubtful_versions(self.repo, self.notebook, (entry.version for entry in state.covariables), target)
        names = {name: UNCERTAIN for c in state.covariables if c.version in doubtful for name in c.names}
        return dataclasses.replace(restored, uncertain=names | dict(restored.uncertain)) if names else restored

    def _turn(
        self,
        target: CommitId,
        state: State,
        parts: frozenset[str] | None,
        started: float,
        turns: list[Restorer],
        replayed: Replayed | None = None,
    ) -> Restored:
        from nbcellar.session.restore import Restorer  # most kernels never go back: 10 ms at their start

        restorer = Restorer(self.repo, self.tracker, self.permit, Limits(self.settings.record.memory_mb << 20))
        turns.append(restorer)
        restorer.given, restorer.tell = replayed.given if replayed is not None else {}, self.work.tell
        plan, layouts = self._look_at_replaced(restorer, state)
        self._require_values(target, state, plan)
        self.wait_saved()
        if torn := self.writer.torn.intersection({*plan.remove, *(n for entry in plan.load for n in entry.names)}):
            raise CannotRestoreError(
                f"{', '.join(sorted(torn))} changed while it was being saved, so nothing was replaced",
                hint="stop the thread that changes it",
            )
        ambient = self.ambient_of(state, parts)
        self.permit_ambient(target, {state.ambient[part] for part in ambient})
        self.ambient.load_streams(ambient)
        self.ambient.validate(ambient)
        reports = self._ambient_reports = []
        self._not_restored, self._doubtful = plan.missing, plan.doubtful
        return restorer.restore(plan, layouts, lambda: reports.extend(self.ambient.restore(ambient)), started)

    def _require_values(self, target: CommitId, state: State, plan: Plan) -> None:
        """Raise CannotRestoreError if values that would be needed were thinned out: what is live is not given up for
        a part of what was asked for, unless that is said."""
        lost = {n: c.reason for c in state.covariables if is_thinned(c) for n in c.names if n in plan.missing}
        if not lost:
            return
        near = nearest_states(self.repo, target, lost.keys())
        places = " and ".join(short(commit) for commit in near)
        whole = (
            f"near it, {places} {'has' if len(near) == 1 else 'have'} all values of these" if near else "no other has"
        )
        if self.replayer.answer is not None and self.replayer.answer["cells"]:
            whole = f"cells can make them again: --replay; {whole}"
        options = " ".join(f"--without {name}" for name in sorted(lost))
        listed = ", ".join(f"'{name}' ({reason})" for name, reason in sorted(lost.items()))
        raise CannotRestoreError(
            f"state {short(target)} no longer has all its values: {listed}",
            hint=f"the session is as it was; {whole}; the same command with {options} brings back the rest",
        )

    def _look_at_replaced(self, restorer: Restorer, state: State) -> tuple[Plan, dict[Group, Layout]]:
        """Return a plan whose victims were hashed a moment ago, recorded if they had changed, and where they lie."""
        settled: set[str] = set()  # looked at twice with nothing run in between, and different each time
        looked: set[str] = set()
        for _ in range(_MOST_LOOKS):
            plan = restorer.plan(state)
            names = {name for entry in plan.load for name in entry.names} | set(plan.remove) | plan.doubtful.keys()
            victims = {group for group in self.tracker.groups() if not names.isdisjoint(group.names)}
            layouts: dict[Group, Layout] = {}
            self.tracker.layouts = layouts
            try:
                observation = self._observe(frozenset(), only=victims)
            finally:
                self.tracker.layouts = None
            changed = {name for change in observation.changed for name in change.group.names}
            if changed <= settled and not observation.dropped_names and not self._everything_anew:
                return plan, layouts
            self._submit(self._between(observation))
            if not self._background():  # nobody changes it: its pickles differ, as those of objects with counters do
                settled |= changed & looked
            looked |= changed
        names_of = ", ".join(sorted({name for change in observation.changed for name in change.group.names}))
        raise CannotRestoreError(
            f"{names_of} changed all the time, so nothing was replaced", hint="stop the threads that change variables"
        )

    def _head(self) -> CommitId:
        head = self.writer.position.head
        if head is None:
            raise NotFoundError("nothing is recorded yet", hint="run a cell first")
        return head

    def _before_start(self) -> CommitId:
        """Return the last commit with variables before this kernel's start."""
        current: CommitId | None = self._head()
        while current is not None:
            commit = self.repo.read_commit(current)
            parent = CommitId(commit.parents[0]) if commit.parents else None
            if commit.kind in (CommitKind.START, CommitKind.ATTACH) and parent is not None:
                found = self._with_state(parent)
                if found is not None and self.repo.read_state(found).covariables:
                    return found
            current = parent
        raise NotFoundError(
            "there is no earlier session of this notebook to restore",
            hint="see the recorded points with: cellar log --all",
        )

    def _with_state(self, commit: CommitId) -> CommitId | None:
        """Return the commit, or the last one before it whose capture was not interrupted."""
        current: CommitId | None = commit
        while current is not None and not self._has_state(current):
            current = self.repo.node(current).parent
        return current

    def _recorded_names(self, state: State) -> State:
        """Leave out what this kernel does not record: such names are neither removed nor replaced."""
        return msgspec.structs.replace(
            state,
            covariables=tuple(c for c in state.covariables if not any(self.names.is_skipped(name) for name in c.names)),
        )

    def ambient_of(self, state: State, parts: frozenset[str] | None) -> dict[str, bytes]:
        wanted = {part: digest for part, digest in state.ambient.items() if parts is None or part in parts}
        return {part: self.repo.read_object(Digest(digest)) for part, digest in wanted.items()}

    def _record_arrival(self, kind: CommitKind, target: CommitId, state: CommitId) -> None:
        """Record that the session is at `target`, with what differs from the state that it was brought to."""
        job = Job(kind, self.clock(), at=target, base=state, names=len(self.tracker.by_name))
        job.dropped = tuple(sorted(self._not_restored))
        there = self.ambient_of(self.repo.read_state(state), None)
        now = self.ambient.capture(self.tracker.variables())
        job.ambient = {part: data for part, data in now.items() if there.get(part) != data}
        job.ambient.update({part: None for part in there if part not in now})
        self._ambient_base = dict(now)
        self._carried_drops, self._everything_anew = set(), False
        self._send([job])

    def _move_head(self, target: CommitId, branch: str | None, before: CommitId) -> None:
        """Note in history that the session is at `target` itself: the next cell's commit is its child."""
        surroundings = self.ambient_of(self.repo.read_state(target), None)
        words = f"check out {f'{branch} at ' if branch else ''}{short(target)}, was {short(before)}"
        self.repo.move_head(self.notebook, target, branch=branch, description=words)
        self._carried_drops, self._everything_anew = set(self._not_restored), False
        self._ambient_base = surroundings
        position = self.writer.position
        position.head, position.base, position.branch = target, target, None

    def permit(self, commit: CommitId) -> gate.LoadPermit:
        signed = self.repo.read_signed(commit)
        return gate.permit(
            commit, signed.payload, signed.signature, signed.key, project=self.repo.project, decisions=self._decisions
        )

    def permit_ambient(self, target: CommitId, digests: set[bytes]) -> None:
        """Raise NotTrustedError unless `target` and all who recorded these parts are trusted.

        A search path or an environment decides what code runs, as much as a pickle does.
        """
        self.permit(target)
        current: CommitId | None = target
        missing = digests - self._trusted_ambient
        while missing and current is not None:
            delta = self.repo.read_commit(current).state
            found = missing.intersection(delta.ambient.values()) if delta is not None else set()
            if found:
                self.permit(current)
                self._trusted_ambient |= found
                missing -= found
            current = CommitId(delta.base) if delta is not None and delta.base is not None else None
        if missing:
            raise CorruptStoreError(f"commit {short(target)} has surroundings that no commit before it recorded")

    def _report(self, restored: Restored) -> dict[str, Any]:
        head = self.writer.position.head
        ambient = {report.part: report.detail for report in self._ambient_reports if report.detail}
        return {
            "kept": list(restored.kept),
            "loaded": list(restored.loaded),
            "removed": list(restored.removed),
            "uncertain": dict(restored.uncertain),
            "not_restored": dict(restored.not_restored) | ambient,
            "threads": list(restored.threads),
            "replayed": list(restored.replayed),
            "unverified": dict(restored.unverified),
            "replay": self.replayer.answer,
            "notes": [*restored.notes(), *import_notes({r.part: r.lacks for r in self._ambient_reports})],
            "head": head.hex() if head is not None else "",
            "branch": self.writer.position.branch or self.repo.head(self.notebook).branch,
            "seconds": restored.seconds,
        }

    def _step_text(self, commit_id: CommitId) -> dict[str, Any]:
        commit = self.repo.read_commit(commit_id)
        step: dict[str, Any] = {
            "kind": commit.kind.value,
            "cell": "",
            "execution_count": None,
            "commit": commit_id.hex(),
        }
        if commit.cell is not None:
            step |= {"cell": _first_line(commit.cell.source), "execution_count": commit.cell.execution_count}
        return step


def _with_replay(restored: Restored, replayed: Replayed) -> Restored:
    """Tell what cells brought back from what was loaded."""
    names = set(replayed.names)
    return dataclasses.replace(
        restored,
        loaded=tuple(name for name in restored.loaded if name not in names),
        replayed=tuple(sorted(names)),
        unverified=dict(replayed.unverified),
        uncertain={**restored.uncertain, **replayed.stale, **replayed.differing},
    )


def _first_line(source: str) -> str:
    lines = [line for line in source.splitlines() if line.strip()]
    return lines[0].strip()[:80] if lines else ""
