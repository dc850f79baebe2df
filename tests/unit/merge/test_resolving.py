"""Deciding conflicts of notebooks that a person had in hand since: edited, moved, deleted, copied, merged once more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from nbcellar.errors import InvalidInputError
from nbcellar.ids import CellId
from nbcellar.merge.marks import find_groups, has_open_conflicts, mark_of
from nbcellar.merge.notebooks import merge_notebooks
from nbcellar.merge.resolving import Edited, resolve
from nbcellar.notebook.model import Cell, Notebook
from nbcellar.notebook.stale import is_stale

from .notebooks import code, notebook, text

replace = msgspec.structs.replace


def three(source: str) -> Notebook:
    return notebook(code("top", "import os"), code("a", source), code("end", "print('end')"))


MARKED = merge_notebooks(three("x = 1"), three("x = 2"), three("x = 3")).notebook


def sources(found: Notebook) -> list[str]:
    return [cell.source for cell in found.cells]


def place_of(found: Notebook, role: str) -> int:
    return next(place for place, cell in enumerate(found.cells) if (mark_of(cell) or {}).get("role") == role)


def with_cell(found: Notebook, role: str, change: Callable[[Cell], Cell]) -> Notebook:
    cells = list(found.cells)
    place = place_of(found, role)
    cells[place] = change(cells[place])
    return replace(found, cells=tuple(cells))


def without(found: Notebook, *roles: str) -> Notebook:
    return replace(found, cells=tuple(cell for cell in found.cells if (mark_of(cell) or {}).get("role") not in roles))


def edited(role: str, source: str) -> Notebook:
    return with_cell(MARKED, role, lambda cell: replace(cell, source=source))


def test_the_variants_are_taken_as_they_are_now() -> None:
    assert sources(resolve(edited("theirs", "x = 30"), "theirs")) == ["import os", "x = 30", "print('end')"]


def test_the_one_that_is_left_has_the_id_that_it_came_with() -> None:
    for choice in ("ours", "theirs"):
        assert [cell.id for cell in resolve(MARKED, choice).cells] == ["top", "a", "end"]
    assert len({cell.id for cell in resolve(MARKED, "both").cells}) == 4
    taken = replace(MARKED, cells=(*without(MARKED, "ours").cells, code("a", "another")))
    assert len({cell.id for cell in resolve(taken, "theirs").cells}) == 4


def test_a_variant_that_a_person_moved_stays_there() -> None:
    cells = list(MARKED.cells)
    cells.append(cells.pop(place_of(MARKED, "ours")))
    moved = replace(MARKED, cells=tuple(cells))
    assert sources(resolve(moved, "ours")) == ["import os", "print('end')", "x = 2"]
    assert sources(resolve(moved, {find_groups(moved)[0].id: Edited("x = 9")})) == [
        "import os",
        "print('end')",
        "x = 9",
    ]


def test_a_copied_group_is_decided_in_both_places() -> None:
    copies = [replace(cell, id=CellId(f"copy-{n}")) for n, cell in enumerate(MARKED.cells) if mark_of(cell)]
    copied = replace(MARKED, cells=(*MARKED.cells, *copies))
    assert sources(resolve(copied, "theirs")) == ["import os", "x = 3", "print('end')", "x = 3"]


@pytest.mark.parametrize(
    "change",
    [
        lambda cell: replace(cell, source=cell.source + "\n\nx = 2  # mine"),  # two cells merged in Jupyter
        lambda cell: replace(cell, type="code", outputs=(), source="x = 2  # mine"),
        lambda cell: replace(cell, attachments={"mine.png": {"image/png": "aa"}}),
    ],
)
@pytest.mark.parametrize("role", ["begin", "middle", "end"])
def test_what_a_person_wrote_into_a_note_stays(role: str, change: Callable[[Cell], Cell]) -> None:
    decided = resolve(with_cell(MARKED, role, change), "theirs")
    assert len(decided.cells) == 4
    assert not find_groups(decided)
    assert any("mine" in cell.source or cell.attachments for cell in decided.cells)


def test_blanks_at_line_ends_are_no_text_of_a_person() -> None:
    decided = resolve(with_cell(MARKED, "begin", lambda cell: replace(cell, source=cell.source + "  \n")), "ours")
    assert len(decided.cells) == 3


def test_a_variant_that_was_deleted_comes_from_the_note() -> None:
    left = without(MARKED, "ours")
    assert sources(resolve(left, "ours")) == ["import os", "x = 2", "print('end')"]
    assert sources(resolve(left, "both")) == ["import os", "x = 2", "x = 3", "print('end')"]
    assert sources(resolve(left, "theirs")) == ["import os", "x = 3", "print('end')"]


@pytest.mark.parametrize("gone", [("begin",), ("end",), ("begin", "middle"), ("begin", "ours", "theirs")])
@pytest.mark.parametrize("choice", ["base", "ours", "theirs", "both"])
def test_one_note_is_enough_to_decide(gone: tuple[str, ...], choice: Any) -> None:
    assert sources(resolve(without(MARKED, *gone), choice)) == sources(resolve(MARKED, choice))


@pytest.mark.parametrize(("gone", "choice"), [(("begin", "end"), "base"), (("begin", "end", "ours"), "ours")])
def test_without_the_notes_that_tell_nothing_is_made_up(gone: tuple[str, ...], choice: Any) -> None:
    with pytest.raises(InvalidInputError, match="not known any more"):
        resolve(without(MARKED, *gone), choice)
    assert len(resolve(without(MARKED, *gone), "theirs").cells) == 3


def test_a_variant_that_both_edited_is_a_conflict_inside_the_other() -> None:
    mine, yours = edited("ours", "x = 20"), edited("ours", "x = 21")
    marked = merge_notebooks(MARKED, mine, yours).notebook
    outer, inner = find_groups(marked)
    assert sources(resolve(marked, "ours"))[1:-1] == ["x = 20"]
    assert sources(resolve(marked, "theirs"))[1:-1] == ["x = 3"]
    assert sources(resolve(marked, {outer.id: "ours", inner.id: "theirs"}))[1:-1] == ["x = 21"]
    assert sources(resolve(marked, "base"))[1:-1] == ["x = 1"]
    # The outer one waits for the inner one; deciding that leaves the outer one as it was.
    assert resolve(marked, {outer.id: "ours"}) == marked
    assert sources(resolve(marked, {inner.id: "ours"})) == sources(mine)
    assert resolve(resolve(marked, {inner.id: "ours"}), "theirs") == resolve(MARKED, "theirs")


def test_a_note_inside_of_another_conflict_is_open_when_the_other_is_gone() -> None:
    mine, yours = edited("begin", "mine"), edited("begin", "yours")
    marked = merge_notebooks(MARKED, mine, yours).notebook
    inner = [group.id for group in find_groups(marked) if group.id != find_groups(MARKED)[0].id]
    by_hand = [
        cell for cell in marked.cells if (mark_of(cell) or {}).get("role") in ("ours", "theirs") or not mark_of(cell)
    ]
    assert has_open_conflicts(replace(marked, cells=tuple(by_hand)))
    decided = resolve(marked, dict.fromkeys(inner, "ours"))
    assert has_open_conflicts(decided)
    assert sources(decided) == sources(mine)


def test_outputs_of_a_variant_with_lines_of_the_other_side_are_marked() -> None:
    base, ours, theirs = (
        notebook(code("a", f"x = {x}\n\n\ny = {y}\n\n\nz = {z}", str(x), x))
        for x, y, z in ((1, 1, 1), (2, 1, 2), (3, 3, 1))
    )
    marked = merge_notebooks(base, ours, theirs).notebook
    for choice in ("ours", "theirs"):
        (cell,) = resolve(marked, choice).cells
        assert cell.outputs and is_stale(cell)


@pytest.mark.parametrize(
    "mark",
    [
        {"id": "x", "role": ["begin"]},
        {"id": 1, "role": "begin"},
        {"id": "x", "role": "begin", "within": {"id": "x", "role": {}}},
        {"id": "x", "role": "notebook", "values": [{"path": ["cells"], "ours": 5}]},
        {"id": "x", "role": "begin", "base": {"cell_type": "code", "source": "x", "metadata": {"cellar": {"conflict": {
            "id": "x", "role": "begin"}}}}},
    ],
)  # fmt: skip
@pytest.mark.parametrize("choice", ["ours", "theirs", "base"])
def test_marks_of_anybodys_making(mark: dict[str, Any], choice: Any) -> None:
    found = notebook(text("m", "note", metadata={"cellar": {"conflict": mark}}), code("c", "x"))
    assert not find_groups(resolve(found, choice))
