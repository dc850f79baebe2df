"""One thread that looks at the repositories somebody subscribed to, and tells when something changed there.

Invariant: what changes after `began` was called is told; without subscribers nothing is looked at, no file is open. A
folder that cannot be looked at is looked at again, and keeps no other from being told. Not for: saying what changed;
the browser asks for that.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from nbcellar.api.watching import Watched, What, stamp
from nbcellar.server.places import Place

# A change is told well within a second; a look costs some hundred microseconds for each folder.
_EVERY_S = 0.25

Tell = Callable[[What], None]
_log = logging.getLogger(__name__)


@dataclass(eq=False)
class _Listener:
    place: Place
    tell: Tell
    began: Callable[[], None]
    has_begun: bool = False
    file: object = None  # what the notebook's file was when last looked at


class Watch:
    """Who wants to know of which folder. `subscribe` and what it returns may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: dict[Path, list[_Listener]] = {}
        self._wake = threading.Event()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def subscribe(self, place: Place, tell: Tell, began: Callable[[], None] = lambda: None) -> Callable[[], None]:
        """Call `tell`, from the watching thread, for each change around a place; return what ends that.

        began: called once, from there too, when nothing is missed any more.
        """
        folder, listener = place.folder, _Listener(place, tell, began)
        with self._lock:
            self._listeners.setdefault(folder, []).append(listener)
            if self._thread is None and not self._closed.is_set():
                self._thread = threading.Thread(target=self._run, name="cellar-watch", daemon=True)
                self._thread.start()
        self._wake.set()

        def end() -> None:
            with self._lock:
                listeners = self._listeners.get(folder, [])
                if listener in listeners:
                    listeners.remove(listener)
                if not listeners:
                    self._listeners.pop(folder, None)
            self._wake.set()

        return end

    def close(self) -> None:
        """End the thread."""
        self._closed.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def _run(self) -> None:
        watched: dict[Path, Watched] = {}
        while not self._closed.is_set():
            self._wake.clear()
            with self._lock:
                wanted = {folder: list(listeners) for folder, listeners in self._listeners.items()}
            for folder in watched.keys() - wanted.keys():
                watched.pop(folder).close()
            for folder, listeners in wanted.items():
                try:
                    _look(folder, listeners, watched)
                except Exception:
                    _log.exception("cannot look at %s", folder)
                    if folder in watched:
                        watched.pop(folder).close()
            if self._wake.wait(_EVERY_S if wanted else None):
                self._closed.wait(0 if self._has_new() else _EVERY_S)
        for found in watched.values():
            found.close()

    def _has_new(self) -> bool:
        with self._lock:
            return any(not each.has_begun for listeners in self._listeners.values() for each in listeners)


def _look(folder: Path, listeners: list[_Listener], watched: dict[Path, Watched]) -> None:
    if folder not in watched:
        watched[folder] = Watched(folder, listeners[0].place.environ)
    changes = watched[folder].changes()
    for listener in listeners:
        if not listener.has_begun:
            listener.has_begun = True
            listener.file = stamp(listener.place.file)
            listener.began()
            continue
        for what in changes:
            listener.tell(what)
        file = stamp(listener.place.file)
        if file != listener.file and listener.place.is_notebook:
            listener.file = file
            listener.tell("file")


__all__ = ["Watch"]
