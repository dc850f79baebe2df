"""A notebook of `examples/analyses` and the way it is worked through: runs, re-runs, edits, failures, interrupts.

`NAME.scenario.json` beside `NAME.ipynb`:

    steps       cell ids in the order in which they are run, or objects: {"run": ID} with
                  "replace": [OLD, NEW, ...]  an edit of the source that stays
                  "fails": NAME               the run must end with this exception
                  "interrupt": TEXT           interrupted once it has printed this
    calls       expressions over the variables; their values belong to the record of each state
    announced   name -> words of the reason: what a checkout may say it could not bring back, or is not sure of
    anew        names whose values differ each time their cell is run

Invariant: a scenario that names what is not there is refused. Not for: running it (`play.py`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent.parent.parent / "examples" / "analyses"


@dataclass(frozen=True)
class Step:
    """One run of a cell, with its source as it is by then."""

    cell: str
    source: str
    fails: str = ""
    interrupt: str = ""


@dataclass(frozen=True)
class Scenario:
    """A notebook and how it is worked through."""

    name: str
    path: Path
    cells: int
    steps: tuple[Step, ...]
    calls: tuple[str, ...] = ()
    announced: dict[str, str] = field(default_factory=dict)
    anew: frozenset[str] = frozenset()


def names() -> list[str]:
    """Return the notebooks that have a scenario."""
    return sorted(path.name.removesuffix(".scenario.json") for path in FOLDER.glob("*.scenario.json"))


def load(name: str) -> Scenario:
    """Return the scenario of a notebook."""
    path = FOLDER / f"{name}.ipynb"
    cells = json.loads(path.read_text("utf-8"))["cells"]
    sources = {cell["id"]: "".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"}
    plan: dict[str, Any] = json.loads((FOLDER / f"{name}.scenario.json").read_text("utf-8"))
    unknown = plan.keys() - {"steps", "calls", "announced", "anew"}
    assert not unknown, f"{name}: what is {sorted(unknown)}?"
    steps = []
    for entry in plan["steps"]:
        entry = {"run": entry} if isinstance(entry, str) else entry
        cell, edits = entry["run"], entry.get("replace", [])
        for old, new in zip(edits[::2], edits[1::2], strict=True):
            assert old in sources[cell], f"{name}: cell {cell} does not contain {old!r}"
            sources[cell] = sources[cell].replace(old, new)
        steps.append(Step(cell, sources[cell], entry.get("fails", ""), entry.get("interrupt", "")))
    never = sources.keys() - {step.cell for step in steps}
    assert not never, f"{name}: never run: {sorted(never)}"
    return Scenario(
        name=name,
        path=path,
        cells=len(cells),
        steps=tuple(steps),
        calls=tuple(plan.get("calls", ())),
        announced=dict(plan.get("announced", {})),
        anew=frozenset(plan.get("anew", ())),
    )
