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
