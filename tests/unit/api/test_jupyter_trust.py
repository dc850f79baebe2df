"""Jupyter's trust after merging and deciding: nbformat's own notary is asked whether a notebook is trusted."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import nbformat
import pytest
from nbformat.sign import NotebookNotary

from nbcellar.api.jupyter_trust import data_folder, keep_trusted
from nbcellar.cli import main
from nbcellar.cli.console import Console
from nbcellar.ids import CellId
from nbcellar.notebook.codec import write
from nbcellar.notebook.model import Cell, Notebook


def shown(html: str, source: str = "show()", **metadata: Any) -> Notebook:
    output = {"output_type": "display_data", "data": {"text/html": [f"{html}\n", "é"]}, "metadata": {"n": [1e5, None]}}
    cells = (
        Cell(type="code", source="import x", id=CellId("first"), outputs=(), metadata={"trusted": False}),
        Cell(type="code", source=source, id=CellId("cell"), outputs=(output,), execution_count=1),
    )
    return Notebook(cells=cells, metadata={"signature": "old", "on": True, **metadata})


BASE = shown("<b>base</b>")
OURS = shown("<b>ours</b>", "show(1)")
THEIRS = msgspec.structs.replace(BASE, cells=(*BASE.cells, Cell(type="markdown", source="# End", id=CellId("end"))))
WITH_SCRIPT = msgspec.structs.replace(
    BASE,
    cells=(*BASE.cells, msgspec.structs.replace(shown("<script>").cells[1], id=CellId("evil"), source="evil()")),
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "data").mkdir()
    return tmp_path


@pytest.fixture
def notary(folder: Path) -> Iterator[Any]:
    made = NotebookNotary(data_dir=str(folder / "data"))
    yield made
    made.store.close()


def trust(notary: Any, notebook: Notebook) -> None:
    notary.sign(nbformat.reads(write(notebook).decode(), as_version=4))


def is_trusted(notary: Any, path: Path) -> bool:
    return bool(notary.check_signature(nbformat.read(path, as_version=4)))


def merge(folder: Path, theirs: Notebook, *options: str) -> Path:
    for name, notebook in (("base", BASE), ("ours", OURS), ("theirs", theirs)):
        (folder / f"{name}.ipynb").write_bytes(write(notebook))
    run(folder, "merge-file", "base.ipynb", "ours.ipynb", "theirs.ipynb", "-o", "merged.ipynb", *options)
    return folder / "merged.ipynb"


def run(folder: Path, *words: str) -> int:
    return main.run(list(words), Console(out=io.StringIO(), err=io.StringIO(), environ=os.environ, folder=folder))


def test_outputs_of_a_trusted_side_alone_stay_trusted(folder: Path, notary: Any) -> None:
    trust(notary, OURS)
    assert is_trusted(notary, merge(folder, THEIRS))


def test_what_was_pulled_is_not_trusted_by_a_merge(folder: Path, notary: Any) -> None:
    trust(notary, OURS)
    merged = merge(folder, WITH_SCRIPT)
    assert "<script>" in merged.read_text()
    assert not is_trusted(notary, merged)
    trust(notary, WITH_SCRIPT)
    assert is_trusted(notary, merge(folder, WITH_SCRIPT))


def test_nothing_is_trusted_where_no_side_was(folder: Path, notary: Any) -> None:
    trust(notary, shown("another"))
    assert not is_trusted(notary, merge(folder, THEIRS))
    assert not is_trusted(notary, merge(folder, BASE))


def test_the_state_of_widgets_counts_as_an_output(folder: Path, notary: Any) -> None:
    trust(notary, OURS)
    pulled = msgspec.structs.replace(THEIRS, metadata={**THEIRS.metadata, "widgets": {"state": "<script>"}})
    merged = merge(folder, pulled)
    assert "widgets" in json.loads(merged.read_text())["metadata"]
    assert not is_trusted(notary, merged)


@pytest.mark.parametrize("option", ["--ours", "--theirs", "--both", "--base"])
def test_deciding_keeps_the_trust_that_there_was(option: str, folder: Path, notary: Any) -> None:
    theirs = shown("<b>theirs</b>", "show(2)")
    for both in (False, True):
        trust(notary, OURS)
        if both:
            trust(notary, theirs)
        merged = merge(folder, theirs)
        assert is_trusted(notary, merged) is both
        assert run(folder, "resolve", "merged.ipynb", option) == 0
        # With ours for all it is the trusted text. Without outputs, as the base of a conflict is, nothing is to sign.
        assert is_trusted(notary, merged) is (option == "--ours" or (both and option != "--base"))


def test_a_patch_that_brings_an_output_takes_the_trust(folder: Path, notary: Any) -> None:
    trust(notary, BASE)
    for name, notebook in (("base", BASE), ("script", WITH_SCRIPT), ("text", THEIRS)):
        (folder / f"{name}.ipynb").write_bytes(write(notebook))
    for name, stays in (("script", False), ("text", True)):
        out = io.StringIO()
        console = Console(out=out, err=io.StringIO(), environ=os.environ, folder=folder)
        main.run(["diff", "base.ipynb", f"{name}.ipynb", "--json"], console)
        (folder / "change.json").write_text(out.getvalue())
        target = folder / "patched.ipynb"
        target.write_bytes(write(BASE))
        assert run(folder, "patch", "patched.ipynb", "change.json") == 0
        assert target.read_bytes() == (folder / f"{name}.ipynb").read_bytes()
        assert is_trusted(notary, target) is stays


def test_without_jupyters_database_nothing_is_made(folder: Path) -> None:
    assert not keep_trusted([write(OURS)], write(OURS), os.environ)
    assert not list(data_folder(os.environ).iterdir())


@pytest.mark.parametrize("side", [b"", b"{}", b"[", b'{"nbformat": 3, "metadata": {}, "cells": []}', b"\xff"])
def test_what_is_no_notebook_is_not_trusted(side: bytes, notary: Any) -> None:
    trust(notary, OURS)
    assert not keep_trusted([side], write(OURS), os.environ)
    assert not keep_trusted([write(OURS)], side + b'"output_type"', os.environ)
