"""Check notebooks in this environment: `python -m tests.analyses.check [NOTEBOOK ...] [--seeds N]`.

Each notebook is worked through once; then every state is checked out in random order, from some of them work goes on;
all cells are undone and redone; and a new kernel goes to all states once more. Exits 1 if anything is not as it was.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from . import scenario
from .play import Player, Verdict


def check(name: str, *, seeds: int = 2, restored: int | None = None, steps: bool = True) -> Verdict:
    """Return what became of one notebook.

    restored: so many states are looked at in a new kernel; None: all. steps: undo and redo each cell.
    """
    with tempfile.TemporaryDirectory(prefix="cellar-analyses-") as folder:
        player = Player(scenario.load(name), Path(folder).resolve())
        try:
            player.play()
            if steps:
                player.step_back_and_forth()
            for seed in range(seeds):
                player.check_out_all(seed, going_on=4, quiet=7)
            player.start_anew(seeds, most=restored)
            return player.finish()
        finally:
            player.close()


@contextmanager
def own_home() -> Iterator[None]:
    """Give kernels a home of their own, as the tests have one."""
    with tempfile.TemporaryDirectory(prefix="cellar-home-") as home:
        os.environ.update({"HOME": home, "XDG_CONFIG_HOME": f"{home}/config", "XDG_DATA_HOME": f"{home}/data"})
        os.environ.update({"IPYTHONDIR": f"{home}/ipython", "JUPYTER_CONFIG_DIR": f"{home}/jupyter"})
        os.environ.update({"PYDEVD_DISABLE_FILE_VALIDATION": "1", "XDG_CACHE_HOME": f"{home}/cache"})
        yield


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("notebook", nargs="*")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--restored", type=int, help="so many states in a new kernel; all, if left out")
    parser.add_argument("--no-steps", action="store_true", help="leave out undo and redo of each cell")
    parser.add_argument("--json", help="write the verdicts to this file")
    options = parser.parse_args()
    verdicts = []
    with own_home():
        for name in options.notebook or scenario.names():
            began = time.perf_counter()
            verdict = check(name, seeds=options.seeds, restored=options.restored, steps=not options.no_steps)
            verdicts.append(verdict)
            show(verdict, time.perf_counter() - began)
            if options.json:
                Path(options.json).write_text(json.dumps([asdict(v) for v in verdicts], default=sorted), "utf-8")
    return 0 if all(verdict.is_fine for verdict in verdicts) else 1


def show(verdict: Verdict, seconds: float) -> None:
    """Print a verdict."""
    print(
        f"{verdict.notebook:24} {verdict.cells:3} cells {verdict.states:3} states {verdict.checkouts:4} checkouts "
        f"{verdict.continued:3} gone on from, {len(verdict.unannounced)} differences not announced, "
        f"announced: {', '.join(sorted(verdict.announced)) or 'nothing'} ({seconds:.0f} s)",
        flush=True,
    )
    for kind in ("unannounced", "wrong"):
        for line in getattr(verdict, kind):
            print(f"  {kind:12} {line}")
    for name, reason in sorted(verdict.announced.items()):
        print(f"  announced    {name}: {reason}{'' if name in verdict.differing else ' (but it was what it had been)'}")
    for names, count in sorted(verdict.between.items()):
        print(f"  between      {names}: {count}")


if __name__ == "__main__":
    sys.exit(main())
