"""`cellar pipeline export`, `import` and `script`: what they say and write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import nbcellar
from nbcellar.notebook.codec import read

from .test_pipeline import notebook

SCHEMA = Path(__file__).parents[3] / "docs" / "schemas" / "pipeline-file.json"


@pytest.fixture
def folder(shell: Any) -> Path:
    """A folder with a plain notebook, one with outputs, and files that are no pipelines; no history."""
    made: Path = shell.folder / "work"
    made.mkdir(parents=True)
    shell.folder = made
    (made / "a.ipynb").write_text(json.dumps(notebook(), indent=1) + "\n", "utf-8")
    (made / "old.ipynb").write_text(json.dumps(notebook(4), indent=1) + "\n", "utf-8")
    (made / "text.json").write_text("no JSON", "utf-8")
    newer = {"schema": "urn:nbcellar:pipeline", "version": "2.0", "min_reader": 2}
    (made / "newer.json").write_text(json.dumps(newer), "utf-8")
    odd = notebook()
    odd["cells"][1]["source"] = ["x = 1\n", "%load other.py"]
    (made / "odd.ipynb").write_text(json.dumps(odd), "utf-8")
    odd["cells"][1]["source"] = ["exec('import pandas as pd')"]
    (made / "unmade.ipynb").write_text(json.dumps(odd), "utf-8")
    return made


COMMANDS = [
    "pipeline export a.ipynb -o P.json --no-environment",
    "pipeline export a.ipynb -o P.json --no-environment",
    "pipeline export a.ipynb by_city 8 --no-environment -o part.json",
    "pipeline export a.ipynb imports --no-environment",
    "pipeline export a.ipynb by_cty",
    "pipeline import P.json -o new.ipynb",
    "pipeline import P.json -o new.ipynb",
    "pipeline import part.json -o part.ipynb",
    "pipeline rename new.ipynb prices load",
    "pipeline param new.ipynb title=Prices",
    "pipeline import part.json -o new.ipynb",
    "pipeline import P.json -o new.ipynb",
    "pipeline import P.json -o new.ipynb --replace",
    "pipeline import P.json -o a.ipynb",
    "pipeline import P.json -o old.ipynb --replace",
    "pipeline import text.json -o none.ipynb",
    "pipeline import newer.json -o none.ipynb",
    "pipeline import missing.json -o none.ipynb",
    "pipeline import P.json -o -",
    "pipeline import P.json -o nowhere/none.ipynb",
    "pipeline import P.json",
    "pipeline script a.ipynb",
    "pipeline script a.ipynb -o a.py",
    "pipeline script a.ipynb --format snakemake -o Snakefile",
    "pipeline script odd.ipynb",
    "pipeline script unmade.ipynb -o unmade.py",
]


def test_transcript_of_files(shell: Any, folder: Path) -> None:
    found = shell.transcript(COMMANDS).replace(nbcellar.__version__, "<version>")
    shell.check_transcript("pipeline-files", found)
    assert not (folder / "none.ipynb").exists()


def test_what_is_refused_leaves_the_notebook_as_it_was(shell: Any, folder: Path) -> None:
    assert shell.run("pipeline export a.ipynb -o P.json") == 0
    members = json.loads((folder / "P.json").read_text("utf-8"))
    jsonschema.validate(members, json.loads(SCHEMA.read_text("utf-8")))
    before = (folder / "a.ipynb").read_bytes()
    for wrong in ({"components": members["components"][:1] * 2}, {"cells": []}, {"min_reader": 9}):
        (folder / "bad.json").write_text(json.dumps({**members, **wrong}), "utf-8")
        assert shell.run("pipeline import bad.json -o a.ipynb --replace") in (2, 4)
        assert "error: " in shell.err
    assert (folder / "a.ipynb").read_bytes() == before
    assert sorted(path.name for path in folder.iterdir()) == [
        *("P.json", "a.ipynb", "bad.json", "newer.json", "odd.ipynb", "old.ipynb", "text.json", "unmade.ipynb")
    ]


def test_an_import_touches_no_other_cell(shell: Any, folder: Path) -> None:
    assert shell.run("pipeline export a.ipynb -o P.json") == 0
    changed = json.loads((folder / "a.ipynb").read_text("utf-8"))
    changed["cells"][1]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["kept\n"]}]
    changed["cells"][1]["metadata"] = {"mine": {"b": 1, "a": 2}}
    del changed["cells"][5]
    (folder / "a.ipynb").write_text(json.dumps(changed, indent=3), "utf-8")
    assert shell.run("pipeline import P.json -o a.ipynb --replace") == 0
    after = json.loads((folder / "a.ipynb").read_text("utf-8"))
    assert [cell["id"] for cell in after["cells"]] == [f"id-{place}" for place in range(1, 11)]
    assert after["cells"][1]["outputs"] == changed["cells"][1]["outputs"]
    assert list(after["cells"][1]["metadata"]["mine"]) == ["b", "a"]
    assert after["cells"][0] == changed["cells"][0]
    assert (folder / "a.ipynb").read_text("utf-8").startswith('{\n   "cells"')


def test_the_environment_is_told_and_nothing_depends_on_it(shell: Any, folder: Path) -> None:
    assert shell.run("pipeline export a.ipynb") == 0
    told = json.loads(shell.out)
    assert told["environment"]["distributions"].keys() == {"pandas"}
    assert shell.run("pipeline export a.ipynb --no-environment") == 0
    del told["environment"]
    assert json.loads(shell.out) == told
    (folder / "P.json").write_text(json.dumps({**told, "environment": {"python": "2.7"}}), "utf-8")
    assert shell.run("pipeline import P.json -o new.ipynb") == 0


def test_functions_do_what_the_commands_do(shell: Any, folder: Path) -> None:
    value = notebook()
    file = nbcellar.export_pipeline(value, ["by_city"])
    assert shell.run("pipeline export a.ipynb by_city --no-environment") == 0
    assert json.loads(shell.out) == file
    made = nbcellar.import_pipeline(file)
    assert [cell["id"] for cell in made["cells"]] == ["id-7"]
    model = read(json.dumps(value).encode())
    whole = nbcellar.import_pipeline(json.dumps(nbcellar.export_pipeline(model)).encode(), model, replace=True)
    assert type(whole) is type(model)
    changes = nbcellar.diff_pipelines(model, whole)
    assert changes.was_proposed and not changes.components
    assert shell.run("pipeline script a.ipynb") == 0
    assert nbcellar.script_pipeline(value, name="a.ipynb") == shell.out
    assert "rule component_by_city:" in nbcellar.script_pipeline(whole, "snakemake")
    assert value == notebook()


@pytest.mark.parametrize("depth", [300, 900, 5000])
def test_metadata_that_is_nested_deeply_is_kept_or_refused(shell: Any, folder: Path, depth: int) -> None:
    made = json.dumps(notebook()).replace('"mine": 1', '"mine": ' + "[" * depth + "]" * depth)
    (folder / "a.ipynb").write_text(made, "utf-8")
    code = shell.run("pipeline export a.ipynb -o P.json")
    assert code in (0, 2) and "bug" not in shell.err
    assert (folder / "P.json").exists() is (code == 0)
