"""Single cells into the index, as a law on cells; with real git in `tests/git/test_staging.py`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.strategies.notebooks import Edited, edited

from nbcellar.diff.document.pairing import pair_cells
from nbcellar.errors import InvalidInputError
from nbcellar.git.staging import with_cells
from nbcellar.notebook.model import Cell, Notebook


def _content(cells: tuple[Cell, ...]) -> list[tuple[object, ...]]:
    return [(cell.type, cell.source, cell.outputs, cell.metadata, cell.attachments) for cell in cells]


@given(edited())
def test_all_cells_and_all_gone_ones_make_the_live_notebook(pair: Edited) -> None:
    index, live = pair.before, pair.after
    gone = pair_cells(index.cells, live.cells).removed
    made = with_cells(index, live, range(len(live.cells)), gone)
    assert _content(made.cells) == _content(live.cells)


@given(edited())
def test_no_cell_changes_nothing_but_ids_that_were_none(pair: Edited) -> None:
    made = with_cells(pair.before, pair.after, (), ())
    assert _content(made.cells) == _content(pair.before.cells)


@given(edited(), st.data())
def test_chosen_cells_are_the_live_ones_and_the_rest_is_as_it_was(pair: Edited, data: st.DataObject) -> None:
    index, live = pair.before, pair.after
    chosen = data.draw(st.sets(st.integers(0, max(0, len(live.cells) - 1)))) if live.cells else set()
    made = with_cells(index, live, chosen, ())
    have = _content(made.cells)
    for place in chosen:
        assert _content((live.cells[place],))[0] in have
    replaced = {found.a for found in pair_cells(index.cells, live.cells).pairs if found.b in chosen}
    for place, cell in enumerate(index.cells):
        if place not in replaced:
            assert _content((cell,))[0] in have


def test_a_new_cell_goes_behind_the_nearest_one_that_is_there() -> None:
    def cells(*sources: str) -> tuple[Cell, ...]:
        return tuple(Cell(type="markdown", source=source, id=source) for source in sources)

    index = Notebook(cells=cells("first one", "second one", "third one"))
    live = Notebook(cells=cells("first one", "new alpha", "new beta", "second one", "third one"))
    made = with_cells(index, live, {2}, ())
    assert [cell.source for cell in made.cells] == ["first one", "new beta", "second one", "third one"]
    made = with_cells(made, live, {1}, ())
    assert [cell.source for cell in made.cells] == ["first one", "new alpha", "new beta", "second one", "third one"]


def test_ids_stay_unique() -> None:
    index = Notebook(cells=(Cell(type="markdown", source="some text here", id="x"),))
    live = Notebook(
        cells=(
            Cell(type="markdown", source="some text here", id="y"),
            Cell(type="markdown", source="0 + 1 == 1", id="x"),
        )
    )
    made = with_cells(index, live, {1}, ())
    assert len({cell.id for cell in made.cells}) == 2


def test_a_place_that_is_not_there_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="0 cells"):
        with_cells(Notebook(cells=()), Notebook(cells=()), {0}, ())
