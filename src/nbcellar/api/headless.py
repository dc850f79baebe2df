"""Run a notebook from top to bottom in a fresh kernel that records itself.

Invariant: the input file is never written unless it is named as the output; outputs so far and the recorded state
survive a failing cell; the kernel ends only after everything it recorded is on disk.

Parameters follow papermill's convention: a cell tagged `injected-parameters` after the cell tagged `parameters`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import keyword
import shlex
import signal
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from nbcellar import __version__, config
from nbcellar.api import fresh_kernel, views
from nbcellar.api import runfiles as files
from nbcellar.api.kernels import JOIN, KernelRequests, live_kernels, run_silently
from nbcellar.errors import CellarError, InvalidInputError, KernelError, NoRepositoryError
from nbcellar.history.repository import FOLDER, find_root
from nbcellar.ids import CellId, NotebookId
from nbcellar.notebook import Cell, Notebook
from nbcellar.session.entries import KernelEntry
from nbcellar.trust import keys

INJECTED_TAG, PARAMETERS_TAG = "injected-parameters", "parameters"
_POLITE_SIGNALS = (signal.SIGINT, signal.SIGTERM)

_Ended = TypeVar("_Ended")
Progress = Callable[[int, int, str], None]
"""Told before each code cell: cells done, cells in all, first line of the next one."""


def run(
    path: Path,
    *,
    out: Path | None,
    parameters: Mapping[str, Any],
    environ: Mapping[str, str],
    progress: Progress = lambda done, total, line: None,
    notice: Callable[[str], None] = lambda text: None,
) -> views.Run:
    """Run a notebook; a failing cell ends the run and is in the result.

    Raises InvalidInputError for what is no Python notebook, KernelError when the kernel does not start or dies.
    """
    source = inject(files.read(path), parameters)
    files.check_language(source, path)
    if out is not None:
        files.check_out(out)
    started = time.monotonic()
    runner = _Runner(source, path, environ, notice)
    try:
        failed = runner.run_cells(progress)
    finally:
        if out is not None:
            files.write(out, source, runner.outputs())
    return views.Run(
        notebook=str(path),
        cells=len(runner.code_cells),
        executed=runner.executed,
        seconds=round(time.monotonic() - started, 3),
        recorded=runner.recorded,
        head=runner.head,
        out=str(out) if out is not None else None,
        failed_cell=failed[0] if failed else None,
        error=failed[1] if failed else None,
        interrupted=runner.interrupted,
    )


def inject(source: Notebook, parameters: Mapping[str, Any]) -> Notebook:
    """Return the notebook with a cell that sets the parameters; an injected cell of an earlier run is replaced."""
    if not parameters:
        return source
    lines = ["# Parameters", *(f"{name} = {value!r}" for name, value in parameters.items())]
    cells = [cell for cell in source.cells if INJECTED_TAG not in cell.tags]
    place = next((n + 1 for n, cell in enumerate(cells) if PARAMETERS_TAG in cell.tags), 0)
    identifier = CellId("injected-parameters") if source.nbformat_minor >= 5 else CellId("")
    new = Cell(type="code", source="\n".join(lines), id=identifier, metadata={"tags": [INJECTED_TAG]})
    return msgspec.structs.replace(source, cells=(*cells[:place], new, *cells[place:]))


def parse_parameter(text: str) -> tuple[str, Any]:
    """Return name and value of `name=value`; the value is JSON, else text. Raises InvalidInputError."""
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier() or keyword.iskeyword(name):
        raise InvalidInputError(f"'{text}' is no parameter", hint="write it as name=value, for example: -p rows=100")
    try:
        return name, json.loads(value, parse_constant=_refuse)
    except ValueError:
        return name, value


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")


class _Runner:
    """One run: the client, the cells that ran, and what the kernel recorded."""

    def __init__(self, source: Notebook, path: Path, environ: Mapping[str, str], notice: Callable[[str], None]) -> None:
        self.source = source
        self.path = path.absolute()
        self.environ = environ
        self.notice = notice
        self.code_cells = [n for n, cell in enumerate(source.cells) if _is_code(cell)]
        self.executed = 0
        self.recorded = False
        self.head: str | None = None
        self.interrupted = False
        self._started = False
        self._head_before: str | None = None
        self._interrupting: asyncio.Future[Any] | None = None  # kept: the loop holds tasks weakly
        self._node = files.to_nbformat(source)

    def outputs(self) -> list[tuple[tuple[dict[str, Any], ...], int | None] | None]:
        """Return each cell's outputs and execution count; None for cells that did not run."""
        ran = set(self.code_cells[: self.executed])
        return [
            (tuple(files.plain(cell.get("outputs", []))), cell.get("execution_count")) if n in ran else None
            for n, cell in enumerate(self._node.cells)
        ]

    def run_cells(self, progress: Progress) -> tuple[int, views.Failure] | None:
        """Run the code cells in order; return (number of the failed cell from 1, failure) or None."""
        from jupyter_client.kernelspec import NoSuchKernel
        from nbclient.exceptions import DeadKernelError

        try:
            return _run_to_end(self._run(progress))
        except NoSuchKernel as error:
            raise fresh_kernel.unknown_kernel(self.path, error.name, self.environ) from None
        except DeadKernelError:
            cell = self.code_cells[self.executed - 1] + 1 if self.executed else 0
            raise KernelError(
                f"the kernel died in cell {cell} of {self.path.name}",
                hint=f"what was saved before is kept; see: cellar log -n {shlex.quote(self.path.name)}",
            ) from None
        except RuntimeError as error:
            if self._started:
                raise
            raise KernelError(
                f"the kernel '{self._kernel_name}' of {self.path.name} did not start: {error}",
                hint="cellar doctor looks at the kernels of this machine",
            ) from None
        except asyncio.CancelledError:  # nbclient's answer to a signal while the kernel starts
            raise KeyboardInterrupt from None

    async def _run(self, progress: Progress) -> tuple[int, views.Failure] | None:
        from nbclient.exceptions import DeadKernelError

        root = _root_of(self.path)
        if root is None:
            self.notice(f"note: this run is not recorded: no .cellar in {self.path.parent} or above (cellar init)")
        async with self._kernel() as client:
            self._pass_on_interrupts(client)
            entry = await asyncio.to_thread(self._join, str(client.km.connection_file), root) if root else None
            try:
                return await self._run_each(client, progress)
            except DeadKernelError:
                entry = None  # nobody is left to be waited for
                raise
            finally:
                if entry is not None and root is not None:
                    await asyncio.to_thread(self._wait_saved, entry, root)

    def _ask(self, entry: KernelEntry, root: Path, command: str) -> dict[str, Any]:
        ask = KernelRequests(
            root / FOLDER,
            key=lambda: keys.load(config.user_folder(self.environ)),
            version=__version__,
            notice=self.notice,
        )
        return ask(NotebookId(entry.notebook), command, {})

    @contextlib.asynccontextmanager
    async def _kernel(self) -> AsyncIterator[Any]:
        """Start a kernel for the time of a block."""
        environ, folder = self._kernel_environ(), self.path.parent
        kernel = fresh_kernel.running(self._node, kernel_name=self._kernel_name, environ=environ, folder=folder)
        async with kernel as client:
            self._started = True
            yield client

    async def _run_each(self, client: Any, progress: Progress) -> tuple[int, views.Failure] | None:
        from nbclient.exceptions import CellExecutionError

        for number, place in enumerate(self.code_cells):
            progress(number, len(self.code_cells), self.source.cells[place].source)
            if self.interrupted:
                return place + 1, views.Failure(name="KeyboardInterrupt", value="", line=0)
            self.executed = number + 1
            try:
                await client.async_execute_cell(self._node.cells[place], place)
            except CellExecutionError as error:
                return place + 1, self._failure(place, error)
        progress(len(self.code_cells), len(self.code_cells), "")
        return None

    def _pass_on_interrupts(self, client: Any) -> None:
        """Let Ctrl-C or a polite kill interrupt the cell, so that what it did is recorded; a second one ends us."""
        loop = asyncio.get_running_loop()

        def interrupt() -> None:
            for number in _POLITE_SIGNALS:
                loop.remove_signal_handler(number)
            self.interrupted = True
            self._interrupting = asyncio.ensure_future(client.km.interrupt_kernel())

        # Windows has no such handlers; outside of the main thread interrupts go elsewhere.
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            for number in _POLITE_SIGNALS:
                loop.add_signal_handler(number, interrupt)

    @property
    def _kernel_name(self) -> str:
        return self.source.kernel_name or "python3"

    def _kernel_environ(self) -> dict[str, str]:
        return {**self.environ, "NBCELLAR_RECORD": "1", "NBCELLAR_HEADLESS": "1", "JPY_SESSION_NAME": str(self.path)}

    def _join(self, connection_file: str, root: Path) -> KernelEntry | None:
        """Return the entry of the new kernel; let it join where it did not by itself."""
        entry = _entry(connection_file, root)
        if entry is None:
            with contextlib.suppress(KernelError):
                run_silently(Path(connection_file), JOIN)
            entry = _entry(connection_file, root)
        if entry is None:
            self.notice("note: this run is not recorded: Cellar could not start in the kernel (cellar doctor says why)")
            return None
        with contextlib.suppress(CellarError):
            self._head_before = self._ask(entry, root, "status").get("head") or None
        self.recorded = True
        return entry

    def _wait_saved(self, entry: KernelEntry, root: Path) -> None:
        try:
            self._ask(entry, root, "wait_saved")
            status = self._ask(entry, root, "status")
        except CellarError as error:
            self.notice(f"note: what was recorded last may not be saved: {error.message}")
            return
        failed = str(status.get("failed") or "") or _last_line(status.get("errors"))
        if failed:
            self.notice(f"note: not everything was recorded: {failed}")
        head = status.get("head") or None
        self.recorded = head is not None and head != self._head_before
        self.head = head if self.recorded else None

    def _failure(self, place: int, error: Any) -> views.Failure:
        line = 0
        for output in self._node.cells[place].get("outputs", []):
            if output.get("output_type") == "error":
                line = fresh_kernel.line_in(output.get("traceback", ()))
        return views.Failure(name=str(error.ename), value=str(error.evalue), line=line)


def _run_to_end(work: Coroutine[Any, Any, _Ended]) -> _Ended:
    """Run a coroutine, also where a loop runs already: in a notebook."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


def _entry(connection_file: str, root: Path) -> KernelEntry | None:
    return next((e for e in live_kernels(root / FOLDER) if _same_file(e.connection_file, connection_file)), None)


def _last_line(errors: Any) -> str:
    """Return the last line of the newest traceback in a kernel's status, "" when there is none."""
    lines = [line for line in str(errors[-1]).splitlines() if line.strip()] if errors else []
    return lines[-1] if lines else ""


def _is_code(cell: Cell) -> bool:
    return cell.type == "code" and bool(cell.source.strip())


def _root_of(path: Path) -> Path | None:
    try:
        return find_root(path.parent)
    except NoRepositoryError:
        return None


def _same_file(first: str, second: str) -> bool:
    try:
        return Path(first).samefile(second)
    except OSError:
        return first == second
