"""The codec keeps files as they are, and its errors say where."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbcellar.errors import InvalidInputError, UnsupportedFormatError
from nbcellar.notebook import Cell, Notebook, read, write

NOTEBOOK: dict[str, Any] = {
    "cells": [
        {"cell_type": "markdown", "id": "a1", "metadata": {}, "source": ["# Title\n", "text"]},
        {
            "cell_type": "code",
            "execution_count": 3,
            "id": "b2",
            "metadata": {"tags": ["parameters"]},
            "outputs": [{"name": "stdout", "output_type": "stream", "text": ["3\n"]}],
            "source": ["x = 3\n", "print(x)"],
        },
    ],
    "metadata": {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}},
    "nbformat": 4,
    "nbformat_minor": 5,
}


def dump(value: object, **layout: Any) -> bytes:
    """Write like Jupyter, unless told otherwise."""
    end = layout.pop("end", "\n")
    return (json.dumps(value, **{"indent": 1, "ensure_ascii": False, "sort_keys": True, **layout}) + end).encode()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(st.text(), json_values, max_size=3)
sources = st.text() | st.lists(st.text())
cells = st.fixed_dictionaries(
    {"cell_type": st.sampled_from(["code", "markdown", "raw"]), "source": sources},
    optional={
        "id": st.text(max_size=8),
        "metadata": objects,
        "outputs": st.lists(objects, max_size=2),
        "execution_count": st.none() | st.integers(0, 99),
        "attachments": objects,
        "unknown": json_values,
    },
)
notebooks = st.fixed_dictionaries(
    {"nbformat": st.just(4), "cells": st.lists(cells, max_size=4)},
    optional={"metadata": objects, "nbformat_minor": st.integers(0, 6), "extra": json_values},
)
layouts = st.fixed_dictionaries(
    {
        "indent": st.sampled_from([None, 0, 1, 2, 4, "\t"]),
        "ensure_ascii": st.booleans(),
        "sort_keys": st.booleans(),
        "end": st.sampled_from(["", "\n", "\r\n\n"]),
    }
)


@settings(max_examples=150, deadline=None)
@given(notebooks, layouts)
def test_an_unchanged_notebook_is_written_byte_for_byte(value: dict[str, Any], layout: dict[str, Any]) -> None:
    layout = {**layout, "ensure_ascii": True} if has_surrogates(value) else layout
    data = dump(value, **layout)
    assert write(read(data)) == data


def has_surrogates(value: object) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


@settings(max_examples=60, deadline=None)
@given(notebooks, st.integers(0, 3), st.text())
def test_an_edit_of_one_cell_leaves_the_text_of_the_others(value: dict[str, Any], place: int, source: str) -> None:
    data = dump(value, ensure_ascii=True)
    notebook = read(data)
    if place >= len(notebook.cells):
        return
    edited = msgspec.structs.replace(notebook.cells[place], source=source)
    changed = msgspec.structs.replace(notebook, cells=(*notebook.cells[:place], edited, *notebook.cells[place + 1 :]))
    again = read(write(changed))
    assert [cell.source for cell in again.cells] == [cell.source for cell in changed.cells]
    assert again.metadata.keys() == notebook.metadata.keys()


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf" + dump(NOTEBOOK),
        dump(NOTEBOOK).replace(b"\n", b"\r\n"),
        dump({**NOTEBOOK, "metadata": {"x": "1E5"}}).replace(b'"1E5"', b"1E5"),
        dump(NOTEBOOK).replace(b'"id": "a1"', b'"id" :  "a1"'),
        dump(NOTEBOOK, indent=None, separators=(",", ":")),
        b'{"nbformat": 4, "cells": [ ]}',
        b'{"nbformat": 4,\n "cells": [{"cell_type": "raw", "source": ""},\n\n{"cell_type": "raw", "source": ""}]}',
        b'{"nbformat": 4, "nbformat": 4, "cells": [], "cells": [{"cell_type": "raw", "source": "\\ud800"}]}',
        b'{"nbformat": 4, "cells": [{"cell_type": "raw", "source": [], "metadata": {"x": [NaN, -Infinity, 1e400]}}]}',
    ],
)
def test_odd_layouts_are_kept(data: bytes) -> None:
    assert write(read(data)) == data


def test_an_edited_cell_is_written_as_jupyter_writes_it() -> None:
    notebook = read(dump(NOTEBOOK))
    edited = msgspec.structs.replace(notebook.cells[1], source="y = 'é'\n", execution_count=None, outputs=())
    value = json.loads(json.dumps(NOTEBOOK))
    value["cells"][1] |= {"source": ["y = 'é'\n"], "execution_count": None, "outputs": []}
    assert write(msgspec.structs.replace(notebook, cells=(notebook.cells[0], edited))) == dump(value)


def test_a_changed_cell_beside_odd_numbers_does_not_change_them() -> None:
    value = json.loads(json.dumps(NOTEBOOK))
    value["cells"][0]["metadata"] = {"x": "1E5"}
    data = dump(value).replace(b'"1E5"', b"1E5")
    notebook = read(data)
    edited = msgspec.structs.replace(notebook.cells[1], source="pass")
    assert b'"x": 1E5' in write(msgspec.structs.replace(notebook, cells=(notebook.cells[0], edited)))


def test_nan_in_an_edited_cell_stays_nan() -> None:
    value = json.loads(json.dumps(NOTEBOOK))
    value["cells"][1]["outputs"][0]["text"] = [float("nan")]
    notebook = read(dump(value))
    edited = msgspec.structs.replace(notebook.cells[1], source="pass")
    assert b"NaN" in write(msgspec.structs.replace(notebook, cells=(notebook.cells[0], edited)))


def test_a_new_notebook_has_the_keys_that_nbformat_wants() -> None:
    text = write(Notebook(cells=(Cell(type="code", source="1", id="c"),)))  # type: ignore[arg-type]
    assert json.loads(text) == {
        "cells": [
            {"cell_type": "code", "execution_count": None, "id": "c", "metadata": {}, "outputs": [], "source": ["1"]}
        ],
        "metadata": {},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def test_the_model_names_what_nbformat_names() -> None:
    notebook = read(dump(NOTEBOOK))
    assert (notebook.language, notebook.kernel_name) == ("python", "python3")
    assert notebook.cells[1].tags == ("parameters",)
    assert notebook.cells[1].source == "x = 3\nprint(x)"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "n.ipynb: empty, so not a notebook"),
        (b"print(1)\n", "n.ipynb, line 1, column 1: not JSON: expecting value"),
        (b'{\n "nbformat": 4,\n "cells": [,]}', "n.ipynb, line 3, column 12: not JSON: expecting value"),
        (b'{"nbformat": 4 "cells": []}', "n.ipynb, line 1, column 16: not JSON: ',' expected"),
        (b'{"nbformat": 4, "cells": []', "n.ipynb, line 1, column 28: not JSON: ',' expected"),
        (b'{"nbformat": 4, "cells": []}}', "n.ipynb, line 1, column 29: not JSON: the end of the file expected"),
        (b"[1, 2]", "n.ipynb: JSON, but not a notebook: it is not an object"),
        (b"{}", "n.ipynb: JSON, but not a notebook: it has no number under 'nbformat'"),
        (b'{"nbformat": 4}', "n.ipynb: JSON, but not a notebook: it has no list under 'cells'"),
        (b'{"nbformat": 0}', "n.ipynb: JSON, but not a notebook: it has no number under 'nbformat'"),
        (b"{\n\xff\xfe", "n.ipynb, line 2: not UTF-8 text, so not a notebook"),
        ('{"nbformat": 4}'.encode("utf-16"), "n.ipynb, line 1: UTF-16 text; a notebook is UTF-8"),
        (b'{"nbformat": 4, "cells": [\n1]}', "n.ipynb, cell 1 (line 2): a cell must be an object, not a whole number"),
        (
            b'{"nbformat": 4, "cells": [\n{"cell_type": "code", "source": 3}]}',
            "n.ipynb, cell 1 (line 2): 'source' must be text, not a whole number",
        ),
        (b'{"nbformat": 4, "cells": [{"source": ""}]}', "n.ipynb, cell 1 (line 1): 'cell_type' must be text, not null"),
        (b'{"nbformat": 4, "cells": [' + b"[" * 100_000, "n.ipynb, line 1: nested too deeply to be read"),
    ],
)
def test_what_is_no_notebook_is_refused_with_its_place(data: bytes, message: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        read(data, path="n.ipynb")
    assert str(caught.value) == message


def test_git_conflict_marks_are_recognised() -> None:
    data = b'{\n<<<<<<< HEAD\n "nbformat": 4,\n=======\n>>>>>>> other\n "cells": []}'
    with pytest.raises(InvalidInputError) as caught:
        read(data, path="n.ipynb")
    assert "conflict marks" in caught.value.hint


def test_a_newer_nbformat_is_refused_by_name() -> None:
    with pytest.raises(UnsupportedFormatError, match="nbformat 5"):
        read(b'{"nbformat": 5, "cells": []}')


@settings(max_examples=100, deadline=None)
@given(notebooks, layouts, st.data())
def test_cells_that_nobody_changed_are_written_as_they_stood(
    value: dict[str, Any], layout: dict[str, Any], data: st.DataObject
) -> None:
    text = dump(value, **{**layout, "ensure_ascii": True}).replace(b'"raw"', b'"r\\u0061w"')
    notebook = read(text)
    if not notebook.cells:
        return
    keep = data.draw(st.lists(st.booleans(), min_size=len(notebook.cells), max_size=len(notebook.cells)))
    cells = [
        cell if kept else msgspec.structs.replace(cell, source=cell.source + "!")
        for cell, kept in zip(notebook.cells, keep, strict=True)
    ]
    made = write(msgspec.structs.replace(notebook, cells=tuple(cells)))
    assert [cell.source for cell in read(made).cells] == [cell.source for cell in cells]
    odd = [cell.type == "raw" for cell, kept in zip(notebook.cells, keep, strict=True) if kept]
    assert made.count(b'"cell_type": "r\\u0061w"') + made.count(b'"cell_type":"r\\u0061w"') == sum(odd)


def test_a_cell_that_was_made_anew_but_is_equal_is_written_as_it_stood() -> None:
    data = dump(NOTEBOOK).replace(b'"id": "a1"', b'"id" :  "a1"')
    notebook = read(data)
    again = msgspec.structs.replace(notebook.cells[0], source=str(notebook.cells[0].source))
    edited = msgspec.structs.replace(notebook.cells[1], source="pass")
    assert b'"id" :  "a1"' in write(msgspec.structs.replace(notebook, cells=(again, edited)))


def test_what_quick_and_thorough_reading_accept_they_read_alike() -> None:
    for text in ("1E5", "-0", "-0.0", "1e-400", "123456789012345678901", "5e-324", '"\\ud83d\\ude00"', '{"a":1,"a":2}'):
        data = f'{{"nbformat": 4, "cells": [], "metadata": {{"x": {text}}}}}'.encode()
        assert repr(read(data).metadata["x"]) == repr(json.loads(text))


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 400), st.integers(0, 60), st.binary(max_size=4))
def test_damaged_bytes_are_read_or_refused_in_words(place: int, length: int, instead: bytes) -> None:
    whole = dump(NOTEBOOK)
    data = whole[:place] + instead + whole[place + length :]
    try:
        notebook = read(data, path="n.ipynb")
    except (InvalidInputError, UnsupportedFormatError) as error:
        assert "n.ipynb" in error.message
    else:
        assert notebook.nbformat == 4
        assert write(notebook) == data or b'"nbformat": 4' not in data
