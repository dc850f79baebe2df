"""Small notebooks for the tests of merging."""

from __future__ import annotations

from typing import Any

from nbcellar.ids import CellId
from nbcellar.notebook.model import Cell, Notebook


def code(id_: str, source: str, printed: str | None = None, count: int | None = None, **more: Any) -> Cell:
    outputs = () if printed is None else ({"output_type": "stream", "name": "stdout", "text": [printed]},)
    return Cell(type="code", source=source, id=CellId(id_), outputs=outputs, execution_count=count, **more)


def text(id_: str, source: str, **more: Any) -> Cell:
    return Cell(type="markdown", source=source, id=CellId(id_), **more)


def notebook(*cells: Cell, minor: int = 5, **metadata: Any) -> Notebook:
    return Notebook(cells=cells, nbformat_minor=minor, metadata=metadata)


BASE = notebook(
    text("title", "# Prices\n\nWhat they did."),
    code("load", "import pandas as pd\n\nprices = pd.read_csv('prices.csv')", count=1),
    code("clean", "prices = prices.dropna()\nprices = prices.sort_values('day')", count=2),
    code("mean", "prices.groupby('shop').price.mean()", "3.5\n", 3),
    text("end", "That is all."),
)
