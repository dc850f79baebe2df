"""The panel Pipeline: the graph of the open notebook, edits of it by mouse and keys, runs and what they leave."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, expect
from tests.browser.documents import code, git, notebook, write
from tests.browser.recorded import DIALOG, Recorded
from tests.browser.studio import Lab, check_axe
from tests.browser.test_diff import open_and_compare
from tests.browser.test_merge import keys_of, open_in_lab
from tests.browser.test_room import fits
from tests.git.support import make
from tests.pipeline.archives import MALLORY, manifest_of, members_of, pack, signed_anew

from nbcellar import list_results, run_pipeline
from nbcellar.trust.keys import fingerprint

SHOW = "nbcellar:show-pipeline"
CELLS = ("raw = list(range(20))", "train = raw[::2]", "held = raw[1::2]", "score = (sum(held) - sum(train)) * 2")
NAMES = ("raw", "train", "held", "score")


class Panel:
    """The panel beside a notebook; `named`: its cells are components already, of these names."""

    def __init__(
        self, lab: Lab, folder: Path, cells: Sequence[str] = CELLS, *, named: Sequence[str] = (), recorded: bool = True
    ) -> None:
        self.lab = lab
        self.page = lab.page
        self.notebook = Recorded(lab, folder, cells, recorded=recorded)
        self.file = self.notebook.file
        for at, name in enumerate(named):
            self.write_metadata(at, {"name": name})
        self.notebook.open()
        self.show()

    def show(self) -> None:
        self.lab.bring(SHOW)
        self.page.locator(".cellar-pipeline").wait_for()

    def write_metadata(self, cell: int, component: dict[str, Any]) -> None:
        """Change the file, before it is opened."""
        document = self.document()
        document["cells"][cell]["metadata"]["cellar"] = {"component": component}
        self.file.write_text(json.dumps(document))

    # what is seen ----------------------------------------------------------------------------------------------------

    @property
    def root(self) -> Locator:
        return self.page.locator(".cellar-pipeline")

    @property
    def graph(self) -> Locator:
        return self.root.get_by_role("listbox", name="Components")

    @property
    def details(self) -> Locator:
        return self.root.get_by_role("region", name="Details")

    def node(self, name: str) -> Locator:
        return self.graph.locator(f"[data-component][aria-label^='{name}, ']")

    def button(self, name: str) -> Locator:
        return self.root.get_by_role("button", name=name, exact=True)

    def await_marks(self, **marks: str) -> None:
        for id, mark in marks.items():
            self.graph.locator(f"[data-component={id}][data-mark={mark}]").wait_for()

    def select(self, name: str) -> None:
        """Choose a component with a click where all of them are seen, and wait until its details are there."""
        self.button("Fit").click()
        self.node(name).locator("rect").click()
        self.details.locator(".cellar-pipeline-title .cellar-name", has_text=name).wait_for()

    # what is done ----------------------------------------------------------------------------------------------------

    def run(self, button: str = "Run all", *, end: str = "Done") -> str:
        """Run, and return what is said at the end."""
        ended = self.root.locator(".cellar-pipeline-ended")
        if ended.count():
            ended.get_by_role("button", name="Close").click()
        self.button(button).click()
        ended.locator("b", has_text=end).wait_for()
        return ended.locator(".cellar-soft").inner_text()

    def choose(self, menu: str, entry: str) -> None:
        """Choose from a menu."""
        self.button(menu).click()
        self.page.get_by_role("menuitem", name=entry, exact=True).click()

    def take_in(self, file: Path) -> None:
        """Import a pipeline file."""
        with self.page.expect_file_chooser() as chosen:
            self.choose("More", "Import a pipeline or component…")
        chosen.value.set_files(file)

    def save(self) -> None:
        self.lab.bring("docmanager:save")

    # what became of it -----------------------------------------------------------------------------------------------

    def document(self) -> Any:
        return json.loads(self.file.read_text("utf-8"))

    def said(self) -> list[Any]:
        """Return what the file's cells say of components."""
        return [cell["metadata"].get("cellar", {}).get("component") for cell in self.document()["cells"]]

    def value(self, id: str, name: str) -> str:
        """Return the preview of a variable in the result of the last run."""
        lines = self.notebook.read("pipeline-lines")["lines"]
        result = next(line["result"] for line in reversed(lines) if line["id"] == id and line["result"])
        variables = self.notebook.read("variables", f"&ref={result}")["variables"]
        return str(next(found["preview"] for found in variables if found["name"] == name))

    @property
    def active_cell(self) -> str:
        return str(self.page.evaluate("window.jupyterapp.shell.currentWidget.content.activeCell.model.id"))


@pytest.fixture
def lab(kept_lab: Lab) -> Lab:
    return kept_lab


@pytest.fixture
def panel(lab: Lab, folder: Path) -> Panel:
    return Panel(lab, folder, named=NAMES)


def test_a_plain_notebook_is_a_proposal_until_somebody_writes_it_down(lab: Lab, folder: Path) -> None:
    panel = Panel(lab, folder)
    expect(panel.graph.get_by_role("option")).to_have_count(4)
    panel.root.get_by_text("A proposal").wait_for()
    panel.save()
    assert panel.said() == [None] * 4
    panel.button("Write it down").click()
    panel.root.get_by_text("A proposal").wait_for(state="detached")
    expect(panel.page.locator(".cellar-component-name")).to_have_text(NAMES)
    panel.save()
    assert panel.said() == [{"name": name} for name in NAMES]
    lab.bring("notebook:undo-cell-action")
    panel.root.get_by_text("A proposal").wait_for()
    panel.save()
    assert panel.said() == [None] * 4


def test_the_graph_follows_what_is_typed(panel: Panel) -> None:
    expect(panel.graph.locator("[data-edge]")).to_have_count(4)
    panel.notebook.edit(3, "score = sum(held)")
    expect(panel.graph.locator("[data-edge]")).to_have_count(3)
    panel.notebook.edit(3, "score = sum(held")
    panel.await_marks(c3="broken")
    panel.root.get_by_role("tab", name="Problems 1").wait_for()
    expect(panel.button("Run all")).to_be_disabled()


def test_what_is_chosen_in_the_panel_is_the_active_cell_and_the_other_way(panel: Panel) -> None:
    panel.select("held")
    assert panel.active_cell == "c2"
    panel.page.locator(".jp-Notebook .jp-Cell .cm-content").nth(1).click()
    expect(panel.node("train")).to_have_attribute("aria-selected", "true")
    panel.graph.focus()
    panel.graph.press("ArrowDown")
    expect(panel.node("score")).to_have_attribute("aria-selected", "true")
    panel.page.wait_for_function("window.jupyterapp.shell.currentWidget.content.activeCell.model.id === 'c3'")
    panel.graph.press("Enter")
    expect(panel.page.locator(".jp-Notebook .jp-Cell").nth(3)).to_be_focused()


def test_components_are_connected_and_disconnected_by_mouse(panel: Panel) -> None:
    panel.await_marks(c1="stale", c2="stale")  # all is there that could move the graph
    panel.node("train").hover()
    panel.page.mouse.move(*centre(panel.node("train").locator(".cellar-pipeline-port")))
    panel.page.mouse.down()
    panel.page.mouse.move(*centre(panel.node("held").locator("rect")), steps=4)
    panel.page.mouse.up()
    edge = panel.graph.locator(".cellar-mod-declared[data-edge]")
    expect(edge).to_have_count(1)
    panel.root.get_by_role("list", name="Lines").get_by_text("declared").wait_for()
    panel.save()
    assert panel.said()[2] == {"name": "held", "after": ["c1"]}
    panel.select("held")
    panel.button("Take the edge from train away").click()
    expect(edge).to_have_count(0)
    panel.save()
    assert panel.said() == [{"name": name} for name in NAMES]


def test_components_are_connected_and_disconnected_by_keys(panel: Panel) -> None:
    panel.select("train")
    panel.graph.press("c")
    panel.graph.press("ArrowRight")
    panel.graph.press("Enter")
    edge = panel.graph.locator(".cellar-mod-declared[data-edge]")
    expect(edge).to_have_count(1)
    panel.root.get_by_text("train is before held now").wait_for()
    panel.graph.press("e")
    for _ in range(5):  # one after the other; the declared one comes
        if "declared" in str(panel.graph.locator("[data-edge].cellar-is-selected").get_attribute("class")):
            break
        panel.graph.press("e")
    panel.save()
    assert panel.said()[2] == {"name": "held", "after": ["c1"]}
    panel.graph.press("Delete")
    expect(edge).to_have_count(0)
    panel.save()
    assert panel.said()[2] == {"name": "held"}
    panel.select("score")
    panel.graph.press("c")
    panel.graph.press("Home")
    panel.graph.press("Escape")
    panel.graph.press("e")
    panel.graph.press("Delete")
    panel.root.get_by_role("alert").get_by_text("nobody drew the edge").wait_for()


def test_a_run_leaves_results_and_the_next_one_uses_them(panel: Panel) -> None:
    panel.await_marks(c0="stale", c3="stale")
    assert panel.run() == "4 ran"
    panel.await_marks(c0="done", c1="done", c2="done", c3="done")
    assert panel.value("c3", "score") == "20"
    panel.select("score")
    variables = panel.details.get_by_role("region", name="Variables")
    expect(variables.locator("li")).to_contain_text("score")
    expect(variables.locator("li")).to_contain_text("20")
    assert panel.run() == "4 cached"
    panel.await_marks(c0="cached", c3="cached")
    panel.notebook.edit(2, "held = raw[1::3]")
    panel.await_marks(c0="cached", c1="cached", c2="stale", c3="stale")
    panel.select("held")
    assert panel.run("This") == "1 ran, 1 cached"
    assert panel.value("c2", "held").startswith("[1, 4, 7")
    assert "raw[1::3]" in panel.notebook.sources()[2], "a run saves the notebook before"
    panel.select("raw")
    assert panel.run("From here") == "2 ran, 2 cached"
    panel.button("Show all").click()
    panel.page.locator(".cellar-variable", has_text="raw").wait_for()


def test_edges_that_a_run_showed_are_drawn_in_a_tab_with_more_room_too(lab: Lab, folder: Path) -> None:
    cells = ("open('f.txt', 'w').write('3')", "n = int(open('f' + '.txt').read())")
    panel = Panel(lab, folder, cells, named=("write", "read"))
    expect(panel.graph.get_by_role("option")).to_have_count(2)
    expect(panel.graph.locator("[data-edge]")).to_have_count(0)
    panel.run()
    seen = ".cellar-mod-observed[data-edge]"
    expect(panel.graph.locator(seen)).to_have_count(1)
    panel.root.get_by_role("list", name="Lines").get_by_text("seen in a run").wait_for()
    lab.bring("nbcellar:open-pipeline")
    expect(panel.page.locator(f"#nbcellar-pipeline-wide {seen}")).to_have_count(1)


def test_a_failure_is_told_with_its_line_and_blocks_what_comes_after(lab: Lab, folder: Path) -> None:
    panel = Panel(lab, folder, ("a = 1", "b = a\nc = b / 0", "d = c", "e = a + 1"), named="abde")
    assert panel.run(end="Failed") == "2 ran, 1 failed, 1 blocked"
    panel.await_marks(c0="done", c1="failed", c2="blocked", c3="done")
    panel.root.locator(".cellar-pipeline-ended").get_by_role("button", name="b").click()
    panel.details.get_by_text("ZeroDivisionError: division by zero (line 2)").wait_for()
    panel.details.locator("summary").click()
    expect(panel.details.locator("pre")).to_contain_text("c = b / 0")
    assert panel.active_cell == "c1"
    panel.notebook.edit(1, "b = a\nc = b / 2")
    panel.await_marks(c1="stale")
    assert panel.run() == "2 ran, 2 cached"
    assert panel.value("c2", "d") == "0.5"


def test_a_run_can_be_cancelled(lab: Lab, folder: Path) -> None:
    panel = Panel(lab, folder, ("a = 1", "import time\nb = a\ntime.sleep(600)", "c = b"), named="abc")
    panel.button("Run all").click()
    panel.await_marks(c1="running")
    panel.button("Cancel").click()
    panel.root.locator(".cellar-pipeline-ended b", has_text="Cancelled").wait_for()
    panel.await_marks(c0="done", c1="cancelled", c2="cancelled")


def test_without_a_repository_one_is_offered_for_the_results(lab: Lab, folder: Path) -> None:
    panel = Panel(lab, folder, named=NAMES, recorded=False)
    panel.button("Run all").click()
    panel.button("Record this folder and run").click()
    panel.root.locator(".cellar-pipeline-ended b", has_text="Done").wait_for()
    assert (folder / ".cellar").is_dir()
    assert panel.value("c3", "score") == "20"


def test_parameters_are_checked_and_runs_take_them(lab: Lab, folder: Path) -> None:
    panel = Panel(lab, folder, ("a = 2", "b = a * scale"), named="ab")
    panel.root.get_by_role("tab", name="Parameters").click()
    panel.root.get_by_label("Name of a new parameter").fill("scale")
    panel.root.get_by_label("Value of the new parameter").fill("3")
    panel.button("Add").click()
    field = panel.root.get_by_label("Value of scale (integer)")
    field.wait_for()
    panel.run()
    assert panel.value("c1", "b") == "6"
    assert panel.document()["metadata"]["cellar"] == {"parameters": {"scale": 3}}
    field.fill("many")
    field.press("Enter")
    panel.root.get_by_role("alert").get_by_text("scale is of the type integer").wait_for()
    field.fill("5")
    field.press("Enter")
    panel.await_marks(c0="done", c1="stale")
    assert panel.run() == "1 ran, 1 cached"
    assert panel.value("c1", "b") == "10"
    panel.select("b")
    expect(panel.details).to_contain_text("scale")
    panel.root.get_by_role("tab", name="Parameters").click()
    panel.button("Remove scale").click()
    field.wait_for(state="detached")
    panel.save()
    assert "cellar" not in panel.document()["metadata"]


def test_how_a_component_is_run_is_written_into_its_cell(panel: Panel) -> None:
    panel.select("train")
    panel.details.locator(".cellar-pipeline-status").wait_for()  # it comes above what is clicked here, and moves it
    panel.details.get_by_label("cache").click()
    panel.details.get_by_label("retries").fill("2")  # while the first edit is made
    panel.details.get_by_label("retries").press("Enter")
    expect(panel.details.get_by_label("cache")).not_to_be_checked()
    expect(panel.details.get_by_label("retries")).to_have_value("2")
    panel.save()
    assert panel.said()[1] == {"name": "train", "cache": False, "retries": 2}
    panel.details.get_by_label("cache").click()
    expect(panel.details.get_by_label("cache")).to_be_checked()
    panel.save()
    assert panel.said()[1] == {"name": "train", "retries": 2}


def test_the_name_above_a_cell_leads_to_the_component_and_renames_it(panel: Panel) -> None:
    name = panel.page.locator(".cellar-component-name", has_text="held")
    name.click()
    expect(panel.node("held")).to_have_attribute("aria-selected", "true")
    name.focus()
    name.press("F2")
    field = panel.root.get_by_label("Another name for held")
    field.fill("train")
    field.press("Enter")
    panel.root.get_by_role("alert").get_by_text("another component is called 'train'").wait_for()
    field.fill("held out <b>")
    field.press("Enter")
    panel.page.locator(".cellar-component-name", has_text="held out <b>").wait_for()
    panel.node("held out <b>").wait_for()
    panel.save()
    assert panel.said()[2] == {"name": "held out <b>"}


def test_a_cell_is_made_a_component_and_a_plain_cell_again(panel: Panel) -> None:
    panel.select("score")
    panel.lab.bring("nbcellar:toggle-component")
    expect(panel.graph.get_by_role("option")).to_have_count(3)
    expect(panel.page.locator(".cellar-component-name")).to_have_count(3)
    panel.save()
    assert panel.said()[3] is None
    panel.button("More").click()
    panel.page.get_by_role("menuitem", name="Make the active cell a component").click()
    panel.node("score").wait_for()
    panel.node("score").click(button="right")
    panel.page.get_by_role("menuitem", name="Make it a plain cell").click()
    expect(panel.graph.get_by_role("option")).to_have_count(3)


def test_a_problem_says_what_to_do_and_leads_to_its_cells(lab: Lab, folder: Path) -> None:
    written = Recorded(lab, folder, ("a = 1", "b = 2", "c = 3"))
    document = json.loads(written.file.read_text())
    for cell, (name, after) in zip(document["cells"], (("a", ["c1"]), ("b", ["c0"]), ("c", ["gone"])), strict=True):
        cell["metadata"]["cellar"] = {"component": {"name": name, "after": after}}
    written.file.write_text(json.dumps(document))
    panel = Panel.__new__(Panel)
    panel.lab, panel.page, panel.notebook, panel.file = lab, lab.page, written, written.file
    written.open()
    panel.show()
    expect(panel.graph.locator(".cellar-mod-wrong[data-edge]")).to_have_count(2)
    panel.root.get_by_role("tab", name="Problems 2").click()
    problem = panel.details.locator("li", has_text="the components wait for each other")
    expect(problem).to_contain_text("cellar pipeline disconnect")
    problem.get_by_role("button", name="b (cell 2)").click()
    panel.page.wait_for_function("window.jupyterapp.shell.currentWidget.content.activeCell.model.id === 'c1'")
    panel.root.get_by_role("tab", name="Component").click()
    panel.button("Take the edge from a away").click()
    panel.root.get_by_role("tab", name="Problems 1").wait_for()
    panel.select("c")
    panel.button("Take the edge from gone away").click()
    expect(panel.button("Run all")).to_be_enabled()
    panel.save()
    assert panel.said() == [{"name": "a", "after": ["c1"]}, {"name": "b"}, {"name": "c"}]


def test_a_component_is_exported_and_imported_into_another_notebook(panel: Panel, tmp_path: Path) -> None:
    panel.select("held")
    with panel.page.expect_download() as download:
        panel.choose("More", "Export held…")
    assert download.value.suggested_filename == "a.held.pipeline.json"
    panel.root.get_by_text("held needs raw, which is not in the file (raw)").wait_for()
    saved = tmp_path / "held.json"
    download.value.save_as(saved)
    document = json.loads(saved.read_text("utf-8"))
    assert [component["name"] for component in document["components"]] == ["held"]
    panel.notebook.edit(2, "held = raw[1::4]")
    panel.take_in(saved)
    alert = panel.root.get_by_role("alert").filter(has_text="the notebook has this, and it differs: 'held' (cell 3)")
    alert.wait_for()
    panel.button("Take the file’s").click()
    panel.root.get_by_text("1 replaced").wait_for()
    assert panel.notebook.shown() == list(CELLS)
    panel.lab.bring("notebook:undo-cell-action")
    assert panel.notebook.shown()[2] == "held = raw[1::4]"
    cell = document["cells"][0]
    cell |= {"id": "new", "source": ["more = 1"]}
    document |= {"needs": [], "edges": []}
    document["components"][0] |= {"id": "new", "name": "more"}
    document["notebook"]["order"] = ["c0", "new"]
    saved.write_text(json.dumps(document))
    panel.take_in(saved)
    panel.root.get_by_text("1 cell added").wait_for()
    expect(panel.node("more")).to_be_attached()
    assert panel.notebook.shown()[1] == "more = 1"
    saved.write_text("{}")
    panel.take_in(saved)
    panel.root.get_by_role("alert").filter(has_text="pipeline file").wait_for()


def test_results_are_exported_and_a_strangers_are_imported_once_the_key_is_trusted(panel: Panel) -> None:
    def dialog(entry: str) -> Locator:
        panel.choose("More", entry)
        found = panel.page.locator(DIALOG)
        found.wait_for()
        return found

    def choose_archive() -> Locator:
        """Choose the archive beside the notebook, and return the question about it."""
        files = dialog("Import results…")
        files.locator(".jp-DirListing-item", has_text=archive.name).click()
        files.locator(".jp-mod-accept").click()
        asked = panel.page.locator(DIALOG).filter(has=panel.page.locator(".cellar-archive"))
        asked.wait_for()
        return asked

    def is_told(text: str) -> None:
        panel.root.locator(".cellar-pipeline-said-line", has_text=text).wait_for()

    run_pipeline(panel.file)
    dialog("Export results…").locator("input").fill("mine")
    panel.notebook.answer("Export")
    is_told("Wrote mine.tar.gz beside the notebook: 4 results")
    archive = panel.file.parent / "mine.tar.gz"
    members = members_of(archive)
    dialog("Export results…").locator("input").fill("mine.tar.gz")
    panel.notebook.answer("Export")
    panel.root.get_by_role("alert").get_by_text("there is an archive mine.tar.gz already").wait_for()
    panel.button("Write over it").click()
    is_told("Wrote mine.tar.gz beside the notebook: 4 results")
    pack(archive, signed_anew(manifest_of(members), members, MALLORY))
    cleared = [sys.executable, "-m", "nbcellar.cli.main", "pipeline", "cache", "clear", panel.file.name]
    subprocess.run(cleared, cwd=panel.file.parent, check=True, capture_output=True)
    panel.notebook.edit(0, CELLS[0] + "  # looked at anew")
    panel.await_marks(c0="stale", c3="stale")
    panel.notebook.edit(0, CELLS[0])

    asked = choose_archive()
    expect(asked).to_contain_text("Trust who signed these results?")
    expect(asked.locator("li[data-trust=untrusted] code")).to_have_text(fingerprint(MALLORY.key_id))
    expect(asked.get_by_role("button", name="Cancel")).to_be_focused()
    for dark in (False, True):
        panel.lab.dark(dark)
        check_axe(panel.page, ".jp-Dialog-content", without=["region"])
    panel.page.keyboard.press("Enter")
    asked.wait_for(state="detached")
    is_told("Nothing was imported.")
    assert list_results(panel.file).components[0].results == []

    choose_archive()
    panel.notebook.answer("Trust this key and import")
    is_told("4 results came in")
    is_told(f"Trusted in this project from now on: {fingerprint(MALLORY.key_id)}")
    panel.await_marks(c0="cached", c1="cached", c2="cached", c3="cached")
    assert panel.run() == "4 cached"

    archive.write_bytes(archive.read_bytes()[:-30])
    files = dialog("Import results…")
    files.locator(".jp-DirListing-item", has_text=archive.name).click()
    files.locator(".jp-mod-accept").click()
    panel.root.get_by_role("alert").get_by_text("is cut off").wait_for()


def test_the_diff_view_draws_what_became_of_the_pipeline(lab: Lab, folder: Path) -> None:
    def component(id: str, name: str, source: str, **more: Any) -> Any:
        return code(id, source, cellar={"component": {"name": name, **more}})

    first = [component("a", "raw", "raw = [1]"), component("b", "old", "n = raw"), component("c", "score", "m = raw")]
    then = [component("a", "rows", "raw = [1]"), code("x", "# notes"), component("c", "score", "m = raw", cache=False)]
    file = write(folder / "a.ipynb", notebook(first))
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "-qm", "one")
    write(file, notebook([*then, component("d", "new", "k = m")]))
    page = open_and_compare(lab, file)
    picture = page.get_by_role("region", name="Pipeline", exact=True)
    boxes = picture.get_by_role("listbox")
    for id, kind in {"a": "changed", "b": "removed", "c": "changed", "d": "added"}.items():
        expect(boxes.locator(f"[data-component={id}]")).to_have_attribute("data-kind", kind)
    expect(boxes.locator("[data-edge][data-kind=added]")).to_have_count(1)
    expect(boxes.locator("[data-edge][data-kind=removed]")).to_have_count(1)
    changes = picture.get_by_role("region", name="What changed")
    expect(changes.locator("li").filter(has_text="was raw")).to_have_count(1)
    expect(changes.locator("li").filter(has_text="cache true → false")).to_have_count(1)
    boxes.locator("[data-component=b] rect").first.click()
    expect(page.locator("article[aria-current]")).to_have_attribute("aria-label", re.compile("removed"))
    expect(boxes.locator("[data-component=b]")).to_have_attribute("aria-selected", "true")
    boxes.press("End")
    expect(page.locator("article[aria-current]")).to_contain_text("k = m")
    for dark in (False, True):
        lab.dark(dark)
        check_axe(page, ".cellar-pipeline-diff", without=["region"])
    page.get_by_role("button", name="Pipeline", exact=True).click()
    picture.wait_for(state="detached")


def test_a_merge_that_would_make_a_circle_is_decided_in_the_merge_view(lab: Lab, folder: Path) -> None:
    def component(id: str, name: str, **more: Any) -> Any:
        return code(id, f"{id} = 1", cellar={"component": {"name": name, **more}})

    def put(message: str, *cells: Any) -> None:
        write(repo.folder / "n.ipynb", notebook(cells))
        repo.commit(message)

    repo = make(folder / "repo")
    repo.install()
    put("base", component("a", "load"), component("b", "fit"), component("c", "report"))
    repo.git("switch", "-qc", "other")
    put("theirs", component("a", "read"), component("b", "fit", after=["c"]), component("c", "report"))
    repo.git("switch", "-q", "main")
    put("ours", component("a", "fetch"), component("b", "fit"), component("c", "report", after=["b"]))
    repo.git("merge", "other", check=False)
    page = open_in_lab(lab, folder)
    conflicts = page.get_by_role("navigation", name="Conflicts").get_by_role("button")
    expect(conflicts).to_have_count(2)
    expect(conflicts.nth(0)).to_contain_text("both renamed the component 'load': ours calls it 'fetch', theirs 'read'")
    keys_of(page).press("1")
    conflicts.nth(1).click()
    expect(page.locator(".cellar-merge-conflict")).to_contain_text("would make components wait for each other")
    check_axe(page, ".cellar-merge", without=["region"])
    page.locator(".cellar-merge-conflict [data-pick=theirs]").click()
    expect(page.locator(".cellar-merge-conflict")).to_contain_text("The pipeline is that of theirs here.")
    page.locator(".cellar-merge-save").click()
    page.locator(".cellar-merge-saved", has_text="marked as resolved for git").wait_for()
    assert repo.git("ls-files", "-u").stdout == ""
    cells = json.loads((repo.folder / "n.ipynb").read_text())["cells"]
    assert [cell["metadata"]["cellar"]["component"] for cell in cells] == [
        {"name": "fetch"},
        {"name": "fit", "after": ["c"]},
        {"name": "report"},
    ]


def test_the_graph_is_moved_zoomed_and_fitted(panel: Panel) -> None:
    panel.await_marks(c0="stale")  # all is there that could move the graph
    moved = panel.graph.locator("> g")

    def await_move(before: str | None) -> None:
        expect(moved).not_to_have_attribute("transform", str(before))

    before = moved.get_attribute("transform")
    panel.button("Larger").click()
    await_move(before)
    box = panel.graph.bounding_box()
    assert box is not None
    panel.page.mouse.move(box["x"] + 5, box["y"] + box["height"] - 5)
    before = moved.get_attribute("transform")
    panel.page.mouse.down()
    panel.page.mouse.move(box["x"] + 45, box["y"] + box["height"] - 35, steps=3)
    panel.page.mouse.up()
    await_move(before)
    before = moved.get_attribute("transform")
    panel.page.mouse.wheel(0, 40)
    await_move(before)
    panel.button("Fit").click()
    panel.page.wait_for_function(
        """graph => { const room = graph.getBoundingClientRect();
          return [...graph.querySelectorAll('[data-component] rect')].every(node => {
            const box = node.getBoundingClientRect();
            return box.left >= room.left && box.right <= room.right && box.top >= room.top && box.bottom <= room.bottom;
          }); }""",
        arg=panel.graph.element_handle(),
    )


def test_sixty_components_are_drawn_and_walked_through(lab: Lab, folder: Path) -> None:
    cells = ["v0 = 0", *(f"v{n} = v{n // 2} + v{max(0, n - 3)}" for n in range(1, 60))]
    panel = Panel(lab, folder, cells)
    expect(panel.graph.get_by_role("option")).to_have_count(60)
    panel.graph.focus()
    chosen = panel.graph.locator("[aria-selected=true]")
    panel.graph.press("End")
    expect(chosen).not_to_have_attribute("data-component", "c0")
    expect(chosen).to_be_in_viewport()
    panel.graph.press("Home")
    expect(chosen).to_have_attribute("data-component", "c0")
    expect(chosen).to_be_in_viewport()


def test_nothing_of_the_panel_is_cut_off_and_axe_finds_nothing_serious(panel: Panel) -> None:
    panel.run()
    panel.select("score")
    for zoom in (1, 2):
        panel.lab.zoom(zoom)
        for tab in ("Component", "Parameters", "Problems"):
            panel.root.get_by_role("tab", name=tab).click()
            fits(panel.page, f"{tab} at {zoom}")
    panel.lab.zoom(1)
    panel.root.get_by_role("tab", name="Component").click()
    panel.button("More").click()
    menu = panel.page.get_by_role("menu").bounding_box()
    button = panel.button("More").bounding_box()
    assert menu is not None
    assert button is not None
    assert menu["x"] <= button["x"] <= menu["x"] + menu["width"] <= 1280
    assert abs(menu["y"] - button["y"] - button["height"]) <= 2
    panel.page.keyboard.press("Escape")
    expect(panel.button("More")).to_be_focused()
    for dark in (False, True):
        panel.lab.dark(dark)
        check_axe(panel.page, ".cellar-side-panel", without=["region"])
        check_axe(panel.page, ".cellar-component-name")


def test_it_works_in_notebook_7(notebook7: Lab, notebook_folder: Path) -> None:
    panel = Panel(notebook7, notebook_folder, named=NAMES)
    assert panel.run() == "4 ran"
    assert panel.value("c3", "score") == "20"


def test_a_notebook_that_cannot_be_saved_is_not_run_as_another(panel: Panel) -> None:
    other = panel.document()
    other["cells"][0]["source"] = "raw = [7]"
    panel.notebook.edit(0, "raw = [1, 2]")
    panel.file.write_text(json.dumps(other, indent=2))
    panel.button("Run all").click()
    panel.page.locator(DIALOG).get_by_role("button", name="Cancel").click()
    panel.root.get_by_role("alert").wait_for()
    assert panel.notebook.read("pipeline-lines")["lines"] == []


def centre(place: Locator) -> tuple[float, float]:
    box = place.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
