"""A real kernel under a stop-watch: start it, run cells, read its processor time.

Invariant: nothing is measured by the kernel about itself; the clocks are the harness's, and the processor time is that
of the whole process (all threads, user and system), read from outside, so that reading adds no load.

Not for: Windows (the processor clock of another process is a POSIX one).
"""

from __future__ import annotations

import ast
import os
import subprocess
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import zmq
from jupyter_client import KernelManager
from jupyter_client.kernelspec import KernelSpec

_OUTPUTS = ("stream", "display_data", "execute_result", "error")
TIMEOUT_S = 1800.0


@dataclass(frozen=True)
class CellTimes:
    """Seconds since the request was sent; `cpu_s` lasts until the variant says that all is saved."""

    reply_s: float
    idle_s: float
    output_s: float
    cpu_s: float
    text: str


class CellFailedError(RuntimeError):
    """A cell of a workload raised: the benchmark itself is wrong."""


class Kernel:
    """One kernel process; a context manager that ends it."""

    def __init__(self, python: Path, folder: Path, environment: dict[str, str]) -> None:
        self._manager = KernelManager(connection_file=str(folder / f"kernel-{uuid.uuid4()}.json"))
        self._manager._kernel_spec = KernelSpec(
            argv=[str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"], language="python", env={}
        )
        # What a kernel writes to its own error stream is not part of the table.
        self._manager.start_kernel(cwd=str(folder), env=environment, stderr=subprocess.DEVNULL)
        self._client: Any = self._manager.client()
        self._client.start_channels(hb=False, stdin=False, control=False)
        try:
            self._client.wait_for_ready(timeout=60)
        except BaseException:
            self._manager.shutdown_kernel(now=True)
            raise
        pid = self._manager.provisioner.pid  # type: ignore[union-attr]
        self.pid: int = pid
        # The clock id of another process's processor time: see clock_getcpuclockid(3).
        self._clock = (~pid << 3) | 2
        self._poller = zmq.Poller()
        self._poller.register(self._client.shell_channel.socket, zmq.POLLIN)
        self._poller.register(self._client.iopub_channel.socket, zmq.POLLIN)

    def cpu_s(self) -> float:
        """Return the processor time of the process so far, threads that ended included."""
        return time.clock_gettime(self._clock)

    def rss_bytes(self) -> int:
        """Return the resident memory of the process."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def peak_bytes(self) -> int:
        """Return the highest resident memory since the start."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
        raise RuntimeError("no VmHWM in /proc")

    def run(self, source: str, saved: str = "None") -> CellTimes:
        """Run a cell as a front end does, then wait for the expression `saved`; raise CellFailedError if it failed."""
        before = self.cpu_s()
        reply, idle, output, text, status = self._request(source, silent=False, expressions={})
        self.ask(saved)
        if status != "ok":
            raise CellFailedError(f"{source}\n{text}")
        return CellTimes(reply, idle, output, self.cpu_s() - before, text)

    def run_at_once(self, sources: Iterable[str]) -> float:
        """Send all cells without waiting, as "run all" does; return the seconds until the last one's reply."""
        began = time.perf_counter()
        requests = [self._client.execute(source, silent=False) for source in sources]
        waiting = set(requests)
        while waiting:
            message = self._client.get_shell_msg(timeout=TIMEOUT_S)
            request = message["parent_header"].get("msg_id")
            if request in waiting and message["content"]["status"] != "ok":
                raise CellFailedError(f"cell {requests.index(request)} of a run of all failed")
            waiting.discard(request)
        return time.perf_counter() - began

    def ask(self, expression: str) -> Any:
        """Evaluate an expression in the kernel with a silent request; return its value, a literal."""
        replies: list[dict[str, Any]] = []
        self._request("", silent=True, expressions={"value": expression}, replies=replies)
        value = replies[0].get("user_expressions", {}).get("value", {})
        if value.get("status") != "ok":
            raise CellFailedError(f"{expression}\n{value.get('ename')}: {value.get('evalue')}")
        return ast.literal_eval(value["data"]["text/plain"])

    def _request(
        self,
        source: str,
        *,
        silent: bool,
        expressions: dict[str, str],
        replies: list[dict[str, Any]] | None = None,
    ) -> tuple[float, float, float, str, str]:
        reply = idle = output = -1.0
        text, status = "", ""
        began = time.perf_counter()
        request = self._client.execute(source, silent=silent, user_expressions=expressions, store_history=not silent)
        while reply < 0 or idle < 0:
            ready = dict(self._poller.poll(1000))
            now = time.perf_counter() - began
            if now > TIMEOUT_S or (not ready and self._manager.provisioner.process.poll() is not None):  # type: ignore[union-attr]
                raise CellFailedError(f"no answer from the kernel after {now:.0f} s\n{source}")
            if self._client.iopub_channel.socket in ready:
                message = self._client.get_iopub_msg(timeout=0)
                kind, content = message["msg_type"], message["content"]
                if message["parent_header"].get("msg_id") != request:
                    continue
                if kind == "status" and content["execution_state"] == "idle":
                    idle = now
                elif kind in _OUTPUTS:
                    output = now
                    text += content.get("text", "") or "\n".join(content.get("traceback", ()))
            if self._client.shell_channel.socket in ready:
                message = self._client.get_shell_msg(timeout=0)
                if message["parent_header"].get("msg_id") == request:
                    reply, status = now, message["content"]["status"]
                    if replies is not None:
                        replies.append(message["content"])
        return reply, idle, output, text, status

    def __enter__(self) -> Kernel:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=kind is not None)
