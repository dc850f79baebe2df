"""A notebook as it is open: automatic commits hold it, with edits that no file has."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Response, expect
from tests.browser.recorded import Recorded
from tests.browser.studio import Lab, Server

CELLS = ("x = 1", "y = 2", "z = 3")


@pytest.fixture
def lab(kept_lab: Lab) -> Lab:
    return kept_lab


def run(notebook: Recorded, index: int) -> str:
    """Run one cell, wait until what it did is saved, and return its commit."""
    notebook.page.evaluate("i => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = i; }", index)
    notebook.lab.command("notebook:run-cell")
    notebook.await_saved()
    newest = notebook.commits()[0]
    assert newest["kind"] == "auto"
    return str(newest["id"])


def document(notebook: Recorded, commit: str) -> dict[str, Any]:
    """Return the notebook of a commit."""
    found: dict[str, Any] = notebook.read("document", f"&ref={commit}")["notebook"]
    return found


def recorded(notebook: Recorded, commit: str) -> list[str]:
    """Return the sources of the notebook of a commit."""
    return ["".join(cell["source"]) for cell in document(notebook, commit)["cells"]]


def drafts(notebook: Recorded) -> list[Path]:
    """Return the files that hold drafts."""
    return list((notebook.file.parent / ".cellar").glob("drafts/*"))


def is_refused(answer: Response) -> bool:
    """True for the answer that a draft was not kept."""
    return answer.url.endswith("/nbcellar/api/draft") and answer.json()["kept"] is False


def test_edits_that_are_not_saved_are_in_the_commit_of_a_run(any_lab: tuple[Lab, Path]) -> None:
    notebook = Recorded(*any_lab, CELLS).open().run()
    notebook.edit(1, "y = 'edited'")
    notebook.edit(2, "z = 'edited, too'")
    commit = run(notebook, 1)
    wanted = ["x = 1", "y = 'edited'", "z = 'edited, too'"]
    assert notebook.sources() == list(CELLS), "nothing was saved"
    assert recorded(notebook, commit) == wanted
    notebook.edit(2, "z = 'another'")
    notebook.edit(0, "x = 'another'")
    again = run(notebook, 2)
    assert recorded(notebook, again) == ["x = 'another'", "y = 'edited'", "z = 'another'"]
    assert recorded(notebook, commit) == wanted
    notebook.start("checkout", ref=commit, variables=False)
    notebook.toast("Code of")
    assert notebook.shown() == notebook.sources() == wanted


def test_a_comparison_with_the_commit_shows_the_open_text(lab: Lab, folder: Path) -> None:
    notebook = Recorded(lab, folder, CELLS).open().run()
    notebook.edit(2, "z = 'as it ran'")
    notebook.edit(1, "y = 'beside it'")
    commit = run(notebook, 2)
    notebook.edit(1, "y = 'later'")
    side = {"kind": "commit", "revision": commit}
    notebook.lab.command("nbcellar:diff-notebook", path=notebook.path, before=f"cellar:{commit}")
    page = notebook.page
    page.wait_for_selector(".cellar-diff[data-ready]")
    expect(page.locator(".cellar-diff-word-old")).to_have_text(["beside it"])
    expect(page.locator(".cellar-diff-word-new")).to_have_text(["later"])
    answer = notebook.ask("diff", before=side, after={"kind": "file"})
    assert [row["kind"] for row in answer["rows"]] != ["equal"] * 3, "the file has neither edit"


def test_order_metadata_and_outputs_are_those_of_the_open_notebook(lab: Lab, folder: Path) -> None:
    notebook = Recorded(lab, folder, ("x = 1", "print('out')", "z = 3")).open().run()
    notebook.page.evaluate(
        """() => {
          const shared = window.jupyterapp.shell.currentWidget.content.model.sharedModel;
          shared.moveCell(2, 0);
          shared.insertCell(3, { cell_type: 'markdown', source: 'words', metadata: {} });
          shared.getCell(1).setMetadata('tags', ['kept']);
          shared.updateMetadata({ title: 'of the notebook' });
        }"""
    )
    commit = run(notebook, 0)
    found = document(notebook, commit)
    assert ["".join(cell["source"]) for cell in found["cells"]] == ["z = 3", "x = 1", "print('out')", "words"]
    assert found["metadata"]["title"] == "of the notebook"
    assert found["cells"][1]["metadata"] == {"tags": ["kept"]}
    assert found["cells"][2]["outputs"] == [{"name": "stdout", "output_type": "stream", "text": ["out\n"]}]
    assert found["cells"][0]["outputs"] == [] and found["cells"][0]["execution_count"] == 4


def test_after_all_cells_ran_the_last_commit_is_what_a_save_writes(lab: Lab, folder: Path) -> None:
    cells = (
        "print('a')\nprint('b', flush=True)\n'result'",
        "import sys\nprint('out')\nprint('err', file=sys.stderr)",
        "from IPython.display import *\ndisplay(HTML('<b>\\n1</b>'))\ndisplay({'text/plain': 'x'}, raw=True)",
        "1 / 0",
    )
    notebook = Recorded(lab, folder, cells).open().run()
    newest = notebook.commits()[0]["id"]
    lab.command("docmanager:save")
    assert document(notebook, newest) == json.loads(notebook.file.read_text())


def test_what_was_saved_meanwhile_is_the_same_notebook(lab: Lab, folder: Path) -> None:
    notebook = Recorded(lab, folder, ("x = 1", "y = 2")).open()
    run(notebook, 0)
    notebook.edit(0, "x = 'saved'")
    lab.command("docmanager:save")
    saved = json.loads(notebook.file.read_text())
    commit = run(notebook, 1)
    saved["cells"][1]["execution_count"] = 2
    assert document(notebook, commit) == saved
    assert notebook.read("document", "&ref=HEAD")["commit"] == commit


def test_each_of_two_tabs_has_its_own_text_recorded(fresh_lab: Lab, folder: Path, lab_server: Server) -> None:
    notebook = Recorded(fresh_lab, folder, CELLS).open().run()
    other = notebook.in_another_tab(Lab(lab_server, fresh_lab.page.context))
    notebook.edit(0, "x = 'here'")
    other.edit(0, "x = 'there'")
    assert recorded(notebook, run(notebook, 1))[0] == "x = 'here'"
    assert recorded(notebook, run(other, 1))[0] == "x = 'there'"
    assert recorded(notebook, run(notebook, 2))[0] == "x = 'here'"


def test_edits_are_left_when_they_rest_so_that_a_command_in_a_terminal_has_them(lab: Lab, folder: Path) -> None:
    notebook = Recorded(lab, folder, CELLS).open().run()
    notebook.edit(2, "z = 'not run'")
    lab.until(lambda: any(b"not run" in file.read_bytes() for file in drafts(notebook) if file.suffix == ".cells"))
    commit = str(notebook.ask("commit", message="from elsewhere")["id"])
    assert recorded(notebook, commit)[2] == "z = 'not run'"
    assert notebook.sources()[2] == CELLS[2]


def test_a_kernel_that_restarts_records_what_is_open_from_its_first_cell(lab: Lab, folder: Path) -> None:
    notebook = Recorded(lab, folder, CELLS).open().run()
    notebook.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.restartKernel()")
    lab.await_kernel()
    notebook.edit(0, "x = 'after the restart'")
    assert recorded(notebook, run(notebook, 1))[0] == "x = 'after the restart'"


def test_a_page_that_is_loaded_again_is_another_editor(fresh_lab: Lab, folder: Path) -> None:
    notebook = Recorded(fresh_lab, folder, CELLS).open().run()
    notebook.edit(0, "x = 'lost with the page'")
    run(notebook, 1)
    fresh_lab.page.on("dialog", lambda dialog: dialog.accept())  # leave without a save
    notebook.open()
    assert notebook.shown()[0] == CELLS[0]
    notebook.edit(2, "z = 'later'")
    assert recorded(notebook, run(notebook, 1)) == [CELLS[0], CELLS[1], "z = 'later'"]


def test_a_notebook_that_is_closed_leaves_nothing(lab: Lab, folder: Path) -> None:
    notebook = Recorded(lab, folder, CELLS).open().run()
    assert drafts(notebook)
    with notebook.page.expect_response("**/nbcellar/api/draft-closed") as answered:
        notebook.page.evaluate("() => window.jupyterapp.shell.currentWidget.dispose()")
    assert answered.value.ok
    assert drafts(notebook) == []


def test_a_notebook_that_is_not_recorded_is_not_kept(lab: Lab, folder: Path) -> None:
    notebook = Recorded(lab, folder, CELLS).open().run()
    with notebook.page.expect_response(is_refused):  # perhaps of what was still to be sent of the run
        notebook.ask("detach")
        assert drafts(notebook) == []
        notebook.edit(0, "x = 'private'")
        lab.command("notebook:run-cell")
    assert drafts(notebook) == []
