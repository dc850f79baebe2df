"""Merges in JupyterLab, Notebook 7 and on the page: from opening a notebook in conflict to the resolved commit."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.browser.studio import Lab, StandAlone, check_axe, write_notebook
from tests.git.support import Worktree, make

SOURCES = ("import math", "rate = 0.05\nyears = 10", "print('done')")
OURS = ("import math", "rate = 0.07\nyears = 10", "print('done')")
THEIRS = ("import math", "rate = 0.03\nyears = 12", "print('done')")
GOES_ON = {
    "merge": ("commit", "--no-edit"),
    "rebase": ("rebase", "--continue"),
    "cherry-pick": ("cherry-pick", "--continue"),
}


@pytest.fixture
def lab(kept_lab: Lab) -> Lab:
    return kept_lab


def put(repo: Worktree, sources: Sequence[str], message: str) -> None:
    """Commit `n.ipynb` with these cells."""
    write_notebook(repo.folder / "n.ipynb", sources)
    repo.commit(message)


def branched(
    folder: Path, ours: Sequence[str] = OURS, theirs: Sequence[str] = THEIRS, *, install: bool = True
) -> Worktree:
    """Make a repository with two branches that changed `n.ipynb` in the same place."""
    repo = make(folder / "repo")
    if install:
        repo.install()
    put(repo, SOURCES, "base")
    repo.git("switch", "-qc", "slow-growth")
    put(repo, theirs, "theirs")
    repo.git("switch", "-q", "main")
    put(repo, ours, "ours")
    return repo


def conflicted(
    folder: Path, operation: str = "merge", ours: Sequence[str] = OURS, theirs: Sequence[str] = THEIRS
) -> Worktree:
    """Make a repository in which an operation of git's left `n.ipynb` in conflict."""
    if operation == "stash":
        repo = make(folder / "repo")
        repo.install()
        put(repo, SOURCES, "base")
        write_notebook(repo.folder / "n.ipynb", theirs)
        repo.git("stash", "-q")
        put(repo, ours, "ours")
        repo.git("stash", "pop", check=False)
    else:
        repo = branched(folder, ours, theirs)
        repo.git(operation, "slow-growth", check=False)
    assert repo.git("ls-files", "-u").stdout
    return repo


def open_in_lab(lab: Lab, folder: Path) -> Page:
    """Open the notebook in JupyterLab; the merge view comes by itself."""
    lab.load(f"{folder.name}/repo/n.ipynb")
    lab.page.wait_for_selector(".cellar-merge-conflict", timeout=60_000)
    return lab.page


def test_what_opened_by_itself_stays_in_front_until_a_person_acts(lab: Lab, folder: Path) -> None:
    conflicted(folder)
    page = open_in_lab(lab, folder)
    # As Lab does when it has restored a workspace in which the notebook was open.
    lab.bring("docmanager:open", path=f"{folder.name}/repo/n.ipynb")
    expect(page.locator(".cellar-merge")).to_be_visible()
    page.locator(".lm-TabBar-tabLabel", has_text="n.ipynb").first.click()
    expect(page.locator(".cellar-merge")).to_be_hidden()


def keys_of(page: Page) -> Any:
    """Wait until the keys go to the merge view, as they do once it is shown."""
    expect(page.locator(".cellar-merge")).to_be_focused()
    return page.keyboard


RESULT = ".cellar-merge-result .cm-content"


@pytest.mark.parametrize("operation", ["merge", "rebase", "cherry-pick", "stash"])
def test_a_conflict_opens_by_itself_and_is_committed_resolved(lab: Lab, folder: Path, operation: str) -> None:
    repo = conflicted(folder, operation)
    page = open_in_lab(lab, folder)
    page.locator(".cellar-merge-columns [data-pick=theirs]").click()
    theirs = OURS if operation == "rebase" else THEIRS
    expect(page.locator(RESULT).get_by_text(theirs[1].split("\n")[0])).to_be_visible()
    page.keyboard.press("1")
    expect(page.locator(".cellar-merge-columns [data-pick=ours]")).to_have_attribute("aria-pressed", "true")
    page.locator(".cellar-merge-save").click()
    page.locator(".cellar-merge-saved", has_text="marked as resolved for git").wait_for()
    assert repo.git("ls-files", "-u").stdout == ""
    mine = THEIRS if operation == "rebase" else OURS  # git's own meaning of ours in a rebase
    assert repo.sources() == list(mine)
    if operation != "stash":
        repo.git(*GOES_ON[operation])
        assert repo.git("status", "--porcelain", "-uno").stdout == ""
        assert json.loads(repo.git("show", "HEAD:n.ipynb").stdout)["cells"][1]["source"]


def test_what_is_written_by_hand_comes_into_the_open_notebook_as_one_step(lab: Lab, folder: Path) -> None:
    repo = conflicted(folder)
    page = open_in_lab(lab, folder)
    keys_of(page).press("e")
    page.wait_for_selector(".cellar-merge-result .cm-focused")
    page.keyboard.press("Control+A")
    page.keyboard.type("rate = 0.06")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+S")
    page.locator(".cellar-merge-saved", has_text="marked as resolved").wait_for()
    assert repo.sources()[1] == "rate = 0.06"
    # What was decided is one step of the notebook's own undo: the conflict is back, and the view shows it again.
    lab.page.locator(".lm-TabBar-tabLabel", has_text="n.ipynb").first.click()
    lab.command("notebook:undo-cell-action")
    lab.page.locator(".jp-Notebook .jp-Cell", has_text="both changed").first.wait_for()
    assert repo.sources()[1] == "rate = 0.06"


def test_a_conflict_that_is_solved_by_deleting_cells_is_told_to_git_when_the_notebook_is_saved(
    lab: Lab, folder: Path
) -> None:
    repo = conflicted(folder)
    page = open_in_lab(lab, folder)
    page.locator(".lm-TabBar-tabLabel", has_text="n.ipynb").first.click()
    page.locator(".cellar-merge-banner", has_text="A merge left conflicts").wait_for()
    page.evaluate(
        """() => {
          const model = window.jupyterapp.shell.currentWidget.model.sharedModel;
          for (let at = model.cells.length - 1; at >= 0; at--) {
            const role = model.cells[at].getMetadata('cellar')?.conflict?.role;
            if (role && role !== 'theirs') { model.deleteCell(at); }
          }
        }"""
    )
    lab.command("docmanager:save")
    page.locator(".Toastify__toast", has_text="n.ipynb is resolved for git").wait_for()
    expect(page.locator(".cellar-merge-banner")).to_have_count(0)
    assert repo.git("ls-files", "-u").stdout == ""
    assert repo.sources() == list(THEIRS)


def test_git_is_told_nothing_of_a_notebook_that_was_never_in_conflict(lab: Lab, folder: Path) -> None:
    repo = make(folder / "repo")
    repo.install()
    put(repo, SOURCES, "base")
    sent = lab.sent("merge-resolved")
    with lab.page.expect_response("**/api/merge?*"):
        lab.open(f"{folder.name}/repo/n.ipynb")
    lab.page.evaluate("() => window.jupyterapp.shell.currentWidget.model.sharedModel.cells[0].setSource('x = 1')")
    lab.command("docmanager:save")
    assert repo.sources()[0] == "x = 1"
    assert lab.evaluate("1") == "1"  # what the save led to was sent before
    assert sent == []
    assert repo.git("diff", "--cached", "--name-only").stdout == ""
    expect(lab.page.locator(".cellar-merge-banner, .cellar-merge")).to_have_count(0)


def test_what_git_left_as_text_opens_after_one_click(fresh_lab: Lab, folder: Path) -> None:
    repo = branched(folder, install=False)
    repo.git("merge", "slow-growth", check=False)
    assert b"<<<<<<<" in repo.bytes()
    fresh_lab.load(f"{folder.name}/repo/n.ipynb")
    page = fresh_lab.page
    # Lab's own word for a file that it cannot open.
    page.locator(".jp-Dialog", has_text="File Load Error").get_by_role("button", name="Close").click(timeout=60_000)
    page.locator(".Toastify__toast button", has_text="Merge again").click()
    page.wait_for_selector(".cellar-merge-conflict")
    keys_of(page).press("2")
    page.locator(".cellar-merge-save").click()
    page.locator(".cellar-merge-saved", has_text="marked as resolved").wait_for()
    assert repo.sources() == list(THEIRS)
    repo.git("commit", "--no-edit")


def test_a_merge_in_a_terminal_under_an_open_notebook_is_loaded_by_one_click(lab: Lab, folder: Path) -> None:
    repo = branched(folder)
    lab.open(f"{folder.name}/repo/n.ipynb")
    lab.page.evaluate("() => window.jupyterapp.shell.currentWidget.model.sharedModel.cells[0].setSource('typed')")
    repo.git("merge", "slow-growth", check=False)
    lab.page.locator(".cellar-merge-banner button", has_text="Load it").click()
    lab.page.locator(".jp-Dialog", has_text="not saved are lost").get_by_role("button", name="Yes").click()
    lab.page.wait_for_selector(".cellar-merge-conflict")
    keys_of(lab.page).press("b")
    lab.page.locator(".cellar-merge-save").click()
    lab.page.locator(".cellar-merge-saved", has_text="marked as resolved").wait_for()
    assert repo.sources() == list(SOURCES)


def test_a_notebook_that_was_renamed_is_followed_by_its_new_name(lab: Lab, folder: Path) -> None:
    repo = branched(folder)
    lab.open(f"{folder.name}/repo/n.ipynb")
    lab.page.evaluate(
        "names => window.jupyterapp.serviceManager.contents.rename(...names).then(() => null)",
        [f"{folder.name}/repo/n.ipynb", f"{folder.name}/repo/m.ipynb"],
    )
    lab.page.wait_for_function("() => window.jupyterapp.shell.currentWidget.context.path.endsWith('m.ipynb')")
    repo.git("add", "-A")
    repo.git("commit", "-qm", "renamed")
    repo.git("merge", "slow-growth", check=False)
    assert repo.git("ls-files", "-u", "m.ipynb").stdout
    lab.page.locator(".cellar-merge-banner button", has_text="Load it").click()
    lab.page.locator(".jp-Dialog", has_text="not saved are lost").get_by_role("button", name="Yes").click()
    lab.page.wait_for_selector(".cellar-merge-conflict")
    keys_of(lab.page).press("2")
    lab.page.locator(".cellar-merge-save").click()
    lab.page.locator(".cellar-merge-saved", has_text="marked as resolved").wait_for()
    assert json.loads((repo.folder / "m.ipynb").read_bytes())["cells"][1]["source"] == THEIRS[1].splitlines(True)


def test_a_setting_keeps_the_view_from_opening_by_itself(fresh_lab: Lab, folder: Path) -> None:
    conflicted(folder)
    settings = fresh_lab.server.folder.parent / f"{fresh_lab.server.folder.name}-settings" / "lab" / "user-settings"
    own = settings / "nbcellar-lab" / "merge.jupyterlab-settings"
    own.parent.mkdir(parents=True, exist_ok=True)
    own.write_text('{"openOnConflict": false}')
    try:
        fresh_lab.open(f"{folder.name}/repo/n.ipynb")
        button = fresh_lab.page.locator(".cellar-merge-banner button")
        button.wait_for()
        # The view would come with the line, and be filled later.
        assert fresh_lab.page.locator(".cellar-merge-widget").count() == 0
        button.click()
        fresh_lab.page.wait_for_selector(".cellar-merge-conflict")
    finally:
        own.unlink()


def test_leaving_with_decisions_that_are_not_saved_asks(lab: Lab, folder: Path) -> None:
    conflicted(folder)
    page = open_in_lab(lab, folder)
    keys_of(page).press("1")
    page.locator(".lm-TabBar-tab.lm-mod-current .lm-TabBar-tabCloseIcon").click()
    page.locator(".jp-Dialog", has_text="not in the notebook yet").wait_for()
    page.locator(".jp-Dialog .jp-mod-reject").click()
    expect(page.locator(".cellar-merge-result")).to_contain_text("as ours")


def test_the_view_is_usable_by_keyboard_and_read_aloud(lab: Lab, folder: Path) -> None:
    conflicted(folder)
    page = open_in_lab(lab, folder)
    keys_of(page).press("2")
    expect(page.locator(".cellar-merge-columns [data-pick=theirs]")).to_have_attribute("aria-pressed", "true")
    check_axe(page, ".cellar-merge")
    lab.dark()
    check_axe(page, ".cellar-merge")
    lab.dark(False)
    keys_of(page).press("r")
    page.wait_for_selector(".cellar-merge-preview .cellar-merge-cell")
    check_axe(page, ".cellar-merge")


def test_notebook_7_shows_the_view_over_the_notebook(notebook7: Lab, notebook_folder: Path) -> None:
    repo = conflicted(notebook_folder)
    notebook7.load(f"{notebook_folder.name}/repo/n.ipynb")
    page = notebook7.page
    page.wait_for_selector(".cellar-merge-overlay .cellar-merge-conflict", timeout=60_000)
    page.locator(".cellar-merge-columns [data-pick=theirs]").click()
    page.locator(".cellar-merge-save").click()
    page.locator(".cellar-merge-saved", has_text="marked as resolved").wait_for()
    page.locator(".cellar-merge-close").click()
    expect(page.locator(".cellar-merge-overlay")).to_have_count(0)
    assert repo.sources() == list(THEIRS)


class TestPage:
    """The stand-alone page."""

    def open(self, tab: StandAlone, folder: Path) -> Page:
        tab.open(view="merge", path=f"{folder.name}/repo/n.ipynb")
        tab.page.wait_for_selector(".cellar-merge-conflict")
        return tab.page

    def test_a_file_is_decided_saved_and_resolved(self, cellar_page: StandAlone, page_folder: Path) -> None:
        repo = conflicted(page_folder)
        page = self.open(cellar_page, page_folder)
        keys_of(page).press("3")
        expect(page.locator(".cellar-merge-result .cellar-merge-cell")).to_have_count(2)
        page.keyboard.press("u")
        expect(page.locator(".cellar-merge-result")).to_contain_text("Not decided yet")
        page.keyboard.press("3")
        page.keyboard.press("r")
        page.locator(".cellar-merge-preview", has_text="nothing left to decide").wait_for()
        page.locator(".cellar-merge-save").click()
        page.locator(".cellar-merge-saved code", has_text="git commit").wait_for()
        assert repo.sources() == [*OURS[:2], THEIRS[1], OURS[2]]
        assert repo.git("ls-files", "-u").stdout == ""

    def test_a_cell_is_decided_place_by_place(self, cellar_page: StandAlone, page_folder: Path) -> None:
        versions = [f"a = {one}\n# between\nb = {two}" for one, two in (("1", "2"), ("1.5", "2.5"), ("10", "20"))]
        repo = make(page_folder / "repo")
        repo.install()
        put(repo, versions[:1], "base")
        repo.git("switch", "-qc", "other")
        put(repo, versions[2:], "theirs")
        repo.git("switch", "-q", "main")
        put(repo, versions[1:2], "ours")
        repo.git("merge", "other", check=False)
        page = self.open(cellar_page, page_folder)
        page.get_by_role("button", name="Take ours at place 1").click()
        expect(page.locator(".cellar-merge-result")).to_contain_text("Not decided yet")
        page.get_by_role("button", name="Take theirs at place 2").click()
        expect(page.locator(f"{RESULT} .cm-line")).to_have_text(["a = 1.5", "# between", "b = 20"])
        page.locator(".cellar-merge-save").click()
        page.locator(".cellar-merge-saved").wait_for()
        assert repo.sources() == ["a = 1.5\n# between\nb = 20"]

    def test_all_of_one_side_asks_first(self, cellar_page: StandAlone, page_folder: Path) -> None:
        repo = conflicted(page_folder, theirs=("import cmath", *THEIRS[1:]), ours=("import numpy", *OURS[1:]))
        page = self.open(cellar_page, page_folder)
        asked: list[str] = []

        def answer(dialog: Any) -> None:
            asked.append(dialog.message)
            dialog.accept() if len(asked) > 1 else dialog.dismiss()

        page.on("dialog", answer)
        page.get_by_role("button", name="All theirs").click()
        expect(page.locator(".cellar-merge-save")).to_have_text("Save (2 left open)")
        page.get_by_role("button", name="All theirs").click()
        page.locator(".cellar-merge-save").click()
        page.locator(".cellar-merge-saved").wait_for()
        assert asked == ["Take theirs for all 2 conflicts?"] * 2
        assert repo.sources() == ["import cmath", *THEIRS[1:]]

    def test_what_the_merge_left_out_is_brought_back(self, cellar_page: StandAlone, page_folder: Path) -> None:
        repo = make(page_folder / "repo")
        repo.install()
        (repo.folder / ".git" / "info" / "attributes").write_text("*.ipynb merge=cellar\n")
        repo.write(SOURCES, "old\n")
        repo.commit()
        repo.git("switch", "-qc", "other")
        repo.write(THEIRS, "of theirs\n")
        repo.commit()
        repo.git("switch", "-q", "main")
        repo.write(OURS, "of ours\n")
        repo.commit()
        repo.git("merge", "other", check=False)
        page = self.open(cellar_page, page_folder)
        page.locator(".cellar-merge-three", has_text="of theirs").wait_for()
        page.get_by_role("checkbox").first.check()
        page.locator(".cellar-merge-columns [data-pick=ours]").click()
        page.locator(".cellar-merge-save").click()
        page.locator(".cellar-merge-saved").wait_for()
        assert repo.outputs() == ["of theirs\n", "of ours\n", "of ours\n"]

    def test_hostile_names_and_cells_are_text(self, cellar_page: StandAlone, page_folder: Path) -> None:
        hostile = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
        repo = conflicted(page_folder, ours=("import math", hostile, "x"), theirs=("import math", f"# {hostile}", "x"))
        document = json.loads(repo.bytes())
        for cell in document["cells"]:
            held = cell["metadata"].get("cellar", {}).get("conflict", {})
            if held.get("role") == "begin":
                held["labels"]["theirs"] = hostile
                held["what"] = ["source", f"metadata.{hostile}"]
            if held.get("role") == "ours":
                cell["outputs"] = [
                    {"output_type": "display_data", "metadata": {}, "data": {"text/html": hostile}},
                    {"output_type": "display_data", "metadata": {}, "data": {"image/svg+xml": f"<svg>{hostile}</svg>"}},
                ]
        (repo.folder / "n.ipynb").write_text(json.dumps(document))
        page = self.open(cellar_page, page_folder)
        page.keyboard.press("Tab")
        page.locator(".cellar-merge-columns [data-pick=ours]").click()
        page.get_by_role("button", name="Whole result").click()
        page.wait_for_selector(".cellar-merge-preview .cellar-merge-cell")
        assert page.title() != "owned"
        assert page.locator(".cellar-merge script, .cellar-merge img[src=x]").count() == 0

    def test_the_page_is_usable_zoomed_dark_and_read_aloud(self, cellar_page: StandAlone, page_folder: Path) -> None:
        conflicted(page_folder)
        page = self.open(cellar_page, page_folder)
        check_axe(page, "body")
        cellar_page.dark()
        check_axe(page, "body")
        cellar_page.zoom(2)
        page.locator(".cellar-merge-columns [data-pick=theirs]").click()
        page.locator(".cellar-merge-save").click()
        page.locator(".cellar-merge-saved").wait_for()
