"""The panel History in JupyterLab: from click to effect in the kernel and on disk."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect
from tests.browser.recorded import TOAST
from tests.browser.studio import Lab, check_axe, write_notebook

from nbcellar.api import open_repo

SHOW = "nbcellar:show-history"


class Panel:
    """The panel of one notebook, which has run."""

    def __init__(self, lab: Lab, folder: Path, sources: list[str], *, ready: str) -> None:
        self.lab = lab
        self.page = lab.page
        self.file = write_notebook(folder / "a.ipynb", sources)
        self.path = f"{folder.name}/a.ipynb"
        assert lab.server.ask("nbcellar/api/init", {"path": self.path})[0] == 200
        lab.open(self.path)
        lab.run_all()
        assert lab.evaluate(ready) == "True"
        lab.command(SHOW)
        self.entry(sources[-1].splitlines()[0]).wait_for()  # the newest: all is recorded

    def ask(self, route: str, **asked: Any) -> Any:
        words = "&".join(f"{name}={value}" for name, value in {"path": self.path, **asked}.items())
        status, found = self.lab.server.ask(f"nbcellar/api/{route}?{words}")
        assert status == 200, found
        return found

    def entry(self, code: str) -> Any:
        """The newest row with some code."""
        return self.page.locator(".cellar-entry", has_text=code).first

    def choose(self, code: str, item: str) -> None:
        """Choose something from the menu of an entry."""
        self.entry(code).click(button="right")
        self.page.locator(".cellar-menu").get_by_role("menuitem", name=item, exact=True).click()

    def fill(self, label: str, text: str) -> None:
        self.page.get_by_label(label).fill(text)
        self.page.get_by_label(label).press("Enter")

    def told(self, text: str) -> None:
        """Wait until the result of an action is said."""
        self.page.locator(".cellar-result", has_text=text).wait_for()


def head(panel: Panel) -> str:
    found: str = panel.ask("history")["head"]
    return found


def commit_of(panel: Panel, code: str) -> str:
    found = next(entry["id"] for entry in panel.ask("history")["entries"] if code in entry["source"])
    return str(found)


@pytest.fixture
def lab(kept_lab: Lab) -> Lab:
    return kept_lab


@pytest.fixture
def panel(lab: Lab, folder: Path) -> Panel:
    return Panel(lab, folder, ["x = 1", "x = 2\ny = [x]\nprint('two lines')", "x = 3"], ready="x == 3")


def test_entries_show_their_code_time_changes_and_names(panel: Panel) -> None:
    panel.entry("x = 3").wait_for()
    row = panel.entry("x = 2")
    expect(row.locator(".cellar-entry-code")).to_have_text(["x = 2", "y = [x]", "print('two lines')"])
    expect(row.locator(".cellar-entry-changes")).to_have_text("+y ~x")
    expect(row.locator("time")).to_have_attribute("datetime", re.compile("^20"))
    newest = panel.entry("x = 3")
    expect(newest.locator(".cellar-chip-now")).to_have_count(1)
    expect(newest.locator(".cellar-chip-branch")).to_have_text(panel.ask("history")["branch"])


def test_a_commit_from_the_kernel_and_one_from_a_terminal_appear_by_themselves(panel: Panel) -> None:
    panel.entry("x = 2").click()
    panel.page.wait_for_selector(".cellar-facts")
    panel.page.evaluate(
        """code => {
          const { content } = window.jupyterapp.shell.currentWidget;
          content.activeCellIndex = 2;
          content.activeCell.model.sharedModel.setSource(code);
          return window.jupyterapp.commands.execute('notebook:run-cell');
        }""",
        "newer = 'from the kernel'",
    )
    panel.entry("newer = 'from the kernel'").wait_for()
    with open_repo(panel.file.parent, environ=os.environ, notebook=str(panel.file)) as repo:
        repo.tag("by-hand")
    panel.page.locator(".cellar-chip-tag", has_text="by-hand").wait_for()
    expect(panel.page.locator(".cellar-entry.cellar-is-active")).to_contain_text("x = 2")


def test_a_checkout_brings_the_variables_back_and_says_what_it_did(panel: Panel) -> None:
    panel.choose("x = 2", "Check out variables")
    panel.entry("x = 2").locator(".cellar-chip-now").wait_for()
    panel.page.locator(TOAST, has_text="Checked out").wait_for()
    assert panel.lab.evaluate("(x, y)") == "(2, [2])"
    assert head(panel) == commit_of(panel, "x = 2")


def test_a_checkout_of_the_code_alone_leaves_the_variables(panel: Panel) -> None:
    source = "window.jupyterapp.shell.currentWidget.content.widgets[0].model.sharedModel"
    panel.page.evaluate(f"() => {source}.setSource('changed_by_hand = 1')")
    with panel.page.expect_response("**/api/record-document*") as recorded:
        panel.choose("x = 2", "Check out code")
    panel.page.wait_for_function(f"() => {source}.getSource() === 'x = 1'")
    assert panel.lab.evaluate("x") == "3"
    assert "changed_by_hand" not in panel.lab.evaluate("dir()")
    document = panel.ask("document", ref=recorded.value.json()["commit"])["notebook"]
    assert "".join(document["cells"][0]["source"]) == "changed_by_hand = 1"


def test_undo_to_an_entry(panel: Panel) -> None:
    panel.entry("x = 1").click()
    panel.page.get_by_role("toolbar").get_by_role("button", name="Undo to here").click()
    panel.told("Done.")
    assert panel.lab.evaluate("x") == "1"
    assert panel.lab.evaluate("'y' in globals()") == "False"


def test_undo_asks_before_cells_run_again(lab: Lab, folder: Path) -> None:
    sources = ["g = (n * n for n in range(9))", "lines = sum(g)", "g = 'gone'"]
    panel = Panel(lab, folder, sources, ready="g == 'gone'")
    panel.choose("g = (n", "Undo to here")
    panel.told("these cells run again")
    assert lab.evaluate("g") == "'gone'"
    panel.page.get_by_role("button", name="Run this cell", exact=True).click()
    panel.told("Done.")
    assert lab.evaluate("next(g)") == "0"


def test_branch_tag_and_message_from_an_entry(panel: Panel) -> None:
    commit = commit_of(panel, "x = 2")
    panel.choose("x = 2", "Branch here…")
    panel.fill(f"New branch at {commit[:8]}", "side")
    panel.entry("x = 2").locator(".cellar-chip-branch", has_text="side").wait_for()
    panel.choose("x = 2", "Tag…")
    panel.fill(f"New tag at {commit[:8]}", "v1")
    panel.entry("x = 2").locator(".cellar-chip-tag", has_text="v1").wait_for()
    panel.choose("x = 2", "Edit message…")
    panel.fill(f"Message of {commit[:8]}", "the second <b>step</b>")
    panel.entry("x = 2").locator(".cellar-entry-title", has_text="the second <b>step</b>").wait_for()
    names = {(name["kind"], name["name"]): name["commit"] for name in panel.ask("history")["names"]}
    assert names["branch", "side"] == names["tag", "v1"] == commit
    assert panel.ask("show", ref=commit)["commit"]["message"] == "the second <b>step</b>"


def test_a_name_that_exists_is_said_where_it_was_typed(panel: Panel) -> None:
    branch = panel.ask("history")["branch"]
    commit = commit_of(panel, "x = 1")
    panel.choose("x = 1", "Branch here…")
    panel.fill(f"New branch at {commit[:8]}", branch)
    panel.page.locator(".cellar-ask [role=alert]", has_text=branch).wait_for()
    panel.fill(f"New branch at {commit[:8]}", "other")
    panel.entry("x = 1").locator(".cellar-chip-branch", has_text="other").wait_for()


def test_branches_and_tags_are_deleted_but_not_the_current_branch(panel: Panel) -> None:
    panel.lab.server.ask("nbcellar/api/tag", {"path": panel.path, "name": "old", "ref": "HEAD"})
    panel.page.locator(".cellar-chip-tag", has_text="old").wait_for()
    branch = panel.ask("history")["branch"]
    panel.entry("x = 3").click(button="right")
    current = panel.page.get_by_role("menuitem", name=f"Delete branch {branch}")
    expect(current).to_have_attribute("aria-disabled", "true")
    panel.page.get_by_role("menuitem", name="Delete tag old").click()
    panel.told("Deleted old")
    panel.page.locator(".cellar-chip-tag").wait_for(state="detached")
    assert [name["kind"] for name in panel.ask("history")["names"]] == ["branch"]


def test_a_reference_is_copied(panel: Panel) -> None:
    panel.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    commit = commit_of(panel, "x = 1")
    panel.choose("x = 1", "Copy reference")
    panel.told("Copied")
    assert panel.page.evaluate("() => navigator.clipboard.readText()") == commit[:12]


def test_an_entry_is_compared_with_now_and_with_another(panel: Panel) -> None:
    panel.choose("x = 1", "Compare with now")
    change = panel.page.locator(
        ".cellar-lower .cellar-change", has=panel.page.locator("code.cellar-name", has_text="x")
    )
    change.first.locator(".cellar-old", has_text="1").wait_for()
    expect(change.first.locator(".cellar-new").first).to_have_text("3")
    panel.choose("x = 2", "Compare with another…")
    panel.page.locator(".cellar-notice", has_text="Choose an entry").wait_for()
    panel.entry("x = 1").click()
    change.first.locator(".cellar-new", has_text="2").wait_for()


def test_details_show_outputs_and_errors_as_text(lab: Lab, folder: Path) -> None:
    html = "from IPython.display import HTML, display\ndisplay(HTML('<script>window.bad = 1</script><b>hi</b>'))"
    panel = Panel(lab, folder, [html, "1 / 0"], ready="'HTML' in globals()")
    panel.entry("1 / 0").locator(".cellar-flag-failed").wait_for()
    panel.entry("1 / 0").click()
    panel.page.locator(".cellar-detail", has_text="ZeroDivisionError").wait_for()
    panel.entry("from IPython").click()
    panel.page.locator(".cellar-outputs", has_text="also as text/html").wait_for()
    assert panel.page.locator(".cellar-outputs b, .cellar-outputs script").count() == 0


def test_search_finds_texts_variables_messages_and_names(panel: Panel) -> None:
    search = panel.page.get_by_label("Search the history")
    where = panel.page.get_by_label("Where to search")
    rows = panel.page.locator(".cellar-entry")

    def rows_are(count: int, text: str) -> None:
        panel.page.wait_for_function(
            """([count, text]) => {
              const rows = [...document.querySelectorAll('.cellar-entry')];
              return rows.length === count && rows.every(row => row.innerText.includes(text));
            }""",
            arg=[count, text],
        )

    search.fill("two lines")
    rows_are(1, "two lines")
    expect(rows.locator("mark").first).to_have_text("two lines")
    where.select_option("variable")
    search.fill("y")
    rows_are(1, "created")
    panel.lab.server.ask("nbcellar/api/message", {"path": panel.path, "ref": "HEAD~1", "message": "zweiter Schritt"})
    where.select_option("message")
    search.fill("schritt")
    rows_are(1, "zweiter Schritt")
    panel.lab.server.ask("nbcellar/api/tag", {"path": panel.path, "name": "v7", "ref": "HEAD"})
    where.select_option("name")
    search.fill("v7")
    rows_are(1, "v7")
    search.press("Escape")
    panel.entry("x = 1").wait_for()


def test_filters_leave_named_or_failed_commits(lab: Lab, folder: Path) -> None:
    panel = Panel(lab, folder, ["x = 1", "1 / 0"], ready="x == 1")
    panel.entry("1 / 0").wait_for()
    panel.page.get_by_role("button", name="failed").click()
    panel.entry("x = 1").wait_for(state="detached")
    expect(panel.page.locator(".cellar-entry")).to_have_count(1)
    panel.page.get_by_role("button", name="failed").click()
    panel.entry("x = 1").wait_for()


def test_runs_are_folded_and_opened_by_keyboard(lab: Lab, folder: Path) -> None:
    panel = Panel(lab, folder, [f"v = {n}" for n in range(40)], ready="v == 39")
    panel.entry("v = 39").wait_for()
    panel.page.locator(".cellar-list").focus()
    panel.page.keyboard.press("End")
    panel.page.locator(".cellar-entry.cellar-is-active").wait_for()
    panel.page.keyboard.press("ArrowUp")
    panel.page.locator(".cellar-run.cellar-is-active").wait_for()
    folded = panel.entry("v = 19")
    expect(folded).to_have_count(0)
    panel.page.keyboard.press("Enter")
    expect(folded).to_be_visible()
    panel.page.keyboard.press("ArrowLeft")
    expect(folded).to_have_count(0)


def test_the_keyboard_opens_an_entry_its_menu_and_leads_back(panel: Panel) -> None:
    page = panel.page
    panel.entry("x = 3").wait_for()
    page.locator(".cellar-list").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.locator(".cellar-detail", has_text="y = [x]").wait_for()
    page.keyboard.press("Shift+F10")
    menu = page.locator(".cellar-menu")
    menu.wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    panel.entry("x = 2").locator(".cellar-chip-now").wait_for()
    assert panel.lab.evaluate("x") == "2"
    page.locator(".cellar-list").focus()
    page.keyboard.press("Escape")
    page.locator(".cellar-detail").wait_for(state="detached")


def test_without_a_repository_a_button_makes_one(lab: Lab, folder: Path) -> None:
    write_notebook(folder / "a.ipynb", ["x = 1"])
    lab.open(f"{folder.name}/a.ipynb")
    lab.command(SHOW)
    lab.page.locator(".cellar-empty", has_text="No history yet").wait_for()
    lab.page.get_by_role("button", name="Initialise").click()
    lab.page.locator(".cellar-empty", has_text="No history yet").wait_for(state="detached")
    assert (folder / ".cellar" / "meta.db").exists()


def test_without_a_kernel_a_button_starts_one(panel: Panel) -> None:
    panel.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    panel.page.locator(".cellar-notice", has_text="No kernel runs").wait_for()
    panel.page.get_by_role("button", name="Start a kernel").click()
    panel.page.locator(".cellar-notice").wait_for(state="detached")
    panel.lab.await_kernel()
    assert panel.lab.evaluate("1 + 1") == "2"


def test_a_lost_server_is_said_and_the_entries_stay(panel: Panel) -> None:
    panel.entry("x = 3").wait_for()
    panel.page.route("**/nbcellar/api/history*", lambda route: route.abort())
    panel.lab.server.ask("nbcellar/api/tag", {"path": panel.path, "name": "unseen", "ref": "HEAD"})
    panel.page.locator(".cellar-problem", has_text="cannot be reached").wait_for()
    assert panel.page.locator(".cellar-entry").count() >= 3
    panel.page.unroute("**/nbcellar/api/history*")
    panel.page.locator(".cellar-chip-tag", has_text="unseen").wait_for()  # without a click
    expect(panel.page.locator(".cellar-problem")).to_have_count(0)


def test_the_panels_stand_beside_a_notebook_in_notebook_7(notebook7: Lab, notebook_folder: Path) -> None:
    write_notebook(notebook_folder / "a.ipynb", ["x = 1", "x = 2"])
    path = f"{notebook_folder.name}/a.ipynb"
    assert notebook7.server.ask("nbcellar/api/init", {"path": path})[0] == 200
    notebook7.open(path)
    notebook7.run_all()
    assert notebook7.evaluate("x") == "2"
    notebook7.command(SHOW)
    notebook7.page.locator(".cellar-entry", has_text="x = 2").wait_for()  # a row that comes would move the other one
    notebook7.page.locator(".cellar-entry", has_text="x = 1").click()
    notebook7.page.get_by_role("toolbar").get_by_role("button", name="Undo to here").click()
    notebook7.page.locator(".cellar-result", has_text="Done.").wait_for()
    assert notebook7.evaluate("x") == "1"
    notebook7.command("nbcellar:show-variables")
    notebook7.page.locator(".cellar-variable", has_text="x").first.wait_for()


def test_no_serious_finding_of_axe(panel: Panel) -> None:
    panel.entry("x = 2").click()
    panel.page.wait_for_selector(".cellar-facts")
    for dark in (False, True):
        panel.lab.dark(dark)
        check_axe(panel.page, ".cellar-side-panel")
