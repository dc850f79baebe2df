"""Two versions of a notebook with every kind of change, and a git repository that holds the first."""

from __future__ import annotations

import base64
import json
import struct
import subprocess
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Cell = dict[str, Any]
_SPEC = {"display_name": "Python 3", "language": "python", "name": "python3"}


def picture(colour: tuple[int, int, int], size: int = 96, mark: int = 0) -> str:
    """Return a PNG in base64: a square of a colour, with a bar of `mark` pixels in black."""
    rows = b"".join(
        b"\0" + b"".join(bytes((0, 0, 0) if x < mark and size // 3 < y < size // 2 else colour) for x in range(size))
        for y in range(size)
    )

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return base64.b64encode(data).decode()


def code(id: str, source: str, outputs: Sequence[Cell] = (), count: int | None = None, **metadata: Any) -> Cell:
    return {
        "cell_type": "code",
        "id": id,
        "metadata": metadata,
        "execution_count": count,
        "outputs": list(outputs),
        "source": source,
    }


def markdown(id: str, source: str) -> Cell:
    return {"cell_type": "markdown", "id": id, "metadata": {}, "source": source}


def stream(text: str, name: str = "stdout") -> Cell:
    return {"output_type": "stream", "name": name, "text": text}


def shown(data: dict[str, Any]) -> Cell:
    return {"output_type": "display_data", "metadata": {}, "data": data}


def notebook(cells: Sequence[Cell], **metadata: Any) -> dict[str, Any]:
    return {"cells": list(cells), "metadata": {"kernelspec": _SPEC, **metadata}, "nbformat": 4, "nbformat_minor": 5}


def table(rows: Sequence[Sequence[object]]) -> str:
    head = "<thead><tr><th></th><th>city</th><th>price</th></tr></thead>"
    body = "".join("<tr>" + "".join(f"<td>{value}</td>" for value in row) + "</tr>" for row in rows)
    return f'<table border="1" class="dataframe">{head}<tbody>{body}</tbody></table>'


LOAD = """import pandas as pd

def load(name):
    frame = pd.read_csv(name)
    frame = frame.dropna()
    return frame

prices = load("prices.csv")"""
PLOT = 'ax = prices.plot(kind="line", title="Prices per month")\nax.set_ylabel("EUR")'
LONG = "\n".join(f"step_{n} = compute({n}, rate=0.1)" for n in range(40))
BEFORE = notebook(
    [
        markdown("intro", "# Prices\n\nWhat flats cost, by month."),
        code("load", LOAD, count=1),
        code(
            "look",
            "prices.head()",
            [shown({"text/html": table([(0, "Bonn", 11), (1, "Kiel", 9)]), "text/plain": "…"})],
            2,
        ),
        markdown("clean-up", "## Clean"),
        code("steps", LONG, count=3),
        code("plot", PLOT, [shown({"image/png": picture((60, 110, 200), mark=20), "text/plain": "<Axes>"})], 4),
        code("old", "prices.describe()\nprices.info()", [stream("12 rows\n")], 5),
        markdown("fit-up", "## Fit"),
        code("fit", "model = fit(prices)\nprint(model.score())", [stream("score 0.81\nrows 120\n")], 6),
        code("noisy", "object()", [shown({"text/plain": "<object object at 0x7f12345678a0>"})], 7),
        code("tagged", "save(model)", count=8),
    ]
)
AFTER = notebook(
    [
        markdown("intro", "# Prices\n\nWhat flats cost, by month and city."),
        code("plot", PLOT, [shown({"image/png": picture((60, 110, 200), mark=70), "text/plain": "<Axes>"})], 4),
        code("load", LOAD.replace("dropna()", 'dropna(subset=["price"])'), count=1),
        code(
            "look",
            "prices.head()",
            [shown({"text/html": table([(0, "Bonn", 12), (1, "Kiel", 9)]), "text/plain": "…"})],
            2,
        ),
        markdown("clean-up", "## Clean"),
        code("steps", LONG.replace("compute(20, rate=0.1)", "compute(20, rate=0.25)"), count=3),
        markdown("fit-up", "## Fit"),
        code("fit", "model = fit(prices)\nprint(model.score())", [stream("score 0.86\nrows 120\n")], 6),
        code("new", "residuals = prices - model.predict(prices)\nresiduals.hist()", count=7),
        code("noisy", "object()", [shown({"text/plain": "<object object at 0x7f99999999a0>"})], 9),
        code("tagged", "save(model)", count=8, tags=["export"], editable=False),
    ],
    title="Prices of flats",
)


def write(path: Path, document: dict[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return path


def git(folder: Path, *words: str) -> str:
    who = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    return subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True, text=True).stdout


def committed(folder: Path, name: str = "prices.ipynb", before: Any = BEFORE, after: Any = AFTER) -> Path:
    """Make `folder` a git repository whose HEAD has `before` and whose working copy has `after`."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / ".git").exists():
        git(folder, "init", "-q", "-b", "main")
    path = write(folder / name, before)
    git(folder, "add", name)
    git(folder, "commit", "-qm", f"add {name}")
    return write(path, after)
