"""Two tabs on one notebook, with jupyter_collaboration: nothing that one has typed is lost by what the other does.

JupyterLab runs in an environment of its own (`make .venv-collaboration/.made`, a part of `make test`); the kernel is in
the first one.
"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext
from tests.browser import studio
from tests.browser.recorded import DIALOG, Recorded
from tests.browser.studio import ROOT, Lab
from tests.browser.test_merge import THEIRS, conflicted, open_in_lab

PYTHON = ROOT / ".venv-collaboration" / "bin" / "python"
CELLS = ("x = [1]", "x.append(2)", "y = 'text'")
_CELLS = "window.jupyterapp.shell.currentWidget.content.model.sharedModel.cells"
_IS = f"([at, text]) => {_CELLS}[at]?.getSource() === text"


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory, own_environment: Path) -> Iterator[studio.Server]:
    """JupyterLab with shared editing."""
    assert PYTHON.is_file(), "make .venv-collaboration/.made"
    first = Path(sys.prefix)
    studio.add_kernelspec("first", [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"])
    environ = {
        "JUPYTER_PATH": str(first / "share" / "jupyter"),
        "JUPYTER_CONFIG_PATH": str(first / "etc" / "jupyter"),
    }
    folder = tmp_path_factory.mktemp("shared") / "root"
    with studio.serve(folder, python=str(PYTHON), environ=environ) as server:
        yield server


@pytest.fixture
def tabs(shared_server: studio.Server, context: BrowserContext) -> Iterator[tuple[Recorded, Recorded]]:
    """One notebook in two tabs."""
    folder = shared_server.folder / secrets.token_hex(4)
    folder.mkdir()
    one, other = Lab(shared_server, context), Lab(shared_server, context)
    mine = Recorded(one, folder, CELLS, kernel="first").open()
    mine.page.wait_for_function("() => !!window.jupyterapp.shell.currentWidget.content.model.collaborative")
    yield mine, mine.in_another_tab(other)
    problems = [*one.problems, *other.problems]
    shared_server.end_kernels()
    assert problems == []


def has(notebook: Recorded, at: int, text: str) -> None:
    """Wait until a cell of the open notebook has a text."""
    notebook.page.wait_for_function(_IS, arg=[at, text])


def test_a_checkout_in_one_tab_keeps_and_records_what_the_other_has_typed(tabs: tuple[Recorded, Recorded]) -> None:
    mine, theirs = tabs
    mine.run()
    mine.start("commit", message="first version")
    mine.committed("first version")
    mine.edit(1, "x.append(20)")
    has(theirs, 1, "x.append(20)")
    theirs.edit(2, "y = 'typed in the other tab'")
    has(mine, 2, "y = 'typed in the other tab'")
    commit = next(line["id"] for line in mine.commits() if line["title"] == "first version")
    mine.mark_cells()
    mine.start("checkout", ref=commit)
    toast = mine.toast("cells:")
    toast.hover()  # so it stays
    for notebook in (mine, theirs):
        has(notebook, 1, CELLS[1])
        has(notebook, 2, CELLS[2])
        assert notebook.page.locator(DIALOG).count() == 0
    assert mine.marks() == ["0", "1", "2"]
    theirs.edit(0, "x = [1]  # goes on")
    has(mine, 0, "x = [1]  # goes on")
    toast.locator("button", has_text="Bring the text back").click()
    has(theirs, 2, "y = 'typed in the other tab'")
    has(theirs, 1, "x.append(20)")


def test_a_commit_holds_what_was_typed_just_before(tabs: tuple[Recorded, Recorded]) -> None:
    mine, theirs = tabs
    mine.run()
    for turn, typist in enumerate((mine, theirs, mine, theirs)):
        text = f"y = 'version {turn}'"
        typist.edit(2, text)
        has(mine, 2, text)
        mine.start("commit", message=f"number {turn}")
        assert "could not be saved" not in mine.committed(f"number {turn}").inner_text()
        newest = mine.commits()[0]
        recorded = mine.read("document", f"&ref={newest['id']}")["notebook"]
        assert (newest["title"], "".join(recorded["cells"][2]["source"])) == (f"number {turn}", text)


def test_a_comparison_follows_what_both_type(tabs: tuple[Recorded, Recorded]) -> None:
    mine, theirs = tabs
    mine.run()
    mine.start("commit", message="first version")
    mine.committed("first version")
    mine.start("diff")
    mine.page.locator(".cellar-diff-summary", has_text="No difference").wait_for()
    theirs.edit(1, "x.append('theirs')")
    view = mine.page.locator(".cellar-diff")
    view.locator(".cellar-diff-pair", has_text="x.append('theirs')").wait_for()
    theirs.edit(1, CELLS[1])
    mine.page.locator(".cellar-diff-summary", has_text="No difference").wait_for()


def test_a_merge_that_one_decides_is_what_both_have_and_git_is_told(
    shared_server: studio.Server, context: BrowserContext
) -> None:
    folder = shared_server.folder / secrets.token_hex(4)
    folder.mkdir()
    repo = conflicted(folder)
    mine, theirs = Lab(shared_server, context), Lab(shared_server, context)
    for lab in (mine, theirs):
        open_in_lab(lab, folder)
    mine.page.locator(".cellar-merge-columns [data-pick=theirs]").click()
    mine.page.locator(".cellar-merge-save").click()
    mine.page.locator(".cellar-merge-saved", has_text="marked as resolved for git").wait_for()
    assert repo.git("ls-files", "-u").stdout == ""
    assert repo.sources() == list(THEIRS)
    theirs.page.locator(".cellar-merge", has_text="Nothing is left to decide").wait_for()
    theirs.page.locator(".lm-TabBar-tabLabel", has_text="n.ipynb").first.click()
    theirs.page.wait_for_function(_IS, arg=[1, THEIRS[1]])
    problems = [*mine.problems, *theirs.problems]
    shared_server.end_kernels()
    assert problems == []
