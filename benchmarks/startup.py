"""Measure what Cellar costs before and beside the work: `python benchmarks/startup.py [--quick] [--json FILE]`.

- start: processor time of a kernel from its start until the commit of its first cell is durable, less the same of a
  bare kernel: import, opening the store and one capture; median;
- log: `cellar log` as a process of its own on a history of 10,000 commits, by clock, start of Python included; median;
- memory at rest and at the peak: resident memory of a kernel with Cellar less that of a bare one, for 20 arrays and for
  small objects; at rest some seconds after the last cell, at the peak while cells are recorded.

One Markdown table on standard output. Nothing here is asserted in tests.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kernel import Kernel
from nbcellar.history.model import COMMIT_FORMAT, CellRun, Commit, CommitKind, Covariable, Preview, StateDelta
from nbcellar.history.repository import Repository
from nbcellar.ids import CommitId, KeyId, NotebookId
from nbcellar.store.interface import Kind
from variants import NOTEBOOK, VARIANTS, Variant, environment, prepare, prepare_cellar
from workloads import Workload, arrays, small_objects

ROUNDS = 5
SETTLE_S = 3.0
_BATCH = 500
_NAMES = 100


@dataclass(frozen=True)
class Line:
    figure: str
    value: str
    bar: str
    met: bool


class Key:
    """A signer of its own, so that no key of a user signs a made-up history."""

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()
        self.key_id = KeyId(self._key.public_key().public_bytes_raw())

    def sign(self, message: bytes) -> bytes:
        """Return the signature of a message."""
        return self._key.sign(message)


def start_cost_s(rounds: int) -> float:
    """Return the median processor time that recording adds up to the first durable commit."""
    bare = statistics.median(_until_first_cell(VARIANTS["bare"]) for _ in range(rounds))
    return statistics.median(_until_first_cell(VARIANTS["cellar"]) for _ in range(rounds)) - bare


def _until_first_cell(variant: Variant) -> float:
    return _in_kernel(variant, _run_first_cell)


def _run_first_cell(variant: Variant, kernel: Kernel) -> float:
    # The same number of cells in both; what the bare one runs instead of the extension costs nothing.
    if variant.name == "bare":
        kernel.run("pass")
    kernel.run("first = 1", variant.saved)
    return kernel.cpu_s()


def _in_kernel(variant: Variant, action: Callable[[Variant, Kernel], float]) -> float:
    with tempfile.TemporaryDirectory(prefix="cellar-bench-") as name:
        folder = Path(name).resolve()
        prepare(folder)
        if variant.name == "cellar":
            prepare_cellar(folder)
        with Kernel(variant.python(), folder, environment(folder)) as kernel:
            variant.install(kernel, folder)
            return action(variant, kernel)


def log_times_s(commits: int, rounds: int) -> dict[str, float]:
    """Return the median time of `cellar log`, and of it with --all, on a history of so many commits."""
    with tempfile.TemporaryDirectory(prefix="cellar-bench-") as name:
        folder = Path(name).resolve()
        prepare(folder)
        with Repository.create(folder, by="bench") as repository:
            write_history(repository, commits)
        found = {}
        for options in ((), ("--all",), ("--graph",)):
            command = [sys.executable, "-m", "nbcellar.cli.main", "log", *options]
            times = []
            for _ in range(rounds):
                began = time.perf_counter()
                subprocess.run(command, cwd=folder, env=environment(folder), check=True, stdout=subprocess.DEVNULL)
                times.append(time.perf_counter() - began)
            found[" ".join(("cellar log", *options))] = statistics.median(times)
    return found


def write_history(repository: Repository, commits: int) -> NotebookId:
    """Record a line of tiny cell runs over 100 names; each changes one of them."""
    notebook = repository.notebook_for(repository.root / NOTEBOOK, create=True)
    key = Key()
    head: CommitId | None = None
    for start in range(0, commits, _BATCH):
        with repository.begin(notebook, key) as recorder:
            for number in range(start, min(start + _BATCH, commits)):
                value = recorder.put(Kind.VALUE, f"value {number}".encode())
                head = recorder.commit(_tiny_commit(notebook, head, number, value))
            recorder.finish()
    return notebook


def _tiny_commit(notebook: NotebookId, parent: CommitId | None, number: int, value: bytes) -> Commit:
    name = f"v{number % _NAMES}"
    changed = Covariable((name,), value, value[:16], (Preview("int", str(number), size_bytes=28),), size_bytes=28)
    return Commit(
        format=COMMIT_FORMAT,
        notebook=notebook,
        parents=(parent,) if parent is not None else (),
        kind=CommitKind.AUTO,
        time_ns=1_760_000_000_000_000_000 + number * 1_000_000_000,
        author="bench",
        cell=CellRun(f"cell-{number % 40}", f"{name} = {number}", number + 1, 0.001),
        state=StateDelta(base=parent, put=(changed,)),
    )


@dataclass(frozen=True)
class Memory:
    """Resident memory above that of the bare kernel, in bytes, and the size of the state."""

    rest: int
    peak: int
    state: int


def memory(workload: Workload) -> Memory:
    """Run a workload bare and with Cellar; compare resident memory."""
    found = {}
    for name in ("bare", "cellar"):
        figures: list[int] = []

        def run(variant: Variant, kernel: Kernel, figures: list[int] = figures) -> float:
            for source in (*workload.setup, *workload.cells):
                kernel.run(source, variant.saved)
            time.sleep(SETTLE_S)
            figures += [kernel.rss_bytes(), kernel.peak_bytes()]
            if variant.name == "bare":
                path = str(Path(tempfile.gettempdir()) / f"cellar-bench-{kernel.pid}.pickle")
                figures.append(kernel.ask(f"__import__('inkernel').final_state(get_ipython(), {path!r}, 1)")[0])
            return 0.0

        _in_kernel(VARIANTS[name], run)
        found[name] = figures
    bare, cellar = found["bare"], found["cellar"]
    return Memory(rest=cellar[0] - bare[0], peak=cellar[1] - bare[1], state=bare[2])


def lines(quick: bool) -> list[Line]:
    """Measure everything."""
    rounds = 2 if quick else ROUNDS
    commits = 1_000 if quick else 10_000
    found = [_seconds("start: import and first captured cell, CPU", start_cost_s(rounds), 0.100)]
    for command, value in log_times_s(commits, rounds).items():
        found.append(_seconds(f"`{command}` on {commits:,} commits", value, 0.150))
    for workload, objects in ((arrays(quick), 0), (small_objects(quick), 20_000 if quick else 200_000)):
        used = memory(workload)
        found.append(_megabytes(f"memory at rest, {workload.title}", used.rest, 30e6 + 0.01 * used.state))
        found.append(_megabytes(f"memory at the peak, {workload.title}", used.peak, 256 * 2**20 + 40 * objects))
    return found


def _seconds(figure: str, value: float, bar: float) -> Line:
    return Line(figure, f"{value * 1000:.0f} ms", f"< {bar * 1000:.0f} ms", value < bar)


def _megabytes(figure: str, value: float, bar: float) -> Line:
    return Line(figure, f"{value / 1e6:.1f} MB", f"<= {bar / 1e6:.0f} MB", value <= bar)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="benchmarks/startup.py", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds, a tenth of the data")
    parser.add_argument("--json", metavar="FILE", help="write the figures there, too")
    options = parser.parse_args(arguments)
    found = lines(options.quick)
    print("| figure | Cellar | bar | met |\n|---|---|---|---|")
    for line in found:
        print(f"| {line.figure} | {line.value} | {line.bar} | {'yes' if line.met else '**no**'} |")
    if options.json:
        Path(options.json).write_text(json.dumps([dataclasses.asdict(line) for line in found], indent=1), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
