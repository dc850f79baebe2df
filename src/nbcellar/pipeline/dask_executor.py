"""Components on a Dask cluster: one of this machine, made for a run, or one that is there already, by its address.

A task goes to Dask as bytes that name commits; values stay where every worker comes to them (`dask_sharing.py`). The
key of Dask's task is the component's, with what else decides its result, so two runs at once share what is in flight.
Dask is given as many tasks as it can run at once: where it puts more than that, some wait behind others while workers
are idle.
Invariant: no answer is taken from a worker that was not seen to come to the same results, with the same version and a
trusted key. Not for: what a Dask worker does with a task (`dask_task.py`). Needs the extra `dask`.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import secrets
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import msgspec
from blake3 import blake3

from nbcellar import __version__
from nbcellar.errors import CellarError, InvalidInputError, NotTrustedError, StoreUnavailableError
from nbcellar.pipeline import dask_task
from nbcellar.pipeline.dask_sharing import ByRemote, InFolder, Sharing
from nbcellar.pipeline.dask_task import Errand, Reply, Seen
from nbcellar.pipeline.executors import Answer
from nbcellar.pipeline.keys import PYTHON
from nbcellar.pipeline.model import Task
from nbcellar.trust.keys import fingerprint

try:
    import distributed

    from nbcellar.pipeline import dask_cluster
except ImportError:
    raise CellarError("Dask is not installed here", hint="pip install 'nbcellar[dask]'") from None

_COLLECT_S = 0.001  # how long a message waits for others, instead of 10 ms: ours are few, and the next cell waits
_CONNECT_S = 10.0
_ASK_S = 30.0
_LOOK_S = 2.0
_NO_WORKERS_S = 60.0
_CLOSE_S = 10.0
_READ_S = 10.0
_NEW = "made for this run"
_PROVIDED = "what a task needs is there"


class Dask:
    """An executor on a Dask cluster. Mutable; one thread at a time."""

    def __init__(
        self,
        root: Path,
        *,
        address: str = "",
        workers: int = 1,
        is_trusted: Callable[[bytes], bool] = lambda key: True,
        remote: str = "",
    ) -> None:
        """Connect to a scheduler, or start one with `workers` on this machine.

        root: the folder of the repository. is_trusted: whether results that a key signs may be used here. remote: the
        address of what hands results over, for workers that do not see the folder.
        Raises CellarError for a cluster that is away or cannot be used, before anything runs.
        """
        self._root, self._is_trusted = root, is_trusted
        self._run = secrets.token_hex(8)
        self._queue: deque[tuple[Task, Future[None] | None]] = deque()
        self._coming: dict[str, tuple[Answer, Future[None]]] = {}
        self._remote = remote
        self._pending: dict[str, tuple[Task, Any]] = {}
        self._since: dict[str, float] = {}
        self._replies: dict[str, bytes] = {}
        self._free: list[str] = []
        self._done_with: list[Any] = []
        self._submitted: set[str] = set()
        self._done: queue.SimpleQueue[str | Answer] = queue.SimpleQueue()
        self._seen: set[str] = set()
        self._looked = self._had_workers = self._had_answers = time.monotonic()
        self._slots = self._extra = 0
        self._closing = contextlib.ExitStack()
        with contextlib.ExitStack() as closing:
            closing.enter_context(_quiet())
            self._sharing = self._shared()
            closing.callback(lambda: self._sharing.close())
            access = None if address else closing.enter_context(dask_cluster.started(workers))
            self.address = address if access is None else access.address
            self._whose = f"at {address}" if access is None else _NEW
            self._may_grow = access is None
            self._client = closing.enter_context(_client(self.address, access and access.security()))
            self._client.subscribe_topic(dask_task.TOPIC, self._on_event)
            self._check_scheduler()
            self._look_for_workers()
            self._closing = closing.pop_all()

    @property
    def slots(self) -> int:
        return max(self._slots, 1)

    def warm(self) -> None:
        """Start the processes for components in all workers and wait until they are ready."""
        self._ask(self._client._run, dask_task.warm)

    # tasks ----------------------------------------------------------------------------------------------------------

    def submit(self, task: Task) -> None:
        if task.root != str(self._root):
            self._root, self._seen = Path(task.root), set()
            self._sharing.close()
            self._sharing = self._shared()
            self._look_for_workers()
        provided = self._sharing.provide(task)
        self._queue.append((task, provided))
        if provided is not None:
            provided.add_done_callback(lambda _: self._done.put(_PROVIDED))
        self._fill()

    def _shared(self) -> Sharing:
        return ByRemote(self._root, self._remote) if self._remote else InFolder(self._root)

    def _fill(self) -> None:
        """Give tasks to the cluster, in the order in which they came."""
        while self._queue and len(self._pending) < self.slots + self._extra:
            task, provided = self._queue[0]
            if provided is not None:
                if not provided.done():
                    return
                provided.result()
            self._queue.popleft()
            self._give(task)

    def _give(self, task: Task) -> None:
        errand = self._sharing.errand(task, self._run)
        key = self._key(errand)
        self._submitted.add(key)
        data = msgspec.msgpack.encode(errand)
        try:
            future = self._client.submit(dask_task.perform, data, key=key, pure=False, **self._where())
        except Exception as error:
            raise self._away() from error
        self._pending[key] = (task, future)
        future.add_done_callback(lambda _: self._done.put(key))

    def _where(self) -> dict[str, Any]:
        """Return what sends a task to a worker that has nothing to do; Dask may not have heard of that yet."""
        return {"workers": [self._free.pop()], "allow_other_workers": True} if self._free else {}

    def _key(self, errand: Errand) -> str:
        """Return Dask's key: equal for equal work, another one where the work has to be done again.

        Work of another project, or under other settings, is other work: what is recorded of it may differ.
        """
        task = errand.task
        of_all = msgspec.structs.replace(errand, run="")
        whole = blake3(msgspec.msgpack.encode(of_all, order="deterministic")).hexdigest()
        key = f"cellar-{task.key[:32]}-{whole[:16]}"
        return f"{key}-{secrets.token_hex(8)}" if task.is_alone or key in self._submitted else key

    def wait(self, timeout_s: float | None) -> list[Answer]:
        until = None if timeout_s is None else time.monotonic() + timeout_s
        answers: list[Answer] = []
        self._release()  # no sooner, so that the next tasks are not sent behind this
        while (self._pending or self._queue or self._coming or not self._done.empty()) and not answers:
            if time.monotonic() - self._looked >= _LOOK_S:
                self._look_for_workers()
            self._fill()
            left = _LOOK_S if until is None else until - time.monotonic()
            try:
                answers += self._answers(self._done.get(timeout=min(max(left, 0.0), _LOOK_S)))
                while not self._done.empty():
                    answers += self._answers(self._done.get_nowait())
            except queue.Empty:
                if left <= 0:
                    break
        if answers:
            self._had_answers, self._extra = time.monotonic(), 0
            self._fill()
        return answers

    def _answers(self, done: str | Answer) -> list[Answer]:
        if isinstance(done, Answer):
            return [done]
        if done in self._coming:
            arrived, coming = self._coming[done]
            if not coming.done():  # Dask says the same twice, by an event and by its future
                return []
            del self._coming[done]
            coming.result()
            return [arrived]
        if done not in self._pending:  # it was cancelled, or a task can be given now
            return []
        task, future = self._pending[done]
        reply = self._replies.pop(done, None)
        if reply is None and future.status in ("cancelled", "lost"):
            raise self._away()
        if reply is None and future.status == "error":
            answer: Answer | None = Answer(task=task, lost=_why_failed(future.exception()))
        else:
            answer = self._read(done, task, future, reply)
        if answer is not None:
            self._forget(done)
        return [] if answer is None else [answer]

    def _read(self, key: str, task: Task, future: Any, data: bytes | None) -> Answer | None:
        """Return what a finished task says; None where it is done again. data: what came with an event."""
        try:
            data = data or future.result(timeout=_READ_S)
        except distributed.TimeoutError:  # the worker that had it is gone: Dask runs it again
            future.add_done_callback(lambda _: self._done.put(key))
            return None
        except Exception as error:
            return Answer(task=task, lost=_why_failed(error))
        reply = msgspec.msgpack.decode(data, type=Reply)
        if reply.refused:
            raise self._useless(reply.worker, reply.refused)
        if reply.worker not in self._seen:
            self._look_at([reply.worker])
        if reply.dropped or reply.worker not in self._seen:
            self._forget(key)
            self._give(task)
            return None
        if not self._may_grow:  # nobody else gives tasks to this cluster
            self._free.append(reply.worker)
        answer = Answer(
            task=task,
            outcome=reply.outcome,
            lost=reply.lost,
            is_shared=reply.run != self._run,
            is_elsewhere=self._sharing.is_elsewhere,
            began=self._since.get(key, 0.0),
        )
        return self._when_here(key, answer)

    def _when_here(self, key: str, answer: Answer) -> Answer | None:
        """Return an answer whose result is here; None where it is on its way."""
        commit = answer.outcome.commit if answer.outcome is not None else ""
        coming = self._sharing.bring(commit) if commit else None
        if coming is None:
            return answer
        self._forget(key)
        self._coming[key] = (answer, coming)
        coming.add_done_callback(lambda _: self._done.put(key))
        return None

    def _forget(self, key: str) -> None:
        self._done_with.append(self._pending.pop(key)[1])
        self._since.pop(key, None)
        self._replies.pop(key, None)

    def _release(self) -> None:
        for future in self._done_with:
            future.release()
        self._done_with.clear()

    def cancel(self, task: Task, why: str) -> None:
        for waiting in self._queue:
            if waiting[0] is task:
                self._queue.remove(waiting)
                self._done.put(Answer(task=task, lost=why))
                return
        for key, (other, future) in list(self._pending.items()):
            if other is task:
                self._forget(key)
                with contextlib.suppress(Exception):  # the cluster is away: nothing is to be ended there
                    future.cancel()
                self._done.put(Answer(task=task, lost=why))

    def started(self, task: Task) -> float | None:
        return next((self._since.get(key) for key, (other, _) in self._pending.items() if other is task), None)

    def _on_event(self, event: tuple[float, dict[str, Any]]) -> None:
        """Note that a task has begun, or what became of it; called in Dask's thread."""
        said = event[1]
        if said["key"] not in self._pending:
            return
        if "reply" in said:
            self._replies[said["key"]] = said["reply"]
            self._done.put(said["key"])
        else:
            self._since[said["key"]] = time.monotonic() - said["seconds"]

    def close(self) -> None:
        self._queue.clear()
        for key in list(self._pending):
            self._forget(key)
        with contextlib.suppress(Exception):  # the cluster is away
            self._release()
        self._closing.close()

    # the cluster ----------------------------------------------------------------------------------------------------

    def _ask(self, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        """Ask the scheduler, in bounded time. Raises StoreUnavailableError where it is away."""
        try:
            return self._client.sync(function, *arguments, **options, callback_timeout=_ASK_S)
        except (OSError, TimeoutError, distributed.TimeoutError) as error:
            raise self._away() from error

    def _check_scheduler(self) -> None:
        """Raises CellarError where the scheduler could not pass tasks on."""
        try:
            self._ask(self._client._run_on_scheduler, dask_task.differing, "", "")
        except (ImportError, AttributeError) as error:
            raise self._useless(self.address, f"it cannot load nbcellar: {error}", "scheduler") from error

    def _look_for_workers(self) -> None:
        """Count the slots. Raises CellarError for workers that cannot be used, or where there are none for long."""
        self._looked = time.monotonic()
        threads: dict[str, int] = self._ask(self._client.scheduler.ncores)
        self._slots = sum(threads.values())
        self._free = [worker for worker in self._free if worker in threads]
        if self._may_grow and self._queue and self._looked - self._had_answers >= _LOOK_S:
            self._extra += 1  # a cluster that grows by what it is asked to do has to see that something waits
        if threads:
            self._had_workers = self._looked
        elif self._looked - self._had_workers > _NO_WORKERS_S:
            hint = "start workers: dask worker ADDRESS; what is done is kept, and a new run goes on from there"
            raise StoreUnavailableError(
                f"the Dask cluster {self._whose} has had no workers for {_NO_WORKERS_S:.0f} s", hint=hint
            )
        if new := [worker for worker in threads if worker not in self._seen]:
            self._look_at(new)

    def _look_at(self, workers: list[str]) -> None:
        """Let workers show that they can be used. One that does not answer is left for another time."""
        with self._sharing.probe() as probe:
            try:
                found = self._client.sync(
                    self._client._run,
                    probe.function,
                    *probe.arguments,
                    workers=workers,
                    on_error="return",
                    callback_timeout=_ASK_S,
                )
            except (TimeoutError, distributed.TimeoutError) as error:
                self._ask(self._client.scheduler.ncores)  # it may be the scheduler that is away
                raise StoreUnavailableError(
                    f"Dask workers did not answer within {_ASK_S:.0f} s: {', '.join(workers)}",
                    hint="end or restart those that hang; what is done is kept, and a new run goes on from there",
                ) from error
            except OSError as error:
                raise self._away() from error
        for worker, data in found.items():
            if isinstance(data, bytes):
                self._require(worker, msgspec.msgpack.decode(data, type=Seen), probe.marker)
                self._seen.add(worker)
            elif isinstance(data, CellarError):
                raise self._useless(worker, data.message)
            elif not isinstance(data, OSError | TimeoutError | distributed.TimeoutError):
                # Dask tells of what it cannot load as a bare Exception with the name of the real one.
                raise self._useless(worker, f"it cannot load nbcellar: {data}")

    def _require(self, worker: str, seen: Seen, marker: str) -> None:
        if other := dask_task.differing(PYTHON, __version__, own=(seen.python, seen.version)):
            raise self._useless(worker, other)
        if seen.marker != marker:
            raise self._sharing.lacking(worker, seen)
        if not self._is_trusted(seen.key):
            raise NotTrustedError(
                f"the Dask worker {worker} signs with the key {fingerprint(seen.key)}, which is not trusted here",
                hint="run workers as yourself, or trust it: cellar trust --help",
            )

    def _useless(self, who: str, why: str, what: str = "worker") -> CellarError:
        hint = (
            "the command, the scheduler and all workers need the same nbcellar and Python: pip install 'nbcellar[dask]'"
        )
        return InvalidInputError(f"the Dask {what} {who} cannot be used: {why}", hint=hint)

    def _away(self) -> CellarError:
        kept = "what is done is kept, and a new run goes on from there"
        return StoreUnavailableError(f"the Dask scheduler {self._whose} went away ({self.address})", hint=kept)


def _why_failed(error: BaseException) -> str:
    if isinstance(error, distributed.scheduler.KilledWorker):
        times = error.allowed_failures + 1
        return f"its Dask worker was ended {times} times while it ran (killed, or out of memory)"
    return f"{type(error).__name__} in Dask: {error}"


# made and undone ------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _client(address: str, security: Any = None) -> Iterator[Any]:
    """Connect, within bounded time. Raises StoreUnavailableError where nobody answers."""
    try:  # before there is a client: one that is half made takes 20 s to end, and prints that it did not
        scheme, place = distributed.comm.addressing.parse_address(address)
        distributed.comm.registry.get_backend(scheme)
        if scheme in ("tcp", "tls"):
            distributed.comm.addressing.parse_host_port(place)
    except (ValueError, TypeError) as error:
        raise InvalidInputError(
            f"'{address}' is no address of a Dask scheduler: {error}", hint="an address is like tcp://HOST:8786"
        ) from error
    try:
        with warnings.catch_warnings():
            # Other versions of Dask's own parts; what matters here is said by `Dask._require`.
            warnings.simplefilter("ignore", distributed.versions.VersionMismatchWarning)
            client = distributed.Client(
                address, security=security, timeout=_CONNECT_S, set_as_default=False, name="cellar"
            )
        stream: Any = client.scheduler_comm
        stream.interval = _COLLECT_S
    except (ValueError, TypeError) as error:
        raise InvalidInputError(f"'{address}' is no address of a Dask scheduler: {error}") from error
    except Exception as error:
        raise StoreUnavailableError(
            f"no Dask scheduler answers at {address}",
            hint="start one: dask scheduler; or leave --address out for a cluster of this machine",
        ) from error
    try:
        yield client
    finally:
        with contextlib.suppress(Exception):
            client.close(timeout=_CLOSE_S)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep Dask's log from the terminal: what it says of a cluster that is away is said as an error."""
    handlers = [(handler, handler.level) for handler in logging.getLogger("distributed").handlers]
    for handler, _ in handlers:
        handler.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for handler, level in handlers:
            handler.setLevel(level)


__all__ = ["Dask"]
