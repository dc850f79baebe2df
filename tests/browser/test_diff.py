"""Comparison in JupyterLab: opened by button, menu and file browser; it follows the open notebook and edits it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tests.browser import documents
from tests.browser.documents import code, committed, git, notebook, shown, write
from tests.browser.recorded import Recorded
from tests.browser.studio import Lab, check_axe

READY = ".cellar-diff[data-ready]"
SCROLLER = ".cellar-diff-scroller"
CLEAN = "() => [...window.jupyterapp.shell.widgets('main')].every(widget => !widget.context?.model.dirty)"


@pytest.fixture
def lab(kept_lab: Lab) -> Lab:
    return kept_lab


def open_and_compare(lab: Lab, path: Path) -> Page:
    """Open a notebook and press the button that compares it with git HEAD."""
    lab.open(f"{path.parent.name}/{path.name}")
    page = lab.page
    page.locator(
        '.jp-NotebookPanel-toolbar [data-command="nbcellar:diff-head"], [data-jp-item-name="cellar-diff"] *'
    ).first.click()
    page.wait_for_selector(READY)
    return page


def row(page: Page, title: str):
    return page.locator(f'article[aria-label="{title}"]')


def sources(page: Page) -> dict[str, str]:
    """Return the sources of the open notebook's shared model, by cell id."""
    found: dict[str, str] = page.evaluate(
        """() => {
          for (const widget of window.jupyterapp.shell.widgets('main')) {
            const cells = widget.content?.model?.sharedModel?.cells;
            if (cells) {
              return Object.fromEntries(cells.map(cell => [cell.getId(), cell.getSource()]));
            }
          }
        }"""
    )
    return found


def set_source(page: Page, id: str, source: str) -> None:
    """Change a cell of the open notebook as its editor would."""
    page.evaluate(
        """([id, source]) => {
          for (const widget of window.jupyterapp.shell.widgets('main')) {
            const cell = widget.content?.model?.sharedModel?.cells.find(cell => cell.getId() === id);
            cell?.setSource(source);
          }
        }""",
        [id, source],
    )


def test_the_button_compares_with_head(lab: Lab, folder: Path) -> None:
    page = open_and_compare(lab, committed(folder))
    expect(page.locator(".cellar-diff-summary")).to_contain_text("7 cells changed, 1 added, 1 removed")
    expect(page.get_by_label("Version after")).to_have_value("open")
    expect(page.locator(SCROLLER)).to_be_focused()  # keys are for it at once
    page.keyboard.press("n")
    expect(page.locator("article[aria-current]")).to_have_attribute("aria-label", "Cell 1: changed")


def test_the_comparison_follows_unsaved_edits(lab: Lab, folder: Path) -> None:
    page = open_and_compare(lab, committed(folder))
    set_source(page, "intro", "# Prices\n\nWhat houses cost.")
    expect(row(page, "Cell 1: changed")).to_contain_text("What houses cost.")
    set_source(page, "clean-up", "## Tidy")
    expect(row(page, "Cell 5: changed")).to_contain_text("## Tidy")
    expect(page.locator(".cellar-diff-summary")).to_contain_text("8 cells changed")
    set_source(page, "clean-up", "## Clean")
    expect(row(page, "Cell 5: changed")).to_have_count(0)


def test_an_edit_in_the_comparison_is_one_of_the_notebook(lab: Lab, folder: Path) -> None:
    path = committed(folder)
    page = open_and_compare(lab, path)
    cell = row(page, "Cell 3: changed")
    cell.locator(".cellar-diff-source").hover()
    cell.get_by_role("button", name="Edit").click()
    editor = cell.get_by_label("Source of the cell in the open notebook")
    expect(editor).to_be_focused()
    page.keyboard.press("Control+End")
    page.keyboard.type("\nprices = prices.sort_index()")
    marked = cell.locator(".cm-changedText, .cm-insertedLine, .cm-changedLine")
    expect(marked.filter(has_text="sort_index").first).to_be_visible()
    assert sources(page)["load"].endswith('load("prices.csv")\nprices = prices.sort_index()')
    set_source(page, "load", "from elsewhere")
    cell = row(page, "Cell 3: replaced")
    editor = cell.get_by_label("Source of the cell in the open notebook")
    expect(editor).to_have_text("from elsewhere")
    expect(editor).to_be_focused()
    page.keyboard.press("Control+End")
    page.keyboard.press("Enter")
    page.keyboard.type("more")
    page.keyboard.press("Escape")
    expect(cell.locator("td", has_text="more")).to_have_count(1)
    assert sources(page)["load"] == "from elsewhere\nmore"
    assert "elsewhere" not in path.read_text()  # unsaved until somebody saves
    lab.command("docmanager:save-all")
    page.wait_for_function(CLEAN)
    expect(cell.locator("td", has_text="more")).to_have_count(1)
    assert "from elsewhere\\n" in path.read_text()


def test_an_editor_stays_whatever_its_cell_becomes(lab: Lab, folder: Path) -> None:
    page = open_and_compare(lab, committed(folder))
    row(page, "Cell 3: changed").locator(".cellar-diff-source").hover()
    row(page, "Cell 3: changed").get_by_role("button", name="Edit").click()
    editor = page.get_by_label("Source of the cell in the open notebook")
    expect(editor).to_be_focused()
    for source, becomes in ((documents.LOAD, "unchanged"), ("from elsewhere", "replaced")):
        page.keyboard.press("Control+A")
        page.keyboard.insert_text(source)
        expect(row(page, f"Cell 3: {becomes}").locator(editor)).to_be_focused()
        page.keyboard.type("#")  # where the last text ended
        assert sources(page)["load"] == f"{source}#"
    page.keyboard.press("Escape")
    expect(editor).to_have_count(0)


def test_the_comparison_with_the_last_commit_follows_the_session(lab: Lab, folder: Path) -> None:
    recorded = Recorded(lab, folder, ("x = 1", "y = 2")).open().run()
    page = recorded.page
    recorded.edit(0, "x = 7")
    lab.bring("docmanager:save")
    recorded.keys("d")
    expect(page.get_by_label("Version before")).to_have_value("cellar:HEAD")
    expect(page.get_by_label("Version after")).to_have_value("open")
    expect(row(page, "Cell 1: changed").locator(".cellar-diff-word-old")).to_have_text("1")
    expect(row(page, "Cell 1: changed").locator(".cellar-diff-word-new")).to_have_text("7")
    recorded.ask("commit", message="with seven")  # as another program would
    expect(page.locator(".cellar-diff-summary")).to_contain_text("No difference")


def test_compare_with_what_was_last_saved(lab: Lab, folder: Path) -> None:
    path = write(folder / "a.ipynb", documents.BEFORE)
    lab.open(f"{folder.name}/{path.name}")
    page = lab.page
    set_source(page, "tagged", "save(model, path)")
    lab.command("nbcellar:diff-saved")
    page.wait_for_selector(READY)
    expect(row(page, "Cell 11: changed").locator(".cellar-diff-word-new")).to_have_text([",", " ", "path"])
    lab.command("docmanager:save-all")
    expect(page.locator(".cellar-diff-summary")).to_contain_text("No difference")


def test_two_files_are_compared_from_the_file_browser(lab: Lab, folder: Path) -> None:
    write(folder / "one.ipynb", documents.BEFORE)
    write(folder / "two.ipynb", documents.AFTER)
    (folder / "notes.txt").write_text("x")
    lab.open(f"{folder.name}/one.ipynb")
    page = lab.page
    item = page.locator(".jp-DirListing-item")
    item.filter(has_text="one.ipynb").click()
    item.filter(has_text="two.ipynb").click(modifiers=["Control"])
    item.filter(has_text="two.ipynb").click(button="right")
    page.get_by_role("menuitem", name="Compare Selected Notebooks").click()
    page.wait_for_selector(READY)
    expect(page.locator(".cellar-diff-summary")).to_contain_text("7 cells changed, 1 added, 1 removed")


def test_one_file_is_compared_with_head_from_the_file_browser(lab: Lab, folder: Path) -> None:
    committed(folder)
    write(folder / "other.ipynb", documents.BEFORE)
    lab.open(f"{folder.name}/other.ipynb")
    page = lab.page
    page.locator(".jp-DirListing-item", has_text="prices.ipynb").click(button="right")
    page.get_by_role("menuitem", name="Compare With git HEAD").click()
    page.wait_for_selector(READY)
    expect(page.locator(".cellar-diff-summary")).to_contain_text("7 cells changed")
    expect(page.get_by_label("Version after")).to_have_value("file")


SCRIPT = {"text/html": "<b class='mine'>rich</b><script>window.ran = 1</script>"}


def test_outputs_of_a_notebook_that_jupyter_does_not_trust_stay_static(lab: Lab, folder: Path) -> None:
    before, after = notebook([code("a", "x", [])]), notebook([code("a", "x", [shown(SCRIPT)])])
    page = open_and_compare(lab, committed(folder, before=before, after=after))
    expect(row(page, "Cell 1: changed").frame_locator("iframe").locator("b")).to_have_text("rich")
    assert page.evaluate("window.ran") is None


def test_outputs_of_a_trusted_notebook_are_rendered_by_jupyter(lab: Lab, folder: Path) -> None:
    before = notebook([code("a", "from IPython.display import HTML\nHTML('<b class=mine>rich</b>')", [])])
    path = committed(folder, before=before, after=before)
    lab.open(f"{folder.name}/{path.name}")
    lab.run_all()
    page = lab.page
    expect(page.locator(".jp-OutputArea-output b.mine")).to_have_text("rich")
    lab.command("nbcellar:diff-head")
    page.wait_for_selector(READY)
    expect(row(page, "Cell 1: changed").locator(".jp-RenderedHTMLCommon b.mine")).to_have_text("rich")


def test_a_notebook_that_is_closed_is_compared_as_its_file(lab: Lab, folder: Path) -> None:
    path = committed(folder)
    page = open_and_compare(lab, path)
    set_source(page, "intro", "# Never saved")
    expect(row(page, "Cell 1: changed")).to_contain_text("# Never saved")
    page.evaluate(
        """() => {
          for (const widget of [...window.jupyterapp.shell.widgets('main')]) {
            if (widget.content?.model?.sharedModel) { widget.dispose(); }
          }
        }"""
    )
    expect(page.get_by_label("Version after")).to_have_value("file")
    expect(row(page, "Cell 1: changed")).to_contain_text("by month and city")


def test_versions_of_git_and_of_cellar_can_be_chosen(lab: Lab, folder: Path) -> None:
    path = committed(folder, before=notebook([code("a", "x = 0")]), after=notebook([code("a", "x = 1")]))
    git(folder, "branch", "side")
    git(folder, "commit", "-qam", "x = 1")
    where = f"{folder.name}/{path.name}"
    assert lab.server.ask("nbcellar/api/init", {"path": where})[0] == 200
    lab.open(where)
    lab.run_all()
    assert lab.evaluate("x") == "1"
    set_source(lab.page, "a", "x = 2")
    lab.run_all()
    assert lab.evaluate("x") == "2"
    lab.command("nbcellar:diff-notebook", path=where)
    page = lab.page
    page.wait_for_selector(READY)
    picker = page.get_by_label("Version before")
    before = row(page, "Cell 1: changed").locator(".cellar-diff-word-old")
    expect(before).to_have_text("1")
    picker.select_option("git:side")
    expect(before).to_have_text("0")
    recorded = picker.locator('optgroup[label="Cellar\'s commits"] option')
    expect(recorded).not_to_have_count(0)
    picker.select_option(recorded.last.get_attribute("value"))
    expect(before).to_have_text("1")
    expect(page.locator(".cellar-diff").get_by_role("alert")).to_have_count(0)


@pytest.mark.parametrize("dark", [False, True])
def test_the_widget_has_no_serious_findings(lab: Lab, folder: Path, dark: bool) -> None:
    page = open_and_compare(lab, committed(folder))
    lab.dark(dark)
    page.wait_for_selector("article")
    check_axe(page, ".cellar-diff-widget", without=["region", "page-has-heading-one"])


def test_the_notebook_stays_as_it_is_when_it_is_only_compared(lab: Lab, folder: Path) -> None:
    path = committed(folder)
    text = path.read_text()
    page = open_and_compare(lab, path)
    page.wait_for_selector("article")
    assert path.read_text() == text
    assert json.loads(text) == documents.AFTER


def test_notebook_7_compares_below_the_notebook(notebook7: Lab, notebook_folder: Path) -> None:
    path = committed(notebook_folder)
    notebook7.open(f"{notebook_folder.name}/{path.name}")
    notebook7.command("nbcellar:diff-head")
    page = notebook7.page
    page.wait_for_selector(READY)
    expect(page.locator(".cellar-diff-summary")).to_contain_text("7 cells changed")
    expect(row(page, "Cell 1: changed")).to_be_visible()
