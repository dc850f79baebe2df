"""Rows of a comparison: each cell stands in one, whatever was changed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nbcellar.api.document_rows import rows_of
from nbcellar.diff.document.compare import compare_notebooks
from nbcellar.ids import CellId
from nbcellar.notebook.model import Cell, Notebook

SOURCES = ["a = 1", "b = 2\nc = 3", "", "def f():\n    return 1\n\nf()", "print('x')", "a = 1\nb = 2\nc = 3", "# Title"]
STREAMS = [(), ({"output_type": "stream", "name": "stdout", "text": ["1\n"]},)]
CELLS = st.builds(
    lambda type, source, id, outputs: Cell(
        type=type, source=source, id=CellId(id), outputs=outputs if type == "code" else None
    ),
    st.sampled_from(["code", "markdown"]),
    st.sampled_from(SOURCES),
    st.sampled_from(["", "i1", "i2", "i3", "i4"]),
    st.sampled_from(STREAMS),
)
NOTEBOOKS = st.lists(CELLS, max_size=8).map(lambda cells: Notebook(cells=tuple(cells)))


@given(NOTEBOOKS, NOTEBOOKS)
def test_each_cell_stands_in_one_row_in_the_order_of_the_second_notebook(a: Notebook, b: Notebook) -> None:
    rows = rows_of(compare_notebooks(a, b))
    standing = [row for row in rows.rows if row.kind != "gone"]
    assert sorted(place for row in standing for place in row.before) == list(range(len(a.cells)))
    assert [place for row in standing for place in row.after] == list(range(len(b.cells)))


@given(NOTEBOOKS, NOTEBOOKS)
def test_a_row_without_a_change_has_the_same_cell_on_both_sides(a: Notebook, b: Notebook) -> None:
    for row in rows_of(compare_notebooks(a, b)).rows:
        if row.kind == "equal":
            old, new = a.cells[row.before[0]], b.cells[row.after[0]]
            assert (old.type, old.source, old.outputs) == (new.type, new.source, new.outputs)
        elif row.kind != "gone":
            assert row.change is not None


@given(NOTEBOOKS, NOTEBOOKS)
def test_where_a_cell_moved_from_there_is_a_row_that_leads_to_it(a: Notebook, b: Notebook) -> None:
    rows = rows_of(compare_notebooks(a, b)).rows
    moved = {(*row.before, *row.after) for row in rows if row.change is not None and row.change.moved}
    gone = [(*row.before, *row.after) for row in rows if row.kind == "gone"]
    assert sorted(gone) == sorted(moved)


@given(NOTEBOOKS, NOTEBOOKS)
def test_sources_can_be_put_together_again(a: Notebook, b: Notebook) -> None:
    rows = rows_of(compare_notebooks(a, b))
    assert [cell.source for cell in rows.before] == [cell.source for cell in a.cells]
    beside = {row.after[0]: row.before[0] for row in rows.rows if len(row.before) == len(row.after) == 1}
    for place, cell in enumerate(rows.after):
        source = a.cells[beside[place]].source if cell.source is None else cell.source
        assert source == b.cells[place].source
