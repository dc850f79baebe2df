"""Laws of diffs: what is made can be applied, and nothing else can."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbcellar.diff.document.equality import same_json
from nbcellar.diff.document.jep import to_jep
from nbcellar.diff.document.making import diff_lists, diff_texts
from nbcellar.diff.document.notebooks import diff_notebooks
from nbcellar.diff.document.operations import AddRange, Operations, from_json, to_json
from nbcellar.diff.document.pairing import pair_cells
from nbcellar.diff.document.patching import patch_notebook, patch_value
from nbcellar.errors import InvalidInputError
from nbcellar.notebook import Notebook, read, write
from nbcellar.notebook.plain import to_plain

from ....strategies.notebooks import Edited, edited, json_lists, multiline, notebooks, parse


def diff(a: Notebook, b: Notebook) -> Operations:
    return diff_notebooks(a, b, pair_cells(a.cells, b.cells))


def assert_leads_to(a: Notebook, b: Notebook) -> None:
    operations = diff(a, b)
    patched = patch_notebook(a, operations)
    assert same_json(to_plain(patched), to_plain(b))
    assert same_json(to_plain(read(write(patched))), to_plain(b))
    lowered = to_jep(a, operations)
    assert same_json(patch_value(to_plain(a), from_json(lowered)), to_plain(b))
    assert {"move", "ids"}.isdisjoint(words(lowered))
    assert from_json(to_json(operations)) == operations or "nan" in repr(operations)


def words(value: Any) -> set[str]:
    if isinstance(value, list):
        return set().union(*map(words, value))
    return {value["op"], *words(value.get("diff", []))} if isinstance(value, dict) and "op" in value else set()


@given(notebooks, notebooks)
def test_a_diff_leads_from_any_notebook_to_any_other(a: Notebook, b: Notebook) -> None:
    assert_leads_to(a, b)


@settings(max_examples=100)
@given(edited())
def test_a_diff_leads_to_what_an_edit_made(pair: Edited) -> None:
    assert_leads_to(pair.before, pair.after)
    assert_leads_to(pair.after, pair.before)


@given(notebooks)
def test_the_diff_of_a_notebook_with_itself_is_empty(a: Notebook) -> None:
    assert diff(a, read(write(a))) == []
    assert patch_notebook(a, []) == a


@given(notebooks, notebooks)
def test_a_patch_leaves_its_base_alone(a: Notebook, b: Notebook) -> None:
    base = to_plain(a)
    before = copy.deepcopy(base)
    patch_value(base, from_json(to_jep(a, diff(a, b))))
    patch_notebook(a, diff(a, b))
    assert same_json(base, before)


@given(multiline, multiline)
def test_texts_are_patched_by_line_and_character(a: str, b: str) -> None:
    assert patch_value(a, diff_texts(a, b)) == b


@given(json_lists, json_lists)
def test_lists_are_patched(a: list[Any], b: list[Any]) -> None:
    assert same_json(patch_value(a, diff_lists(a, b)), b)


def test_cells_that_a_diff_does_not_touch_keep_their_bytes() -> None:
    odd = '{"cells": [{"cell_type":"code" , "metadata":{},"outputs":[],"execution_count":null,"source":"a"},'
    odd += ' {"cell_type": "markdown", "metadata": {}, "source": ["b"]}], "metadata": {"x": 1E5}, "nbformat": 4}'
    a = read(odd.encode())
    patched = patch_notebook(a, from_json(patch_cells({"op": "patch", "key": 1, "diff": [replace("source", "c")]})))
    assert write(patched) == odd.replace('"b"', '"c"').encode()


def test_new_ids_of_many_cells_are_one_operation() -> None:
    a, b = (notebook(*(code(f"x = {n}", id=f"{kind}{n}") for n in range(100))) for kind in "ab")
    ((cells,),) = [to_json(diff(a, b))]
    assert [(operation["op"], len(operation["valuelist"])) for operation in cells["diff"]] == [("ids", 100)]


def test_a_moved_cell_is_one_operation() -> None:
    cells = [code(f"x = {n}") for n in range(9)]
    assert to_json(diff(notebook(*cells), notebook(cells[7], *cells[:7], cells[8]))) == patch_cells(
        {"op": "move", "key": 7, "to": 0}
    )


def test_a_changed_word_is_a_change_of_characters() -> None:
    a, b = (notebook(code(f"import os\nmean = frame.groupby('{key}').mean()\n")) for key in ("region", "station"))
    inner = [{"op": "addrange", "key": 22, "valuelist": "stat"}, {"op": "removerange", "key": 22, "length": 3}]
    lines = [{"op": "patch", "key": 1, "diff": inner}]
    source = [{"op": "patch", "key": "source", "diff": lines}]
    assert to_json(diff(a, b)) == patch_cells({"op": "patch", "key": 0, "diff": source})


def code(source: str, **more: Any) -> dict[str, Any]:
    return {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": source, **more}


def notebook(*cells: dict[str, Any]) -> Notebook:
    return parse({"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def replace(key: str, value: Any) -> dict[str, Any]:
    return {"op": "replace", "key": key, "value": value}


def patch_cells(*operations: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"op": "patch", "key": "cells", "diff": list(operations)}]


def in_source(*operations: dict[str, Any]) -> list[dict[str, Any]]:
    return patch_cells({"op": "patch", "key": 0, "diff": [{"op": "patch", "key": "source", "diff": list(operations)}]})


@pytest.mark.parametrize(
    ("operations", "where"),
    [
        (patch_cells({"op": "patch", "key": 2, "diff": []}), "cells[2]: there are 2 items"),
        (patch_cells({"op": "removerange", "key": 1, "length": 2}), "cells[1]"),
        (patch_cells({"op": "removerange", "key": 1, "length": -1}), "cells[1]"),
        (patch_cells({"op": "addrange", "key": 3, "valuelist": []}), "cells[3]"),
        (patch_cells({"op": "addrange", "key": -1, "valuelist": []}), "cells[-1]"),
        (patch_cells({"op": "move", "key": 2, "to": 0}), "cells[2]"),
        (patch_cells({"op": "move", "key": 0, "to": 2}), "cells[0]"),
        (patch_cells({"op": "move", "key": 0, "to": 1}, {"op": "move", "key": 0, "to": 0}), "cells[0]"),
        (patch_cells({"op": "move", "key": 0, "to": 1}, {"op": "removerange", "key": 0, "length": 1}), "cells[0]"),
        (patch_cells({"op": "ids", "key": 1, "valuelist": ["a", "b"]}), "cells[1]"),
        (patch_cells({"op": "patch", "key": "0", "diff": []}), "cells[0]"),
        (patch_cells({"op": "removerange", "key": 0, "length": 1}, {"op": "patch", "key": 0, "diff": []}), "twice"),
        (patch_cells({"op": "patch", "key": 1, "diff": []}, {"op": "patch", "key": 0, "diff": []}), "not in order"),
        (patch_cells({"op": "patch", "key": 0, "diff": [replace("nothing", 1)]}), "cells[0].nothing: it is not there"),
        (patch_cells({"op": "patch", "key": 0, "diff": [{"op": "remove", "key": "no"}]}), "cells[0].no"),
        (patch_cells({"op": "patch", "key": 0, "diff": [{"op": "add", "key": "source", "value": ""}]}), "already"),
        (patch_cells({"op": "patch", "key": 0, "diff": [replace("source", 1)]}), "cells[0]: 'source' must be text"),
        (patch_cells({"op": "addrange", "key": 0, "valuelist": [1]}), "cell 1 of the result"),
        (in_source({"op": "removerange", "key": 1, "length": 5}), "cells[0].source[1]: there are 2 items"),
        (in_source({"op": "patch", "key": 1, "diff": [{"op": "removerange", "key": 9, "length": 1}]}), "source[1][9]"),
        (in_source({"op": "addrange", "key": 0, "valuelist": [1]}), "source[0]: what is added to a text must be text"),
        ([{"op": "patch", "key": "nbformat", "diff": []}], "nbformat: int cannot be patched"),
        ([{"op": "remove", "key": "cells"}], "cells"),
        ([replace("metadata", 1)], "'metadata' must be a dict"),
        ([{"op": "patch", "key": 0, "diff": []}], "0: a member has a name"),
        ([{"op": "turn", "key": "cells"}], "turn"),
        ([{"key": "cells"}], "op"),
        ({}, "not a diff"),
    ],
)
def test_a_diff_that_does_not_fit_is_refused_with_the_place(operations: Any, where: str) -> None:
    base = notebook(code("a = 1\nb = 2"), code("c"))
    with pytest.raises(InvalidInputError) as caught:
        patch_notebook(base, from_json(operations))
    assert where in str(caught.value)
    assert caught.value.hint or "must be" in str(caught.value) or "wanted" in str(caught.value)


@given(st.lists(st.sampled_from("abcd"), max_size=8), st.lists(st.sampled_from("abcd"), max_size=8))
def test_operations_of_a_list_come_in_the_order_of_their_keys(a: list[str], b: list[str]) -> None:
    operations = diff_lists(a, b)
    order = [(operation.key, not isinstance(operation, AddRange)) for operation in operations]
    assert order == sorted(order)


def test_numbers_that_json_alone_keeps_survive() -> None:
    a = notebook(code("", unknown=2**70))
    b = notebook(code("", unknown=[float("nan"), -0.0, 1.0, 1, True, "\ud800"]))
    assert_leads_to(a, b)
    assert json.dumps(to_json(diff(b, a)))


def test_a_change_deep_inside_takes_no_more_than_a_walk() -> None:
    old: Any = [[0, "unchanged text of some length, so that patches pay"] for _ in range(3)]
    new: Any = copy.deepcopy(old)
    new[1][0] = 1
    for _ in range(60):  # what was done twice on each level would be done 2 ** 60 times
        old, new = ([side, "unchanged text of some length, so that patches pay" * 99] for side in (old, new))
    assert same_json(patch_value(old, diff_lists(old, new)), new)
