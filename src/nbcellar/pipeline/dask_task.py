"""What runs in a Dask worker: a task goes on to a worker process of ours, one for each of Dask's threads.

Dask sees bytes come and go, and no value of the user. Invariant: a worker process never outlives what wanted its
answer: it is ended when Dask has let go of the task, when the Dask worker closes, or when it is gone itself
(`worker.py` notices that). Not for: the client's side (`dask_executor.py`).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import secrets
import selectors
import sys
import threading
import time
from pathlib import Path
from typing import Any

import msgspec

from nbcellar import __version__, config
from nbcellar.errors import CellarError, NotTrustedError
from nbcellar.pipeline import dask_scratch
from nbcellar.pipeline.executors import Child
from nbcellar.pipeline.keys import PYTHON
from nbcellar.pipeline.model import Failure, Outcome, Task
from nbcellar.pipeline.worker import READY, receive
from nbcellar.remote.opening import open_remote
from nbcellar.trust.decisions import TrustStore
from nbcellar.trust.keys import fingerprint, load_or_create

TOPIC = "cellar"
_LOOK_S = 0.1  # how soon a task that nobody wants any more is ended
_MEASURE_S = 1.0
_FIRST_TELL_S = 0.4  # most components are done by then, and their limit, if they have one, is longer
_TELL_S = 5.0  # how soon one who joined later learns since when a task runs
_IDLE_S = 60.0
_MOST_MARKER_BYTES = 1024
_SMALL_BYTES = 16_384  # a scheduler keeps the last thousand messages


class Errand(msgspec.Struct, frozen=True, kw_only=True):
    """A task as Dask carries it. run: who sent it; python, version: of who sent it.

    project, settings: of the repository from which it comes, where the task has a remote.
    """

    task: Task
    run: str
    project: str = ""
    settings: bytes = b""
    python: str = PYTHON
    version: str = __version__


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an errand. run: who had sent it, which need not be who reads this; worker: Dask's address.

    lost: why there is no outcome; refused: why the worker did not try; dropped: nobody seemed to want it.
    """

    run: str
    worker: str
    outcome: Outcome | None = None
    lost: str = ""
    refused: str = ""
    dropped: bool = False


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A worker as it finds itself. marker: what it reads in the file that was named; key: what it signs with.

    trouble: why it cannot use the remote.
    """

    python: str
    version: str
    marker: str
    key: bytes
    trouble: str = ""


def perform(data: bytes) -> bytes:
    """Run an errand: a task of Dask. Gives a reply, both as msgpack."""
    from distributed import get_worker

    errand = msgspec.msgpack.decode(data, type=Errand)
    worker: Any = get_worker()
    key = worker.get_current_task()
    reply = Reply(run=errand.run, worker=worker.address)
    if other := differing(errand.python, errand.version):
        return msgspec.msgpack.encode(msgspec.structs.replace(reply, refused=other))
    task = errand.task
    if task.remote:
        task = msgspec.structs.replace(task, store=dask_scratch.root_for(worker, errand.project, errand.settings))
    limit = _memory_for_each(worker)
    child = _idle.take() or Child()
    try:
        done = _Attendance(worker, key, child, limit).run(task, reply)
    except BaseException:
        child.end()
        raise
    if done.outcome is None or done.outcome.retire:
        child.end()
    else:
        _idle.give(child)
    answer = msgspec.msgpack.encode(done)
    if done.outcome is not None and len(answer) <= _SMALL_BYTES:  # it need not be fetched, which takes longer
        worker.log_event(TOPIC, {"key": key, "reply": answer})
    return answer


def look(marker: str) -> bytes:
    """Return how this process finds itself, as msgpack; it runs in every worker before the first task."""
    try:
        found = Path(marker).read_text("ascii")
    except (OSError, ValueError):
        found = ""
    key = load_or_create(config.user_folder(os.environ)).key_id
    return msgspec.msgpack.encode(Seen(python=PYTHON, version=__version__, marker=found, key=key))


async def look_by(address: str, name: str, project: str, key: bytes) -> bytes:
    """As `look`, for a worker that is to have its values from a remote. name: of what has to be there.

    project: to which the results belong; key: that signs those of whoever asks.
    """
    return await asyncio.get_running_loop().run_in_executor(None, _look_by, address, name, project, key)


def _look_by(address: str, name: str, project: str, key: bytes) -> bytes:
    user = config.user_folder(os.environ)
    own = load_or_create(user).key_id
    seen = Seen(python=PYTHON, version=__version__, marker="", key=own)
    try:
        remote = open_remote(address)
        marker = remote.read(name, most=_MOST_MARKER_BYTES).decode("ascii", "replace")
        written = f"{name}-{secrets.token_hex(4)}"
        remote.write(written, b"")
        remote.remove(written)
        if not TrustStore(user).is_trusted(project, key):
            raise NotTrustedError(f"it does not trust the key {fingerprint(key)}, which signs here")
    except CellarError as error:
        return msgspec.msgpack.encode(msgspec.structs.replace(seen, trouble=error.message))
    return msgspec.msgpack.encode(msgspec.structs.replace(seen, marker=marker))


def start(dask_worker: Any = None) -> None:
    """Start a process for each thread of a Dask worker, without waiting for it."""
    _idle.fill(dask_worker.state.nthreads)


async def warm(dask_worker: Any = None) -> None:
    """Start a process for each thread of a Dask worker and wait until it is ready."""
    start(dask_worker)
    await asyncio.get_running_loop().run_in_executor(None, _idle.warm)


def differing(python: str, version: str, *, own: tuple[str, str] = (PYTHON, __version__)) -> str:
    """Return what is other in a worker (`own`) than where a task comes from; empty if nothing is."""
    if version != own[1]:
        return f"it has nbcellar {own[1]}, the command has {version}"
    return f"it runs {own[0]}, the command {python}" if python != own[0] else ""


class _Attendance:
    """One task in its process, watched from Dask's thread."""

    def __init__(self, worker: Any, key: str, child: Child, limit: int) -> None:
        self._worker, self._key, self._child, self._limit = worker, key, child, limit
        self._since = 0.0
        self._tell_at = float("inf")  # it has not begun
        self._measure_at = time.monotonic() + _MEASURE_S

    def run(self, task: Task, reply: Reply) -> Reply:
        outcome: Outcome | None = None
        try:
            if self._is_ready():
                outcome = self._outcome(task)
        except _Dropped:
            return msgspec.structs.replace(reply, dropped=True)
        except _TooLarge:
            return msgspec.structs.replace(reply, lost=f"it took more memory than {_each(self._limit)}")
        if outcome is None:
            return msgspec.structs.replace(reply, lost=self._child.why_gone())
        return msgspec.structs.replace(reply, outcome=_with_limit(outcome, self._limit))

    def _is_ready(self) -> bool:
        child = self._child
        if not child.is_ready:
            self._until_readable()
            child.is_ready = receive(child.outcomes) == READY
        return child.is_ready

    def _outcome(self, task: Task) -> Outcome | None:
        _bound(self._child, self._limit)
        self._child.run(task)
        self._since = time.monotonic()
        self._tell_at = self._since + _FIRST_TELL_S
        self._until_readable()
        outcome = self._child.read()
        self._child.task = None
        return outcome

    def _until_readable(self) -> None:
        """Wait until the process has said something, or is gone."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._child.outcomes, selectors.EVENT_READ)
            while not selector.select(_LOOK_S):
                if not _is_wanted(self._worker, self._key):
                    raise _Dropped
                now = time.monotonic()
                if now >= self._tell_at:
                    self._tell_at = now + _TELL_S
                    self._worker.log_event(TOPIC, {"key": self._key, "seconds": now - self._since})
                if self._limit and now >= self._measure_at:
                    self._measure(now)

    def _measure(self, now: float) -> None:
        if _memory_of(self._child.process.pid) > self._limit:
            raise _TooLarge
        then = time.monotonic()  # where there are many processes, to look at them takes a while
        self._measure_at = then + max(_MEASURE_S, 100 * (then - now))


class _Dropped(Exception):
    """Nobody wants the answer any more."""


class _TooLarge(Exception):
    """The process holds more memory than it may."""


def _is_wanted(worker: Any, key: str) -> bool:
    """False once Dask has let go of a task: every client released it, or the worker is closing."""
    if worker.status.name in ("closing", "closed", "failed"):
        return False
    state = worker.state.tasks.get(key)
    return state is not None and state.state != "cancelled"


# memory ---------------------------------------------------------------------------------------------------------------


def _memory_for_each(worker: Any) -> int:
    """Return how many bytes each of a worker's threads may use, 0 without a limit."""
    limit = worker.memory_manager.memory_limit
    return int(limit) // max(int(worker.state.nthreads), 1) if limit else 0


def _bound(child: Child, limit: int) -> None:
    """Make allocations fail in a process that has all it may have. Where the system has no such bound: `_memory_of`."""
    if not limit or not hasattr(resource, "prlimit") or sys.platform != "linux":
        return
    import psutil

    pid = child.process.pid
    with contextlib.suppress(psutil.Error, OSError):
        if resource.prlimit(pid, resource.RLIMIT_DATA)[0] != resource.RLIM_INFINITY:
            return
        now = psutil.Process(pid).memory_info()
        idle = max(now.data - (now.rss - now.shared), 0)  # stacks and buffers that were set aside and never touched
        resource.prlimit(pid, resource.RLIMIT_DATA, (limit + idle, limit + idle))


def _memory_of(pid: int) -> int:
    """Return the bytes of memory that a process and those that it started hold."""
    import psutil

    found = 0
    with contextlib.suppress(psutil.Error):
        first = psutil.Process(pid)
        for process in (first, *first.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                usage = process.memory_info()
                found += usage.rss - getattr(usage, "shared", 0)
    return found


def _with_limit(outcome: Outcome, limit: int) -> Outcome:
    """Return an outcome whose error says what the limit is, where memory ran out."""
    failure = outcome.failure
    if failure is None or not limit or not failure.name.endswith("MemoryError"):
        return outcome
    said = f"{failure.message}: " if failure.message else ""
    told: Failure = msgspec.structs.replace(failure, message=f"{said}it needs more memory than {_each(limit)}")
    return msgspec.structs.replace(outcome, failure=told, retire="memory ran out")


def _each(limit: int) -> str:
    return f"the {limit / (1 << 20):,.0f} MiB that the Dask worker leaves to a component"


# processes that wait --------------------------------------------------------------------------------------------------


class _Idle:
    """Processes without a task, kept for a while. Any thread may call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[tuple[float, Child]] = []
        self._timer: threading.Timer | None = None

    def take(self) -> Child | None:
        with self._lock:
            return self._waiting.pop()[1] if self._waiting else None

    def give(self, child: Child) -> None:
        with self._lock:
            self._waiting.append((time.monotonic(), child))
            self._end_old_later()

    def fill(self, count: int) -> None:
        with self._lock:
            while len(self._waiting) < count:
                self._waiting.append((time.monotonic(), Child()))
            self._end_old_later()

    def warm(self) -> None:
        """Wait until all are ready. Raises CellarError."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
        for _, child in waiting:
            if not child.is_ready and receive(child.outcomes) != READY:
                raise CellarError("a process for components did not start", hint=child.end())
            child.is_ready = True
        with self._lock:
            self._waiting += waiting

    def _end_old_later(self) -> None:
        if self._timer is None and self._waiting:
            self._timer = threading.Timer(_IDLE_S, self._end_old)
            self._timer.daemon = True
            self._timer.start()

    def _end_old(self) -> None:
        last = time.monotonic() - _IDLE_S
        with self._lock:
            old = [child for since, child in self._waiting if since <= last]
            self._waiting = [entry for entry in self._waiting if entry[0] > last]
            self._timer = None
            self._end_old_later()
        for child in old:
            child.end()


_idle = _Idle()


__all__ = ["TOPIC", "Errand", "Reply", "Seen", "differing", "look", "look_by", "perform", "start", "warm"]
