"""`cellar diff` word for word, its options, and what it does with what does not fit."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from nbcellar.cli import text
from nbcellar.history.model import CellError

from .conftest import History, Shell, kept, variable

TRANSCRIPTS = Path(__file__).parent / "transcripts"
SCHEMA = Path(__file__).parents[3] / "docs" / "schemas" / "diff.json"
WRITE = bool(os.environ.get("NBCELLAR_WRITE_TRANSCRIPTS"))

PLAIN = ["diff", "diff HEAD~2", "diff HEAD~2 --stat", "diff HEAD~2 --code", "diff HEAD~2..HEAD~1 -- config notes"]
PLAIN += ["diff HEAD HEAD~2 --vars", "--color always diff HEAD~1", "diff HEAD HEAD", "diff --exit-code --stat"]
PLAIN += ["diff side HEAD", "diff nope", "diff a b c", "diff --var nope", "diff --code --vars", "diff --budget x"]
PLAIN += ["diff -o nowhere/x.txt", "diff -- notes", "diff --html x.html --json"]


@pytest.fixture
def changed(history: History) -> History:
    """Three cells: the second fails, the third is the first one changed; and a branch that left after the first."""
    notes = "first line\nsecond line\nthird line\n" + "".join(f"line {n}\n" for n in range(4, 20))
    history.cell(
        "config = {'lr': 0.1, 'layers': [64, 64]}\nnotes = read()",
        kept("config", {"lr": 0.1, "layers": [64, 64], "name": "a"}),
        kept("notes", notes),
        kept("same", 3),
        kept("old", (1, 2)),
    )
    history.cell(
        "config['lr'] = 0.01\nconfig['layers'].append(8)\n1/0",
        kept("config", {"lr": 0.01, "layers": [64, 64, 8], "name": "a"}),
        variable("con", "<connection>", type="sqlite3.Connection", reason="cannot pickle 'sqlite3.Connection' object"),
        error=CellError("ZeroDivisionError", "division by zero", 3),
    )
    history.cell(
        "notes = notes.replace('second', 'next')\ndel old",
        kept("notes", notes.replace("second line", "next line") + "the end\n"),
        kept("config", {"lr": 0.01, "layers": [64, 64, 8], "name": "b\x1b[31m"}),
        kept("weights", [n / 7 for n in range(30)]),
        drop=("old",),
    )
    history.repository.create_branch(history.notebook, "side", history.made[0])
    return history


def transcript(shell: Shell, commands: list[str]) -> str:
    lines = []
    for line in commands:
        code = shell.run(line)
        lines += [f"$ cellar {line}", shell.out + shell.err + (f"[exit {code}]\n" if code else "")]
    text = "\n".join(lines).replace("\x1b", "<esc>").replace(str(shell.folder), "<project>")
    # Digests of pickles, and ids of the commits that name them, differ from one version of Python to the next.
    return re.sub(r"^((?:from|to  ) (?:<esc>\[33m)?)[0-9a-f]{8}\b", r"\1<commit>", text, flags=re.MULTILINE)


def check(name: str, found: str) -> None:
    path = TRANSCRIPTS / f"{name}.txt"
    if WRITE:
        path.write_text(found, "utf-8")
    assert path.read_text("utf-8") == found


@pytest.mark.usefixtures("changed")
def test_transcript(shell: Shell) -> None:
    check("diff", transcript(shell, PLAIN))


def test_transcript_of_arrays_and_frames(shell: Shell, history: History) -> None:
    np, pd = pytest.importorskip("numpy"), pytest.importorskip("pandas")
    frame = pd.DataFrame({"n": [1, 2, 3, 4, 5], "price": [1.5, 2.5, None, 4.5, 5.5], "tmp": 0.0}, index=list("abcde"))
    array = np.arange(12.0).reshape(3, 4)
    history.cell("make()", kept("df", frame, type="pandas.DataFrame", shape=(5, 3)), kept("a", array))
    frame = frame.drop(index="b").drop(columns="tmp")
    frame.loc["c", "price"] = 3.5
    frame.loc["e", "price"] = 55.25
    frame["ratio"] = frame["price"] / frame["n"]
    frame.loc["z"] = [9, 9.5, 1.0]
    array = array.copy()
    array[1, 2] = -6.5
    array[2] = np.nan
    history.cell("change()", kept("df", frame, type="pandas.DataFrame", shape=(5, 3)), kept("a", array))
    found = transcript(shell, ["diff", "diff --stat"])
    check("diff-frames", found)


@pytest.mark.usefixtures("changed")
@pytest.mark.parametrize("width", [40, 60, 80])
def test_lines_fit_a_narrow_terminal(shell: Shell, width: int) -> None:
    import io

    from nbcellar.cli import main
    from nbcellar.cli.console import Console

    out = io.StringIO()
    console = Console(
        out=out, err=out, environ=shell.environ, folder=shell.folder, width=width, clock=shell.clock, color=True
    )
    assert main.run(["diff", "HEAD~2", "--all"], console) == 0
    assert [line for line in out.getvalue().splitlines() if text.shown_columns(line) > width] == []


@pytest.mark.usefixtures("changed")
def test_json_fits_its_schema(shell: Shell) -> None:
    for line in ("diff", "diff HEAD~2", "diff HEAD HEAD~1 --vars", "diff HEAD HEAD"):
        found = shell.json(line)
        jsonschema.validate(found, json.loads(SCHEMA.read_text("utf-8")), format_checker=jsonschema.FormatChecker())
    (config,) = (found for found in shell.json("diff HEAD~2")["variables"] if found["name"] == "config")
    assert config["value"]["parts"][0]["path"] == "config['lr']"


@pytest.mark.usefixtures("changed")
def test_a_page_is_written_whole_or_printed(shell: Shell) -> None:
    assert shell.run("diff HEAD~2 --html page.html") == 0
    page = (shell.folder / "page.html").read_text("utf-8")
    assert page.startswith("<!DOCTYPE html>") and page.endswith("</html>\n") and "config" in page
    assert "\x1b" not in page
    assert [path.name for path in shell.folder.iterdir() if "part" in path.name] == []
    assert shell.run("diff HEAD~2 --html -") == 0
    assert shell.out == page


@pytest.mark.usefixtures("changed")
def test_output_goes_to_a_file(shell: Shell) -> None:
    assert shell.run("diff --stat -o out.txt") == 0
    assert shell.out == ""
    assert "weights" in (shell.folder / "out.txt").read_text("utf-8")
    assert shell.run("diff --json -o out.json") == 0
    assert json.loads((shell.folder / "out.json").read_text("utf-8"))["schema"] == 1


@pytest.mark.usefixtures("changed")
def test_the_exit_code_tells_whether_a_variable_differs(shell: Shell) -> None:
    assert shell.run("diff HEAD~1 --exit-code") == 1
    assert shell.run("diff HEAD HEAD --exit-code") == 0
    assert shell.run("diff HEAD~1") == 0


def test_two_lines_of_commits_are_told_from_where_they_part(shell: Shell, changed: History) -> None:
    changed.repository.create_branch(changed.notebook, "main2", changed.made[2])
    changed.head = changed.made[0]
    other = changed.cell("same = 4", kept("same", 4))
    found: Any = shell.json(f"diff main2 {other.hex()}")
    assert (found["way"], found["base"]) == ("across", changed.made[0].hex())
    assert [(step["source"].splitlines()[0], step["lost"]) for step in found["steps"]] == [
        ("config['lr'] = 0.01", True),
        ("notes = notes.replace('second', 'next')", True),
        ("same = 4", False),
    ]
