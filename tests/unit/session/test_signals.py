"""The user's handler of SIGINT is set again; an interrupt is neither lost nor let in where it would break things."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from nbcellar.session.signals import interruptible, signals_held


@pytest.fixture
def seen() -> Iterator[list[int]]:
    """Set a handler of the user's and give what it saw."""
    found: list[int] = []

    def handle(number: int, frame: Any) -> None:
        found.append(number)

    former = signal.signal(signal.SIGINT, handle)
    yield found
    assert signal.getsignal(signal.SIGINT) is handle
    signal.signal(signal.SIGINT, former)


def test_an_interrupt_that_is_held_back_comes_afterwards(seen: list[int]) -> None:
    with signals_held():
        signal.raise_signal(signal.SIGINT)
        assert not seen
    assert seen == [signal.SIGINT]


def test_an_interrupt_is_let_in_once_and_only_inside(seen: list[int]) -> None:
    with pytest.raises(KeyboardInterrupt), interruptible():
        try:
            signal.raise_signal(signal.SIGINT)
        finally:
            signal.raise_signal(signal.SIGINT)
    assert not seen
    signal.raise_signal(signal.SIGINT)
    assert seen == [signal.SIGINT]


@pytest.mark.parametrize("guard", [signals_held, interruptible])
def test_an_exception_inside_passes_and_the_handler_is_back(guard: Callable[[], Any], seen: list[int]) -> None:
    with pytest.raises(ValueError, match="inside"), guard():
        raise ValueError("inside")
