"""What is plainly meant is mended, is said, and loses no text."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings

from nbcellar.notebook import write
from nbcellar.notebook.repair import read_and_repair, repair
from nbcellar.notebook.validate import validate

from ...strategies import allowed


def words_in(value: Any) -> set[str]:
    """Return all words that stand in the values of a JSON value."""
    if isinstance(value, str):
        return set(value.replace(",", " ").split())
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return {word for each in inner for word in words_in(each)}


def counts_of_outputs(value: dict[str, Any]) -> list[Any]:
    cells = [cell for cell in value["cells"] if isinstance(cell, dict)]
    outputs = [each for cell in cells if isinstance(cell.get("outputs"), list) for each in cell["outputs"]]
    return [each.get("execution_count") for each in outputs if isinstance(each, dict)]


def notebook(*cells: dict[str, Any], minor: int = 5, **more: Any) -> dict[str, Any]:
    return {"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": minor, **more}


def code(**more: Any) -> dict[str, Any]:
    full = {"cell_type": "code", "id": "a", "metadata": {}, "source": "1", "outputs": [], "execution_count": None}
    return {key: value for key, value in {**full, **more}.items() if value is not ...}


@settings(max_examples=100, deadline=None)
@given(allowed.notebooks())
def test_what_is_allowed_is_not_touched(value: dict[str, Any]) -> None:
    found = repair(value)
    # Empty sections are removed though nbformat allows some of them to be read; all else stays as it is.
    assert found.repairs == ()
    assert found.members is value


@settings(max_examples=200, deadline=None)
@given(allowed.nearly(changes=3))
def test_a_repair_is_idempotent_changes_no_input_and_loses_no_text(value: dict[str, Any]) -> None:
    before = copy.deepcopy(value)
    found = repair(value)
    assert value == before
    assert repair(found.members).repairs == ()
    assert len(validate(found.members)) <= len(validate(value))
    # An id is a label, and a count is a number whatever it was written as; both are named when they go.
    labels = [cell.get(key) for cell in value["cells"] if isinstance(cell, dict) for key in ("id", "execution_count")]
    labels += [value.get("nbformat_minor"), *counts_of_outputs(value)]
    assert words_in(value) - words_in(found.members) <= words_in(labels)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (notebook(code(), code()), ["cell 2: cell 1 has the id a, too; its id is 07e9fa8a now"]),
        (notebook(code(id=...)), ["cell 1: it had no id; its id is 07e9fa8a now"]),
        (notebook(code(), minor=4), ["nbformat 4.4 with cell ids is nbformat 4.5"]),
        (
            notebook(code(), code(id=...), minor=4),
            ['cell 1: its id "a" removed: not all cells have one, and the file is older than nbformat 4.5'],
        ),
        (
            notebook(code(metadata=..., outputs=..., execution_count=...)),
            ["cell 1: it had no metadata", "cell 1: it had no 'outputs'", "cell 1: it had no 'execution_count'"],
        ),
        (
            notebook(code(cell_type="markdown", outputs=[{"output_type": "stream"}], execution_count=...)),
            ["cell 1: 'outputs', which nbformat does not have there, moved to metadata.cellar.outputs"],
        ),
        (notebook(code(execution_count="3")), ['cell 1: its execution count "3" is 3 now']),
        (
            notebook(code(outputs=[{"output_type": "stream", "text": "x"}])),
            ["cell 1: an output of type stream had no 'name'"],
        ),
        (notebook(code(metadata={"tags": "a, b"})), ['cell 1: its tags "a, b" are ["a", "b"] now']),
        (
            {**notebook(code()), "metadata": {"kernelspec": {"name": "python3"}}},
            ["the kernel's name taken for its missing display name"],
        ),
        (
            notebook(code(cell_type="heading", level=2, outputs=..., execution_count=...)),
            ["cell 1: a heading cell of nbformat 3 made a markdown cell"],
        ),
        (notebook(code(source=..., input="2")), ["cell 1: it had no source; 'input' was one"]),
        (notebook(made_by="x"), ["'made_by', which nbformat does not have there, moved to metadata.cellar.made_by"]),
    ],
)
def test_each_repair_is_said_and_leaves_a_notebook_that_nbformat_allows(value: dict[str, Any], said: list[str]) -> None:
    found = repair(value)
    assert [str(each) for each in found.repairs] == said
    assert validate(found.members) == ()


def test_a_file_that_needs_no_repair_is_written_byte_for_byte() -> None:
    data = json.dumps(notebook(code()), indent=3).encode()
    made, repairs = read_and_repair(data)
    assert (repairs, write(made)) == ((), data)


def test_a_repaired_file_keeps_its_layout() -> None:
    data = json.dumps(notebook(code(), code()), indent=3).replace("\n", "\r\n").encode()
    made, repairs = read_and_repair(data)
    assert len(repairs) == 1
    assert write(made).split(b"\r\n")[:3] == data.split(b"\r\n")[:3]


def test_an_older_file_is_said_to_be_one() -> None:
    data = b'{"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": []}'
    assert [str(each) for each in read_and_repair(data)[1]] == ["nbformat 3 brought to nbformat 4.5"]
