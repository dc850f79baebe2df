"""`cellar merge-file` and `cellar resolve`: what they print, what they write, and what bad input does (nothing)."""

from __future__ import annotations

import io
import json
import os
import shlex
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from nbcellar.cli import main
from nbcellar.cli.console import Console
from nbcellar.ids import CellId
from nbcellar.notebook.codec import read, write
from nbcellar.notebook.model import Cell, Notebook

ROOT = Path(__file__).parents[3]
TRANSCRIPTS = Path(__file__).parent / "transcripts"
WRITE = bool(os.environ.get("NBCELLAR_WRITE_TRANSCRIPTS"))

BASE = Notebook(
    cells=(
        Cell(type="markdown", source="# Prices", id=CellId("title")),
        Cell(
            type="code", source="import pandas as pd\nprices = pd.read_csv('prices.csv')", id=CellId("load"), outputs=()
        ),
        Cell(type="code", source="prices.mean()", id=CellId("mean"), outputs=()),
        Cell(type="markdown", source="The end.", id=CellId("end")),
    ),
    metadata={"title": "Prices"},
)


def changed(sources: dict[int, str], *, without: int | None = None, title: str = "Prices") -> Notebook:
    cells = [
        msgspec.structs.replace(cell, source=sources.get(place, cell.source))
        for place, cell in enumerate(BASE.cells)
        if place != without
    ]
    return msgspec.structs.replace(BASE, cells=tuple(cells), metadata={"title": title})


@dataclass
class Shell:
    folder: Path
    out: str = ""
    err: str = ""
    environ: dict[str, str] = field(default_factory=dict)

    def run(self, line: str) -> int:
        out, err = io.StringIO(), io.StringIO()
        code = main.run(shlex.split(line), Console(out=out, err=err, environ=self.environ, folder=self.folder))
        self.out, self.err = out.getvalue(), err.getvalue()
        return code

    def notebook(self, name: str) -> Notebook:
        return read((self.folder / name).read_bytes())


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    files = {
        "base": BASE,
        "ours": changed({2: "prices.median()", 1: "import pandas as pd\nprices = pd.read_parquet('prices.csv')"}),
        "theirs": changed({2: "prices.max()"}, without=3, title="All prices"),
        "run": msgspec.structs.replace(
            BASE, cells=(*BASE.cells[:2], msgspec.structs.replace(BASE.cells[2], execution_count=4), BASE.cells[3])
        ),
        "renamed": changed({3: "Fin."}, title="Our prices"),
    }
    for name, notebook in files.items():
        (tmp_path / f"{name}.ipynb").write_bytes(write(notebook))
    (tmp_path / "torn.ipynb").write_bytes(write(BASE)[:200])
    (tmp_path / "empty.ipynb").write_bytes(b"")
    (tmp_path / "odd.ipynb").write_text('{"nbformat": 5, "nbformat_minor": 0, "metadata": {}, "cells": []}')
    (tmp_path / "latin.ipynb").write_bytes(b'{"cells": ["\xe9"]}')
    return Shell(tmp_path)


COMMANDS = [
    "merge-file base.ipynb ours.ipynb theirs.ipynb -o merged.ipynb",
    "merge-file base.ipynb ours.ipynb run.ipynb -o clean.ipynb",
    "merge-file base.ipynb theirs.ipynb renamed.ipynb -o settings.ipynb -L main -L base -L 'feature/x'",
    "merge-file base.ipynb theirs.ipynb renamed.ipynb --conflicts ours -o settled.ipynb",
    "resolve merged.ipynb --list",
    "resolve merged.ipynb",
    "resolve merged.ipynb --take nothing=ours",
    "resolve merged.ipynb --take mine",
    "resolve settings.ipynb --both",
    "resolve settings.ipynb --theirs",
    "resolve settings.ipynb --list",
    "resolve clean.ipynb --ours",
    "merge-file base.ipynb ours.ipynb nowhere.ipynb",
    "merge-file base.ipynb ours.ipynb torn.ipynb",
    "merge-file base.ipynb ours.ipynb odd.ipynb",
    "merge-file base.ipynb latin.ipynb ours.ipynb",
    "merge-file base.ipynb ours.ipynb .",
    "merge-file base.ipynb - -",
    "merge-file base.ipynb ours.ipynb theirs.ipynb -o nowhere/merged.ipynb",
    "merge-file base.ipynb ours.ipynb",
    "resolve torn.ipynb --ours",
]


def test_transcript(shell: Shell) -> None:
    lines = []
    for line in COMMANDS:
        code = shell.run(line)
        lines += [f"$ cellar {line}", shell.out + shell.err + (f"[exit {code}]\n" if code else "")]
    found = "\n".join(lines).replace(str(shell.folder), "<project>")
    path = TRANSCRIPTS / "merge.txt"
    if WRITE:
        path.write_text(found, "utf-8")
    assert path.read_text("utf-8") == found


def test_without_an_output_file_the_notebook_is_printed(shell: Shell) -> None:
    assert shell.run("merge-file base.ipynb ours.ipynb run.ipynb") == 0
    assert read(shell.out.encode()).cells[2].execution_count == 4
    assert shell.run("merge-file empty.ipynb ours.ipynb ours.ipynb") == 0
    assert shell.out.encode() == (shell.folder / "ours.ipynb").read_bytes()


def test_the_report_is_what_its_schema_says(shell: Shell) -> None:
    assert shell.run("merge-file base.ipynb ours.ipynb theirs.ipynb --json -o merged.ipynb") == 1
    schema = json.loads((ROOT / "docs" / "schemas" / "merge-file.json").read_text("utf-8"))
    report = json.loads(shell.out)
    jsonschema.validate(report, schema)
    assert [(conflict["what"], conflict["cell"]) for conflict in report["conflicts"]] == [(["source"], 3)]
    assert report["conflicts"][0]["ours"] == "prices.median()"


def test_a_merge_onto_one_of_its_versions_keeps_mode_and_link(shell: Shell) -> None:
    (shell.folder / "ours.ipynb").chmod(0o640)
    (shell.folder / "link.ipynb").symlink_to("ours.ipynb")
    assert shell.run("merge-file base.ipynb ours.ipynb run.ipynb -o link.ipynb") == 0
    assert (shell.folder / "link.ipynb").is_symlink()
    assert shell.notebook("ours.ipynb").cells[2].execution_count == 4
    assert stat.S_IMODE((shell.folder / "ours.ipynb").stat().st_mode) == 0o640
    assert not list(shell.folder.glob(".*"))


def answers(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(Console, "can_ask", True)
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def test_asking(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.run("merge-file base.ipynb theirs.ipynb renamed.ipynb -o merged.ipynb")
    assert len(shell.notebook("merged.ipynb").cells) == 3 + 1 + 4
    answers(monkeypatch, "x\ns\nt\n")
    assert shell.run("resolve merged.ipynb") == 1
    assert "conflict 2 of 2" in shell.err
    assert "deleted this cell" in shell.err
    assert shell.notebook("merged.ipynb").cells[-1].source == "Fin."
    answers(monkeypatch, "o\n")
    assert shell.run("resolve merged.ipynb") == 0
    assert shell.notebook("merged.ipynb").metadata == {"title": "All prices"}


def test_leaving_off_keeps_what_was_decided(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.run("merge-file base.ipynb theirs.ipynb renamed.ipynb -o merged.ipynb")
    answers(monkeypatch, "a\n")  # and then the input ends
    assert shell.run("resolve merged.ipynb") == 1
    assert shell.notebook("merged.ipynb").metadata == {"title": "Prices"}


@pytest.mark.parametrize(("script", "taken"), [("s/.*/mine()/;1!d", True), ("p", False), ("badcommand", False)])
def test_a_text_of_ones_own(shell: Shell, monkeypatch: pytest.MonkeyPatch, script: str, taken: bool) -> None:
    shell.run("merge-file base.ipynb ours.ipynb theirs.ipynb -o merged.ipynb")
    shell.environ["EDITOR"] = f"sed -i '{script}'"
    answers(monkeypatch, "e\nq\n")
    assert shell.run("resolve merged.ipynb") == (0 if taken else 1)
    assert ("mine()" in [cell.source for cell in shell.notebook("merged.ipynb").cells]) == taken
    assert ("nothing taken" in shell.err) == (not taken)


def test_colours_show_whose_line_it_is(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.run("merge-file base.ipynb ours.ipynb theirs.ipynb -o merged.ipynb")
    answers(monkeypatch, "q\n")
    shell.run("--color always resolve merged.ipynb")
    assert "\x1b[32m  - prices.median()\x1b[0m" in shell.err
    assert "\x1b[34m  + prices.max()\x1b[0m" in shell.err


def test_a_notebook_that_was_saved_meanwhile_is_left(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    from nbcellar.merge import resolving

    assert shell.run("merge-file base.ipynb ours.ipynb theirs.ipynb -o merged.ipynb") == 1
    merged = shell.folder / "merged.ipynb"
    decide = resolving.resolve

    def decide_while_jupyter_saves(*args: Any) -> Notebook:
        merged.write_bytes(write(BASE))
        return decide(*args)

    monkeypatch.setattr(resolving, "resolve", decide_while_jupyter_saves)
    assert shell.run("resolve merged.ipynb --theirs") == 2
    assert "was changed by another program meanwhile" in shell.err
    assert merged.read_bytes() == write(BASE)


@pytest.mark.parametrize("line", ["resolve pipe.ipynb --ours", "patch pipe.ipynb change.json"])
def test_a_pipe_is_refused_and_not_waited_for(line: str, shell: Shell) -> None:
    os.mkfifo(shell.folder / "pipe.ipynb")
    (shell.folder / "change.json").write_text("[]")
    assert shell.run(line) == 2
    assert "is no file" in shell.err


def test_names_from_a_notebook_hold_no_escape_sequences(shell: Shell) -> None:
    tricks = "\x1b]0;title\x07\x1b[31m\u202e\r"
    for name, value in (("base", 1), ("ours", 2), ("theirs", 3)):
        made = msgspec.structs.replace(BASE, metadata={f"key{tricks}": value})
        (shell.folder / f"{name}.ipynb").write_bytes(write(made))
    said = []
    shell.run("merge-file base.ipynb ours.ipynb theirs.ipynb -o merged.ipynb --conflicts ours")
    said.append(shell.err)
    mark = {"id": f"id{tricks}", "role": "begin", "what": [tricks], "labels": {"ours": tricks}}
    note = Cell(type="markdown", source="note", id=CellId("note"), metadata={"cellar": {"conflict": mark}})
    (shell.folder / f"open{tricks}.ipynb").write_bytes(write(msgspec.structs.replace(BASE, cells=(note,))))
    for option in ("--list", "--take no=ours", "--base"):
        shell.run(f"resolve 'open{tricks}.ipynb' {option}")
        said += [shell.out, shell.err]
    assert "key" in said[0] and "id" in said[1]
    assert not any(letter in text for text in said for letter in "\x1b\x07\r\u202e")


@pytest.mark.parametrize(
    ("source", "script"), [("x = 1\r\ny = '\ud800'", "true"), ("x = 1", "printf \\\\377 >")], ids=["odd", "latin"]
)
def test_odd_text_in_the_editor(source: str, script: str, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in (("base", "z"), ("ours", source), ("theirs", source)):
        cell = msgspec.structs.replace(BASE.cells[1], source=text, metadata={"k": name})
        (shell.folder / f"{name}.ipynb").write_bytes(write(msgspec.structs.replace(BASE, cells=(cell,))))
    assert shell.run("merge-file base.ipynb ours.ipynb theirs.ipynb -o merged.ipynb") == 1
    shell.environ["EDITOR"] = f"sh -c '{script} \"$0\"'"
    answers(monkeypatch, "e\nq\n")
    code = shell.run("resolve merged.ipynb")
    if script == "true":
        assert code == 0
        assert [cell.source for cell in shell.notebook("merged.ipynb").cells] == [source]
    else:
        assert code == 1
        assert "not UTF-8" in shell.err
