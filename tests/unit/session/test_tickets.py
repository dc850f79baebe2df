"""Tickets: one of the two sides decides what becomes of a request, and the other one knows."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbcellar.api.asking import Asking, Progress
from nbcellar.errors import CancelledError, KernelError
from nbcellar.session.tickets import FOLDER, Work, take_up


def test_the_kernel_drops_what_was_taken_back(tmp_path: Path) -> None:
    asking = Asking()
    with asking.ticket(tmp_path) as ticket:
        asking.cancel()
        with pytest.raises(CancelledError):
            asking.look(ticket)
        with pytest.raises(KernelError, match="nobody waits"):
            take_up(tmp_path / FOLDER, ticket.name)


def test_what_the_kernel_took_up_cannot_be_taken_back(tmp_path: Path) -> None:
    asking = Asking()
    with asking.ticket(tmp_path) as ticket:
        take_up(tmp_path / FOLDER, ticket.name)
        assert not ticket.withdraw()
        with pytest.raises(KernelError, match="nobody waits"):
            take_up(tmp_path / FOLDER, ticket.name)
        asking.cancel()
        asking.look(ticket)
        assert [path.suffix for path in sorted((tmp_path / FOLDER).iterdir())] == [".begun", ".stop"]
    assert list((tmp_path / FOLDER).iterdir()) == []


def test_work_is_stopped_until_it_settles_and_not_afterwards(tmp_path: Path) -> None:
    told: list[Progress] = []
    asking = Asking(told.append)
    with asking.ticket(tmp_path) as ticket:
        work = take_up(tmp_path / FOLDER, ticket.name)
        with pytest.raises(KeyboardInterrupt), work.followed():
            work.tell("load", "x", 1, 2)
            while not told:
                asking.look(ticket)
            asking.cancel()
            asking.look(ticket)
            while True:
                pass
        assert work.stopped and told == [Progress(what="load", name="x", done=1, total=2)]
    with Asking().ticket(tmp_path) as ticket:
        work = take_up(tmp_path / FOLDER, ticket.name)
        with work.followed():
            work.settle()
            ticket.stop()
            work._interrupt()
        assert not work.stopped


def test_what_was_stopped_a_moment_before_it_settles_does_not_settle(tmp_path: Path) -> None:
    with Asking().ticket(tmp_path) as ticket:
        work = take_up(tmp_path / FOLDER, ticket.name)
        work.stopped = True
        with pytest.raises(KeyboardInterrupt):
            work.settle()


def test_nothing_is_asked_for_whoever_gave_up_before(tmp_path: Path) -> None:
    asking = Asking()
    asking.cancel()
    with pytest.raises(CancelledError), asking.ticket(tmp_path):
        raise AssertionError("a ticket was made")


@pytest.mark.parametrize("name", ["../../x", "a" * 31, "A" * 32, 7, None])
def test_a_ticket_is_no_path(tmp_path: Path, name: object) -> None:
    with pytest.raises(KernelError, match="form"):
        take_up(tmp_path, name)


def test_work_for_nobody_settles() -> None:
    Work().settle()
