"""Run all rigs at full size and print one table; `--write` puts it into docs/reliability.md.

    make faults                       all of it, some twenty minutes on two cores
    make faults RIG=kill SEED=7       one rig, other choices
    make faults PART=5                a fifth of all cycles

What was found is kept by rig in a folder, if `--resume FOLDER` names one, and not sought again when it is there.
A rig that cannot run on this machine is listed as not run, and the command fails: nothing passes in silence.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PAGE = HERE.parent.parent / "docs" / "reliability.md"
BEGIN, END = "<!-- table: make faults -->", "<!-- end of table -->"

NUMBERS = ("cycles", "acknowledged", "lost", "torn", "said", "seconds")

# The long ones first, so that two at a time end together.
RIGS: tuple[tuple[str, ...], ...] = (
    *(("kill", "--cycles", "250", "--first", str(first)) for first in (0, 250, 500, 750)),
    *(("nth_call", "--action", str(number)) for number in range(13)),
    ("power_fuse", "--cycles", "200"),
    ("kill_kernels", "--cycles", "25"),
    ("power", "--cycles", "200"),
    ("bit_flips", "--area", "2", "--cycles", "1000"),
    ("bit_flips", "--area", "3", "--cycles", "500"),
    ("bit_flips", "--area", "0", "--cycles", "1000"),
    ("bit_flips", "--area", "1", "--cycles", "500"),
    ("disk_full", "--cycles", "50"),
    ("disk_full", "--cycles", "10", "--stride", "5", "--counted", "1"),
    ("writers", "--cycles", "10"),
    ("gc_race", "--cycles", "200"),
    ("gc_race", "--mutant", "1"),
    *(("power", "--mutant", str(n), "--cycles", "100") for n in (1, 2, 3, 4)),
    *(("power_fuse", "--mutant", str(n), "--cycles", "50") for n in (1, 2, 3, 4, 5)),
)


def run_rig(rig: tuple[str, ...], seed: int, folder: Path | None) -> dict[str, Any]:
    """Run one rig in a process of its own, unless `folder` has what it found; return its outcome."""
    words = " ".join([*rig, "--seed", str(seed)])
    kept = folder / f"{words.replace(' ', '_')}.json" if folder is not None else None
    if kept is not None and kept.exists():
        found: dict[str, Any] = json.loads(kept.read_text())
        return found
    outcome = _run(rig, words, seed)
    if kept is not None:
        kept.write_text(json.dumps(outcome))
    return outcome


def _run(rig: tuple[str, ...], words: str, seed: int) -> dict[str, Any]:
    command = [sys.executable, str(HERE / f"{rig[0]}.py"), *rig[1:], "--seed", str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 77:
        outcome = {"rig": rig[0], "failures": [f"not run: {done.stderr.strip()}"]}
    else:
        try:
            outcome = json.loads(done.stdout.strip().splitlines()[-1])
        except (IndexError, ValueError):
            outcome = {"rig": rig[0], "failures": [f"ended with {done.returncode}: {done.stderr[-1500:]}"]}
    outcome["command"] = words
    print(f"  {words}: {'FAILED' if outcome['failures'] else 'ok'}", file=sys.stderr, flush=True)
    return outcome


def shortened(rig: tuple[str, ...], part: int) -> tuple[str, ...]:
    """Return the same rig with an n-th of its cycles; one with a mutant ends when it is found, anyway."""
    if rig[0] == "nth_call":
        return (*rig, "--stride", str(part))
    if "--mutant" in rig or "--cycles" not in rig:
        return rig
    place = rig.index("--cycles") + 1
    return (*rig[:place], str(max(1, int(rig[place]) // part)), *rig[place + 1 :])


def joined(outcomes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return one outcome for each rig: what ran in several processes counts together."""
    rows: dict[str, dict[str, Any]] = {}
    for outcome in outcomes:
        row = rows.setdefault(outcome["rig"], {"rig": outcome["rig"], "notes": [], "failures": []})
        for key in NUMBERS:
            row[key] = round(row.get(key, 0) + outcome.get(key, 0), 1)
        row["notes"] += [note for note in outcome.get("notes", []) if note not in row["notes"]]
        row["failures"] += outcome["failures"]
    return list(rows.values())


def table(outcomes: list[dict[str, Any]]) -> str:
    """Return the table as Markdown."""
    lines = [
        "| rig | cycles | acknowledged | lost | torn | errors said | seconds | |",
        "|---|--:|--:|--:|--:|--:|--:|---|",
    ]
    for outcome in joined(outcomes):
        # A page of the project names no folder of the machine that made it.
        notes = re.sub(r"/\S*?/cellar-faults-[^/ ]*", "…", ", ".join(outcome.get("notes", [])))
        if outcome["failures"]:
            notes = f"**FAILED ({len(outcome['failures'])})**: {outcome['failures'][0][:200]}"
        numbers = [outcome.get(key, 0) for key in NUMBERS]
        cells = [outcome["rig"], *(f"{number:,}" for number in numbers), notes.replace("|", "/").replace("\n", " ")]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="Attack the store in all ways, at full size.")
    parser.add_argument("--rig", default="", help="only rigs whose name begins so")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--part", type=int, default=1, metavar="N", help="an n-th of the cycles only")
    parser.add_argument("--jobs", type=int, default=2, help="how many rigs run at a time")
    parser.add_argument("--resume", type=Path, help="an existing folder that keeps what each rig found")
    parser.add_argument("--write", action="store_true", help=f"write the table into {PAGE.name}")
    arguments = parser.parse_args()
    rigs = [shortened(rig, arguments.part) for rig in RIGS if rig[0].startswith(arguments.rig)]
    with ThreadPoolExecutor(arguments.jobs) as pool:
        outcomes = list(pool.map(lambda rig: run_rig(rig, arguments.seed, arguments.resume), rigs))
    print(table(outcomes))
    failures = [(outcome["command"], text) for outcome in outcomes for text in outcome["failures"]]
    for command, text in failures[:40]:
        print(f"\n{command}: {text}", file=sys.stderr)
    if arguments.write and not arguments.rig:
        text = PAGE.read_text(encoding="utf-8")
        before, _, rest = text.partition(BEGIN)
        _, _, after = rest.partition(END)
        PAGE.write_text(f"{before}{BEGIN}\n{table(outcomes)}\n{END}{after}", encoding="utf-8")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
