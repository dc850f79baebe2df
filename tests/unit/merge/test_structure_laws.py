"""Laws of merging pipelines, for any edits of any pipeline: the base changes nothing, sides may be swapped, nothing
that a side said vanishes unnamed, and what was sound on both sides is sound merged, however it is decided."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from nbcellar.components import editing
from nbcellar.components.reading import has_pipeline, read_pipeline
from nbcellar.errors import CellarError
from nbcellar.ids import CellId
from nbcellar.merge.marks import find_groups, has_open_conflicts
from nbcellar.merge.model import Merged
from nbcellar.merge.notebooks import merge_notebooks
from nbcellar.merge.resolving import resolve
from nbcellar.merge.structure.held import component_of
from nbcellar.notebook.codec import read, write
from nbcellar.notebook.model import Cell, Notebook

NAMES = ("load", "fit", "plot", "report")
SOURCES = ("x = 1", "y = x", "print(y)", "x = y + 1", "z = 2", "print('done')")
UNSOUND = {"cycle", "duplicate-name", "unknown-parent"}


@st.composite
def pipelines(draw: st.DrawFn) -> Notebook:
    count = draw(st.integers(1, 5))
    cells = [
        Cell(type="code", source=draw(st.sampled_from(SOURCES)) + f"  # {n}", id=CellId(f"c{n}"), outputs=())
        for n in range(count)
    ]
    found = Notebook(cells=tuple(cells))
    for n in range(count):
        if draw(st.integers(0, 4)):
            found = editing.add(found, f"c{n}", f"step-{n}")
    for _ in range(draw(st.integers(0, 3))):
        found = draw(changed(found, "connect"))
    return found


@st.composite
def changed(draw: st.DrawFn, before: Notebook, kind: str, side: str = "") -> Notebook:
    """Return the notebook after one command, or one edit in an editor; as it was where that is refused."""
    places = st.integers(0, max(len(before.cells) - 1, 0))
    if kind == "insert":
        new = CellId(f"{side}{len(before.cells)}{draw(st.sampled_from('ab'))}")
        held = {"cellar": {"component": {"name": draw(st.sampled_from(NAMES))}}}
        names = [component.name for component in read_pipeline(before).components]
        taken = held["cellar"]["component"]["name"] in names or any(cell.id == new for cell in before.cells)
        source = draw(st.sampled_from(SOURCES))
        cell = Cell(type="code", source=source, id=new, outputs=(), metadata=held)
        place = draw(places)
        return before if taken else with_cells(before, [*before.cells[:place], cell, *before.cells[place:]])
    if not before.cells:
        return before
    place, other = draw(places), draw(places)
    cell, parent = before.cells[place], before.cells[other]
    if kind == "delete":
        if has_pipeline(before) and component_of(cell) is not None:
            before = editing.remove(before, cell.id)  # an edge to a cell that is gone would not be sound
        return with_cells(before, [held for held in before.cells if held.id != cell.id])
    if kind == "source":
        edited = msgspec.structs.replace(cell, source=draw(st.sampled_from(SOURCES)) + "  # edited")
        return with_cells(before, [*before.cells[:place], edited, *before.cells[place + 1 :]])
    if kind == "move":
        cells = list(before.cells)
        cells.insert(other, cells.pop(place))
        return with_cells(before, cells)
    if kind != "add" and not has_pipeline(before):
        return before
    try:
        if kind == "rename":
            return editing.rename(before, cell.id, draw(st.sampled_from(NAMES)))
        if kind == "connect":
            return editing.connect(before, parent.id, cell.id)
        if kind == "disconnect":
            return editing.disconnect(before, parent.id, cell.id)
        if kind == "remove":
            return editing.remove(before, cell.id)
        if kind == "add":
            return editing.add(before, cell.id, draw(st.sampled_from(NAMES)))
        return editing.set_policy(before, cell.id, {"retries": draw(st.integers(1, 3))})
    except CellarError:
        return before


KINDS = "connect connect connect disconnect rename remove add policy insert delete source move".split()


def with_cells(before: Notebook, cells: list[Cell]) -> Notebook:
    return msgspec.structs.replace(before, cells=tuple(cells))


@st.composite
def three(draw: st.DrawFn, *, ids: bool | None = None) -> tuple[Notebook, Notebook, Notebook]:
    base = draw(pipelines())
    sides = []
    for name in ("p", "q"):
        side = base
        for kind in draw(st.lists(st.sampled_from(KINDS), max_size=5)):
            side = draw(changed(side, kind, name))
        sides.append(side)
    found = (base, sides[0], sides[1])
    if ids is False or (ids is None and draw(st.booleans())):
        return tuple(without_ids(side) for side in found)  # type: ignore[return-value]
    return found


def without_ids(found: Notebook) -> Notebook:
    """Return the notebook in the older format, in which no edge can be drawn."""
    cells = []
    for cell in found.cells:
        held = cell.metadata.get("cellar", {}).get("component")
        kept = {key: value for key, value in (held or {}).items() if key != "after"}
        metadata = {"cellar": {"component": kept}} if held else {}
        cells.append(msgspec.structs.replace(cell, id=CellId(""), metadata=metadata))
    return msgspec.structs.replace(found, cells=tuple(cells), nbformat_minor=4)


def unsound(found: Notebook) -> set[str]:
    return UNSOUND & {problem.code for problem in read_pipeline(found).problems}


def shape(found: Notebook) -> list[tuple[str, str, tuple[str, ...]]]:
    """Return the components: name, source, edges by the names of what they come from."""
    pipeline = read_pipeline(found)
    names = {component.id: component.name for component in pipeline.components}
    return sorted(
        (component.name, component.source, tuple(sorted(names.get(id, id) for id in component.after)))
        for component in pipeline.components
        if not component.proposed
    )


@settings(max_examples=60, deadline=None)
@given(three())
def test_merging_with_the_base_gives_the_other_side(versions: tuple[Notebook, Notebook, Notebook]) -> None:
    base, ours, _ = versions
    for merged in (
        merge_notebooks(base, base, ours),
        merge_notebooks(base, ours, base),
        merge_notebooks(base, ours, ours),
    ):
        assert merged == Merged(notebook=ours)


@settings(max_examples=100, deadline=None)
@given(three())
def test_what_only_one_side_did_is_there_without_a_shortcut(versions: tuple[Notebook, Notebook, Notebook]) -> None:
    base, ours, _ = versions
    theirs = msgspec.structs.replace(base, metadata={"theirs": 1})
    for merged in (merge_notebooks(base, ours, theirs), merge_notebooks(base, theirs, ours)):
        assert merged == Merged(notebook=msgspec.structs.replace(ours, metadata={"theirs": 1}))


@settings(max_examples=200, deadline=None)
@given(three())
def test_the_sides_may_be_swapped(versions: tuple[Notebook, Notebook, Notebook]) -> None:
    base, ours, theirs = versions
    there, back = merge_notebooks(base, ours, theirs), merge_notebooks(base, theirs, ours)
    assert there.is_clean == back.is_clean
    if there.is_clean:  # else the pipeline is that of ours for now, with what follows from it
        if [cell.id for cell in there.notebook.cells] == [cell.id for cell in back.notebook.cells]:
            assert there.warnings == back.warnings
        assert shape(there.notebook) == shape(back.notebook)


@settings(max_examples=300, deadline=None)
@given(three())
def test_what_was_sound_on_both_sides_is_sound_merged_and_decided(
    versions: tuple[Notebook, Notebook, Notebook],
) -> None:
    merged = merge_notebooks(*versions)
    found = merged.notebook
    assert write(read(write(found))) == write(found)
    assert has_open_conflicts(found) == bool(merged.conflicts)
    assert {group.id for group in find_groups(found)} == {conflict.id for conflict in merged.conflicts}
    ids = [cell.id for cell in found.cells if cell.id]
    assert len(ids) == len(set(ids))
    assert not unsound(found) - {"duplicate-name"}  # two variants of one cell are one component
    for choice in ("ours", "theirs"):
        decided = resolve(found, choice)  # type: ignore[arg-type]
        assert not find_groups(decided)
        assert not unsound(decided), choice


@settings(max_examples=200, deadline=None)
@given(three(ids=True))
def test_no_edge_and_no_name_that_a_side_gave_vanishes_unnamed(versions: tuple[Notebook, Notebook, Notebook]) -> None:
    base, ours, theirs = versions
    merged = merge_notebooks(base, ours, theirs)
    before, now = given_by(base), given_by(merged.notebook)
    said = json.dumps([msgspec.to_builtins(part) for part in (merged.conflicts, merged.dropped, merged.repairs)])
    for side, other in ((ours, theirs), (theirs, ours)):
        for what in given_by(side) - before - now:
            if not (ids(side) & set(what) - ids(merged.notebook) and ids(other) - ids(base)):  # else one of these is it
                assert json.dumps(what[1]) in said or f"'{what[1]}'" in said, what


def ids(found: Notebook) -> set[str]:
    return {str(cell.id) for cell in found.cells}


def given_by(found: Notebook) -> set[tuple[Any, ...]]:
    """Return what people said in a pipeline: names and edges, each with the cell."""
    components = read_pipeline(found).components
    names = {(component.id, component.name) for component in components if not component.proposed}
    return names | {(component.id, parent, "edge") for component in components for parent in component.after}
