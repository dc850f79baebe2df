"""Commands that show a merge in a browser and wait for it: `cellar merge-file --web`, `git mergetool`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, expect
from tests.git.support import Worktree, make, notebook

BASE, OURS, THEIRS = ("a = 1", "b = 2"), ("a = 'ours'", "b = 2"), ("a = 'theirs'", "b = 2")


@contextmanager
def waiting(
    words: Sequence[str], folder: Path, context: BrowserContext
) -> Iterator[tuple[subprocess.Popen[str], Page]]:
    """Run a command until it shows a page; open that page as the browser would that it starts."""
    environ = {**os.environ, "CELLAR_PAGE": "", "BROWSER": "true"}  # `true` does nothing, and does it well
    process = subprocess.Popen(
        words, cwd=folder, env=environ, text=True, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    try:
        told = []
        for line in process.stderr:
            told.append(line)
            if "Cellar's page: " in line:
                break
        else:
            raise AssertionError("".join(told))
        page = context.new_page()
        page.goto(told[-1].split("page: ")[1].strip())
        page.wait_for_selector(".cellar-merge-conflict")
        expect(page.locator(".cellar-merge")).to_be_focused()  # keys are for it at once
        yield process, page
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def three_files(folder: Path) -> list[str]:
    """Write three versions; return the command that merges them."""
    for name, sources in (("base", BASE), ("ours", OURS), ("theirs", THEIRS)):
        (folder / f"{name}.ipynb").write_bytes(notebook(sources))
    files = ["base.ipynb", "ours.ipynb", "theirs.ipynb", "-o", "out.ipynb"]
    return [sys.executable, "-m", "nbcellar.cli.main", "merge-file", "--web", *files]


def sources(path: Path) -> list[str]:
    return ["".join(cell["source"]) for cell in json.loads(path.read_bytes())["cells"]]


def test_merge_file_waits_until_the_merge_is_saved_and_closed(tmp_path: Path, context: BrowserContext) -> None:
    with waiting(three_files(tmp_path), tmp_path, context) as (process, page):
        assert "out.ipynb" in page.locator("h1").inner_text()
        page.keyboard.press("2")
        page.locator(".cellar-merge-save").click()
        page.locator(".cellar-merge-saved").wait_for()
        assert sources(tmp_path / "out.ipynb") == list(THEIRS)
        page.get_by_role("button", name="Close").click()
        page.get_by_text("the command in the terminal goes on").wait_for()
        assert process.wait(60) == 0


def test_merge_file_says_when_nothing_was_saved(tmp_path: Path, context: BrowserContext) -> None:
    with waiting(three_files(tmp_path), tmp_path, context) as (process, page):
        page.get_by_role("button", name="Close").click()
        assert process.wait(60) == 1
        assert process.stderr is not None
        assert "closed without saving" in process.stderr.read()
        assert not (tmp_path / "out.ipynb").exists()


def test_a_tab_that_is_closed_ends_the_command_too(tmp_path: Path, context: BrowserContext) -> None:
    with waiting(three_files(tmp_path), tmp_path, context) as (process, page):
        page.keyboard.press("1")
        page.locator(".cellar-merge-save").click()
        page.locator(".cellar-merge-saved").wait_for()
        page.close()
        assert process.wait(60) == 0


def test_gits_mergetool_shows_the_page_and_takes_what_was_decided(tmp_path: Path, context: BrowserContext) -> None:
    repo = in_conflict(tmp_path)
    command = ["git", "mergetool", "-y", "-t", "cellar"]
    with waiting(command, repo.folder, context) as (process, page):
        assert "slow-growth" in page.locator(".cellar-merge-columns th[data-side=theirs]").inner_text()
        page.keyboard.press("3")
        page.locator(".cellar-merge-save").click()
        page.locator(".cellar-merge-saved").wait_for()
        page.get_by_role("button", name="Close").click()
        assert process.wait(60) == 0
    assert repo.git("ls-files", "-u").stdout == ""
    assert repo.sources() == ["a = 'ours'", "a = 'theirs'", "b = 2"]


def test_gits_mergetool_leaves_marked_cells_when_the_page_is_closed(tmp_path: Path, context: BrowserContext) -> None:
    repo = in_conflict(tmp_path)
    with waiting(["git", "mergetool", "-y", "-t", "cellar-web"], repo.folder, context) as (process, page):
        page.get_by_role("button", name="Close").click()
        assert process.wait(60) == 1
    assert repo.git("ls-files", "-u").stdout != ""
    assert any("Merge conflict" in source for source in repo.sources())


def in_conflict(folder: Path) -> Worktree:
    repo = make(folder / "repo")
    repo.install()
    repo.git("config", "mergetool.keepBackup", "false")
    repo.write(BASE)
    repo.commit("base")
    repo.git("switch", "-qc", "slow-growth")
    repo.write(THEIRS)
    repo.commit("theirs")
    repo.git("switch", "-q", "main")
    repo.write(OURS)
    repo.commit("ours")
    repo.git("merge", "slow-growth", check=False)
    return repo
