"""Worktrees of real git, and notebooks to put into them."""

from __future__ import annotations

import io
import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nbcellar.cli import main
from nbcellar.cli.console import Console
from nbcellar.git.install import install, local_places
from nbcellar.git.repository import find_git_repository

SOURCES = ("a = 1", "b = 2", "c = 3", "d = 4", "e = 5")


def notebook(sources: Sequence[str] = SOURCES, output: str = "") -> bytes:
    """Return a notebook's file; each cell printed `output`, if there is one."""
    cells = [
        {
            "cell_type": "code",
            "execution_count": number if output else None,
            "id": f"cell-{number}",
            "metadata": {},
            "outputs": [{"name": "stdout", "output_type": "stream", "text": [output]}] if output else [],
            "source": [source],
        }
        for number, source in enumerate(sources, 1)
    ]
    value = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    return (json.dumps(value, indent=1) + "\n").encode()


@dataclass
class Worktree:
    """A worktree and git in it."""

    folder: Path
    environ: dict[str, str] = field(default_factory=dict)

    def git(self, *words: str | bytes, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            ["git", *words],
            cwd=self.folder,
            env={**os.environ, "GIT_EDITOR": "true", **self.environ},
            capture_output=True,
            text=True,
            errors="surrogateescape",
            check=False,
        )
        assert not check or done.returncode == 0, (words, done.stdout, done.stderr)
        return done

    def write(self, sources: Sequence[str] = SOURCES, output: str = "", *, name: str = "n.ipynb") -> None:
        (self.folder / name).write_bytes(notebook(sources, output))

    def commit(self, message: str = "m") -> None:
        self.git("add", "-A")
        self.git("commit", "-qm", message)

    def bytes(self, name: str = "n.ipynb") -> bytes:
        return (self.folder / name).read_bytes()

    def outputs(self, name: str = "n.ipynb") -> list[str]:
        cells = json.loads(self.bytes(name))["cells"]
        return ["".join(cell["outputs"][0]["text"]) if cell.get("outputs") else "" for cell in cells]

    def sources(self, name: str = "n.ipynb") -> list[str]:
        return ["".join(cell["source"]) for cell in json.loads(self.bytes(name))["cells"]]

    def staged(self, name: str = "n.ipynb") -> bytes:
        return self.git("cat-file", "blob", f":{name}").stdout.encode()

    def status(self) -> str:
        return self.git("status", "--porcelain").stdout

    def install(self) -> None:
        install(local_places(find_git_repository(self.folder, os.environ)))


def make(folder: Path) -> Worktree:
    """Make an empty repository."""
    folder.mkdir(parents=True)
    made = Worktree(folder)
    made.git("init", "-q", "-b", "main", ".")
    return made


def cellar(folder: Path, *words: str) -> tuple[int, str]:
    """Run `cellar git WORDS` and return exit code and all that it said."""
    return run_cellar(folder, "git", *words)


def run_cellar(folder: Path, *words: str) -> tuple[int, str]:
    """Run `cellar WORDS` and return exit code and all that it said."""
    text = io.StringIO()
    code = main.run(list(words), Console(out=text, err=text, environ=os.environ, folder=folder))
    return code, text.getvalue()
