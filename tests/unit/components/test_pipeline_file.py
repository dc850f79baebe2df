"""A pipeline file: what is exported comes back, what is there already stays, what is wrong is refused whole."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nbcellar.components import editing
from nbcellar.components.exporting import export_pipeline
from nbcellar.components.importing import import_pipeline
from nbcellar.components.model import Pipeline
from nbcellar.components.pipeline_file import PipelineFile, read_file, write_file
from nbcellar.components.reading import has_pipeline, read_pipeline
from nbcellar.errors import AlreadyExistsError, InvalidInputError, UnsupportedFormatError
from nbcellar.notebook.model import Notebook
from nbcellar.notebook.plain import from_plain, to_plain
from nbcellar.notebook.validate import validate

from ...strategies.pipelines import later, pipelines

SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "schemas" / "pipeline-file.json").read_text("utf-8"))


def told(pipeline: Pipeline) -> Any:
    """Return all that a pipeline says; declared parents of a component are a set."""
    return (
        [(c.id, c.name, c.source, c.policy, set(c.after), c.uses) for c in pipeline.components],
        pipeline.edges,
        pipeline.parameters,
        pipeline.order,
    )


def copied(file: PipelineFile) -> PipelineFile:
    return read_file(write_file(file), "P.json")


@given(pipelines())
def test_an_exported_pipeline_comes_back_into_a_new_notebook(notebook: Notebook) -> None:
    assume(has_pipeline(notebook))
    file = export_pipeline(notebook)
    jsonschema.validate(json.loads(write_file(file)), SCHEMA)
    made = import_pipeline(copied(file)).notebook
    assert told(read_pipeline(made)) == told(read_pipeline(notebook))
    assert [(c.id, c.type, c.source, c.tags) for c in made.cells] == [
        (c.id, c.type, c.source, c.tags) for c in notebook.cells
    ]
    assert validate(to_plain(made)) == ()
    assert write_file(export_pipeline(made)) == write_file(file)


@given(pipelines(named=False))
def test_a_plain_notebook_is_exported_as_what_init_makes_of_it(notebook: Notebook) -> None:
    assume(read_pipeline(notebook).components)
    assert write_file(export_pipeline(notebook)) == write_file(export_pipeline(editing.init(notebook)))


@given(pipelines())
def test_importing_into_the_same_notebook_changes_nothing(notebook: Notebook) -> None:
    assume(has_pipeline(notebook))
    found = import_pipeline(copied(export_pipeline(notebook)), notebook)
    assert (found.added, found.replaced) == ((), ())
    assert to_plain(found.notebook) == to_plain(notebook)


@given(pipelines(), st.data())
def test_a_part_that_was_taken_away_comes_back_to_its_place(notebook: Notebook, data: st.DataObject) -> None:
    assume(has_pipeline(notebook))
    components = read_pipeline(notebook).components
    gone = data.draw(st.sampled_from(components))
    without = msgspec.structs.replace(notebook, cells=tuple(c for c in notebook.cells if c.id != gone.id))
    for other in components:
        if gone.id in other.after:
            without = editing.disconnect(without, gone.id, other.id)
    made = import_pipeline(copied(export_pipeline(notebook, [gone.id])), without, replace=True).notebook
    assert [cell.id for cell in made.cells] == [cell.id for cell in notebook.cells]
    assert {c.id for c in read_pipeline(made).components} == {c.id for c in components}


def test_a_part_finds_its_place_without_its_neighbours_in_the_file() -> None:
    without = msgspec.structs.replace(BASE, cells=tuple(cell for cell in BASE.cells if cell.id != "grow-id"))
    file = export_pipeline(BASE, ["grow"])
    assert told(read_pipeline(import_pipeline(file, without).notebook)) == told(read_pipeline(BASE))
    members = json.loads(write_file(file))
    members["notebook"]["order"] = ["grow-id", "nowhere", 3]
    with pytest.raises(InvalidInputError, match="order"):
        read_file(json.dumps(members).encode(), "P.json")
    members["notebook"]["order"] = ["grow-id", "nowhere"]  # is no order of these cells
    made = import_pipeline(read_file(json.dumps(members).encode(), "P.json"), without).notebook
    assert {cell.id for cell in made.cells} == {cell.id for cell in BASE.cells}


@given(pipelines(), later, later, later)
def test_fields_of_a_later_version_are_kept(
    notebook: Notebook, on_file: dict[str, Any], on_cell: dict[str, Any], on_edge: dict[str, Any]
) -> None:
    assume(has_pipeline(notebook))
    members = json.loads(write_file(export_pipeline(notebook)))
    members |= on_file
    members["cells"][0] |= on_cell
    for entry in (*members["edges"], *members["parameters"]):
        entry |= on_edge
    made = import_pipeline(read_file(json.dumps(members).encode(), "P.json")).notebook
    assert json.loads(write_file(export_pipeline(made))) == members
    assert import_pipeline(read_file(json.dumps(members).encode(), "P.json"), made).replaced == ()


# examples ---------------------------------------------------------------------------------------------------------


def notebook(*cells: tuple[str, str], **metadata: Any) -> Notebook:
    """Return a notebook of components `name: source`; a name that begins with # is a Markdown cell."""
    made: list[dict[str, Any]] = []
    for name, source in cells:
        if name.startswith("#"):
            made.append({"cell_type": "markdown", "id": name[1:], "metadata": {}, "source": source})
        else:
            own = {"tags": ["parameters"]} if name == "setup" else {"cellar": {"component": {"name": name}}}
            made.append(
                {"cell_type": "code", "id": f"{name}-id", "metadata": own, "source": source}
                | {"outputs": [], "execution_count": None}
            )
    return from_plain({"cells": made, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})


BASE = notebook(
    ("#title", "# Prices"),
    ("setup", "scale = 3\nkind = 'line'"),
    ("#loading", "## Loading"),
    ("load", "prices = [1, 2]"),
    ("helper", "def grown(x):\n    return x * scale"),
    ("#growing", "## Growing"),
    ("grow", "prices = [grown(each) for each in prices]"),
    ("report", "print(prices)"),
    cellar={"parameters": {"title": "a", "limit": 2}},
)


def test_a_part_brings_its_markdown_its_parameters_and_says_what_it_needs() -> None:
    document = export_pipeline(BASE, ["grow", "helper"]).document
    assert [cell.id for cell in document.cells] == ["title", "setup-id", "helper-id", "growing", "grow-id"]
    assert [component.name for component in document.components] == ["helper", "grow"]
    assert [(parameter.name, parameter.cell) for parameter in document.parameters] == [("scale", "setup-id")]
    assert [(need.parent, need.child, need.names) for need in document.needs] == [("load-id", "grow-id", ["prices"])]


def test_nothing_but_ids_refers_to_cells() -> None:
    renamed = editing.rename(BASE, "load", "read")
    one, other = (json.loads(write_file(export_pipeline(each))) for each in (BASE, renamed))
    assert [(a, b) for a, b in zip(one["components"], other["components"], strict=True) if a != b] == [
        ({"id": "load-id", "name": "load"}, {"id": "load-id", "name": "read"})
    ]
    del one["components"], other["components"]
    assert one == other


def test_new_cells_go_among_their_neighbours_and_what_differs_is_named() -> None:
    mine = notebook(("#title", "# Prices"), ("load", "prices = [5]"), ("mine", "m = 1"), ("report", "print(prices)"))
    file = export_pipeline(BASE)
    with pytest.raises(AlreadyExistsError, match=r"differs: 'load' \(cell 2\) \(source\)") as refused:
        import_pipeline(file, mine)
    assert "--replace" in refused.value.hint
    found = import_pipeline(file, mine, replace=True)
    assert [cell.id for cell in found.notebook.cells] == [
        *("title", "setup-id", "loading", "load-id", "helper-id", "growing", "grow-id", "mine-id", "report-id")
    ]
    assert (found.replaced, found.same) == (("load-id",), ("title", "report-id"))
    assert found.notebook.metadata["cellar"]["parameters"] == {"title": "a", "limit": 2}


def test_outputs_stay_with_the_source_that_made_them() -> None:
    plain = to_plain(BASE)
    for cell in plain["cells"]:
        if cell["cell_type"] == "code":
            cell |= {"outputs": [{"output_type": "stream", "name": "stdout", "text": "x"}], "execution_count": 4}
    mine = from_plain(plain)
    changed = editing.rename(from_plain(to_plain(BASE)), "grow", "enlarge")
    members = json.loads(write_file(export_pipeline(changed)))
    members["cells"][3]["source"] = ["prices = []"]
    found = import_pipeline(read_file(json.dumps(members).encode(), "P.json"), mine, replace=True)
    assert found.replaced == ("load-id", "grow-id")
    by_id = {cell.id: cell for cell in found.notebook.cells}
    assert (by_id["load-id"].outputs, by_id["load-id"].execution_count) == ((), None)
    assert by_id["grow-id"].outputs == mine.cells[6].outputs
    assert by_id["report-id"] == mine.cells[7]


def test_another_order_of_components_is_a_difference() -> None:
    one = notebook(("a", "x = 1"), ("b", "x = 2"), ("c", "print(x)"))
    other = notebook(("b", "x = 2"), ("a", "x = 1"), ("c", "print(x)"))
    with pytest.raises(AlreadyExistsError, match="the order of the components"):
        import_pipeline(export_pipeline(one), other)
    made = import_pipeline(export_pipeline(one), other, replace=True).notebook
    assert read_pipeline(made) == read_pipeline(one)


def test_a_parameter_with_another_value_is_a_difference() -> None:
    mine = msgspec.structs.replace(BASE, metadata={"cellar": {"parameters": {"limit": 2.0}}})
    with pytest.raises(AlreadyExistsError, match="the parameter limit"):
        import_pipeline(export_pipeline(BASE), mine)
    assert import_pipeline(export_pipeline(BASE), mine, replace=True).notebook.metadata["cellar"]["parameters"] == {
        "limit": 2,
        "title": "a",
    }


def test_a_declared_edge_from_outside_is_drawn_where_its_parent_is() -> None:
    drawn = editing.connect(BASE, "helper", "report")
    file = export_pipeline(drawn, ["report"])
    alone = import_pipeline(file)
    assert [(need.parent, need.child) for need in alone.left_out] == [("helper-id", "report-id")]
    assert read_pipeline(alone.notebook).errors == ()
    rest = export_pipeline(drawn, ["helper", "load", "grow"])
    assert read_pipeline(import_pipeline(file, import_pipeline(rest).notebook).notebook).component(
        drawn.cells[7].id
    ).after == ("helper-id",)


def test_a_notebook_without_ids_gets_some_that_are_always_the_same() -> None:
    plain = to_plain(BASE) | {"nbformat_minor": 4}
    for cell in plain["cells"]:
        del cell["id"]
    old = from_plain(plain)
    file = export_pipeline(old)
    found = import_pipeline(file, old)
    assert found.gave_ids and found.added == () and found.replaced == ()
    assert found.notebook.nbformat_minor == 5
    assert validate(to_plain(found.notebook)) == ()


def test_a_file_says_nothing_about_trust() -> None:
    members = json.loads(write_file(export_pipeline(BASE)))
    members["cells"][0]["metadata"] = {"trusted": True, "kept": 1}
    made = import_pipeline(read_file(json.dumps(members).encode(), "P.json")).notebook
    assert made.cells[0].metadata == {"kept": 1}


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        (lambda m: editing.connect(m, "report", "load"), ""),
        (lambda m: _said(m, 7, name="load"), "the same name"),
        (lambda m: _said(m, 7, name=""), "name is text"),
        (lambda m: _said(m, 7, name="report", after=["nowhere"]), "no component: nowhere"),
        (lambda m: _said(m, 3, name="load", after=["load-id"]), "wait for each other"),
        (lambda m: _said(m, 7, name="report", retries="two"), "retries"),
    ],
)
def test_a_pipeline_that_has_no_order_or_cannot_be_told_is_not_exported(
    edit: Callable[[Notebook], Notebook], problem: str
) -> None:
    made = edit(BASE)
    if not problem:
        assert export_pipeline(made).document.components
        return
    with pytest.raises(InvalidInputError, match=problem):
        export_pipeline(made)


def _said(notebook: Notebook, place: int, **component: Any) -> Notebook:
    cells = list(notebook.cells)
    cells[place] = msgspec.structs.replace(cells[place], metadata={"cellar": {"component": component}})
    return msgspec.structs.replace(notebook, cells=tuple(cells))


def test_a_number_that_json_has_not_is_refused() -> None:
    made = msgspec.structs.replace(BASE, metadata={"x": float("nan")})
    with pytest.raises(InvalidInputError, match="JSON"):
        write_file(export_pipeline(made))


def test_an_undecided_conflict_is_not_exported() -> None:
    cells = list(BASE.cells)
    cells[0] = msgspec.structs.replace(cells[0], metadata={"cellar": {"conflict": {"id": 1}}})
    with pytest.raises(InvalidInputError, match="cell 1 belongs to a conflict"):
        export_pipeline(msgspec.structs.replace(BASE, cells=tuple(cells)))


def _set(*path: Any, **fields: Any) -> Callable[[dict[str, Any]], None]:
    def edit(members: dict[str, Any]) -> None:
        at: Any = members
        for step in path:
            at = at[step]
        at.update(fields)

    return edit


def _drawn(parent: str, child: str) -> dict[str, Any]:
    return {"parent": parent, "child": child, "provenance": ["declared"]}


WRONG: list[tuple[Callable[[dict[str, Any]], Any], str]] = [
    (_set(schema="https://example.org/other"), "its schema is 'https://example.org/other'"),
    (_set(schema=None), "names no schema"),
    (_set(min_reader="1"), "which reader it needs"),
    (lambda m: m.pop("cells"), "cells"),
    (lambda m: m["cells"].pop(3), "'load' has no cell: 'load-id'"),
    (_set("cells", 3, type="markdown"), "'load' is a cell of markdown"),
    (_set("cells", 3, type="heading"), "type"),
    (_set("cells", 3, id="title"), "two cells have the id 'title'"),
    (_set("cells", 0, id="no id!"), "'no id!' is no id"),
    (_set("cells", 0, source="text"), "source"),
    (_set("cells", 0, metadata=[]), "metadata"),
    (_set("cells", 0, metadata={"tags": [1]}), r"cells\[0\].metadata.tags\[0\]"),
    (_set("cells", 0, attachments={"a": 1}), "attachments"),
    (_set("cells", 3, metadata={"tags": ["parameters"]}), "'load-id' is a component and sets parameters"),
    (_set("cells", 3, metadata={"cellar": {"component": {}}}), "says itself what component it is"),
    (_set("components", 1, name="load"), "two components have the same name: 'load'"),
    (_set("components", 1, id="load-id"), "'load-id' is there twice"),
    (_set("components", 1, name="a\nb"), "one line"),
    (_set("components", 1, retries=-1), "retries"),
    (_set("components", 1, timeout_s="soon"), "timeout_s"),
    (lambda m: m["edges"].append(_drawn("load-id", "nowhere")), "'nowhere', which is no component"),
    (lambda m: m["edges"].append(_drawn("load-id", "load-id")), "wait for each other: load -> load"),
    (
        lambda m: m["edges"].extend([_drawn("grow-id", "load-id"), _drawn("load-id", "grow-id")]),
        "wait for each other: (load -> grow -> load|grow -> load -> grow)",
    ),
    (lambda m: m["needs"].append(_drawn("x", "nowhere")), "'needs' names 'nowhere'"),
    (_set("parameters", 0, value="a", type="integer"), """is of type 'integer', but its value is "a\""""),
    (_set("parameters", 0, value=True, type="number"), "is of type 'number', but its value is true"),
    (_set("parameters", 0, name="two words"), "'two words' can be no variable"),
    (_set("parameters", 1, name="title"), "two parameters have the same name: 'title'"),
    (_set("parameters", 0, cell="nowhere"), "is not among the cells: 'nowhere'"),
    (lambda m: m["parameters"][0].pop("value"), "'title' has no value"),
    (_set("parameters", 0, name="scale-"), "can be no variable"),
    (_set("notebook", metadata={"kernelspec": {}}), "kernelspec"),
    (_set(notebook={"metadata": {"cellar": {"parameters": 5}}}, parameters=[]), "no object of names"),
]


@pytest.mark.parametrize(("edit", "problem"), WRONG, ids=range(len(WRONG)))
def test_a_file_that_is_wrong_somewhere_is_refused_whole(edit: Callable[[dict[str, Any]], Any], problem: str) -> None:
    members = json.loads(write_file(export_pipeline(BASE)))
    edit(members)
    with pytest.raises(InvalidInputError, match=problem):
        file = read_file(json.dumps(members).encode(), "P.json")
        import_pipeline(file)
        import_pipeline(file, BASE, replace=True)


def test_a_file_for_later_readers_says_to_upgrade() -> None:
    members = {"schema": "urn:nbcellar:pipeline", "version": "7.1", "min_reader": 7, "cells": "of another form"}
    with pytest.raises(UnsupportedFormatError, match=r"version 7\.1, for readers 7") as refused:
        read_file(json.dumps(members).encode(), "P.json")
    assert "upgrade" in refused.value.hint


@pytest.mark.parametrize("data", [b"", b"nothing", b"[]", b"\xff", b'{"schema": 1e999}', b"[" * 100_000, b'{"a": NaN}'])
def test_what_is_no_json_or_something_else_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInputError, match=r"P\.json: (no )?JSON"):
        read_file(data, "P.json")


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner), max_leaves=5))
def test_whatever_stands_in_a_field_is_refused_or_read(value: Any) -> None:
    members = json.loads(write_file(export_pipeline(BASE)))
    for key in members:
        try:
            import_pipeline(read_file(json.dumps({**members, key: value}).encode(), "P.json"))
        except (InvalidInputError, UnsupportedFormatError):
            continue
