"""Kernels for tests: one a module where that is enough, one a test where history or process matter."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .support import Kernel, Project


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """An initialised folder; its kernels end with the test."""
    made = Project(tmp_path)
    yield made
    made.close()


@pytest.fixture
def fresh(project: Project) -> Kernel:
    """A recording kernel that has run nothing."""
    return project.kernel()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """A recording kernel for all tests of a module; take `kernel` in tests."""
    made = Project(tmp_path_factory.mktemp("shared"))
    yield made.kernel()
    made.close()


# One cell takes everything of the test before away, as a user would.
_CLEAR = """
for _name in [name for name in globals() if name not in _kept and name != "_kept"]:
    del globals()[_name]
import os, random, sys
"""


@pytest.fixture
def kernel(shared: Kernel) -> Iterator[Kernel]:
    """A recording kernel whose namespace holds `os`, `random` and `sys`; after the test, nothing went wrong inside."""
    if "_kept" not in shared.value("sorted(globals())"):
        shared.run("_kept = set(globals())")
    shared.run(_CLEAR)
    before = shared.status()["errors"]
    yield shared
    assert shared.status()["errors"] == before, "something went wrong inside Cellar"
