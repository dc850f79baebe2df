"""Comparers of other distributions: found by their entry point when they are needed, harmless when they are broken."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from nbcellar.diff.document.outputs import plugins
from nbcellar.diff.document.outputs.model import MimeChange, OutputSettings, TreeChange
from nbcellar.diff.document.outputs.registry import compare_mime

PAGE = Path(__file__).parents[5] / "docs" / "output-comparers.md"
MIME = "application/vnd.molecule"


def block(language: str) -> str:
    """Return the one example of the page in a language."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    return str(found)


def install(folder: Path, code: str, name: str = MIME) -> None:
    """Put the module and what pip writes of a distribution where Python finds them."""
    (folder / "molecules_cellar.py").write_text(code)
    info = folder / "molecules_cellar-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: molecules-cellar\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{plugins.GROUP}]\n{name} = molecules_cellar:compare\n")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of installed distributions that nobody has looked into yet."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setattr(plugins, "_points", None)
    monkeypatch.setattr(plugins, "_loaded", {})
    yield folder
    sys.modules.pop("molecules_cellar", None)


def test_the_entry_point_of_the_page_is_one() -> None:
    assert f'entry-points."{plugins.GROUP}"' in block("toml")
    assert f'"{MIME}" = "molecules_cellar:compare"' in block("toml")


def test_the_comparer_of_the_page_compares(site: Path) -> None:
    install(site, block("python"))
    change = compare_mime(MIME, "C 0 0\nH 1 0", "C 0 0\nO 1 0")
    assert isinstance(change.detail, TreeChange)
    assert change.note == "1 atoms added, 1 removed"
    assert [value.before or value.after for value in change.detail.values] == ["H 1 0", "O 1 0"]
    assert compare_mime(MIME, "C\nH", "H\nC").only_noise


def test_nothing_is_looked_for_while_all_types_are_known(site: Path) -> None:
    install(site, block("python"))
    compare_mime("text/plain", "a", "b")
    compare_mime("application/vnd.plotly.v1+json", {"a": 1}, {"a": 2})
    assert plugins._points is None and "molecules_cellar" not in sys.modules


def test_settings_can_do_without(site: Path) -> None:
    install(site, block("python"))
    compare_mime(MIME, "a", "b", OutputSettings(plugins=False))
    assert plugins._points is None


def test_a_known_type_is_given_to_a_plug_in_where_settings_say_so(site: Path) -> None:
    install(site, block("python"), "text/html")
    assert compare_mime("text/html", "a", "b").note == "1 line changed"
    assert compare_mime("text/html", "a", "b", OutputSettings(ask_plugins=("text/html",))).note.endswith("removed")


def test_the_longest_beginning_of_a_name_counts(site: Path) -> None:
    install(site, "def compare(*given): return None\ndef short(*given): raise ValueError")
    points = site / "molecules_cellar-1.0.dist-info" / "entry_points.txt"
    points.write_text(
        f"[{plugins.GROUP}]\nchemical/* = molecules_cellar:short\nchemical/x-* = molecules_cellar:compare\n"
    )
    change = compare_mime("chemical/x-mol", "a", "b")
    assert change.only_noise and change.noise == ["what molecules-cellar takes for equal"]


IMPORT = "from nbcellar.diff.document.outputs.model import MimeChange\n"
BROKEN = {
    "does not import": ("import nowhere", "could not be loaded: ModuleNotFoundError"),
    "ends the process": ("raise SystemExit(1)", "could not be loaded: SystemExit"),
    "is no Python": ("def (", "could not be loaded: SyntaxError"),
    "has no such function": ("", "could not be loaded: AttributeError"),
    "is no function": ("compare = 5", "could not be loaded: TypeError"),
    "raises": ("def compare(*given): raise ValueError('no atoms')", "failed: ValueError: no atoms"),
    "exits": ("def compare(*given): raise SystemExit", "failed: SystemExit"),
    "returns another thing": ("def compare(*given): return {'note': 'x'}", "failed: TypeError: it returned dict"),
    "returns rubbish": (
        IMPORT + "def compare(*given): return MimeChange(mime=5, note='x', detail=object())",
        "failed: ",
    ),
    "says nothing": (
        IMPORT + "def compare(*given): return MimeChange(mime='x', note=' ')",
        "failed: ValueError: it returned a MimeChange without a note",
    ),
}


@pytest.mark.parametrize(("code", "told"), BROKEN.values(), ids=BROKEN)
def test_a_broken_comparer_is_named_and_the_output_is_compared_without_it(site: Path, code: str, told: str) -> None:
    install(site, code)
    change = compare_mime(MIME, "a", "b")
    assert change.note.startswith(f"1 line changed; the comparer of molecules-cellar for '{MIME}'")
    assert told in change.note
    assert type(change) is MimeChange and not change.only_noise


def test_an_interrupt_is_no_failure_of_a_comparer(site: Path) -> None:
    install(site, "def compare(*given): raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        compare_mime(MIME, "a", "b")
