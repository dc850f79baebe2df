"""What `cellar merge-file` and `cellar resolve` say of conflicts in a pipeline, and how these are decided."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from nbcellar.components import editing
from nbcellar.components.reading import read_pipeline
from nbcellar.ids import CellId
from nbcellar.notebook.codec import write
from nbcellar.notebook.model import Cell, Notebook

from .test_merge_file import Shell, answers


def pipeline() -> Notebook:
    sources = {"load": "prices = [1, 2]", "fit": "model = sum(prices)", "a": "print('a')", "b": "print('b')"}
    cells = [Cell(type="code", source=source, id=CellId(id), outputs=()) for id, source in sources.items()]
    found = Notebook(cells=tuple(cells))
    for id in sources:
        found = editing.add(found, id, id)
    return found


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    base = pipeline()
    ours = editing.connect(editing.rename(base, "fit", "train"), "a", "b")
    theirs = editing.connect(editing.rename(base, "fit", "learn"), "b", "a")
    uses = msgspec.structs.replace(base.cells[3], source="print(prices)")
    files = {
        "base": base,
        "ours": ours,
        "theirs": theirs,
        "gone": msgspec.structs.replace(base, cells=base.cells[1:]),
        "uses": msgspec.structs.replace(base, cells=(*base.cells[:3], uses)),
        "scale": editing.set_parameters(base, {"scale": 3}),
        "other": editing.set_parameters(base, {"scale": 4}),
    }
    made = Shell(tmp_path)
    for name, notebook in files.items():
        (made.folder / f"{name}.ipynb").write_bytes(write(notebook))
    return made


RENAMED = "both renamed the component 'fit': ours calls it 'train', theirs 'learn'"
CIRCLE = "the edges 'a' -> 'b' (ours) and 'b' -> 'a' (theirs) would make components wait for each other"


def names(shell: Shell, name: str = "merged.ipynb") -> list[str]:
    return [component.name for component in read_pipeline(shell.notebook(name)).components]


def test_conflicts_are_told_in_sentences(shell: Shell) -> None:
    assert shell.run("merge-file base.ipynb ours.ipynb theirs.ipynb -o merged.ipynb") == 1
    assert f"cell 2: {RENAMED}" in shell.err
    assert f"cell 4: {CIRCLE}" in shell.err
    assert shell.run("resolve merged.ipynb --list") == 1
    assert RENAMED in shell.out
    assert CIRCLE in shell.out
    assert shell.run("merge-file base.ipynb ours.ipynb theirs.ipynb --json") == 1
    assert [conflict["said"] for conflict in json.loads(shell.out)["conflicts"]] == [RENAMED, CIRCLE]


def test_each_is_asked_for_and_a_name_can_be_typed(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.run("merge-file base.ipynb ours.ipynb theirs.ipynb -o merged.ipynb")
    answers(monkeypatch, "e\nload\ne\nteach\nb\nt\n")  # a name that is taken; `b` is no choice for edges
    assert shell.run("resolve merged.ipynb") == 0
    assert "another component is called 'load': nothing taken" in shell.err
    assert "theirs drawn" in shell.err.replace("  ", " ")
    assert names(shell) == ["load", "teach", "a", "b"]
    components = read_pipeline(shell.notebook("merged.ipynb")).components
    assert [list(component.after) for component in components] == [[], [], ["b"], []]


def test_both_cannot_be_kept_and_nothing_is_written(shell: Shell) -> None:
    shell.run("merge-file base.ipynb ours.ipynb theirs.ipynb -o merged.ipynb")
    before = (shell.folder / "merged.ipynb").read_bytes()
    assert shell.run("resolve merged.ipynb --both") == 2
    assert "both cannot be kept" in shell.err
    assert (shell.folder / "merged.ipynb").read_bytes() == before
    assert shell.run("resolve merged.ipynb --base") == 0
    assert (shell.folder / "merged.ipynb").read_bytes() == (shell.folder / "base.ipynb").read_bytes()


def test_what_is_to_be_looked_at_is_a_warning_and_no_conflict(shell: Shell) -> None:
    assert shell.run("merge-file base.ipynb gone.ipynb uses.ipynb -o merged.ipynb") == 0
    assert "warning: 'b' takes prices, which no component before it makes" in shell.err
    assert shell.run("merge-file base.ipynb gone.ipynb uses.ipynb --json") == 0
    assert json.loads(shell.out)["warnings"] == ["'b' takes prices, which no component before it makes"]


def test_one_side_for_all_lists_what_it_leaves_out(shell: Shell) -> None:
    assert shell.run("merge-file base.ipynb ours.ipynb theirs.ipynb --conflicts theirs -o merged.ipynb") == 0
    assert names(shell) == ["load", "learn", "a", "b"]
    assert "dropped: edge 'a' -> 'b' (cell 4 of ours)" in shell.err
    assert "dropped: name of the component (cell 2 of ours)" in shell.err


def test_two_values_of_a_parameter(shell: Shell) -> None:
    assert shell.run("merge-file base.ipynb scale.ipynb other.ipynb -o merged.ipynb") == 1
    assert shell.run("resolve merged.ipynb --theirs") == 0
    assert shell.notebook("merged.ipynb").metadata == {"cellar": {"parameters": {"scale": 4}}}
