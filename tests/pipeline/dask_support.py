"""Dask clusters of tests in processes of their own, and pipelines that say by named pipes where they are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from nbcellar.api.pipelines import PipelineRun

CLUSTER = """
if __name__ == "__main__":
    import dask, logging
    from distributed import LocalCluster
    from nbcellar.pipeline.dask_cluster import CONFIG
    with dask.config.set(CONFIG):
        cluster = LocalCluster(
            n_workers=int(sys.argv[1]), threads_per_worker=1, memory_limit=sys.argv[2], local_directory=sys.argv[3],
            host="127.0.0.1", dashboard_address="127.0.0.1:0", scheduler_kwargs={"dashboard": False},
            silence_logs=logging.CRITICAL,
        )
    print(cluster.scheduler_address, flush=True)
    sys.stdin.read()
    cluster.close()
"""

BEGIN = """
import os
with open('began', 'w') as said:
    said.write(f'{os.getpid()} {os.getppid()}')
"""
"""Code of a cell that tells its process and that one's parent, a worker of Dask; see `pipe`."""

WAIT = "open('go').read()\n"
FOR_EVER = "import time\ntime.sleep(1000)"


class Cluster:
    """A scheduler with workers in processes of their own."""

    def __init__(self, folder: Path, workers: int = 2, memory: str = "4GiB", first: str = "") -> None:
        """first: code that the workers run before anything else."""
        folder.mkdir(parents=True, exist_ok=True)
        script = folder / "cluster.py"
        script.write_text(f"import sys\nif __name__ != '__main__':\n    pass\n{indented(first)}{CLUSTER}")
        self.process = subprocess.Popen(
            [sys.executable, str(script), str(workers), memory, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().strip()
        assert self.address, "the cluster did not start"

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *error: object) -> None:
        self.process.communicate(input="")


def indented(code: str) -> str:
    """Return lines of code for the inside of a block."""
    return "".join(f"    {line}\n" for line in code.strip().splitlines())


def write(folder: Path, sources: Mapping[str, str], policies: Mapping[str, Mapping[str, Any]] | None = None) -> Path:
    """Write a notebook with a component for each source."""
    cells = [
        {
            "cell_type": "code",
            "id": name,
            "metadata": {"cellar": {"component": {"name": name, **(policies or {}).get(name, {})}}},
            "source": source,
            "outputs": [],
            "execution_count": None,
        }
        for name, source in sources.items()
    ]
    path = folder / "a.ipynb"
    path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}), "utf-8")
    return path


def error_of(done: PipelineRun, name: str) -> str:
    """Return the error of a component, empty if it has none."""
    step = next(step for step in done.steps if step.name == name)
    return f"{step.error.name}: {step.error.message}" if step.error is not None else ""


def pipe(folder: Path, name: str) -> Path:
    """Make a named pipe: who reads it waits for who writes it, and the other way round."""
    path = folder / name
    os.mkfifo(path)
    return path


def in_background(function: Callable[[], PipelineRun]) -> Future[PipelineRun]:
    """Start a run in a thread."""
    pool = ThreadPoolExecutor(1)
    future = pool.submit(function)
    pool.shutdown(wait=False)
    return future


def command(*options: str) -> list[str]:
    """Return the command line of a run."""
    return [sys.executable, "-m", "nbcellar.cli.main", "pipeline", "run", "a.ipynb", *options]
