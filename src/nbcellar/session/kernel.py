"""IPython's hooks: record each cell without delaying it, and stay out of the way.

Capture is scheduled on the kernel's loop after the reply; `pre_run_cell` finishes what is pending. Invariant: no
exception of ours reaches the user's cell, and nothing is printed by this module. Not for: what is recorded
(`engine.py`).
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import socket
import sys
import time
import traceback
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from nbcellar.history.model import CellError, CellRun
from nbcellar.session.engine import Session
from nbcellar.session.entries import KernelEntry, sealed
from nbcellar.session.names import as_text
from nbcellar.session.outputs import OutputRecorder
from nbcellar.session.replay.shell import execute_in, transform_in
from nbcellar.session.signals import interruptible
from nbcellar.session.threads import is_user_code
from nbcellar.session.written import Written

PROTOCOL = 1
# Lets the I/O thread send "idle" before a pickle holds the interpreter: without it the front end shows [*] meanwhile.
YIELD_S = 0.002
IDLE_AFTER_S = 1.0
IDLE_SLICE_S = 0.01
TIDY_AGAIN_S = 600.0
EXIT_WAIT_S = 20.0
_LARGEST_TRACEBACK = 20


class KernelRecorder:
    """Joins a `Session` to an IPython shell. `errors` are what went wrong inside Cellar, newest last, for `status`."""

    def __init__(self, shell: Any, session: Session, *, path: str, version: str, connection_file: str) -> None:
        self.shell = shell
        self.session = session
        self.path = path
        self.version = version
        self.connection_file = connection_file
        self.errors: list[str] = []
        self.active = False
        self.identity = uuid.uuid4().hex
        self._generation = 0
        self._started = 0.0
        self._recording = False
        self._replied = False  # the reply left, and with it what the cell wrote
        self._outputs: OutputRecorder | None = None
        self._written = Written()
        self._pid = os.getpid()
        self.on_name_error: Callable[[str], None] | None = None

    # joining and leaving ------------------------------------------------------------------------------------------

    def install(self) -> None:
        """Register the hooks, and this kernel in the repository. Harmless when already installed."""
        if self.active:
            return
        self.active = True
        if self.session.settings.record.outputs:
            self._outputs = OutputRecorder(self.shell)
        self.session.interruptible = interruptible
        self.session.replayer.execute = execute_in(self.shell)
        self.session.replayer.transform = partial(transform_in, self.shell)
        self.shell.events.register("pre_run_cell", self._before)
        self.shell.events.register("post_run_cell", self._after)
        self._register()
        atexit.register(self.close)
        os.register_at_fork(after_in_child=self._in_child)

    def uninstall(self) -> None:
        """Take back everything `install` did; what was recorded stays."""
        if not self.active:
            return
        self.active = False
        with contextlib.suppress(ValueError):
            self.shell.events.unregister("pre_run_cell", self._before)
        with contextlib.suppress(ValueError):
            self.shell.events.unregister("post_run_cell", self._after)
        if self._outputs is not None:
            self._outputs.uninstall()
        self._written.close()
        with contextlib.suppress(OSError):
            self._entry().unlink()
        atexit.unregister(self.close)

    def close(self) -> None:
        """Save what is pending and leave: the kernel ends. Bounded in time."""
        if not self.active or os.getpid() != self._pid:
            return
        with self._swallow():
            self.session.finish_capture()
            self.session.make_up()
            self.session.writer.wait(EXIT_WAIT_S)
        self.uninstall()
        with self._swallow():
            self.session.close()

    def _in_child(self) -> None:
        """A forked child records nothing: connection, thread and hooks are the parent's."""
        self.active = False
        self.session.writer.forget_thread()
        with contextlib.suppress(Exception):
            self.shell.events.unregister("pre_run_cell", self._before)
            self.shell.events.unregister("post_run_cell", self._after)

    def _entry(self) -> Path:
        return self.session.repo.root / ".cellar" / "kernels" / f"{self.identity}.json"

    def _register(self) -> None:
        if self.session.repo.store.read_only:
            return
        entry = self._entry()
        facts = KernelEntry(
            protocol=PROTOCOL,
            version=self.version,
            pid=os.getpid(),
            connection_file=self.connection_file,
            notebook=self.session.notebook,
            path=self.path,
            started_ns=time.time_ns(),
            host=socket.gethostname(),
            python=sys.executable,
        )
        with self._swallow():
            entry.parent.mkdir(mode=0o700, exist_ok=True)
            temporary = entry.with_suffix(f".{os.getpid()}.tmp")
            with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(msgspec.json.encode(sealed(facts, self.session.key)))
            temporary.replace(entry)

    # hooks --------------------------------------------------------------------------------------------------------

    def _before(self, info: Any) -> None:
        self._generation += 1
        with self._swallow():
            source = info.raw_cell or ""
            self._recording = not is_off(source) and not is_only_commands(source)
            transformed = getattr(info, "transformed_cell", None)
            if transformed is None:
                transformed = self.shell.transform_cell(source)
            self.session.begin_cell(getattr(info, "cell_id", None) or "", source, transformed)
            if is_off(source):
                self.session.skip_cell()
            if self._outputs is not None and self._recording:
                self._outputs.start()
            if self._recording:
                self._written.begin()
        self._started = time.perf_counter()

    def _after(self, result: Any) -> None:
        elapsed = time.perf_counter() - self._started
        with self._swallow():
            if not self._recording or result is None:
                return
            self._recording = False
            error = result.error_before_exec or result.error_in_exec
            info = result.info
            run = CellRun(
                cell_id=getattr(info, "cell_id", None) or "",
                source=as_text(info.raw_cell or ""),
                execution_count=result.execution_count or 0,
                duration_s=round(elapsed, 6),
                error=describe_error(error) if error is not None else None,
                opened_for_writing=tuple(as_text(name) for name in self._written.end()),
            )
            self._replied = False
            self.session.end_cell(run, self._take_outputs, _sender(self.shell))
            self._schedule(self._capture)
            if isinstance(error, NameError) and self.on_name_error is not None:
                self.on_name_error(getattr(error, "name", "") or "")

    def _take_outputs(self) -> bytes | None:
        return self._outputs.finish(flushed=self._replied) if self._outputs is not None else None

    def _schedule(self, work: Callable[[int], None]) -> None:
        generation = self._generation
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # a terminal: nobody waits for a reply
            work(generation)
            return
        loop.call_soon(work, generation)

    def _capture(self, generation: int) -> None:
        with contextlib.suppress(KeyboardInterrupt), self._swallow():  # on the loop, one would end the kernel
            if not self._is_current(generation):
                return
            time.sleep(YIELD_S)
            self._replied = True
            self.session.finish_capture()
            self._later(IDLE_AFTER_S, generation)

    def _is_current(self, generation: int) -> bool:
        """False for what was due before another cell, and while a cell that runs again has the namespace."""
        return generation == self._generation and self.active and not self.session.replayer.is_running

    def _later(self, delay_s: float, generation: int) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        loop.call_later(delay_s, self._idle, generation)

    def _idle(self, generation: int) -> None:
        """Look for changes that no cell run accounts for, in slices, while nobody waits."""
        with contextlib.suppress(KeyboardInterrupt), self._swallow():
            if not self._is_current(generation):
                return
            if self.session.writer.pending or not self.session.check_idle(IDLE_SLICE_S):
                self._later(IDLE_SLICE_S * 10, generation)
            else:
                self.session.tidy()
                self._later(TIDY_AGAIN_S, generation)

    # guards -------------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _swallow(self) -> Iterator[None]:
        try:
            yield
        except Exception:  # recording may fail; the user's cell must not
            self.errors.append(traceback.format_exc())
            del self.errors[:-_LARGEST_TRACEBACK]


def is_off(source: str) -> bool:
    """True if the cell's first line that says something is `# cellar: off`."""
    for line in source.splitlines():
        text = line.strip().lower()
        if text:
            return text.replace(" ", "").startswith("#cellar:off")
    return False


def is_only_commands(source: str) -> bool:
    """True if the cell consists of `%cellar` lines: running a command is no step of the analysis."""
    lines = [line.strip() for line in source.splitlines() if line.strip() and not line.strip().startswith("#")]
    return bool(lines) and all(
        line.startswith(("%cellar", "%load_ext nbcellar", "%reload_ext nbcellar")) for line in lines
    )


def _sender(shell: Any) -> tuple[str, int]:
    """Return the client that asked for the cell run, and when by its own clock, in milliseconds; ("", 0): nobody."""
    try:
        header = shell.get_parent()["header"]
        return str(header["session"]), round(header["date"].timestamp() * 1000)
    except Exception:  # a terminal, or a program that leaves it out
        return "", 0


def describe_error(error: BaseException) -> CellError:
    """Return what an exception of a cell is, and at which line of the cell it came up."""
    line = 0
    trace = error.__traceback__
    while trace is not None:
        if is_user_code(trace.tb_frame.f_code.co_filename):
            line = trace.tb_lineno
            break
        trace = trace.tb_next
    if line == 0 and isinstance(error, SyntaxError):
        line = error.lineno or 0
    try:
        text = as_text(str(error)[:1000])
    except Exception:
        text = ""
    return CellError(type(error).__name__, text, line)
