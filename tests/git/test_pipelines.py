"""Pipelines through git: structure is merged as a graph by merge, rebase and cherry-pick alike."""

from __future__ import annotations

import json
from collections.abc import Callable

import msgspec
import pytest

from nbcellar.components import editing
from nbcellar.components.reading import read_pipeline
from nbcellar.ids import CellId
from nbcellar.merge.marks import mark_of
from nbcellar.notebook.codec import read, write
from nbcellar.notebook.model import Cell, Notebook

from .support import Worktree, run_cellar

COMMANDS = ("merge", "rebase", "cherry-pick")
SOURCES = {
    "load": "prices = [1, 2]",
    "clean": "clean = sorted(prices)",
    "fit": "model = sum(clean)",
    "log": "print('log')",
    "report": "print('report')",
}
Edit = Callable[[Notebook], Notebook]


def made() -> Notebook:
    cells = [Cell(type="code", source=source, id=CellId(id), outputs=()) for id, source in SOURCES.items()]
    found = Notebook(cells=tuple(cells))
    for id in SOURCES:
        found = editing.add(found, id, id)
    return found


def older(found: Notebook) -> Notebook:
    """Return the notebook in the format in which cells have no ids."""
    cells = tuple(msgspec.structs.replace(cell, id=CellId("")) for cell in found.cells)
    return msgspec.structs.replace(found, cells=cells, nbformat_minor=4)


def source(name: str, text: str) -> Edit:
    def edit(found: Notebook) -> Notebook:
        place = editing.find_component(read_pipeline(found), name).place
        cells = list(found.cells)
        cells[place] = msgspec.structs.replace(cells[place], source=text)
        return msgspec.structs.replace(found, cells=tuple(cells))

    return edit


def without(name: str) -> Edit:
    def edit(found: Notebook) -> Notebook:
        place = editing.find_component(read_pipeline(found), name).place
        return msgspec.structs.replace(found, cells=(*found.cells[:place], *found.cells[place + 1 :]))

    return edit


def added(id: str, text: str, name: str, *parents: str) -> Edit:
    def edit(found: Notebook) -> Notebook:
        cell = Cell(type="code", source=text, id=CellId(id), outputs=())
        found = editing.add(msgspec.structs.replace(found, cells=(*found.cells, cell)), id, name)
        for parent in parents:
            found = editing.connect(found, parent, name)
        return found

    return edit


def rename(old: str, new: str) -> Edit:
    return lambda found: editing.rename(found, old, new)


def connect(parent: str, child: str) -> Edit:
    return lambda found: editing.connect(found, parent, child)


def bring(
    repo: Worktree, command: str, ours: Edit, theirs: Edit, *, form: Edit = lambda found: found
) -> tuple[int, str]:
    """Commit a pipeline, an edit of it on each of two branches, and bring theirs to ours; return what git said."""
    base = made()
    for edit, branch, message in ((None, "main", "base"), (theirs, "other", "theirs"), (ours, "main", "ours")):
        if message != "base":
            repo.git(*(("switch", "-qc", branch) if branch == "other" else ("switch", "-q", branch)))
        (repo.folder / "n.ipynb").write_bytes(write(form(base if edit is None else edit(base))))
        repo.commit(message)
    done = repo.git(command, *(["--no-edit"] if command == "merge" else []), "other", check=False)
    return done.returncode, done.stdout + done.stderr


def now(repo: Worktree) -> Notebook:
    found = read(repo.bytes())
    cells = [cell for cell in found.cells if mark_of(cell) is None]
    assert len({cell.source for cell in cells}) == len(cells)
    for name in names(found):
        assert "<<<" not in name and ">>>" not in name
    return found


def names(found: Notebook) -> list[str]:
    return [component.name for component in read_pipeline(found).components]


def edges(found: Notebook) -> dict[str, list[str]]:
    pipeline = read_pipeline(found)
    return {
        component.name: sorted(pipeline.component(parent).name for parent in component.after)
        for component in pipeline.components
        if component.after
    }


def conflicts_of(repo: Worktree) -> str:
    code, said = run_cellar(repo.folder, "resolve", "n.ipynb", "--list")
    assert code == 1
    return said


def decide_and_go_on(repo: Worktree, command: str, choice: str) -> Notebook:
    """Check that git refuses the notebook while it is open; decide it, and let git go on."""
    repo.git("add", "n.ipynb")
    refused = repo.git("commit", "-qm", "too early", check=False)
    assert refused.returncode != 0
    assert "unresolved conflict" in refused.stderr
    assert run_cellar(repo.folder, "resolve", "n.ipynb", f"--{choice}")[0] == 0
    repo.git("add", "n.ipynb")
    repo.git(*(["commit", "-qm", "m"] if command == "merge" else [command, "--continue"]))
    assert repo.status() == ""
    return now(repo)


@pytest.mark.parametrize("command", COMMANDS)
def test_components_and_edges_that_both_add_are_all_there(repo: Worktree, command: str) -> None:
    ours = added("plot", "print(model)", "plot", "load")
    theirs = added("export", "print(clean)", "export", "clean", "fit")
    assert bring(repo, command, ours, theirs)[0] == 0
    assert set(names(now(repo))) == {*SOURCES, "plot", "export"}
    assert edges(now(repo)) == {"plot": ["load"], "export": ["clean", "fit"]}


@pytest.mark.parametrize("form", [lambda found: found, older], ids=["ids", "no ids"])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_new_name_and_an_edit_merge(repo: Worktree, command: str, form: Edit) -> None:
    code, said = bring(repo, command, rename("fit", "train"), source("fit", "model = max(clean)"), form=form)
    assert code == 0, said
    (found,) = [component for component in read_pipeline(now(repo)).components if component.name == "train"]
    assert found.source == "model = max(clean)"


@pytest.mark.parametrize("form", [lambda found: found, older], ids=["ids", "no ids"])
@pytest.mark.parametrize("command", COMMANDS)
def test_two_new_names_are_to_be_decided(repo: Worktree, command: str, form: Edit) -> None:
    code, said = bring(repo, command, rename("fit", "train"), rename("fit", "learn"), form=form)
    assert code == 1
    assert "both renamed the component 'fit'" in said
    assert len(names(now(repo))) == len(SOURCES)
    assert "both renamed the component 'fit'" in conflicts_of(repo)
    decided = decide_and_go_on(repo, command, "theirs")
    kept = "train" if command == "rebase" else "learn"
    assert names(decided) == [*("load", "clean"), kept, *("log", "report")]


@pytest.mark.parametrize("form", [lambda found: found, older], ids=["ids", "no ids"])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_deletion_against_an_edit_is_a_conflict_that_names_the_component(
    repo: Worktree, command: str, form: Edit
) -> None:
    code, said = bring(repo, command, without("fit"), source("fit", "model = max(clean)"), form=form)
    assert code == 1
    assert "deleted the component 'fit'" in said
    assert "deleted the component 'fit'" in conflicts_of(repo)
    decided = decide_and_go_on(repo, command, "theirs")
    assert ("fit" in names(decided)) == (command != "rebase")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_deletion_against_a_new_edge_is_a_conflict(repo: Worktree, command: str) -> None:
    code, said = bring(repo, command, without("log"), connect("log", "report"))
    assert code == 1
    assert "drew an edge from it to 'report'" in said
    kept = "theirs" if command != "rebase" else "ours"
    assert edges(decide_and_go_on(repo, command, kept)) == {"report": ["log"]}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_circle_made_by_two_clean_edits_is_refused_with_both_edges_named(repo: Worktree, command: str) -> None:
    code, said = bring(repo, command, connect("log", "report"), connect("report", "log"))
    assert code == 1
    assert "'log' -> 'report'" in said
    assert "'report' -> 'log'" in said
    found = now(repo)
    assert not [problem for problem in read_pipeline(found).problems if problem.code == "cycle"]
    json.loads(repo.bytes())
    decided = decide_and_go_on(repo, command, "theirs")
    assert edges(decided) == ({"report": ["log"]} if command == "rebase" else {"log": ["report"]})


@pytest.mark.parametrize("form", [lambda found: found, older], ids=["ids", "no ids"])
@pytest.mark.parametrize("command", COMMANDS)
def test_one_name_for_two_cells_is_to_be_confirmed(repo: Worktree, command: str, form: Edit) -> None:
    code, said = bring(repo, command, added("a", "print('a')", "plot"), added("b", "print('b')", "plot"), form=form)
    assert code == 1
    assert "both call a component 'plot', each another cell" in said
    assert set(names(now(repo))) - set(SOURCES) == {"plot", "plot-2"}
    assert set(names(decide_and_go_on(repo, command, "theirs"))) - set(SOURCES) == {"plot", "plot-2"}


@pytest.mark.parametrize("command", COMMANDS)
def test_parameters_are_merged_by_name(repo: Worktree, command: str) -> None:
    def parameters(**held: int) -> Edit:
        return lambda found: msgspec.structs.replace(found, metadata={"cellar": {"parameters": held}})

    assert bring(repo, command, parameters(scale=1), parameters(shift=2))[0] == 0
    assert now(repo).metadata == {"cellar": {"parameters": {"scale": 1, "shift": 2}}}
