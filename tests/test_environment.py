"""The environments that the Makefile makes are what it says they are."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
from pathlib import Path

import pytest


@pytest.mark.pandas2
def test_pandas_is_of_the_series_that_was_asked_for() -> None:
    asked = os.environ.get("CELLAR_TEST_PANDAS")
    version = importlib.metadata.version("pandas")
    assert asked is None or version.startswith(f"{asked}.")


def test_git_reads_no_settings_of_the_developer(tmp_path: Path) -> None:
    run = subprocess.run(["git", "config", "--list", "--show-origin"], cwd=tmp_path, capture_output=True, text=True)
    assert run.stdout == ""


def test_home_is_a_folder_of_the_tests(own_environment: Path) -> None:
    assert Path.home() == own_environment
