"""Measure the recording of sessions: `python benchmarks/session.py [--workload N] [--quick] [--repeat N] [--cells]`.

Seven workloads (`workloads.py`) run in real kernels: bare, with Cellar, with a `dill` dump of the namespace after each
cell, and with Kishu 0.3.4 in a virtual environment of its own (`.venv-kishu`, made at the first run). One Markdown
table on standard output, progress on standard error. Times and sizes mean:

- capture CPU: processor time of the kernel process (all threads) from sending a cell until its commit is durable, less
  the same in the bare kernel, for one cell on average; the cells that build the data are shown apart;
- reply, idle, last output: from sending a cell until that message arrives;
- cells sent at once: the first twenty cells again, without waiting between them, as "run all" does;
- store: `.cellar` with the write-ahead log truncated; Kishu's database; all dumps of dill;
- final state: the variables as one protocol-5 pickle, uncompressed, in band; full load: the best of five `pickle.load`;
- undo: timed in the kernel from the request until the variables are the old ones, median of three; a probe compares
  them, and WRONG means that the old value did not come back.

Nothing here is asserted in tests: a figure depends on the machine, so read the ratios.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib.metadata
import json
import os
import platform
import sys
import time
from pathlib import Path

from kernel import CellFailedError
from measure import Figures, combine, measure
from report import ORDER, cell_table, rows, table
from variants import VARIANTS
from workloads import GENERATORS, Workload

# Kishu passes a commit's ancestors to SQLite one by one: 10,000 cells would take it hours.
SKIPPED = {("5-many", "kishu"), ("5-many", "dill")}


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    results: dict[str, dict[str, Figures]] = {}
    lines = []
    details = []
    for key in options.workload or list(GENERATORS):
        workload = GENERATORS[key](options.quick)
        results[key] = _run(key, workload, options.variant or list(ORDER), options.repeat)
        lines += rows(workload, results[key])
        if options.cells:
            details.append(f"Workload {key}: {workload.title}\n\n{cell_table(workload, results[key])}\n")
    print(f"{_machine()}\n\n{table(lines)}\n")
    print("\n".join(details), end="\n" if details else "")
    print("Bare CPU and final state in brackets. Reproduce: python benchmarks/session.py", *_given(options))
    if options.json:
        plain = {key: {n: dataclasses.asdict(f) for n, f in found.items()} for key, found in results.items()}
        Path(options.json).write_text(json.dumps({"machine": _machine(), "workloads": plain}, indent=1), "utf-8")
    return 0


def _run(key: str, workload: Workload, names: list[str], repeat: int) -> dict[str, Figures]:
    found = {}
    for name in ORDER:
        # The bare kernel is what the others are compared with.
        if (name in names or name == "bare") and (key, name) not in SKIPPED:
            began = time.perf_counter()
            try:
                found[name] = combine([measure(workload, VARIANTS[name]) for _ in range(repeat)])
                note = f"{time.perf_counter() - began:.1f} s"
            except CellFailedError as error:
                if name == "bare":
                    raise
                note = f"failed, and is left out: {error}"
            print(f"{key} {name}: {note}", file=sys.stderr, flush=True)
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks/session.py", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--workload", action="append", choices=list(GENERATORS), help="only this one; may be repeated")
    parser.add_argument(
        "--variant", action="append", choices=list(ORDER), help="only this one beside bare; may be repeated"
    )
    parser.add_argument("--quick", action="store_true", help="a tenth of the data, to see that everything runs")
    parser.add_argument("--repeat", type=int, default=1, metavar="N", help="run each N times and take the median")
    parser.add_argument("--cells", action="store_true", help="a second table, with each cell of each workload")
    parser.add_argument("--json", metavar="FILE", help="write every single figure there, too")
    return parser


def _given(options: argparse.Namespace) -> list[str]:
    words = [word for key in options.workload or [] for word in ("--workload", key)]
    words += ["--repeat", str(options.repeat)] if options.repeat > 1 else []
    return words + (["--quick"] if options.quick else [])


def _machine() -> str:
    names = ("nbcellar", "ipykernel", "numpy", "pandas", "scikit-learn", "dill")
    found = []
    for name in names:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            found.append(f"{name} from this checkout")
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {', '.join(found)}"


if __name__ == "__main__":
    sys.exit(main())
