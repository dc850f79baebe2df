"""The notebook as it is open: recorded without moving a live kernel, and given other versions of itself."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from nbcellar.api import Repo
from nbcellar.api.opened import document_of, record_opened
from nbcellar.errors import InvalidInputError, NotFoundError
from nbcellar.history.model import COMMIT_FORMAT, Commit, CommitKind
from nbcellar.history.repository import Repository
from nbcellar.session.entries import KernelEntry, sealed
from nbcellar.trust.keys import load_or_create


def document(*sources: str, **metadata: Any) -> dict[str, Any]:
    """Return a notebook as an editor holds it."""
    cells = [
        {"cell_type": "code", "id": f"c{i}", "metadata": metadata, "execution_count": None, "outputs": [], "source": s}
        for i, s in enumerate(sources)
    ]
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[Repo]:
    """A repository with one commit of `a.ipynb`, without code."""
    repository = Repository.create(tmp_path)
    environ = {"NBCELLAR_CONFIG_DIR": str(tmp_path / "config"), "JUPYTER_DATA_DIR": str(tmp_path / "jupyter")}
    with Repo(repository, environ=environ, folder=tmp_path, notebook="a.ipynb") as opened:
        notebook = repository.notebook_for(tmp_path / "a.ipynb", create=True)
        with repository.begin(notebook, load_or_create(opened.user_folder)) as recorder:
            recorder.commit(
                Commit(format=COMMIT_FORMAT, notebook=notebook, parents=(), kind=CommitKind.AUTO, time_ns=1)
            )
            recorder.finish()
        yield opened


def start_kernel(repo: Repo) -> None:
    """Make this very process look like a kernel that records the notebook."""
    key = load_or_create(repo.user_folder)
    entry = KernelEntry(
        protocol=1,
        version="",
        pid=os.getpid(),
        connection_file="",
        notebook=repo.notebook(),
        path="a.ipynb",
        started_ns=time.time_ns(),
    )
    folder = repo.cellar_folder / "kernels"
    folder.mkdir(exist_ok=True)
    (folder / "k.json").write_bytes(msgspec.json.encode(sealed(entry, key)))


def test_what_is_open_is_recorded_and_comes_back_as_it_was(repo: Repo) -> None:
    wanted = document("x = 1", "not saved")
    made = record_opened(repo, wanted, message="before")
    assert made is not None
    found = document_of(repo, made.hex())
    assert (found.notebook, found.commit, found.trusted) == (wanted, made, False)
    assert repo.resolve("HEAD") == made
    assert repo.log().commits[0].title == "before"


def test_what_was_recorded_before_is_not_recorded_again(repo: Repo) -> None:
    assert record_opened(repo, document("x"), message="") is not None
    assert record_opened(repo, document("x", trusted=True), message="") is None, "trust is no part of the file"
    assert record_opened(repo, document("y"), message="") is not None


def test_a_live_kernel_goes_on_from_where_it_is(repo: Repo) -> None:
    before = repo.resolve("HEAD")
    start_kernel(repo)
    made = record_opened(repo, document("edited"), message="")
    assert made is not None and repo.resolve("HEAD") == before
    assert document_of(repo, made.hex()).notebook == document("edited")
    assert [branch.name for branch in repo.branches().branches] == ["main"]


def test_what_is_no_notebook_is_refused_before_anything_is_written(repo: Repo) -> None:
    before = repo.resolve("HEAD")
    for wrong in (
        {},
        {"cells": 3},
        {"cells": [3]},
        {"cells": [{"metadata": None}]},
        {**document("x"), "nbformat": "x"},
    ):
        with pytest.raises(InvalidInputError):
            record_opened(repo, wrong, message="")
    assert repo.resolve("HEAD") == before


def test_a_commit_without_code_is_told(repo: Repo) -> None:
    with pytest.raises(NotFoundError, match="no document was recorded"):
        document_of(repo, "HEAD")


def test_texts_that_are_no_unicode_survive(repo: Repo) -> None:
    wanted = json.loads(json.dumps(document("x = '\N{SNOWMAN}'")))
    made = record_opened(repo, wanted, message="\N{SNOWMAN}")
    assert made is not None and document_of(repo, made.hex()).notebook == wanted
