"""What a replay would run or has run, as plain data for the answers of commands (`api.views.Replay`)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from blake3 import blake3

from nbcellar.ids import CommitId
from nbcellar.session.replay.sources import effects_of
from nbcellar.session.replay.steps import ReplayPlan, Step


def as_answer(plan: ReplayPlan, target: CommitId, transform: Callable[[str], str], *, done: bool) -> dict[str, Any]:
    """Return the cells with what they do outside, the variables that they bring, and what they cannot bring.

    id: names this list of cells for this target. A commit's id holds its cell's source, and all before it.
    """
    return {
        "id": _id_of(plan, target),
        "done": done,
        "cells": [_cell(step, transform) for step in plan.steps],
        "brings": list(plan.names),
        "cannot": dict(plan.impossible),
    }


def _id_of(plan: ReplayPlan, target: CommitId) -> str:
    words = [[target.hex()], [step.commit.hex() for step in plan.steps], plan.names, sorted(plan.impossible)]
    return blake3(json.dumps(words).encode()).hexdigest()[:32]


def _cell(step: Step, transform: Callable[[str], str]) -> dict[str, Any]:
    cell = step.cell
    lines = [line.strip() for line in cell.source.splitlines() if line.strip()]
    seen = tuple(f"wrote {path}" for path in cell.opened_for_writing)
    return {
        "commit": step.commit.hex(),
        "execution_count": cell.execution_count,
        "title": lines[0][:80] if lines else "",
        "duration_s": cell.duration_s,
        "effects": [*seen, *effects_of(cell.source, transform)],
        "failed": cell.error is not None,
    }
