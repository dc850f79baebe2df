"""What is said where something is missing or busy: the kernel, the file, the repository."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from playwright.sync_api import expect
from tests.browser.recorded import DIALOG, WAIT, Recorded
from tests.browser.studio import Lab

CELLS = ("x = [1]", "x.append(2)", "y = 'text'")


def test_while_a_cell_runs_all_is_shown_and_what_needs_the_kernel_says_that_it_waits(lab: Lab, folder: Path) -> None:
    notebook = Recorded(lab, folder, ("x = [1]", "x.append(2)", WAIT)).open()
    page = lab.page
    lab.begin("notebook:run-all-cells")
    notebook.await_state("recording")
    lab.command("nbcellar:show-variables")
    page.locator(".cellar-variable", has_text="[1, 2]").wait_for()
    lab.command("nbcellar:show-history")
    page.locator(".cellar-entry", has_text="x = [1]").click()
    undo = page.get_by_role("toolbar").get_by_role("button", name="Undo to here")
    said = page.locator(".cellar-result")
    undo.click()
    expect(said).to_contain_text("It waits for the running cell.")
    said.get_by_role("button", name="Cancel").click()
    expect(said).to_contain_text("Cancelled. The session is as it was.")
    undo.click()
    expect(said).to_contain_text("It waits for the running cell.")
    (folder / "go").touch()
    expect(said).to_contain_text("Done.")
    assert notebook.value("x") == "[1]"


def test_a_kernel_that_dies_is_said_and_the_new_one_is_offered_the_session(lab: Lab, folder: Path) -> None:
    notebook = Recorded(lab, folder, (*CELLS, WAIT)).open()
    lab.begin("notebook:run-all-cells")
    notebook.await_state("recording")
    pid = notebook.read("standing")["notebook"]["kernels"][0]["pid"]
    notebook.start("undo")
    notebook.toast("waiting for the running cell")
    os.kill(pid, signal.SIGKILL)
    notebook.page.locator(DIALOG, has_text="appears to have died").wait_for()
    notebook.answer("Ok")
    notebook.toast("died before it answered 'undo'")
    notebook.toast("This kernel is new").locator("button", has_text="Bring the session back").click()
    notebook.toast("The session is back")
    assert notebook.value("(x, y)") == "([1, 2], 'text')"


def test_a_notebook_whose_file_was_deleted_is_still_recorded_and_compared(lab: Lab, folder: Path) -> None:
    notebook = Recorded(lab, folder, CELLS).open().run()
    lab.command("docmanager:save")
    notebook.file.unlink()
    notebook.start("undo")
    notebook.toast("Undid [3] y = 'text'")
    lab.command("nbcellar:diff-notebook", path=notebook.path, before="cellar:HEAD", after="file")
    view = notebook.page.locator(".cellar-diff")
    expect(view).to_contain_text("it was moved or deleted meanwhile")
    expect(view).to_contain_text(f"no file {notebook.path}")
    lab.command("nbcellar:diff-notebook", path=notebook.path, before="cellar:HEAD", after="open")
    notebook.page.locator(".cellar-diff-summary:visible").wait_for()


def test_without_a_repository_each_view_says_so(lab: Lab, folder: Path) -> None:
    notebook = Recorded(lab, folder, CELLS, recorded=False).open()
    page = lab.page
    notebook.await_state("no-repository")
    for command in ("show-history", "show-variables"):
        lab.command(f"nbcellar:{command}")
        page.locator(".cellar-empty:visible", has_text="No history yet").wait_for()
    notebook.start("diff")
    page.locator(".cellar-diff", has_text="there is no Cellar repository").wait_for()
    page.locator(".cellar-empty:visible").get_by_role("button", name="Initialise").click()
    notebook.await_state("saved")
    assert (folder / ".cellar" / "meta.db").is_file()
