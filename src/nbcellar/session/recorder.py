"""What happens before and after a cell: look at the session, and hand what changed to the writer.

Runs on the kernel's main thread. Invariant: each observation becomes exactly one commit, or a note why it did not; the
user's memory is let go of before the next cell. Not for: changing the session (`engine.py`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from blake3 import blake3

from nbcellar.errors import StoreUnavailableError
from nbcellar.history.model import NO_ROOM, CellRun, CommitKind, Preview
from nbcellar.history.repository import FOLDER, Repository
from nbcellar.ids import NotebookId
from nbcellar.session.figures import drawn_since, open_figures, with_figures
from nbcellar.session.groups import Changed, Group, Observation
from nbcellar.session.jobs import Job, Version
from nbcellar.session.memory import return_free_memory
from nbcellar.session.names import Names, NeverStore, as_text, is_text
from nbcellar.session.pending import make_pending
from nbcellar.session.previews.preview import preview
from nbcellar.session.reducers.registry import take_broken
from nbcellar.session.room import fits_now
from nbcellar.session.surroundings.ambient import AmbientReport, AmbientTracker
from nbcellar.session.thinning import Thinning
from nbcellar.session.tickets import Work
from nbcellar.session.touched.analysis import NOTHING, Touch, touched_names
from nbcellar.session.tracker import Tracker
from nbcellar.session.writer import Fixed, Position, Writer

if TYPE_CHECKING:
    from nbcellar.config import Settings
    from nbcellar.trust.decisions import TrustStore
    from nbcellar.trust.keys import SigningKey

LOG_PACK_EVERY = 256
LOG_PACK_AFTER_S = 600.0  # what meta.db alone holds of an idle kernel is not older than this
MOST_OBSERVED = 4096
LONG_S = 0.05
LONGEST_IDLE_S = 0.5  # a larger value is not hashed while idle: a cell that starts then would have to wait for it
EVERYTHING = ("*",)
KEPT_USED = "it was kept by an undo, checkout or restore, though it had been used since that state"
INTERRUPTED = "the capture was interrupted: this cell's variables are not recorded"


@dataclass(slots=True)
class RunningCell:
    """A cell between its hooks."""

    cell_id: str
    source: str
    touch: Touch
    started: float
    reads: tuple[str, ...] | None = None
    figures: tuple[str, ...] = ()  # what pyplot held then, if the cell may have drawn: the last one was current


class HistoryMovedError(Exception):
    """History was rewritten or collected while a command was on its way."""


class Recorder:
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
        background: Callable[[], str] = lambda: "",
        autoreload: Callable[[], bool] = lambda: False,
        clock: Callable[[], int] = time.time_ns,
        ambient: AmbientTracker | None = None,
        position: Position | None = None,
    ) -> None:
        """ambient: that of this process, where sessions follow each other. position: in history, if it is not HEAD."""
        self.repo, self.notebook = repo, notebook
        self.settings = settings
        self.names = names
        never = NeverStore(settings.record.never_store_names, settings.record.never_store)
        self.tracker = Tracker(namespace, lambda space: with_figures(names.recorded(space)), names.initial, never)
        self.tracker.memory_bytes = settings.record.memory_mb << 20
        self.ambient = ambient or AmbientTracker(names.is_skipped)
        self.clock = clock
        self.key = key
        self._decisions = decisions
        self._background = background
        self.work = Work()  # what a request has it do
        self.interruptible: Callable[[], AbstractContextManager[None]] = nullcontext
        self._autoreload = autoreload
        position = position or Position(repo.head(notebook).commit or repo.forked_from(notebook))
        self.writer = Writer(repo, key, position, fixed)
        self.writer.cap_bytes = settings.record.max_store_mb << 20
        self._ambient_base: dict[str, bytes] = {}
        self._trusted_ambient: set[bytes] = set()  # digests of parts that this kernel recorded, or was let to load
        self._carried_drops: set[str] = set()
        self._everything_anew = False
        self._look_everywhere = False
        self._missed = False  # a cell ran of which no state was recorded
        self._kept_used: dict[str, bytes] = {}  # kept by a command though it was used since: which object it was
        self._opened = False
        self._start: Job | None = None
        self._resync = False
        self._used_memory = False
        self._idle_from: int | None = None  # the last observation before the kernel became idle
        self._epoch = 0
        self._cell: RunningCell | None = None
        self._finished: tuple[RunningCell, CellRun, Callable[[], bytes | None], tuple[str, int]] | None = None
        self._observed: dict[int, Job] = {}
        self._ambient_reports: list[AmbientReport] = []
        self._stale: dict[str, tuple[int, str]] = {}  # what holds on to objects that a command replaced: id, why
        self._not_restored: Mapping[str, str] = {}
        self._doubtful: Mapping[str, str] = {}
        self.last_observation: Observation | None = None
        self._logged_at = time.monotonic()
        self._thinning = Thinning(repo.root / FOLDER) if settings.keep.auto and not repo.store.read_only else None
        self.interrupted = 0  # captures that an interrupt ended
        self.has_restored = False  # a state was brought back in this kernel

    def record_into(self, notebook: NotebookId) -> None:
        """Record into another notebook, or scope, than this was made for; before anything was."""
        self.notebook = notebook
        self.writer.record_into(notebook)

    def begin_cell(self, cell_id: str, source: str, transformed: str) -> None:
        """Note a cell that is about to run and what it can touch; let go of the user's memory."""
        self.finish_capture()
        self._idle_from = None
        self.writer.release(self.settings.record.memory_mb << 20)
        touch = touched_names(
            None,
            transformed,
            self.tracker.namespace,
            background=self._background(),
            autoreload=self._autoreload(),
            codeless=self.tracker.codeless_names(),
        )
        there = self.tracker.by_name
        reads = EVERYTHING if touch.everything else tuple(sorted(name for name in touch.names if name in there))
        figures = tuple(open_figures()) if touch.plots else ()
        self._cell = RunningCell(cell_id, source, touch, time.perf_counter(), reads, figures)

    def end_cell(self, run: CellRun, outputs: Callable[[], bytes | None], sender: tuple[str, int] = ("", 0)) -> None:
        """Note how the cell ended; `finish_capture` records it, at the latest before the next cell.

        outputs: asked then, when what the cell wrote has been sent. sender: as in `Job`.
        """
        cell, self._cell = self._cell, None
        if cell is None:
            cell = RunningCell(run.cell_id, run.source, Touch(True, "its start was not seen", frozenset()), 0.0)
        self._finished = (cell, run, outputs, sender)

    def finish_capture(self) -> None:
        """Look at what the last cell changed and hand it to the writer; nothing if that was done."""
        if self._finished is None:
            return
        (cell, run, outputs, sender), self._finished = self._finished, None
        everything = cell.touch.everything or self._look_everywhere or bool(self._background())
        failure: Exception | None = None
        missed = self._missed or self._look_everywhere or self._epoch != self.writer.epoch
        unsaved = self.writer.failed if self._epoch != self.writer.epoch else None
        try:
            with self.interruptible():
                names = cell.touch.names | drawn_since(cell.figures, cell.source)
                observation = self._observe(frozenset(self.tracker.by_name) if everything else names)
                self.ambient.note_imports(cell.source)
                job = self._job(CommitKind.AUTO, observation)
        except KeyboardInterrupt:
            job = Job(CommitKind.AUTO, self.clock(), state=False, notes=(INTERRUPTED,))
            self.interrupted += 1
        except Exception as error:
            failure, note = error, as_text(f"the capture failed: {type(error).__name__}: {error}")
            job = Job(CommitKind.AUTO, self.clock(), state=False, notes=(note,))
        self._look_everywhere, self._missed = False, not job.state
        if unsaved is not None:
            job.notes = (*job.notes, as_text(f"what ran before this could not be saved: {unsaved}"))
        job.cell = msgspec.structs.replace(run, reads=cell.reads, after_unrecorded=missed)
        job.sender = sender
        try:
            job.outputs = outputs()
        finally:
            self._submit(job)
            self._resync = self._resync or not job.state
        if failure is not None:
            raise failure

    def skip_cell(self) -> None:
        """Forget the cell that was begun: it is not recorded, its changes show with the next one."""
        self._cell = None
        self._look_everywhere = True

    def attach(self) -> None:
        """Record the variables that are there, when recording begins in the middle of a session."""
        if self.names.recorded(self.tracker.namespace):
            self._open_with(self._observe(None))
        # An empty namespace: the start is recorded with the first cell, so that a kernel nobody uses leaves no trace.

    def check_idle(self, slice_s: float) -> bool:
        """Hash what was not looked at lately, for `slice_s`; True when all was. A change found is recorded."""
        if self._finished is not None or not self._opened or self._epoch != self.writer.epoch:
            return True  # what this kernel builds on is another one now: the next cell records all there is
        if self._idle_from is None:
            self._idle_from = self.tracker.number
        waiting = self.tracker.unverified_since(self._idle_from, LONGEST_IDLE_S)
        picked: list[Group] = []
        for group in waiting:  # at least one, however long it takes: it would never be looked at otherwise
            if picked and sum(g.seconds for g in picked) + group.seconds > slice_s:
                break
            picked.append(group)
        observation = self._observe(NOTHING.names, only=picked)
        if observation.changed or observation.dropped_names:
            self._submit(self._between(observation))
            return True  # once until the next cell: what changes all the time would fill the history
        if len(picked) < len(waiting):
            return False
        return not self.tracker.settling.settle_next(self.tracker.groups(), self.tracker.memory_bytes)

    def tidy(self) -> None:
        """Housekeeping while nobody waits: memory that a long capture used goes back, a log pack now and then, and
        small packs are joined."""
        if self._used_memory:
            self._used_memory = False
            return_free_memory()
        now = time.monotonic()
        commits = self.writer.commits_since_log_pack
        if commits >= LOG_PACK_EVERY or (commits and now - self._logged_at >= LOG_PACK_AFTER_S):
            self.writer.commits_since_log_pack = 0
            self._logged_at = now
            self.repo.write_log_pack()
        self.writer.do_when_idle(self.repo.join_some)
        if self._thinning is not None and self._opened:
            self._thinning.start_if_due()

    def make_up(self) -> None:
        """Record what a capture that was interrupted did not: a front end interrupts a kernel before it ends it."""
        if self._opened and self._resync:
            self._submit(self._between(self._observe(None)))

    def close(self) -> None:
        """Leave the store in order: the log pack holds everything small, the write-ahead log is emptied."""
        if self.writer.commits_since_log_pack:
            self.repo.write_log_pack()
        self.repo.close()

    def wait_saved(self, timeout_s: float | None = None) -> bool:
        """Wait until everything recorded so far is durable; raise what kept it from being saved."""
        self.finish_capture()
        done = self.writer.wait(timeout_s)
        self._raise_failed()
        return done

    def follow_rewriting(self) -> None:
        """Go on from what history became, if it was rewritten or collected, so that the next cell finds its parent."""
        if not self.writer.pending and self.repo.refresh():
            self.writer.follow_rewriting()

    def _observe(
        self, touched: frozenset[str] | None, check_s: float | None = None, only: Collection[Group] | None = None
    ) -> Observation:
        record = self.settings.record
        # The last commit was not saved, or what it builds on has lost values: look at everything anew.
        if self._resync or self._epoch != self.writer.epoch or self.writer.lacking:
            self._resync = self.writer.lacking = False
            self._opened = self._opened and (self._start is None or self._start.error is None)
            self._epoch = self.writer.epoch
            self._everything_anew = True
            self.tracker.by_name.clear()
            self.tracker.by_uid.clear()
            self._ambient_base = {}
        if touched is not None and self.writer.torn:
            touched = touched | self.writer.torn
            self.writer.torn = set()
        if only is None and self.writer.lacked_room:
            self._capture_what_fits()
        budget = record.check_ms / 1000 if check_s is None else check_s
        self._resync = True  # until it is handed over: an exception, an interrupt may come before
        observation = self.tracker.observe(
            touched, check_s=budget, deadline=time.perf_counter() + record.budget_s, only=only
        )
        self._resync = bool(observation.changed or observation.dropped_names)
        self.last_observation = observation
        self._used_memory = self._used_memory or observation.seconds > LONG_S
        return observation

    def _capture_what_fits(self) -> None:
        """Let go of what there was no room for and that would fit now, so that it is captured anew."""
        left_out = [group for group in self.tracker.groups() if group.unsaved.startswith(NO_ROOM)]
        self.writer.lacked_room = bool(left_out)
        left_out.sort(key=lambda group: group.size_bytes)
        if not left_out or not fits_now(self.repo, self.writer.cap_bytes, left_out[0].size_bytes):
            return
        for group in left_out:
            self.tracker.untrack(group.names, group.defines)

    def _job(
        self, kind: CommitKind, observation: Observation | None, ambient: dict[str, bytes | None] | None = None
    ) -> Job:
        """Return what to record. ambient: the parts of the surroundings that changed, where somebody knows them."""
        job = Job(kind, self.clock(), names=len(self.tracker.by_name))
        dropped = set(self._carried_drops)
        self._carried_drops = set()
        if observation is not None:
            dropped.update(observation.dropped_names)
            job.versions = [self._version(change) for change in observation.changed]
            job.notes = tuple(_note(change) for change in observation.changed if change.unseen)
            job.doubts = tuple(
                (change.doubtful, self._job_at(change.doubtful_since))
                for change in observation.changed
                if change.doubtful
            )
            self._remember(observation.number, job)
        definitions = set(observation.dropped_definitions) if observation is not None else set()
        job.dropped = tuple(sorted(dropped - self.tracker.by_name.keys()))
        job.dropped_definitions = tuple(sorted(definitions - {u for v in job.versions for u in v.group.defines}))
        job.notes += self._notes_on_skipped() + tuple(map(as_text, take_broken()))
        job.ambient = self._ambient_changes() if ambient is None else ambient
        if self._everything_anew:
            self._everything_anew = False
            self._missed = self._missed and kind is CommitKind.AUTO
            job.resync = True
        return job

    def _version(self, change: Changed) -> Version:
        group = change.group
        previews = tuple(_storable(preview(obj)) for obj in change.objects[: len(group.names)])
        limit = self.settings.record.max_variable_mb << 20
        if group.size_bytes > limit:
            group.unsaved = f"it is larger than the cap of {self.settings.record.max_variable_mb} MiB for a variable"
            change.encoded = None
        used = group.reason and group.version[:8] in map(self._kept_used.get, group.names)
        return Version(group, previews, make_pending(change, previews), KEPT_USED if used else "")

    def _job_at(self, number: int) -> Job | None:
        """Return the commit that stood when an observation was made; an idle look that finds nothing makes none."""
        before = max((n for n in self._observed if n <= number), default=None)
        return None if before is None else self._observed[before]

    def _notes_on_skipped(self) -> tuple[str, ...]:
        """Name, once, the variables that are left out by their names."""
        names = self.names.take_newly_skipped()
        return tuple(f"'{name}' is not recorded: the setting record.skip_names leaves out such names" for name in names)

    def _remember(self, number: int, job: Job) -> None:
        """Keep which commit an observation became, as long as some variable was last hashed then."""
        self._observed[number] = job
        if len(self._observed) > MOST_OBSERVED:
            oldest = min((group.verified for group in self.tracker.groups()), default=number)
            self._observed = {n: j for n, j in self._observed.items() if n >= oldest}

    def _ambient_changes(self) -> dict[str, bytes | None]:
        now = self.ambient.capture(self.tracker.variables())
        base = self._ambient_base
        changes: dict[str, bytes | None] = {part: data for part, data in now.items() if base.get(part) != data}
        for data in changes.values():
            if data is not None:
                self._trusted_ambient.add(blake3(data).digest())
        changes.update({part: None for part in base if part not in now})
        self._ambient_base = dict(now)
        return changes

    def _between(self, observation: Observation) -> Job:
        return self._job(CommitKind.BETWEEN, observation)

    def _open_with(self, observation: Observation) -> None:
        job = self._job(CommitKind.ATTACH, observation)
        job.fresh, job.dropped = True, ()
        self._opened, self._start = True, job
        self._send([job])

    def _submit(self, job: Job) -> None:
        if self._opened:
            self._send([job])
            return
        self._opened, self._start = True, Job(CommitKind.START, job.time_ns, fresh=True)
        self._send([self._start, job])

    def _send(self, jobs: list[Job]) -> None:
        for job in jobs:
            job.epoch = self._epoch
        self.writer.submit(jobs)
        self._resync = False

    def _save(self, job: Job) -> None:
        """Make a commit durable in this thread; raise what kept it from being saved. Nothing may be pending."""
        job.epoch = self._epoch
        self.writer.write([job])
        self._resync = False
        self._raise_failed()

    def _raise_failed(self) -> None:
        error = self.writer.failed
        if error is not None:
            raise StoreUnavailableError(
                f"the last changes were not saved: {error}",
                hint="they are recorded with the next cell, once that works again; cellar status shows when",
            ) from error

    def _open(self) -> None:
        """Record the start of this kernel, if no cell has yet."""
        self.finish_capture()
        if not self._opened:
            self._opened, self._start = True, Job(CommitKind.START, self.clock(), fresh=True)
            self._send([self._start])
        self.writer.wait()
        if self._epoch != self.writer.epoch:  # try once more to save what could not be
            self._submit(self._between(self._observe(None)))
        self.wait_saved()

    def _settle(self) -> None:
        """Record everything as it is now and wait until it is durable."""
        self._open()
        observation = self._observe(None)
        if observation.changed or observation.dropped_names:
            self._submit(self._between(observation))
        self.wait_saved()


def _storable(found: Preview) -> Preview:
    """Return a preview whose texts are valid Unicode."""
    return found if is_text(found.text) else msgspec.structs.replace(found, text=as_text(found.text))


def _note(change: Changed) -> str:
    names = ", ".join(change.group.names) or ", ".join(change.group.defines)
    return f"{names}: changed without a cell that names it"
