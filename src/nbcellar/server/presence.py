"""Whether a page is open: how many sockets are, and a word when the last one is gone for good."""

from __future__ import annotations

from collections.abc import Callable

from tornado.ioloop import IOLoop

# A page that is loaded again is back by then.
_PATIENCE_S = 4.0


class Presence:
    """The open pages of one server. For the thread of the loop. `on_gone` is called when none has been for a while."""

    def __init__(self) -> None:
        self._count = 0
        self.on_gone: Callable[[], None] | None = None

    def enter(self) -> Callable[[], None]:
        """Count a page; what is returned takes it away, once."""
        self._count += 1
        is_here = True

        def leave() -> None:
            nonlocal is_here
            if is_here:
                is_here = False
                self._count -= 1
                if not self._count and self.on_gone is not None:
                    IOLoop.current().call_later(_PATIENCE_S, self._look)

        return leave

    def _look(self) -> None:
        if not self._count and self.on_gone is not None:
            self.on_gone()


__all__ = ["Presence"]
