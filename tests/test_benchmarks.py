"""The benchmarks' generators: cells that compile and run, the same each time. Nothing here asserts a time."""

from __future__ import annotations

import contextlib
import importlib
import io
import sys
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).parent.parent / "benchmarks"


@pytest.fixture
def workloads(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(FOLDER))
    monkeypatch.delitem(sys.modules, "workloads", raising=False)
    return importlib.import_module("workloads")


def run(sources: tuple[str, ...]) -> tuple[dict[str, object], list[str]]:
    """Run cells as a kernel does; return the namespace and what each printed."""
    namespace: dict[str, object] = {"__name__": "bench"}
    printed = []
    for source in sources:
        with contextlib.redirect_stdout(io.StringIO()) as output:
            exec(compile(source, "<cell>", "exec"), namespace)
        printed.append(output.getvalue())
    return namespace, printed


@pytest.mark.parametrize("key", ["1", "2", "3", "4", "5", "5-many", "6", "7"])
def test_each_workload_runs_and_its_last_cell_changes_what_the_probe_sees(workloads: ModuleType, key: str) -> None:
    workload = workloads.GENERATORS[key](True)
    cells = workload.cells[:50]
    namespace, printed = run((*workload.setup, *cells))
    assert all(printed[len(workload.setup) :]), "a cell without an output has no time of its last output"
    before = repr(eval(workload.probe, namespace))
    exec(workload.last, namespace)
    assert repr(eval(workload.probe, namespace)) != before


@pytest.mark.parametrize("key", ["1", "2", "4"])
def test_a_workload_gives_the_same_values_each_time(workloads: ModuleType, key: str) -> None:
    workload = workloads.GENERATORS[key](True)
    values = [repr(eval(workload.probe, run((*workload.setup, *workload.cells))[0])) for _ in range(2)]
    assert values[0] == values[1]


def test_the_full_size_is_what_the_titles_say(workloads: ModuleType) -> None:
    assert "1,000,000 rows" in workloads.GENERATORS["1"](False).title
    assert "200 MB" in workloads.GENERATORS["4"](False).title
    assert len(workloads.GENERATORS["5-many"](False).cells) == 10_000


def test_a_pair_of_notebooks_comes_with_its_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))
    monkeypatch.delitem(sys.modules, "document_inputs", raising=False)
    inputs = importlib.import_module("document_inputs")
    case = inputs.make_case(200, 3, ids="regenerated")
    assert case == inputs.make_case(200, 3, ids="regenerated")
    assert len(case.origin) == len(case.after.cells) == len(case.before.cells) == 200
    assert case.origin.count(None) == 4
    kept = [place for place in case.origin if place is not None]
    assert len(set(kept)) == 196
    old, new = case.before.cells, case.after.cells
    changed = sum(old[i].source != new[j].source for j, i in enumerate(case.origin) if i is not None)
    assert changed == 10
    assert not {cell.id for cell in old} & {cell.id for cell in new}


@pytest.mark.parametrize("ids", ["stable", "absent", "regenerated"])
def test_the_diff_of_generated_pairs_is_about_as_short_as_what_was_done(
    monkeypatch: pytest.MonkeyPatch, ids: str
) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))
    for name in ("document", "document_inputs"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    document, inputs = importlib.import_module("document"), importlib.import_module("document_inputs")
    found = [document._ratios(inputs.make_case(10, seed, ids=ids)) for seed in range(50)]
    assert max(ratios["touched"] for ratios in found) <= 1.02
    assert max(ratios["bytes"] for ratios in found) <= 1.2


def test_a_cell_that_was_put_back_where_it_stood_was_not_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))
    monkeypatch.delitem(sys.modules, "document_inputs", raising=False)
    inputs = importlib.import_module("document_inputs")
    only_moved = dict.fromkeys(("edited", "inserted", "deleted", "run_again"), 0.0)
    cases = [inputs.make_case(10, seed, moved=0.1, **only_moved) for seed in range(30)]
    assert all((case.touched == 0) == (case.before == case.after) == (case.ideal_bytes == 0) for case in cases)
    assert {case.touched for case in cases} == {0, 1}


def test_a_line_of_the_browsers_table_is_judged_by_the_figure_it_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))
    measuring = importlib.import_module("browser_measuring")
    values = [10.0] * 19 + [90.0]
    assert (measuring.percentile(values, 95), measuring.percentile([3, 1, 2], 50)) == (10, 2)
    assert measuring.Line("x", values, bar=50).is_missed is False
    assert measuring.Line("x", values, bar=50, judged="p95").is_missed is False
    assert measuring.Line("x", values, bar=50, judged="worst").is_missed is True
    missed = measuring.Line("x", [60.0], "KB", bar=50, beside="a peer: 70 KB")
    assert str(missed) == "| x | 1 | 60 KB |  |  | ≤ 50 KB **missed** | a peer: 70 KB |"
