"""All analyses in all environments: `python -m tests.analyses.run [NOTEBOOK ...] [--every] [--write]`.

`--write` puts the table into docs/analyses.md. Exits 1 if a difference was not announced or anything else was wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from . import scenario
from .environments import ROOT, Environment, environments

DOCUMENT = ROOT / "docs" / "analyses.md"
HEAD = """# Real analyses, every state checked out

Made by `make analyses`. Each notebook of [examples/analyses](../examples/analyses) is worked through in a real kernel
as its scenario says: not from top to bottom, with cells run again, edited, failing and interrupted. After each run a
record of the session is taken by means that know nothing of Cellar (`tests/analyses/probe/`). Then all cells are
undone and redone, every state is checked out in random order, work goes on from some of them, and a new kernel is
brought to states, too; each time the session is compared with its record.

A difference counts as announced if the report of that very command named the variable. What a scenario does not expect
to be announced is an error, too, and so is one that it expects and that never comes.

"""
COLUMNS = "environment|notebook|cells|states|checkouts|gone on from|differences not announced|announced".split("|")
TAIL = """
Rows with fewer than two checkouts a state leave out undo and redo of each cell (`--no-steps`).

What was announced: generators, locks, connections and open files, which cannot be stored; functions whose kept results
(`lru_cache`) were dropped, as they belong to the state that was left; and `environ` and `warnings`: what numpy,
statsmodels and scikit-learn set there when they are first imported. A checkout of a state from before takes it back,
exactly; but they stay loaded, so that the cell that imports them does not set it again, and the report says so.

*Other faults* would be variables that are loaded anew though nothing had changed, checkouts that fail, errors inside
Cellar, an empty cell that records something.

What the record does not look at: the order of sets; strides of arrays that are not contiguous; that frames hold the
very same index, so that a name given to it is one for all of them, and that models hold the array of names beneath it
([decision 0008](decisions/0008-an-index-is-a-value.md)); what libraries cache for themselves, and how often a tree of
neighbours was asked; which file and line a function comes from; attributes that saving leaves on a picture of PIL; the
mode `w+` of a memory map, which comes back as `r+`; the inside of what cannot be stored; state of modules; what is on
disk.
"""

Row = tuple[str, dict[str, Any]]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("notebook", nargs="*")
    parser.add_argument("--every", action="store_true", help="every pair of pandas and ipykernel with every Python")
    parser.add_argument("--seeds", default="1", help="so many rounds through all states")
    parser.add_argument("--restored", default="12", help="so many states in a new kernel")
    parser.add_argument("--no-steps", action="store_true", help="undo and redo of each cell with Python 3.11 only")
    parser.add_argument("--jobs", type=int, default=1, help="so many environments at once")
    parser.add_argument("--write", action="store_true", help="write docs/analyses.md")
    options = parser.parse_args()
    chosen = options.notebook or scenario.names()
    rows: list[Row] = []
    missing: list[str] = []
    told = ["--seeds", options.seeds, "--restored", options.restored]
    with ThreadPoolExecutor(options.jobs) as pool:
        pending = []
        for environment in environments(missing.append, every=options.every):
            brief = options.no_steps and "Python 3.11" not in environment.name
            pending.append(pool.submit(_check, environment, chosen, [*told, "--no-steps"] if brief else told))
        for found in pending:
            rows += found.result()
    for line in missing:
        print(line)
    print("\n" + table(rows))
    if options.write:
        notes = "".join(f"\n{line}.\n" for line in missing)
        DOCUMENT.write_text(HEAD + table(rows) + TAIL + notes, "utf-8")
    wrong = [name for name, verdict in rows if verdict["unannounced"] or verdict["wrong"]]
    return 1 if wrong or len(rows) % len(chosen) or not rows else 0


def table(rows: list[Row]) -> str:
    """Return the verdicts as the lines of a table."""
    lines = ["| " + " | ".join(COLUMNS) + " |\n", "|" + "---|" * len(COLUMNS) + "\n"]
    for name, verdict in rows:
        said = ", ".join(f"`{variable}`" for variable in sorted(verdict["announced"])) or "nothing"
        numbers = [str(verdict[key]) for key in ("cells", "states", "checkouts", "continued")]
        lines.append("| " + " | ".join([name, verdict["notebook"], *numbers, _count(verdict), said]) + " |\n")
    return "".join(lines)


def _count(verdict: dict[str, Any]) -> str:
    others = f", and {len(verdict['wrong'])} other faults" if verdict["wrong"] else ""
    return f"{len(verdict['unannounced'])}{others}"


def _check(environment: Environment, notebooks: list[str], options: list[str]) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="cellar-verdicts-") as folder:
        target = Path(folder) / "verdicts.json"
        command = [str(environment.python), "-m", "tests.analyses.check", *notebooks, *options, "--json", str(target)]
        environ = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "NBCELLAR_", "JUPYTER_"))}
        environ["PYTHONPATH"] = environment.path
        done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
        print(f"\n{environment.name}\n{done.stdout}{_without_noise(done.stderr)}", flush=True)
        found = json.loads(target.read_text("utf-8")) if target.is_file() else []
    if len(found) < len(notebooks):
        print(f"{environment.name}: only {len(found)} of {len(notebooks)} notebooks came to an end")
    return [(environment.name, verdict) for verdict in found]


def _without_noise(text: str) -> str:
    """Leave out what kernels say about encryption."""
    return "".join(line for line in text.splitlines(keepends=True) if "[IPKernelApp]" not in line)


if __name__ == "__main__":
    sys.exit(main())
