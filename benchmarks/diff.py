"""Measure `cellar diff`: `python benchmarks/diff.py [--quick] [--json FILE]`.

Beside it, what one would do without it: load both values, saved by the notebook itself with pickle, and compare them
with the library's own function (`DataFrame.compare`, `==`). Saving is not counted, nor the work of finding the files.
Both run in a process of their own each time, start and imports included, as a user pays for them; `inside` is the work
alone, after everything is imported. Median of several rounds; CPU seconds and seconds by the clock.

One Markdown table on standard output. Nothing here is asserted in tests.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROUNDS = 5


@dataclass(frozen=True)
class Case:
    """Two cells, and how the value is compared by hand once `old` and `new` are loaded."""

    name: str
    make: str
    change: str
    variables: tuple[str, ...]
    by_hand: str


def cases(scale: float) -> list[Case]:
    """Return what is measured; scale 1 is two frames of 80 MB."""
    rows = int(1_000_000 * scale)
    frame = f"pd.DataFrame(np.random.default_rng(0).random(({rows}, 10)), columns=list('abcdefghij')).copy()"
    compare = "print(len(old['v'].compare(new['v'])))"
    walk = "print([k for k in new if old.get(k, ...) != new[k]])"
    return [
        Case(
            "frames of 80 MB, one column changed",
            f"import numpy as np, pandas as pd\nv = {frame}",
            "v['d'] = v['d'] * 1.5",
            ("v",),
            compare,
        ),
        Case(
            "frames of 80 MB, one cell changed",
            f"import numpy as np, pandas as pd\nv = {frame}",
            f"v.loc[{rows // 3}, 'd'] = -1.0",
            ("v",),
            compare,
        ),
        Case(
            "frames of 80 MB, a hundredth of the rows dropped",
            f"import numpy as np, pandas as pd\nv = {frame}",
            "v = v[v.index % 100 != 7]",
            ("v",),
            "common = old['v'].index.intersection(new['v'].index)\n"
            "print(len(old['v'].loc[common].compare(new['v'].loc[common])))",
        ),
        Case(
            "a dict of 10,000 keys, one changed",
            "v = {f'key {n}': [n, str(n), {'n': n * 0.5}] for n in range(10_000)}",
            "v['key 777'][2]['n'] = -1.0",
            ("v",),
            walk.replace("new", "new['v']").replace("old", "old['v']"),
        ),
        Case(
            "100 variables, one changed",
            "\n".join(f"v{n} = [{n}] * 100" for n in range(100)),
            "v7[3] = -1",
            tuple(f"v{n}" for n in range(100)),
            walk,
        ),
        Case(
            "100 variables, all changed",
            "\n".join(f"v{n} = list(range({n}, {n} + 100))" for n in range(100)),
            "\n".join(f"v{n}[3] = -1" for n in range(100)),
            tuple(f"v{n}" for n in range(100)),
            walk,
        ),
    ]


@dataclass(frozen=True)
class Figure:
    """Seconds of a process, and of the work in it."""

    cpu_s: float
    clock_s: float
    inside_cpu_s: float


def notebook(case: Case) -> str:
    """Return a notebook that makes the values, changes them, and saves both states as a user would."""
    names = ", ".join(f"{name!r}: {name}" for name in case.variables)
    save = "import pickle\nwith open('{}.pickle', 'wb') as file:\n    pickle.dump({{{}}}, file, 5)"
    sources = [case.make, save.format("old", names), case.change, save.format("new", names)]
    cells = [
        {"cell_type": "code", "id": f"c{n}", "metadata": {}, "execution_count": None, "outputs": [], "source": source}
        for n, source in enumerate(sources)
    ]
    spec = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return json.dumps({"cells": cells, "metadata": {"kernelspec": spec}, "nbformat": 4, "nbformat_minor": 5})


_DIFF = """
import contextlib, io, os, sys, time
from pathlib import Path
from nbcellar.api import open_repo
from nbcellar.cli.console import Console
from nbcellar.cli.diff_text import format_diff
import nbcellar.api.diffing
if "inside" in sys.argv:
    import numpy
with open_repo(Path.cwd(), environ=os.environ) as repo:
    log = [line for line in repo.log().commits if line.kind == "auto"]
    began = time.process_time()
    found = repo.diff(log[3].id, log[1].id, names=[n for n in NAMES])
    lines = list(format_diff(found, Console(sys.stdout, sys.stderr, os.environ, Path.cwd())))
    print(time.process_time() - began)
"""
_BY_HAND = """
import pickle, sys, time
if "inside" in sys.argv and PANDAS:
    import pandas
began = time.process_time()
with open('old.pickle', 'rb') as file:
    old = pickle.load(file)
with open('new.pickle', 'rb') as file:
    new = pickle.load(file)
COMPARE
print(time.process_time() - began)
"""


def measure(script: str, folder: Path, environ: dict[str, str]) -> Figure:
    """Run a script as a process of its own, again and again; then once more for the work alone."""
    clocks, cpus, insides = [], [], []
    for round_number in range(2 * ROUNDS):
        inside = round_number >= ROUNDS
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        began = time.perf_counter()
        words = ["inside"] if inside else []
        run = subprocess.run(
            [sys.executable, "-c", script, *words], cwd=folder, env=environ, capture_output=True, text=True, check=True
        )
        clock = time.perf_counter() - began
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if inside:
            insides.append(float(run.stdout.split()[-1]))
        else:
            clocks.append(clock)
            cpus.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return Figure(statistics.median(cpus), statistics.median(clocks), statistics.median(insides))


def run_case(case: Case, folder: Path) -> tuple[Figure, Figure]:
    """Record a case and measure both ways."""
    folder.mkdir()
    own = folder / "own"
    environ = {**os.environ, "NBCELLAR_CONFIG_DIR": str(own), "JUPYTER_RUNTIME_DIR": str(own), "IPYTHONDIR": str(own)}
    environ.pop("JPY_SESSION_NAME", None)
    (folder / "a.ipynb").write_text(notebook(case))
    for words in (["init"], ["run", "a.ipynb"]):
        subprocess.run(
            [sys.executable, "-m", "nbcellar.cli.main", *words],
            cwd=folder,
            env=environ,
            capture_output=True,
            check=True,
        )
    ours = measure(_DIFF.replace("NAMES", repr(case.variables)), folder, environ)
    script = _BY_HAND.replace("COMPARE", case.by_hand).replace("PANDAS", repr("pandas" in case.make))
    return ours, measure(script, folder, environ)


def main() -> None:
    """Measure all cases and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the data")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the figures to FILE, too")
    args = parser.parse_args()
    figures: dict[str, dict[str, float]] = {}
    print(
        "| case | diff CPU s | by hand CPU s | ratio | diff clock s | by hand clock s | inside: CPU s, by hand, ratio |"
    )
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for number, case in enumerate(cases(0.1 if args.quick else 1.0)):
            ours, theirs = run_case(case, Path(folder) / str(number))
            print(
                f"| {case.name} | {ours.cpu_s:.2f} | {theirs.cpu_s:.2f} | {ours.cpu_s / theirs.cpu_s:.2f} "
                f"| {ours.clock_s:.2f} | {theirs.clock_s:.2f} | {ours.inside_cpu_s:.3f}, {theirs.inside_cpu_s:.3f}, "
                f"{ours.inside_cpu_s / theirs.inside_cpu_s:.2f} |",
                flush=True,
            )
            figures[case.name] = {
                "diff_cpu_s": ours.cpu_s,
                "by_hand_cpu_s": theirs.cpu_s,
                "diff_clock_s": ours.clock_s,
                "by_hand_clock_s": theirs.clock_s,
                "diff_inside_cpu_s": ours.inside_cpu_s,
                "by_hand_inside_cpu_s": theirs.inside_cpu_s,
            }
    if args.json:
        args.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
