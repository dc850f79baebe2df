"""Measure the diff of notebooks in memory: processor time, cells reported, bytes of the diff, each against its ideal.

    python benchmarks/document_diff.py [SIZE ...] [--seeds 5]

Prints a row for each kind of ids and each size: the median time of pairing, of the operations and of the model that
views draw; cells reported as touched and bytes of the diff (compact JSON), divided by what the edit script did.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import json
import statistics
import time
from collections.abc import Sequence

from document_inputs import IDS, Case, make_case
from nbcellar.diff.document.compare import compare_notebooks
from nbcellar.diff.document.operations import to_json
from nbcellar.diff.document.pairing import pair_cells
from nbcellar.notebook import read, write


def measure(case: Case) -> tuple[float, float, float, float, float]:
    """Return seconds for pairing, operations and changes, then cells and bytes divided by their ideals."""
    before, after = read(write(case.before)), read(write(case.after))
    gc.collect()
    times = [time.process_time()]
    pair_cells(before.cells, after.cells)
    times.append(time.process_time())
    diff = compare_notebooks(before, after)
    text = json.dumps(to_json(diff.operations), separators=(",", ":"), ensure_ascii=False)
    times.append(time.process_time())
    cells = diff.changes.cells
    times.append(time.process_time())
    pairing, whole, changes = (later - earlier for earlier, later in itertools.pairwise(times))
    return pairing, whole - pairing, changes, len(cells) / case.touched, len(text) / case.ideal_bytes


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("sizes", metavar="SIZE", type=int, nargs="*", default=[10, 100, 1000, 3000])
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args(arguments)
    print("| ids | cells | pairing s | operations s | changes s | touched / ideal | bytes / ideal |")
    print("|---|---|---|---|---|---|---|")
    for ids in IDS:
        for size in options.sizes:
            rows = [measure(make_case(size, seed, ids=ids)) for seed in range(options.seeds)]
            pairing, operations, changes = (statistics.median(column) for column in list(zip(*rows, strict=True))[:3])
            cells, text = (statistics.mean(column) for column in list(zip(*rows, strict=True))[3:])
            print(f"| {ids} | {size} | {pairing:.3f} | {operations:.3f} | {changes:.3f} | {cells:.3f} | {text:.3f} |")


if __name__ == "__main__":
    main()
