"""SIGINT while Cellar works on the kernel's main thread: let in where nothing can break, held back where it could.

Invariant: whatever handler was set before, the user's own included, is set again afterwards; one that C code installed,
which Python cannot put back, is never replaced.
"""

from __future__ import annotations

import importlib
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

# What those of `signal` call: they look for the names of what they found, too, which takes ten times as long.
_signal: Any = importlib.import_module("_signal")
_set_handler, _handler_of = _signal.signal, _signal.getsignal


@contextmanager
def interruptible() -> Iterator[None]:
    """Let SIGINT raise KeyboardInterrupt here, once: outside of cells ipykernel ignores it."""
    if not _can_be_replaced():
        yield
        return
    armed: list[bool] = []  # not before the `try`, not after the interrupt: putting the handler back must not be hit

    def interrupt(number: int, frame: FrameType | None) -> None:
        if armed:
            armed.clear()
            raise KeyboardInterrupt

    former = _set_handler(signal.SIGINT, interrupt)
    try:
        try:
            armed.append(True)
            yield
        finally:
            armed.clear()
    finally:
        _set_handler(signal.SIGINT, former)


@contextmanager
def signals_held() -> Iterator[None]:
    """Hold SIGINT back until the end: what happens here takes microseconds, and half of it would be wrong."""
    if not _can_be_replaced():
        yield
        return
    came: list[int] = []
    former = _set_handler(signal.SIGINT, lambda number, frame: came.append(number))
    try:
        yield
    finally:
        _set_handler(signal.SIGINT, former)
        if came:
            signal.raise_signal(signal.SIGINT)


def _can_be_replaced() -> bool:
    return threading.current_thread() is threading.main_thread() and _handler_of(signal.SIGINT) is not None
