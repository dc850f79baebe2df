"""kill -9 of real kernels, one to three of them, and of a `cellar gc` beside them.

Each kernel runs cells; what it said is saved (`wait_saved`) is acknowledged. It is killed while it runs or records
another one. Then `cellar check --read-data` must find nothing, and a new kernel of each notebook, after `cellar
restore`, must have every value that was acknowledged, and nothing that was never run.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent))

from kernel.support import Kernel, Project  # type: ignore[import-not-found]
from support import Outcome, main

_START = "import numpy as np\nx = [0]\nblock = np.zeros(200_000, dtype='u1')"


def kill_kernels(arguments: argparse.Namespace, outcome: Outcome) -> None:
    for cycle in range(arguments.cycles):
        rng = random.Random(f"{arguments.seed} {cycle}")
        with tempfile.TemporaryDirectory(prefix="cellar-faults-") as place:
            project = Project(Path(place))
            try:
                one_cycle(project, rng, cycle, outcome, arguments.kernels or rng.randint(1, 3))
            finally:
                project.close()
        outcome.cycles += 1


def one_cycle(project: Project, rng: random.Random, cycle: int, outcome: Outcome, count: int) -> None:
    names = [f"n{i}.ipynb" for i in range(count)]
    kernels = [project.kernel(name) for name in names]
    saved = {}
    for kernel in kernels:
        kernel.run(_START)
        saved[kernel.notebook] = 0
    for number in range(1, rng.randint(2, 5)):
        for kernel in kernels:
            kernel.run(_cell(number, rng))  # returns when it is saved
            saved[kernel.notebook] = number
            outcome.acknowledged += 1
    command = [sys.executable, "-m", "nbcellar.cli.main", "gc"]
    collector = subprocess.Popen(
        command, cwd=project.root, env=project.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    last = max(saved.values()) + 1
    for kernel in kernels:
        kernel.start(_cell(last, rng))
    time.sleep(rng.random() * 0.3)
    for kernel in kernels:
        kernel.kill()
    collector.kill()
    collector.wait()
    checked = project.cellar("check", "--read-data")
    if checked.returncode:
        outcome.fail(f"cycle {cycle}: cellar check says: {checked.stdout[-400:]}{checked.stderr[-400:]}")
    for kernel in kernels:
        kernel.start_again()
        _compare(kernel, saved[kernel.notebook], last, f"cycle {cycle}, {kernel.notebook}", outcome)


def _compare(kernel: Kernel, saved: int, last: int, what: str, outcome: Outcome) -> None:
    kernel.restore()
    x = kernel.value("x")
    if x != list(range(len(x))) or len(x) - 1 > last:
        outcome.torn += 1
        outcome.fail(f"{what}: x is {x}")
    elif len(x) - 1 < saved:
        outcome.lost += 1
        outcome.fail(f"{what}: {saved} cells were saved, x is {x}")
    elif not kernel.value(f"bool((block[:{len(x)}][1:] == np.array(x[1:])).all())"):
        outcome.torn += 1
        outcome.fail(f"{what}: the array is of another moment than the list")


def _cell(number: int, rng: random.Random) -> str:
    """Change a list and an array in one cell: both must come back as of the same moment."""
    noise = f"noise = np.random.default_rng({rng.randrange(1 << 20)}).integers(0, 256, 100_000, dtype='u1')\n"
    return f"{noise if rng.random() < 0.5 else ''}x.append({number}); block[{number}] = {number}"


if __name__ == "__main__":
    main(kill_kernels, cycles=25, kernels=0)
