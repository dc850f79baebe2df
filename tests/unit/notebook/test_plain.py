"""Notebooks as the dicts that Jupyter holds in memory; nbformat is the oracle."""

from __future__ import annotations

import json
from typing import Any

import nbformat
import pytest
from hypothesis import given
from nbformat.v4.rwbase import rejoin_lines

from nbcellar.diff.document.equality import same_json
from nbcellar.errors import InvalidInputError
from nbcellar.notebook import Notebook, read, write
from nbcellar.notebook.codec import render_cell
from nbcellar.notebook.plain import cell_from_plain, cell_to_plain, from_plain, to_plain

from ...strategies.notebooks import documents, notebooks, parse


@given(documents)
def test_text_is_in_one_piece_as_nbformat_has_it(document: dict[str, Any]) -> None:
    code = [cell for cell in document["cells"] if cell["cell_type"] == "code"]
    for cell in code:
        # nbformat joins no text of outputs that it does not know, and fails where a part is null.
        cell["outputs"] = [output for output in cell.get("outputs") or [] if "output_type" in output]
        cell["attachments"] = {}
    document["cells"] = code
    document.setdefault("metadata", {})
    expected = rejoin_lines(nbformat.from_dict(json.loads(json.dumps(document))))
    plain = to_plain(parse(document))
    for ours, theirs in zip(plain["cells"], expected["cells"], strict=True):
        assert same_json([ours["source"], ours["outputs"]], [theirs["source"], theirs["outputs"]])


@given(notebooks)
def test_a_notebook_comes_back_from_its_dict(notebook: Notebook) -> None:
    plain = to_plain(notebook)
    assert same_json(to_plain(from_plain(plain)), plain)
    assert same_json(to_plain(read(write(from_plain(plain)))), plain)


@given(notebooks)
def test_what_is_unchanged_keeps_the_layout_of_the_file(notebook: Notebook) -> None:
    for cell in notebook.cells:
        again = cell_from_plain(cell_to_plain(cell), like=cell)
        assert render_cell(again, notebook) == render_cell(cell, notebook)


def test_outputs_are_written_in_lines_as_jupyter_does() -> None:
    output = {"output_type": "stream", "name": "stdout", "text": "1\n2\n"}
    cell = {"cell_type": "code", "metadata": {}, "outputs": [output], "source": "a\nb", "execution_count": None}
    made = from_plain({"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": [cell]})
    assert json.loads(write(made))["cells"][0] == {
        **cell,
        "outputs": [{**output, "text": ["1\n", "2\n"]}],
        "source": ["a\n", "b"],
    }


@pytest.mark.parametrize(
    ("value", "where"),
    [
        ([], "must be a dict"),
        ({"nbformat": 3}, "nbformat 4"),
        ({"nbformat": 4, "metadata": []}, "'metadata'"),
        ({"nbformat": 4, "nbformat_minor": "5"}, "'nbformat_minor'"),
        ({"nbformat": 4, "cells": {}}, "'cells'"),
        ({"nbformat": 4, "cells": [{"cell_type": "code", "source": ""}, 1]}, "cell 2"),
        ({"nbformat": 4, "cells": [{"cell_type": "code", "source": 1}]}, "cell 1: 'source' must be text"),
    ],
)
def test_what_is_no_notebook_is_refused_with_the_place(value: Any, where: str) -> None:
    with pytest.raises(InvalidInputError, match=where):
        from_plain(value)
