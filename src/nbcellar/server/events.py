"""The socket on which the browser is told that something changed: nothing in the browser polls.

The browser sends `{"subscribe": [paths]}`, each time all that it wants to know of; the server sends `Event`s: `hello`
for each path, from which on nothing is missed, then what changes.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
import tornado.web
from jupyter_core.utils import ensure_async
from jupyter_server.auth.decorator import ws_authenticated
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.base.websocket import WebSocketMixin
from tornado.ioloop import IOLoop
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from nbcellar.errors import CellarError
from nbcellar.server.messages import Event

if TYPE_CHECKING:
    from nbcellar.api.watching import What
    from nbcellar.server.app import Service

_MOST_PATHS = 1000
_MOST_BYTES = 1 << 20
_NOT_UNDERSTOOD, _TOO_MUCH = 1003, 1008  # of RFC 6455

End = Callable[[], None]


class _Subscription(msgspec.Struct, forbid_unknown_fields=True):
    subscribe: list[str]


class EventsHandler(WebSocketMixin, WebSocketHandler, JupyterHandler):
    """One browser tab's socket."""

    auth_resource = "nbcellar"
    _closed = False

    @property
    def max_message_size(self) -> int:
        """What a browser sends at most: paths."""
        return _MOST_BYTES

    @ws_authenticated
    async def get(self, *args: object, **kwargs: object) -> None:
        """Open the socket for who may."""
        if not await ensure_async(self.authorizer.is_authorized(self, self.current_user, "read", self.auth_resource)):
            raise tornado.web.HTTPError(403)
        await super().get(*args, **kwargs)

    def open(self, *args: object, **kwargs: object) -> None:
        """Greet: from now on nothing is missed."""
        super().open(*args, **kwargs)
        self._ends: dict[str, End] = {}
        self._loop = IOLoop.current()
        self._leave = self.settings["nbcellar_service"].presence.enter()
        self._send(Event(event="hello"))

    async def on_message(self, message: str | bytes) -> None:
        """Take what the browser wants to know of from now on; the next message waits until it is done."""
        try:
            wanted = msgspec.json.decode(message, type=_Subscription).subscribe
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            self.close(_NOT_UNDERSTOOD, "not understood")
            return
        if len(wanted) > _MOST_PATHS:
            self.close(_TOO_MUCH, f"more than {_MOST_PATHS} paths")
            return
        for path in self._ends.keys() - set(wanted):
            self._ends.pop(path)()
        for path in dict.fromkeys(wanted):
            if path not in self._ends:
                await self._subscribe(path)

    def on_close(self) -> None:
        """Forget the subscriptions."""
        self._closed = True
        for end in getattr(self, "_ends", {}).values():
            end()
        self._ends = {}
        if hasattr(self, "_leave"):
            self._leave()
        super().on_close()

    async def _subscribe(self, path: str) -> None:
        service: Service = self.settings["nbcellar_service"]

        def begin() -> End:
            return _begin(service, path, self._tell)

        try:
            end = await asyncio.wrap_future(service.workers.start("read", begin))
        except CellarError:
            return  # whoever asks for it by a route is told why
        if self._closed:
            end()
            return
        self._ends[path] = end

    def _tell(self, event: Event) -> None:
        """Send an event from any thread."""
        with contextlib.suppress(RuntimeError):  # the server ends, and its loop is closed
            self._loop.add_callback(self._send, event)

    def _send(self, event: Event) -> None:
        try:
            self.write_message(msgspec.json.encode(event).decode())
        except WebSocketClosedError:
            pass  # the tab is gone; `on_close` follows


def _begin(service: Service, path: str, send: Callable[[Event], None]) -> End:
    """Have what happens at a path sent, until the function that comes back is called."""

    def tell(what: What) -> None:
        send(Event(event=what, path=path))

    def greet() -> None:
        send(Event(event="hello", path=path))

    place = service.places.find(path)
    leave = service.hub.join(path, send)
    unwatch = service.watch.subscribe(place, tell, greet)

    def end() -> None:
        unwatch()
        leave()

    return end


__all__ = ["EventsHandler"]
