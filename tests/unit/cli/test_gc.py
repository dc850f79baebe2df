"""`cellar gc`: what it shows, when it asks, and that it does what it showed."""

from __future__ import annotations

import io
import os
import sys
from typing import Any

import pytest

from nbcellar.history.model import Covariable, Preview
from nbcellar.store.interface import Kind
from nbcellar.values.manifest import VALUE_FORMAT, Value, encode_value

STRICT = {
    "KEEP_LAST": "1",
    "KEEP_ALL_HOURS": "0",
    "KEEP_HOURLY_DAYS": "0",
    "KEEP_DAILY_DAYS": "0",
    "KEEP_BELOW_KB": "0",
}


@pytest.fixture
def strict(shell: Any, analysis: Any) -> Any:
    """A shell in which nothing but what has to be is kept, a long time after the analysis was recorded."""
    analysis.repository.create_tag(analysis.notebook, "before", analysis.head)
    for number in range(3):  # `table` has three versions; the names of `model` and `same` share state
        for names, size in ((("table",), 3000), (("model", "same"), 9000)):
            manifest = encode_value(Value(VALUE_FORMAT, (3, 11), inline=os.urandom(size)))
            with analysis.repository.begin(analysis.notebook, analysis.key) as recorder:
                value = recorder.put(Kind.VALUE, manifest)
                recorder.finish()
            previews = tuple(Preview(type="bytes", text=f"number {number}", size_bytes=size) for _ in names)
            entry = Covariable(names, value, bytes(value[:16]), previews, size_bytes=size)
            analysis.cell(f"{names[0]} = make({number})", entry)
    shell.environ |= {f"NBCELLAR_{name}": value for name, value in STRICT.items()} | {"NBCELLAR_GC_KEEP_OPS_DAYS": "0"}
    return shell


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_dry_run_shows_the_plan_and_changes_nothing(strict: Any) -> None:
    before = strict.json("vars HEAD~2")
    plan = strict.json("gc --dry-run")
    assert [(v["names"], v["values"]) for v in plan["variables"]] == [(["model", "same"], 2), (["table"], 2)]
    assert plan["thinned_values"] == 4
    sizes = [variable["bytes"] for variable in plan["variables"]]
    assert sizes == sorted(sizes, reverse=True) and sum(sizes) == plan["thinned_bytes"]
    assert strict.run("gc --dry-run") == 0
    lines = strict.out.splitlines()
    assert lines[0].startswith("would thin out 4 values of ")
    assert lines[1].split()[:2] == ["model,", "same"] and lines[2].split()[0] == "table"
    assert "keep all their values" in strict.out
    assert strict.json("vars HEAD~2") == before


def test_without_a_terminal_it_shows_the_plan_and_takes_yes(strict: Any) -> None:
    plan = strict.json("gc --dry-run")
    assert strict.run("gc") == 2
    assert "would thin out" in strict.out and "add --yes" in strict.err
    assert strict.json("gc --dry-run") == plan | {"kept_bytes": strict.json("gc --dry-run")["kept_bytes"]}
    done = strict.json("gc --yes")
    same = ("removed_objects", "removed_bytes", "thinned_values", "thinned_states", "thinned_bytes", "variables")
    assert {key: done[key] for key in same} == {key: plan[key] for key in same}
    assert strict.json("gc --dry-run")["removed_objects"] == 0
    assert strict.run("check --read-data") == 0


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 1), ("", 1)])
def test_on_a_terminal_it_asks(strict: Any, monkeypatch: pytest.MonkeyPatch, answer: str, code: int) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    monkeypatch.setattr("nbcellar.cli.console.Console.can_ask", True)  # the errors' stream is no terminal in a test
    assert strict.run("gc") == code
    assert "Remove it? [y/N]" in strict.err
    assert ("removed " in strict.out) == (code == 0)


def test_no_thin_leaves_old_states_alone(strict: Any) -> None:
    assert strict.json("gc --dry-run --no-thin")["thinned_values"] == 0


def test_log_vars_and_check_say_what_was_thinned_out(strict: Any) -> None:
    strict.run("gc --yes")
    assert strict.run("log") == 0
    marked = [line.split()[0] for line in strict.out.splitlines() if "thinned out" in line]
    assert marked
    assert strict.run(f"vars {marked[0]}") == 0
    assert "thinned out on " in strict.out and "not stored: thinned" not in strict.out
    lost = [v for v in strict.json(f"vars {marked[0]}")["variables"] if v["reason"].startswith("thinned out on ")]
    assert lost and all(not v["stored"] and v["preview"] for v in lost)
    found = strict.json("check")
    assert found["damaged"] == [] and found["thinned"] > 0
    assert strict.run("check") == 0
    assert "thinned out" in strict.out


def test_size_lists_variables_and_says_what_can_be_done(strict: Any) -> None:
    report = strict.json("size")
    found = {tuple(v["names"]): v for v in report["variables"]}
    assert found["model", "same"]["values"] == found[("table",)]["values"] == 3
    assert found["model", "same"]["own_bytes"] > 27_000
    assert sum(part["bytes"] for part in report["parts"]) == report["stored_bytes"]
    assert report["removable_bytes"] == strict.json("gc --dry-run")["removed_bytes"] > 0
    assert strict.run("size") == 0
    assert "model, same" in strict.out and "cellar gc would remove" in strict.out and "hint: " in strict.out
    assert strict.run("gc --yes") == 0
    assert strict.json("size")["removable_bytes"] == 0
    strict.environ["NBCELLAR_RECORD_MAX_STORE_MB"] = "1"
    assert strict.run("size") == 0
    assert "of the cap of 1" in strict.out
