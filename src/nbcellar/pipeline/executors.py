"""Where components run. An executor takes tasks and gives outcomes, in whatever order these come.

Invariant: every task that was submitted is answered once: with an outcome, or with why there is none. Not for: what to
run and when (`scheduling.py`).
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections import deque
from typing import Protocol

import msgspec

from nbcellar.errors import CellarError
from nbcellar.pipeline.model import Outcome, Task
from nbcellar.pipeline.worker import READY, receive, send

_END_S = 5.0
_START_S = 120.0


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a task. lost: why there is no outcome: the worker is gone.

    is_shared: it was begun for another run, so it may have met files as they were before this run asked. is_elsewhere:
    it ran on a machine whose files may be others. began, ended: on time.monotonic(); began is 0 where it is not known.
    """

    task: Task
    outcome: Outcome | None = None
    lost: str = ""
    is_shared: bool = False
    is_elsewhere: bool = False
    began: float = 0.0
    ended: float = msgspec.field(default_factory=time.monotonic)


class Executor(Protocol):
    """What scheduling needs."""

    @property
    def slots(self) -> int:
        """How many components run at a time."""
        ...

    def submit(self, task: Task) -> None:
        """Run a task as soon as there is a slot; in the order of submission."""
        ...

    def wait(self, timeout_s: float | None) -> list[Answer]:
        """Return what is answered by now; wait for the first answer, until `timeout_s` have passed."""
        ...

    def cancel(self, task: Task, why: str) -> None:
        """End a task, whatever it does; it is answered as lost."""
        ...

    def started(self, task: Task) -> float | None:
        """Return when a task began, on time.monotonic(); None before."""
        ...

    def close(self) -> None:
        """End everything."""
        ...


class Child:
    """One worker process."""

    def __init__(self) -> None:
        tasks_read, self._tasks = os.pipe()
        self.outcomes, outcomes_write = os.pipe()
        environ = os.environ | {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-m", "nbcellar.pipeline.worker", str(tasks_read), str(outcomes_write)]
        nothing = subprocess.DEVNULL
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `end`
        try:
            self.process = subprocess.Popen(
                command,
                cwd="/",  # with -m, modules in the current folder would come before the library's own
                env=environ,
                stdin=nothing,
                stdout=nothing,
                stderr=self._said,
                pass_fds=(tasks_read, outcomes_write),
                start_new_session=True,
            )
        finally:
            os.close(tasks_read)
            os.close(outcomes_write)
        self.task: Task | None = None
        self.since = 0.0
        self.is_ready = False
        self.lost = ""

    def run(self, task: Task) -> None:
        """Give it a task; it must have none."""
        self.task, self.since = task, time.monotonic()
        with contextlib.suppress(BrokenPipeError):  # it is gone: that shows when its answer is read
            send(self._tasks, msgspec.msgpack.encode(task))

    def read(self) -> Outcome | None:
        """Return its answer; None where the process ended instead."""
        data = receive(self.outcomes)
        if data == READY:
            self.is_ready = True
            data = receive(self.outcomes) if self.task is not None and self._has_more() else b""
            if data == b"":
                return None
        return None if data is None else msgspec.msgpack.decode(data, type=Outcome)

    def _has_more(self) -> bool:
        with selectors.DefaultSelector() as selector:
            selector.register(self.outcomes, selectors.EVENT_READ)
            return bool(selector.select(0))

    def end(self) -> str:
        """End the process and all that it started; return what it said last."""
        if self._said.closed:  # it was ended: the numbers may be of others by now
            return ""
        for number in (self._tasks, self.outcomes):
            with contextlib.suppress(OSError):
                os.close(number)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(_END_S)
        with self._said as stream:
            stream.seek(0)
            return stream.read().decode("utf-8", "replace").strip()[-2000:]

    def why_gone(self) -> str:
        """End what is left of a process that ended by itself; return why, as far as that is known."""
        said = self.end()
        code = self.process.returncode
        why = f"its process was ended by signal {-code}" if code and code < 0 else "its process ended"
        return f"{why}: {said.splitlines()[-1]}" if said else why


class Processes:
    """Worker processes of this machine; one of them is the serial executor."""

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._idle: list[Child] = []
        self._busy: list[Child] = []
        self._queue: deque[Task] = deque()

    @property
    def slots(self) -> int:
        return self._slots

    def warm(self) -> None:
        """Start all workers and wait until they are ready."""
        while len(self._idle) + len(self._busy) < self._slots:
            self._idle.append(Child())
        for child in self._idle:
            if not child.is_ready and receive(child.outcomes) != READY:
                raise CellarError("a worker did not start", hint=child.end())
            child.is_ready = True

    def submit(self, task: Task) -> None:
        self._queue.append(task)
        self._fill()

    def _fill(self) -> None:
        while self._queue and len(self._busy) < self._slots:
            child = self._idle.pop() if self._idle else Child()
            child.run(self._queue.popleft())
            self._busy.append(child)

    def wait(self, timeout_s: float | None) -> list[Answer]:
        answers = []
        with selectors.DefaultSelector() as selector:
            for child in self._busy:
                selector.register(child.outcomes, selectors.EVENT_READ, child)
            for key, _ in selector.select(timeout_s) if self._busy else ():
                answer = self._answer(key.data)
                if answer is not None:
                    answers.append(answer)
        self._fill()
        return answers

    def _answer(self, child: Child) -> Answer | None:
        task = child.task
        assert task is not None
        if not child.is_ready:
            data = receive(child.outcomes)
            if data == READY:
                child.is_ready = True
                return None
            return self._lost(child, task)
        outcome = child.read()
        if outcome is None:
            return self._lost(child, task)
        self._busy.remove(child)
        child.task = None
        if outcome.retire:
            child.end()
        else:
            self._idle.append(child)
        return Answer(task=task, outcome=outcome, began=child.since)

    def _lost(self, child: Child, task: Task) -> Answer:
        self._busy.remove(child)
        why = child.why_gone()
        return Answer(task=task, lost=child.lost or why)

    def cancel(self, task: Task, why: str) -> None:
        for child in self._busy:
            if child.task is task:
                child.lost = why
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(child.process.pid, signal.SIGKILL)
                return
        if task in self._queue:
            self._queue.remove(task)

    def started(self, task: Task) -> float | None:
        return next((child.since for child in self._busy if child.task is task), None)

    def close(self) -> None:
        self._queue.clear()
        for child in (*self._busy, *self._idle):
            child.end()
        self._busy, self._idle = [], []


__all__ = ["Answer", "Child", "Executor", "Processes"]
