"""The notebook's file beside the session: what was saved is recorded, and a rename or a copy is recognised."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from nbcellar.history.repository import Repository
from nbcellar.ids import NotebookId

from .live import Live, live_session


def save(file: Path, *sources: str) -> None:
    """Write the file in place, as a Jupyter server does."""
    cells = [
        {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": source}
        for source in sources
    ]
    file.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}))


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    with live_session(tmp_path) as session:
        yield session


@pytest.fixture
def file(live: Live) -> Path:
    return live.folder / "project" / "a.ipynb"


@pytest.fixture
def repo(live: Live) -> Repository:
    return live.repo


def paths(repo: Repository) -> dict[NotebookId, str]:
    return {info.id: info.path for info in repo.notebooks()}


def test_a_notebook_that_was_saved_and_then_renamed_keeps_its_history(live: Live, repo: Repository, file: Path) -> None:
    save(file, "x = 1", "y = 2")
    live.cell("x = 1")
    save(file, "x = 1", "y = 2", "z = 3", "one more that no commit has seen")
    file.rename(file.with_name("renamed.ipynb"))
    assert repo.notebook_for(file.with_name("renamed.ipynb")) == live.session.notebook


def test_the_kernel_goes_on_with_a_file_that_was_renamed(live: Live, repo: Repository, file: Path) -> None:
    save(file, "x = 1")
    live.cell("x = 1")
    new = file.with_name("renamed.ipynb")
    file.rename(new)
    live.cell("x += 1")
    assert paths(repo) == {live.session.notebook: "renamed.ipynb"}
    save(new, "x = 1", "x += 1")
    tree = repo.read_commit(live.cell("x += 1")).tree
    assert tree is not None and tree != repo.read_commit(live.cell("x += 1")).tree


def test_a_kernel_whose_file_is_gone_records_on(live: Live, repo: Repository, file: Path) -> None:
    save(file, "x = 1")
    live.cell("x = 1")
    save(file.with_name("other.ipynb"), "nothing of it")
    file.unlink()
    live.cell("x += 1")
    assert paths(repo) == {live.session.notebook: "a.ipynb"}
    live.session.undo()
    assert live.value("x") == 1


def test_a_copy_is_another_notebook_that_begins_where_it_was_made(live: Live, repo: Repository, file: Path) -> None:
    save(file, "x = 1", "y = 2")
    head = live.cell("x = 1")
    copy = file.with_name("copy.ipynb")
    shutil.copy(file, copy)
    notebook = repo.notebook_for(copy, create=True)
    assert notebook != live.session.notebook
    assert repo.forked_from(notebook) == head


def test_a_new_file_under_the_old_name_is_another_notebook(live: Live, repo: Repository, file: Path) -> None:
    save(file, "")
    live.cell("x = 1")
    live.cell("x += 1")
    save(file, "x = 1", "x += 1")
    file.rename(file.with_name("analysis.ipynb"))
    save(file, "")
    other = repo.notebook_for(file, create=True)
    assert other != live.session.notebook and repo.forked_from(other) is None
    assert paths(repo) == {live.session.notebook: "analysis.ipynb", other: "a.ipynb"}
    commit = live.cell("x += 1")
    assert repo.head(live.session.notebook).commit == commit
    assert repo.head(live.session.notebook).branch == "main"


def test_the_kernel_notices_a_new_file_under_the_old_name_first(live: Live, repo: Repository, file: Path) -> None:
    save(file, "x = 1", "y = 1")
    live.cell("x = 1")
    file.rename(file.with_name("analysis.ipynb"))
    save(file, "quite", "another")
    live.cell("x += 1")
    assert paths(repo) == {live.session.notebook: "analysis.ipynb"}
    assert repo.notebook_for(file, create=True) != live.session.notebook


def test_a_notebook_made_from_the_same_template_is_another_one(live: Live, repo: Repository, file: Path) -> None:
    template = ["import numpy as np", "import pandas as pd"]
    save(file, *template, "x = 1", "y = 2")
    live.cell("x = 1")
    analysis = file.with_name("analysis.ipynb")
    file.rename(analysis)
    save(file, *template)
    assert repo.notebook_for(file, create=True) != live.session.notebook
    assert repo.notebook_for(analysis) == live.session.notebook


def test_a_recycled_inode_is_not_the_notebook(live: Live, repo: Repository, file: Path) -> None:
    save(file, "x = 1", "y = 1")
    live.cell("x = 1")
    other = file.with_name("other.ipynb")
    save(other, "nothing", "of it")
    file.unlink()
    document = live.session.writer._fixed.document
    document._evidence = msgspec.structs.replace(document._evidence, inode=other.stat().st_ino)
    live.cell("x += 1")
    assert paths(repo) == {live.session.notebook: "a.ipynb"}


def test_a_file_renamed_over_another_notebook_stays_apart(live: Live, repo: Repository, file: Path) -> None:
    save(file, "x = 1", "y = 1")
    live.cell("x = 1")
    second = file.with_name("b.ipynb")
    save(second, "second")
    other = repo.notebook_for(second, create=True)
    file.replace(second)
    live.cell("x += 1")
    assert paths(repo) == {live.session.notebook: "a.ipynb", other: "b.ipynb"}


def test_a_file_that_is_saved_by_way_of_a_new_one_stays_the_notebook(live: Live, repo: Repository, file: Path) -> None:
    save(file, "x = 1", "y = 1")
    live.cell("x = 1")
    for sources in (["x = 1", "y = 1", "z = 1"], ["x = 1", "y = 2", "z = 1"]):
        save(file.with_name("new"), *sources)
        file.with_name("new").replace(file)
        live.cell("x += 1")
        assert repo.notebook_for(file) == live.session.notebook
    save(file.with_name("new"), "x = 1", "y = 2", "z = 1")
    file.unlink()
    renamed = file.with_name("renamed.ipynb")
    file.with_name("new").rename(renamed)
    assert repo.notebook_for(renamed) == live.session.notebook
    save(renamed, "x = 1", "y = 2", "z = 1", "more")
    live.cell("x += 1")
    assert live.session.writer._fixed.document.path == renamed


def test_notebooks_that_have_a_few_cells_in_common_are_not_copies(live: Live, repo: Repository, file: Path) -> None:
    save(file, "import numpy as np", "import json", "secret = 1", "x = 1")
    live.cell("x = 1")
    second = file.with_name("second.ipynb")
    save(second, "import numpy as np", "import json", "other = 5")
    assert repo.forked_from(repo.notebook_for(second, create=True)) is None


def test_a_file_that_is_no_notebook_is_recorded_without_its_document(live: Live, repo: Repository, file: Path) -> None:
    file.write_text("not JSON")
    assert repo.read_commit(live.cell("x = 1")).tree is None
