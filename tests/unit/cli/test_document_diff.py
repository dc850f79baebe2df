"""`cellar diff` of notebooks: what it prints, what its words may mean, every form of the answer."""

from __future__ import annotations

import io
import json
import os
import shlex
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from nbcellar.api.documents import diff_notebooks, patch_notebook
from nbcellar.cli import main
from nbcellar.cli.console import Console
from nbcellar.notebook.codec import read

ROOT = Path(__file__).parents[3]
TRANSCRIPTS = Path(__file__).parent / "transcripts"
WRITE = bool(os.environ.get("NBCELLAR_WRITE_TRANSCRIPTS"))


def code(id_: str, source: str, *outputs: dict[str, Any], count: int | None = None, **metadata: Any) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "execution_count": count,
        "id": id_,
        "metadata": metadata,
        "outputs": list(outputs),
        "source": source.splitlines(keepends=True),
    }


def text(id_: str, source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": id_, "metadata": {}, "source": source.splitlines(keepends=True)}


def printed(words: str) -> dict[str, Any]:
    return {"name": "stdout", "output_type": "stream", "text": words.splitlines(keepends=True)}


def result(words: str, count: int) -> dict[str, Any]:
    return {"data": {"text/plain": [words]}, "execution_count": count, "metadata": {}, "output_type": "execute_result"}


def notebook(*cells: dict[str, Any], **metadata: Any) -> str:
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    value = {"cells": list(cells), "metadata": {"kernelspec": kernel, **metadata}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(value, indent=1) + "\n"


OLD = notebook(
    text("title", "# Prices\n\nWhat they did."),
    code("load", "import pandas as pd\nprices = pd.read_csv('prices.csv')", count=1),
    code("fit", "fit(prices)", printed("loss 0.9132\nloss 0.8101\n"), count=2),
    code("look", "prices.head()", result("<Frame at 0x7f12345678>", 3), count=3),
    code("more", "a = 1\nb = 2\nc = 3\nd = 4", count=4),
)
NEW = notebook(
    code("load", "import pandas as pd\nprices = pd.read_parquet('prices.csv')", count=1),
    code("look", "prices.head()", result("<Frame at 0x7fabcdef12>", 9), count=9),
    code("fit", "fit(prices)", printed("loss 0.9135\nloss 0.8101\n"), count=10, tags=["slow"]),
    code("more", "a = 1\nb = 2\nc = 3\nd = 4", count=11),
    text("end", "The \x1b[31mend`` <b>."),
    title="New prices",
)
RUN = OLD.replace('"execution_count": 1', '"execution_count": 21')


@dataclass
class Shell:
    folder: Path
    environ: dict[str, str] = field(default_factory=lambda: dict(os.environ))
    out: str = ""
    err: str = ""

    def run(self, line: str) -> int:
        out, err = io.StringIO(), io.StringIO()
        code = main.run(shlex.split(line), Console(out=out, err=err, environ=self.environ, folder=self.folder))
        self.out, self.err = out.getvalue(), err.getvalue()
        return code

    def git(self, *words: str) -> None:
        subprocess.run(["git", *words], cwd=self.folder, env=self.environ, check=True, capture_output=True)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    folder = tmp_path / "project"
    folder.mkdir()
    for name, words in {"old": OLD, "new": NEW, "run": RUN}.items():
        (folder / f"{name}.ipynb").write_text(words)
    (folder / "torn.ipynb").write_text(OLD[:200])
    return Shell(folder)


@pytest.fixture
def in_git(shell: Shell) -> Shell:
    """A repository with two commits, something staged and something not."""
    shell.git("init", "-q", "-b", "main")
    (shell.folder / "sub").mkdir()
    (shell.folder / "torn.ipynb").unlink()
    (shell.folder / "sub" / "a.ipynb").write_text(OLD)
    shell.git("add", ".")
    shell.git("commit", "-qm", "first")
    shell.git("tag", "v1")
    (shell.folder / "sub" / "a.ipynb").write_text(NEW)
    shell.git("rm", "-q", "run.ipynb")
    shell.git("commit", "-qam", "second")
    (shell.folder / "old.ipynb").write_text(RUN)
    shell.git("add", "old.ipynb")
    (shell.folder / "new.ipynb").write_text(OLD)
    return shell


COMMANDS = [
    "diff old.ipynb new.ipynb",
    "diff old.ipynb new.ipynb --stat",
    "diff old.ipynb run.ipynb",
    "diff old.ipynb old.ipynb",
    "diff old.ipynb new.ipynb --sources",
    "diff old.ipynb new.ipynb --no-outputs --no-transient",
    "diff old.ipynb new.ipynb --tolerance 0.01 --all",
    "diff old.ipynb new.ipynb --md",
    "--color always diff old.ipynb new.ipynb --sources",
    "diff old.ipynb nowhere.ipynb",
    "diff old.ipynb torn.ipynb",
    "diff old.ipynb .",
    "diff old.ipynb new.ipynb other.ipynb",
    "diff old.ipynb new.ipynb --sources --no-outputs",
    "diff old.ipynb new.ipynb --code",
    "diff old.ipynb new.ipynb --html page.html --json",
    "diff nothing",
]
IN_GIT = [
    "diff",
    "diff --stat",
    "diff git: --stat",
    "diff git:HEAD --stat",
    "diff git:HEAD git: --stat",
    "diff git: git:HEAD --stat",
    "diff git:v1 git:main --stat",
    "diff v1 main --stat",
    "diff v1..main --stat",
    "diff v1 --stat sub",
    "diff v1 main sub --stat",
    "diff v1 main --stat -- sub/a.ipynb",
    "diff old.ipynb",
    "diff git:v1 sub/a.ipynb --stat",
    "diff git:v1:sub/a.ipynb git::old.ipynb --stat",
    "diff git:nowhere",
    "diff git:--output=x",
    "diff git:v1:nowhere.ipynb old.ipynb",
    "diff git:v1:../x old.ipynb",
]


@pytest.mark.parametrize(("name", "commands"), [("diff-notebooks", COMMANDS), ("diff-git", IN_GIT)])
def test_transcript(request: pytest.FixtureRequest, name: str, commands: list[str]) -> None:
    shell = request.getfixturevalue("in_git" if name == "diff-git" else "shell")
    lines = []
    for line in commands:
        code = shell.run(line)
        lines += [f"$ cellar {line}", shell.out + shell.err + (f"[exit {code}]\n" if code else "")]
    found = "\n".join(lines).replace(str(shell.folder), "<project>").replace("\x1b", "<esc>")
    path = TRANSCRIPTS / f"{name}.txt"
    if WRITE:
        path.write_text(found, "utf-8")
    assert path.read_text("utf-8") == found


def test_the_json_is_what_its_schema_says_and_can_be_applied(shell: Shell) -> None:
    assert shell.run("diff old.ipynb new.ipynb --json -o change.json") == 0
    value = json.loads((shell.folder / "change.json").read_text())
    jsonschema.validate(value, json.loads((ROOT / "docs" / "schemas" / "diff-notebooks.json").read_text("utf-8")))
    assert shell.run("patch old.ipynb change.json -o made.ipynb") == 0
    assert (shell.folder / "made.ipynb").read_bytes() == (shell.folder / "new.ipynb").read_bytes()
    assert shell.run("patch new.ipynb change.json -o wrong.ipynb") == 2
    assert not (shell.folder / "wrong.ipynb").exists()


def test_the_proposals_format_can_be_applied(shell: Shell) -> None:
    assert shell.run("diff old.ipynb new.ipynb --format jep -o change.json") == 0
    assert shell.run("patch old.ipynb change.json") == 0
    assert (shell.folder / "old.ipynb").read_bytes() == (shell.folder / "new.ipynb").read_bytes()


def test_the_raw_text_is_a_patch(shell: Shell) -> None:
    assert shell.run("diff old.ipynb new.ipynb --raw") == 0
    (shell.folder / "change.patch").write_text(shell.out)
    subprocess.run(["patch", "-s", "old.ipynb", "change.patch"], cwd=shell.folder, check=True)
    assert (shell.folder / "old.ipynb").read_text() == (shell.folder / "new.ipynb").read_text()


def test_the_page_shows_it_and_runs_nothing(shell: Shell) -> None:
    assert shell.run("diff old.ipynb new.ipynb --html page.html") == 0
    page = (shell.folder / "page.html").read_text("utf-8")
    assert "default-src 'none'" in page
    assert "<script" not in page
    assert "&lt;b&gt;" in page
    assert "\x1b" not in page


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("diff old.ipynb new.ipynb --exit-code", 1),
        ("diff old.ipynb old.ipynb --exit-code", 0),
        ("diff old.ipynb run.ipynb --exit-code", 1),
        ("diff old.ipynb run.ipynb --exit-code --no-transient", 0),
        ("diff /dev/null old.ipynb --exit-code", 1),
    ],
)
def test_the_exit_code(shell: Shell, line: str, expected: int) -> None:
    assert shell.run(line) == expected


@pytest.mark.parametrize("command", ["diff old.ipynb", "diff /dev/null", "show"])
def test_whatever_is_wrong_with_a_file_is_wrong_input(shell: Shell, command: str) -> None:
    (shell.folder / "five.ipynb").write_text('{"nbformat": 5, "nbformat_minor": 0, "metadata": {}, "cells": []}')
    (shell.folder / "loop.ipynb").symlink_to("loop.ipynb")
    for name in ("five.ipynb", "loop.ipynb", "torn.ipynb", "nowhere.ipynb"):
        assert shell.run(f"{command} {name}") == 2, name
        assert shell.err.startswith("error: ")


def test_a_link_to_nowhere_is_said_to_be_one(shell: Shell) -> None:
    (shell.folder / "link.ipynb").symlink_to("nowhere.ipynb")
    assert shell.run("show link.ipynb") == 2
    assert shell.err == "error: link.ipynb is a link to nowhere.ipynb, which is not there\n"


def test_two_files_behind_dashes_are_the_sides(shell: Shell) -> None:
    (shell.folder / "-new.ipynb").write_text(NEW)
    assert shell.run("diff --stat -- old.ipynb -new.ipynb") == 0
    assert shell.out.startswith("old.ipynb -> -new.ipynb  ")


def test_a_place_that_takes_nothing_is_named(shell: Shell) -> None:
    for option in ("-o", "--html", "--json -o"):
        assert shell.run(f"diff old.ipynb new.ipynb {option} /proc/there") == 2
        assert shell.err.startswith("error: cannot write /proc/there: ")


def test_standard_input(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    class Input:
        buffer = io.BytesIO(NEW.encode())

    monkeypatch.setattr("sys.stdin", Input())
    assert shell.run("diff old.ipynb - --stat") == 0
    assert shell.out.startswith("old.ipynb -> standard input  ")


def test_folders(shell: Shell) -> None:
    for name, words in {"a/x": OLD, "a/y/z": OLD, "b/x": NEW, "b/new": NEW}.items():
        path = shell.folder / f"{name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(words)
    assert shell.run("diff a b --stat") == 0
    assert [line.split("  ")[0] for line in shell.out.splitlines()] == [
        "new.ipynb (new)",
        "x.ipynb",
        "y/z.ipynb (deleted)",
        "3 notebooks differ",
    ]
    assert shell.run("diff a b --stat y") == 0
    assert shell.out.startswith("y/z.ipynb (deleted)")


def test_functions_take_plain_dicts() -> None:
    old, new = json.loads(OLD), json.loads(NEW)
    found = diff_notebooks(old, new)
    assert found
    assert not diff_notebooks(old, json.loads(OLD))
    patched = patch_notebook(old, found)
    assert not diff_notebooks(patched, new)
    assert not diff_notebooks(patch_notebook(old, found.to_jep()), new)
    assert patch_notebook(read(OLD.encode()), found) == read(NEW.encode())
