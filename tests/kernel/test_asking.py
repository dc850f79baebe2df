"""Requests that somebody follows: how far they are, and what becomes of those that are taken back."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from nbcellar.api import views
from nbcellar.api.asking import Asking, Progress
from nbcellar.api.repo import Repo
from nbcellar.errors import CancelledError

from .support import Kernel, wait_until

WAIT = """
import os, time
print('busy', flush=True)
while not os.path.exists('go'):
    time.sleep(0.01)
"""
# Instances take as long to load as a test wants.
SLOW = """
import os, time
class Slow:
    def __init__(self, name):
        self.name = name
    def __setstate__(self, state):
        open('loading', 'w').close()
        while os.path.exists('hold'):
            time.sleep(0.01)
        self.__dict__.update(state)
"""


class Request:
    """A request in a thread of its own."""

    def __init__(self, kernel: Kernel, command: Callable[[Repo], views.SessionChange]) -> None:
        self.told: list[Progress] = []
        self.asking = Asking(self.told.append)
        self._pool = concurrent.futures.ThreadPoolExecutor(1)
        self._done = self._pool.submit(self._run, kernel, command)

    def _run(self, kernel: Kernel, command: Callable[[Repo], views.SessionChange]) -> views.SessionChange:
        with kernel.project.open(kernel.notebook, self.asking) as repo:
            return command(repo)

    def wait_until_told(self, what: str) -> Progress:
        wait_until(lambda: any(progress.what == what for progress in self.told) or self._done.done())
        return next(progress for progress in self.told if progress.what == what)

    def result(self) -> views.SessionChange:
        return self._done.result(90)

    def close(self) -> None:
        self.asking.cancel()
        self._pool.shutdown()


@pytest.fixture
def ask(fresh: Kernel) -> Iterator[Callable[..., Request]]:
    made: list[Request] = []

    def ask(command: Callable[[Repo], views.SessionChange]) -> Request:
        made.append(Request(fresh, command))
        return made[-1]

    yield ask
    for request in made:
        request.close()
    assert list((fresh.project.root / ".cellar" / "requests").iterdir()) == []


def undo(repo: Repo) -> views.SessionChange:
    return repo.undo()


def test_what_is_taken_back_while_a_cell_runs_never_happens(fresh: Kernel, ask: Any) -> None:
    fresh.run("x = 1", "x = 2")
    running = fresh.start(WAIT)
    running.wait_for("busy")
    request = ask(undo)
    request.wait_until_told("wait")
    request.asking.cancel()
    with pytest.raises(CancelledError, match="before the kernel began"):
        request.result()  # the cell still runs
    fresh.project.write("go", "")
    assert not running.finish().error
    fresh.settle()
    assert fresh.value("x") == 2
    assert fresh.project.log()[0].title.startswith("import os, time")


def test_what_waits_and_is_not_taken_back_happens(fresh: Kernel, ask: Any) -> None:
    fresh.run("x = 1", "x = 2")
    running = fresh.start(WAIT)
    running.wait_for("busy")
    request = ask(lambda repo: repo.undo(2))
    request.wait_until_told("wait")
    fresh.project.write("go", "")
    assert not running.finish().error
    assert len(request.result().undone) == 2
    assert fresh.value("x") == 1


def test_loading_is_told_by_variable_and_can_be_stopped(fresh: Kernel, ask: Any) -> None:
    fresh.run(SLOW, "one = Slow(1)", "two = Slow(2)", "del one, two")
    fresh.project.write("hold", "")
    before = fresh.project.commit_id("HEAD")
    request = ask(undo)
    assert request.wait_until_told("load") in [
        Progress(what="load", name=name, done=0, total=2) for name in ("one", "two")
    ]
    request.asking.cancel()
    with pytest.raises(CancelledError, match="the session is as it was"):
        request.result()
    assert fresh.value("'one' in globals()") is False
    assert fresh.project.commit_id("HEAD") == before
    (fresh.project.root / "hold").unlink()
    fresh.undo()
    fresh.is_true("one.name == 1", "two.name == 2")


def test_cells_that_run_again_are_told_and_can_be_stopped(fresh: Kernel, ask: Any) -> None:
    fresh.run("import os, time", "g = (i for i in range(3))\nwhile os.path.exists('hold'): time.sleep(0.01)", "del g")
    fresh.project.write("hold", "")
    request = ask(lambda repo: repo.undo(replay="yes"))
    told = request.wait_until_told("replay")
    assert (told.name, told.done, told.total) == ("g = (i for i in range(3))", 0, 1)
    request.asking.cancel()
    with pytest.raises(CancelledError, match="the session is as it was"):
        request.result()
    assert fresh.value("'g' in globals()") is False
    (fresh.project.root / "hold").unlink()
    fresh.undo(replay="yes")
    assert fresh.value("list(g)") == [0, 1, 2]


def test_a_cell_that_swallows_the_interrupt_does_not_get_its_way(fresh: Kernel, ask: Any) -> None:
    fresh.run(
        "import os, time",
        """
        g = (i for i in range(3))
        try:
            while os.path.exists('hold'):
                time.sleep(0.01)
        except KeyboardInterrupt:
            pass
        """,
        "del g",
    )
    fresh.project.write("hold", "")
    request = ask(lambda repo: repo.undo(replay="yes"))
    request.wait_until_told("replay")
    request.asking.cancel()
    with pytest.raises(CancelledError):
        request.result()
    assert fresh.value("'g' in globals()") is False


def test_a_request_that_nobody_stops_is_answered_as_ever(fresh: Kernel, ask: Any) -> None:
    fresh.run("x = [1]", "x = [2]")
    assert ask(undo).result().loaded == ["x"]
    assert fresh.value("x") == [1]
