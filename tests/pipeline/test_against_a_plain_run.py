"""A pipeline shows what the same cells show when they run from top to bottom in a new kernel: serially, in two
processes, after edits with what is cached, and once more with everything cached.

Where it cannot be so, nothing is guessed: `TOLD` has what a component says then. `OTHERWISE` has the differences that
are known and documented: they are in what Python itself keeps about an object, not in its value.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from nbcellar.api import pipelines
from nbcellar.api.repo import init
from nbcellar.components.reading import read_pipeline
from nbcellar.notebook.codec import read
from nbcellar.pipeline.executors import Processes
from nbcellar.pipeline.scheduling import Run
from nbcellar.pipeline.steps import Wish

from .generated import generate
from .plain_cases import Case, read_cases

CASES = {case.name: case for case in read_cases()}
# name -> number of the cell -> how its text begins
TOLD = {
    "class redefined": {3: "Cellar: the class A was defined anew", 4: "Cellar: the class A was defined anew"},
    "appends through a file that stays open": {2: "Cellar: log cannot be stored", 3: "x\n"},
    "annotation only": {2: "NameError: "},
}
OTHERWISE = {
    "lru cache": {2: "2 3 [1, 1, 2]\n"},  # what a function has computed before is not part of it
    "numpy view": {2: "[ 0  1 99  3  4  5] [99  3  4  5] False\n"},  # one buffer, but not one's view of the other
    "nan identity": {1: "False\n"},  # names of numbers do not share objects
    "exception object": {1: "ZeroDivisionError('division by zero') False\n"},  # without the frames it came through
}
GENERATED = 12


class Plain:
    """Runs cells in kernels that know nothing of Cellar."""

    def __init__(self) -> None:
        script = Path(__file__).with_name("plain_kernel.py")
        self._process = subprocess.Popen(
            [sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, folder: Path, cells: list[str]) -> list[str]:
        """Return what each cell printed."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps({"folder": str(folder), "cells": cells}) + "\n")
        self._process.stdin.flush()
        texts: list[str] = json.loads(self._process.stdout.readline())
        return texts

    def close(self) -> None:
        """End it."""
        self._process.communicate()


@pytest.fixture(scope="module")
def plain() -> Iterator[Plain]:
    found = Plain()
    yield found
    found.close()


@pytest.fixture(scope="module")
def executors(own_environment: Path) -> Iterator[dict[str, Processes]]:
    found = {"serial": Processes(1), "process": Processes(2)}
    yield found
    for each in found.values():
        each.close()


def write_notebook(path: Path, cells: list[str]) -> None:
    """Write a notebook all of whose cells are components."""
    made = [
        {
            "cell_type": "code",
            "execution_count": None,
            "id": f"c{number}",
            "metadata": {"cellar": {"component": {"name": f"c{number}"}}},
            "outputs": [],
            "source": source,
        }
        for number, source in enumerate(cells)
    ]
    path.write_text(json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))


def run_pipeline(notebook: Path, executor: Processes) -> tuple[list[str], dict[str, str]]:
    """Return what each component shows, and how each came to its result."""
    pipeline = pipelines.require_sound(read_pipeline(read(notebook.read_bytes())))
    with pipelines.opened(notebook) as (place, cache):
        steps = Run(pipeline.components, place, cache, Wish(), executor).run()
        shown = []
        for step in steps.values():
            outputs = step.outputs or (cache.outputs(step.result) if step.result else b"[]")
            found = msgspec.json.decode(outputs)
            texts = [each["text"] for each in found if each["output_type"] == "stream" and each["name"] == "stdout"]
            text = "".join(part if isinstance(part, str) else "".join(part) for part in texts)
            error = f"{step.failure.name}: {step.failure.message}\n" if step.failure else ""
            shown.append((int(step.id[1:]), text + error + ("BLOCKED" if step.state == "blocked" else "")))
    return [text for _, text in sorted(shown)], {step.name: step.state for step in steps.values()}


def compare(case: Case, executor: Processes, plain: Plain, tmp_path: Path) -> None:
    """Run all versions of a notebook both ways."""
    cells: list[str] = []
    beside, here = tmp_path / "plain", tmp_path / "pipeline"
    for folder in (beside, here):
        folder.mkdir()
    init(here, environ=os.environ).close()
    told, otherwise = TOLD.get(case.name, {}), OTHERWISE.get(case.name, {})
    for version in case.versions:
        for folder in (beside, here):
            for name, text in version.files.items():
                (folder / name).parent.mkdir(exist_ok=True)
                (folder / name).write_text(text)
        cells = [version.cells.get(number, source) for number, source in enumerate(cells)] or [*version.cells.values()]
        write_notebook(here / "n.ipynb", cells)
        expected = plain.run(beside, cells)
        shown, _ = run_pipeline(here / "n.ipynb", executor)
        for number, text in told.items():
            assert shown[number].startswith(text)
            expected[number] = shown[number]
        for number, text in otherwise.items():
            assert expected[number] != text, "this is as in a plain run now"
            expected[number] = text
        assert shown == expected, cells
        again, states = run_pipeline(here / "n.ipynb", executor)
        assert again == expected
        if "done" in states.values():  # what goes by a result that was made twice, as an edge came to light in between
            again, states = run_pipeline(here / "n.ipynb", executor)
            assert again == expected
        if not told:
            assert set(states.values()) == {"cached"}, states


def with_executors(names: Iterable[str | int]) -> list[Any]:
    """Return each in two processes, where more can go wrong, and every third serially, too."""
    return [
        pytest.param(name, executor, id=f"{executor}-{name}")
        for at, name in enumerate(names)
        for executor in (("serial", "process") if at % 3 == 0 else ("process",))
    ]


@pytest.mark.parametrize(("name", "executor"), with_executors(CASES))
def test_a_pipeline_shows_what_a_plain_run_shows(
    name: str, executor: str, executors: dict[str, Processes], plain: Plain, tmp_path: Path
) -> None:
    compare(CASES[name], executors[executor], plain, tmp_path)


@pytest.mark.parametrize(("seed", "executor"), with_executors(range(GENERATED)))
def test_generated_pipelines_show_what_plain_runs_show(
    seed: int, executor: str, executors: dict[str, Processes], plain: Plain, tmp_path: Path
) -> None:
    compare(generate(random.Random(seed)), executors[executor], plain, tmp_path)
