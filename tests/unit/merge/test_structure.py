"""Merging what notebooks say as pipelines: components, edges, parameters, case by case as people meet them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from nbcellar.components.reading import read_pipeline
from nbcellar.errors import AlreadyExistsError, InvalidInputError
from nbcellar.ids import CellId
from nbcellar.merge.bringing_back import bring_back
from nbcellar.merge.marks import find_groups, has_open_conflicts, mark_of
from nbcellar.merge.model import Labels, Merged, MergeSettings
from nbcellar.merge.notebooks import merge_notebooks
from nbcellar.merge.resolving import Edited, resolve
from nbcellar.notebook.codec import read, write
from nbcellar.notebook.model import Cell, Notebook

from .notebooks import code, notebook, text

replace = msgspec.structs.replace


def step(id_: str, source: str, name: str | None = None, *after: str, **policy: Any) -> Cell:
    component = {"name": name or id_, **({"after": list(after)} if after else {}), **policy}
    return code(id_, source, metadata={"cellar": {"component": component}})


BASE = notebook(
    text("title", "# Prices"),
    step("load", "prices = [1, 2]"),
    step("clean", "clean = sorted(prices)"),
    step("fit", "model = sum(clean)"),
    step("plot", "print(model)"),
)


def put(base: Notebook, *cells: Cell) -> Notebook:
    """Return the notebook with these in the place of the cells of the same id; new ones at the end."""
    new = {cell.id: cell for cell in cells}
    kept = tuple(new.pop(cell.id, cell) for cell in base.cells)
    return replace(base, cells=(*kept, *new.values()))


def without(base: Notebook, *ids: str) -> Notebook:
    return replace(base, cells=tuple(cell for cell in base.cells if cell.id not in ids))


def plain(base: Notebook, id_: str) -> Notebook:
    """Return the notebook with one component as a plain cell, and no edge from it: `cellar pipeline remove`."""
    made = []
    for cell in base.cells:
        component = cell.metadata.get("cellar", {}).get("component")
        if cell.id == id_:
            cell = replace(cell, metadata={})
        elif component and id_ in component.get("after", []):
            after = [parent for parent in component["after"] if parent != id_]
            kept = {key: value for key, value in component.items() if key != "after"}
            cell = replace(cell, metadata={"cellar": {"component": {**kept, **({"after": after} if after else {})}}})
        made.append(cell)
    return replace(base, cells=tuple(made))


def names(found: Notebook) -> dict[str, str]:
    return {component.id: component.name for component in read_pipeline(found).components}


def after(found: Notebook) -> dict[str, list[str]]:
    return {component.id: sorted(component.after) for component in read_pipeline(found).components if component.after}


def codes(found: Notebook) -> list[str]:
    return [problem.code for problem in read_pipeline(found).problems]


def sound(merged: Merged) -> Merged:
    """Check what holds of every outcome."""
    cells = merged.notebook.cells
    ids = [cell.id for cell in cells if cell.id]
    assert len(ids) == len(set(ids))
    assert has_open_conflicts(merged.notebook) == bool(merged.conflicts)
    assert write(read(write(merged.notebook))) == write(merged.notebook)
    assert not {"cycle", "duplicate-name", "unknown-parent"} & set(codes(merged.notebook))
    for conflict in merged.conflicts:
        if conflict.cell is not None:
            assert (mark_of(cells[conflict.cell]) or {}).get("id") == conflict.id
    for choice in ("ours", "theirs", "base"):
        decided = resolve(merged.notebook, choice)  # type: ignore[arg-type]
        assert not find_groups(decided)
        assert not {"cycle", "duplicate-name", "unknown-parent"} & set(codes(decided)), choice
    return merged


def both_ways(base: Notebook, ours: Notebook, theirs: Notebook) -> tuple[Merged, Merged]:
    return sound(merge_notebooks(base, ours, theirs)), sound(merge_notebooks(base, theirs, ours))


def test_both_add_components_and_edges() -> None:
    ours = put(BASE, step("report", "print('report')"), step("plot", "print(model)", "plot", "load"))
    theirs = put(BASE, step("export", "print('export')", None, "fit"), step("plot", "print(model)", "plot", "clean"))
    for merged in both_ways(BASE, ours, theirs):
        assert merged.is_clean
        assert not merged.dropped
        assert set(names(merged.notebook)) == {"load", "clean", "fit", "plot", "report", "export"}
        assert after(merged.notebook) == {"plot": ["clean", "load"], "export": ["fit"]}


def test_edges_that_one_side_took_away_go_and_those_of_the_other_stay() -> None:
    base = put(BASE, step("plot", "print(model)", "plot", "load", "clean"))
    ours = put(base, step("plot", "print(model)", "plot", "clean"))
    theirs = put(base, step("plot", "print(model)", "plot", "load", "clean", "fit"))
    for merged in both_ways(base, ours, theirs):
        assert merged.is_clean
        assert after(merged.notebook) == {"plot": ["clean", "fit"]}
    for merged in both_ways(base, ours, put(base, step("plot", "print(model)", "plot", "load"))):
        assert merged.is_clean
        assert "after" not in merged.notebook.cells[4].metadata["cellar"]["component"]


def test_a_new_name_and_an_edit_of_the_source_go_together() -> None:
    ours = put(BASE, step("fit", "model = sum(clean)", "train", retries=2))
    theirs = put(BASE, step("fit", "model = sum(clean) / 2", cache=False))
    for merged in both_ways(BASE, ours, theirs):
        assert merged.is_clean
        fit = merged.notebook.cells[3]
        assert fit.source == "model = sum(clean) / 2"
        assert fit.metadata["cellar"]["component"] == {"name": "train", "retries": 2, "cache": False}


def test_two_new_names_are_a_decision_and_no_second_cell() -> None:
    ours = put(BASE, step("fit", "model = sum(clean)", "train"))
    theirs = put(BASE, step("fit", "model = sum(clean) / 2", "learn"))
    merged = sound(merge_notebooks(BASE, ours, theirs, labels=Labels("base", "main", "topic")))
    (conflict,) = merged.conflicts
    assert conflict.what == ("component.name",)
    assert conflict.said == "both renamed the component 'fit': ours calls it 'train', theirs 'learn'"
    note, fit = merged.notebook.cells[3:5]
    assert "**`main`** calls it `train`, **`topic`** `learn`" in note.source
    assert len(merged.notebook.cells) == len(BASE.cells) + 1
    assert (fit.source, names(merged.notebook)["fit"]) == ("model = sum(clean) / 2", "train")
    for choice, name in (("ours", "train"), ("theirs", "learn"), ("base", "fit")):
        decided = resolve(merged.notebook, {conflict.id: choice})  # type: ignore[dict-item]
        assert names(decided)["fit"] == name
        assert decided == put(BASE, step("fit", "model = sum(clean) / 2", name))
    own = resolve(merged.notebook, {conflict.id: Edited("teach")})
    assert names(own)["fit"] == "teach"
    with pytest.raises(InvalidInputError, match="both cannot be kept"):
        resolve(merged.notebook, "both")
    with pytest.raises(AlreadyExistsError, match="another component is called 'plot'"):
        resolve(merged.notebook, {conflict.id: Edited("plot")})
    with pytest.raises(InvalidInputError, match="one line"):
        resolve(merged.notebook, {conflict.id: Edited("two\nlines")})
    by_hand = replace(merged.notebook, cells=tuple(cell for cell in merged.notebook.cells if not mark_of(cell)))
    assert names(by_hand)["fit"] == "train"


def test_two_ways_to_run_a_component_are_a_decision() -> None:
    ours = put(BASE, step("fit", "model = sum(clean)", retries=1, timeout_s=9))
    theirs = put(BASE, step("fit", "model = sum(clean)", retries=2, freeze=True))
    merged = sound(merge_notebooks(BASE, ours, theirs))
    (conflict,) = merged.conflicts
    assert conflict.said == "both changed retries of the component 'fit': ours has '1', theirs '2'"
    held = {"name": "fit", "retries": 1, "timeout_s": 9, "freeze": True}
    assert merged.notebook.cells[4].metadata["cellar"]["component"] == held
    taken = resolve(merged.notebook, "theirs").cells[3].metadata["cellar"]["component"]
    assert taken == {**held, "retries": 2}
    policy = merge_notebooks(BASE, ours, theirs, settings=MergeSettings(metadata="theirs"))
    assert policy.is_clean
    assert [(entry.side, entry.what, entry.value) for entry in policy.dropped] == [
        ("ours", "metadata.cellar.component.retries", 1)
    ]


def test_one_name_for_two_cells_is_never_there_twice() -> None:
    ours = put(BASE, step("a", "a = 1", "report"))
    theirs = put(BASE, step("b", "b = 2", "report"))
    merged = sound(merge_notebooks(BASE, ours, theirs))
    (conflict,) = merged.conflicts
    assert conflict.said == (
        "both call a component 'report', each another cell: ours keeps it, the one of theirs is 'report-2' now"
    )
    assert merged.repairs == ("two components are called 'report': the one of theirs is 'report-2' now",)
    assert (names(merged.notebook)["a"], names(merged.notebook)["b"]) == ("report", "report-2")
    theirs_kept = resolve(merged.notebook, "theirs")
    assert (names(theirs_kept)["a"], names(theirs_kept)["b"]) == ("report-2", "report")
    own = resolve(merged.notebook, {conflict.id: Edited("summary")})
    assert (names(own)["a"], names(own)["b"]) == ("report", "summary")


def test_two_cells_that_both_sides_renamed_to_one_name() -> None:
    ours = put(BASE, step("load", "prices = [1, 2]", "data"))
    theirs = put(BASE, step("clean", "clean = sorted(prices)", "data"))
    for merged in both_ways(BASE, ours, theirs):
        assert len(merged.conflicts) == 1
        assert sorted(names(merged.notebook).values()) == ["data", "data-2", "fit", "plot"]
        back = resolve(merged.notebook, "base")
        assert names(back) == names(BASE)


def test_a_name_that_a_side_has_twice_already_is_its_own_matter() -> None:
    ours = put(BASE, step("a", "a = 1", "fit"))
    merged = merge_notebooks(BASE, ours, put(BASE, text("title", "# All prices")))
    assert merged.is_clean
    assert names(merged.notebook)["a"] == names(merged.notebook)["fit"] == "fit"


@pytest.mark.parametrize("far", [False, True])
def test_the_same_component_added_on_both_sides_is_one(far: bool) -> None:
    ours = put(BASE, step("a", "report(model)", "report", "load"))
    new = step("b", "report(model)", "report", "clean")
    users = step("last", "print('last')", "last", "b")
    theirs = put(BASE, new, users)
    if far:
        theirs = replace(BASE, cells=(BASE.cells[0], new, *BASE.cells[1:], users))
    for merged, kept in zip(both_ways(BASE, ours, theirs), "ab", strict=True):
        assert merged.is_clean
        assert after(merged.notebook) == {kept: ["clean", "load"], "last": [kept]}


def test_cells_of_one_id_that_are_two_components_keep_their_edges() -> None:
    ours = put(BASE, step("new", "a = 'ours'", "one"), step("x", "use(a)", "x", "new"))
    theirs = replace(
        BASE,
        cells=(
            step("new", "something = else_where()\nother(something)", "two"),
            *BASE.cells,
            step("y", "use(b)", "y", "new"),
        ),
    )
    merged = sound(merge_notebooks(BASE, ours, theirs))
    if merged.is_clean:
        by_name = {name: id_ for id_, name in names(merged.notebook).items()}
        assert after(merged.notebook) == {"x": [by_name["one"]], "y": [by_name["two"]]}
        assert any("was taken by another cell" in said for said in merged.repairs)


def test_ids_made_anew_on_one_side_are_those_that_edges_name() -> None:
    base = put(BASE, step("plot", "print(model)", "plot", "load"))
    ours = put(base, step("fit", "model = sum(clean)", "fit", "load"))
    anew = {cell.id: CellId(f"new-{cell.id}") for cell in base.cells}
    theirs = replace(
        base,
        cells=tuple(
            step(f"new-{cell.id}", cell.source, cell.id, *(["new-load", "new-clean"] if cell.id == "plot" else []))
            if cell.id != "title"
            else replace(cell, id=anew[cell.id])
            for cell in base.cells
        ),
    )
    for merged in both_ways(base, ours, theirs):
        assert merged.is_clean
        assert not merged.dropped
        assert after(merged.notebook) == {"new-plot": ["new-clean", "new-load"], "new-fit": ["new-load"]}


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize(
    "edit",
    [
        step("fit", "model = sum(clean) / 2"),
        step("fit", "model = sum(clean)", "train"),
        step("fit", "model = sum(clean)", "fit", "load"),
    ],
)
@pytest.mark.parametrize("how", ["deleted", "taken out"])
def test_a_component_that_is_gone_against_an_edit_of_it(how: str, edit: Cell, swapped: bool) -> None:
    gone = without(BASE, "fit") if how == "deleted" else plain(BASE, "fit")
    sides = [gone, put(BASE, edit)]
    ours, theirs = reversed(sides) if swapped else sides
    merged = sound(merge_notebooks(BASE, ours, theirs))
    (conflict,) = merged.conflicts
    assert "the component" in conflict.said
    assert "changed it" in conflict.said
    kept, lost = ("ours", "theirs") if swapped else ("theirs", "ours")
    assert resolve(merged.notebook, kept) == sides[1]  # type: ignore[arg-type]
    decided = resolve(merged.notebook, lost)  # type: ignore[arg-type]
    if how == "deleted":
        assert decided == gone
    else:
        assert "fit" not in names(decided)
        assert decided.cells[3].source == edit.source


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("how", ["deleted", "taken out"])
def test_a_component_that_is_gone_against_a_new_edge_from_it(how: str, swapped: bool) -> None:
    gone = without(BASE, "load") if how == "deleted" else plain(BASE, "load")
    drawn = put(BASE, step("plot", "print(model)", "plot", "load"))
    sides = [gone, drawn]
    ours, theirs = reversed(sides) if swapped else sides
    merged = sound(merge_notebooks(BASE, ours, theirs))
    (conflict,) = merged.conflicts
    assert "the component 'load'" in conflict.said
    assert "drew an edge from it to 'plot'" in conflict.said
    kept, lost = ("ours", "theirs") if swapped else ("theirs", "ours")
    assert resolve(merged.notebook, kept) == drawn  # type: ignore[arg-type]
    assert resolve(merged.notebook, lost) == gone  # type: ignore[arg-type]


def test_edges_from_a_component_that_comes_back_come_back() -> None:
    base = put(BASE, step("plot", "print(model)", "plot", "load"))
    gone = without(plain(base, "load"), "load")
    edited = put(base, step("load", "prices = [1, 2, 3]"))
    for merged, choice in zip(both_ways(base, gone, edited), ("theirs", "ours"), strict=True):
        assert resolve(merged.notebook, choice) == edited  # type: ignore[arg-type]
        other = "ours" if choice == "theirs" else "theirs"
        assert resolve(merged.notebook, other) == gone  # type: ignore[arg-type]


def test_an_edge_from_a_component_that_is_gone_is_listed_and_can_be_brought_back() -> None:
    base = put(BASE, step("plot", "print(model)", "plot", "load"))
    ours = put(without(base, "load"), text("title", "# Ours"))
    theirs = put(base, step("fit", "model = sum(clean) / 2"))
    merged = merge_notebooks(base, ours, theirs)
    assert merged.is_clean
    assert after(merged.notebook) == {}
    ((side, what, reason),) = [(entry.side, entry.what, entry.reason) for entry in merged.dropped]
    assert (side, what, reason) == ("theirs", "edge 'load' -> 'plot'", "the component is gone")
    back = bring_back(merged.notebook, merged.dropped[0], theirs)
    assert back.cells[3].metadata["cellar"]["component"]["after"] == ["load"]
    both = merge_notebooks(base, without(base, "load", "title"), put(without(base, "load"), text("x", "new")))
    assert (after(both.notebook), [entry.what for entry in both.dropped]) == ({}, ["edge 'load' -> 'plot'"])


def test_an_edge_to_what_never_was_a_component_is_left_to_its_side() -> None:
    base = put(BASE, step("plot", "print(model)", "plot", "nowhere"))
    merged = merge_notebooks(base, put(base, text("title", "# A")), put(base, text("end", "B")))
    assert merged.is_clean
    assert after(merged.notebook) == {"plot": ["nowhere"]}


def test_a_circle_made_by_two_clean_edits_is_refused_with_both_edges_named() -> None:
    base = put(BASE, step("a", "print('a')"), step("b", "print('b')"))
    ours = put(base, step("b", "print('b')", "b", "a"))
    theirs = put(base, step("a", "print('a')", "a", "b"))
    merged = sound(merge_notebooks(base, ours, theirs, labels=Labels("base", "main", "topic")))
    (conflict,) = merged.conflicts
    assert (
        conflict.said == "the edges 'a' -> 'b' (ours) and 'b' -> 'a' (theirs) would make components wait for each other"
    )
    (note,) = [cell for cell in merged.notebook.cells if mark_of(cell)]
    assert "`a` -> `b` (**`main`**) and `b` -> `a` (**`topic`**)" in note.source
    assert after(merged.notebook) == {"b": ["a"]}
    assert resolve(merged.notebook, "ours") == ours
    assert resolve(merged.notebook, "theirs") == theirs
    assert resolve(merged.notebook, "base") == base
    policy = merge_notebooks(base, ours, theirs, settings=MergeSettings(conflicts="theirs"))
    assert policy.notebook == theirs
    assert [(entry.side, entry.what) for entry in policy.dropped] == [("ours", "edge 'a' -> 'b'")]


def test_a_circle_over_edges_of_the_base() -> None:
    base = put(BASE, step("a", "print('a')"), step("b", "print('b')", None, "a"), step("c", "print('c')"))
    ours = put(base, step("c", "print('c')", "c", "b"))
    theirs = put(base, step("a", "print('a')", "a", "c"))
    for merged in both_ways(base, ours, theirs):
        assert len(merged.conflicts) == 1
        assert after(resolve(merged.notebook, "base")) == {"b": ["a"]}
        assert "'a' -> 'b'" in merged.conflicts[0].said


def test_a_circle_that_one_side_made_is_its_own_matter() -> None:
    ours = put(BASE, step("load", "prices = [1, 2]", "load", "clean"), step("clean", "x = 1", "clean", "load"))
    merged = merge_notebooks(BASE, ours, put(BASE, text("title", "# All prices")))
    assert merged.is_clean
    assert "cycle" in codes(merged.notebook)


@pytest.mark.parametrize("swapped", [False, True])
def test_an_edge_against_a_name_that_the_other_side_began_to_take(swapped: bool) -> None:
    base = put(BASE, step("a", "total = 1"), step("b", "print('b')"))
    takes = put(base, step("b", "print(total)"))
    draws = put(base, step("a", "total = 1", "a", "b"))
    ours, theirs = (draws, takes) if swapped else (takes, draws)
    merged = sound(merge_notebooks(base, ours, theirs))
    (conflict,) = merged.conflicts
    first, second = ("theirs", "ours") if swapped else ("ours", "theirs")
    assert conflict.said == (
        f"'b' takes total from 'a' ({first}), but 'b' -> 'a' ({second}) puts it first: they would wait for each other"
    )
    assert after(resolve(merged.notebook, first)) == {}  # type: ignore[arg-type]
    assert after(resolve(merged.notebook, second)) == {"a": ["b"]}  # type: ignore[arg-type]


def test_an_edge_that_was_drawn_against_a_name_knowingly_is_no_news() -> None:
    base = put(BASE, step("a", "total = 1"), step("b", "print(total)"))
    draws = put(base, step("a", "total = 1", "a", "b"))
    for merged in both_ways(base, draws, put(base, step("fit", "model = sum(clean) / 2"))):
        assert merged.is_clean
        assert not merged.warnings


def test_makers_of_one_name_in_no_order_are_a_warning_that_names_both() -> None:
    base = put(BASE, step("one", "print('one')"), step("two", "print('two')"), step("use", "print('use')"))
    ours = put(base, step("one", "kind = 1"), step("use", "print('use')", "use", "one"))
    theirs = put(base, step("two", "kind = 2"), step("use", "print(kind)"))
    for merged in both_ways(base, ours, theirs):
        assert merged.is_clean
        (warning,) = merged.warnings
        assert warning.startswith("'use' takes kind, which both 'one' and 'two' make, in no order: say which is first")


def test_a_name_that_nobody_makes_any_more_is_a_warning() -> None:
    ours = without(BASE, "load")
    ours = put(ours, step("clean", "clean = [1]"))
    theirs = put(BASE, step("plot", "print(model, prices)"))
    for merged in both_ways(BASE, ours, theirs):
        assert merged.is_clean
        assert merged.warnings == ("'plot' takes prices, which no component before it makes",)


def test_parameters_are_merged_by_name_and_whole() -> None:
    def with_parameters(**held: Any) -> Notebook:
        return replace(BASE, metadata={"cellar": {"parameters": held}} if held else {})

    base = with_parameters(scale=1, gone=2)
    clean = merge_notebooks(base, with_parameters(scale=3, gone=2), with_parameters(scale=1, new=4))
    assert clean.is_clean
    assert clean.notebook.metadata == {"cellar": {"parameters": {"scale": 3, "new": 4}}}
    emptied = merge_notebooks(with_parameters(a=1), with_parameters(), with_parameters(a=1, b=2))
    assert (emptied.is_clean, emptied.notebook.metadata) == (True, {"cellar": {"parameters": {"b": 2}}})
    both = put(with_parameters(), text("title", "# A"))
    gone = merge_notebooks(with_parameters(a=1, b=2), with_parameters(b=2), put(with_parameters(a=1), both.cells[0]))
    assert (gone.is_clean, gone.notebook.metadata) == (True, {})
    merged = sound(merge_notebooks(base, with_parameters(scale={"x": 1, "y": 2}), with_parameters(scale={"x": 1})))
    (conflict,) = merged.conflicts
    assert conflict.what == ("metadata.cellar.parameters.scale",)
    assert "parameter `scale`" in merged.notebook.cells[0].source
    assert resolve(merged.notebook, "theirs").metadata == {"cellar": {"parameters": {"scale": {"x": 1}}}}


def old(found: Notebook) -> Notebook:
    return replace(found, cells=tuple(replace(cell, id=CellId("")) for cell in found.cells), nbformat_minor=4)


def test_notebooks_without_ids() -> None:
    base = old(BASE)
    ours = old(put(BASE, step("fit", "model = sum(clean)", "train"), step("a", "a = 1", "report")))
    theirs = old(put(BASE, step("fit", "model = sum(clean)", "learn"), step("b", "b = 2", "report")))
    merged = sound(merge_notebooks(base, ours, theirs))
    assert len(merged.conflicts) == 2
    decided = resolve(merged.notebook, "theirs")
    assert [component.name for component in read_pipeline(decided).components] == [
        *("load", "clean", "learn", "plot", "report-2", "report")
    ]
    assert resolve(merged.notebook, "base").cells[:5] == base.cells
    gone = old(plain(BASE, "fit"))
    edited = old(put(BASE, step("fit", "model = sum(clean) / 2")))
    merged = sound(merge_notebooks(base, gone, edited))
    assert resolve(merged.notebook, "theirs") == edited
    assert [c.name for c in read_pipeline(resolve(merged.notebook, "ours")).components] == ["load", "clean", "plot"]


def test_both_variants_of_a_component_do_not_share_its_name() -> None:
    ours, theirs = (put(BASE, step("fit", f"model = {name}(clean)")) for name in ("min", "max"))
    merged = merge_notebooks(BASE, ours, theirs)
    assert [conflict.what for conflict in merged.conflicts] == [("source",)]
    both = resolve(merged.notebook, "both")
    assert list(names(both).values()) == ["load", "clean", "fit", "fit-2", "plot"]
    assert names(resolve(merged.notebook, "theirs")) == names(BASE)


def test_what_is_no_metadata_of_a_component_merges_as_any_metadata() -> None:
    for wrong in (5, [], "x", {"name": 3, "after": "x"}, {"name": None, "after": [1]}, {}):
        odd = code("fit", "model = 1", metadata={"cellar": {"component": wrong}})
        for other in (put(BASE, step("fit", "model = 1", "train")), without(BASE, "fit"), plain(BASE, "fit")):
            merged = merge_notebooks(BASE, put(BASE, odd), other)
            assert write(read(write(merged.notebook))) == write(merged.notebook)
            assert not has_open_conflicts(resolve(merged.notebook, "theirs"))
