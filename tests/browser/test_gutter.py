"""Marks beside cells that differ from git: seen, looked at, taken back, staged; with real git."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect
from tests.browser.documents import git
from tests.browser.studio import Lab, write_notebook

SOURCES = ["import math", "a = 1\nb = 2", "print(a + b)", "c = math.pi"]


@pytest.fixture
def lab(kept_lab: Lab) -> Lab:
    return kept_lab


@pytest.fixture
def committed(folder: Path) -> Path:
    """A notebook in a git repository."""
    notebook = write_notebook(folder / "a.ipynb", SOURCES)
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "first")
    return notebook


def staged(notebook: Path) -> list[str]:
    cells = json.loads(git(notebook.parent, "show", f":{notebook.name}"))["cells"]
    return ["".join(cell["source"]) for cell in cells]


def open_it(lab: Lab, notebook: Path) -> None:
    lab.open(f"{notebook.parent.name}/{notebook.name}")
    lab.page.wait_for_selector("[data-cellar-marks]")


def set_source(lab: Lab, index: int, source: str) -> None:
    lab.page.evaluate(
        """([index, source]) => window.jupyterapp.shell.currentWidget.content.widgets[index]
             .model.sharedModel.setSource(source)""",
        [index, source],
    )


def sources(lab: Lab) -> list[str]:
    found: list[str] = lab.page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.content.model.sharedModel.cells.map(c => c.getSource())"
    )
    return found


def mark(lab: Lab, index: int, kind: str):  # type: ignore[no-untyped-def]
    return lab.page.locator(".jp-Cell").nth(index).locator(f"> .cellar-gutter-mark.cellar-mod-{kind}")


def test_an_edited_cell_is_marked_and_the_mark_goes_with_the_change(lab: Lab, committed: Path) -> None:
    open_it(lab, committed)
    expect(lab.page.locator("[data-cellar-marks='0']")).to_be_attached()
    set_source(lab, 1, "a = 10\nb = 2")
    expect(mark(lab, 1, "changed")).to_be_visible()
    set_source(lab, 1, SOURCES[1])
    expect(lab.page.locator(".cellar-gutter-mark")).to_have_count(0)


def test_a_click_shows_what_changed_and_reverts_the_cell(lab: Lab, committed: Path) -> None:
    open_it(lab, committed)
    set_source(lab, 1, "a = 10\nb = 2")
    mark(lab, 1, "changed").click()
    peek = lab.page.locator(".cellar-gutter-peek")
    expect(peek).to_contain_text("Changed since HEAD")
    expect(peek.locator(".cm-deletedChunk")).to_contain_text("a = 1")
    peek.get_by_role("button", name="Revert").click()
    expect(lab.page.locator(".cellar-gutter-mark")).to_have_count(0)
    assert sources(lab) == SOURCES
    lab.command("notebook:undo-cell-action")
    expect(mark(lab, 1, "changed")).to_be_visible()


def test_one_of_two_changed_cells_is_staged(lab: Lab, committed: Path) -> None:
    open_it(lab, committed)
    set_source(lab, 1, "a = 10\nb = 2")
    set_source(lab, 3, "c = math.e")
    mark(lab, 3, "changed").click()
    lab.page.get_by_role("button", name="Stage").click()
    expect(lab.page.get_by_text("is in git’s index").first).to_be_visible()
    assert staged(committed) == [*SOURCES[:3], "c = math.e"]


def test_a_removed_cell_is_shown_and_brought_back(lab: Lab, committed: Path) -> None:
    open_it(lab, committed)
    lab.page.evaluate("() => window.jupyterapp.shell.currentWidget.content.model.sharedModel.deleteCell(2)")
    lab.page.locator(".cellar-gutter-gone-before").click()
    peek = lab.page.locator(".cellar-gutter-peek")
    expect(peek).to_contain_text("print(a + b)")
    peek.get_by_role("button", name="Bring back").click()
    expect(lab.page.locator("[data-cellar-marks='0']")).to_be_attached()
    assert sources(lab) == SOURCES


def test_marks_follow_head_when_a_terminal_commits(lab: Lab, committed: Path) -> None:
    open_it(lab, committed)
    set_source(lab, 0, "import math, sys")
    expect(mark(lab, 0, "changed")).to_be_visible()
    lab.command("docmanager:save")
    expect(lab.page.locator(".jp-mod-dirty")).to_have_count(0)
    lab.page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.context.model.dirty")
    git(committed.parent, "commit", "-qam", "second")
    expect(lab.page.locator("[data-cellar-marks='0']")).to_be_attached()


def test_run_cells_are_marked_where_git_has_outputs(lab: Lab, committed: Path) -> None:
    open_it(lab, committed)
    lab.run_all()
    expect(mark(lab, 2, "outputs")).to_be_visible()


def test_keys_go_from_change_to_change(lab: Lab, committed: Path) -> None:
    open_it(lab, committed)
    set_source(lab, 0, "import math, sys")
    set_source(lab, 3, "c = math.e")
    expect(lab.page.locator("[data-cellar-marks='2']")).to_be_attached()
    lab.await_keys("nbcellar:next-change")
    lab.page.locator(".jp-Cell").first.click()
    lab.page.keyboard.press("Escape")
    lab.page.keyboard.press("Alt+F5")
    first = lab.page.locator(".jp-Cell").nth(0).locator(".cellar-gutter-peek")
    expect(first.get_by_role("button", name="Revert")).to_be_focused()
    lab.page.keyboard.press("Tab")
    expect(first.get_by_role("button", name="Stage")).to_be_focused()
    first.get_by_role("button", name="Next change").press("Enter")
    other = lab.page.locator(".jp-Cell").nth(3).locator(".cellar-gutter-peek")
    expect(other.get_by_role("button", name="Revert")).to_be_focused()
    lab.page.keyboard.press("Escape")
    expect(lab.page.locator(".cellar-gutter-peek")).to_have_count(0)
