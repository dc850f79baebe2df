"""The cells of one notebook, run in order in a kernel of their own, as far as somebody asks for.

Invariant: what is told of a cell comes from a kernel in which all cells before it ran, once each and in order, whatever
order the results are asked in. The kernel is gone after `end`, or with this process.
Not for: judging outputs (`comparing.py`).
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import signal
import threading
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

from nbcellar.api import fresh_kernel, runfiles
from nbcellar.errors import CellarError, KernelError
from nbcellar.notebook.model import JsonObject, Notebook
from nbcellar.testing.rules import Rules

_INTERRUPT_S = 3.0  # for a cell that took too long to say where it is
_Ended = TypeVar("_Ended")
FailureKind = Literal["error", "timeout", "died", "stopped"]


class CellFailure(msgspec.Struct, frozen=True, kw_only=True):
    """Why a cell did not run to its end. `line` counts in the cell, from 1; 0: not known."""

    kind: FailureKind
    said: str
    traceback: tuple[str, ...] = ()
    line: int = 0
    hint: str = ""


class CellResult(msgspec.Struct, frozen=True, kw_only=True):
    """What came of running a cell; outputs are as a file has them."""

    outputs: tuple[JsonObject, ...] = ()
    count: int | None = None
    failure: CellFailure | None = None


class Conditions(msgspec.Struct, frozen=True, kw_only=True):
    """How a notebook is run. kernel: "" for the notebook's own."""

    environ: Mapping[str, str]
    kernel: str = ""
    keep_going: bool = False
    record: bool = False


class NotebookRun:
    """One notebook's kernel, and the results of the cells that ran in it."""

    def __init__(self, source: Notebook, path: Path, rules: Sequence[Rules], conditions: Conditions) -> None:
        self.source, self.path, self.rules, self.conditions = source, path.absolute(), rules, conditions
        self.results: dict[int, CellResult] = {}
        self._kernel: _Kernel | None = None
        self._next = 0  # the first cell that did not run in the kernel there is

    def result(self, place: int) -> CellResult | None:
        """Return what came of a code cell; None for one that does not run because a cell before it failed.

        Raises KernelError, InvalidInputError when no kernel starts.
        """
        if place not in self.results and self.stopped_at(place) is None:
            self._run_to(place)
        return self.results.get(place)

    def stopped_at(self, place: int) -> int | None:
        """Return the cell before `place` whose failure keeps it from running, None if there is none."""
        for earlier in range(place):
            failure = self.results[earlier].failure if earlier in self.results else None
            if failure is not None and (failure.kind != "error" or not self.conditions.keep_going):
                return earlier
        return None

    def forget(self) -> None:
        """Let everything run again, in a new kernel."""
        self.end()
        self.results.clear()

    def end(self) -> None:
        """End the kernel, if there is one."""
        kernel, self._kernel, self._next = self._kernel, None, 0
        if kernel is not None:
            kernel.end()

    def _run_to(self, place: int) -> None:
        if self._kernel is None:
            self._kernel = _Kernel(self)
        while self._next <= place:
            at = self._next
            self._next += 1
            if not self._is_run(at):
                continue
            try:
                self.results[at] = self._kernel.run(at, self.rules[at])
            except BaseException as error:
                said = f"stopped by {type(error).__name__}"
                self.results[at] = CellResult(failure=CellFailure(kind="stopped", said=said))
                self._abandon()
                raise
            failure = self.results[at].failure
            if failure is not None and failure.kind != "error":
                self._abandon()
            if self.stopped_at(at + 1) is not None:
                return

    def _is_run(self, place: int) -> bool:
        cell = self.source.cells[place]
        return cell.type == "code" and bool(cell.source.strip()) and self.rules[place].run

    def _abandon(self) -> None:
        if self._kernel is not None:
            self._kernel.kill()
        self.end()


class _Kernel:
    """A kernel that was started for a run, on a loop of its own in a thread: the caller's thread may have one."""

    def __init__(self, run: NotebookRun) -> None:
        self._run = run
        self._process_group: int | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="notebook kernel", daemon=True)
        self._stack = contextlib.AsyncExitStack()
        self._killed = False
        self._thread.start()
        atexit.register(self.kill)
        try:
            self._node = _node(run.source, run.rules)
            self._start()
        except BaseException:
            self.kill()
            self.end()
            raise

    @property
    def _name(self) -> str:
        return self._run.conditions.kernel or self._run.source.kernel_name or "python3"

    def _start(self) -> None:
        from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

        path, environ = self._run.path, self._run.conditions.environ
        try:
            KernelSpecManager().get_kernel_spec(self._name)  # before the manager looks, which logs what it misses
            self._wait(self._enter())
        except NoSuchKernel as error:
            raise fresh_kernel.unknown_kernel(path, error.name, environ, "--notebooks-kernel NAME") from None
        except (RuntimeError, OSError) as error:
            raise KernelError(
                f"the kernel '{self._name}' of {path.name} did not start: {error}",
                hint="cellar doctor looks at the kernels of this machine",
            ) from None

    async def _enter(self) -> None:
        run = self._run
        environ, folder = _environ(run), run.path.parent
        kernel = fresh_kernel.running(self._node, kernel_name=self._name, environ=environ, folder=folder)
        self._client = await self._stack.enter_async_context(kernel)
        provisioner = getattr(self._client.km, "provisioner", None)
        self._process_group = getattr(provisioner, "pgid", None)
        if run.conditions.record:
            await asyncio.to_thread(_join, Path(self._client.km.connection_file))

    def run(self, place: int, rules: Rules) -> CellResult:
        """Run a cell."""
        return self._wait(self._run_cell(place, rules.timeout))

    async def _run_cell(self, place: int, timeout: float) -> CellResult:
        cell = self._node.cells[place]
        task = asyncio.ensure_future(self._client.async_execute_cell(cell, place))
        await asyncio.wait({task}, timeout=timeout or None)
        late = not task.done()
        if late:
            with contextlib.suppress(Exception):
                await self._client.km.interrupt_kernel()
            await asyncio.wait({task}, timeout=_INTERRUPT_S)
            task.cancel()
        failure = _failure((await asyncio.gather(task, return_exceptions=True))[0])
        outputs = tuple(runfiles.plain(cell.get("outputs", [])))
        if failure is not None or late:
            failure = _told(failure, outputs, timeout if late else 0)
        return CellResult(outputs=outputs, count=cell.get("execution_count"), failure=failure)

    def kill(self) -> None:
        """End the kernel's processes at once; the rest is for `end`."""
        self._killed = True
        if self._process_group is not None:
            with contextlib.suppress(OSError):
                os.killpg(self._process_group, signal.SIGKILL)

    def end(self) -> None:
        """End the kernel and the loop; what it started goes with it."""
        try:
            if self._killed and hasattr(self, "_client"):
                self._client.shutdown_kernel = "immediate"
            with contextlib.suppress(Exception):
                self._wait(self._stack.aclose())
            self.kill()
        finally:
            self._close_loop()
            atexit.unregister(self.kill)

    def _close_loop(self) -> None:
        with contextlib.suppress(Exception):
            self._wait(_cancel_all())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        if not self._thread.is_alive():
            self._loop.close()

    def _wait(self, work: Coroutine[Any, Any, _Ended]) -> _Ended:
        """Run a coroutine on the loop; an interrupt of the waiting thread ends it."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise


async def _cancel_all() -> None:
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def _node(source: Notebook, rules: Sequence[Rules]) -> Any:
    """Return the notebook as nbclient takes it, with the tag for cells that may raise."""
    try:
        node: Any = runfiles.to_nbformat(source)
        import nbclient  # noqa: F401
    except ImportError as error:
        raise KernelError(
            f"running notebooks needs {error.name}, which is not installed", hint=f"pip install {error.name}"
        ) from None
    for cell, rule in zip(node.cells, rules, strict=True):
        if not isinstance(cell.get("metadata"), dict):  # nbformat wants it, not every writer of notebooks knows
            cell["metadata"] = {}
        tags = cell.metadata.get("tags")
        others = [tag for tag in tags if tag != "raises-exception"] if isinstance(tags, list) else []
        cell.metadata["tags"] = [*others, "raises-exception"] if rule.may_raise else others
    return node


def _environ(run: NotebookRun) -> dict[str, str]:
    """Return the kernel's environment: recorded is only what was asked for."""
    conditions = run.conditions
    unwanted = ("NBCELLAR_RECORD", "NBCELLAR_RECORD_ENABLED", "JPY_SESSION_NAME", "PYTEST_CURRENT_TEST")
    environ = {name: value for name, value in conditions.environ.items() if name not in unwanted}
    if not conditions.record:
        return {**environ, "NBCELLAR_RECORD": "0"}
    return {**environ, "NBCELLAR_RECORD": "1", "NBCELLAR_HEADLESS": "1", "JPY_SESSION_NAME": str(run.path)}


def _join(connection_file: Path) -> None:
    """Let a kernel record that does not by itself; harmless in one that does."""
    from nbcellar.api.kernels import JOIN, run_silently

    with contextlib.suppress(CellarError):
        run_silently(connection_file, JOIN)


def _failure(ended: Any) -> CellFailure | None:
    """Return what an ended task means."""
    from nbclient.exceptions import CellExecutionError, DeadKernelError

    if isinstance(ended, CellExecutionError):
        return CellFailure(kind="error", said=f"{ended.ename}: {ended.evalue}")
    if isinstance(ended, DeadKernelError | asyncio.CancelledError):
        return CellFailure(kind="died", said="the kernel died in this cell")
    if isinstance(ended, BaseException):
        raise ended
    return None


def _told(failure: CellFailure | None, outputs: Sequence[JsonObject], late: float) -> CellFailure:
    """Return a failure with the traceback that the cell's outputs hold; late: the timeout that passed, else 0."""
    error = next((output for output in reversed(outputs) if output.get("output_type") == "error"), {})
    trace = tuple(str(line) for line in error.get("traceback", ()))
    found = failure or CellFailure(kind="error", said="")
    if late:
        hint = "--notebooks-timeout, or metadata.cellar.test.timeout of the cell, allow for more"
        found = CellFailure(kind="timeout", said=f"this cell took longer than {late:g} s", hint=hint)
    elif found.kind == "died":
        hint = "it ran out of memory, or its process was ended from outside or by the code it ran"
        found = msgspec.structs.replace(found, hint=hint)
    return msgspec.structs.replace(found, traceback=trace, line=fresh_kernel.line_in(trace))


__all__ = ["CellFailure", "CellResult", "Conditions", "NotebookRun"]
