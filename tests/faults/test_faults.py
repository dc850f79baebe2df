"""Every rig in a short form: enough to see that promise and rig still hold. `make faults` runs them at full size."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="needs fork and kill -9")]

CANNOT = 77


def run(rig: str, *arguments: object) -> dict[str, Any]:
    """Run a rig in a process of its own; its outcome must be without failures."""
    command = [sys.executable, str(Path(__file__).parent / f"{rig}.py"), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=280)
    if done.returncode == CANNOT:
        pytest.skip(done.stderr.strip())
    assert done.stdout, done.stderr
    outcome: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    assert not outcome["failures"], f"{' '.join(command[1:])}\n" + "\n".join(outcome["failures"])
    assert outcome["cycles"] > 0
    return outcome


def test_sessions_that_are_killed_lose_nothing_that_was_acknowledged() -> None:
    assert run("kill", "--cycles", 8)["acknowledged"] > 0


def test_kernels_that_are_killed_come_back_with_all_that_was_saved() -> None:
    run("kill_kernels", "--cycles", 1, "--kernels", 2)


def test_a_power_failure_leaves_all_that_was_acknowledged_and_nothing_that_was_forgotten() -> None:
    run("power", "--cycles", 30, "--steps", 30, "--states", 30)


@pytest.mark.parametrize("mutant", [1, 2, 3, 4])
def test_the_rig_of_power_failures_notices_a_careless_store(mutant: int) -> None:
    run("power", "--mutant", mutant, "--cycles", 60, "--steps", 12, "--states", 60)


def test_a_power_failure_under_several_processes_loses_nothing() -> None:
    run("power_fuse", "--cycles", 4)


def test_whatever_call_fails_it_is_said_and_the_next_try_succeeds() -> None:
    assert run("nth_call", "--stride", 37)["said"] > 0


@pytest.mark.parametrize("counted", [0, 1])
def test_a_full_disk_is_said_and_costs_nothing_that_was_saved(counted: int) -> None:
    assert run("disk_full", "--cycles", 2, "--stride", 20, "--counted", counted)["said"] > 0


@pytest.mark.parametrize("area", [0, 1, 2, 3], ids=["packs", "log packs", "meta.db", "WAL"])
def test_no_flipped_bit_stays_silent(area: int) -> None:
    assert run("bit_flips", "--area", area, "--cycles", 20)["said"] > 0


def test_eight_writers_lose_nothing_and_are_not_told_that_it_is_locked() -> None:
    run("writers", "--cycles", 1, "--commits", 40)


def test_collecting_beside_writers_leaves_no_hole_and_nobody_starves() -> None:
    run("gc_race", "--cycles", 4)


def test_the_rig_of_collecting_notices_writers_without_a_lock() -> None:
    run("gc_race", "--cycles", 60, "--mutant", 1)
