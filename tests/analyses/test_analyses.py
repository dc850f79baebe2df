"""The short form of `make analyses`: one notebook, and that the comparison finds what goes wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from . import scenario
from .compare import differences
from .play import Player, set_once
from .scenario import Scenario, Step


def small(tmp_path: Path, *cells: str, **options: Any) -> Player:
    """Return a player of a notebook of these cells."""
    path = tmp_path / "small.ipynb"
    notebook = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(notebook), "utf-8")
    steps = tuple(Step(f"c{number}", source) for number, source in enumerate(cells))
    (tmp_path / "play").mkdir()
    return Player(Scenario("small", path, len(cells), steps, **options), tmp_path / "play")


@pytest.mark.slow
def test_every_state_of_a_real_analysis_comes_back_or_is_announced(tmp_path: Path) -> None:
    player = Player(scenario.load("prose-of-the-library"), tmp_path)
    try:
        player.play()
        player.check_out_all(1, going_on=6, quiet=9, most=20)
        player.start_anew(2, most=5)
        verdict = player.finish()
    finally:
        player.close()
    assert verdict.unannounced == []
    # Some of the states only: what others would announce may not come.
    assert [line for line in verdict.wrong if not line.startswith("expected to be announced")] == []
    assert verdict.states == len(player.scenario.steps)


@pytest.mark.parametrize("name", scenario.names())
def test_a_scenario_runs_every_cell_of_its_notebook(name: str) -> None:
    found = scenario.load(name)
    assert 30 <= found.cells <= 60
    assert len(found.steps) > len({step.cell for step in found.steps}), "a real session runs cells again"
    ids = [cell["id"] for cell in json.loads(found.path.read_text("utf-8"))["cells"]]
    assert len(ids) == len(set(ids))


def test_a_wrong_value_after_a_checkout_is_found(tmp_path: Path) -> None:
    player = small(tmp_path, "x = [1]; y = x; z = 5", "x.append(2)")
    try:
        player.play()
        checkout = player.kernel.checkout

        def wrong(ref: str) -> Any:
            done = checkout(ref)
            player.kernel.do("y = list(y)")
            return done

        player.kernel.checkout = wrong  # type: ignore[method-assign]
        player.check_out_all(0)
        verdict = player.finish()
    finally:
        player.close()
    assert len(verdict.unannounced) == 2
    assert all("shared objects no more: x = y" in line for line in verdict.unannounced)


def test_what_nobody_expects_to_be_announced_is_wrong_and_so_is_what_never_was(tmp_path: Path) -> None:
    player = small(tmp_path, "g = iter(int, 1); f = (i for i in 'ab')", "f = 3", announced={"h": "lost"})
    try:
        player.play()
        player.check_out_all(3)
        verdict = player.finish()
    finally:
        player.close()
    assert not verdict.unannounced
    assert [line.split(": ")[:2] for line in verdict.wrong] == [
        ["announced, but nobody expects it", "f"],
        ["expected to be announced and never was", "h"],
    ]


def test_what_an_import_sets_once_is_let_pass_where_the_report_says_so(tmp_path: Path) -> None:
    cells = ("import os; x = 1", "import setter_of_one", "os.environ['TWO_IS_SET'] = '2'")
    player = small(tmp_path, *cells, announced={"environ": "what importing setter_of_one had set"})
    (player.project.root / "setter_of_one.py").write_text("import os\nos.environ['ONE_IS_SET'] = '1'\n", "utf-8")
    try:
        player.play()
        player.check_out_all(0, going_on=1)
        said = player.kernel.checkout(player.points[0].commit)
        verdict = player.finish()
    finally:
        player.close()
    assert (verdict.unannounced, verdict.wrong) == ([], [])
    assert verdict.continued == 2
    assert set(set_once(said)) == {"environ"} == verdict.differing


def test_a_record_of_a_session_equals_itself(tmp_path: Path) -> None:
    player = small(tmp_path, "import numpy as np; a = np.arange(5); b = a[1:]; s = {str(i) for i in range(20)}")
    try:
        player.play()
        assert differences(player.points[0].record, player.record()) == []
    finally:
        player.close()
