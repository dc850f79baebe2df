"""Laws of merging, for any edits of any notebook: the base changes nothing, sides may be swapped, nothing vanishes."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import msgspec
import nbformat
from hypothesis import given, settings
from hypothesis import strategies as st

from nbcellar.ids import CellId
from nbcellar.merge.marks import MARKERS, find_groups, has_open_conflicts, mark_of
from nbcellar.merge.model import Merged, MergeSettings
from nbcellar.merge.notebooks import merge_notebooks
from nbcellar.merge.resolving import resolve
from nbcellar.notebook.codec import read, write
from nbcellar.notebook.model import Cell, Notebook

LINES = (
    "x = 1",
    "y = 2",
    "",
    "print(x)",
    "import os",
    "df.head()",
    "z = x + y",
    "plot(df)",
    "for i in range(3):",
    "# done",
)
VALUES = st.sampled_from([1, 1.0, True, None, "a", [1], {"b": 2}])


@st.composite
def outputs(draw: st.DrawFn) -> tuple[dict[str, Any], ...]:
    texts = draw(st.lists(st.sampled_from(["1\n", "2\n", "3\n"]), max_size=2))
    return tuple({"name": "stdout", "output_type": "stream", "text": [text]} for text in texts)


@st.composite
def metadata(draw: st.DrawFn) -> dict[str, Any]:
    held: dict[str, Any] = draw(st.dictionaries(st.sampled_from(["a", "b", "collapsed"]), VALUES, max_size=2))
    if isinstance(held.get("collapsed", True), bool) is False:
        del held["collapsed"]
    if draw(st.booleans()):
        held["tags"] = draw(st.lists(st.sampled_from(["p", "q", "r"]), unique=True, max_size=2))
    return held


@st.composite
def cells(draw: st.DrawFn, taken: set[str] | None = None) -> Cell:
    source = "\n".join(draw(st.lists(st.sampled_from(LINES), max_size=5)))
    id_ = CellId(draw(st.text("abcdefgh", min_size=6, max_size=6)))
    if draw(st.booleans()):
        return Cell(type="markdown", source=source, id=id_, metadata=draw(metadata()))
    count = draw(st.none() | st.integers(1, 9))
    return Cell(
        type="code", source=source, id=id_, metadata=draw(metadata()), outputs=draw(outputs()), execution_count=count
    )


@st.composite
def notebooks(draw: st.DrawFn) -> Notebook:
    found = draw(st.lists(cells(), max_size=6, unique_by=lambda cell: cell.id))
    minor = draw(st.sampled_from([4, 5]))
    if minor == 4:
        found = [msgspec.structs.replace(cell, id=CellId("")) for cell in found]
    held = draw(st.dictionaries(st.sampled_from(["title", "k"]), VALUES, max_size=2))
    held = {key: value for key, value in held.items() if key != "title" or isinstance(value, str)}
    return Notebook(cells=tuple(found), metadata=held, nbformat_minor=minor)


@st.composite
def edits(draw: st.DrawFn, base: Notebook) -> Notebook:
    """Return the notebook after some edits: of text, outputs, metadata, order, ids."""
    held = list(base.cells)
    for kind in draw(st.lists(st.sampled_from("insert delete move line run metadata notebook".split()), max_size=5)):
        place = draw(st.integers(0, max(len(held) - 1, 0)))
        if kind == "insert":
            cell = draw(cells())
            ids = {other.id for other in held}
            if base.nbformat_minor == 4 or cell.id in ids:
                cell = msgspec.structs.replace(cell, id=CellId("" if base.nbformat_minor == 4 else f"new{len(ids)}x"))
            held.insert(place, cell)
        elif kind == "notebook":
            base = msgspec.structs.replace(base, metadata={**base.metadata, "k": draw(VALUES)})
        elif not held:
            continue
        elif kind == "delete":
            del held[place]
        elif kind == "move":
            held.insert(draw(st.integers(0, len(held) - 1)), held.pop(place))
        else:
            held[place] = draw(edited(held[place], kind))
    return msgspec.structs.replace(base, cells=tuple(held))


@st.composite
def edited(draw: st.DrawFn, cell: Cell, kind: str) -> Cell:
    if kind == "metadata":
        return msgspec.structs.replace(cell, metadata=draw(metadata()))
    if kind == "run":
        if cell.type != "code":
            return cell
        return msgspec.structs.replace(cell, outputs=draw(outputs()), execution_count=draw(st.integers(1, 99)))
    lines = cell.source.split("\n")
    place = draw(st.integers(0, len(lines)))
    lines[place : place + draw(st.integers(0, 1))] = draw(st.lists(st.sampled_from(LINES), max_size=2))
    return msgspec.structs.replace(cell, source="\n".join(lines))


@st.composite
def three(draw: st.DrawFn) -> tuple[Notebook, Notebook, Notebook]:
    base = draw(notebooks())
    ours, theirs = draw(edits(base)), draw(edits(base))
    if draw(st.booleans()):
        theirs = draw(edits(ours))  # so that both sides have much in common
    return base, ours, theirs


def lines_of(*sides: Notebook) -> Counter[str]:
    return Counter(line for side in sides for cell in side.cells for line in cell.source.split("\n"))


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


@settings(max_examples=60, deadline=None)
@given(three())
def test_what_only_one_side_did_is_there_without_a_shortcut(versions: tuple[Notebook, Notebook, Notebook]) -> None:
    """Merging with a side that changed nothing but the notebook's metadata takes the long way, and adds just that."""
    base, ours, _ = versions
    theirs = msgspec.structs.replace(base, metadata={**base.metadata, "theirs": 1})
    for merged in (merge_notebooks(base, ours, theirs), merge_notebooks(base, theirs, ours)):
        assert merged.is_clean
        assert not merged.dropped
        assert merged.notebook == msgspec.structs.replace(ours, metadata={**ours.metadata, "theirs": 1})


@settings(max_examples=100, deadline=None)
@given(three())
def test_the_result_is_valid_and_opens(versions: tuple[Notebook, Notebook, Notebook]) -> None:
    merged = merge_notebooks(*versions)
    text = write(merged.notebook)
    assert write(read(text)) == text
    nbformat.validate(nbformat.from_dict(json.loads(text)), relax_add_props=False)
    if merged.notebook.nbformat_minor >= 5:
        assert len({cell.id for cell in merged.notebook.cells}) == len(merged.notebook.cells)
    assert has_open_conflicts(merged.notebook) == bool(merged.conflicts)
    assert {group.id for group in find_groups(merged.notebook)} == {conflict.id for conflict in merged.conflicts}


@settings(max_examples=100, deadline=None)
@given(three())
def test_no_line_that_a_side_wrote_vanishes(versions: tuple[Notebook, Notebook, Notebook]) -> None:
    """A line that a side has more often than the base is in the outcome as often as in one of the sides at least."""
    base, ours, theirs = versions
    merged = merge_notebooks(base, ours, theirs).notebook
    found = lines_of(merged)
    before = lines_of(base)
    for side in (ours, theirs):
        for line, count in lines_of(side).items():
            if count > before[line] and not before[line]:
                assert found[line] > 0, line


@settings(max_examples=100, deadline=None)
@given(three())
def test_no_output_that_a_side_made_vanishes_unnamed(versions: tuple[Notebook, Notebook, Notebook]) -> None:
    base, ours, theirs = versions
    merged = merge_notebooks(base, ours, theirs)
    held = {json.dumps(cell.outputs) for cell in merged.notebook.cells}
    named = {json.dumps(entry.value) for entry in merged.dropped}
    before = {json.dumps(cell.outputs) for cell in base.cells}
    for side, other in ((ours, theirs), (theirs, ours)):
        kept = {json.dumps(cell.outputs) for cell in other.cells}
        for cell in side.cells:
            text = json.dumps(cell.outputs)
            if cell.outputs and text not in before and text not in kept:
                assert text in held | named


@settings(max_examples=80, deadline=None)
@given(three())
def test_the_sides_may_be_swapped(versions: tuple[Notebook, Notebook, Notebook]) -> None:
    base, ours, theirs = versions
    there, back = merge_notebooks(base, ours, theirs), merge_notebooks(base, theirs, ours)
    assert len(there.conflicts) == len(back.conflicts)
    assert Counter(plain(there.notebook)) == Counter(plain(back.notebook))


def plain(notebook: Notebook) -> list[str]:
    return [f"{cell.type} {cell.source}" for cell in notebook.cells if (mark_of(cell) or {}).get("role") not in MARKERS]


@settings(max_examples=60, deadline=None)
@given(three())
def test_conflicts_can_be_decided(versions: tuple[Notebook, Notebook, Notebook]) -> None:
    base, ours, theirs = versions
    merged = merge_notebooks(base, ours, theirs)
    for choice in ("ours", "theirs"):
        decided = resolve(merged.notebook, choice)
        assert not find_groups(decided)
        direct = merge_notebooks(base, ours, theirs, settings=MergeSettings(conflicts=choice))
        assert [(cell.type, cell.source) for cell in decided.cells] == [
            (cell.type, cell.source) for cell in direct.notebook.cells
        ]
