"""The panel Variables in JupyterLab: of any commit, with versions; two compared by value, one brought back."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect
from tests.browser.recorded import Recorded
from tests.browser.studio import Lab, check_axe, write_notebook

SHOW = "nbcellar:show-variables"
SOURCES = [
    "import numpy as np\nimport pandas as pd",
    "df = pd.DataFrame({'a': [1, 2, 3], 'b': [0.5, 1.5, 2.5]})\nloss = 0.9\nname = 'first'\narr = np.arange(12.0)",
    "df.loc[1, 'a'] = 20\nloss = 0.5\narr = arr.reshape(3, 4) * 2",
    "loss = 0.25\nname = 'first\\nand <b>second</b>'",
]


class Panel:
    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab = lab
        self.page = lab.page
        write_notebook(folder / "a.ipynb", SOURCES)
        self.path = f"{folder.name}/a.ipynb"
        assert lab.server.ask("nbcellar/api/init", {"path": self.path})[0] == 200
        lab.open(self.path)
        lab.run_all()
        assert lab.evaluate("loss") == "0.25"
        lab.command(SHOW)
        self.row("loss").get_by_role("img", name="3 versions").wait_for()  # all is recorded and read

    def row(self, name: str) -> Any:
        named = self.page.locator("code.cellar-name", has_text=name)
        return self.page.locator(".cellar-variable", has=named).first

    def open(self, name: str) -> None:
        self.row(name).click()
        self.page.get_by_role("list", name=f"Versions of {name}").locator("li").first.wait_for()

    @property
    def names(self) -> Any:
        return self.page.locator(".cellar-variable .cellar-name")

    def commit_of(self, code: str) -> str:
        status, found = self.lab.server.ask(f"nbcellar/api/history?path={self.path}")
        assert status == 200
        return str(next(entry["id"] for entry in found["entries"] if code in entry["source"]))


@pytest.fixture
def lab(kept_lab: Lab) -> Lab:
    return kept_lab


@pytest.fixture
def panel(lab: Lab, folder: Path) -> Panel:
    return Panel(lab, folder)


def test_variables_show_type_preview_size_cell_and_versions(panel: Panel) -> None:
    row = panel.row("df")
    expect(row).to_contain_text("DataFrame 3 × 2")
    expect(row).to_contain_text("[3]")
    expect(panel.row("loss").get_by_role("img", name="3 versions")).to_be_visible()
    expect(panel.row("loss").locator(".cellar-spark-line")).to_have_count(1)


def test_variables_are_filtered_and_sorted(panel: Panel) -> None:
    panel.page.get_by_label("Order").select_option("changed")
    expect(panel.names.nth(0)).to_have_text("loss")
    expect(panel.names.nth(1)).to_have_text("name")
    panel.page.get_by_label("Largest first").click()
    expect(panel.names.last).to_have_text("name")
    panel.page.get_by_label("Filter variables").fill("frame")
    panel.row("loss").wait_for(state="detached")
    expect(panel.names).to_have_text(["df"])


def test_what_a_cell_changes_is_shown_by_itself(panel: Panel) -> None:
    panel.page.evaluate(
        """() => {
          const { content } = window.jupyterapp.shell.currentWidget;
          content.activeCellIndex = 3;
          content.activeCell.model.sharedModel.setSource('loss = 0.125');
          return window.jupyterapp.commands.execute('notebook:run-cell');
        }"""
    )
    panel.row("loss").locator(".cellar-variable-preview", has_text="0.125").wait_for()


def test_variables_of_an_older_commit_and_back_to_now(panel: Panel) -> None:
    panel.page.get_by_role("button", name="Other…").click()
    asked = panel.page.get_by_label("Variables of (a commit, branch, tag, HEAD~3)")
    asked.fill("nowhere")
    asked.press("Enter")
    panel.page.locator(".cellar-ask [role=alert]", has_text="nowhere").wait_for()
    asked.fill("HEAD~2")
    asked.press("Enter")
    panel.row("loss").locator(".cellar-variable-preview", has_text="0.9").wait_for()
    panel.page.get_by_role("button", name="Back to now").click()
    panel.row("loss").locator(".cellar-variable-preview", has_text="0.25").wait_for()


def test_the_history_shows_the_variables_of_an_entry(panel: Panel) -> None:
    panel.lab.command("nbcellar:show-history")
    entry = panel.page.locator(".cellar-entry", has_text="df.loc[1").first
    entry.click(button="right")
    panel.page.get_by_role("menuitem", name="Show its variables").click()
    panel.row("loss").locator(".cellar-variable-preview", has_text="0.5").wait_for()
    panel.open("loss")
    panel.page.locator(".cellar-versions .cellar-link").first.click()
    panel.page.locator(".cellar-entry.cellar-is-active", has_text="loss = 0.25").wait_for()


def compare_with_first(panel: Panel, name: str) -> Any:
    panel.open(name)
    panel.page.locator(".cellar-versions li").last.get_by_role("button", name="Compare").click()
    compared = panel.page.locator(".cellar-compared .cellar-change")
    compared.wait_for()
    return compared


def test_two_versions_of_a_frame_are_compared_by_columns_and_rows(panel: Panel) -> None:
    compared = compare_with_first(panel, "df")
    assert compared.locator("td code", has_text="a").first.inner_text() == "a"
    assert "[1]" in compared.inner_text()
    assert compared.locator(".cellar-old", has_text="2").count() >= 1
    assert compared.locator(".cellar-new", has_text="20").count() >= 1


def test_two_versions_of_an_array_and_of_a_text_are_compared(panel: Panel) -> None:
    array = compare_with_first(panel, "arr")
    assert "(12) float64" in array.inner_text()
    assert "(3 × 4) float64" in array.inner_text()
    panel.page.keyboard.press("Escape")
    text = compare_with_first(panel, "name")
    assert "<b>second</b>" in text.inner_text()
    assert text.locator("b").count() == 0


def test_pictures_are_compared_by_pixel_and_what_is_opaque_by_its_stored_blocks(lab: Lab, folder: Path) -> None:
    draw = "from PIL import Image\npicture = Image.new('RGB', (10, 8), 'red')\n"
    nest = "for _ in range(300):\n    deep = [deep]"
    change = "picture = picture.copy()\npicture.putpixel((3, 4), (0, 0, 255))\n"
    notebook = Recorded(lab, folder, (f"{draw}deep = [1]\n{nest}", f"{change}deep = [2]\n{nest}")).open().run()
    lab.command(SHOW)
    page = notebook.page
    for name in ("picture", "deep"):
        page.locator(".cellar-variable", has=page.locator("code.cellar-name", has_text=name)).first.click()
        versions = page.get_by_role("list", name=f"Versions of {name}").locator("li")
        versions.last.get_by_role("button", name="Compare").click()
        compared = page.get_by_label(f"comparison of {name}")
        if name == "picture":
            expect(compared).to_contain_text("1 of 80 pixels differ")
            for word in ("before", "after", "difference"):
                image = compared.get_by_role("img", name=word, exact=True)
                expect(image).to_have_js_property("naturalWidth", 10)
        else:
            expect(compared).to_contain_text(re.compile(r"\d of \d stored blocks? differ"))


def test_one_variable_is_brought_back_into_the_session_as_it_is(panel: Panel) -> None:
    panel.open("loss")
    panel.page.locator(".cellar-versions li").last.get_by_role("button", name="Bring back").click()
    panel.page.locator(".cellar-result", has_text="Done.").wait_for()
    assert panel.lab.evaluate("(loss, name)") == repr((0.9, "first\nand <b>second</b>"))


def test_a_variable_of_an_older_commit_is_brought_back(panel: Panel) -> None:
    panel.lab.command(SHOW, ref=panel.commit_of("df.loc[1"))
    panel.row("loss").locator(".cellar-variable-preview", has_text="0.5").wait_for()
    panel.open("arr")
    panel.lab.page.get_by_role("button", name="Bring back").first.click()
    panel.page.locator(".cellar-result", has_text="Done.").wait_for()
    assert panel.lab.evaluate("arr.shape") == "(3, 4)"


def test_no_process_but_the_kernel_loads_a_value_to_show_or_to_compare_it(lab: Lab, folder: Path) -> None:
    mark = folder / "loaded-by"
    source = (
        "import os\nclass Peculiar:\n    def __init__(self, n):\n        self.n = n\n"
        "    def __setstate__(self, state):\n"
        f"        print(os.getpid(), file=open({str(mark)!r}, 'a'))\n        self.__dict__ = state\n"
        "odd = Peculiar(1)"
    )
    write_notebook(folder / "a.ipynb", [source, "odd = Peculiar(2)"])
    path = f"{folder.name}/a.ipynb"
    assert lab.server.ask("nbcellar/api/init", {"path": path})[0] == 200
    lab.open(path)
    lab.run_all()
    assert lab.evaluate("odd.n") == "2"
    lab.command(SHOW)
    variable = lab.page.locator(".cellar-variable", has=lab.page.locator("code.cellar-name", has_text="odd"))
    variable.get_by_role("img", name="2 versions").wait_for()
    variable.click()
    lab.page.locator(".cellar-versions li").last.get_by_role("button", name="Compare").click()
    lab.page.locator(".cellar-compared .cellar-change", has_text="2").wait_for()
    loaded_by = set(mark.read_text().split()) if mark.exists() else set()
    assert loaded_by <= {lab.evaluate("os.getpid()")}


def test_no_serious_finding_of_axe(panel: Panel) -> None:
    compare_with_first(panel, "df")
    for dark in (False, True):
        panel.lab.dark(dark)
        check_axe(panel.page, ".cellar-side-panel")
