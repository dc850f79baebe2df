"""The documents agree with the repository: links lead somewhere, what they name exists."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "changes").glob("*.md")])
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_TEST = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    targets = [link.split("#")[0] for link in _LINK.findall(document.read_text("utf-8"))]
    local = [target for target in targets if target and "://" not in target and not target.startswith("mailto:")]
    assert [target for target in local if not (document.parent / target).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_tests_that_a_document_names_exist(document: Path) -> None:
    for file, name in _TEST.findall(document.read_text("utf-8")):
        assert (ROOT / file).is_file(), file
        assert not name or f"def {name}(" in (ROOT / file).read_text("utf-8"), name


def test_the_architecture_has_a_paragraph_for_each_part() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    parts = [path.parent.name for path in (ROOT / "src" / "nbcellar").glob("*/__init__.py")]
    assert [part for part in parts if f"**{part}/**" not in text] == []


def test_make_has_the_targets_that_the_documents_name() -> None:
    named = {name for path in DOCUMENTS for name in re.findall(r"\bmake ([a-z][\w-]*)`", path.read_text("utf-8"))}
    targets = set(re.findall(r"^([a-z][\w-]*):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert named <= targets


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = sorted(int(path.name[:4]) for path in (ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    assert numbers == list(range(len(numbers)))


@pytest.fixture
def changes() -> ModuleType:
    spec = importlib.util.spec_from_file_location("changes_build", ROOT / "changes" / "build.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_each_change_is_of_a_known_kind_and_has_a_title_and_a_text(changes: ModuleType) -> None:
    for paths in changes.entries().values():
        for path in paths:
            title, _, body = path.read_text("utf-8").strip().partition("\n\n")
            assert "\n" not in title
            assert body


def test_a_release_lists_changes_by_kind_with_security_first(changes: ModuleType, tmp_path: Path) -> None:
    for name in ("fix-a", "security-b"):
        (tmp_path / f"{name}.md").write_text(f"Title {name}\n\nThe text.\n", "utf-8")
    files = {kind: sorted(tmp_path.glob(f"{kind}-*.md")) for kind in changes.HEADINGS}
    assert changes.section("1.0.0", "2027-01-01", files) == (
        "## 1.0.0, 2027-01-01\n\n"
        "### Security\n\n- **Title security-b**\n  The text.\n\n"
        "### Fixed\n\n- **Title fix-a**\n  The text.\n"
    )


def test_example_notebooks_hold_no_outputs() -> None:
    for path in sorted((ROOT / "examples").glob("*.ipynb")):
        cells = json.loads(path.read_text("utf-8"))["cells"]
        assert 8 <= len(cells) <= 20
        assert all(not cell.get("outputs") and cell.get("execution_count") is None for cell in cells)
        assert len({cell["id"] for cell in cells}) == len(cells)
