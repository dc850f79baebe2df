"""Jupyter's trust in notebooks whose outputs the filter puts back; nbformat's own notary is asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.sign import NotebookNotary

from .support import SOURCES, Worktree

EDITED = (*SOURCES[:4], "e = 50")
WAYS: dict[str, list[list[str]]] = {
    "merge": [["merge", "-q", "other"]],
    "forward": [["merge", "-q", "--ff-only", "other"]],
    "rebase": [["rebase", "-q", "other"]],
    "pick": [["cherry-pick", "other"]],
    "switch": [["switch", "-q", "other"]],
    "stash": [["switch", "-q", "stashed"], ["stash", "pop", "-q"]],
}


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "jupyter"
    folder.mkdir()
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(folder))
    return folder


@pytest.fixture
def notary(data_folder: Path) -> Iterator[Any]:
    made = NotebookNotary(data_dir=str(data_folder))
    yield made
    made.store.close()


@pytest.fixture
def is_trusted(notary: Any, repo: Worktree) -> Callable[[], bool]:
    return lambda: bool(notary.check_signature(nbformat.read(repo.folder / "n.ipynb", as_version=4)))


@pytest.fixture
def trust(notary: Any, repo: Worktree) -> Callable[[], None]:
    return lambda: notary.sign(nbformat.read(repo.folder / "n.ipynb", as_version=4))


@pytest.fixture
def other(repo: Worktree) -> Worktree:
    """A branch `other` with an edit, a branch `stashed` with the same in a stash, and `main` without."""
    repo.write()
    repo.commit("first")
    repo.git("branch", "stashed")
    repo.git("switch", "-qc", "other")
    repo.write(EDITED)
    repo.commit("edit")
    repo.git("switch", "-q", "stashed")
    repo.write(EDITED)
    repo.git("stash", "-q")
    repo.git("switch", "-q", "main")
    return repo


def bring(repo: Worktree, way: str) -> None:
    if way in ("merge", "rebase", "pick"):
        (repo.folder / "mine.txt").write_text("mine\n")
        repo.git("add", "mine.txt")
        repo.git("commit", "-qm", "mine")
    for words in WAYS[way]:
        repo.git(*words)
    assert repo.sources() == list(EDITED)


@pytest.mark.parametrize("way", WAYS)
def test_trusted_outputs_that_are_put_back_stay_trusted(
    other: Worktree, way: str, trust: Callable[[], None], is_trusted: Callable[[], bool]
) -> None:
    other.write(output="mine")
    trust()
    other.git("status")
    bring(other, way)
    assert other.outputs() == ["mine"] * 4 + [""]
    assert is_trusted()


@pytest.mark.parametrize("way", WAYS)
def test_outputs_that_were_never_trusted_do_not_become_so(
    other: Worktree, way: str, trust: Callable[[], None], is_trusted: Callable[[], bool]
) -> None:
    trust()  # the notebook without outputs
    other.write(output="of somebody else")
    other.git("status")
    bring(other, way)
    assert other.outputs() == ["of somebody else"] * 4 + [""]
    assert not is_trusted()


def test_trust_that_was_taken_away_stays_away(
    other: Worktree, notary: Any, trust: Callable[[], None], is_trusted: Callable[[], bool]
) -> None:
    other.write(output="mine")
    trust()
    other.git("status")
    notary.unsign(nbformat.read(other.folder / "n.ipynb", as_version=4))
    bring(other, "merge")
    assert not is_trusted()


def test_outputs_of_a_commit_beside_trusted_ones_are_not_trusted(
    repo: Worktree, trust: Callable[[], None], is_trusted: Callable[[], bool]
) -> None:
    """A tag keeps the outputs of a cell in commits: what is pulled has some of its own."""

    def write(output: str, kept: str) -> None:
        repo.write(output=output)
        value = json.loads(repo.bytes())
        value["cells"][0]["metadata"] = {"tags": ["keep-output"]}
        value["cells"][0]["outputs"][0]["text"] = [kept]
        (repo.folder / "n.ipynb").write_text(json.dumps(value, indent=1) + "\n")

    write("mine", "first")
    repo.commit("first")
    repo.git("switch", "-qc", "other")
    write("mine", "<script>")
    repo.commit("other")
    repo.git("switch", "-q", "main")
    write("mine", "first")
    trust()
    assert repo.status() == ""
    repo.git("merge", "-q", "other")
    assert repo.outputs() == ["<script>", *["mine"] * 4]
    assert not is_trusted()


def test_outputs_that_come_back_with_other_settings_stay_trusted(
    repo: Worktree, trust: Callable[[], None], is_trusted: Callable[[], bool]
) -> None:
    (repo.folder / "cellar.toml").write_text("[clean]\noutputs = true\n")
    repo.write(output="result")
    repo.commit("with outputs")
    repo.git("switch", "-qc", "other")
    (repo.folder / "cellar.toml").write_text("")
    repo.write(EDITED)
    repo.commit("without")
    repo.git("switch", "-q", "main")
    trust()
    repo.git("commit", "-q", "--allow-empty", "-m", "mine")
    repo.git("merge", "-q", "other")
    assert repo.outputs() == ["result"] * 4 + [""]
    assert is_trusted()
