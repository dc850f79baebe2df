"""Workers for tests: kept warm for a module, as starting one takes longer than most pipelines of a test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nbcellar.history.repository import Repository
from nbcellar.pipeline.executors import Executor, Processes

from .dask_support import Cluster
from .support import Notebook


@pytest.fixture(scope="module")
def workers(own_environment: Path) -> Iterator[Executor]:
    """Two worker processes."""
    made = Processes(2)
    yield made
    made.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty repository."""
    root = tmp_path / "project"
    root.mkdir()
    Repository.create(root).close()
    return root


@pytest.fixture
def nb(folder: Path, workers: Executor) -> Notebook:
    """A notebook in it, whose components run in the two workers."""
    return Notebook(folder, workers)


@pytest.fixture(scope="module")
def cluster(own_environment: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A Dask cluster with two workers."""
    with Cluster(tmp_path_factory.mktemp("cluster")) as made:
        yield made
