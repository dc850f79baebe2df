"""Three-way merging of notebooks, case by case as people meet them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from nbcellar.ids import CellId
from nbcellar.merge.marks import find_groups, has_open_conflicts
from nbcellar.merge.model import Labels, MergeSettings
from nbcellar.merge.notebooks import merge_notebooks
from nbcellar.merge.resolving import Edited, resolve
from nbcellar.notebook.codec import read, write
from nbcellar.notebook.model import Cell, Notebook

from .notebooks import BASE, code, notebook, text


def with_cell(base: Notebook, place: int, **changes: Any) -> Notebook:
    cells = list(base.cells)
    cells[place] = msgspec.structs.replace(cells[place], **changes)
    return msgspec.structs.replace(base, cells=tuple(cells))


def with_cells(base: Notebook, *cells: Cell) -> Notebook:
    return msgspec.structs.replace(base, cells=cells)


def without(base: Notebook, place: int) -> Notebook:
    return with_cells(base, *(cell for number, cell in enumerate(base.cells) if number != place))


def inserted(base: Notebook, place: int, *cells: Cell) -> Notebook:
    return with_cells(base, *base.cells[:place], *cells, *base.cells[place:])


def sources(found: Notebook) -> list[str]:
    return [cell.source for cell in found.cells]


def test_edits_of_different_cells() -> None:
    ours = with_cell(BASE, 1, source="import pandas as pd\n\nprices = pd.read_parquet('prices')")
    theirs = with_cell(BASE, 3, source="prices.groupby('shop').price.median()", outputs=(), execution_count=9)
    found = merge_notebooks(BASE, ours, theirs)
    assert found.is_clean
    assert not found.dropped
    assert found.notebook.cells == (*ours.cells[:3], theirs.cells[3], BASE.cells[4])


def test_insert_and_delete_beside_an_edit() -> None:
    ours = with_cell(BASE, 2, source="prices = prices.dropna().sort_values('day')")
    theirs = without(inserted(BASE, 3, code("new", "prices.head()")), 1)
    found = merge_notebooks(BASE, ours, theirs)
    assert found.is_clean
    assert [cell.id for cell in found.notebook.cells] == ["title", "clean", "new", "mean", "end"]
    assert found.notebook.cells[1].source == ours.cells[2].source


def test_both_insert_at_one_place_ours_first() -> None:
    ours, theirs = inserted(BASE, 2, code("a", "a = 1")), inserted(BASE, 2, code("b", "b = 1"), code("c", "c = 1"))
    found = merge_notebooks(BASE, ours, theirs)
    assert found.is_clean
    assert [cell.id for cell in found.notebook.cells] == ["title", "load", "a", "b", "c", "clean", "mean", "end"]


def test_the_same_cell_added_on_both_sides_is_there_once() -> None:
    ours = inserted(BASE, 2, code("a", "prices.describe()", "ours", 4))
    theirs = inserted(BASE, 2, code("b", "prices.describe()", "theirs", 5))
    found = merge_notebooks(BASE, ours, theirs)
    assert found.is_clean
    assert sources(found.notebook) == sources(ours)
    assert [(entry.side, entry.what, entry.cell, entry.number) for entry in found.dropped] == [
        ("theirs", "outputs", "b", 3)
    ]


@pytest.mark.parametrize("base", [None, notebook(code("a", "x = 1"))])
def test_a_cell_added_on_both_sides_with_two_types_is_one_conflict(base: Notebook | None) -> None:
    ours = notebook(code("a", "x = 1"), code("b", "# A title"))
    theirs = notebook(code("a", "x = 1"), text("c", "# A title"))
    found = merge_notebooks(base, ours, theirs)
    assert [conflict.what for conflict in found.conflicts] == [("type",)]
    assert resolve(found.notebook, "ours") == ours
    assert [cell.type for cell in resolve(found.notebook, "theirs").cells] == ["code", "markdown"]
    empty = merge_notebooks(
        base, notebook(code("a", "x = 1"), code("b", "")), notebook(code("a", "x = 1"), text("c", ""))
    )
    assert empty.is_clean


def test_an_empty_cell_that_one_side_filled_stays_where_it_is_whatever_empty_cells_the_other_side_has() -> None:
    base = notebook(code("", ""), code("", "a = 1"), code("", "b = 2"), minor=4)
    ours = notebook(code("", "a = 1"), code("", "b = 2"), code("", ""), minor=4)
    theirs = notebook(code("", "first()"), code("", "a = 1"), code("", "b = 2"), minor=4)
    merged = [cell.source for cell in merge_notebooks(base, ours, theirs).notebook.cells]
    assert merged.index("first()") < merged.index("a = 1")


def test_equal_cells_added_at_far_places_are_both_kept() -> None:
    ours, theirs = inserted(BASE, 1, code("a", "prices")), inserted(BASE, 4, code("b", "prices"))
    found = merge_notebooks(BASE, ours, theirs)
    assert [cell.id for cell in found.notebook.cells] == ["title", "a", "load", "clean", "mean", "b", "end"]


def test_a_deletion_against_a_mere_run_drops_the_outputs_and_says_so() -> None:
    ours, theirs = without(BASE, 3), with_cell(BASE, 3, outputs=code("", "", "4.5\n").outputs, execution_count=12)
    found = merge_notebooks(BASE, ours, theirs)
    assert found.is_clean
    assert found.notebook.cells == ours.cells
    assert [(entry.side, entry.what, entry.number) for entry in found.dropped] == [("theirs", "outputs", 4)]


@pytest.mark.parametrize("swapped", [False, True])
def test_a_deletion_against_an_edit_is_a_conflict(swapped: bool) -> None:
    sides = [without(BASE, 3), with_cell(BASE, 3, source="prices.price.mean()")]
    ours, theirs = reversed(sides) if swapped else sides
    found = merge_notebooks(BASE, ours, theirs)
    (conflict,) = found.conflicts
    assert conflict.what == (("deleted by theirs",) if swapped else ("deleted by ours",))
    assert conflict.base == BASE.cells[3]
    kept, gone = ("ours", "theirs") if swapped else ("theirs", "ours")
    assert resolve(found.notebook, kept) == sides[1]
    assert resolve(found.notebook, gone) == sides[0]


def test_a_move_and_an_edit() -> None:
    ours = with_cells(BASE, BASE.cells[0], *BASE.cells[2:4], BASE.cells[1], BASE.cells[4])
    theirs = with_cell(BASE, 1, source="import pandas as pd\n\nprices = pd.read_csv('all prices.csv')")
    found = merge_notebooks(BASE, ours, theirs)
    assert found.is_clean
    assert [cell.id for cell in found.notebook.cells] == [cell.id for cell in ours.cells]
    assert theirs.cells[1].source in sources(found.notebook)
    back = merge_notebooks(BASE, theirs, ours)
    assert sources(back.notebook) == sources(found.notebook)


def test_ids_made_anew_and_a_newer_format() -> None:
    old = msgspec.structs.replace(
        with_cells(BASE, *(msgspec.structs.replace(cell, id=CellId("")) for cell in BASE.cells)), nbformat_minor=4
    )
    ours = with_cell(old, 1, source="import pandas as pd\n\nprices = pd.read_parquet('prices.csv')")
    theirs = with_cell(BASE, 3, source="prices.price.median()", outputs=())
    found = merge_notebooks(old, ours, theirs)
    assert found.is_clean
    assert found.notebook.nbformat_minor == 5
    assert [cell.id for cell in found.notebook.cells] == ["title", "load", "clean", "mean", "end"]
    assert sources(found.notebook)[1] == ours.cells[1].source


def test_an_old_format_stays_old_with_conflicts_too() -> None:
    old = msgspec.structs.replace(
        with_cells(BASE, *(msgspec.structs.replace(cell, id=CellId("")) for cell in BASE.cells)), nbformat_minor=4
    )
    found = merge_notebooks(old, with_cell(old, 4, source="Ours."), with_cell(old, 4, source="Theirs."))
    assert len(found.conflicts) == 1
    assert not any(cell.id for cell in found.notebook.cells)
    assert write(read(write(found.notebook))) == write(found.notebook)


def test_a_conflict_is_cells_that_say_what_to_do() -> None:
    ours, theirs = with_cell(BASE, 4, source="Ours."), with_cell(BASE, 4, source="Theirs.")
    labels = Labels("the merge base", "main", "a `title` with <b>marks</b>\nand lines")
    found = merge_notebooks(BASE, ours, theirs, labels=labels)
    (conflict,) = found.conflicts
    assert (conflict.what, conflict.cell) == (("source",), 4)
    cells = found.notebook.cells[4:]
    assert [cell.type for cell in cells] == ["markdown"] * 5
    assert cells[0].source.startswith("**Merge conflict:**")
    assert "`main`" in cells[0].source
    assert "`a 'title' with <b>marks</b> and lines`" in cells[0].source
    assert [cells[1].source, cells[3].source] == ["Ours.", "Theirs."]
    assert len({cell.id for cell in found.notebook.cells}) == len(found.notebook.cells)
    assert has_open_conflicts(found.notebook)
    (group,) = find_groups(found.notebook)
    assert (group.id, group.what, group.labels) == (conflict.id, ("source",), labels)
    assert group.base is not None
    assert group.base["source"] == [BASE.cells[4].source]


def test_each_choice() -> None:
    ours, theirs = with_cell(BASE, 3, source="ours()"), with_cell(BASE, 3, source="theirs()")
    found = merge_notebooks(BASE, ours, theirs)
    assert resolve(found.notebook, "ours") == ours
    assert resolve(found.notebook, "theirs") == theirs
    assert sources(resolve(found.notebook, "both"))[3:5] == ["ours()", "theirs()"]
    assert resolve(found.notebook, "base").cells[3].source == BASE.cells[3].source
    edited = resolve(found.notebook, {found.conflicts[0].id: Edited("mine()")})
    assert (edited.cells[3].source, edited.cells[3].outputs) == ("mine()", ())
    assert all(not has_open_conflicts(resolve(found.notebook, choice)) for choice in ("ours", "theirs", "both", "base"))


def test_a_group_whose_notes_a_person_deleted_is_decided() -> None:
    found = merge_notebooks(BASE, with_cell(BASE, 3, source="ours()"), with_cell(BASE, 3, source="theirs()"))
    by_hand = with_cells(found.notebook, *(found.notebook.cells[n] for n in (0, 1, 2, 6, 8)))
    assert not has_open_conflicts(by_hand)
    tidy = resolve(by_hand, {})
    assert sources(tidy)[3] == "theirs()"
    assert tidy.cells[3].metadata == {}


def test_settings_of_the_notebook() -> None:
    specs = [{"name": name, "display_name": name} for name in ("python3", "mine", "yours")]
    base = notebook(*BASE.cells, title="a", kernelspec=specs[0], **{"a.b": {"c": 1}})
    ours = notebook(*BASE.cells, title="b", kernelspec=specs[1], **{"a.b": {"c": 2}})
    theirs = notebook(*BASE.cells, title="c", kernelspec=specs[2], more=True, **{"a.b": {"c": 3}})
    found = merge_notebooks(base, ours, theirs)
    (conflict,) = found.conflicts
    assert conflict.what == ("metadata.title", "metadata.a.b.c")
    assert found.notebook.metadata == {**ours.metadata, "more": True}
    assert [(entry.what, entry.value) for entry in found.dropped] == [("metadata.kernelspec", specs[2])]
    assert resolve(found.notebook, "theirs").metadata == {**theirs.metadata, "kernelspec": specs[1]}
    assert resolve(found.notebook, "ours").cells == BASE.cells
    assert (
        merge_notebooks(base, ours, theirs, settings=MergeSettings(metadata="theirs")).notebook.metadata["title"] == "c"
    )


def test_one_side_for_all_conflicts_says_what_it_leaves_out() -> None:
    ours = with_cell(without(BASE, 4), 3, source="ours()")
    theirs = with_cell(with_cell(BASE, 3, source="theirs()"), 4, source="More.")
    found = merge_notebooks(BASE, ours, theirs, settings=MergeSettings(conflicts="ours"))
    assert found.is_clean
    assert found.notebook.cells == ours.cells
    assert [(entry.side, entry.what) for entry in found.dropped] == [("theirs", "source"), ("theirs", "cell")]
    assert found.dropped[0].value == "theirs()"


def test_no_common_base() -> None:
    ours, theirs = notebook(text("a", "A"), text("b", "B")), notebook(text("c", "A"), text("d", "D"))
    found = merge_notebooks(None, ours, theirs)
    assert sources(found.notebook) == ["A", "B", "D"]
    same_id = merge_notebooks(None, notebook(text("a", "A")), notebook(text("a", "B")))
    assert [conflict.what for conflict in same_id.conflicts] == [("source",)]


def test_layout_of_the_file_follows_the_side_that_changed_it() -> None:
    wide = msgspec.structs.replace(BASE.formatting, indent="    ")
    ours, theirs = (
        with_cell(BASE, 4, source="Ours."),
        msgspec.structs.replace(with_cell(BASE, 0, source="#"), formatting=wide),
    )
    assert merge_notebooks(BASE, ours, theirs).notebook.formatting == wide


@pytest.mark.parametrize(("old", "new"), [(1, 1.0), (1, True), (0.0, -0.0)])
def test_a_change_of_a_number_alone_is_a_change(old: object, new: object) -> None:
    base, theirs = notebook(code("a", "x"), k=old), notebook(code("a", "x", metadata={"m": new}), k=new)
    base = msgspec.structs.replace(base, cells=(code("a", "x", metadata={"m": old}),))
    ours = msgspec.structs.replace(base, cells=(*base.cells, code("b", "y")))
    for merged in (merge_notebooks(base, ours, theirs), merge_notebooks(base, theirs, ours)):
        assert repr(merged.notebook.metadata["k"]) == repr(merged.notebook.cells[0].metadata["m"]) == repr(new)
    assert merge_notebooks(None, base, theirs).conflicts


def test_two_formats_without_a_base_become_the_newer_one() -> None:
    newer, older = notebook(code("a", "x = 1")), notebook(code("", "y = 2"), minor=4)
    for merged in (merge_notebooks(None, newer, older), merge_notebooks(None, older, newer)):
        assert merged.notebook.nbformat_minor == 5
        assert all(cell.id for cell in merged.notebook.cells)


def test_metadata_nested_without_end_is_taken_whole() -> None:
    def nested(value: int) -> Notebook:
        held: object = value
        for _ in range(700):
            held = {"k": held}
        return notebook(code("a", "x"), deep=held)

    merged = merge_notebooks(nested(1), nested(2), nested(3))
    assert len(merged.conflicts) == 1
    for choice, version in (("ours", 2), ("theirs", 3), ("base", 1)):
        assert resolve(merged.notebook, choice) == nested(version)  # type: ignore[arg-type]


def test_a_base_with_a_conflict_that_both_decided() -> None:
    """What git calls the base when two branches merged each other is a merge itself, with conflicts in it."""
    base = merge_notebooks(*(notebook(code("a", f"x = {n}"), text("t", "end")) for n in (1, 2, 3))).notebook
    ours, theirs = resolve(base, "ours"), resolve(base, "theirs")
    (conflict,) = merge_notebooks(base, ours, theirs).conflicts
    assert [cell.source for cell in (conflict.base, conflict.ours, conflict.theirs) if cell] == [
        "x = 1",
        "x = 2",
        "x = 3",
    ]
    edited = msgspec.structs.replace(ours, cells=(*ours.cells, code("new", "y")))
    merged = merge_notebooks(base, ours, edited)
    assert merged.is_clean
    assert merged.notebook == edited
    # A side that left it open still has it; one that only decided it does not bring it back.
    still_open = msgspec.structs.replace(base, cells=(*base.cells, code("new", "y")))
    assert merge_notebooks(base, ours, still_open).notebook == edited
