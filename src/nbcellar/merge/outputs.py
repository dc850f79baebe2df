"""Which side's outputs a merged cell has.

Invariant: outputs come from one side whole, with its execution count; those of the other are dropped only if both sides
changed them, and then they are listed. Outputs that belong to another source than the merged one are marked as stale.
"""

from __future__ import annotations

from typing import Any

import msgspec

from nbcellar.diff.document.equality import same_json
from nbcellar.merge.model import Dropped, MergeSettings, Side, other_side
from nbcellar.notebook.model import Cell, JsonObject
from nbcellar.notebook.stale import STALE_KEY

# What a run writes into a cell's metadata, and how its outputs are shown: goes with the outputs.
RUN_KEYS = frozenset(
    {"execution", "ExecuteTime", "collapsed", "scrolled", "outputExpanded", "outputs_hidden", STALE_KEY}
)


class OutputChoice(msgspec.Struct, frozen=True):
    """The side whose outputs are kept (None: none at all), and what that leaves out."""

    side: Side | None
    dropped: tuple[Dropped, ...] = ()


def choose_outputs(base: Cell | None, ours: Cell, theirs: Cell, source: str, settings: MergeSettings) -> OutputChoice:
    """Decide between the outputs of both sides for a cell whose merged source is `source`."""
    if _same_run(ours, theirs):
        # Edited on one side only: the side that has the source. Else it makes no difference.
        return OutputChoice("theirs" if ours.source != source == theirs.source else "ours")
    if base is not None and _same_run(ours, base):
        return OutputChoice("theirs")
    if base is not None and _same_run(theirs, base):
        return OutputChoice("ours")
    if settings.outputs == "none":
        reason = "the policy keeps no outputs that both sides changed"
        return OutputChoice(None, new_outputs(None, ours, theirs, reason))
    side = _side_that_ran(ours, theirs, source) if settings.outputs == "ran" else settings.outputs
    kept, gone = (ours, theirs) if side == "ours" else (theirs, ours)
    other = other_side(side)
    if not gone.outputs or _same_but_for_counts(kept, gone):
        return OutputChoice(side)
    return OutputChoice(side, (_dropped(other, gone, f"both sides ran the cell; kept: the outputs of {side}"),))


def _side_that_ran(ours: Cell, theirs: Cell, source: str) -> Side:
    """Return the side whose outputs are of the merged source; ours when that tells nothing."""
    fits = [side.source == source for side in (ours, theirs)]
    ran = [bool(side.outputs) or side.execution_count is not None for side in (ours, theirs)]
    better = [fit and did for fit, did in zip(fits, ran, strict=True)]
    if better[0] != better[1]:
        return "ours" if better[0] else "theirs"
    return "theirs" if ran[1] and not ran[0] else "ours"


def new_outputs(base: Cell | None, ours: Cell, theirs: Cell, reason: str) -> tuple[Dropped, ...]:
    """Return an entry for the outputs of each side that the base does not have."""
    held = None if base is None else base.outputs
    sides: tuple[tuple[Side, Cell], ...] = (("ours", ours), ("theirs", theirs))
    return tuple(
        _dropped(name, cell, reason) for name, cell in sides if cell.outputs and not same_json(cell.outputs, held)
    )


def _same_run(a: Cell, b: Cell) -> bool:
    return a.execution_count == b.execution_count and same_json(a.outputs, b.outputs)


def _same_but_for_counts(a: Cell, b: Cell) -> bool:
    return same_json([_uncounted(one) for one in a.outputs or ()], [_uncounted(one) for one in b.outputs or ()])


def _uncounted(output: JsonObject) -> JsonObject:
    return {key: value for key, value in output.items() if key != "execution_count"}


def _dropped(side: Side, cell: Cell, reason: str) -> Dropped:
    value: list[Any] = list(cell.outputs or ())
    return Dropped(side=side, what="outputs", reason=reason, value=value, cell=cell.id, path=("outputs",))


__all__ = [
    "RUN_KEYS",
    "OutputChoice",
    "choose_outputs",
    "new_outputs",
]
