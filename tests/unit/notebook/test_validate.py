"""Our check of notebooks agrees with nbformat's schemas, and says where."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import nbformat
import pytest
from hypothesis import given, settings

from nbcellar.errors import InvalidInputError
from nbcellar.notebook.validate import validate, validate_file

from ...strategies import allowed


@cache
def schema_validator(minor: int) -> Any:
    folder = Path(nbformat.__file__).parent / "v4"
    schema = json.loads((folder / f"nbformat.v4.{min(minor, 5)}.schema.json").read_text())
    return jsonschema.Draft4Validator(schema)


def is_allowed(value: dict[str, Any]) -> bool:
    """What nbformat says, with its own addition that ids are unique."""
    minor = value.get("nbformat_minor")
    if not isinstance(minor, int) or isinstance(minor, bool) or not 0 <= minor <= 5:
        return False
    if not schema_validator(minor).is_valid(value):
        return False
    ids = [cell.get("id") for cell in value["cells"]]
    return minor < 5 or len(set(ids)) == len(ids)


@settings(max_examples=150, deadline=None)
@given(allowed.notebooks())
def test_what_nbformat_allows_has_no_problems(value: dict[str, Any]) -> None:
    assert is_allowed(value)
    assert validate(value) == ()


@settings(max_examples=300, deadline=None)
@given(allowed.nearly())
def test_there_are_problems_exactly_where_nbformat_sees_some(value: dict[str, Any]) -> None:
    assert (validate(value) == ()) == is_allowed(value), validate(value)


NOTEBOOK = """{
 "cells": [
  {"cell_type": "markdown", "id": "a", "metadata": {}, "source": []},
  {
   "cell_type": "code",
   "id": "a",
   "metadata": {"tags": ["x",
    "x"]},
   "outputs": [
    {"output_type": "stream", "name": "stdout", "text": 3}
   ],
   "source": []
  }
 ],
 "metadata": {"kernelspec": {"name": "python3"}},
 "nbformat": 4,
 "nbformat_minor": 5
}
"""


def test_each_problem_has_its_path_its_cell_and_its_line() -> None:
    found = [str(problem) for problem in validate_file(NOTEBOOK.encode())]
    assert found == [
        "metadata.kernelspec (line 15): has no 'display_name'",
        "cells[1] (cell 2, line 4): has no 'execution_count'",
        "cells[1].metadata.tags[1] (cell 2, line 8): the tag 'x' stands there twice",
        "cells[1].outputs[0].text (cell 2, line 10): must be text or a list of texts",
        "cells[1].id (cell 2, line 6): cell 1 has the same id, 'a'",
    ]


def test_lines_are_found_behind_a_mark_and_with_other_line_breaks() -> None:
    data = b"\xef\xbb\xbf" + NOTEBOOK.replace("\n", "\r\n").encode()
    assert [problem.line for problem in validate_file(data)] == [15, 4, 8, 10, 6]


def test_a_later_minor_may_hold_what_is_not_known_here() -> None:
    cell = {"cell_type": "video", "metadata": {}, "url": "x"}
    value = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 6, "new": 1}
    assert validate(value) == ()
    assert len(validate({**value, "nbformat_minor": 5})) == 2


def test_what_is_no_notebook_has_no_problems_but_an_error() -> None:
    with pytest.raises(InvalidInputError, match=r"n\.ipynb, line 1"):
        validate_file(b"{", path="n.ipynb")
