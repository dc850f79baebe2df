"""An undo, redo, checkout or restore that fails at any moment leaves the session and its history as they were."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nbcellar.errors import CannotRestoreError, StoreUnavailableError

from .live import Live, describe, live_session


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    with live_session(tmp_path) as session:
        yield session


@pytest.fixture
def stepped(live: Live) -> Live:
    live.cell("import random\nx = [1]\nkept = ['kept']\nclass A:\n    n = 1\na = A()\nrandom.seed(1)")
    live.cell("x.append(2)\nA.n = 2\nmade = 'later'\nrandom.random()")
    return live


def once(target: Any, name: str, raising: Callable[[], None]) -> None:
    """Let the next call of a method raise, before it does anything."""
    original = getattr(target, name)

    def fail(*args: Any, **kwargs: Any) -> Any:
        setattr(target, name, original)
        raising()
        return original(*args, **kwargs)

    setattr(target, name, fail)


def full_disk() -> None:
    raise StoreUnavailableError("no space left on device")


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def hold_that_it_stayed(live: Live, before: Any) -> None:
    assert describe(live.ns) == before
    head = live.cell("probe = 1")
    live.session.commit("after")
    live.restart()
    live.session.restore(head)
    assert describe(live.ns) == before | describe({"probe": 1}), "what is recorded is what was there"


@pytest.mark.parametrize("place", ["ambient.restore", "tracker.observe", "_record_arrival", "writer.submit"])
def test_an_interrupt_in_an_undo(stepped: Live, place: str) -> None:
    session = stepped.session
    session.undo()
    undone = describe(stepped.ns)
    session.redo()
    before = describe(stepped.ns)
    *path, name = place.split(".")
    target: Any = session
    for part in path:
        target = getattr(target, part)
    skip = {"tracker.observe": 1}.get(place, 0)  # the first look comes before the swap

    def arm() -> None:
        once(target, name, interrupt)

    if skip:
        original = session._turn

        def turn(*args: Any) -> Any:
            session._turn = original  # type: ignore[method-assign]
            done = original(*args)
            arm()
            return done

        session._turn = turn  # type: ignore[method-assign]
    else:
        arm()
    with pytest.raises(KeyboardInterrupt):
        session.undo()
    # Once the arrival is on its way to disk the undo is done, and only the waiting for it was interrupted.
    hold_that_it_stayed(stepped, undone if place in ("_record_arrival", "writer.submit") else before)


@pytest.mark.parametrize("command", ["undo", "checkout", "redo"])
def test_an_arrival_that_cannot_be_saved(stepped: Live, command: str) -> None:
    session = stepped.session
    first = stepped.repo.resolve("HEAD~1", session.notebook)
    if command == "redo":
        session.undo()
    before = describe(stepped.ns)
    if command == "checkout":
        once(stepped.repo, "move_head", full_disk)
    else:
        once(stepped.repo, "begin", full_disk)
    with pytest.raises(StoreUnavailableError):
        session.checkout(first, None) if command == "checkout" else getattr(session, command)()
    hold_that_it_stayed(stepped, before)


def test_a_second_turn_that_fails_takes_the_first_one_back(live: Live) -> None:
    live.cell(
        "class B:\n    def __init__(self): self.v = 1\n    def __setstate__(self, d):\n        vars(self).update(d)\n"
        "        if FAIL: raise ValueError('no')\nFAIL = 0\nb = B()"
    )
    live.cell("z = 1")
    live.cell("z = 2\nFAIL = 1")
    live.cell("z = 3")
    live.ns["b"].v = 7
    before = describe(live.ns)
    with pytest.raises(CannotRestoreError):
        live.session.undo()
    assert describe(live.ns) == before


def test_redo_takes_back_an_undo_that_met_a_hidden_change(live: Live) -> None:
    live.cell("x = [1]\ny = 1")
    live.cell("y = 2")
    live.cell("z = 1")
    live.ns["x"].append(5)
    live.session.undo()
    assert live.value("x") == [1] and "z" not in live.ns
    live.session.redo()
    assert live.value("(x, y, z)") == ([1, 5], 2, 1)
    live.session.undo(2)
    assert live.value("(x, y)") == ([1], 1)


def test_what_another_process_forgot_does_not_come_back_from_memory(live: Live) -> None:
    from nbcellar.history.forget import forget_variable
    from nbcellar.history.repository import Repository
    from nbcellar.store.interface import Kind
    from nbcellar.trust.keys import load_or_create
    from nbcellar.values.manifest import referenced_digests

    live.cell("s = ''.join(map(chr, range(65, 105)))")
    live.cell("y = 1")
    live.cell("del s")
    live.cell("z = 1")
    with Repository.open(live.folder / "project") as other:
        forget_variable(
            other,
            live.session.notebook,
            "s",
            key=load_or_create(live.folder / "user"),
            children_of=lambda kind, data: referenced_digests(data) if kind is Kind.VALUE else [],
        )
    done = live.session.undo(2)
    assert live.names() == {"y"}
    assert done["not_restored"].keys() == {"s"}
    live.session.redo(2)
    assert live.names() == {"y", "z"}
    live.cell("w = 1")
    live.session.close()
    secret = "".join(map(chr, range(65, 105))).encode()
    stored = [path for path in (live.folder / "project" / ".cellar").rglob("*") if path.is_file()]
    assert not [path for path in stored if secret in path.read_bytes()]


def test_a_commit_that_another_process_collected_is_not_gone_to(live: Live) -> None:
    from nbcellar.errors import NotFoundError, UnknownReferenceError
    from nbcellar.history.repository import Repository
    from nbcellar.store.interface import Kind
    from nbcellar.values.manifest import referenced_digests

    old = live.cell("x = 'old'")
    live.cell("x = 'new'")
    first = live.repo.resolve("HEAD~2", live.session.notebook)
    live.session.checkout(first, None)
    live.cell("x = 'branch'")
    with Repository.open(live.folder / "project") as other:
        other.delete_branch(live.session.notebook, "main")
        other.gc(lambda kind, data: referenced_digests(data) if kind is Kind.VALUE else [], keep_ops_days=0)
    with pytest.raises((NotFoundError, UnknownReferenceError)):
        live.session.checkout(old, None)
    assert live.value("x") == "branch"


def raising(error: BaseException) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


def after(target: Any, name: str, then: Callable[[], None]) -> None:
    """Let the next call of a method do its work and then something else."""
    original = getattr(target, name)

    def work(*args: Any, **kwargs: Any) -> Any:
        setattr(target, name, original)
        done = original(*args, **kwargs)
        then()
        return done

    setattr(target, name, work)


def test_a_restore_that_was_interrupted_and_repeated_forgets_nothing(live: Live) -> None:
    live.cell("x = [1]\ny = [2]")
    live.restart()
    once(live.session, "_record_arrival", raising(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        live.session.restore(None)
    assert live.names() == set()
    live.session.restore(None)
    head = live.cell("z = 3")
    assert {n for c in live.repo.read_state(head).covariables for n in c.names} == {"x", "y", "z"}
    live.cell("z = 4")
    live.session.undo()
    assert live.names() == {"x", "y", "z"}


def test_what_a_checkout_left_out_and_a_restore_brought_back_stays_recorded(live: Live) -> None:
    target = live.cell("x = [1]\ny = [2]")
    live.cell("x.append(3)\ny.append(3)")
    live.session.checkout(target, None, ["x"])
    live.session.restore(target)
    head = live.cell("z = 1")
    live.restart()
    live.session.restore(head)
    assert live.names() == {"x", "y", "z"}


def test_an_undo_that_was_interrupted_while_it_was_saved_is_one_step(live: Live) -> None:
    for number in (1, 2, 3):
        live.cell(f"x = {number}")
    after(live.session, "_record_arrival", interrupt)
    with pytest.raises(KeyboardInterrupt):
        live.session.undo()
    assert live.value("x") == 2
    live.session.writer.wait()
    live.session.undo()
    assert live.value("x") == 1
    live.session.redo(2)
    assert live.value("x") == 3


def test_a_checkout_that_was_interrupted_when_head_had_moved_is_done(live: Live) -> None:
    target = live.cell("x = 1")
    live.cell("x = 2")
    after(live.repo, "move_head", interrupt)
    with pytest.raises(KeyboardInterrupt):
        live.session.checkout(target, None)
    assert live.value("x") == 1
    assert live.repo.head(live.session.notebook).commit == target
    head = live.cell("y = x")
    assert live.repo.read_commit(head).parents == (target,)


def test_a_command_that_fails_drops_no_results_that_functions_keep(live: Live) -> None:
    live.cell("import functools\n@functools.lru_cache\ndef f(n): return n\nx = f(1)")
    live.cell("x = 2")
    once(live.session, "_record_arrival", raising(OSError()))
    with pytest.raises(OSError):
        live.session.undo()
    assert live.value("f.cache_info().currsize") == 1


def test_what_a_thread_binds_meanwhile_is_not_taken_back(live: Live) -> None:
    live.cell("x = 1")
    live.cell("x = 2")

    def bind() -> None:
        live.ns["result"] = [42]
        raise OSError

    once(live.session, "_record_arrival", bind)
    with pytest.raises(OSError):
        live.session.undo()
    assert live.value("(x, result)") == (2, [42])


def test_what_an_interrupted_capture_left_out_is_made_up_for_when_the_kernel_ends(live: Live) -> None:
    live.cell("x = [1]")
    once(live.session, "_observe", raising(KeyboardInterrupt()))
    live.cell("x.append(2)\ny = 3")
    live.session.make_up()
    live.session.writer.wait()
    live.restart()
    live.session.restore(None)
    assert live.value("(x, y)") == ([1, 2], 3)


def test_a_restore_goes_to_the_last_state_there_is(live: Live) -> None:
    live.cell("x = [1]")
    once(live.session, "_observe", raising(KeyboardInterrupt()))
    live.cell("x.append(2)")
    live.restart()
    assert live.session.earlier_session() is not None
    live.session.restore(None)
    assert live.value("x") == [1]
