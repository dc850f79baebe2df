"""The settings of the session, changed in Lab's own editor, and what they do at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Response, expect
from tests.browser.recorded import DIALOG, TOAST, Recorded
from tests.browser.studio import Lab

PLUGIN = "nbcellar-lab:plugin"
GENERATOR = ("open('seen.txt', 'a').write('once ')\ng = (i for i in range(3))", "first = next(g)", "g = None", "y = 2")


@pytest.fixture
def lab(lab: Lab) -> Iterator[Lab]:
    """A tab; the settings of the server are afterwards as they were."""
    yield lab
    status, answer = lab.server.ask(f"lab/api/settings/{PLUGIN}", {"raw": "{}"}, method="PUT")
    assert status == 204, answer


def choose(notebook: Recorded, **wanted: str | bool) -> None:
    """Change settings as a user does, and go back to the notebook."""
    page = notebook.page
    notebook.lab.bring("settingeditor:open", query="Cellar")
    for name, value in wanted.items():
        field = page.locator(f'[id="jp-SettingsEditor-{PLUGIN}_{name}"]')
        with page.expect_response(_is_taken(name, value)):
            if isinstance(value, bool):
                field.set_checked(value)
            else:
                field.select_option(label=value)
    notebook.lab.bring("docmanager:open", path=notebook.path)
    notebook.await_drawing()


def _is_taken(name: str, value: str | bool):  # type: ignore[no-untyped-def]
    """Lab saves what was chosen, and reads it again before it tells anybody."""

    def is_it(response: Response) -> bool:
        if response.request.method != "GET" or f"settings/{PLUGIN}" not in response.url.replace("%3A", ":"):
            return False
        raw = "".join(line for line in response.json()["raw"].splitlines(True) if not line.strip().startswith("//"))
        return bool(json.loads(raw).get(name) == value)

    return is_it


def test_whether_cells_run_again_and_what_is_told_are_settings(lab: Lab, folder: Path) -> None:
    notebook = Recorded(lab, folder, GENERATOR).open().run()
    choose(notebook, replay="never", notify="attention")
    notebook.start("undo")
    notebook.start("undo")
    notebook.toast("1 not restored")
    expect(notebook.page.locator(TOAST)).to_have_count(1)  # of the first one nothing was told
    assert notebook.value("('g' in globals(), 'y' in globals())") == "(False, False)"
    choose(notebook, replay="always", notify="all")
    notebook.start("redo")
    notebook.toast("Redid [3]")
    notebook.start("undo")
    notebook.toast("1 replayed")
    expect(notebook.page.locator(DIALOG)).to_have_count(0)
    assert notebook.value("next(g)") == "1"
    assert (folder / "seen.txt").read_text() == "once once "


def test_the_last_session_is_offered_only_where_that_is_wanted_and_while_it_is_lost(lab: Lab, folder: Path) -> None:
    notebook = Recorded(lab, folder, ("x = 1",)).open().run()
    choose(notebook, offerRestore=False)
    notebook.restart_kernel()
    notebook.start("commit", message="in a new kernel")
    notebook.committed("in a new kernel")
    expect(notebook.page.locator(TOAST)).to_have_count(1)
    choose(notebook, offerRestore=True)
    offer = notebook.toast("This kernel is new")
    lab.run_all()
    expect(offer).to_have_count(0)  # what a cell has made since would be lost


def test_whether_a_commit_saves_the_notebook_is_a_setting(lab: Lab, folder: Path) -> None:
    notebook = Recorded(lab, folder, ("x = 1",)).open().run()
    choose(notebook, saveBeforeCommit=False)
    notebook.edit(0, "x = 'typed'")
    notebook.start("commit", message="not saved")
    notebook.committed("not saved")
    assert notebook.sources() == ["x = 1"]
    choose(notebook, saveBeforeCommit=True)
    notebook.start("commit", message="saved first")
    notebook.committed("saved first")
    assert notebook.sources() == ["x = 'typed'"]
    recorded = notebook.read("document", f"&ref={notebook.commits()[0]['id']}")["notebook"]
    assert "".join(recorded["cells"][0]["source"]) == "x = 'typed'"
