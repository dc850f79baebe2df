"""Outputs that a merge left from before their source: every view says so, until the cell ran again."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

import nbcellar
from nbcellar.cli import main
from nbcellar.cli.console import Console
from nbcellar.ids import CellId
from nbcellar.notebook import Cell, Notebook, read, write
from nbcellar.notebook.model import JsonObject
from nbcellar.notebook.stale import is_stale

WORDS = "from before this source"
Run = Callable[[str], tuple[int, str]]


def printed(text: str) -> JsonObject:
    return {"output_type": "stream", "name": "stdout", "text": [text]}


def notebook(source: str, output: str, count: int) -> Notebook:
    cells = (Cell(type="code", source=source, id=CellId("a"), outputs=(printed(output),), execution_count=count),)
    return Notebook(cells=cells, metadata={})


BASE = notebook("x = 1\ny = 2\nz = 3\nprint(x)", "<o at 0x7f3a11>", 1)
OURS = notebook("x = 10\ny = 2\nz = 3\nprint(x)", "ours <o at 0x7f3a11>", 2)
THEIRS = notebook("x = 1\ny = 2\nz = 3\nprint(x, z)", "<o at 0x7f3a11>", 1)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    for name, value in (("base", BASE), ("ours", OURS), ("theirs", THEIRS)):
        (tmp_path / f"{name}.ipynb").write_bytes(write(value))

    def call(line: str) -> tuple[int, str]:
        out = io.StringIO()
        code = main.run(line.split(), Console(out=out, err=out, environ=os.environ, folder=tmp_path, width=100))
        return code, out.getvalue()

    return call


@pytest.fixture
def merged(run: Run, tmp_path: Path) -> Callable[[], Cell]:
    """Merges, and returns what reads the one cell of the result."""
    code, said = run("merge-file base.ipynb ours.ipynb theirs.ipynb -o m.ipynb")
    assert (code, said) == (0, f"cell 1: outputs are {WORDS}; run it again\n")
    return lambda: read((tmp_path / "m.ipynb").read_bytes()).cells[0]


def change(tmp_path: Path, **values: object) -> None:
    """Change the cell as Jupyter does when it runs one: all but its metadata."""
    made = read((tmp_path / "m.ipynb").read_bytes())
    cells = (msgspec.structs.replace(made.cells[0], **values),)
    (tmp_path / "m.ipynb").write_bytes(write(msgspec.structs.replace(made, cells=cells)))


def test_the_report_of_a_merge_names_them(run: Run) -> None:
    report = json.loads(run("merge-file base.ipynb ours.ipynb theirs.ipynb -o m.ipynb --json")[1])
    assert report["stale"] == [1]
    report = json.loads(run("merge-file base.ipynb ours.ipynb base.ipynb -o m.ipynb --json")[1])
    assert report["stale"] == []


def test_the_views_say_so(run: Run, merged: Callable[[], Cell], tmp_path: Path) -> None:
    assert f"  outputs are {WORDS}\n" in run("show m.ipynb")[1]
    assert WORDS not in run("show ours.ipynb")[1]
    assert WORDS not in run("show m.ipynb --sources")[1]
    assert f"    + outputs: {WORDS}\n" in run("diff ours.ipynb m.ipynb")[1]
    assert f"    - outputs: {WORDS}\n" in run("diff m.ipynb ours.ipynb")[1]
    assert f"- `+ outputs: {WORDS}`\n" in run("diff ours.ipynb m.ipynb --md")[1]
    assert run("diff ours.ipynb m.ipynb --html page.html")[0] == 0
    assert f"outputs: {WORDS}</li>" in (tmp_path / "page.html").read_text("utf-8")
    (cell,) = json.loads(run("diff ours.ipynb m.ipynb --json")[1])["notebooks"][0]["changes"]["cells"]
    assert cell["states"] == [{"name": "outputs", "before": "", "after": WORDS}]
    assert cell["metadata"] == []


@pytest.mark.parametrize(
    "values",
    [
        {"outputs": (printed("new"),), "execution_count": 3},
        {"execution_count": 3},  # it printed the same again
        {"outputs": ()},
    ],
)
def test_a_cell_that_ran_again_has_no_such_outputs_and_cleaning_takes_the_mark_away(
    run: Run, merged: Callable[[], Cell], tmp_path: Path, values: dict[str, object]
) -> None:
    change(tmp_path, **values)
    assert not is_stale(merged())
    assert WORDS not in run("show m.ipynb")[1]
    assert WORDS not in run("diff ours.ipynb m.ipynb")[1]
    assert "cell 1: metadata cell.metadata.cellar.stale_outputs" in run("clean m.ipynb --list")[1]
    assert merged().metadata == {}


def test_cleaning_keeps_the_mark_of_outputs_that_it_keeps(run: Run, merged: Callable[[], Cell]) -> None:
    assert run("clean m.ipynb")[0] == 0
    cell = merged()
    assert cell.execution_count is None and "0x..." in str(cell.outputs)
    assert is_stale(cell)
    assert run("clean m.ipynb --check")[0] == 0
    assert run("clean m.ipynb --drop-outputs")[0] == 0
    assert (merged().outputs, merged().metadata) == ((), {})


def test_other_notes_beside_the_mark_stay(merged: Callable[[], Cell], tmp_path: Path) -> None:
    held = {"cellar": {**merged().metadata["cellar"], "other": 1}}
    change(tmp_path, outputs=(), metadata=held)
    assert nbcellar.clean_notebook(tmp_path / "m.ipynb").notebook.cells[0].metadata == {"cellar": {"other": 1}}
    for odd in (7, None, [], {"stale_outputs": 7}, {"stale_outputs": None}):
        change(tmp_path, outputs=(printed("x"),), metadata={"cellar": odd})
        assert not is_stale(merged())
        nbcellar.clean_notebook(tmp_path / "m.ipynb")
