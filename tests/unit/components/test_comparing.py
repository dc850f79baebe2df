"""What differs between two pipelines, and both as one picture."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from typing import Any

import msgspec
import pytest
from hypothesis import given

from nbcellar.components import drawing, editing
from nbcellar.components.comparing import CodeChange, compare_pipelines
from nbcellar.components.drawing_changes import to_mermaid, to_svg
from nbcellar.components.model import Pipeline
from nbcellar.components.reading import read_pipeline
from nbcellar.notebook.model import Notebook
from nbcellar.notebook.plain import from_plain

from ...strategies.pipelines import pipelines

_OPPOSITE = {"added": "removed", "removed": "added", "changed": "changed"}


def notebook(*components: str, parameters: dict[str, Any] | None = None) -> Notebook:
    """Return a notebook of components `name: source`, whose ids are the names."""
    cells = []
    for word in components:
        name, _, source = word.partition(": ")
        metadata = {"cellar": {"component": {"name": name}}}
        cell = {"cell_type": "code", "id": name, "metadata": metadata, "source": source}
        cells.append({**cell, "outputs": [], "execution_count": None})
    metadata = {"cellar": {"parameters": parameters}} if parameters else {}
    return from_plain({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})


BASE = notebook("load: x = 1", "clean: y = x", "fit: z = y", "show: print(z)", parameters={"k": 1, "m": 1})


def told(before: Notebook, after: Notebook) -> list[str]:
    """Return the changes as words."""
    changes = compare_pipelines(read_pipeline(before), read_pipeline(after))
    words = []
    for each in changes.components:
        how = [f"was {each.old_name}"] * bool(each.old_name) + ["moved"] * each.moved + ["code"] * bool(each.code)
        words.append(" ".join([each.kind, each.name, *how, *(policy.field for policy in each.policy)]))
    words += [f"{each.kind} {each.parent}>{each.child} {','.join(each.names)}".strip() for each in changes.edges]
    return words + [f"{each.kind} {each.name}={each.after}" for each in changes.parameters]


@given(pipelines())
def test_a_pipeline_differs_in_nothing_from_itself(found: Notebook) -> None:
    pipeline = read_pipeline(found)
    assert not compare_pipelines(pipeline, pipeline)


@given(pipelines(), pipelines())
def test_swapped_sides_swap_what_came_and_went(one: Notebook, other: Notebook) -> None:
    a, b = read_pipeline(one), read_pipeline(other)
    there, back = compare_pipelines(a, b), compare_pipelines(b, a)
    assert {(c.id, c.kind) for c in there.components} == {(c.id, _OPPOSITE[c.kind]) for c in back.components} or any(
        c.moved for c in (*there.components, *back.components)
    )
    assert {(e.parent, e.child, e.kind, e.names) for e in there.edges} == {
        (e.parent, e.child, _OPPOSITE[e.kind], e.old_names) for e in back.edges
    }
    assert {(p.name, p.kind) for p in there.parameters} == {(p.name, _OPPOSITE[p.kind]) for p in back.parameters}


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (editing.rename(BASE, "fit", "train"), ["changed train was fit"]),
        (editing.remove(BASE, "show"), ["removed show", "removed fit>show"]),
        (editing.connect(BASE, "load", "show"), ["added load>show"]),
        (editing.connect(BASE, "fit", "show"), ["changed fit>show z"]),
        (editing.set_policy(BASE, "fit", {"retries": 2, "cache": False}), ["changed fit cache retries"]),
        (editing.set_parameters(BASE, {"k": True, "n": 2}, ["m"]), ["changed k=True", "added n=2", "removed m=None"]),
        (
            notebook("load: x = w = 1", "clean: y = x", "fit: z = y, w", "show: print(z)", parameters={"k": 1, "m": 1}),
            ["changed load code", "changed fit code", "added load>fit w"],
        ),
        (
            notebook("load: x = 1", "fit: z = y", "clean: y = x", "show: print(z)", parameters={"k": 1, "m": 1}),
            ["changed fit moved", "removed clean>fit"],
        ),
    ],
)
def test_each_kind_of_change_is_told(after: Notebook, expected: list[str]) -> None:
    assert told(BASE, after) == expected


def test_comments_and_layout_are_told_apart_from_code() -> None:
    changes = compare_pipelines(
        read_pipeline(notebook("a: x = [1,2]", "b: (", "c: y = 1")),
        read_pipeline(notebook("a: # two\nx = [1, 2]", "b: ((", "c: y = 1.0")),
    )
    assert [each.code for each in changes.components] == [
        CodeChange(added=2, removed=1, only_layout=True),
        CodeChange(added=1, removed=1),
        CodeChange(added=1, removed=1),
    ]


def test_a_pipeline_that_was_only_proposed_is_a_difference_and_new_errors_are_told() -> None:
    plain = msgspec.structs.replace(
        BASE, cells=tuple(msgspec.structs.replace(cell, metadata={}) for cell in BASE.cells)
    )
    changes = compare_pipelines(read_pipeline(plain), read_pipeline(editing.init(plain)))
    assert changes and changes.was_proposed and not changes.is_proposed and not changes.components
    cells = list(BASE.cells)
    cells[0] = msgspec.structs.replace(cells[0], metadata={"cellar": {"component": {"name": "fit"}}})
    wrong = compare_pipelines(read_pipeline(BASE), read_pipeline(msgspec.structs.replace(BASE, cells=tuple(cells))))
    assert [problem.code for problem in wrong.problems] == ["duplicate-name"]


# pictures ---------------------------------------------------------------------------------------------------------


def elements(svg: str, name: str, kind: str) -> list[ET.Element]:
    found = ET.fromstring(svg).iter(f"{{http://www.w3.org/2000/svg}}{name}")
    return [each for each in found if kind in each.get("class", "").split()]


@given(pipelines(), pipelines())
def test_all_of_both_versions_is_drawn(one: Notebook, other: Notebook) -> None:
    a, b = read_pipeline(one), read_pipeline(other)
    svg, mermaid = to_svg(a, b, "<title>"), to_mermaid(a, b)
    ids = {component.id for component in (*a.components, *b.components)}
    ends = {(edge.parent, edge.child) for edge in (*a.edges, *b.edges)}
    groups = list(ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}g"))
    assert len(groups) == len(ids)
    assert svg.count('marker-end="url(#end)"') == len(ends)
    assert len(re.findall(r"^    c\d+[\[(]", mermaid, re.MULTILINE)) == len(ids)
    assert len(re.findall(r"^    c\d+ [=.-]+>", mermaid, re.MULTILINE)) == len(ends)


def test_versions_that_together_go_round_in_a_circle_are_drawn() -> None:
    one = editing.connect(notebook("a: 1", "b: 2", "c: 3"), "a", "b")
    other = editing.connect(editing.remove(notebook("a: 1", "b: 2", "c: 3"), "c"), "b", "a")
    svg = to_svg(read_pipeline(one), read_pipeline(other))
    assert [len(elements(svg, "path", kind)) for kind in ("added", "removed")] == [1, 1]
    assert len(elements(svg, "rect", "removed")) == 2  # one is the legend's


def test_changes_are_told_by_sign_and_shape_and_not_by_colour_alone() -> None:
    after = editing.add(editing.rename(editing.remove(BASE, "load"), "fit", "<b>'\"&\x1b"[:6]), "load", "again")
    cells = (*after.cells, *notebook("new: 1").cells)
    pair = (
        read_pipeline(BASE),
        read_pipeline(msgspec.structs.replace(editing.remove(after, "show"), cells=cells[:3] + cells[4:])),
    )
    svg, mermaid = to_svg(*pair), to_mermaid(*pair)
    texts = ["".join(each.itertext()) for each in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]
    assert {"~ again", "~ <b>'\"&", "+ new", "− show", "+ added", "− removed", "~ changed"} <= set(texts)
    assert len(elements(svg, "rect", "inner")) == 3  # the double frame of both that changed, and of the legend
    assert '(["+ new"]):::added' in mermaid and '[/"- show"/]:::removed' in mermaid
    assert "<b>" not in mermaid and "prefers-color-scheme: dark" in svg


def test_an_empty_side_is_drawn() -> None:
    nothing = Pipeline(components=())
    assert "<svg" in to_svg(nothing, nothing)
    assert len(elements(to_svg(nothing, read_pipeline(BASE)), "rect", "added")) == 5
    assert json.dumps(to_mermaid(nothing, nothing)).startswith('"flowchart TD')


@pytest.mark.parametrize("title", ['a & "b" <c>.ipynb', "control \x01 and \x1b[31m", "\ud800", "lines\nand\ttabs"])
def test_a_picture_says_what_it_is_of_whatever_that_is_called(title: str) -> None:
    pipeline = Pipeline(components=())
    expected = re.sub("[\x01\x1b\ud800]", "\ufffd", title)
    for svg in (to_svg(pipeline, pipeline, title), drawing.to_svg(pipeline, title)):
        assert ET.fromstring(svg).get("aria-label") == expected
