"""`cellar fix` on what git itself, without Cellar's drivers, left of a notebook."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import pytest

from nbcellar.cli import main
from nbcellar.cli.console import Console
from nbcellar.merge.marks import find_groups
from nbcellar.notebook.codec import read

from .support import Worktree


def notebook(*sources: str, title: str = "") -> str:
    cells = [
        {
            "cell_type": "code",
            "execution_count": None,
            "id": f"cell{n}",
            "metadata": {},
            "outputs": [],
            "source": [text],
        }
        for n, text in enumerate(sources)
    ]
    value = {"cells": cells, "metadata": {"title": title} if title else {}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(value, indent=1) + "\n"


BASE = notebook("import os", "x = 1", "y = 2", "print(x)")
OURS = notebook("import os", "x = 10", "y = 2", "print(x)", "ours()")
THEIRS = notebook("import os", "x = 20", "y = 2", "print(x, y)", "theirs()").replace("cell4", "new4")


def fix(repo: Worktree, *words: str) -> tuple[int, str]:
    out = io.StringIO()
    code = main.run(
        ["fix", *words], Console(out=out, err=out, environ={**os.environ, **repo.environ}, folder=repo.folder)
    )
    return code, out.getvalue()


@pytest.fixture(params=["merge", "diff3", "zdiff3"])
def conflicted(bare_repo: Worktree, request: pytest.FixtureRequest) -> Worktree:
    """A merge in which git left marks in the notebook's text."""
    repo = bare_repo
    repo.git("config", "merge.conflictStyle", request.param)
    path = repo.folder / "a notebook.ipynb"
    path.write_text(BASE)
    repo.git("add", ".")
    repo.git("commit", "-qm", "base")
    repo.git("switch", "-qc", 'it\'s-"other"')
    path.write_text(THEIRS)
    repo.git("commit", "-qam", "theirs")
    repo.git("switch", "-q", "-")
    path.write_text(OURS)
    repo.git("commit", "-qam", "ours")
    repo.git("merge", 'it\'s-"other"', check=False)
    assert "<<<<<<<" in path.read_text()
    return repo


def sources(path: Path) -> list[str]:
    return [cell.source for cell in read(path.read_bytes()).cells]


def test_the_sides_are_merged_cell_by_cell(conflicted: Worktree) -> None:
    path = conflicted.folder / "a notebook.ipynb"
    code, said = fix(conflicted, path.name)
    assert code == 1
    assert "1 conflict to decide" in said
    found = read(path.read_bytes())
    (group,) = find_groups(found)
    assert group.what == ("source",)
    assert group.labels.theirs == 'it\'s-"other"'
    assert {"x = 10", "x = 20", "print(x, y)", "ours()", "theirs()"} <= set(sources(path))


def test_a_check_writes_nothing(conflicted: Worktree) -> None:
    path = conflicted.folder / "a notebook.ipynb"
    before = path.read_bytes()
    code, said = fix(conflicted, "--check", path.name)
    assert (code, path.read_bytes()) == (1, before)
    assert "git left" in said


def test_what_was_edited_since_is_kept(conflicted: Worktree) -> None:
    path = conflicted.folder / "a notebook.ipynb"
    path.write_text(path.read_text().replace("import os", "import os, sys"))
    assert fix(conflicted, path.name)[0] in (1, 2)  # git may have torn cells apart; then nothing is written
    assert "import os, sys" in path.read_text()


def test_nothing_to_decide(bare_repo: Worktree) -> None:
    """Both sides add a cell at the end: a conflict for git, none for cells."""
    repo, path = bare_repo, bare_repo.folder / "nb.ipynb"
    path.write_text(notebook("a"))
    repo.git("add", ".")
    repo.git("commit", "-qm", "base")
    repo.git("switch", "-qc", "other")
    path.write_text(notebook("a", "b"))
    repo.git("commit", "-qam", "theirs")
    repo.git("switch", "-q", "-")
    path.write_text(notebook("a").replace("cell0", "other") + "\n")
    path.write_text(notebook("a", "c").replace("cell1", "cell9"))
    repo.git("commit", "-qam", "ours")
    repo.git("merge", "other", check=False)
    code, said = fix(repo, "nb.ipynb")
    assert code == 0, said
    assert "git add nb.ipynb" in said
    assert sources(path) == ["a", "c", "b"]


def test_without_git_the_text_alone_says_it(tmp_path: Path, bare_repo: Worktree) -> None:
    text = BASE.replace('    "x = 1"\n', '<<<<<<< HEAD\n    "x = 10"\n=======\n    "x = 20"\n>>>>>>> other\n')
    assert "<<<<<<<" in text
    (tmp_path / "alone").mkdir()
    path = tmp_path / "alone" / "nb.ipynb"
    path.write_text(text)
    out = io.StringIO()
    code = main.run(["fix", "nb.ipynb"], Console(out=out, err=out, environ={**os.environ}, folder=path.parent))
    assert code == 1, out.getvalue()
    assert {"x = 10", "x = 20"} <= set(sources(path))
