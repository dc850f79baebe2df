"""The wheel holds what its users need, and nothing that only we do: Lab's extension, the server's, the page."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LAB = "share/jupyter/labextensions/nbcellar-lab/"
PAGE = "nbcellar/server/static/"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """A wheel, built of this checkout; `make ui` has built what comes from `ui/`."""
    folder = tmp_path_factory.mktemp("wheel")
    words = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    built = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    (found,) = folder.glob("*.whl")
    return zipfile.ZipFile(found)


def shared(wheel: zipfile.ZipFile) -> dict[str, str]:
    """Return the names of what goes below `sys.prefix`, and their names in the wheel."""
    found = [name.partition(".data/data/") for name in wheel.namelist()]
    return {where: "".join((top, mark, where)) for top, mark, where in found if mark}


def test_the_extension_of_lab_is_whole(wheel: zipfile.ZipFile) -> None:
    files = shared(wheel)
    package = json.loads(wheel.read(files[f"{LAB}package.json"]))
    assert f"{LAB}{package['jupyterlab']['_build']['load']}" in files
    for schema in (ROOT / "ui" / "schema").glob("*.json"):
        assert f"{LAB}schemas/nbcellar-lab/{schema.name}" in files


def test_lab_finds_the_extension_compatible(wheel: zipfile.ZipFile) -> None:
    """`jupyter labextension list` marks one that asks for an exact version of what Lab shares as outdated."""
    package = json.loads(wheel.read(shared(wheel)[f"{LAB}package.json"]))
    shares = {name: wanted for name, wanted in package["dependencies"].items() if name.startswith("@jupyter")}
    assert {name: wanted for name, wanted in shares.items() if not wanted.startswith("^")} == {}
    listed = subprocess.run(
        [sys.executable, "-m", "jupyterlab.labextensions", "list", "--verbose"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "nbcellar-lab" in listed.stdout + listed.stderr
    assert "not compatible" not in listed.stdout + listed.stderr


def test_the_extension_of_the_server_and_the_startup_file_are_there(wheel: zipfile.ZipFile) -> None:
    files = shared(wheel)
    config = json.loads(wheel.read(files["etc/jupyter/jupyter_server_config.d/nbcellar.json"]))
    assert config == {"ServerApp": {"jpserver_extensions": {"nbcellar.server": True}}}
    assert "etc/ipython/startup/50-nbcellar.py" in files


def test_the_page_is_whole(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    page = wheel.read(f"{PAGE}index.html").decode()
    asked = re.findall(r'(?:src|href)="\./([^"]+)"', page)
    assert asked and {f"{PAGE}{name}" for name in asked} <= names
    assert "<script>" not in page and "style=" not in page  # the policy would forbid them


def test_nothing_is_in_it_that_only_we_need(wheel: zipfile.ZipFile) -> None:
    wrong = [
        name
        for name in wheel.namelist()
        if re.search(r"node_modules|\.tsx?$|\.map$|__pycache__|(^|/)\.[a-z]|(^|/)tests?/", name)
    ]
    assert wrong == []


def test_no_path_of_the_builder_is_in_it(wheel: zipfile.ZipFile) -> None:
    ours = str(ROOT).encode()
    assert [name for name in wheel.namelist() if ours in wheel.read(name)] == []
