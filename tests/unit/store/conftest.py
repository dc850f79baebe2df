"""Stores to test: both kinds for the contract, a local one for the rest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nbcellar.store.local import LocalStore
from nbcellar.store.memory import MemoryStore


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where `store` is."""
    return tmp_path / ".cellar"


@pytest.fixture
def store(folder: Path) -> Iterator[LocalStore]:
    with LocalStore.create(folder) as made:
        yield made


@pytest.fixture(params=["memory", "local"])
def any_store(request: pytest.FixtureRequest, folder: Path) -> Iterator[LocalStore | MemoryStore]:
    if request.param == "memory":
        yield MemoryStore()
    else:
        with LocalStore.create(folder) as made:
            yield made
