"""Runs a peer's own functions on notebooks, in the peers' environment: `document_peers.py WHAT FILE...`.

Prints one JSON object: `cpu_s`, the processor time of the one call, and what it came to. Imported by nobody: it runs
under another Python, which has nbdime, nbdev and nbstripout but not Cellar.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any


def main(words: list[str]) -> None:
    what, *names = words
    print(json.dumps({"diff": _diff, "merge": _merge, "clean": _clean}[what](*names)))


def _diff(before: str, after: str) -> dict[str, Any]:
    import nbformat
    from nbdime import diff_notebooks

    a, b = (nbformat.read(name, as_version=4) for name in (before, after))
    start = time.process_time()
    found = diff_notebooks(a, b)
    cpu = time.process_time() - start
    ops = [entry for cells in found if cells.key == "cells" for entry in cells.diff]
    touched = sum(
        len(entry.valuelist) if entry.op == "addrange" else entry.length if entry.op == "removerange" else 1
        for entry in ops
    )
    size = len(json.dumps(found, separators=(",", ":"), ensure_ascii=False).encode())
    return {"cpu_s": cpu, "touched": touched, "bytes": size}


def _merge(base: str, ours: str, theirs: str) -> dict[str, Any]:
    import nbformat
    from nbdime import merge_notebooks

    versions = [nbformat.read(name, as_version=4) for name in (base, ours, theirs)]
    start = time.process_time()
    merged, decisions = merge_notebooks(*versions)
    cpu = time.process_time() - start
    conflicts = sum(1 for decision in decisions if decision.conflict)
    return {"cpu_s": cpu, "cells": len(merged.cells), "conflicts": conflicts}


def _clean(name: str) -> dict[str, Any]:
    from nbdev.clean import clean_nb, read_nb

    notebook = read_nb(name)
    start = time.process_time()
    clean_nb(notebook)
    return {"cpu_s": time.process_time() - start}


if __name__ == "__main__":
    main(sys.argv[1:])
