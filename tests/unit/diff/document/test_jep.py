"""Diffs are exchanged with nbdime: its files are applied, and ours follow the rules by which it applies them.

tests/data/nbdime/ holds diffs that nbdime 4.0.4 wrote, with the notebooks before and after.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from nbcellar.diff.document.equality import same_json
from nbcellar.diff.document.jep import to_jep
from nbcellar.diff.document.notebooks import diff_notebooks
from nbcellar.diff.document.operations import from_json, to_json
from nbcellar.diff.document.pairing import pair_cells
from nbcellar.diff.document.patching import patch_notebook, patch_value
from nbcellar.notebook.plain import from_plain, to_plain

from ....strategies.notebooks import Edited, edited, parse

WRITTEN = sorted((Path(__file__).parents[3] / "data" / "nbdime").glob("*.json"))


def test_the_stored_diffs_are_there() -> None:
    assert len(WRITTEN) == 11


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.stem)
def test_a_diff_that_nbdime_wrote_is_applied(path: Path) -> None:
    stored = json.loads(path.read_text("utf-8"))
    operations = from_json(stored["diff"])
    assert to_json(operations) == stored["diff"]
    assert same_json(patch_value(stored["before"], operations), stored["after"])
    assert same_json(to_plain(patch_notebook(from_plain(stored["before"]), operations)), stored["after"])


@given(edited())
def test_a_lowered_diff_is_applied_by_the_rules_of_nbdime(pair: Edited) -> None:
    a, b = pair.before, pair.after
    lowered = to_jep(a, diff_notebooks(a, b, pair_cells(a.cells, b.cells)))
    assert same_json(patch_by_the_proposal(to_plain(a), lowered), to_plain(b))


def patch_by_the_proposal(value: Any, diff: list[dict[str, Any]]) -> Any:
    """Apply a diff as nbdime 4.0.4 does (`nbdime/patching.py`): texts are patched by character, after all."""
    if isinstance(value, dict):
        changed = {e["key"]: patch_by_the_proposal(value[e["key"]], e["diff"]) for e in diff if e["op"] == "patch"}
        changed |= {e["key"]: e["value"] for e in diff if e["op"] in ("add", "replace")}
        gone = {e["key"] for e in diff if e["op"] == "remove"}
        return {key: item for key, item in {**value, **changed}.items() if key not in gone}
    if isinstance(value, str):
        return "".join(patch_items(list(value), by_character(value, diff)))
    return patch_items(value, diff)


def patch_items(items: list[Any], diff: list[dict[str, Any]]) -> list[Any]:
    made: list[Any] = []
    take = 0
    for entry in diff:
        made += items[take : entry["key"]]
        skip = {"addrange": 0, "patch": 1}.get(entry["op"], entry.get("length"))
        if entry["op"] == "addrange":
            made += entry["valuelist"]
        elif entry["op"] == "patch":
            made.append(patch_by_the_proposal(items[entry["key"]], entry["diff"]))
        take = max(take, entry["key"] + skip)
    return made + items[take:]


def by_character(text: str, diff: list[dict[str, Any]]) -> list[dict[str, Any]]:
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    found = []
    for entry in diff:
        at = starts[entry["key"]]
        if entry["op"] == "patch":
            found += [{**inner, "key": inner["key"] + at} for inner in entry["diff"]]
        elif entry["op"] == "addrange":
            found.append({**entry, "key": at, "valuelist": "".join(entry["valuelist"])})
        else:
            found.append({**entry, "key": at, "length": starts[entry["key"] + entry["length"]] - at})
    return sorted(found, key=lambda entry: int(entry["key"]))


def test_a_move_becomes_a_removal_and_an_addition() -> None:
    cells = [{"cell_type": "markdown", "metadata": {}, "source": f"# {n}"} for n in range(5)]
    a, b = (parse({"nbformat": 4, "cells": some}) for some in (cells, [cells[3], *cells[:3], cells[4]]))
    (lowered,) = to_jep(a, diff_notebooks(a, b, pair_cells(a.cells, b.cells)))
    assert lowered["diff"] == [
        {"op": "addrange", "key": 0, "valuelist": [cells[3]]},
        {"op": "removerange", "key": 3, "length": 1},
    ]
