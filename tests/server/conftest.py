"""A Jupyter server with Cellar's extension, asked over HTTP like any other."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.browser import studio


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, own_environment: Path) -> Iterator[studio.Server]:
    with studio.serve(tmp_path_factory.mktemp("server") / "root", module="nbcellar.server") as running:
        yield running


@pytest.fixture
def folder(server: studio.Server) -> Path:
    """A folder of the test's own below the server's root."""
    made = server.folder / secrets.token_hex(4)
    made.mkdir()
    return made
