"""Changes that others make are noticed; nothing is left of those who no longer listen."""

from __future__ import annotations

import os
import queue
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.browser.studio import Server
from tests.server.support import Listener, record

from nbcellar.api.repo import init, open_repo
from nbcellar.server.places import Places
from nbcellar.server.watch import Watch


class Ear:
    """Somebody who listens at a folder."""

    def __init__(self, watch: Watch, folder: Path, path: str = "") -> None:
        self._heard: queue.Queue[str] = queue.Queue()
        self.end = watch.subscribe(
            Places(folder, os.environ).find(path), self._heard.put, lambda: self._heard.put("began")
        )
        self.until("began")

    def is_quiet(self) -> bool:
        return self._heard.empty()

    def until(self, what: str) -> None:
        while self._heard.get(timeout=60) != what:
            pass


@pytest.fixture
def watch() -> Iterator[Watch]:
    made = Watch()
    yield made
    made.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "cellar-watch"]


def tag(folder: Path, name: str) -> None:
    """Write into the history of a folder."""
    with open_repo(folder, environ=os.environ) as repo:
        tx = repo.repository.store.begin()
        tx.set_ref("test", name, old=None, new=b"x")
        tx.commit()


def test_a_repository_that_is_made_removed_and_made_again_is_noticed(tmp_path: Path, watch: Watch) -> None:
    ear = Ear(watch, tmp_path)
    init(tmp_path, environ=os.environ).close()
    ear.until("history")
    tag(tmp_path, "one")
    ear.until("history")
    shutil.rmtree(tmp_path / ".cellar")
    init(tmp_path, environ=os.environ).close()
    ear.until("history")
    tag(tmp_path, "two")
    ear.until("history")


def test_a_notebook_that_is_written_replaced_or_deleted_is_noticed(tmp_path: Path, watch: Watch) -> None:
    file = tmp_path / "a.ipynb"
    ear, other = Ear(watch, tmp_path, "a.ipynb"), Ear(watch, tmp_path, "b.ipynb")
    file.write_text("{}")
    ear.until("file")
    (tmp_path / "new").write_text("{ }")
    (tmp_path / "new").replace(file)
    ear.until("file")
    file.unlink()
    ear.until("file")
    (tmp_path / "b.ipynb").touch()
    other.until("file")
    assert other.is_quiet(), "what happened to another file is no matter of this one"


def test_git_that_comes_later_is_noticed(tmp_path: Path, watch: Watch) -> None:
    ear = Ear(watch, tmp_path)

    def git(*words: str) -> None:
        subprocess.run(["git", *words], cwd=tmp_path, check=True, capture_output=True)

    git("init", "-q")
    ear.until("git")
    git("commit", "--allow-empty", "-qm", "one")
    ear.until("git")
    git("switch", "-qc", "other")
    ear.until("git")


def test_a_folder_that_vanishes_keeps_nobody_else_from_being_told(tmp_path: Path, watch: Watch) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        init(tmp_path / name, environ=os.environ).close()
    ears = {name: Ear(watch, tmp_path / name) for name in ("a", "b")}
    shutil.rmtree(tmp_path / "a")
    ears["a"].until("history")
    tag(tmp_path / "b", "one")
    ears["b"].until("history")


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
def test_nothing_stays_open_after_a_thousand_subscriptions(tmp_path: Path, watch: Watch) -> None:
    last = tmp_path / "last"
    for folder in (tmp_path / "a", last):
        folder.mkdir()
        init(folder, environ=os.environ).close()
    Ear(watch, last).end()
    Ear(watch, last).end()  # what the libraries keep is there by now
    before = len(os.listdir("/proc/self/fd"))
    place = Places(tmp_path / "a", os.environ).find("")
    for _ in range(50):
        for end in [watch.subscribe(place, lambda what: None) for _ in range(20)]:
            end()
    ear = Ear(watch, last)
    ear.end()
    Ear(watch, tmp_path).end()  # when this one was looked at, what ended before it is closed
    Ear(watch, tmp_path).end()
    assert len(os.listdir("/proc/self/fd")) <= before + 4


def test_two_browsers_hear_of_a_cell_and_of_a_command(server: Server, folder: Path) -> None:
    with record(server, folder) as kernel:
        browsers = [Listener(server, kernel.path) for _ in range(2)]
        kernel.run("x = 1")
        for browser in browsers:
            browser.until(lambda event: event["event"] == "history")
        cellar = [sys.executable, "-m", "nbcellar.cli.main"]
        subprocess.run([*cellar, "tag", "named", "-n", "a.ipynb"], cwd=folder, check=True, capture_output=True)
        for browser in browsers:
            browser.until(lambda event: event["event"] == "history")
            browser.close()
        assert [tag["name"] for tag in server.ask(f"nbcellar/api/tags?path={kernel.path}")[1]["tags"]] == ["named"]
