"""Whether there is a session to bring back is known without asking for it."""

from __future__ import annotations

from typing import Any

from nbcellar.api.returning import LostSession, lost_session
from nbcellar.session.entries import KernelEntry

from .support import Kernel


def lost(kernel: Kernel) -> LostSession | None:
    with kernel.project.open(kernel.notebook) as repo:
        return lost_session(repo)


def test_a_kernel_that_runs_nothing_yet_has_lost_what_was_recorded_before(fresh: Kernel) -> None:
    fresh.run("x = [1]", "y = 2")
    assert lost(fresh) is None
    fresh.kill()
    assert lost(fresh) is None, "there is no kernel to bring it back into"
    fresh.start_again()
    found = lost(fresh)
    assert found is not None
    assert (found.commit.title, found.variables, found.names) == ("y = 2", 2, ["x", "y"])
    assert fresh.restore().loaded == ["x", "y"]
    assert lost(fresh) is None


def test_a_new_notebook_has_lost_nothing(fresh: Kernel) -> None:
    fresh.run("None")
    assert lost(fresh) is None


def test_a_busy_kernel_is_not_waited_for(fresh: Kernel) -> None:
    fresh.run("x = 1")
    fresh.kill()
    fresh.start_again()
    running = fresh.start(
        "import os, time\nprint('busy', flush=True)\nwhile not os.path.exists('go'):\n    time.sleep(0.01)"
    )
    running.wait_for("busy")
    assert lost(fresh) is None
    fresh.project.write("go", "")
    running.finish()


def test_what_the_kernel_runs_while_it_is_asked_was_not_lost(fresh: Kernel) -> None:
    with fresh.project.open(fresh.notebook) as repo:
        peek_at = repo.peek_at

        def and_then_run(entry: KernelEntry) -> dict[str, Any] | None:
            said = peek_at(entry)
            fresh.run("x = 1")
            return said

        repo.peek_at = and_then_run  # type: ignore[method-assign]
        assert lost_session(repo) is None
        assert lost_session(repo) is None, "it holds something by now"
