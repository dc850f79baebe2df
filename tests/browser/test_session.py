"""The session in JupyterLab and Notebook 7: from click to effect in the kernel and on disk."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect
from tests.browser.recorded import DIALOG, STATE, TOAST, WAIT, Recorded
from tests.browser.studio import Lab, add_kernelspec, check_axe

import nbcellar

CELLS = ("x = [1]", "x.append(2)", "y = 'text'")


@pytest.fixture
def lab(kept_lab: Lab) -> Lab:
    return kept_lab


# recording ------------------------------------------------------------------------------------------------------------


def test_keys_in_a_cell_that_is_edited_record_the_folder_and_its_kernel(
    any_lab: tuple[Lab, Path],
) -> None:
    notebook = Recorded(*any_lab, CELLS, recorded=False).open()
    notebook.await_state("no-repository")
    notebook.keys("Control+i", edit=True)
    notebook.toast("Recording the notebooks in")
    assert (notebook.file.parent / ".cellar" / "meta.db").is_file()
    notebook.await_state("saved")
    notebook.run()
    assert [line["title"] for line in notebook.commits()][:3] == list(reversed(CELLS))
    assert notebook.shown() == list(CELLS)


def test_a_click_on_the_status_item_records_the_folder(lab: Lab, folder: Path) -> None:
    notebook = Recorded(lab, folder, CELLS, recorded=False).open()
    notebook.await_state("no-repository").click()
    notebook.await_state("saved")
    assert (folder / ".cellar").is_dir()


# undo and redo --------------------------------------------------------------------------------------------------------


def test_undo_and_redo_by_keys_change_the_kernel(any_lab: tuple[Lab, Path]) -> None:
    notebook = Recorded(*any_lab, CELLS).open().run()
    notebook.keys("Control+z", edit=True)
    notebook.toast("Undid [3] y = 'text' · 1 removed, 1 kept")
    assert notebook.value("'y' in globals()") == "False"
    notebook.keys("z")
    notebook.toast("Undid [2] x.append(2)")
    assert notebook.value("x") == "[1]"
    notebook.keys("Control+y")
    notebook.toast("Redid [2] x.append(2)")
    assert notebook.value("x") == "[1, 2]"
    assert notebook.shown() == list(CELLS), "the notebook itself is not undone"


@pytest.mark.parametrize("again", [False, True], ids=["first start", "restart"])
def test_an_undo_asked_while_the_kernel_starts_comes_after_the_cells_asked_before(
    fresh_lab: Lab, folder: Path, again: bool
) -> None:
    start = folder / "start"
    late = f"import os, time\nwhile not os.path.exists({str(start)!r}): time.sleep(0.02)\n"
    python = fresh_lab.server.ask("api/kernelspecs")[1]["kernelspecs"]["python3"]["spec"]["argv"][0]
    launch = "from ipykernel.kernelapp import launch_new_instance as l; l()"
    add_kernelspec("late", [python, "-c", late + launch, "-f", "{connection_file}"])
    notebook = Recorded(fresh_lab, folder, CELLS, kernel="late")
    if again:
        start.touch()
        notebook.open()
        start.unlink()
        notebook.restart_kernel()
        fresh_lab.page.wait_for_function(
            "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'unknown'"
        )
    else:
        fresh_lab.load(notebook.path)
        fresh_lab.page.wait_for_function(
            "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'unknown'"
        )
    fresh_lab.begin("notebook:run-all-cells")
    notebook.keys("z")
    notebook.toast("Undo")  # it waits, and says so
    start.touch()
    notebook.toast("Undid [3] y = 'text'")
    assert notebook.value("(x, 'y' in globals())") == "([1, 2], False)"


def test_the_toolbar_and_the_menu_undo_and_redo(lab: Lab, folder: Path) -> None:
    notebook = Recorded(lab, folder, CELLS).open().run()
    page = notebook.page
    page.locator('.jp-Toolbar [data-command="nbcellar:undo"]').click()
    notebook.toast("Undid [3]")
    assert notebook.value("'y' in globals()") == "False"
    page.locator(".lm-MenuBar-itemLabel", has_text="Cellar").click()
    page.locator('.lm-Menu-item[data-command="nbcellar:redo"]').click()
    notebook.toast("Redid [3]").locator("button", has_text="Details").click()
    expect(page.locator(DIALOG)).to_contain_text("Loaded")
    expect(page.locator(DIALOG)).to_contain_text("Kept as they are")
    check_axe(page, ".cellar-session-dialog")
    notebook.answer("Close")
    assert notebook.value("y") == "'text'"


def test_the_palette_has_the_commands(lab: Lab, folder: Path) -> None:
    notebook = Recorded(lab, folder, CELLS).open().run()
    lab.command("apputils:activate-command-palette")
    notebook.page.locator(".lm-CommandPalette-input").fill("Undo Cell Run")
    notebook.page.locator('.lm-CommandPalette-item[data-command="nbcellar:undo"]').click()
    notebook.toast("Undid [3]")


def test_no_other_command_has_keys_that_begin_like_these(lab: Lab, folder: Path) -> None:
    notebook = Recorded(lab, folder, CELLS).open()
    lab.await_keys("nbcellar:undo")
    bindings = notebook.page.evaluate(
        "window.jupyterapp.commands.keyBindings.map(b => [b.command, b.keys[0], b.keys.length])"
    )
    ours = [binding for binding in bindings if binding[1] == "Ctrl K"]
    assert len(ours) >= 12
    assert {(name.partition(":")[0], keys) for name, _, keys in ours} == {("nbcellar", 2)}


# commit ---------------------------------------------------------------------------------------------------------------


def test_a_commit_holds_the_message_and_the_edits_that_were_not_saved(any_lab: tuple[Lab, Path]) -> None:
    notebook = Recorded(*any_lab, CELLS).open().run()
    notebook.edit(2, "y = 'edited'")
    notebook.keys("c")
    field = notebook.page.locator(f"{DIALOG} input[type=text]")
    field.fill("three cells")
    check_axe(notebook.page, ".cellar-session-dialog")
    field.press("Enter")
    notebook.committed("three cells")
    newest = notebook.commits()[0]
    assert (newest["kind"], newest["title"]) == ("named", "three cells")
    recorded = notebook.read("document", f"&ref={newest['id']}")["notebook"]
    assert "".join(recorded["cells"][2]["source"]) == "y = 'edited'"


def test_an_empty_message_is_the_time_and_escape_commits_nothing(lab: Lab, folder: Path) -> None:
    notebook = Recorded(lab, folder, CELLS).open().run()
    notebook.keys("Control+c")
    notebook.page.locator(f"{DIALOG} input[type=text]").press("Escape")
    notebook.page.locator(DIALOG).wait_for(state="detached")
    notebook.keys("c")
    notebook.page.locator(f"{DIALOG} input[type=text]").press("Enter")
    notebook.committed("Point of ")
    # One thing is done after the other: a commit of the first question would be there by now.
    titles = [line["title"] for line in notebook.commits() if line["kind"] == "named"]
    assert len(titles) == 1
    assert titles[0].startswith("Point of ")


# checkout -------------------------------------------------------------------------------------------------------------


def named(notebook: Recorded, message: str) -> str:
    """Name this point as another program would; return the commit."""
    return str(notebook.ask("commit", message=message)["id"])


def test_a_checkout_of_both_brings_variables_and_patches_the_open_notebook(any_lab: tuple[Lab, Path]) -> None:
    notebook = Recorded(*any_lab, CELLS).open().run()
    notebook.keys("c")
    notebook.page.locator(f"{DIALOG} input[type=text]").fill("first version")
    notebook.page.locator(f"{DIALOG} input[type=text]").press("Enter")
    notebook.committed("first version")
    notebook.edit(1, "x.append(20)")
    notebook.edit(2, "z = 0")
    notebook.run()
    assert notebook.value("x") == "[1, 20]"
    notebook.edit(2, "not saved anywhere")
    notebook.mark_cells()
    notebook.keys("v")
    notebook.page.locator(f"{DIALOG} [role=option]", has_text="first version").wait_for()
    search = notebook.page.locator(f"{DIALOG} input[type=search]")
    expect(search).to_be_focused()  # one may type at once
    search.press_sequentially("VERSION first")
    options = notebook.page.locator(f"{DIALOG} [role=option]")
    expect(options).to_have_count(1)
    expect(options).to_have_attribute("aria-selected", "true")
    check_axe(notebook.page, ".cellar-session-dialog")
    search.press("Enter")
    toast = notebook.toast("cells: 3 changed")
    toast.hover()  # so it stays
    assert "loaded" in toast.inner_text()
    assert notebook.value("(x, y, 'z' in globals())") == "([1, 2], 'text', False)"
    assert notebook.shown() == notebook.sources() == list(CELLS)
    assert notebook.marks() == ["0", "1", "2"]
    assert notebook.page.locator(DIALOG).count() == 0
    notebook.lab.command("notebook:undo-cell-action")
    assert notebook.shown() == [CELLS[0], "x.append(20)", "not saved anywhere"]
    notebook.lab.command("notebook:redo-cell-action")
    toast.locator("button", has_text="Bring the text back").click()
    notebook.page.wait_for_function(
        """() => window.jupyterapp.shell.currentWidget.content.model.sharedModel.getCell(2).getSource()
                 === 'not saved anywhere'"""
    )
    assert notebook.value("x") == "[1, 2]"


def test_arrows_choose_and_what_is_not_wanted_stays(lab: Lab, folder: Path) -> None:
    notebook = Recorded(lab, folder, CELLS).open().run()
    notebook.start("checkout")
    page = notebook.page
    page.locator(f"{DIALOG} [role=option]", has_text="x = [1]").wait_for()
    chosen = page.locator(f"{DIALOG} [role=option][aria-selected=true]")
    titles = page.locator(f"{DIALOG} [role=option]").all_inner_texts()
    steps = next(at for at, title in enumerate(titles) if "x = [1]" in title)
    for _ in range(steps):
        page.locator(f"{DIALOG} input[type=search]").press("ArrowDown")
    expect(chosen).to_contain_text("x = [1]")
    page.locator(f"{DIALOG} label", has_text="Code").click()
    notebook.answer("Check out")
    notebook.toast("Checked out")
    assert notebook.value("(x, 'y' in globals())") == "([1], False)"
    assert notebook.shown() == list(CELLS)


def test_code_alone_needs_no_kernel(lab: Lab, folder: Path) -> None:
    notebook = Recorded(lab, folder, CELLS).open().run()
    first = named(notebook, "with three")
    lab.command("notebook:shutdown-kernel")
    notebook.await_state("no-kernel")
    notebook.edit(0, "x = 'other'")
    notebook.start("checkout", ref=first, variables=False)
    notebook.toast("Code of")
    assert notebook.shown() == notebook.sources() == list(CELLS)


def test_a_search_that_finds_nothing_and_escape_change_nothing(lab: Lab, folder: Path) -> None:
    notebook = Recorded(lab, folder, CELLS).open().run()
    before = len(notebook.commits())
    sent = lab.sent("checkout", "record-document")
    notebook.keys("Control+v")
    search = notebook.page.locator(f"{DIALOG} input[type=search]")
    search.fill("no such thing")
    notebook.page.locator(".cellar-session-empty", has_text="No commit is found").wait_for()
    search.press("Escape")
    notebook.page.locator(DIALOG).wait_for(state="detached")
    notebook.start("commit", message="after it")
    notebook.committed("after it")
    assert sent == []
    assert len(notebook.commits()) == before + 1
    assert notebook.value("y") == "'text'"


# replay ---------------------------------------------------------------------------------------------------------------


REPLAYED = (
    "open('seen.txt', 'a').write('once ')\ng = (i for i in range(3))",
    "first = next(g)",
    "g = None",
)


def test_replay_asks_first_and_lists_cells_and_effects(lab: Lab, folder: Path) -> None:
    notebook = Recorded(lab, folder, REPLAYED).open().run()
    notebook.keys("z")
    dialog = notebook.page.locator(DIALOG, has_text="Run cells again?")
    dialog.wait_for()
    for text in ("[1]", "seen.txt", "Run 2 cells again"):
        expect(dialog).to_contain_text(text)
    assert (folder / "seen.txt").read_text() == "once "
    check_axe(notebook.page, ".cellar-session-dialog")
    notebook.answer("Run 2 cells again")
    notebook.toast("1 replayed")
    assert notebook.value("next(g)") == "1"


def test_a_replay_that_is_refused_runs_nothing(lab: Lab, folder: Path) -> None:
    notebook = Recorded(lab, folder, REPLAYED).open().run()
    notebook.start("undo")
    notebook.page.locator(DIALOG, has_text="Run cells again?").wait_for()
    notebook.answer("Cancel")
    assert notebook.value("g is None") == "True"
    notebook.start("undo")
    notebook.page.locator(DIALOG, has_text="Run cells again?").wait_for()
    notebook.answer("Go on without")
    notebook.toast("1 not restored")
    assert notebook.value("'g' in globals()") == "False"
    assert (folder / "seen.txt").read_text() == "once "


def test_where_values_were_given_up_the_rest_comes_back_by_a_button(lab: Lab, folder: Path) -> None:
    notebook = Recorded(lab, folder, ("x = list(range(100_000))", "y = [1]", "x = 0")).open().run()
    with nbcellar.open(folder) as repo:
        assert repo.gc(budget_bytes=1).thinned_values
    notebook.keys("z")
    notebook.page.locator(DIALOG, has_text="Run cells again?").wait_for()
    notebook.answer("Go on without")
    notebook.toast("no longer has all its values").locator("button", has_text="Bring back the rest").click()
    notebook.toast("Undid [3]")
    assert notebook.value("('x' in globals(), y)") == "(False, [1])"


# long work, errors ----------------------------------------------------------------------------------------------------


def test_what_waits_for_a_cell_can_be_cancelled(lab: Lab, folder: Path) -> None:
    cells = ("x = [1]", "x.append(2)", f"print('it runs')\n{WAIT}\nx.append(3)")
    notebook = Recorded(lab, folder, cells).open()
    lab.begin("notebook:run-all-cells")
    notebook.page.locator(".jp-OutputArea-output", has_text="it runs").wait_for()
    notebook.await_state("recording")
    notebook.start("undo")
    notebook.toast("waiting for the running cell").locator("button", has_text="Cancel").click()
    notebook.toast("Cancelled. The session is as it was.")
    (folder / "go").touch()
    notebook.await_state("saved")
    assert notebook.value("x") == "[1, 2, 3]"


SLOW = """import os, time
class Slow:
    def __init__(self, n): self.n = n
    def __setstate__(self, state):
        self.__dict__ = state
        while os.path.exists('slowly'):
            time.sleep(0.01)
slow = Slow(1)"""


def test_what_has_begun_is_stopped_and_leaves_the_session_as_it_was(lab: Lab, folder: Path) -> None:
    notebook = Recorded(lab, folder, (SLOW, "slow = 2\nother = 3")).open().run()
    (folder / "slowly").touch()
    notebook.keys("z")
    notebook.toast("loading").locator("button", has_text="Cancel").click()
    notebook.toast("Cancelled. The session is as it was.")
    assert notebook.value("(slow, other)") == "(2, 3)"
    (folder / "slowly").unlink()
    notebook.keys("z")
    notebook.toast("Undid [2] slow = 2")
    assert notebook.value("(slow.n, 'other' in globals())") == "(1, False)"


def test_an_error_says_what_helps_and_its_button_does_it(lab: Lab, folder: Path) -> None:
    notebook = Recorded(lab, folder, CELLS, recorded=False).open()
    notebook.keys("z")
    notebook.toast("Record this folder").locator("button", has_text="Record this folder").click()
    notebook.await_state("saved")
    notebook.run()
    lab.command("notebook:shutdown-kernel")
    notebook.await_state("no-kernel")
    notebook.start("undo")
    notebook.toast("no kernel records this notebook").locator("button", has_text="Start kernel").click()
    notebook.await_state("saved")
    assert notebook.value("'x' in globals()") == "False"


# the status item ------------------------------------------------------------------------------------------------------


def test_the_status_item_follows_cells_and_other_programs(lab: Lab, folder: Path) -> None:
    notebook = Recorded(lab, folder, ("x = 1", WAIT)).open()
    notebook.await_state("saved")
    lab.begin("notebook:run-all-cells")
    notebook.await_state("recording")
    (folder / "go").touch()
    item = notebook.await_state("saved")
    expect(item).to_contain_text(re.compile(r"\d [KM]B"))
    check_axe(notebook.page, STATE.removesuffix(":visible"))
    notebook.ask("detach")
    notebook.restart_kernel()
    off = notebook.await_state("off")
    assert "record.off_notebooks" in (off.get_attribute("title") or "")
    off.click()
    notebook.await_state("saved")


# dialogs in the dark --------------------------------------------------------------------------------------------------


def test_no_dialog_has_serious_findings_in_the_dark_theme(lab: Lab, folder: Path) -> None:
    notebook = Recorded(lab, folder, REPLAYED).open().run()
    dialog = notebook.page.locator(".cellar-session-dialog")
    lab.dark()

    def check(ready: Locator) -> None:
        ready.first.wait_for()
        check_axe(notebook.page, ".cellar-session-dialog")

    for command, ready in (("commit", "input[type=text]"), ("checkout", "[role=option]")):
        notebook.start(command)
        check(dialog.locator(ready))
        notebook.page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
    notebook.start("undo")
    check(dialog.get_by_text("seen.txt"))
    notebook.answer("Run 2 cells again")
    notebook.toast("1 replayed").locator("button", has_text="Details").click()
    check(dialog.get_by_text("Replayed"))
    notebook.answer("Close")
    notebook.start("install")
    check(dialog.locator("pre"))
    notebook.answer("Close")
    notebook.start("checkout", ref="no-such-name-" * 12)
    notebook.toast("no-such-name").locator("button", has_text="Details").click()
    check(dialog)
    notebook.answer("Close")
    lab.dark(False)  # the server remembers it


# a new kernel ---------------------------------------------------------------------------------------------------------


def test_after_a_restart_one_click_brings_the_session_back(any_lab: tuple[Lab, Path]) -> None:
    notebook = Recorded(*any_lab, CELLS).open().run()
    notebook.restart_kernel()
    offer = notebook.toast("This kernel is new. Recorded: 2 variables")
    assert notebook.value("'x' in globals()") == "False"
    offer.locator("button", has_text="Bring the session back").click()
    notebook.toast("The session is back")
    assert notebook.value("(x, y)") == "([1, 2], 'text')"


def test_after_a_crash_one_click_brings_the_session_back(fresh_lab: Lab, folder: Path) -> None:
    notebook = Recorded(fresh_lab, folder, CELLS).open().run()
    notebook.page.evaluate(
        """() => void window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.requestExecute(
             { code: 'import os; os.kill(os.getpid(), 9)', silent: true, store_history: false })"""
    )
    notebook.page.locator(f"{DIALOG} button", has_text="Ok").click()
    notebook.toast("This kernel is new").locator("button", has_text="Bring the session back").click()
    notebook.toast("The session is back")
    assert notebook.value("(x, y)") == "([1, 2], 'text')"


def test_the_next_day_the_session_is_offered_and_may_be_left(any_fresh_lab: tuple[Lab, Path]) -> None:
    notebook = Recorded(*any_fresh_lab, CELLS).open().run()
    for kernel in notebook.lab.server.ask("api/kernels")[1]:
        notebook.page.evaluate("id => window.jupyterapp.serviceManager.kernels.shutdown(id)", kernel["id"])
    notebook.open()
    notebook.toast("This kernel is new. Recorded: 2 variables")
    notebook.start("restore")
    notebook.toast("The session is back")
    assert notebook.value("(x, y)") == "([1, 2], 'text')"


def test_a_notebook_without_a_history_is_offered_nothing(fresh_lab: Lab, folder: Path) -> None:
    notebook = Recorded(fresh_lab, folder, CELLS)
    with notebook.page.expect_response("**/lost-session*") as answered:
        notebook.open()
    assert answered.value.json() == {"session": None}
    notebook.start("commit", message="something that is said")
    notebook.committed("something that is said")
    expect(notebook.page.locator(TOAST)).to_have_count(1)
