"""What `cellar pipeline` shows and writes, and its exit codes."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import jsonschema
import pytest

SCHEMA = Path(__file__).parents[3] / "docs" / "schemas" / "pipeline.json"

SOURCES = [
    ("markdown", "# Prices"),
    ("code", "import pandas as pd"),
    ("code", "scale = 3\nkind = 'line'"),
    ("code", "prices = pd.read_csv('prices.csv')"),
    ("code", "%matplotlib inline"),
    ("code", "prices['rent'] = prices.price * scale"),
    ("code", "by_city = prices.groupby('city').mean()"),
    ("code", "prices.plot(kind=kind)"),
    ("code", "def report(frame):\n    return pd.concat([frame, by_city])"),
    ("code", "report(prices)"),
]


def notebook(minor: int = 5) -> dict[str, Any]:
    cells = []
    for place, (kind, source) in enumerate(SOURCES):
        cell: dict[str, Any] = {"cell_type": kind, "id": f"id-{place + 1}", "metadata": {}, "source": [source]}
        if kind == "code":
            cell |= {"execution_count": None, "outputs": []}
        if minor < 5:
            del cell["id"]
        cells.append(cell)
    cells[2]["metadata"]["tags"] = ["parameters"]
    return {"cells": cells, "metadata": {"cellar": {"mine": 1}}, "nbformat": 4, "nbformat_minor": minor}


@pytest.fixture
def folder(shell: Any) -> Path:
    """A folder with a plain notebook, one that is broken in every way, and one without ids; no history."""
    made: Path = shell.folder / "work"
    made.mkdir(parents=True)
    shell.folder = made
    broken = notebook()
    said = {1: {"name": "load"}, 3: {"name": "load"}, 5: {"name": "", "after": 3}, 6: {"name": "x"}}
    for place, component in said.items():
        broken["cells"][place]["metadata"]["cellar"] = {"component": component}
    broken["cells"][6]["metadata"]["cellar"]["component"] |= {"after": ["id-8", "gone"], "retries": -1}
    broken["cells"][7]["metadata"]["cellar"] = {"component": {"name": "<b>&\x1b[31m", "after": ["id-7"]}}
    broken["cells"][8]["metadata"]["cellar"] = {"component": {"name": '<b>& "bad"'}}
    broken["cells"][8]["source"] = ["ok = 1\ndef f(:"]
    broken["metadata"]["cellar"] = {"parameters": {"not a name": 1, "ok_name": None}}
    for name, value in {"a": notebook(), "broken": broken, "old": notebook(4)}.items():
        (made / f"{name}.ipynb").write_text(json.dumps(value, indent=1) + "\n", "utf-8")
    return made


COMMANDS = [
    "pipeline show a.ipynb",
    "pipeline show a.ipynb --graph mermaid",
    "pipeline init a.ipynb",
    "pipeline init a.ipynb",
    "pipeline show a.ipynb",
    "pipeline rename a.ipynb prices load",
    "pipeline rename a.ipynb load report",
    "pipeline connect a.ipynb by_city plot",
    "pipeline connect a.ipynb by_city plot",
    "pipeline connect a.ipynb plot by_city",
    "pipeline connect a.ipynb by_cty plot",
    "pipeline disconnect a.ipynb by_city plot",
    "pipeline disconnect a.ipynb load rent",
    "pipeline disconnect a.ipynb load plot",
    "pipeline remove a.ipynb plot",
    "pipeline add a.ipynb 8",
    "pipeline add a.ipynb 1",
    "pipeline add a.ipynb 99 x",
    "pipeline add a.ipynb 5 'set up'",
    "pipeline param a.ipynb",
    "pipeline param a.ipynb factor=2.5 title=Prices cities='[\"Graz\", null]'",
    "pipeline param a.ipynb scale=4",
    "pipeline param a.ipynb 'two words=1'",
    "pipeline param a.ipynb --remove factor --remove cities",
    "pipeline param a.ipynb --remove factor",
    "pipeline show broken.ipynb",
    "pipeline show missing.ipynb",
    "pipeline connect old.ipynb 2 4",
    "pipeline",
]


@pytest.mark.usefixtures("folder")
def test_transcript_of_a_pipeline(shell: Any) -> None:
    shell.check_transcript("pipeline", shell.transcript(COMMANDS))


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("name", ["a", "broken", "old"])
def test_json_fits_its_schema(shell: Any, name: str) -> None:
    assert shell.run(f"pipeline show {name}.ipynb --json") == 0
    found = json.loads(shell.out)
    jsonschema.validate(found, json.loads(SCHEMA.read_text("utf-8")))
    by_json, own = shell.out, shell.run(f"pipeline show {name}.ipynb --graph json")
    assert (own, shell.out) == (0, by_json)


def test_a_plain_notebook_is_not_changed_by_looking(shell: Any, folder: Path) -> None:
    before = (folder / "a.ipynb").read_bytes()
    for options in ("", "--json", "--graph svg", "--graph mermaid", "-o out.txt"):
        assert shell.run(f"pipeline show a.ipynb {options}") == 0
    assert (folder / "a.ipynb").read_bytes() == before
    assert (folder / "out.txt").read_text().startswith("a.ipynb: ")


def test_only_the_metadata_of_the_cells_concerned_changes(shell: Any, folder: Path) -> None:
    assert shell.run("pipeline init a.ipynb") == 0
    before = json.loads((folder / "a.ipynb").read_text())
    assert shell.run("pipeline connect a.ipynb by_city plot") == 0
    after = json.loads((folder / "a.ipynb").read_text())
    assert [at for at in range(len(SOURCES)) if before["cells"][at] != after["cells"][at]] == [7]
    assert after["cells"][7]["metadata"] == {"cellar": {"component": {"name": "plot", "after": ["id-7"]}}}
    assert {**after, "cells": []} == {**before, "cells": []}
    assert shell.run("pipeline disconnect a.ipynb by_city plot") == 0
    assert json.loads((folder / "a.ipynb").read_text()) == before


def test_what_is_taken_away_leaves_no_trace(shell: Any, folder: Path) -> None:
    before = (folder / "a.ipynb").read_bytes()
    assert shell.run("pipeline add a.ipynb 2 load") == 0
    assert shell.run("pipeline add a.ipynb id-4 read") == 0
    assert shell.run("pipeline connect a.ipynb load read") == 0
    assert shell.run("pipeline param a.ipynb x=1") == 0
    assert shell.run("pipeline param a.ipynb --remove x") == 0
    assert shell.run("pipeline remove a.ipynb load") == 0
    assert shell.run("pipeline remove a.ipynb read") == 0
    assert (folder / "a.ipynb").read_bytes() == before


@pytest.mark.usefixtures("folder")
def test_names_are_text_in_the_picture_whatever_they_hold(shell: Any) -> None:
    assert shell.run("pipeline show broken.ipynb --graph svg") == 0
    root = ET.fromstring(shell.out)
    texts = [element.text or "" for element in root.iter() if element.tag.endswith("}text")]
    assert '<b>& "bad"' in texts
    assert not [element for element in root.iter() if element.tag.endswith(("}script", "}b", "}image", "}a"))]
    assert shell.run("pipeline show broken.ipynb --graph mermaid") == 0
    assert "<b>" not in shell.out and "\x1b" not in shell.out


def test_what_is_proposed_can_be_pasted_into_a_shell(shell: Any, folder: Path) -> None:
    (folder / "a ü.ipynb").write_bytes((folder / "a.ipynb").read_bytes())
    assert shell.run("pipeline show 'a ü.ipynb'") == 0
    assert "cellar pipeline init 'a ü.ipynb'" in shell.out


@pytest.mark.parametrize(
    "value", ["(1, 2)", "{(1, 2): [3]}", "{1: 'a', None: 2}", "1j", "...", "1e999", "b'x'", "{2, 1}"]
)
def test_parameters_that_json_cannot_hold_are_told_as_python(shell: Any, folder: Path, value: str) -> None:
    for name, source in (("one", f"kind = {value}"), ("two", "kind = None")):
        found = notebook()
        found["cells"][2]["source"] = [source]
        (folder / f"{name}.ipynb").write_text(json.dumps(found))
        assert shell.run(f"pipeline init {name}.ipynb") == 0
    told = value.replace("{2, 1}", "{1, 2}").replace("1e999", "float('inf')")
    for command in ("show", "param"):
        assert shell.run(f"pipeline {command} one.ipynb") == 0
        assert f"kind = {told}" in shell.out
    assert shell.run("pipeline show one.ipynb --json") == 0
    assert [each["value"] for each in json.loads(shell.out)["parameters"]] == [told]
    assert shell.run("pipeline diff one.ipynb two.ipynb") == 0
    assert f"kind = {told} -> null" in shell.out
    assert shell.run("pipeline diff one.ipynb two.ipynb --json") == 0
    (changed,) = json.loads(shell.out)["notebooks"][0]["changes"]["parameters"]
    assert (changed["before"], changed["after"]) == (told, None)
    assert shell.run("pipeline script one.ipynb") == 0 and shell.run("pipeline export one.ipynb") == 0
