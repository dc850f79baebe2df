"""Who is told of what, by path; and the requests that are on their way, so that they can be taken back.

Invariant: `tell` and `cancel` may be called from any thread; a listener that ended is not called any more by calls that
begin later. Not for: noticing changes (`watch.py`), sockets (`events.py`).
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

from nbcellar.api.asking import Asking
from nbcellar.server.messages import Event

Send = Callable[[Event], None]


class Hub:
    """One for each server."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sends: dict[str, list[Send]] = {}
        self._asking: dict[str, Asking] = {}

    def join(self, path: str, send: Send) -> Callable[[], None]:
        """Call `send` for what is told of a path; return what ends that."""
        key = path.strip("/")
        with self._lock:
            self._sends.setdefault(key, []).append(send)

        def leave() -> None:
            with self._lock:
                listeners = self._sends.get(key, [])
                if send in listeners:
                    listeners.remove(send)
                if not listeners:
                    self._sends.pop(key, None)

        return leave

    def tell(self, path: str, event: Event) -> None:
        """Send an event to all who joined for a path."""
        with self._lock:
            listeners = list(self._sends.get(path.strip("/"), ()))
        for send in listeners:
            send(event)

    @contextlib.contextmanager
    def asked(self, name: str, asking: Asking) -> Iterator[None]:
        """Let a request be cancelled by the name that its sender gave it, unless that is ""."""
        if not name:
            yield
            return
        with self._lock:
            self._asking[name] = asking
        try:
            yield
        finally:
            with self._lock:
                if self._asking.get(name) is asking:
                    del self._asking[name]

    def cancel(self, name: str) -> bool:
        """Take back a request; False if there is none of that name."""
        with self._lock:
            asking = self._asking.get(name)
        if asking is None:
            return False
        asking.cancel()
        return True


__all__ = ["Hub", "Send"]
