"""Hypothesis strategies for notebooks that are pipelines without errors, and for edits of them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from nbcellar.notebook.model import Notebook
from nbcellar.notebook.plain import from_plain

SOURCES = (
    "x = 1",
    "y = x + 1",
    "x = []\nx.append(2)",
    "def f():\n    return scale * x",
    "z = f()",
    "import math",
    "print(math.pi, z)",
    "\n",
    "# nothing\n",
    "w = 'é\u2028'\n\n",
    "broken = (",
)
TEXTS = ("# Title", "Some *text*\nin lines\n", "")
names = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Zl", "Zp", "Zs")), min_size=1, max_size=8)
later = st.dictionaries(st.sampled_from(["owner", "x-later"]), st.integers() | st.text(max_size=4), max_size=2)
values = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5)
)


@st.composite
def pipelines(draw: st.DrawFn, *, named: bool = True) -> Notebook:
    """A notebook whose components have names, policies and declared edges that make no cycle; Markdown between."""
    count = draw(st.integers(1, 7))
    called = draw(st.lists(names, min_size=count, max_size=count, unique=True))
    cells: list[dict[str, Any]] = []
    known: list[str] = []
    for place in range(count):
        id = f"c{place}"
        kind = draw(st.sampled_from(["component", "component", "component", "markdown", "code", "parameters"]))
        if kind == "markdown":
            cells.append(_cell(id, "markdown", draw(st.sampled_from(TEXTS)), {}))
            continue
        source = (
            draw(st.sampled_from(SOURCES)) if kind != "parameters" else draw(st.sampled_from(["k = 3", "t = (1,)"]))
        )
        metadata: dict[str, Any] = {"tags": ["parameters"]} if kind == "parameters" else {}
        if kind == "component" and named:
            after = draw(st.lists(st.sampled_from(known), unique=True, max_size=2)) if known else []
            said = {"name": called[place], **draw(_policies), **draw(later), **({"after": after} if after else {})}
            metadata["cellar"] = {"component": said}
            known.append(id)
        cells.append(_cell(id, "code", source, metadata))
    parameters = draw(st.dictionaries(st.sampled_from(["scale", "title"]), values, max_size=2))
    held = {"cellar": {"parameters": parameters}} if parameters else {}
    return from_plain({"cells": cells, "metadata": {"author": "é", **held}, "nbformat": 4, "nbformat_minor": 5})


_policies = st.fixed_dictionaries(
    {},
    optional={
        "cache": st.booleans(),
        "freeze": st.booleans(),
        "retries": st.integers(0, 3),
        "timeout_s": st.none() | st.integers(1, 100),
    },
)


def _cell(id: str, kind: str, source: str, metadata: dict[str, Any]) -> dict[str, Any]:
    own = {"outputs": [], "execution_count": None} if kind == "code" else {}
    return {"cell_type": kind, "id": id, "metadata": metadata, "source": source, **own}
