"""Calls that wait for a network, each in a thread of its own: who waits for one can be interrupted, and can go.

What waits inside a library hears no Ctrl-C. Invariant: once they are ended, nobody waits any more; a process does not
wait for them at its end. Not for: time limits, which the library keeps.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from typing import Any, TypeVar

from nbcellar.errors import StoreUnavailableError

_Found = TypeVar("_Found")


class Calls:
    """Calls of one remote. Any thread may call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: set[Future[Any]] = set()
        self._is_ended = False

    def run(self, function: Callable[[], _Found]) -> _Found:
        """Return what a function returns, or raise what it raises."""
        future: Future[_Found] = Future()
        with self._lock:
            if self._is_ended:
                raise _ended()
            self._under_way.add(future)
        try:
            threading.Thread(target=_call, args=(function, future), name="cellar-remote-call", daemon=True).start()
            return future.result()
        finally:
            with self._lock:
                self._under_way.discard(future)

    def end(self) -> None:
        """Have all who wait go on with an error."""
        with self._lock:
            self._is_ended = True
            under_way = list(self._under_way)
        for future in under_way:
            with contextlib.suppress(InvalidStateError):  # it is done
                future.set_exception(_ended())


def _call(function: Callable[[], _Found], future: Future[_Found]) -> None:
    try:
        found = function()
    except BaseException as error:
        with contextlib.suppress(InvalidStateError):  # it was ended
            future.set_exception(error)
    else:
        with contextlib.suppress(InvalidStateError):
            future.set_result(found)


def _ended() -> StoreUnavailableError:
    return StoreUnavailableError("it was ended while it waited for the network")


__all__ = ["Calls"]
