"""Measure search on a long history: `python benchmarks/search.py [--commits N] [--repeat N]`.

The history (frozen seed) is that of N cells: sources of three lines, five lines of output each, one changed variable
with a preview, and the document of twelve cells saved with every tenth. Measured is the whole command in a process of
its own, start of Python included: processor time and elapsed time, best of some runs. `cellar --version` is the start
alone. Nothing is asserted; read the ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from nbcellar.history.model import COMMIT_FORMAT, CellRun, Commit, CommitKind, Covariable, Preview, StateDelta
from nbcellar.history.repository import Repository
from nbcellar.ids import CommitId
from nbcellar.notebook import tree
from nbcellar.notebook.codec import read
from nbcellar.store.interface import Kind
from nbcellar.trust.keys import load_or_create

COMMANDS: tuple[tuple[str, ...], ...] = (
    ("--version",),
    ("log", "-N", "20"),
    ("search", "nothing like it"),
    ("search", "v42"),
    ("search", "--code", "-w", "v42"),
    ("search", "-E", r"v4\d = v\d+ \+ 99"),
    ("search", "--variable", "v42"),
    ("vars", "--history", "v42"),
    ("secrets", "scan"),
)
_A_TRANSACTION = 100


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="benchmarks/search.py", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--commits", type=int, default=10_000)
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        make_history(root, options.commits)
        print(f"{options.commits:,} commits, best of {options.repeat}\n\n| command | CPU | elapsed |\n|---|---|---|")
        for words in COMMANDS:
            cpu, elapsed = min(run(root, words) for _ in range(options.repeat))
            print(f"| `cellar {' '.join(words)}` | {cpu * 1000:.0f} ms | {elapsed * 1000:.0f} ms |", flush=True)
    return 0


def make_history(root: Path, count: int) -> None:
    """Record `count` cell runs in one notebook of a new repository."""
    rng = random.Random(20260105)
    key = load_or_create(root / "config")
    sources = [f"cell {number}" for number in range(12)]
    with Repository.create(root) as repository:
        notebook = repository.notebook_for(root / "a.ipynb", create=True)
        head: CommitId | None = None
        for start in range(0, count, _A_TRANSACTION):
            with repository.begin(notebook, key) as recorder:
                for number in range(start, min(start + _A_TRANSACTION, count)):
                    name = f"v{number * 37 % 100}"
                    source = f"# step {number}\n{name} = v{number * 11 % 100} + {number}\nprint({name})"
                    sources[number % 12] = source
                    text = "\n".join(f"row {rng.random()} of {number}" for _ in range(5))
                    outputs = json.dumps([{"output_type": "stream", "name": "stdout", "text": text}]).encode()
                    entry = Covariable(
                        (name,),
                        None,
                        number.to_bytes(16, "big"),
                        (Preview("int", str(number * 7), (), 28),),
                        reason="-",
                    )
                    root_digest = None
                    if number % 10 == 0:
                        root_digest, objects = tree.split(read(document(sources)))
                        for part in objects:
                            recorder.put(Kind[part.kind], part.data, digest=part.digest)
                    head = recorder.commit(
                        Commit(
                            format=COMMIT_FORMAT,
                            notebook=notebook,
                            parents=(head,) if head is not None else (),
                            kind=CommitKind.AUTO,
                            time_ns=(1_790_000_000 + number) * 10**9,
                            author="ada@lab",
                            cell=CellRun("c", source, number, 0.1, None, recorder.put(Kind.OUTPUTS, outputs)),
                            state=StateDelta(head, (entry,)),
                            tree=root_digest,
                        )
                    )
                recorder.finish()


def document(sources: list[str]) -> bytes:
    """Return the file of a notebook with these code cells."""
    cells = [
        {
            "cell_type": "code",
            "execution_count": None,
            "id": f"c{number}",
            "metadata": {},
            "outputs": [],
            "source": source.splitlines(keepends=True),
        }
        for number, source in enumerate(sources)
    ]
    return (json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, indent=1) + "\n").encode()


def run(root: Path, words: tuple[str, ...]) -> tuple[float, float]:
    """Return processor time and elapsed time of one command, in seconds."""
    environ = {**os.environ, "NBCELLAR_CONFIG_DIR": str(root / "config")}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "nbcellar.cli.main", *words],
        cwd=root,
        env=environ,
        stdout=subprocess.DEVNULL,
        check=False,
    )
    elapsed = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, elapsed


if __name__ == "__main__":
    sys.exit(main())
