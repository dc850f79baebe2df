"""Hypothesis strategies for notebooks: any that a file may hold, and pairs where one was edited into the other.

Import it as `from ...strategies.notebooks import notebooks`, with as many dots as the test is deep.

`documents` are plain dicts as they stand in files; `notebooks` are read from them by the codec. `edited(notebook)`
draws an edit script and returns its result with the answer: which cell of the base each cell of the result was.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import msgspec
from hypothesis import strategies as st

from nbcellar.ids import CellId
from nbcellar.notebook import Cell, Notebook, read

letters = st.characters(codec="utf-8", exclude_categories=("Cs",))
texts = st.text(letters, max_size=12)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from([1, 1.0, True, 0.0, -0.0, float("nan"), 2**70]) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
objects = st.dictionaries(texts, json_values, max_size=3)

# Few lines and few ids, so that cells are alike, equal and doubled as often as not.
lines = st.sampled_from(["import os\n", "x = 1\n", "x = 2\n", "y = f(x)\n", "\n", "print(x)", "# A title", "é \u2028"])
multiline = st.lists(lines, max_size=6).map("".join) | st.text(letters | st.just("\n"), max_size=20)
ids = st.sampled_from(["0", "1", "2", "a", "b", "c", "not an id!"])


def _in_file(text: str) -> st.SearchStrategy[str | list[str]]:
    """Return a text as a file has it: in one piece or in lines."""
    return st.sampled_from([text, text.splitlines(keepends=True)])


file_texts = multiline.flatmap(_in_file)
mime_values = st.fixed_dictionaries(
    {},
    optional={
        "text/plain": file_texts,
        "text/html": file_texts,
        "image/png": texts,
        "application/json": json_values,
        "application/vnd.plotly.v1+json": objects,
    },
)
counts = st.none() | st.integers(1, 9)
outputs = st.one_of(
    st.fixed_dictionaries(
        {"output_type": st.just("stream"), "name": st.sampled_from(["stdout", "stderr"]), "text": file_texts}
    ),
    st.fixed_dictionaries({"output_type": st.just("display_data"), "data": mime_values, "metadata": objects}),
    st.fixed_dictionaries(
        {
            "output_type": st.just("execute_result"),
            "execution_count": counts,
            "data": mime_values,
            "metadata": st.just({}),
        }
    ),
    st.fixed_dictionaries(
        {
            "output_type": st.just("error"),
            "ename": texts,
            "evalue": texts,
            "traceback": st.lists(texts, max_size=3),
        }
    ),
    objects,
)
cell_metadata = objects | st.fixed_dictionaries(
    {},
    optional={
        "tags": st.lists(st.sampled_from(["parameters", "a", "b"]), max_size=2),
        "collapsed": st.booleans(),
        "editable": st.booleans(),
        "slideshow": st.just({"slide_type": "slide"}),
        "execution": st.fixed_dictionaries({"iopub.execute_input": texts}),
    },
)
attachments = st.dictionaries(
    st.sampled_from(["a.png", "b.png"]), st.dictionaries(texts, texts, max_size=2), max_size=2
)
_code = st.fixed_dictionaries(
    {
        "cell_type": st.just("code"),
        "source": file_texts,
        "metadata": cell_metadata,
        "outputs": st.lists(outputs, max_size=3),
        "execution_count": counts,
    },
    optional={"id": ids},
)
_prose = st.fixed_dictionaries(
    {"cell_type": st.sampled_from(["markdown", "raw"]), "source": file_texts, "metadata": cell_metadata},
    optional={"id": ids, "attachments": attachments},
)
# What schemas forbid and files hold all the same.
_odd = st.fixed_dictionaries(
    {"cell_type": st.sampled_from(["code", "markdown", "raw", "heading"]), "source": file_texts},
    optional={
        "metadata": objects,
        "outputs": st.none() | st.lists(outputs, max_size=2),
        "execution_count": counts,
        "attachments": st.none() | attachments,
        "id": ids | st.just(""),
        "unknown": json_values,
        "level": st.just(1),
    },
)
file_cells = _code | _prose | _odd
documents = st.fixed_dictionaries(
    {"nbformat": st.just(4), "cells": st.lists(file_cells, max_size=8)},
    optional={
        "metadata": objects
        | st.fixed_dictionaries({"kernelspec": st.just({"name": "python3", "display_name": "Python 3"})}),
        "nbformat_minor": st.integers(0, 6),
        "signature": texts,
        "orig_nbformat": st.just(2),
    },
)


def parse(document: dict[str, Any]) -> Notebook:
    """Return the notebook in a plain dict, as the codec reads it from a file."""
    return read(json.dumps(document).encode())


notebooks = documents.map(parse)
cells = st.builds(lambda document: parse({"nbformat": 4, "cells": [document]}).cells[0], file_cells)
json_lists = st.lists(json_values, max_size=6)


class Edited(NamedTuple):
    """The result of an edit script, and for each of its cells the place in the base, None for a new one."""

    before: Notebook
    after: Notebook
    origin: tuple[int | None, ...]


@st.composite
def edited(draw: st.DrawFn, bases: st.SearchStrategy[Notebook] = notebooks) -> Edited:
    """Return a notebook and what a few edits make of it: sources, outputs, new, dropped and moved cells, new ids."""
    before = draw(bases)
    line: list[tuple[int | None, Cell]] = list(enumerate(before.cells))
    for _ in range(draw(st.integers(0, 4))):
        kind = draw(st.sampled_from(["insert", "drop", "move", "edit", "outputs", "ids"]))
        at = draw(st.integers(0, max(0, len(line) - 1)))
        if kind == "insert":
            line.insert(at, (None, draw(cells)))
        elif kind == "ids":
            line = [(i, msgspec.structs.replace(cell, id=CellId(f"new{n}"))) for n, (i, cell) in enumerate(line)]
        elif line:
            place, cell = line.pop(at)
            if kind == "move":
                line.insert(draw(st.integers(0, len(line))), (place, cell))
            elif kind == "edit":
                line.insert(at, (place, msgspec.structs.replace(cell, source=cell.source + draw(multiline))))
            elif kind == "outputs":
                line.insert(at, (place, msgspec.structs.replace(cell, outputs=draw(cells).outputs)))
    after = msgspec.structs.replace(before, cells=tuple(cell for _, cell in line))
    return Edited(before, after, tuple(place for place, _ in line))
