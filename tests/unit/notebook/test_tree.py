"""A notebook as objects: nothing is lost, and equal parts are stored once."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbcellar.errors import CorruptStoreError, UnsupportedFormatError
from nbcellar.ids import Digest
from nbcellar.notebook import Cell, Notebook, codec, tree

values = st.recursive(
    st.none() | st.floats() | st.text(), lambda inner: st.dictionaries(st.text(), inner), max_leaves=5
)
cells = st.fixed_dictionaries(
    {"cell_type": st.sampled_from(["code", "raw"]), "source": st.text() | st.lists(st.text())},
    optional={"id": st.text(max_size=3), "metadata": st.dictionaries(st.text(), values), "attachments": st.none()},
)
notebooks = st.fixed_dictionaries(
    {"nbformat": st.just(4), "cells": st.lists(cells, max_size=5)}, optional={"x": values}
)
layouts = st.fixed_dictionaries({"indent": st.sampled_from([None, 1, 3]), "sort_keys": st.booleans()})


def dump(value: object, **layout: Any) -> bytes:
    return json.dumps(value, **layout).encode()


def store_of(notebook: Notebook) -> tuple[Digest, dict[Digest, bytes]]:
    """Split a notebook and keep its objects in a dict."""
    root, objects = tree.split(notebook)
    return root, {part.digest: part.data for part in objects}


def long_notebook(count: int) -> Notebook:
    cells = tuple(Cell(type="code", source=f"x = {n}", id=f"cell{n}") for n in range(count))  # type: ignore[arg-type]
    return codec.read(codec.write(Notebook(cells=cells)))


@settings(max_examples=80, deadline=None)
@given(notebooks, layouts)
def test_join_of_split_is_the_notebook_and_its_text(value: dict[str, Any], layout: dict[str, Any]) -> None:
    data = dump(value, **layout)
    notebook = codec.read(data)
    root, objects = store_of(notebook)
    again = tree.join(root, objects.__getitem__)
    assert repr(again) == repr(notebook)  # repr: NaN is not equal to itself
    assert codec.write(again) == data


@settings(max_examples=20, deadline=None)
@given(notebooks)
def test_every_object_is_reached_from_the_root(value: dict[str, Any]) -> None:
    root, objects = store_of(codec.read(dump(value).replace(b": ", b" : ")))
    reached, queue = set(), [root]
    while queue:
        digest = queue.pop()
        reached.add(digest)
        payload = objects[digest]
        if payload[:1] in (b"\x93", b"\x96"):  # msgpack arrays: trees; cells are text
            queue += tree.referenced_digests(payload)
    assert reached == set(objects)


def test_an_edit_in_a_long_notebook_adds_a_cell_a_group_and_a_root() -> None:
    notebook = long_notebook(2000)
    edited = msgspec.structs.replace(notebook.cells[1000], source="y = 1")
    changed = msgspec.structs.replace(notebook, cells=(*notebook.cells[:1000], edited, *notebook.cells[1001:]))
    _, before = store_of(notebook)
    _, after = store_of(changed)
    assert 3 <= len(after.keys() - before.keys()) <= 4
    assert sum(len(after[digest]) for digest in after.keys() - before.keys()) < 16_000


def test_an_inserted_cell_moves_no_other_group() -> None:
    notebook = long_notebook(2000)
    new = Cell(type="raw", source="new", keys=("cell_type", "source"))
    _, before = store_of(notebook)
    _, after = store_of(msgspec.structs.replace(notebook, cells=(new, *notebook.cells)))
    assert len(after.keys() - before.keys()) <= 4


def test_cell_digests_come_in_document_order_and_equal_cells_share_one() -> None:
    notebook = codec.read(dump({"nbformat": 4, "cells": [{"cell_type": "raw", "source": s} for s in "aba"]}))
    root, objects = store_of(notebook)
    first, second, third = tree.cell_digests(root, objects.__getitem__)
    assert first == third != second


@pytest.mark.parametrize("payload", [b"", b"x", msgspec.msgpack.encode([1, "root", 3]), msgspec.msgpack.encode([1])])
def test_bytes_that_are_no_tree_are_called_corrupt(payload: bytes) -> None:
    with pytest.raises(CorruptStoreError):
        tree.referenced_digests(payload)


def test_a_newer_tree_is_refused() -> None:
    with pytest.raises(UnsupportedFormatError, match="format 2"):
        tree.referenced_digests(msgspec.msgpack.encode([2, "root"]))


def test_the_format_of_a_tree_stays_what_it_is() -> None:
    """A change here is a change of the format: the number goes up and docs/format-notebook.md says so."""
    cells = [
        {"cell_type": "markdown", "id": "a", "metadata": {}, "source": ["# Café\n", "text"]},
        {"cell_type": "code", "execution_count": 1, "id": "b", "metadata": {}, "outputs": [], "source": "x = 1E5"},
    ]
    data = dump({"cells": cells, "metadata": {"x": 1e-07}, "nbformat": 4, "nbformat_minor": 5}, indent=1) + b"\n"
    root, objects = tree.split(codec.read(data))
    assert [part.kind for part in objects] == ["CELL", "CELL", "TREE", "TREE"]
    assert root.hex() == "fd4a34a89dc240d1bcb945e85632bfc2903d213d66a1dcafdb3c3a446539d13c"
    assert objects[1].data == (
        b'{"cell_type":"code","execution_count":1,"id":"b","metadata":{},"outputs":[],"source":"x = 1E5"}'
    )
