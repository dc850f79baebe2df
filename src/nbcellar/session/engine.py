"""One kernel's recording session: what happens before and after a cell, and the commands that change the session.

Runs on the kernel's main thread. Invariant: nothing live is replaced before its present state is recorded; a command that
fails leaves variables, HEAD and recording as they were. Not for: IPython's hooks (`kernel.py`), writing (`writer.py`).
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from nbcellar.errors import NotFoundError, StoreUnavailableError
from nbcellar.history import steps
from nbcellar.history.doubts import doubtful_versions
from nbcellar.history.model import CellRun, CommitKind, State
from nbcellar.history.repository import Repository
from nbcellar.ids import CommitId, Digest, NotebookId, short
from nbcellar.session.ambient import AmbientReport, AmbientTracker
from nbcellar.session.analysis import NOTHING, Touch, touched_names
from nbcellar.session.encode import Limits
from nbcellar.session.jobs import Job, Version
from nbcellar.session.names import Names
from nbcellar.session.pending import make_pending
from nbcellar.session.plan import Plan
from nbcellar.session.preview import preview
from nbcellar.session.regions import Layout
from nbcellar.session.restore import Restored, Restorer
from nbcellar.session.tracker import Changed, Group, Observation, Tracker
from nbcellar.session.writer import Fixed, Position, Writer
from nbcellar.trust import gate

if TYPE_CHECKING:
    from nbcellar.config import Settings
    from nbcellar.trust.decisions import TrustStore
    from nbcellar.trust.keys import SigningKey

RANDOM_PARTS = frozenset({"random", "numpy.random", "torch"})
LOG_PACK_EVERY = 256
MOST_OBSERVED = 4096
UNCERTAIN = "it changed around that time without a cell that names it"
INTERRUPTED = "the capture was interrupted: this cell's variables are not recorded"


@dataclass(slots=True)
class RunningCell:
    """A cell between its hooks."""

    cell_id: str
    source: str
    touch: Touch
    started: float


class Session:
    """Records one namespace into one notebook's history."""

    def __init__(
        self,
        repo: Repository,
        notebook: NotebookId,
        namespace: dict[str, Any],
        names: Names,
        *,
        settings: Settings,
        key: SigningKey,
        decisions: TrustStore,
        fixed: Fixed,
        background: Callable[[], str],
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self.repo = repo
        self.notebook = notebook
        self.settings = settings
        self.names = names
        self.tracker = Tracker(namespace, names.is_recorded)
        self.tracker.memory_bytes = settings.record.memory_mb << 20
        self.ambient = AmbientTracker()
        self.clock = clock
        self._decisions = decisions
        self._background = background
        head = repo.head(notebook)
        self.writer = Writer(repo, key, Position(head.commit or repo.forked_from(notebook)), fixed)
        self._ambient_base: dict[str, bytes] = {}
        self._carried_drops: set[str] = set()
        self._carried_definitions: set[str] = set()
        self._look_everywhere = False
        self._opened = False
        self._resync = False
        self._cell: RunningCell | None = None
        self._finished: tuple[RunningCell, CellRun, bytes | None] | None = None
        self._observed: dict[int, Job] = {}
        self._ambient_reports: list[AmbientReport] = []
        self._not_restored: Mapping[str, str] = {}
        self.last_observation: Observation | None = None

    # cells --------------------------------------------------------------------------------------------------------

    def begin_cell(self, cell_id: str, source: str, transformed: str) -> None:
        """Note a cell that is about to run and what it can touch; let go of the user's memory."""
        self.finish_capture()
        self.writer.release(self.settings.record.memory_mb << 20)
        touch = touched_names(None, transformed, self.tracker.namespace, background=self._background())
        self._cell = RunningCell(cell_id, source, touch, time.perf_counter())

    def end_cell(self, run: CellRun, outputs: bytes | None) -> bool:
        """Note how the cell ended; True if there is something to capture, by `finish_capture`, before the next cell."""
        cell, self._cell = self._cell, None
        if cell is None:
            cell = RunningCell(run.cell_id, run.source, Touch(True, "its start was not seen", frozenset()), 0.0)
        self._finished = (cell, run, outputs)
        return True

    def finish_capture(self) -> None:
        """Look at what the last cell changed and hand it to the writer; nothing if that was done."""
        if self._finished is None:
            return
        (cell, run, outputs), self._finished = self._finished, None
        everything = cell.touch.everything or self._look_everywhere or bool(self._background())
        try:
            observation = self._observe(frozenset(self.tracker.by_name) if everything else cell.touch.names)
            job = self._job(CommitKind.AUTO, observation)
        except KeyboardInterrupt:
            self._resync = True  # whatever was looked at half is looked at again with the next cell
            job = Job(CommitKind.AUTO, self.clock(), state=False, notes=(INTERRUPTED,))
        self._look_everywhere = False
        job.cell, job.outputs = run, outputs
        self._submit(job)

    def skip_cell(self) -> None:
        """Forget the cell that was begun: it is not recorded, its changes show with the next one."""
        self._cell = None
        self._look_everywhere = True

    def attach(self) -> None:
        """Record the variables that are there, when recording begins in the middle of a session."""
        if self.tracker._user_objects():
            self._open_with(self._observe(None))
        # An empty namespace: the start is recorded with the first cell, so that a kernel nobody uses leaves no trace.

    def check_idle(self, slice_s: float) -> bool:
        """Hash what was not looked at lately, for `slice_s`; True when all was. A change found is recorded."""
        if self._finished is not None or not self._opened:
            return True
        observation = self._observe(NOTHING.names, check_s=slice_s)
        if observation.changed or observation.dropped_names:
            self._submit(self._between(observation))
            return True  # once until the next cell: what changes all the time would fill the history
        return observation.checked_all

    def tidy(self) -> None:
        """Housekeeping while nobody waits: small objects go into a log pack now and then."""
        if self.writer.commits_since_log_pack >= LOG_PACK_EVERY:
            self.writer.commits_since_log_pack = 0
            self.repo.store.write_log_pack()

    def close(self) -> None:
        """Leave the store in order: the log pack holds everything small, the write-ahead log is emptied."""
        if self.writer.commits_since_log_pack:
            self.repo.store.write_log_pack()
        self.repo.close()

    def earlier_session(self) -> tuple[tuple[str, ...], int] | None:
        """Return the names in the last recorded state and its time, if this kernel could bring any back."""
        head = self.repo.head(self.notebook).commit
        if head is None or self._opened:
            return None
        try:
            state = self.repo.read_state(head)
        except NotFoundError:
            return None
        names = tuple(sorted(name for entry in state.covariables if entry.value for name in entry.names))
        return (names, self.repo.read_commit(head).time_ns) if names else None

    # commands -----------------------------------------------------------------------------------------------------

    def wait_saved(self, timeout_s: float | None = None) -> bool:
        """Wait until everything recorded so far is durable; raise what kept it from being saved."""
        self.finish_capture()
        done = self.writer.wait(timeout_s)
        self._raise_failed()
        return done

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

    def undo(self, count: int = 1) -> dict[str, Any]:
        """Step variables and random state back over `count` cells; the code and everything else stay."""
        return self._step(CommitKind.UNDO, count, steps.undo_target)

    def redo(self, count: int = 1) -> dict[str, Any]:
        """Take back `count` undos."""
        return self._step(CommitKind.REDO, count, steps.redo_target)

    def _step(self, kind: CommitKind, count: int, find: Callable[..., steps.StepPlan]) -> dict[str, Any]:
        started = time.perf_counter()
        self._open()
        plan = find(self.repo, self._head(), count)
        restored = self._go(plan.target, RANDOM_PARTS, started, lambda: self._record_arrival(kind, plan.target))
        return self._report(restored) | {"undone": [self._step_text(commit) for commit in plan.steps]}

    def restore(self, target: CommitId | None) -> dict[str, Any]:
        """Bring a recorded state into this kernel; None: the last one before this kernel started."""
        started = time.perf_counter()
        self._open()
        where = self._before_start() if target is None else target
        restored = self._go(where, None, started, lambda: self._record_arrival(CommitKind.RESTORE, where))
        return self._report(restored) | {"target": where.hex()}

    def checkout(self, target: CommitId, branch: str | None) -> dict[str, Any]:
        """Bring variables and ambient state to `target` and move HEAD there; `branch`: the branch to be on, if any."""
        started = time.perf_counter()
        self._open()
        before = self._head()
        restored = self._go(target, None, started, lambda: self._move_head(target, branch, before))
        return self._report(restored) | {"target": target.hex()}

    def _go(
        self, target: CommitId, parts: frozenset[str] | None, started: float, arrive: Callable[[], None]
    ) -> Restored:
        """Bring the session to a recorded state; `arrive` notes in history that it is there.

        What is replaced is looked at, and recorded if it changed, before it goes; what stays, right after the swap: if
        that had changed without a cell, it is recorded, too, and brought to the target in a second turn.
        """
        self.finish_capture()
        state = self._recorded_names(self.repo.read_state(target))
        restored = self._with_doubts(self._turn(state, parts, started), state, target)
        arrive()
        later = self._observe(None)
        if later.changed or later.dropped_names:
            self._submit(self._between(later))
            again = self._turn(state, parts, started)
            arrive()
            restored = restored.followed_by(again)
        self.wait_saved()
        return restored

    def _with_doubts(self, restored: Restored, state: State, target: CommitId) -> Restored:
        """Add what is uncertain because a change was missed while `target` was made."""
        doubtful = doubtful_versions(self.repo, self.notebook, (entry.version for entry in state.covariables), target)
        names = {name: UNCERTAIN for c in state.covariables if c.version in doubtful for name in c.names}
        return dataclasses.replace(restored, uncertain=names | dict(restored.uncertain)) if names else restored

    def _turn(self, state: State, parts: frozenset[str] | None, started: float) -> Restored:
        restorer = Restorer(self.repo, self.tracker, self._permit, Limits(self.settings.record.memory_mb << 20))
        plan, layouts = self._look_at_replaced(restorer, state)
        self.wait_saved()
        ambient = self._ambient_of(state, parts)
        self.ambient.validate(ambient)
        reports = self._ambient_reports = []
        self._not_restored = plan.missing
        return restorer.restore(plan, layouts, lambda: reports.extend(self.ambient.restore(ambient)), started)

    def _look_at_replaced(self, restorer: Restorer, state: State) -> tuple[Plan, dict[Group, Layout]]:
        """Return a plan whose victims were hashed a moment ago, recorded if they had changed, and where they lie."""
        while True:
            plan = restorer.plan(state)
            names = {name for entry in plan.load for name in entry.names} | set(plan.remove) | plan.doubtful.keys()
            victims = {group for group in self.tracker.groups() if not names.isdisjoint(group.names)}
            layouts: dict[Group, Layout] = {}
            self.tracker.layouts = layouts
            try:
                observation = self._observe(frozenset(), only=victims)
            finally:
                self.tracker.layouts = None
            if not observation.changed and not observation.dropped_names:
                return plan, layouts
            self._submit(self._between(observation))

    def _open(self) -> None:
        """Record the start of this kernel, if no cell has yet."""
        self.finish_capture()
        if not self._opened:
            self._opened = True
            self._send([Job(CommitKind.START, self.clock(), fresh=True)])
        self.wait_saved()

    # inside -------------------------------------------------------------------------------------------------------

    def _observe(
        self, touched: frozenset[str] | None, check_s: float | None = None, only: Collection[Group] | None = None
    ) -> Observation:
        record = self.settings.record
        if self._resync:  # the last commit was not saved: look at everything as if it were new
            self._resync = False
            self._carried_drops |= set(self.tracker.by_name)
            self._carried_definitions |= set(self.tracker.by_uid)
            self.tracker.by_name.clear()
            self.tracker.by_uid.clear()
            self._ambient_base = {}
        if touched is not None and self.writer.torn:
            touched = touched | self.writer.torn
            self.writer.torn = set()
        budget = record.check_ms / 1000 if check_s is None else check_s
        observation = self.tracker.observe(
            touched, check_s=budget, deadline=time.perf_counter() + record.budget_s, only=only
        )
        self.last_observation = observation
        return observation

    def _job(self, kind: CommitKind, observation: Observation | None) -> Job:
        job = Job(kind, self.clock(), names=len(self.tracker.by_name))
        dropped = set(self._carried_drops)
        self._carried_drops = set()
        if observation is not None:
            dropped.update(observation.dropped_names)
            job.versions = [self._version(change) for change in observation.changed]
            job.notes = tuple(_note(change) for change in observation.changed if change.unseen)
            job.doubts = tuple(
                (change.doubtful, self._observed.get(change.doubtful_since))
                for change in observation.changed
                if change.doubtful
            )
            self._remember(observation.number, job)
        definitions = set(self._carried_definitions)
        self._carried_definitions = set()
        if observation is not None:
            definitions.update(observation.dropped_definitions)
        job.dropped = tuple(sorted(dropped - {n for version in job.versions for n in version.group.names}))
        job.dropped_definitions = tuple(sorted(definitions - {u for v in job.versions for u in v.group.defines}))
        job.ambient = self._ambient_changes()
        return job

    def _version(self, change: Changed) -> Version:
        group = change.group
        previews = tuple(preview(obj) for obj in change.objects[: len(group.names)])
        limit = self.settings.record.max_variable_mb << 20
        if group.size_bytes > limit:
            group.reason = f"it is larger than the cap of {self.settings.record.max_variable_mb} MiB for a variable"
            change.encoded = None
        return Version(group, previews, make_pending(change, previews))

    def _remember(self, number: int, job: Job) -> None:
        """Keep which commit an observation became, as long as some variable was last hashed then."""
        self._observed[number] = job
        if len(self._observed) > MOST_OBSERVED:
            oldest = min((group.verified for group in self.tracker.groups()), default=number)
            self._observed = {n: j for n, j in self._observed.items() if n >= oldest}

    def _ambient_changes(self) -> dict[str, bytes | None]:
        now = self.ambient.capture(self.tracker.namespace)
        base = self._ambient_base
        changes: dict[str, bytes | None] = {part: data for part, data in now.items() if base.get(part) != data}
        changes.update({part: None for part in base if part not in now})
        self._ambient_base = dict(now)
        return changes

    def _between(self, observation: Observation) -> Job:
        return self._job(CommitKind.BETWEEN, observation)

    def _open_with(self, observation: Observation) -> None:
        job = self._job(CommitKind.ATTACH, observation)
        job.fresh, job.dropped = True, ()
        self._opened = True
        self._send([job])

    def _submit(self, job: Job) -> None:
        if self._opened:
            self._send([job])
            return
        self._opened = True
        start = Job(CommitKind.START, job.time_ns, fresh=True)
        self._send([start, job])

    def _send(self, jobs: list[Job]) -> None:
        if self.writer.failed is not None:
            self._resync = True  # found at the next look; what is in hand is saved relative to what was lost
        self.writer.submit(jobs)

    def _raise_failed(self) -> None:
        error, self.writer.failed = self.writer.failed, None
        if error is not None:
            self._resync = True
            raise StoreUnavailableError(
                f"the last changes were not saved: {error}",
                hint="they are recorded with the next cell, if that works again",
            ) from error

    def _settle(self) -> None:
        """Record everything as it is now and wait until it is durable."""
        self._open()
        observation = self._observe(None)
        if observation.changed or observation.dropped_names:
            self._submit(self._between(observation))
        self.wait_saved()

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
                if self.repo.read_state(parent).covariables:
                    return parent
            current = parent
        raise NotFoundError(
            "there is no earlier session of this notebook to restore",
            hint="see the recorded points with: cellar log --all",
        )

    def _recorded_names(self, state: State) -> State:
        """Leave out what this kernel does not record: such names are neither removed nor replaced."""
        return msgspec.structs.replace(
            state,
            covariables=tuple(c for c in state.covariables if not any(self.names.is_skipped(name) for name in c.names)),
        )

    def _ambient_of(self, state: State, parts: frozenset[str] | None) -> dict[str, bytes]:
        wanted = {part: digest for part, digest in state.ambient.items() if parts is None or part in parts}
        return {part: self.repo.store.read(Digest(digest)) for part, digest in wanted.items()}

    def _record_arrival(self, kind: CommitKind, target: CommitId) -> None:
        """Record that the session is at `target`'s state, with what differs from it."""
        job = Job(kind, self.clock(), at=target, base=target, names=len(self.tracker.by_name))
        job.dropped = tuple(sorted(self._not_restored))
        there = self._ambient_of(self.repo.read_state(target), None)
        now = self.ambient.capture(self.tracker.namespace)
        job.ambient = {part: data for part, data in now.items() if there.get(part) != data}
        job.ambient.update({part: None for part in there if part not in now})
        self._ambient_base = dict(now)
        self._send([job])

    def _move_head(self, target: CommitId, branch: str | None, before: CommitId) -> None:
        """Note in history that the session is at `target` itself: the next cell's commit is its child."""
        self._carried_drops = set(self._not_restored)
        self._ambient_base = self._ambient_of(self.repo.read_state(target), None)
        position = self.writer.position
        position.head, position.base, position.branch = target, target, None
        self.repo.move_head(self.notebook, target, branch=branch, description=f"checkout from {short(before)}")

    def _permit(self, commit: CommitId) -> gate.LoadPermit:
        signed = self.repo.read_signed(commit)
        return gate.permit(
            commit, signed.payload, signed.signature, signed.key, project=self.repo.project, decisions=self._decisions
        )

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
            "head": head.hex() if head is not None else "",
            "branch": self.repo.head(self.notebook).branch,
            "seconds": restored.seconds,
        }

    def _step_text(self, commit_id: CommitId) -> dict[str, Any]:
        commit = self.repo.read_commit(commit_id)
        source = commit.cell.source if commit.cell else ""
        count = commit.cell.execution_count if commit.cell else 0
        return {"cell": _first_line(source), "execution_count": count, "commit": commit_id.hex()}


def _first_line(source: str) -> str:
    lines = [line for line in source.splitlines() if line.strip()]
    return lines[0].strip()[:80] if lines else ""


def _note(change: Changed) -> str:
    names = ", ".join(change.group.names) or ", ".join(change.group.defines)
    return f"{names}: changed without a cell that names it"


def status_of(session: Session) -> Mapping[str, Any]:
    """Return where recording stands, for `cellar status`."""
    head = session.writer.position.head
    return {
        "saving": session.writer.pending,
        "head": head.hex() if head is not None else "",
        "branch": session.writer.position.branch or session.repo.head(session.notebook).branch,
        "variables": len(session.tracker.by_name),
        "not_stored": {name: g.reason for name, g in session.tracker.by_name.items() if g.reason},
        "skipped": sorted(name for name in session.tracker.namespace if session.names.is_skipped(name)),
        "failed": str(session.writer.failed) if session.writer.failed else "",
        "saved_bytes": session.writer.saved_bytes,
    }
