"""Notebooks of nbformat 1 to 3 are read as nbformat upgrades them."""

from __future__ import annotations

import copy
import json
from typing import Any

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbcellar.errors import InvalidInputError
from nbcellar.notebook import read, write
from nbcellar.notebook.older import upgrade
from nbcellar.notebook.validate import validate

words = st.text(alphabet="ab #\n", max_size=8)
lines = st.lists(st.sampled_from(["a", "b c", ""]), max_size=3)
kept_lines = words.map(lambda text: text.splitlines(keepends=True))
rich = st.fixed_dictionaries(
    {},
    optional={
        "text": words,
        "html": words,
        "png": st.just("iVBORw0="),
        "json": st.just('{"a": [1]}'),
        "svg": words,
        "metadata": st.fixed_dictionaries({}, optional={"png": st.just({"width": 3})}),
    },
)
outputs = st.one_of(
    st.fixed_dictionaries({"output_type": st.just("stream"), "text": words}, optional={"stream": st.just("stderr")}),
    rich.map(lambda data: {"output_type": "display_data", **data}),
    rich.map(lambda data: {"output_type": "pyout", "prompt_number": 2, **data}),
    st.fixed_dictionaries(
        {"output_type": st.just("pyerr"), "ename": words, "evalue": words, "traceback": st.lists(words, max_size=2)}
    ),
)
metadata = st.fixed_dictionaries({}, optional={"tags": st.just(["x"]), "mine": words})


def cells(sources: Any) -> Any:
    code = st.fixed_dictionaries(
        {
            "cell_type": st.just("code"),
            "input": sources,
            "outputs": st.lists(outputs, max_size=2),
            "metadata": metadata,
        },
        optional={"prompt_number": st.integers(1, 9), "collapsed": st.booleans(), "language": st.just("python")},
    )
    text = st.fixed_dictionaries(
        {"cell_type": st.sampled_from(["markdown", "raw", "html"]), "source": sources, "metadata": metadata}
    )
    heading = st.fixed_dictionaries(
        {"cell_type": st.just("heading"), "source": sources}, optional={"level": st.integers(1, 6)}
    )
    return st.lists(code | text | heading, max_size=3)


third = st.fixed_dictionaries(
    {
        "nbformat": st.just(3),
        "nbformat_minor": st.just(0),
        "metadata": st.fixed_dictionaries({"name": words}, optional={"mine": words, "signature": words}),
        "worksheets": st.lists(st.fixed_dictionaries({"cells": cells(words | lines | kept_lines)}), max_size=2),
    }
)
second = st.fixed_dictionaries(
    {
        "nbformat": st.just(2),
        "metadata": st.fixed_dictionaries({"name": words}),
        "worksheets": st.lists(st.fixed_dictionaries({"cells": cells(words | lines)}), max_size=2),
    }
)
first_cells = st.lists(
    st.fixed_dictionaries({"cell_type": st.just("code"), "code": words}, optional={"prompt_number": st.integers(1, 5)})
    | st.fixed_dictionaries({"cell_type": st.just("text"), "text": words}),
    max_size=3,
)


def joined(value: Any) -> Any:
    """Join lines as nbformat does, and leave out what is made anew on each upgrade."""
    node = nbformat.from_dict(copy.deepcopy(value))
    node = nbformat.v4.rwbase.strip_transient(nbformat.v4.rwbase.rejoin_lines(node))
    for cell in node.cells:
        cell.pop("id", None)
    return json.loads(json.dumps(node))


@pytest.mark.parametrize("strategy", [third, second], ids=["nbformat 3", "nbformat 2"])
@pytest.mark.filterwarnings("ignore")
def test_an_upgrade_is_what_nbformat_makes_of_it(strategy: Any) -> None:
    @settings(max_examples=150, deadline=None)
    @given(strategy)
    def check(value: dict[str, Any]) -> None:
        theirs = nbformat.convert(nbformat.reader.reads(json.dumps(value)), 4)
        ours = upgrade(value)
        assert joined(ours) == joined(theirs)
        assert json.loads(write(read(json.dumps(value).encode()))) is not None

    check()


@settings(max_examples=50, deadline=None)
@given(first_cells)
def test_nbformat_1_is_read(cells: list[dict[str, Any]]) -> None:
    value = {"nbformat": 1, "cells": cells}
    wanted = [cell.get("code", cell.get("text")) for cell in cells]
    made = upgrade(value)
    assert [cell["source"] for cell in made["cells"]] == wanted
    assert [cell["cell_type"] for cell in made["cells"]] == [
        "markdown" if cell["cell_type"] == "text" else "code" for cell in cells
    ]
    assert validate(made) == ()
    theirs = nbformat.from_dict(copy.deepcopy(value))
    for convert in (nbformat.v2.upgrade, nbformat.v3.upgrade):
        theirs = convert(theirs)
    theirs.metadata = nbformat.from_dict({})
    assert joined(made) == joined(nbformat.v4.upgrade(theirs))


def test_the_same_file_gets_the_same_ids_each_time() -> None:
    sheet = {"cells": [{"cell_type": "markdown", "source": "x", "metadata": {}}] * 3}
    data = json.dumps({"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [sheet]}).encode()
    ids = [cell.id for cell in read(data).cells]
    assert ids == [cell.id for cell in read(data).cells]
    assert len(set(ids)) == 3


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"nbformat": 3}, "n.ipynb, 'worksheets': must be a list, not NoneType"),
        ({"nbformat": 3, "worksheets": [{"cells": [7]}]}, "n.ipynb, cell 1 (nbformat 3): must be an object, not int"),
        (
            {"nbformat": 1, "cells": [{"cell_type": "code", "code": [1]}]},
            "n.ipynb, cell 1 (nbformat 1): a line must be",
        ),
    ],
)
def test_an_older_file_that_is_none_is_refused_with_its_place(value: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        read(json.dumps(value).encode(), path="n.ipynb")
    assert str(caught.value).startswith(message)
