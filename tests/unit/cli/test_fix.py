"""What `cellar fix` mends, says and leaves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import nbcellar
from nbcellar.cli import clean, main

SCHEMA = Path(__file__).parents[3] / "docs" / "schemas" / "fix.json"
HOOKS = Path(__file__).parents[3] / ".pre-commit-hooks.yaml"


def notebook(**more: Any) -> dict[str, Any]:
    cell = {"cell_type": "code", "execution_count": None, "id": "a", "metadata": {}, "outputs": [], "source": ["x"]}
    return {"cells": [cell, {**cell, **more}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


@pytest.fixture
def folder(shell: Any) -> Path:
    made = shell.folder / "work"
    made.mkdir()
    shell.folder = made
    files = {"good.ipynb": notebook(id="b"), "twice.ipynb": notebook(), "odd.ipynb": notebook(id="b", source=[[1]])}
    for name, value in files.items():
        (made / name).write_text(json.dumps(value, indent=1), "utf-8")
    return made  # type: ignore[no-any-return]


def test_what_is_plain_is_mended_and_said(shell: Any, folder: Path) -> None:
    before = (folder / "twice.ipynb").read_bytes()
    assert shell.run("fix twice.ipynb --check") == 1
    assert (folder / "twice.ipynb").read_bytes() == before
    assert shell.run("fix twice.ipynb good.ipynb") == 0
    assert shell.out == (
        "twice.ipynb: 1 repair\n"
        "  cell 2: cell 1 has the id a, too; its id is 943c6513 now\n"
        "good.ipynb: nothing to mend\n"
    )
    ids = [cell["id"] for cell in json.loads((folder / "twice.ipynb").read_text())["cells"]]
    assert ids == ["a", "943c6513"]
    assert shell.run("fix twice.ipynb --check") == 0


def test_what_cannot_be_mended_is_named_with_its_place(shell: Any, folder: Path) -> None:
    before = (folder / "odd.ipynb").read_bytes()
    assert shell.run("fix odd.ipynb") == 2
    assert "odd.ipynb, cell 2" in shell.err
    assert (folder / "odd.ipynb").read_bytes() == before


def test_what_remains_is_listed_with_its_line(shell: Any, folder: Path) -> None:
    output = {"output_type": "hologram"}
    (folder / "odd.ipynb").write_text(json.dumps(notebook(id="b", outputs=[output]), indent=1), "utf-8")
    assert shell.run("fix odd.ipynb") == 1
    assert shell.out.splitlines()[0] == "odd.ipynb: nothing to mend, 1 problem left"
    assert shell.out.splitlines()[1].startswith(
        "  not mended: cells[1].outputs[0].output_type (cell 2, line 20): must be one of"
    )


def test_a_file_whose_sides_are_no_notebooks_is_left_as_it_is(shell: Any, folder: Path) -> None:
    text = '{\n<<<<<<< HEAD\n "cells": []\n=======\n>>>>>>> b\n}'
    (folder / "odd.ipynb").write_text(text)
    assert shell.run("fix odd.ipynb") == 2
    assert "odd.ipynb: its versions cannot be told apart" in shell.err and "hint: " in shell.err
    assert (folder / "odd.ipynb").read_text() == text


@pytest.mark.usefixtures("folder")
def test_json_fits_its_schema(shell: Any) -> None:
    assert shell.run("fix . --check --json") == 2
    found = json.loads(shell.out)
    jsonschema.validate(found, json.loads(SCHEMA.read_text("utf-8")))
    assert [len(file["repairs"]) for file in found["files"]] == [0, 0, 1]


def test_fix_is_a_function_too(folder: Path) -> None:
    value = notebook()
    found = nbcellar.fix(value)
    assert [cell["id"] for cell in found.notebook["cells"]] == ["a", "943c6513"]
    assert value == notebook()
    assert [cell.id for cell in nbcellar.fix(folder / "twice.ipynb").notebook.cells] == ["a", "943c6513"]


def test_the_hooks_of_pre_commit_are_commands_of_ours() -> None:
    entries = [line.split(":", 1)[1].split() for line in HOOKS.read_text().splitlines() if line.startswith("  entry:")]
    assert len(entries) == 2
    for program, command, *options in entries:
        assert program == "cellar"
        parser = main.command_parser(command, main.load(command), main.sys.stdout)
        assert parser.parse_args([*options, "a.ipynb"]).files == ["a.ipynb"]
    assert clean.run
