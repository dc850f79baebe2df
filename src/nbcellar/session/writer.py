"""The thread that makes commits durable while the user goes on.

Invariant: commits are written in the order they were submitted, each in one transaction; `release` returns only when
the user's memory is no longer read. A failed job changes nothing in the store and is reported, never retried in
silence. Not for: looking at the session (`engine.py`).
"""

from __future__ import annotations

import contextlib
import os
import queue
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from nbcellar.errors import (
    CellarError,
    ConflictError,
    NotFoundError,
    StoreUnavailableError,
    UnknownReferenceError,
)
from nbcellar.history.model import COMMIT_FORMAT, CellRun, Commit, CommitKind, Covariable, StateDelta
from nbcellar.history.recording import Recorder
from nbcellar.ids import DIGEST_BYTES, CommitId, Digest, NotebookId
from nbcellar.secrets.quick import suspicious_lines
from nbcellar.session.document import Document
from nbcellar.session.drafts import Run
from nbcellar.session.jobs import Job, Version
from nbcellar.session.pending import KnownBlocks, PendingValue, TornCaptureError, write_value
from nbcellar.session.room import NoRoomError, in_order, is_bounded, reason_of, room_for, write_within
from nbcellar.session.signals import signals_held
from nbcellar.store.interface import Kind
from nbcellar.store.room import Room

if TYPE_CHECKING:
    from nbcellar.history.repository import Repository
    from nbcellar.trust.keys import SigningKey


@dataclass(slots=True)
class Position:
    """Where this kernel stands in history: changed by the writer only, after each commit."""

    head: CommitId | None
    base: CommitId | None = None  # the last commit with a state; None: `head`
    branch: str | None = None  # set when the kernel was pushed off the notebook's branch by another writer


@dataclass(frozen=True, slots=True)
class Fixed:
    """What all commits of a kernel have in common."""

    notebook: NotebookId
    author: str
    environment: Callable[[], bytes]
    git_head: Callable[[], str]
    document: Document


Chore = Callable[[], bool]
"""A slice of housekeeping: returns whether there is more to do."""

_LIVENESS_S = 1.0
_ENTRY_BYTES = 150  # a co-variable in a state, about: digests, preview, name


class Writer:
    """Writes jobs one after the other in a daemon thread that starts with the first job."""

    def __init__(self, repo: Repository, key: SigningKey, position: Position, fixed: Fixed) -> None:
        self._repo = repo
        self._key = key
        self.position = position
        self._fixed = fixed
        self.known = KnownBlocks()
        self._queue: queue.SimpleQueue[list[Job] | Chore] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._open: list[PendingValue] = []
        self._lock = threading.Lock()
        self._pending = 0
        self._idle = threading.Condition()
        self.failed: Exception | None = None  # why the newest job was not saved
        self.epoch = 0  # counts failures; a job made before the last one builds on what is not there
        self.torn: set[str] = set()
        self.saved_bytes = 0
        self.commits_since_log_pack = 0
        self._environment: Digest | None = None
        self._suspected: set[int] = set()  # hashes of what was found in cells before
        self.cap_bytes = 0  # of the store; 0: none
        self.lacked_room = False  # some live variable's value was left out for want of room
        self.lacking = False  # the state that the next one builds on has lost values: all are to be put again

    def record_into(self, notebook: NotebookId) -> None:
        """See `recorder.Recorder`."""
        self._fixed = replace(self._fixed, notebook=notebook)

    # the main thread ----------------------------------------------------------------------------------------------

    def submit(self, jobs: list[Job]) -> None:
        """Queue commits that belong in one transaction."""
        with signals_held():  # a job that is counted but not queued would be waited for without end
            with self._lock:
                self._open += [v.pending for job in jobs for v in job.versions if v.pending and v.pending.owners]
            with self._idle:
                self._pending += 1
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="cellar-writer", daemon=True)
                self._thread.start()
            self._queue.put(jobs)

    def write(self, jobs: list[Job]) -> None:
        """Write commits that belong in one transaction in the caller's thread, while nothing is queued."""
        with self._idle:
            self._pending += 1
        self._attend_to(jobs)

    def do_when_idle(self, chore: Chore) -> None:
        """Have the thread do some housekeeping, slice by slice, until there is none left or something to write.

        Nobody waits for it, and what it raises is dropped: it is done again another time.
        """
        if self._thread is not None and self._thread.is_alive():
            self._queue.put(chore)

    def release(self, memory_bytes: int) -> None:
        """Let go of the user's memory: copy up to `memory_bytes` of what is not written, wait for the rest."""
        with self._lock:
            held, self._open = self._open, []
        left = 0
        for pending in held:
            remaining = sum(b.size for _, blocks in pending.regions for b in blocks if not b.done and b.data is None)
            left += pending.release(memory_bytes)
            memory_bytes = max(0, memory_bytes - remaining)
        if left:
            self.wait()
        for pending in held:
            pending.owners = None

    @property
    def pending(self) -> int:
        """Transactions that are not durable yet."""
        return self._pending

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until everything submitted is durable or has failed; False if the time was not enough."""
        until = None if timeout_s is None else time.monotonic() + timeout_s
        with self._idle:
            while self._pending:
                left = _LIVENESS_S if until is None else min(until - time.monotonic(), _LIVENESS_S)
                if left <= 0 or (self._thread is not None and not self._thread.is_alive()):
                    return False
                self._idle.wait(left)
        return True

    def forget_thread(self) -> None:
        """Drop the thread and all pending work, in the child of a fork: it belongs to the parent."""
        self._queue = queue.SimpleQueue()
        self._thread, self._open, self._pending = None, [], 0
        self._lock, self._idle = threading.Lock(), threading.Condition()

    # the writer's thread ------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            jobs = self._queue.get()
            if callable(jobs):
                with contextlib.suppress(Exception):
                    while jobs() and self._queue.empty():
                        pass
                continue
            self._attend_to(jobs)

    def _attend_to(self, jobs: list[Job]) -> None:
        try:
            self._require_epoch(jobs)
            self._write(jobs)
            self.failed = None
        except Exception as error:  # whatever it was, the kernel goes on and says "not saved"
            self._find_ground(error)
            self.failed = error
            self.epoch += 1
            for job in jobs:
                job.error = error
        finally:
            self._close(jobs)

    def _require_epoch(self, jobs: list[Job]) -> None:
        if jobs[0].epoch != self.epoch:
            raise StoreUnavailableError(f"the commit before it was not saved: {self.failed}")

    def _find_ground(self, error: Exception) -> None:
        """Trust nothing that was known of the store; after a rewriting of history, go on from its result."""
        self._forget_store()
        self._fixed.document.forget(unsaved=True)
        if isinstance(error, ConflictError | UnknownReferenceError):
            with contextlib.suppress(CellarError):
                self._go_on_from_rewritten()

    def follow_rewriting(self) -> None:
        """Go on from what the last commit became, as history was rewritten or collected; while nothing is pending.

        What a kernel holds in memory was part of the old history: it is looked at and recorded anew.
        """
        self._forget_store()
        if self.position.head is not None and not self._repo.has_commit(self.position.head):
            self._go_on_from_rewritten()
            self.epoch += 1

    def _forget_store(self) -> None:
        self._environment = None
        self.known = KnownBlocks()
        self._fixed.document.forget()

    def _go_on_from_rewritten(self) -> None:
        notebook, old = self._fixed.notebook, self.position.head
        new = self._repo.rewritten_to(notebook, old) if old is not None else None
        self.position.head = new or self._repo.head(notebook).commit
        self.position.base, self.position.branch = None, None

    def _close(self, jobs: list[Job]) -> None:
        finished = {id(v.pending) for job in jobs for v in job.versions}
        with self._lock:
            self._open = [pending for pending in self._open if id(pending) not in finished]
        for job in jobs:
            for version in job.versions:
                version.pending = None
            job.versions, job.outputs, job.cell = [], None, None  # the engine keeps the job for its commit's id
        with self._idle:
            self._pending -= 1
            self._idle.notify_all()

    def _write(self, jobs: list[Job]) -> None:
        head = self.position.head
        if self._repo.refresh():
            self.lacking = self._lacks_values()
        for job in jobs:
            if job.cell is not None:
                self._fixed.document.ran(job.cell.source)
        self._fixed.document.follow(self._repo, self._fixed.notebook)
        with self._repo.begin(self._fixed.notebook, self._key, on=self.position.branch) as recorder:
            before = self.position.base
            try:
                for job in jobs:
                    job.commit = head = recorder.commit(self._commit(job, head, recorder))
                    if job.state:
                        self.position.base = head
                    self._note_doubts(job, recorder)
                recorded = recorder.finish()
            except BaseException:
                self.position.base = before
                raise
        self.position.head = head
        self.commits_since_log_pack += len(jobs)
        if recorded.diverged:
            self.position.branch = recorded.branch
        for job in jobs:
            job.recorded = recorded

    def _lacks_values(self) -> bool:
        """True if what this kernel builds on was thinned out: nothing but its own memory named that state."""
        base = self.position.base or self.position.head
        if base is None or not self._repo.has_commit(base):
            return False
        with contextlib.suppress(CellarError):
            thinned = self._repo.thinned()
            return any(entry.value in thinned for entry in self._repo.read_state(base).covariables)
        return False

    def _note_doubts(self, job: Job, recorder: Recorder) -> None:
        until = self.position.head
        for version, since in job.doubts:
            start = since.commit if since is not None else None
            if until is not None:
                recorder.doubt(version, since=start or CommitId(bytes(DIGEST_BYTES)), until=until)

    def _commit(self, job: Job, head: CommitId | None, recorder: Recorder) -> Commit:
        parent = job.parent or head
        cell = job.cell
        if cell is not None and job.outputs is not None:
            cell = msgspec.structs.replace(cell, outputs=recorder.put(Kind.OUTPUTS, job.outputs))
        return Commit(
            format=COMMIT_FORMAT,
            notebook=self._fixed.notebook,
            parents=(parent,) if parent is not None else (),
            kind=job.kind,
            time_ns=job.time_ns,
            author=self._fixed.author,
            message=job.message,
            cell=cell,
            state=self._delta(job, parent, recorder) if job.state else None,
            tree=self._fixed.document.put(recorder, always=job.kind is CommitKind.NAMED, run=_run_of(job)),
            environment=self._environment_digest(recorder),
            git_head=self._fixed.git_head(),
            at=job.at,
            notes=job.notes + self._suspicions(cell),
        )

    def _suspicions(self, cell: CellRun | None) -> tuple[str, ...]:
        """Say where the code of a cell looks like it holds a secret, once for each; the secret itself is not in it."""
        if cell is None:
            return ()
        try:
            found = suspicious_lines(cell.source)
        except Exception:  # a note is not worth a commit
            return ()
        new = [(line, kind) for line, kind, text in found if hash(text) not in self._suspected]
        self._suspected.update(hash(text) for _, _, text in found)
        return tuple(f"line {line} looks like it holds a secret ({kind}): cellar secrets scan" for line, kind in new)

    def _environment_digest(self, recorder: Recorder) -> bytes:
        """Put the environment once; the commits that name it keep it alive."""
        if self._environment is None:
            self._environment = recorder.put(Kind.ENVIRONMENT, self._fixed.environment())
        return self._environment

    def _delta(self, job: Job, parent: CommitId | None, recorder: Recorder) -> StateDelta:
        base = None if job.fresh else (job.base or self.position.base or parent)
        limit = room_for(self._repo, self.cap_bytes, job.versions)
        if limit is None:
            put = tuple(self._covariable(version, recorder, None) for version in job.versions)
        else:
            made = {id(v): self._covariable(v, recorder, limit) for v in in_order(job.versions)}
            put = tuple(made[id(version)] for version in job.versions)
        ambient = {
            part: None if data is None else bytes(recorder.put(Kind.AMBIENT, data))
            for part, data in job.ambient.items()
        }
        delta = StateDelta(base, put, job.dropped, job.dropped_definitions, ambient)
        if job.resync:
            delta = self._against(delta, recorder)
        return self._bounded(delta, recorder, job.names)

    def _against(self, whole: StateDelta, recorder: Recorder) -> StateDelta:
        """Return what differs from the base, or is no longer stored there, in a delta that lists all there is."""
        base = CommitId(whole.base) if whole.base is not None else None
        try:
            state = self._repo.read_state(base) if base is not None and self._repo.has_commit(base) else None
        except NotFoundError:  # its capture was interrupted
            state = None
        if state is None:
            present = {part: digest for part, digest in whole.ambient.items() if digest is not None}
            return StateDelta(None, whole.put, (), (), {**present})
        there = {(c.names, c.defines): c for c in state.covariables}
        thinned = self._repo.thinned()

        def is_there(before: Covariable | None, now: Covariable) -> bool:
            if before is None or before.value is None or not _is_same(before, now):
                return False
            return before.value not in thinned and recorder.has(Digest(before.value))

        put = tuple(c for c in whole.put if not is_there(there.get((c.names, c.defines)), c))
        names = {name for c in whole.put for name in c.names}
        uids = {uid for c in whole.put for uid in c.defines}
        changed = {part: digest for part, digest in whole.ambient.items() if state.ambient.get(part) != digest}
        return StateDelta(
            base=whole.base,
            put=put,
            drop=tuple(sorted({name for c in state.covariables for name in c.names} - names)),
            drop_definitions=tuple(sorted({uid for c in state.covariables for uid in c.defines} - uids)),
            ambient=changed | {part: None for part in state.ambient if part not in whole.ambient},
        )

    def _bounded(self, delta: StateDelta, recorder: Recorder, names: int) -> StateDelta:
        """Store the state whole now and then, so that reading one never walks far."""
        base = CommitId(delta.base) if delta.base is not None else None
        if base is None or not self._repo.has_commit(base):
            return delta  # an empty base, or one in this very transaction: the chain is short
        size = sum(_ENTRY_BYTES + len(entry.reason) for entry in delta.put)
        if not self._repo.needs_complete(base, delta_bytes=size, whole_bytes=names * _ENTRY_BYTES):
            return delta
        whole = recorder.put(Kind.STATE, self._repo.complete_payload(delta))
        return msgspec.structs.replace(delta, complete=whole)

    def _write_value(self, version: Version, recorder: Recorder, limit: Room | None) -> tuple[Digest, int]:
        assert version.pending is not None
        pending = version.pending
        if limit is None or not is_bounded(version):
            return write_value(pending, recorder, self.known)
        return write_within(recorder, limit, lambda sink: write_value(pending, sink, self.known))

    def _covariable(self, version: Version, recorder: Recorder, limit: Room | None) -> Covariable:
        group, pending = version.group, version.pending
        if version.stored is not None:  # with its origin: who recorded it then goes on vouching for it
            doubt = version.uncertain or version.stored.uncertain
            group.covariable = msgspec.structs.replace(version.stored, uncertain=doubt)
            return group.covariable
        value, reason = None, group.lacks
        if pending is not None:
            try:
                value, new_bytes = self._write_value(version, recorder, limit)
                self.saved_bytes += new_bytes
            except NoRoomError as error:
                reason = group.unsaved = reason_of(error)
                self.lacked_room = True
            except TornCaptureError as error:
                reason = f"{error.message}: a thread changed it"
                self.torn.update(group.names)
        group.covariable = Covariable(
            names=group.names,
            value=value,
            version=group.version,
            previews=version.previews,
            defines=group.defines,
            needs=group.needs_uids,
            reason=reason,
            uncertain=version.uncertain,
            size_bytes=group.size_bytes,
        )
        return group.covariable


def _run_of(job: Job) -> Run | None:
    cell = job.cell
    return Run(cell.cell_id, cell.source, *job.sender, cell.execution_count, job.outputs) if cell is not None else None


def _is_same(before: Covariable | None, now: Covariable) -> bool:
    """True if a state that holds `before` says all that `now` says."""
    if before is None or now.value is None:
        return False
    return before.version == now.version and before.value is not None and before.uncertain == now.uncertain


def environment_fingerprint() -> bytes:
    """Return interpreter and package versions as canonical msgpack.

    Read off the names of the folders that installers leave: reading each package's metadata takes 20 ms and more.
    """
    folders = []
    for folder in reversed(dict.fromkeys(sys.path)):
        whole = os.path.abspath(folder)  # noqa: PTH100 - a path is made at each commit of a worker
        with contextlib.suppress(OSError):
            folders.append((whole, os.stat(whole).st_mtime_ns))  # noqa: PTH116
    return _fingerprint(tuple(folders))


@lru_cache(maxsize=8)
def _fingerprint(folders: tuple[tuple[str, int], ...]) -> bytes:
    packages: dict[str, str] = {}
    for folder, changed_ns in folders:
        with contextlib.suppress(OSError):
            packages.update(_packages_in(folder, changed_ns))
    facts = {"python": sys.version, "platform": sys.platform, "packages": dict(sorted(packages.items()))}
    return msgspec.msgpack.encode(facts, order="deterministic")


@lru_cache(maxsize=64)
def _packages_in(folder: str, changed_ns: int) -> dict[str, str]:
    """Return package -> version as a folder has them since `changed_ns`; not to be changed."""
    packages: dict[str, str] = {}
    for name in os.listdir(folder):
        stem, _, ending = name.rpartition(".")
        if ending in ("dist-info", "egg-info") and "-" in stem:
            package, version = stem.split("-")[:2]
            packages.setdefault(package.lower().replace("_", "-"), version)
    return packages


__all__ = ["Fixed", "Position", "Writer", "environment_fingerprint"]
