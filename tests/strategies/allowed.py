"""Strategies of notebooks as JSON: allowed by nbformat, and nearly so."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import strategies as st

words = st.text(alphabet="ab_- ,\n1é<", max_size=6)
junk = st.sampled_from([None, True, False, 0, 1, -1, 2.0, 0.5, "", "x", "a,b", [], ["x"], [1], {}, {"a": 1}])
texts = words | st.lists(words, max_size=3)
ids = st.sampled_from(["a", "b", "c-1", "D_2", "eeee", "f" * 64])
bundles = st.dictionaries(st.sampled_from(["text/plain", "text/html", "image/png", "image/svg+xml"]), texts, max_size=2)
counts = st.none() | st.integers(0, 9)
tags = st.lists(st.sampled_from(["x", "keep-output", "remove-output", "parameters"]), unique=True, max_size=2)
metadata = st.fixed_dictionaries(
    {},
    optional={
        "tags": tags,
        "collapsed": st.booleans(),
        "scrolled": st.sampled_from([True, False, "auto"]),
        "jupyter": st.fixed_dictionaries({}, optional={"source_hidden": st.booleans()}),
        "execution": st.dictionaries(st.sampled_from(["iopub.status.busy", "z"]), words, max_size=1),
        "mine": words,
    },
)
outputs = st.one_of(
    st.fixed_dictionaries(
        {"output_type": st.just("stream"), "name": st.sampled_from(["stdout", "stderr"]), "text": texts}
    ),
    st.fixed_dictionaries({"output_type": st.just("display_data"), "data": bundles, "metadata": st.just({})}),
    st.fixed_dictionaries(
        {"output_type": st.just("execute_result"), "data": bundles, "metadata": st.just({}), "execution_count": counts}
    ),
    st.fixed_dictionaries(
        {"output_type": st.just("error"), "ename": words, "evalue": words, "traceback": st.lists(words, max_size=2)}
    ),
)
text_cells = st.fixed_dictionaries(
    {"cell_type": st.sampled_from(["markdown", "raw"]), "metadata": metadata, "source": texts},
    optional={"attachments": st.dictionaries(words, bundles, max_size=1)},
)
code_cells = st.fixed_dictionaries(
    {
        "cell_type": st.just("code"),
        "metadata": metadata,
        "source": texts,
        "outputs": st.lists(outputs, max_size=3),
        "execution_count": counts,
    }
)
notebook_metadata = st.fixed_dictionaries(
    {},
    optional={
        "kernelspec": st.fixed_dictionaries({"name": words, "display_name": words}),
        "language_info": st.fixed_dictionaries(
            {"name": words}, optional={"version": words, "codemirror_mode": words | st.just({"a": 1})}
        ),
        "title": words,
        "authors": st.just([]),
        "widgets": st.just({"application/vnd.jupyter.widget-state+json": {"state": {}}}),
    },
)


@st.composite
def notebooks(draw: st.DrawFn, *, minors: range = range(6)) -> dict[str, Any]:
    """A notebook that nbformat allows."""
    minor = draw(st.sampled_from(minors))
    cells = draw(st.lists(text_cells | code_cells, max_size=4))
    if minor >= 5:
        names = draw(st.lists(ids, min_size=len(cells), max_size=len(cells), unique=True))
        cells = [{**cell, "id": name} for cell, name in zip(cells, names, strict=True)]
    return {"cells": cells, "metadata": draw(notebook_metadata), "nbformat": 4, "nbformat_minor": minor}


def _spots(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [(*path, key) for key, _ in inner] + [spot for key, each in inner for spot in _spots(each, (*path, key))]


_NAMES = st.sampled_from(
    "id metadata outputs execution_count attachments tags name jupyter execution collapsed scrolled format title "
    "authors orig_nbformat kernelspec language_info extra source cell_type nbformat_minor".split()
)


@st.composite
def nearly(draw: st.DrawFn, *, changes: int = 2) -> dict[str, Any]:
    """A notebook with a few values removed, replaced or put in where they may not belong."""
    value = copy.deepcopy(draw(notebooks()))
    for _ in range(draw(st.integers(0, changes))):
        spots = [spot for spot in _spots(value) if spot not in (("nbformat",), ("cells",))]
        if not spots:
            break
        spot = draw(st.sampled_from(spots))
        holder = value
        for step in spot[:-1]:
            holder = holder[step]
        how = draw(st.sampled_from(["remove", "replace", "add"]))
        if how == "remove":
            del holder[spot[-1]]
        elif how == "replace":
            holder[spot[-1]] = copy.deepcopy(draw(junk))
        elif isinstance(holder, dict):
            holder[draw(_NAMES)] = copy.deepcopy(draw(junk))
        value.setdefault("cells", [])
    return value
