"""A Dask cluster of this machine, in processes of its own: for one run, and for nobody else.

    python -m nbcellar.pipeline.dask_cluster WORKERS FOLDER      how `started` begins it

It is no part of the process that asks for it: Dask starts workers by running the program anew that started the cluster,
which would be the user's script, and Ctrl-C in a terminal would reach them. Invariant: it ends with who started it,
whatever ends that one, and listens on loopback, to holders of the certificate that it was started with. Not for:
clusters that are there already (`dask_executor.py`).
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

import dask
import distributed
import msgspec

from nbcellar.errors import CellarError

CONFIG = {
    # A component that ends its worker twice will do it again.
    "distributed.scheduler.allowed-failures": 1,
    # Nothing but its scheduler and its workers listens.
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    # Numeric libraries sum in another order with another number of threads; other executors leave that to them, too.
    "distributed.nanny.pre-spawn-environ": {},
    # A worker has one task and no values: there is next to nothing to be moved. To look at that all the time, as Dask
    # does, would take 7 % of a processor, which components need.
    "distributed.scheduler.work-stealing-interval": "1s",
    "distributed.scheduler.active-memory-manager.start": False,
    "distributed.worker.profile.enabled": False,
    "distributed.worker.memory.monitor-interval": "2s",
    "distributed.admin.system-monitor.interval": "5s",
    "distributed.admin.tick.interval": "500ms",
}
"""What Dask is told in the processes of such a cluster."""

_START_S = 120.0
_CLOSE_S = 10.0


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """How to reach a cluster: its scheduler's address and texts in PEM; or why it was not started."""

    address: str = ""
    ca: str = ""
    certificate: str = ""
    key: str = ""
    error: str = ""

    def security(self) -> Any:
        """Return what a client of Dask needs."""
        return distributed.Security(
            tls_ca_file=self.ca, tls_client_cert=self.certificate, tls_client_key=self.key, require_encryption=True
        )


@contextlib.contextmanager
def started(workers: int) -> Iterator[Access]:
    """Start a cluster; it is ended in the end. Raises CellarError."""
    folder = tempfile.mkdtemp(prefix="cellar-dask-")
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "nbcellar.pipeline.dask_cluster", str(workers), folder],
            cwd="/",  # with -m, modules in the current folder would come before Dask's own
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            start_new_session=True,
        )
        try:
            access = _read(process)
            if not access.address:
                said.seek(0)
                last = said.read().decode("utf-8", "replace").strip().splitlines()[-1:]
                why = access.error or "".join(last) or f"it did not start within {_START_S:.0f} s"
                raise CellarError(f"no Dask cluster could be started: {why}", hint="try: --executor process")
            yield access
        finally:
            _end(process)
            shutil.rmtree(folder, ignore_errors=True)


def _read(process: subprocess.Popen[bytes]) -> Access:
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], _START_S)
    line = process.stdout.readline() if ready else b""
    return msgspec.json.decode(line, type=Access) if line else Access()


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a cluster: it closes itself when its input ends, or is killed."""
    assert process.stdin is not None and process.stdout is not None
    process.stdin.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_CLOSE_S)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()


def main(arguments: list[str]) -> int:
    """Run a cluster until the input ends."""
    workers, folder = int(arguments[0]), arguments[1]
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what anybody prints is no answer
    try:
        security = distributed.Security.temporary()
        dask.config.set(CONFIG)
        cluster = distributed.LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            protocol="tls://",
            security=security,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            scheduler_kwargs={"dashboard": False},
            memory_limit=distributed.system.MEMORY_LIMIT // workers,
            local_directory=folder,
            silence_logs=logging.CRITICAL,
        )
        access = Access(
            address=cluster.scheduler_address,
            ca=security.tls_ca_file,
            certificate=security.tls_client_cert,
            key=security.tls_client_key,
        )
    except Exception as error:
        answers.write(msgspec.json.encode(Access(error=f"{type(error).__name__}: {error}")) + b"\n")
        return 1
    answers.write(msgspec.json.encode(access) + b"\n")
    answers.flush()
    while sys.stdin.buffer.read(1):
        pass
    cluster.close(timeout=_CLOSE_S)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

__all__ = ["CONFIG", "Access", "started"]
