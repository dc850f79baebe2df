"""`cellar pipeline log` and `diff`: what they say of versions in files, in git and in a history of Cellar's."""

from __future__ import annotations

import json
import os
import re
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import jsonschema
import pytest

SCHEMAS = Path(__file__).parents[3] / "docs" / "schemas"


def notebook(*components: str, ids: bool = True, **parameters: Any) -> str:
    """Return the text of a notebook with components `id name: source`; a # before makes it Markdown."""
    cells = []
    for word in components:
        head, _, source = word.partition(": ")
        id, _, name = head.partition(" ")
        cell: dict[str, Any] = {"cell_type": "markdown", "id": id, "metadata": {}, "source": source}
        if not head.startswith("#"):
            cell |= {"cell_type": "code", "outputs": [], "execution_count": None}
            cell["metadata"] = {"cellar": {"component": {"name": name}}} if name else {}
        else:
            cell["id"] = id[1:]
        if not ids:
            del cell["id"]
        cells.append(cell)
    metadata = {"cellar": {"parameters": parameters}} if parameters else {}
    return json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5 if ids else 4}) + "\n"


FIRST = notebook("#t: # Prices", "a load: x = 1", "b clean: y = x", "c show: print(y)", scale=3)
SECOND = notebook("#t: # Prices", "a load: x = 1", "b tidy: y = x * scale", "c show: print(y)", scale=3)
THIRD = notebook(
    *("#t: # New prices", "a load: x = 1", "b tidy: # now\ny = x*scale", "d <i>fit</i>: z = y", "c show: print(z)"),
    scale=4,
)


@pytest.fixture
def folder(shell: Any) -> Path:
    """A git repository whose notebook was changed, renamed, merged, broken and put right; and some files."""
    made: Path = shell.folder.parent / "repository"
    made.mkdir()
    shell.folder = made
    shell.environ |= {key: value for key, value in os.environ.items() if key not in shell.environ}
    shell.environ |= {"GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "a@lab", "GIT_COMMITTER_NAME": "Ada"}
    shell.environ |= {"GIT_COMMITTER_EMAIL": "a@lab"}

    def git(*words: str) -> None:
        moment = dict.fromkeys(("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"), "2026-09-21T14:13:20Z")
        subprocess.run(["git", *words], cwd=made, env={**shell.environ, **moment}, check=True, capture_output=True)

    git("init", "-q", "-b", "main")
    for message, name, text in (("first", "a", FIRST), ("second", "a", SECOND)):
        (made / f"{name}.ipynb").write_text(text, "utf-8")
        git("add", ".")
        git("commit", "-qm", message)
    git("tag", "v2")
    git("switch", "-qc", "other")
    git("mv", "a.ipynb", "b.ipynb")
    git("commit", "-qm", "renamed")
    git("switch", "-q", "main")
    (made / "else.ipynb").write_text(notebook("z other: 1"), "utf-8")
    git("add", ".")
    git("commit", "-qm", "something else")
    git("merge", "-q", "--no-edit", "other")
    (made / "b.ipynb").write_text(SECOND.replace("# Prices", "# New prices"), "utf-8")
    git("commit", "-qam", "only a title")
    (made / "b.ipynb").write_text("torn", "utf-8")
    git("commit", "-qam", "broken")
    (made / "b.ipynb").write_text(THIRD, "utf-8")
    git("commit", "-qam", "right again\x1b[31m")
    (made / "b.ipynb").write_text(THIRD.replace("z = y", "z = [y]"), "utf-8")
    for name, text in {"one": FIRST, "two": SECOND, "three": THIRD}.items():
        (made / f"{name}.ipynb").write_text(text, "utf-8")
    old = [notebook(*lines, ids=False) for lines in ((": x = 1", ": y = x"), (": w = 0", ": x = 1", ": y = x"))]
    for name, text in zip(("old1", "old2"), old, strict=True):
        (made / f"{name}.ipynb").write_text(text, "utf-8")
    return made


COMMANDS = [
    "pipeline diff one.ipynb three.ipynb",
    "pipeline diff three.ipynb one.ipynb --stat",
    "pipeline diff one.ipynb one.ipynb",
    "pipeline diff one.ipynb two.ipynb --exit-code",
    "pipeline diff one.ipynb three.ipynb --graph mermaid",
    "pipeline diff old1.ipynb old2.ipynb",
    "pipeline diff b.ipynb",
    "pipeline diff git:v2",
    "pipeline diff git:v2:a.ipynb b.ipynb --stat",
    "pipeline diff v2 main",
    "pipeline diff git:v2 git:main --graph svg",
    "pipeline diff one.ipynb one.ipynb --graph svg --json",
    "pipeline diff git:main~1 b.ipynb",
    "pipeline diff one.ipynb nowhere.ipynb",
    "pipeline diff nothing",
    "pipeline log b.ipynb",
    "pipeline log b.ipynb -N 1",
    "pipeline log one.ipynb",
    "pipeline log nowhere.ipynb",
]


@pytest.mark.usefixtures("folder")
def test_transcript_of_changes(shell: Any) -> None:
    found = re.sub(r"^[0-9a-f]{10} ", "<commit> ", shell.transcript(COMMANDS), flags=re.MULTILINE)
    shell.check_transcript("pipeline-changes", found)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("line", "schema"),
    [
        ("pipeline diff one.ipynb three.ipynb", "pipeline-diff"),
        ("pipeline diff git:v2 git:main", "pipeline-diff"),
        ("pipeline diff one.ipynb one.ipynb", "pipeline-diff"),
        ("pipeline log b.ipynb", "pipeline-log"),
    ],
)
def test_json_fits_its_schema(shell: Any, line: str, schema: str) -> None:
    found = shell.json(line)
    jsonschema.validate(found, json.loads((SCHEMAS / f"{schema}.json").read_text("utf-8")))
    for entry in found.get("notebooks", found.get("commits")):
        ends = {edge[end] for edge in entry["changes"]["edges"] for end in ("parent", "child")}
        assert ends == entry["names"].keys()


def test_a_picture_goes_into_a_file(shell: Any, folder: Path) -> None:
    assert shell.run("pipeline diff one.ipynb three.ipynb --graph svg -o d.svg") == 0
    root = ET.fromstring((folder / "d.svg").read_text("utf-8"))
    texts = ["".join(each.itertext()) for each in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "+ <i>fit</i>" in texts and "~ tidy" in texts


def test_commits_of_cellar_are_compared(shell: Any, analysis: Any) -> None:
    analysis.cell("y = 1", file=None)
    assert shell.run("pipeline diff v1 HEAD") == 0
    assert "v1 -> HEAD: proposed components: 1 changed" in shell.out
    assert "- x = 1" in shell.out and "+ x = 2" in shell.out
    assert shell.run("pipeline diff HEAD~1..HEAD") == 0
    assert shell.err == "no difference in components, edges or parameters\n"
    assert shell.run("pipeline diff") == 0
    assert shell.run("pipeline diff v1 analysis.ipynb") == 0
    assert shell.run("pipeline diff v1 trial HEAD") == 2
