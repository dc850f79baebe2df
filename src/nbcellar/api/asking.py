"""Somebody who waits for a kernel: may hear how far a request is, and may take it back. For servers; see `Asking`.

Invariant: who takes a request back learns the truth. `CancelledError` means that nothing was changed and nothing will
be; a request that could not be stopped any more is answered as if nobody had tried.

Not for: sending requests (`kernels.py`), the kernel's side of a ticket (`session/tickets.py`).
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import msgspec

from nbcellar.errors import CancelledError
from nbcellar.session.tickets import FOLDER
from nbcellar.store.files import file_errors


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a request is. wait: a cell runs before it; load: variables are loaded; replay: cells are run again.

    `name` is the variable or the first line of the cell; `done` of `total` are ready.
    """

    what: Literal["wait", "load", "replay"]
    name: str = ""
    done: int = 0
    total: int = 0


class Asking:
    """A request to a kernel, as seen by who waits for it. `cancel` may be called from any thread."""

    def __init__(self, tell: Callable[[Progress], None] = lambda progress: None) -> None:
        """tell: called in the thread that waits, some ten times a second at most, when something has changed."""
        self._tell = tell
        self._lock = threading.Lock()
        self._cancelled = self._stopped = False
        self._callbacks: list[Callable[[], object]] = []
        self._told: Progress | None = None

    @property
    def has_told(self) -> bool:
        """True if anything was told of the request."""
        return self._told is not None

    def cancel(self, *, stop: bool = True) -> None:
        """Take the request back; stop: also if the kernel is at it already, and else that comes to its end."""
        with self._lock:
            self._cancelled, self._stopped = True, self._stopped or stop
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def when_cancelled(self, callback: Callable[[], object]) -> None:
        """Call something when the request is taken back, at once if it was."""
        with self._lock:
            if not self._cancelled:
                self._callbacks.append(callback)
                return
        callback()

    def require_wanted(self) -> None:
        """Raise CancelledError if it was taken back."""
        if self._cancelled:
            raise CancelledError("the request was taken back before anything was done")

    @contextlib.contextmanager
    def ticket(self, cellar_folder: Path) -> Iterator[Ticket]:
        """Make a ticket for one request, and see to it that nothing is left of it."""
        self.require_wanted()
        folder = cellar_folder / FOLDER
        with file_errors("create", folder):
            folder.mkdir(mode=0o700, exist_ok=True)
            ticket = Ticket(folder, secrets.token_hex(16))
        try:
            yield ticket
        finally:
            ticket.remove()

    def look(self, ticket: Ticket) -> None:
        """Tell what is new of a request that is on its way. Raises CancelledError if it was taken back in time."""
        if self._cancelled:
            if ticket.withdraw():
                raise CancelledError("the request was taken back before the kernel began with it")
            if self._stopped:
                ticket.stop()
        progress = ticket.progress()
        if progress is not None and progress != self._told:
            self._told = progress
            self._tell(progress)


class Ticket:
    """The files of one request."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self._waiting, self._begun, self._stop = (folder / f"{name}.{state}" for state in ("waiting", "begun", "stop"))
        os.close(os.open(self._waiting, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))

    def withdraw(self) -> bool:
        """Take the request back; False if the kernel was faster."""
        try:
            self._waiting.unlink()
        except FileNotFoundError:
            return False
        return True

    def stop(self) -> None:
        """Ask the kernel to stop what it has begun, as long as it is at it."""
        if self._begun.exists():
            with contextlib.suppress(FileExistsError):
                os.close(os.open(self._stop, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))

    def progress(self) -> Progress | None:
        """Return how far it is, None where nothing is known."""
        try:
            return msgspec.convert(json.loads(self._begun.read_bytes()), Progress)
        except FileNotFoundError:
            return Progress(what="wait") if self._waiting.exists() else None
        except (OSError, ValueError, msgspec.ValidationError):
            return None  # it has said nothing yet, or is writing at this moment

    def remove(self) -> None:
        """Remove what is left."""
        for path in (self._waiting, self._begun, self._stop):
            with contextlib.suppress(OSError):
                path.unlink()


__all__ = ["Asking", "Progress", "Ticket"]
