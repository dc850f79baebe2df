"""JupyterHub: signed in there, all goes through its proxy to the user's own server, events included."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, expect
from tests.browser import hub, studio
from tests.browser.documents import committed
from tests.browser.recorded import Recorded
from tests.browser.studio import Lab, StandAlone

from nbcellar.api import open_repo

CELLS = ("x = [1]", "x.append(2)", "y = 'text'")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, own_environment: Path) -> Iterator[hub.Hub]:
    studio.add_kernelspec("first", [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"])
    with hub.serve(tmp_path_factory.mktemp("hub") / "root") as made:
        yield made


@pytest.fixture
def signed_in(running: hub.Hub, context: BrowserContext) -> BrowserContext:
    running.sign_in(context).close()
    return context


def test_a_session_is_recorded_undone_and_compared_through_the_proxy(
    running: hub.Hub, signed_in: BrowserContext
) -> None:
    lab = Lab(running.user, signed_in)
    folder = running.user.folder / "work"
    folder.mkdir()
    notebook = Recorded(lab, folder, CELLS, recorded=False, kernel="first").open()
    page = lab.page
    notebook.await_state("no-repository").click()
    notebook.await_state("saved")
    notebook.run()
    lab.command("nbcellar:show-history")
    page.locator(".cellar-entry", has_text="x.append(2)").first.wait_for()
    notebook.keys("z")
    notebook.toast("Undid [3] y = 'text'")
    assert notebook.value("'y' in globals()") == "False"
    expect(page.locator(".cellar-entry", has_text="undo").locator(".cellar-chip-now")).to_be_visible()
    with open_repo(folder, environ=os.environ, notebook=str(notebook.file)) as repo:
        repo.tag("from-a-terminal")
    expect(page.locator(".cellar-chip-tag", has_text="from-a-terminal")).to_be_visible()
    notebook.edit(0, "x = ['edited']")
    notebook.start("diff")
    expect(page.locator(".cellar-diff[data-ready]")).to_contain_text("edited")
    assert lab.problems == []


def test_the_page_is_found_below_the_prefix_of_the_hub(running: hub.Hub, signed_in: BrowserContext) -> None:
    committed(running.user.folder / "documents")
    page = StandAlone(running.user, signed_in)
    page.open(view="diff", path="documents/prices.ipynb", before="git:HEAD", after="file")
    page.page.wait_for_selector(".cellar-diff[data-ready]")
    expect(page.page.locator(".cellar-diff-summary")).to_contain_text("cells changed")
    assert page.problems == []


def test_who_is_not_signed_in_is_led_to_the_hub(running: hub.Hub, signed_in: BrowserContext, browser: Browser) -> None:
    for token in (None, "wrong"):
        assert running.user.ask("nbcellar/api/standing?path=", token=token)[0] == 403
    with browser.new_context() as stranger:
        page = stranger.new_page()
        page.goto(f"{running.user.url}/nbcellar/")
        expect(page.get_by_label("Username")).to_be_visible()
