"""`cellar show NOTEBOOK`: what a notebook looks like in a terminal."""

from __future__ import annotations

import io
import os
import shlex
from pathlib import Path

import pytest

from nbcellar.cli import main
from nbcellar.cli.console import Console
from nbcellar.ids import CellId
from nbcellar.notebook.codec import read, write
from nbcellar.notebook.model import Cell, Notebook

TRANSCRIPTS = Path(__file__).parent / "transcripts"
WRITE = bool(os.environ.get("NBCELLAR_WRITE_TRANSCRIPTS"))

CELLS = (
    Cell(
        type="markdown",
        source="# Prices\n\n![](attachment:a.png)",
        id=CellId("title"),
        attachments={"a.png": {"image/png": "aGk="}},
    ),
    Cell(
        type="code",
        source="import os\nfor i in range(50):\n    print(i)  # \x1b[31mred",
        id=CellId("loop"),
        metadata={"tags": ["slow"]},
        execution_count=3,
        outputs=(
            {"output_type": "stream", "name": "stdout", "text": [f"{i}\n" for i in range(50)]},
            {"output_type": "stream", "name": "stderr", "text": "careful\x1b]0;title\x07"},
            {
                "output_type": "execute_result",
                "execution_count": 3,
                "metadata": {},
                "data": {"text/plain": ["<Figure>"], "image/png": "aGVsbG8gd29ybGQ="},
            },
        ),
    ),
    Cell(
        type="code",
        source="1 / 0",
        id=CellId("fail"),
        outputs=(
            {
                "output_type": "error",
                "ename": "ZeroDivisionError",
                "evalue": "division by zero",
                "traceback": ["\x1b[31mTraceback\x1b[0m", "ZeroDivisionError: division by zero"],
            },
        ),
    ),
    Cell(type="raw", source="", id=CellId("raw")),
)
NOTEBOOK = Notebook(
    cells=CELLS, metadata={"kernelspec": {"name": "python3", "language": "python", "display_name": "Python"}}
)
COMMANDS = [
    "show prices.ipynb",
    "show prices.ipynb --cell 2 --no-outputs --metadata",
    "--color always show prices.ipynb --cell 2 --cell 3 --all",
    "show prices.ipynb --cell 9",
    "show nowhere.ipynb",
]


def run(folder: Path, line: str) -> tuple[int, str]:
    out = io.StringIO()
    code = main.run(shlex.split(line), Console(out=out, err=out, environ={}, folder=folder))
    return code, out.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "prices.ipynb").write_bytes(write(NOTEBOOK))
    return tmp_path


def test_transcript(folder: Path) -> None:
    lines = []
    for line in COMMANDS:
        code, said = run(folder, line)
        lines += [f"$ cellar {line}", said + (f"[exit {code}]\n" if code else "")]
    found = "\n".join(lines).replace("\x1b", "<esc>")
    path = TRANSCRIPTS / "show-notebook.txt"
    if WRITE:
        path.write_text(found, "utf-8")
    assert path.read_text("utf-8") == found


def test_as_json_it_is_the_file(folder: Path) -> None:
    _, said = run(folder, "show prices.ipynb --json")
    assert read(said.encode()) == read((folder / "prices.ipynb").read_bytes())
