"""The kernel's side of a request's ticket: whether somebody still waits, how far the work is, whether to stop it.

Who asks makes `.cellar/requests/<ticket>.waiting`. Whoever takes that name away decides what happens: the kernel, which
renames it to `.begun` when its turn comes, or who asks, who deletes it, and nothing is done. While the kernel is at it,
`.begun` holds its progress as JSON, and a file `<ticket>.stop` asks it to stop.

Invariant: a request is either not carried out at all or carried out to its end; one that is stopped ends as any
interrupted command does, with the session as it was, and one past `settle` is not stopped any more. Not for: the side
that asks (`api/asking.py`).
"""

from __future__ import annotations

import _thread
import contextlib
import json
import os
import re
import signal
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nbcellar.errors import KernelError

FOLDER = "requests"
_LOOK_EVERY_S = 0.1
_TICKET = re.compile("[0-9a-f]{32}")


class Work:
    """What is being carried out, for nobody in particular: nobody hears how far it is, nobody can stop it."""

    stopped = False

    def tell(self, what: str, name: str, done: int, total: int) -> None:
        """Say how far it is: `what` is "load" or "replay", `name` the variable or cell, `done` of `total` are ready."""

    def settle(self) -> None:
        """From here on it cannot be stopped. Raises KeyboardInterrupt if it just was."""


class FollowedWork(Work):
    """Work with a ticket. A thread writes down its progress, and interrupts the main thread when it is to stop."""

    def __init__(self, folder: Path, ticket: str) -> None:
        self._begun, self._stop = folder / f"{ticket}.begun", folder / f"{ticket}.stop"
        self._lock = threading.Lock()  # held while the main thread is interrupted: never after `settle`
        self._settled = False
        self._ended = threading.Event()
        self._progress: tuple[str, str, int, int] | None = None
        self._thread = threading.Thread(target=self._follow, name="cellar-request", daemon=True)

    def tell(self, what: str, name: str, done: int, total: int) -> None:
        """Note how far it is; the thread writes it down."""
        self._progress = what, name, done, total

    def settle(self) -> None:
        """Let nobody stop it any more."""
        with self._lock:
            self._settled = True
            if self.stopped:  # the signal may still be on its way
                raise KeyboardInterrupt

    @contextlib.contextmanager
    def followed(self) -> Iterator[None]:
        """Follow what happens inside."""
        self._thread.start()
        try:
            yield
        finally:
            with self._lock:
                self._settled = True
            self._ended.set()
            self._thread.join()
            for path in (self._begun, self._stop):
                with contextlib.suppress(OSError):
                    path.unlink()

    def _follow(self) -> None:
        told = None
        while not self._ended.wait(_LOOK_EVERY_S) and self._begun.exists():
            if (progress := self._progress) is not None and progress != told:
                told = progress
                self._write(dict(zip(("what", "name", "done", "total"), progress, strict=True)))
            if self._stop.exists():
                self._interrupt()

    def _write(self, progress: Mapping[str, Any]) -> None:
        with contextlib.suppress(OSError):  # who asks is gone with its folder, or the disk is full: work goes on
            self._begun.write_bytes(json.dumps(progress).encode("utf-8", "replace"))

    def _interrupt(self) -> None:
        with self._lock:
            if self._settled or self.stopped:
                return
            self.stopped = True
            if hasattr(signal, "pthread_kill"):
                signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
            else:
                _thread.interrupt_main()


def take_up(folder: Path, ticket: object) -> FollowedWork:
    """Take up the work of a ticket in `folder`. Raises KernelError if nobody waits for it any more."""
    if not (isinstance(ticket, str) and _TICKET.fullmatch(ticket)):
        raise KernelError("the request has a ticket of no form that this kernel knows")
    try:
        os.rename(folder / f"{ticket}.waiting", folder / f"{ticket}.begun")  # noqa: PTH104 - on each request
    except OSError:
        raise KernelError("nobody waits for this request any more, so it was dropped") from None
    return FollowedWork(folder, ticket)


__all__ = ["FOLDER", "FollowedWork", "Work", "take_up"]
