"""Reducers of other distributions: found by their entry point, and harmless when they are broken."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from nbcellar.session.reducers import plugins, registry

from .live import Live, live_session

PAGE = Path(__file__).parents[3] / "docs" / "reducers.md"
LIBRARY = """
class Mesh:
    def __init__(self, points):
        self.points = points
        self.handle = (_ for _ in points)  # nothing that could be pickled
        self.is_locked = False
        self._area = None

    def area(self):
        self._area = self._area or sum(self.points)
        return self._area
"""


def block(language: str) -> str:
    """Return the one example of the page in a language."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    return str(found)


def install(folder: Path, code: str, *, value: str = "meshes_cellar", name: str = "meshes-cellar") -> None:
    """Put the library, a plug-in and what pip writes of it where Python finds them."""
    (folder / "meshes.py").write_text(LIBRARY)
    (folder / "meshes_cellar.py").write_text(code)
    info = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[nbcellar.reducers]\nmeshes = {value}\n")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of installed distributions, in a registry that has not looked for any yet."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setattr(registry, "_plugins", None)
    for table in (registry._by_type, registry._by_base, registry._by_package):
        monkeypatch.setattr(registry, _name_of(table), dict(table))
    monkeypatch.setattr(registry, "_loaded", registry._loaded - {"meshes"})
    monkeypatch.setattr(registry, "_broken", [])
    yield folder
    for name in ("meshes", "meshes_cellar"):
        sys.modules.pop(name, None)


def _name_of(table: object) -> str:
    return next(name for name, value in vars(registry).items() if value is table)


@pytest.fixture
def live(tmp_path: Path, site: Path) -> Iterator[Live]:
    with live_session(tmp_path) as session:
        yield session


def test_the_entry_point_of_the_page_is_one() -> None:
    assert f'entry-points."{plugins.GROUP}"' in block("toml") and 'meshes = "meshes_cellar"' in block("toml")


def test_the_reducer_of_the_page_records_and_brings_back(live: Live, site: Path) -> None:
    install(site, block("python"))
    live.cell("import meshes\nmesh = meshes.Mesh([1, 2])")
    before = live.session.tracker.by_name["mesh"].version
    live.cell("mesh.area()")
    assert live.session.tracker.by_name["mesh"].version == before
    live.cell("mesh.points.append(3)")
    live.session.undo()
    assert live.value("mesh.points, mesh.area()") == ([1, 2], 3)
    live.cell("mesh.is_locked = True\nmesh.points.append(9)")
    assert live.not_stored == {"mesh": "a mesh that is locked; mesh.unlock() gives it free"}


def test_nothing_is_looked_for_while_no_object_of_an_installed_library_is_there(live: Live) -> None:
    live.cell("import datetime\nx = [1, 2, datetime.date(2020, 1, 1)]\nclass A: pass\na = A()")
    assert registry._plugins is None


def test_a_function_that_an_entry_point_names_is_called(live: Live, site: Path) -> None:
    code = block("python").replace(
        'register("meshes.Mesh", reduce_mesh)', 'def setup():\n    register("meshes.Mesh", reduce_mesh)'
    )
    install(site, code, value="meshes_cellar:setup")
    live.cell("import meshes\nmesh = meshes.Mesh([1, 2])")
    assert live.not_stored == {}


BROKEN = {
    "does not import": "import nowhere",
    "ends the process": "raise SystemExit(1)",
    "is no Python": "def (",
    "fails half way": block("python") + "\nraise ValueError('half')",
}


@pytest.mark.parametrize("code", BROKEN.values(), ids=BROKEN)
def test_a_plug_in_that_does_not_load_is_named_once_and_recording_goes_on(live: Live, site: Path, code: str) -> None:
    install(site, code)
    commit = live.cell("import meshes\nmesh = meshes.Mesh([1, 2])\nother = [1]")
    assert list(live.not_stored) == ["mesh"] and "generator" in live.not_stored["mesh"]
    (note,) = live.repo.read_commit(commit).notes
    assert note.startswith("the reducers of meshes-cellar for 'meshes' (meshes_cellar) could not be loaded: ")
    assert live.repo.read_commit(live.cell("other.append(2)\nmesh")).notes == ()
    live.session.undo()
    assert live.value("other") == [1]


def test_a_choice_that_raises_is_named_and_leaves_the_object_to_pickle(live: Live, site: Path) -> None:
    code = "from nbcellar.session.reducers.registry import register_package\nregister_package('meshes', lambda kind: kind.nothing)"
    install(site, code)
    commit = live.cell("import meshes\nmesh = meshes.Mesh([1, 2])")
    (note,) = live.repo.read_commit(commit).notes
    assert "failed for meshes.Mesh: AttributeError" in note
    assert "generator" in live.not_stored["mesh"]


def test_damaged_metadata_and_folders_that_are_gone_are_passed_over(site: Path, tmp_path: Path) -> None:
    install(site, block("python"))
    for number, text in enumerate((b"[nbcellar.reducers", b"\xff\xfe nbcellar.reducers", b"nbcellar.reducers = 1\n")):
        folder = site / f"bad{number}.dist-info"
        folder.mkdir()
        (folder / "entry_points.txt").write_bytes(text)
    path = [str(tmp_path / "gone"), str(site), str(site), str(site / "meshes.py")]
    found = plugins.find_plugins(path)
    assert [(plugin.package, plugin.value, plugin.distribution) for plugin in found] == [
        ("meshes", "meshes_cellar", "meshes-cellar")
    ]


def test_the_doctor_is_told_what_is_wrong_with_each(site: Path) -> None:
    install(site, "import nowhere")
    (found,) = plugins.examine([str(site)])
    assert found["package"] == "meshes" and found["error"] == "ModuleNotFoundError: No module named 'nowhere'"
    (site / "meshes_cellar.py").write_text(block("python"))
    sys.modules.pop("meshes_cellar", None)
    (found,) = plugins.examine([str(site)])
    assert found["error"] == ""
