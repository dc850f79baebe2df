"""What the doctor says of kernels, by the answers of their interpreters."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from nbcellar import __version__
from nbcellar.api import doctor
from nbcellar.history.repository import Repository


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {
        "HOME": str(tmp_path),
        "NBCELLAR_CONFIG_DIR": str(tmp_path / "config"),
        "JUPYTER_PATH": str(tmp_path / "jupyter"),
        "JUPYTER_DATA_DIR": str(tmp_path / "none"),
    }


def install(tmp_path: Path, name: str, answer: dict[str, Any] | None, *, language: str = "python") -> Path:
    """Install a kernelspec whose interpreter is a script that answers so."""
    folder = tmp_path / "jupyter" / "kernels" / name
    folder.mkdir(parents=True)
    python = folder / "python"
    body = "exit 3" if answer is None else f"echo '{json.dumps(answer)}'"
    python.write_text(f"#!/bin/sh\n{body}\n")
    python.chmod(0o755)
    spec = {"argv": [str(python), "-m", "ipykernel_launcher"], "display_name": name, "language": language}
    (folder / "kernel.json").write_text(json.dumps(spec))
    return python


GOOD = {"python": "3.12.1", "prefix": "/env", "version": __version__, "startup": True}


@pytest.mark.parametrize(
    ("answer", "state", "detail", "fix"),
    [
        (GOOD, "ok", "records itself (Python 3.12.1", ""),
        (
            {"python": "3.12.1", "prefix": "/env", "error": "ModuleNotFoundError: No module named 'nbcellar'"},
            "problem",
            "Cellar is missing in /env",
            f"-m pip install nbcellar=={__version__}",
        ),
        ({**GOOD, "version": "0.0.9"}, "problem", "has Cellar 0.0.9, this is", "-m pip install"),
        ({**GOOD, "startup": False}, "problem", "does not record by itself", "%load_ext nbcellar"),
        (None, "problem", "does not run: it answers nothing that a Python would (exit code 3)", ""),
    ],
)
def test_each_kernel_is_judged_by_its_own_interpreter(
    tmp_path: Path, environ: dict[str, str], answer: dict[str, Any] | None, state: str, detail: str, fix: str
) -> None:
    install(tmp_path, "analysis", answer)
    found = next(f for f in doctor.look_at_kernels(environ) if f.what == "kernel analysis")
    assert found.state == state
    assert detail in found.detail
    assert fix in found.fix


def test_a_kernel_of_another_language_is_a_note(tmp_path: Path, environ: dict[str, str]) -> None:
    install(tmp_path, "ir", None, language="R")
    found = next(f for f in doctor.look_at_kernels(environ) if f.what == "kernel ir")
    assert (found.state, found.detail) == ("note", "language r; Cellar records Python kernels")


def test_a_kernelspec_that_cannot_be_read_is_passed_over(tmp_path: Path, environ: dict[str, str]) -> None:
    install(tmp_path, "broken", GOOD)
    (tmp_path / "jupyter" / "kernels" / "broken" / "kernel.json").write_text("{")
    assert "broken" not in {spec.name for spec in doctor.kernel_specs(environ)}


def test_outside_of_a_repository_the_doctor_says_how_to_make_one(tmp_path: Path, environ: dict[str, str]) -> None:
    found = {f.what: f for f in doctor.examine(tmp_path, environ).findings}
    assert (found["repository"].state, found["repository"].fix) == ("note", "cellar init")
    assert found["key"].detail.startswith("none yet")


def test_a_wrong_setting_and_loose_permissions_are_problems(tmp_path: Path, environ: dict[str, str]) -> None:
    Repository.create(tmp_path).close()
    (tmp_path / ".cellar" / "config.toml").write_text("[record]\nbudget_s = 'x'\n")
    (tmp_path / ".cellar").chmod(0o755)
    problems = {f.what: f for f in doctor.examine(tmp_path, environ).findings if f.state == "problem"}
    assert "record.budget_s must be a number above 0" in problems["settings"].detail
    if os.name == "posix":
        assert problems["permissions"].fix.startswith("chmod 700 ")
    assert not (tmp_path / "config").exists()  # looking makes no key


def test_reducers_of_other_distributions_are_listed_and_broken_ones_are_problems(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    def plugin(package: str, error: str) -> dict[str, str]:
        return {"package": package, "value": f"{package}_cellar", "distribution": f"{package}-plus", "error": error}

    answer = {**GOOD, "reducers": [plugin("meshes", ""), plugin("grids", "ImportError: no")]}
    python = install(tmp_path, "one", answer)
    found = {finding.what: finding for finding in doctor.look_at_kernels(environ)}
    assert found["reducers for meshes"].state == "ok"
    assert found["reducers for grids"].state == "problem" and "ImportError: no" in found["reducers for grids"].detail
    assert found["reducers for grids"].fix == f"{python} -m pip install --upgrade grids-plus"
    assert found["kernel one"].state == "ok"
