"""What a comparison tells: nothing of what is equal, everything that changed, noise by its name."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given

from nbcellar.diff.document.changes import CellChange, NotebookChange, StateChange
from nbcellar.diff.document.compare import compare_notebooks
from nbcellar.diff.document.filters import Filters
from nbcellar.diff.document.patching import patch_notebook
from nbcellar.diff.model import TextChange
from nbcellar.notebook import Notebook

from ....strategies.notebooks import Edited, edited, notebooks, parse

NO_TRANSIENT = Filters(transient=False, ids=False)


def code(source: str, **more: Any) -> dict[str, Any]:
    return {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": source, **more}


def markdown(source: str, **more: Any) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": source, **more}


def stream(text: Any, name: str = "stdout") -> dict[str, Any]:
    return {"output_type": "stream", "name": name, "text": text}


def shown(**data: Any) -> dict[str, Any]:
    named = {key.replace("__", "/"): value for key, value in data.items()}
    return {"output_type": "display_data", "data": named, "metadata": {}}


def notebook(*cells: dict[str, Any], minor: int = 5, **metadata: Any) -> Notebook:
    return parse({"cells": list(cells), "metadata": metadata, "nbformat": 4, "nbformat_minor": minor})


def changes(a: Notebook, b: Notebook, **off: bool) -> NotebookChange:
    return compare_notebooks(a, b, Filters(**off)).changes


def one_cell(old: dict[str, Any], new: dict[str, Any], **off: bool) -> CellChange:
    (cell,) = changes(notebook(old), notebook(new), **off).cells
    return cell


@given(notebooks)
def test_a_notebook_does_not_differ_from_itself(a: Notebook) -> None:
    diff = compare_notebooks(a, msgspec.structs.replace(a))
    assert not diff
    assert diff.changes.summary == ""
    assert (diff.changes.cells, diff.changes.noise, diff.changes.only_noise) == ([], [], False)


@given(edited())
def test_whatever_changed_is_told(pair: Edited) -> None:
    diff = compare_notebooks(pair.before, pair.after)
    assert bool(diff) == bool(diff.changes.summary)
    told = msgspec.json.decode(msgspec.json.encode(diff.changes), type=NotebookChange)
    assert told == diff.changes


@given(notebooks, notebooks)
def test_each_cell_is_told_once_at_most_and_the_order_is_that_of_the_second_notebook(a: Notebook, b: Notebook) -> None:
    cells = compare_notebooks(a, b).changes.cells
    before = [place for cell in cells for place in cell.before]
    after = [place for cell in cells for place in cell.after]
    assert len(before) == len(set(before))
    assert after == sorted(set(after))
    assert bool(compare_notebooks(a, b)) == bool(compare_notebooks(a, b).changes.summary)


@given(edited())
def test_with_everything_off_only_cells_that_came_went_or_moved_are_told(pair: Edited) -> None:
    off = Filters(sources=False, outputs=False, metadata=False, attachments=False, ids=False, transient=False)
    for cell in compare_notebooks(pair.before, pair.after, off).changes.cells:
        shapes = len(cell.before) != 1 or len(cell.after) != 1 or cell.moved or cell.type_before
        assert shapes or cell.metadata or cell.only_noise  # keys that nbformat does not know are always told
        assert cell.source is None
        assert (cell.outputs, cell.attachments, cell.states) == ([], [], [])


def test_only_execution_order_and_run_time() -> None:
    a = notebook(code("f()", execution_count=1, metadata={"execution": {"iopub.status.busy": "2024"}}))
    b = notebook(code("f()", execution_count=9, metadata={"execution": {"iopub.status.busy": "2025"}}))
    found = changes(a, b)
    assert found.only_noise
    assert found.summary == "only execution order and run time changed"
    assert (found.cells[0].count_before, found.cells[0].count_after) == (1, 9)
    assert not compare_notebooks(a, b, NO_TRANSIENT)


@pytest.mark.parametrize(
    ("old", "new", "summary"),
    [
        (shown(text__plain="<A at 0x7f00aa112233>"), shown(text__plain="<A at 0x7f00bb112233>"), "memory addresses"),
        (stream("a\nb\n"), stream(["a\n", "b\n"]), ""),
        (
            {"output_type": "error", "ename": "E", "evalue": "", "traceback": ["<A at 0x7f00aa112233>"]},
            {"output_type": "error", "ename": "E", "evalue": "", "traceback": ["<A at 0x7f00aa112244>"]},
            "memory addresses",
        ),
        (
            shown(text__html='<div id="0b8b1e0e-5e0f-4c1e-9a5c-0123456789ab">'),
            shown(text__html='<div id="0b8b1e0e-5e0f-4c1e-9a5c-0123456789ac">'),
            "ids",
        ),
        (
            shown(**{"application__vnd.jupyter.widget-view+json": {"model_id": "a", "version_major": 2}}),
            shown(**{"application__vnd.jupyter.widget-view+json": {"model_id": "b", "version_major": 2}}),
            "widget state",
        ),
    ],
)
def test_noise_of_outputs_has_a_name(old: dict[str, Any], new: dict[str, Any], summary: str) -> None:
    a, b = notebook(code("f()", outputs=[old])), notebook(code("f()", outputs=[new]))
    assert changes(a, b).summary == (f"only {summary} changed" if summary else "")
    assert not compare_notebooks(a, b, NO_TRANSIENT)


def test_an_address_in_a_source_or_a_number_in_an_output_is_no_noise() -> None:
    assert not one_cell(code("x = 0x7f00aa112233"), code("x = 0x7f00aa112244")).only_noise
    old, new = (code("f()", outputs=[shown(text__plain=text)]) for text in ("0x7f00aa112233 1", "0x7f00aa112244 2"))
    assert not one_cell(old, new).only_noise


def test_a_stream_in_other_pieces_is_noise() -> None:
    old, new = (code("f()", outputs=outputs) for outputs in ([stream("a\nb\n")], [stream("a\n"), stream("b\n")]))
    assert changes(notebook(old), notebook(new)).summary == "only pieces of streams changed"


def test_ids_made_anew_are_a_line_and_no_change_of_cells() -> None:
    a, b = (notebook(*(code(f"x = {n}", id=f"{kind}{n}") for n in range(9))) for kind in "ab")
    found = changes(a, b)
    assert (found.cells, found.ids_changed, found.ids_of) == ([], 9, 9)
    assert found.summary == "only ids changed"
    assert not compare_notebooks(a, b, Filters(ids=False))


def test_kernel_format_and_widgets_are_named() -> None:
    widgets = {"application/vnd.jupyter.widget-state+json": {"state": {"a": {}}}}
    python = {"display_name": "Python 3", "language": "python", "name": "python3"}
    a = notebook(minor=4, kernelspec=python, language_info={"name": "python", "version": "3.10"})
    b = notebook(
        kernelspec={**python, "name": "venv"}, language_info={"name": "python", "version": "3.12"}, widgets=widgets
    )
    found = changes(a, b)
    assert found.states == [
        StateChange(name="kernel", before="Python 3 (python3)", after="Python 3 (venv)"),
        StateChange(name="language version", before="3.10", after="3.12"),
        StateChange(name="widgets", before="", after="state of 1 model"),
        StateChange(name="format", before="4.4", after="4.5"),
    ]
    assert found.summary == "only kernel metadata, widget state and format version changed"
    assert not compare_notebooks(a, b, NO_TRANSIENT)


def test_a_title_is_no_noise() -> None:
    found = changes(notebook(title="A"), notebook(title="B", authors=[{"name": "C"}]))
    assert found.states == [StateChange(name="title", before="A", after="B")]
    assert [(change.path, change.change) for change in found.metadata] == [("authors", "added")]
    assert found.summary == "notebook metadata changed"


def test_states_of_cells_are_told_by_name() -> None:
    old = code("f()", metadata={"tags": ["a", "b"], "collapsed": True, "slideshow": {"slide_type": "slide"}})
    new = code(
        "f()", metadata={"tags": ["b", "c"], "editable": False, "jupyter": {"source_hidden": True}, "x": {"y": 1}}
    )
    cell = one_cell(old, new)
    assert (cell.tags_added, cell.tags_removed) == (["c"], ["a"])
    assert cell.states == [
        StateChange(name="outputs collapsed", before="true", after=""),
        StateChange(name="source hidden", before="", after="true"),
        StateChange(name="editable", before="", after="false"),
        StateChange(name="slide", before="slide", after=""),
    ]
    assert [(change.path, change.before, change.after) for change in cell.metadata] == [("x", "", '{"y": 1}')]


def test_tags_in_another_order_are_a_change() -> None:
    cell = one_cell(code("f()", metadata={"tags": ["a", "b"]}), code("f()", metadata={"tags": ["b", "a"]}))
    assert cell.tags_reordered
    assert not cell.only_noise


def test_sources_are_compared_by_line_and_word() -> None:
    cell = one_cell(code("import os\nx = first(1)"), code("import os\nx = second(1)"))
    assert isinstance(cell.source, TextChange)
    gone, come = (line for line in cell.source.lines if line.mark in "+-")
    assert [gone.text[a:b] for a, b in gone.words] == ["first"]
    assert [come.text[a:b] for a, b in come.words] == ["second"]
    assert cell.source.code


def test_outputs_are_paired_and_their_order_is_compared() -> None:
    picture, text = shown(image__png="AAAA"), shown(text__plain="one")
    old = code("f()", outputs=[stream("1\n"), picture, text])
    new = code("f()", outputs=[stream("2\n"), text, picture, stream("bad\n", "stderr")])
    found = [
        (output.change, output.type, output.name, output.before, output.after) for output in one_cell(old, new).outputs
    ]
    assert found[0] == ("changed", "stream", "stdout", 0, 0)
    assert [kind for kind, *_ in found].count("moved") == 1
    assert found[-1] == ("added", "stream", "stderr", None, 3)


def test_a_change_of_one_mime_type_names_it_and_bytes_are_told_by_size() -> None:
    old, new = (code("f()", outputs=[shown(text__plain="one", image__png=png)]) for png in ("AAAA", "BBBBBBBB"))
    (part,) = one_cell(old, new).outputs[0].parts
    assert (part.mime, part.change) == ("image/png", "changed")
    assert part.detail is not None


def test_an_attachment_is_told_by_its_name() -> None:
    old, new = (
        markdown("![](attachment:a.png)", attachments={name: {"image/png": "AAAA"}}) for name in ("a.png", "b.png")
    )
    assert [(entry.name, entry.change) for entry in one_cell(old, new).attachments] == [
        ("a.png", "removed"),
        ("b.png", "added"),
    ]


def test_added_removed_moved_and_replaced_cells_stand_where_they_are_read() -> None:
    a = notebook(*(code(f"step_{n}(frame)", id=f"c{n}") for n in range(6)))
    b = notebook(
        code("step_0(frame)", id="c0"),
        code("import new", id="n"),
        code("step_2(frame)", id="c2"),
        code("raise SystemExit", id="c3"),
        code("step_5(frame)", id="c5"),
        code("step_4(frame)", id="c4"),
    )
    found = [(cell.change, cell.before, cell.after) for cell in changes(a, b).cells]
    assert found[:3] == [("added", [], [1]), ("removed", [1], []), ("replaced", [3], [3])] or found[:3] == [
        ("removed", [1], []),
        ("added", [], [1]),
        ("replaced", [3], [3]),
    ]
    assert [kind for kind, _, _ in found[3:]] == ["moved"]
    assert changes(a, b).summary == "1 cell changed, 1 added, 1 removed, 1 moved"


def test_an_empty_cell_that_moved_is_one_change() -> None:
    a = notebook(code(""), code("a = 1"), code("b = 2"), minor=4)
    b = notebook(code("a = 1"), code("b = 2"), code(""), minor=4)
    diff = compare_notebooks(a, b)
    assert diff.changes.summary == "1 cell moved"
    assert patch_notebook(a, diff.operations).cells == b.cells


def test_a_split_cell_is_one_change_with_all_its_parts() -> None:
    lines = [f"frame['{n}'] = compute({n})" for n in "abcdef"]
    a, b = (
        notebook(code("\n".join(lines))),
        notebook(code("\n".join(lines[:3])), code("\n".join([*lines[3:5], "new()"]))),
    )
    (cell,) = changes(a, b).cells
    assert (cell.change, cell.before, cell.after) == ("split", [0], [0, 1])
    assert cell.source is not None
    assert (cell.source.added, cell.source.removed) == (1, 1)
    (cell,) = changes(b, a).cells
    assert (cell.change, cell.before, cell.after) == ("joined", [0, 1], [0])


def test_another_type_of_cell_is_told() -> None:
    cell = one_cell(code("# A title of the notebook"), markdown("# A title of the notebook"))
    assert (cell.type_before, cell.type, cell.only_noise) == ("code", "markdown", False)


@pytest.mark.parametrize(
    ("part", "old", "new"),
    [
        ("sources", code("a = 1"), code("a = 2")),
        ("outputs", code("a", outputs=[stream("1")]), code("a", outputs=[stream("2")], execution_count=4)),
        ("metadata", code("a", metadata={"tags": ["b"]}), code("a", metadata={"collapsed": False})),
        ("attachments", markdown("a", attachments={"a": {}}), markdown("a")),
        ("ids", code("a", id="a"), code("a", id="b")),
    ],
)
def test_a_part_that_is_off_is_in_no_diff(part: str, old: dict[str, Any], new: dict[str, Any]) -> None:
    a, b = notebook(old), notebook(new)
    assert compare_notebooks(a, b)
    off = compare_notebooks(a, b, Filters(**{part: False}))
    assert (bool(off), off.operations, off.changes.summary) == (False, [], "")


def test_the_change_is_its_own_json() -> None:
    found = compare_notebooks(notebook(code("a = 1")), notebook(code("a = 2"), markdown("# B")))
    assert json.loads(json.dumps(found.to_json()))["summary"] == "1 cell changed, 1 added"
