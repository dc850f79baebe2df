"""The commits of git's that touched a notebook, beside it: looked at, opened, branched from; with real git."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect
from tests.browser.documents import git
from tests.browser.studio import Lab, write_notebook

SOURCES = ["import math", "a = 1"]


@pytest.fixture
def two_commits(folder: Path) -> Path:
    notebook = write_notebook(folder / "a.ipynb", SOURCES)
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "first <b>bold</b>")
    write_notebook(notebook, [SOURCES[0], "a = 2", "b = a"])
    git(folder, "commit", "-qam", "second")
    return notebook


def open_log(lab: Lab, notebook: Path):  # type: ignore[no-untyped-def]
    lab.open(f"{notebook.parent.name}/{notebook.name}")
    lab.command("nbcellar:show-history")
    lab.page.get_by_role("tab", name="git").click()
    commits = lab.page.locator(".cellar-git-commit")
    expect(commits).to_have_count(2)
    return commits


def test_each_commit_says_which_cells_changed(lab: Lab, two_commits: Path) -> None:
    commits = open_log(lab, two_commits)
    expect(commits.nth(0)).to_contain_text("second")
    expect(commits.nth(0)).to_contain_text("edited cell 2: a = 2")
    expect(commits.nth(0)).to_contain_text("added cell 3: b = a")
    expect(commits.nth(1)).to_contain_text("first <b>bold</b>")
    git(two_commits.parent, "commit", "-qm", "nothing of the notebook", "--allow-empty")
    write_notebook(two_commits, SOURCES)
    git(two_commits.parent, "commit", "-qam", "third")
    expect(commits).to_have_count(3)


def test_what_a_commit_changed_opens_beside_the_notebook(lab: Lab, two_commits: Path) -> None:
    open_log(lab, two_commits).nth(0).get_by_role("button", name="Changes").click()
    expect(lab.page.get_by_text("1 cell changed, 1 added")).to_be_visible()


def test_a_version_opens_as_a_copy(lab: Lab, two_commits: Path) -> None:
    before = two_commits.read_bytes()
    commits = open_log(lab, two_commits)
    commits.nth(1).get_by_role("button", name="Open").click()
    first = git(two_commits.parent, "rev-list", "--max-parents=0", "HEAD").strip()[:8]
    expect(lab.page.locator(".lm-TabBar-tabLabel", has_text=f"a-{first}.ipynb")).to_be_visible()
    copy = json.loads((two_commits.parent / f"a-{first}.ipynb").read_text("utf-8"))
    assert ["".join(cell["source"]) for cell in copy["cells"]] == SOURCES
    assert two_commits.read_bytes() == before


def test_a_notebook_is_found_where_it_was_before_it_was_renamed(lab: Lab, two_commits: Path) -> None:
    folder = two_commits.parent
    (folder / "later").mkdir()
    git(folder, "mv", "a.ipynb", "later/b.ipynb")
    git(folder, "commit", "-qm", "third")
    lab.open(f"{folder.name}/later/b.ipynb")
    lab.command("nbcellar:show-history")
    lab.page.get_by_role("tab", name="git").click()
    commits = lab.page.locator(".cellar-git-commit")
    expect(commits).to_have_count(3)
    expect(commits.nth(0)).to_contain_text("renamed from a.ipynb")
    commits.nth(1).get_by_role("button", name="Changes").click()
    expect(lab.page.get_by_text("1 cell changed, 1 added")).to_be_visible()
    commits.nth(2).get_by_role("button", name="Compare with now").click()
    expect(lab.page.locator(".cellar-diff-summary", has_text="1 cell changed, 1 added")).to_have_count(2)
    commits.nth(2).get_by_role("button", name="Open").click()
    first = git(folder, "rev-list", "--max-parents=0", "HEAD").strip()[:8]
    expect(lab.page.locator(".lm-TabBar-tabLabel", has_text=f"b-{first}.ipynb")).to_be_visible()
    copy = json.loads((folder / "later" / f"b-{first}.ipynb").read_text("utf-8"))
    assert ["".join(cell["source"]) for cell in copy["cells"]] == SOURCES


def test_a_branch_starts_at_a_commit(lab: Lab, two_commits: Path) -> None:
    commits = open_log(lab, two_commits)
    commits.nth(1).get_by_role("button", name="Branch").click()
    lab.page.locator(".jp-Dialog input").fill("another idea")
    lab.page.locator(".jp-Dialog .jp-mod-accept").click()
    expect(lab.page.get_by_text("git makes no branch").first).to_be_visible()
    expect(lab.page.locator(".jp-Dialog")).to_have_count(0)
    commits.nth(1).get_by_role("button", name="Branch").click()
    lab.page.locator(".jp-Dialog input").fill("idea")
    lab.page.locator(".jp-Dialog .jp-mod-accept").click()
    expect(lab.page.get_by_text("The branch idea starts at").first).to_be_visible()
    assert git(two_commits.parent, "log", "-1", "--format=%s", "idea").strip() == "first <b>bold</b>"
