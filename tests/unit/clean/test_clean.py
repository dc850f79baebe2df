"""Cleaning is idempotent, names what it leaves out, and touches no source, attachment or unknown output."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbcellar.clean import Cleaned, Rules, clean
from nbcellar.clean.texts import with_short_lines, without_addresses
from nbcellar.config.documents import Clean
from nbcellar.notebook import read, write
from nbcellar.notebook.codec import notebook_from_json
from nbcellar.notebook.model import cell_to_json
from nbcellar.notebook.validate import validate, validate_file

from ...strategies import allowed
from ...strategies.notebooks import documents

EXAMPLES = Path(__file__).parents[3] / "examples"


tags = st.lists(st.sampled_from(["x", "keep-output", "remove-output"]), max_size=1).map(tuple)
patterns = st.lists(
    st.sampled_from(["cell.metadata.mine", "metadata.*", "cell.metadata.jupyter.source_hidden", "cell.metadata.tags"]),
    max_size=2,
).map(tuple)
types = st.lists(st.sampled_from(["stream:stderr", "error", "display_data:text/html", "execute_result"]), max_size=2)
rules = st.builds(
    Clean,
    outputs=st.booleans(),
    execution_counts=st.booleans(),
    ids=st.sampled_from(["keep", "new"]),
    addresses=st.booleans(),
    widgets=st.booleans(),
    run_times=st.booleans(),
    view_states=st.booleans(),
    kernel=st.booleans(),
    metadata=st.sampled_from([Clean().metadata, ("cell.metadata.*",), ("metadata.kernelspec", "cell.metadata.tags")]),
    drop_metadata=patterns,
    keep_metadata=patterns,
    drop_output_types=types.map(tuple),
    keep_output_types=types.map(tuple),
    max_output_kb=st.sampled_from([0, 1]),
    max_line=st.sampled_from([0, 3, 30]),
    drop_cell_tags=tags,
    drop_empty_cells=st.booleans(),
    layout=st.sampled_from(["jupyter", "keep"]),
)
layouts = st.sampled_from([{"indent": 1}, {"indent": 4}, {}, {"indent": 1, "sort_keys": True}])


def notebook(*cells: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {"cells": list(cells), "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def code(source: str = "1", outputs: tuple[Any, ...] = (), name: str = "a", **metadata: Any) -> dict[str, Any]:
    head = {"cell_type": "code", "id": name, "metadata": metadata, "source": source}
    return {**head, "outputs": list(outputs), "execution_count": None}


def stream(text: Any, name: str = "stdout") -> dict[str, Any]:
    return {"output_type": "stream", "name": name, "text": text}


def shown(data: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"output_type": "display_data", "data": data, "metadata": {}, **more}


def cleaned(value: dict[str, Any], **given: Any) -> Cleaned:
    return clean(notebook_from_json(value), Rules(Clean(**given)))


def first(result: Cleaned) -> dict[str, Any]:
    return cell_to_json(result.notebook.cells[0])


def listed(result: Cleaned) -> list[str]:
    return [f"{each.kind}: {each.what} (cell {each.cell}, {each.count})" for each in result.left_out]


@settings(max_examples=100, deadline=None)
@given(allowed.notebooks(), rules, layouts)
def test_cleaning_twice_is_cleaning_once(value: dict[str, Any], given: Clean, layout: dict[str, Any]) -> None:
    once = clean(read(json.dumps(value, **layout).encode()), Rules(given))
    text = write(once.notebook)
    again = clean(read(text), Rules(given))
    assert again.left_out == ()
    assert write(again.notebook) == text
    assert validate_file(text) == ()


@settings(max_examples=100, deadline=None)
@given(documents, rules)
def test_so_it_is_for_notebooks_that_nbformat_does_not_allow(value: dict[str, Any], given: Clean) -> None:
    before = read(json.dumps(value).encode())
    once = clean(before, Rules(given))
    again = clean(read(write(once.notebook)), Rules(given))
    assert again.left_out == ()
    assert write(again.notebook) == write(once.notebook)
    if not given.drop_cell_tags and not given.drop_empty_cells:
        assert [cell.source for cell in once.notebook.cells] == [
            cell.source for cell in read(json.dumps(value).encode()).cells
        ]


@settings(max_examples=100, deadline=None)
@given(allowed.notebooks(), rules)
def test_sources_attachments_and_what_is_allowed_stay(value: dict[str, Any], given: Clean) -> None:
    before = notebook_from_json(value)
    result = clean(before, Rules(given))
    dropped = {each.cell for each in result.left_out if each.kind == "cell"}
    kept = [cell for number, cell in enumerate(before.cells, 1) if number not in dropped]
    assert [cell.source for cell in result.notebook.cells] == [cell.source for cell in kept]
    assert [set(cell.attachments or ()) for cell in result.notebook.cells] == [
        set(cell.attachments or ()) for cell in kept
    ]
    assert all((given.drop_empty_cells and not before.cells[number - 1].source.strip()) or
               set(before.cells[number - 1].tags) & set(given.drop_cell_tags) for number in dropped)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(allowed.notebooks(), rules)
def test_every_output_and_key_of_metadata_that_goes_is_listed(value: dict[str, Any], given: Clean) -> None:
    before = notebook_from_json(value)
    result = clean(before, Rules(given))
    dropped = {each.cell for each in result.left_out if each.kind == "cell"}
    kept = [(number, cell) for number, cell in enumerate(before.cells, 1) if number not in dropped]
    named = {(each.cell, each.what) for each in result.left_out}
    for (number, old), new in zip(kept, result.notebook.cells, strict=True):
        for key in old.metadata.keys() - new.metadata.keys():
            assert (number, f"cell.metadata.{key}") in named or any(
                cell == number and what.startswith(f"cell.metadata.{key}.") for cell, what in named
            )
        lost = len(old.outputs or ()) - len(new.outputs or ())
        assert lost == sum(each.count for each in result.left_out if each.cell == number and each.kind == "output") or (
            given.drop_output_types != ()
        )
    for key in before.metadata.keys() - result.notebook.metadata.keys():
        assert (0, f"metadata.{key}") in named


@pytest.mark.parametrize("path", sorted(EXAMPLES.rglob("*.ipynb")), ids=lambda path: path.name)
def test_the_notebooks_of_the_repository_lose_nothing_of_use(path: Path) -> None:
    before = read(path.read_bytes())
    result = clean(before, Rules(Clean()))
    assert [cell.source for cell in result.notebook.cells] == [cell.source for cell in before.cells]
    assert {each.kind for each in result.left_out} <= {"kernel", "execution count"}
    assert validate_file(write(result.notebook)) == ()


def test_what_people_set_by_hand_is_kept() -> None:
    metadata = {
        "tags": ["parameters"],
        "slideshow": {"slide_type": "slide"},
        "jupyter": {"source_hidden": True, "outputs_hidden": False},
        "editable": False,
        "deletable": False,
        "nbgrader": {"grade": True, "points": 3},
        "papermill": {"duration": 3.1, "status": "completed"},
    }
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    result = cleaned(
        notebook(
            code(**metadata),
            kernelspec=kernel,
            language_info={"name": "python", "version": "3.11.2"},
            papermill={"parameters": {"a": 1}, "start_time": "now"},
        )
    )
    del metadata["papermill"]
    assert first(result)["metadata"] == metadata
    assert result.notebook.metadata == {
        "kernelspec": {**kernel, "display_name": "python3"},
        "language_info": {"name": "python"},
        "papermill": {"parameters": {"a": 1}},
    }
    assert listed(result) == [
        "kernel: metadata.language_info.version (cell 0, 1)",
        "run time: metadata.papermill.start_time (cell 0, 1)",
        "kernel: metadata.kernelspec.display_name (cell 0, 1)",
        "run time: cell.metadata.papermill.duration (cell 1, 1)",
        "run time: cell.metadata.papermill.status (cell 1, 1)",
    ]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("<object at 0x7f3a1c>", "<object at 0x...>"),
        ("[<A at 0x7f3a1c>, <A at 0x7F3A1D>]", "[<A at 0x...>, <A at 0x...>]"),
        ("<bound method A.f of <A object at 0x7f3a1c>>", "<bound method A.f of <A object at 0x...>>"),
        ("<function f.<locals>.g at 0x7f3a1c>", "<function f.<locals>.g at 0x...>"),
        ('<code object f at 0x7f3a1c, file "<stdin>", line 1>', '<code object f at 0x..., file "<stdin>", line 1>'),
        ("&lt;A object at 0x7f3a1c&gt;", "&lt;A object at 0x...&gt;"),
        ("<A object at \x1b[1;36m0x7f3a1c\x1b[0m>", "<A object at \x1b[1;36m0x...\x1b[0m>"),
        ("<weakref at 0x7f3a1c; to 'A' at 0x7f3a1d>", "<weakref at 0x...; to 'A' at 0x...>"),
        ("crash at 0x401000", "crash at 0x401000"),
        ("jump at 0x401000, then -> 0x401001", "jump at 0x401000, then -> 0x401001"),
        ("mask 0x7f3a1c>", "mask 0x7f3a1c>"),
    ],
)
def test_addresses_of_objects_go_and_numbers_of_programs_stay(text: str, wanted: str) -> None:
    assert without_addresses(text)[0] == wanted
    assert without_addresses(wanted) == (wanted, 0)


def test_addresses_go_from_streams_results_and_tracebacks_but_not_from_images() -> None:
    text = "<A object at 0x7f3a1c>"
    error = {"output_type": "error", "ename": "E", "evalue": text, "traceback": [text, "line"]}
    svg = shown({"image/svg+xml": text, "text/html": [text + "\n", text], "application/json": {"x": text}})
    result = cleaned(notebook(code("x", (stream([text]), svg, error))))
    made = "<A object at 0x...>"
    assert first(result)["outputs"] == [
        {"name": "stdout", "output_type": "stream", "text": [made]},
        {
            "data": {"application/json": {"x": text}, "image/svg+xml": [text], "text/html": [made + "\n", made]},
            "metadata": {},
            "output_type": "display_data",
        },
        {"ename": "E", "evalue": made, "output_type": "error", "traceback": [made, "line"]},
    ]
    assert listed(result) == ["address: in text of outputs (cell 1, 5)"]


@pytest.mark.parametrize(
    "part", ["<", " at 0x123456,", " at 0x", "at 0x123456", "<a at 0x1234567, ", " at \x1b[0m", "x"]
)
def test_a_line_of_any_letters_is_searched_in_few_steps_for_each(part: str) -> None:
    """No time is measured: a search that took steps by the square of the length would not come back."""
    text = part * (2_000_000 // len(part))
    assert len(without_addresses(text)[0]) <= len(text)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({}, ["stdout", "stderr", "image/png", "ValueError"]),
        ({"outputs": False}, []),
        ({"outputs": False, "keep_output_types": ("error", "stream:stdout")}, ["stdout", "ValueError"]),
        ({"drop_output_types": ("stream:stderr", "error:ValueError")}, ["stdout", "image/png"]),
        ({"drop_output_types": ("display_data:image/png",)}, ["stdout", "stderr", "text/plain", "ValueError"]),
        ({"drop_output_types": ("display_data",)}, ["stdout", "stderr", "ValueError"]),
        ({"max_output_kb": 1}, ["stdout", "stderr", "ValueError"]),
    ],
)
def test_outputs_are_kept_and_dropped_by_type_and_size(given: dict[str, Any], kept: list[str]) -> None:
    picture = shown({"image/png": "A" * 2000, "text/plain": "<Figure>"})
    error = {"output_type": "error", "ename": "ValueError", "evalue": "", "traceback": []}
    result = cleaned(notebook(code("x", (stream("a"), stream("b", "stderr"), picture, error))), **given)
    names = [each.get("name") or each.get("ename") or min(each["data"]) for each in first(result)["outputs"]]
    assert names == kept


@pytest.mark.parametrize(
    ("metadata", "of_notebook", "count"),
    [
        ({"tags": ["keep-output"]}, {}, 1),
        ({"tags": ["keep_output"]}, {}, 1),
        ({"keep_output": True}, {}, 1),
        ({"init_cell": True}, {}, 1),
        ({}, {"keep_output": True}, 1),
        ({"tags": ["remove-output"]}, {"keep_output": True}, 0),
        ({"tags": ["x"]}, {}, 0),
    ],
)
def test_a_tag_decides_against_the_settings(metadata: dict[str, Any], of_notebook: dict[str, Any], count: int) -> None:
    result = cleaned(notebook(code("x", (stream("a"),), **metadata), **of_notebook), outputs=False)
    assert len(first(result)["outputs"]) == count


def test_a_tag_removes_outputs_where_outputs_are_kept() -> None:
    result = cleaned(notebook(code("x", (stream("a"),), tags=["remove_output"])))
    assert first(result)["outputs"] == []
    assert listed(result) == ["output: stream stdout (cell 1, 1)"]


def test_views_of_widgets_leave_their_text() -> None:
    view = {"application/vnd.jupyter.widget-view+json": {"model_id": "x"}}
    result = cleaned(
        notebook(code("x", (shown({**view, "text/plain": "a"}), shown(view))), widgets={"state": {}}),
    )
    assert [each["data"] for each in first(result)["outputs"]] == [{"text/plain": ["a"]}]
    assert "widgets" not in result.notebook.metadata
    assert listed(result) == [
        "widgets: metadata.widgets (cell 0, 1)",
        "widgets: display_data application/vnd.jupyter.widget-view+json (cell 1, 2)",
    ]


def test_an_output_of_an_unknown_type_is_kept_as_it_is() -> None:
    odd = {"output_type": "hologram", "text": "<A at 0x7f3a1c>", "execution_count": 3}
    result = cleaned(notebook(code("x", (odd,))))
    assert first(result)["outputs"] == [odd]
    assert result.left_out == ()


def test_cells_go_only_when_asked() -> None:
    cells = (code("  \n", name="a"), code("x", name="b", tags=["scratch"]), code("y", name="c"))
    assert len(cleaned(notebook(*cells)).notebook.cells) == 3
    result = cleaned(notebook(*cells), drop_empty_cells=True, drop_cell_tags=("scratch",))
    assert [cell.source for cell in result.notebook.cells] == ["y"]
    assert listed(result) == ["cell: code cell (cell 1, 1)", "cell: code cell (cell 2, 1)"]


def test_metadata_is_allowed_dropped_and_kept_by_place() -> None:
    value = notebook(code(mine=1, jupyter={"source_hidden": True, "x": 1}, execution={"a": "t", "b": "u"}), other=1)
    result = cleaned(value, metadata=("cell.metadata.*",), drop_metadata=("cell.metadata.jupyter.x",))
    assert (result.notebook.metadata, first(result)["metadata"]) == (
        {},
        {"jupyter": {"source_hidden": True}, "mine": 1},
    )
    result = cleaned(value, drop_metadata=("cell.metadata.*",), keep_metadata=("cell.metadata.execution.a",))
    assert first(result)["metadata"] == {"execution": {"a": "t"}}


def test_long_lines_are_cut_once() -> None:
    text, cut = with_short_lines("a\n" + "b" * 100 + "\nc", 40)
    assert (text, cut) == ("a\n" + "b" * 23 + "... (100 letters)\nc", 1)
    assert with_short_lines(text, 40) == (text, 0)


def test_blanks_behind_pictures_go() -> None:
    result = cleaned(notebook(code("x", (shown({"image/png": "AAAA\n", "image/svg+xml": "<svg/>\n"}),))))
    assert first(result)["outputs"][0]["data"] == {"image/png": "AAAA", "image/svg+xml": ["<svg/>\n"]}


def test_the_layout_becomes_jupyters_but_line_endings_stay() -> None:
    data = b'\xef\xbb\xbf{\r\n    "nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}\r\n\r\n'
    made = write(clean(read(data), Rules(Clean())).notebook)
    assert made == (
        b'\xef\xbb\xbf{\r\n "cells": [],\r\n "metadata": {},\r\n "nbformat": 4,\r\n "nbformat_minor": 5\r\n}\r\n'
    )
    assert write(clean(read(data), Rules(Clean(layout="keep"))).notebook) == data


def test_ids_made_anew_follow_from_the_cells() -> None:
    one = cleaned(notebook(code("a", name="p"), code("b", name="q"), code("a", name="r")), ids="new")
    two = cleaned(
        notebook(code("a", name="x"), code("c", name="n"), code("b", name="y"), code("a", name="z")), ids="new"
    )
    ids = [cell.id for cell in one.notebook.cells]
    assert len(set(ids)) == 3
    assert ids == [cell.id for cell in two.notebook.cells if cell.source != "c"]
    assert validate({**notebook(), "cells": [cell_to_json(cell) for cell in one.notebook.cells]}) == ()


@pytest.mark.parametrize(
    "given", [{"metadata": ()}, {"drop_metadata": ("cell.metadata.*",)}, {"drop_metadata": ("*",)}]
)
def test_marks_of_a_conflict_stay_whatever_is_allowed(given: dict[str, Any]) -> None:
    mark = {"id": "0123abcd", "role": "begin", "ours": {"metadata": {"execution": {}}}}
    value = notebook(code(cellar={"conflict": mark, "other": 1}, k=1))
    assert first(cleaned(value, **given))["metadata"] == {"cellar": {"conflict": mark}}
