"""Two people, or one with two browsers, on one notebook's history; and a terminal beside them.

What one does shows in the other at once; what the other asks for meanwhile is done or refused by what is there now, in
words that say why.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect
from tests.browser import studio
from tests.browser.recorded import DIALOG, Recorded
from tests.browser.studio import Lab

CELLS = ("x = [1]", "x.append(2)", "y = 'text'")


@pytest.fixture
def browsers(browser: Browser, lab_server: studio.Server, folder: Path) -> Iterator[tuple[Recorded, Recorded]]:
    """One notebook in two browsers, each with its panel History."""
    size = {"width": 1280, "height": 720}
    with browser.new_context(viewport=size) as one, browser.new_context(viewport=size) as other:
        labs = Lab(lab_server, one), Lab(lab_server, other)
        mine = Recorded(labs[0], folder, CELLS).open().run()
        theirs = mine.in_another_tab(labs[1])
        theirs.await_state("saved")
        for notebook in (mine, theirs):
            notebook.lab.command("nbcellar:show-history")
            entry(notebook, "y = 'text'").wait_for()
        yield mine, theirs
        assert [lab.problems for lab in labs] == [[], []]
    lab_server.end_kernels()


def entry(notebook: Recorded, text: str) -> Locator:
    """The newest row with some text."""
    return notebook.page.locator(".cellar-entry", has_text=text).first


def menu(notebook: Recorded, text: str) -> Locator:
    """Open the menu of a row."""
    entry(notebook, text).click(button="right")
    return notebook.page.locator(".cellar-menu")


def cellar(notebook: Recorded, *words: str) -> str:
    """Run a command in a terminal."""
    done = subprocess.run(
        [sys.executable, "-m", "nbcellar.cli.main", *words],
        cwd=notebook.file.parent,
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "NBCELLAR_GC_KEEP_OPS_DAYS": "0"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_one_does_shows_in_the_other_and_what_is_gone_is_refused_by_its_name(
    browsers: tuple[Recorded, Recorded],
) -> None:
    mine, theirs = browsers
    menu(mine, "x = [1]").get_by_role("menuitem", name="Branch here…").click()
    name = mine.page.locator(".cellar-ask input")
    expect(name).to_be_focused()
    name.fill("side")
    name.press("Enter")
    chips = [notebook.page.locator(".cellar-chip-branch", has_text="side") for notebook in browsers]
    for chip in chips:
        chip.wait_for()
    delete = menu(theirs, "x = [1]").get_by_role("menuitem", name="Delete branch side")
    expect(delete).to_be_visible()
    menu(mine, "x = [1]").get_by_role("menuitem", name="Delete branch side").click()
    for chip in chips:
        chip.wait_for(state="detached")
    delete.click()
    theirs.page.locator(".cellar-problem", has_text="there is no branch 'side'").wait_for()

    mine.start("undo")
    mine.toast("Undid [3] y = 'text'")
    entry(theirs, "undo").locator(".cellar-chip-now").wait_for()
    assert theirs.value("'y' in globals()") == "False"
    theirs.start("commit", message="named there")
    entry(mine, "named there").locator(".cellar-chip-now").wait_for()
    mine.start("checkout", ref="HEAD~4", code=False)
    entry(theirs, "x = [1]").locator(".cellar-chip-now").wait_for()
    assert theirs.value("x") == "[1]"


def test_what_a_terminal_does_shows_in_both_and_what_it_removed_cannot_be_checked_out(
    browsers: tuple[Recorded, Recorded],
) -> None:
    mine, theirs = browsers
    assert "undid [3]" in cellar(mine, "undo")
    for notebook in browsers:
        entry(notebook, "undo").locator(".cellar-chip-now").wait_for()
        assert notebook.value("'y' in globals()") == "False"

    main = mine.read("history")["branch"]
    mine.ask("checkout", ref="HEAD~3", variables=True, code=False)
    mine.edit(2, "y = 'aside'")
    mine.lab.run_all()
    entry(theirs, "y = 'aside'").wait_for()
    found = mine.read("history")
    aside = found["branch"]
    lost = next(each["id"] for each in found["entries"] if "aside" in each["source"])
    cellar(mine, "checkout", main)
    entry(theirs, "undo").locator(".cellar-chip-now").wait_for()
    theirs.lab.command("nbcellar:show-variables", ref=lost)
    theirs.page.locator(".cellar-variable", has_text="aside").wait_for()
    theirs.start("checkout")
    theirs.page.locator(f"{DIALOG} [role=option]", has_text="y = 'aside'").click()
    cellar(mine, "branch", "-d", aside)
    cellar(mine, "gc", "--yes", "--now")
    entry(mine, "y = 'aside'").wait_for(state="detached")
    theirs.page.locator(".cellar-problem", has_text="names no commit of a.ipynb").wait_for()
    theirs.answer("Check out")
    theirs.toast("names no commit of a.ipynb")
    assert theirs.value("(x, 'y' in globals())") == "([1, 2], False)"
