"""Edits of a pipeline: what they refuse, and that they touch no other cell."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from nbcellar.components import editing
from nbcellar.components.reading import read_pipeline
from nbcellar.errors import InvalidInputError, NotFoundError
from nbcellar.ids import CellId
from nbcellar.notebook.model import Cell, Notebook

SOURCES = ("x = 1", "y = x + 1", "z = x + y")


def plain() -> Notebook:
    cells = (Cell(type="code", id=CellId(f"c{at}"), source=source) for at, source in enumerate(SOURCES))
    return Notebook(cells=tuple(cells))


@pytest.mark.parametrize(
    "edit",
    [
        lambda notebook: editing.rename(notebook, "y", "other"),
        lambda notebook: editing.remove(notebook, "y"),
        lambda notebook: editing.connect(notebook, "x", "z"),
        lambda notebook: editing.disconnect(notebook, "x", "z"),
        lambda notebook: editing.set_policy(notebook, "y", {"cache": False}),
    ],
    ids=("rename", "remove", "connect", "disconnect", "policy"),
)
def test_what_is_only_proposed_is_not_edited(edit: Callable[[Notebook], Notebook]) -> None:
    with pytest.raises(InvalidInputError, match="proposal") as caught:
        edit(plain())
    assert "cellar pipeline init" in caught.value.hint


def test_an_edit_touches_the_cell_concerned_alone() -> None:
    written = editing.init(plain())
    made = editing.connect(written, "x", "z")
    assert [cell == was for cell, was in zip(made.cells, written.cells, strict=True)] == [True, True, False]
    assert editing.disconnect(made, "x", "z") == written


def test_a_name_whose_maker_was_drawn_behind_is_told() -> None:
    cells = ("a = 1", "x = 1", "x = x + 1")
    written = editing.init(
        Notebook(cells=tuple(Cell(type="code", id=CellId(c[0] + str(i)), source=c) for i, c in enumerate(cells)))
    )
    assert not read_pipeline(written).problems
    told = [p.message for p in read_pipeline(editing.connect(editing.connect(written, "3", "1"), "1", "2")).problems]
    assert told == ["'x-2' (cell 3) takes x, and 'x' (cell 2), which makes it, comes later by declared edges"]


def test_another_language_is_said_once_and_gets_no_pipeline() -> None:
    cells = tuple(Cell(type="code", id=CellId(f"c{at}"), source="x <- 1 +") for at in range(3))
    made = Notebook(cells=cells, metadata={"kernelspec": {"name": "ir", "language": "R"}})
    assert [p.message for p in read_pipeline(made).problems] == [
        "the notebook's language is r: pipelines are read from Python alone"
    ]
    with pytest.raises(InvalidInputError, match="language is r"):
        editing.init(made)


def test_only_a_name_that_is_near_is_proposed() -> None:
    pipeline = read_pipeline(editing.init(Notebook(cells=(Cell(type="code", source="by_shop = 1"),))))
    for text, hint in (("nope", "the components: cellar pipeline show NB"), ("by_shp", "do you mean 'by_shop'?")):
        with pytest.raises(NotFoundError) as caught:
            editing.find_component(pipeline, text)
        assert caught.value.hint == hint


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [float("-inf")], (1, 2)])
def test_what_no_notebook_can_hold_is_no_parameter_of_its_metadata(value: object) -> None:
    with pytest.raises(InvalidInputError, match="which cannot hold"):
        editing.set_parameters(plain(), {"scale": value})


def test_what_else_metadata_says_stays_where_it_was() -> None:
    cell = Cell(type="code", id=CellId("a"), source="x = 1", metadata={"cellar": {"mine": 1}, "tags": ["t"]})
    made = editing.add(Notebook(cells=(cell,), metadata={"cellar": {"own": 2}, "z": 3}), "1", "x")
    assert list(made.cells[0].metadata) == ["cellar", "tags"]
    made = editing.set_parameters(editing.remove(made, "x"), {"scale": 4})
    assert made.cells[0].metadata == cell.metadata and list(made.cells[0].metadata) == ["cellar", "tags"]
    assert made.metadata == {"cellar": {"own": 2, "parameters": {"scale": 4}}, "z": 3}
    assert editing.set_parameters(made, {}, ["scale"]).metadata == {"cellar": {"own": 2}, "z": 3}
