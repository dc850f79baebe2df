"""Outputs of one cell compared: which became which, in what order they stand, what changed in each by MIME type.

Invariant: each output of both sides is in one change, or is the same and at its place among those that are.
Text that a stream wrote in several pieces is one output.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nbcellar.diff.align import align
from nbcellar.diff.document.changes import OutputChange
from nbcellar.diff.document.equality import json_key, same_json
from nbcellar.diff.document.metadata import value_changes
from nbcellar.diff.document.noise import NOISES, Noise, join_streams, output_noise
from nbcellar.diff.document.notebooks import alike_outputs
from nbcellar.diff.document.outputs.model import OutputSettings
from nbcellar.diff.document.outputs.noise import kinds_of
from nbcellar.diff.document.outputs.registry import ERROR, compare_bundle
from nbcellar.notebook.model import JsonObject

_Placed = tuple[int, JsonObject]
_BUNDLE_KEYS = frozenset({"data", "text", "traceback", "ename", "evalue", "output_type", "name", "execution_count"})


def compare_outputs(
    before: Sequence[JsonObject], after: Sequence[JsonObject], settings: OutputSettings | None = None
) -> list[OutputChange]:
    """Return what changed, in the order of `after`; removed outputs stand where they stood.

    `settings`: the tolerance of numbers, and what else compares contents.
    """
    if before is after:
        return []
    old, new = join_streams(before), join_streams(after)
    pairs = _pair(old, new)
    found: list[tuple[float, OutputChange]] = []
    for x, y, moved in pairs:
        if moved or not same_json(old[x][1], new[y][1]):
            found.append((y, _changed(old[x], new[y], settings, moved=moved)))
    paired_a, paired_b = {x for x, _, _ in pairs}, {y for _, y, _ in pairs}
    found += [(y, _alone(new[y], is_new=True)) for y in range(len(new)) if y not in paired_b]
    for x in range(len(old)):
        if x not in paired_a:
            near = max((y for i, y, _ in pairs if i < x), default=-1)
            found.append((near + 0.5, _alone(old[x], is_new=False)))
    return [change for _, change in sorted(found, key=lambda entry: entry[0])]


def _pair(old: Sequence[_Placed], new: Sequence[_Placed]) -> list[tuple[int, int, bool]]:
    """Return which outputs correspond, and whether they left their order."""
    keys_a, keys_b = [json_key(output) for _, output in old], [json_key(output) for _, output in new]
    pairs: list[tuple[int, int, bool]] = []
    open_a: list[int] = []
    open_b: list[int] = []
    gaps = align(keys_a, keys_b)
    x = y = 0
    for step in gaps:
        pairs += ((x + n, y + n, False) for n in range(step.a_start - x))
        open_a += range(step.a_start, step.a_stop)
        open_b += range(step.b_start, step.b_stop)
        x, y = step.a_stop, step.b_stop
    pairs += ((x + n, y + n, False) for n in range(len(old) - x))
    for i in list(open_a):
        j = next((j for j in open_b if keys_a[i] == keys_b[j]), None)
        if j is not None:
            pairs.append((i, j, True))
            open_a.remove(i)
            open_b.remove(j)
    for step in gaps:
        some_b = [j for j in open_b if step.b_start <= j < step.b_stop]
        for i in [i for i in open_a if step.a_start <= i < step.a_stop]:
            j = next((j for j in some_b if alike_outputs(old[i][1], new[j][1])), None)
            if j is not None:
                pairs.append((i, j, False))
                open_a.remove(i)
                open_b.remove(j)
                some_b = [other for other in some_b if other > j]
    return sorted(pairs, key=lambda pair: pair[1])


def _changed(old: _Placed, new: _Placed, settings: OutputSettings | None, *, moved: bool) -> OutputChange:
    (place_a, before), (place_b, after) = old, new
    parts = compare_bundle(_bundle(before), _bundle(after), settings)
    metadata = list(value_changes(_rest(before), _rest(after)))
    noise = None if moved else output_noise(before, after)
    kinds: set[Noise] = set(noise or ()) | kinds_of(name for part in parts for name in part.noise)
    same_type = before.get("output_type") == after.get("output_type")
    # What compared the contents knows them better than a look at the whole output.
    quiet = all(part.only_noise for part in parts) and not metadata and same_type and not moved
    quiet = quiet if parts else noise is not None
    if not same_json(before.get("execution_count"), after.get("execution_count")):
        kinds.add("execution order")
    return OutputChange(
        change="moved" if moved else "changed",
        type=_text(after.get("output_type")),
        name=_name(after),
        before=place_a,
        after=place_b,
        parts=list(parts),
        metadata=metadata,
        noise=[kind for kind in NOISES if kind in kinds],
        only_noise=quiet,
    )


def _alone(placed: _Placed, *, is_new: bool) -> OutputChange:
    place, output = placed
    return OutputChange(
        change="added" if is_new else "removed",
        type=_text(output.get("output_type")),
        name=_name(output),
        before=None if is_new else place,
        after=place if is_new else None,
        parts=list(compare_bundle({}, _bundle(output)) if is_new else compare_bundle(_bundle(output), {})),
    )


def _bundle(output: JsonObject) -> dict[str, Any]:
    """Return what an output shows as a MIME bundle."""
    data = output.get("data")
    if isinstance(data, dict):
        return data
    if isinstance(output.get("text"), str):
        return {"text/plain": output["text"]}
    if output.get("output_type") == "error":
        return {ERROR: {key: output[key] for key in ("ename", "evalue", "traceback") if key in output}}
    return {}


def _rest(output: JsonObject) -> JsonObject:
    """Return what else an output holds: metadata, keys of its own, and what should have been a bundle and is none."""
    shown = _BUNDLE_KEYS if _bundle(output) else frozenset({"execution_count"})
    return {key: value for key, value in output.items() if key not in shown}


def _name(output: JsonObject) -> str:
    return _text(output.get("name")) or (_text(output.get("ename")) if output.get("output_type") == "error" else "")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


__all__ = ["compare_outputs"]
