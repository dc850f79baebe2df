"""The server is killed and started again while tabs stay open: what is old is called old, then all is read again."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from tests.browser import studio
from tests.browser.documents import committed
from tests.browser.recorded import DIALOG, Recorded
from tests.browser.studio import Lab, StandAlone

GONE = ".cellar-server-gone:visible"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "root"


@pytest.fixture
def first(root: Path, own_environment: Path) -> Iterator[studio.Server]:
    with studio.serve(root) as server:
        yield server


def kill(server: studio.Server) -> None:
    """End a server at once, as a crash or the kernel of the system does."""
    server.process.kill()
    server.process.wait()


def commit_in_terminal(folder: Path) -> None:
    """Commit in a terminal; say it again while the kernel, whose server is gone, is on its way out."""
    command = [sys.executable, "-m", "nbcellar.cli.main", "commit", "-m", "from a terminal", "-n", "a.ipynb"]
    for _ in range(60):
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=os.environ)
        if done.returncode == 0:
            return
        assert done.returncode == 3, done.stderr
        time.sleep(0.5)
    raise AssertionError(done.stderr)


def close_what_lab_says(page: Page) -> None:
    """Let Lab's own dialog about the server, which comes when it likes, be closed as soon as it is in the way."""
    said = page.locator(DIALOG, has_text="Server Connection Error")
    page.add_locator_handler(said, lambda: said.get_by_role("button", name="Close").click())


def test_lab_says_that_the_server_is_gone_and_reads_all_again_when_it_is_back(
    root: Path, first: studio.Server, context: BrowserContext
) -> None:
    folder = root / "work"
    folder.mkdir()
    lab = Lab(first, context)
    notebook = Recorded(lab, folder, ("x = [1]", "x.append(2)")).open().run()
    page = lab.page
    close_what_lab_says(page)
    lab.command("nbcellar:show-history")
    page.locator(".cellar-entry", has_text="x.append(2)").wait_for()
    kill(first)

    item = notebook.await_state("gone")
    expect(item).to_have_attribute("title", re.compile("Whether the last cells were saved is not known"))
    expect(page.locator(GONE)).to_contain_text("may be old")
    expect(page.locator(".cellar-entry", has_text="x.append(2)")).to_be_visible()
    notebook.start("undo")
    expect(page.locator(DIALOG)).to_contain_text("The server cannot be reached")
    notebook.answer("Close")
    commit_in_terminal(folder)

    with studio.serve(root, port=first.port) as lab.server:  # with another token: the cookie keeps the tab signed in
        page.locator(".cellar-entry", has_text="from a terminal").wait_for()
        expect(page.locator(GONE)).to_have_count(0)
        notebook.await_state("no-kernel")
        page.get_by_role("button", name="Start a kernel").click()
        notebook.toast("This kernel is new").locator("button", has_text="Bring the session back").click()
        notebook.toast("The session is back")
        assert notebook.value("x") == "[1, 2]"
        notebook.await_state("saved")
    assert lab.problems == []


def test_the_page_says_that_the_server_is_gone_and_compares_again_when_it_is_back(
    root: Path, own_environment: Path, context: BrowserContext
) -> None:
    with studio.serve(root, module="nbcellar.server") as first:
        committed(root / "work")
        tab = StandAlone(first, context)
        tab.open(view="diff", path="work/prices.ipynb", before="git:HEAD", after="file")
        expect(tab.page.locator(".cellar-diff-summary")).to_contain_text("cells changed")
        kill(first)
        expect(tab.page.locator(GONE)).to_be_visible()
    subprocess.run(["git", "commit", "-qam", "all"], cwd=root / "work", check=True)
    with studio.serve(root, module="nbcellar.server", port=first.port):
        tab.page.locator(".cellar-diff-summary", has_text="No difference").wait_for()
        expect(tab.page.locator(GONE)).to_have_count(0)
    assert tab.problems == []
