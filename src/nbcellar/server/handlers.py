"""A route as a request handler: who may ask, what is asked, what is answered.

Invariant: a request that does not fit its struct is answered with 400 before anything is done, and an error always has
a body of `Problem`'s form, which names no file outside of the server's folder.

A request is taken back when its sender is gone, or by `POST nbcellar/api/cancel` with the name that it was sent with
(`POST nbcellar/api/undo?request=NAME`). What no thread has begun is dropped; what waits for a kernel never happens;
what a kernel has begun is stopped by `cancel` only, and then the session is as it was. In each case the request itself
is answered with the code "cancelled"; one that came to its end all the same is answered as ever. Meanwhile those who
subscribed to the path get events `progress` with the request's name.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec
import tornado.web
from jupyter_core.utils import ensure_async
from jupyter_server.base.handlers import APIHandler

from nbcellar import errors
from nbcellar.api.asking import Asking, Progress
from nbcellar.errors import CancelledError, CellarError, InvalidInputError
from nbcellar.server.messages import Event, Problem

if TYPE_CHECKING:
    from nbcellar.server.app import Service
    from nbcellar.server.route import Route

_STATUS: dict[type[CellarError], HTTPStatus] = {
    errors.InvalidInputError: HTTPStatus.BAD_REQUEST,
    errors.NoKernelError: HTTPStatus.CONFLICT,
    errors.NotFoundError: HTTPStatus.NOT_FOUND,
    errors.AlreadyExistsError: HTTPStatus.CONFLICT,
    errors.ConflictError: HTTPStatus.CONFLICT,
    errors.CancelledError: HTTPStatus.CONFLICT,
    errors.NotTrustedError: HTTPStatus.FORBIDDEN,
    errors.StoreUnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.KernelError: HTTPStatus.BAD_GATEWAY,
}
_ENCODER = msgspec.json.Encoder()
# A notebook of 3000 cells with pictures has some ten megabytes.
_MOST_BYTES = 64 << 20
_LONGEST_NAME = 64
_JUPYTERS = ("token", "no_track_activity")  # what any address of the server may carry


class RouteHandler(APIHandler):
    """Answers one route."""

    auth_resource = "nbcellar"
    _asking: Asking | None = None

    def initialize(self, route: Route) -> None:
        """Tornado's own hook."""
        self._route = route

    @property
    def service(self) -> Service:
        """What handlers share."""
        service: Service = self.settings["nbcellar_service"]
        return service

    @tornado.web.authenticated
    async def get(self) -> None:
        """Answer a route that reads."""
        await self._require_allowed("GET")
        try:
            sent = self.request.query_arguments
            plain = {name: _text(values[-1]) for name, values in sent.items() if name not in _JUPYTERS}
            asked: Any = msgspec.convert(plain, self._route.takes, strict=False)
        except (msgspec.ValidationError, UnicodeDecodeError) as error:
            self._refuse(InvalidInputError(f"the request does not fit: {error}"))
            return
        await self._answer(asked)

    @tornado.web.authenticated
    async def post(self) -> None:
        """Answer a route with a body."""
        await self._require_allowed("POST")
        if self.request.headers.get("Content-Type", "").partition(";")[0].strip().lower() != "application/json":
            raise tornado.web.HTTPError(415, "the body has to be application/json")
        if len(self.request.body) > _MOST_BYTES:
            raise tornado.web.HTTPError(413, f"the body has more than {_MOST_BYTES >> 20} MiB")
        try:
            asked: Any = msgspec.json.decode(self.request.body, type=self._route.takes)
        except msgspec.ValidationError as error:
            self._refuse(InvalidInputError(f"the request does not fit: {error}"))
            return
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            self._refuse(InvalidInputError(f"the request is no JSON: {error}"))
            return
        await self._answer(asked, self.get_query_argument("request", "")[:_LONGEST_NAME])

    def on_connection_close(self) -> None:
        """Take back what nobody waits for; what a kernel has begun comes to its end."""
        if self._asking is not None:
            self._asking.cancel(stop=False)
        super().on_connection_close()

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Give errors of the server itself the same form."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        if isinstance(error, tornado.web.HTTPError):
            message = error.log_message or self._reason
            self._write(Problem(code="http", message=str(message)), status_code)
            return
        problem = Problem(
            code="internal", message="the server failed at this request", hint="what went wrong is in the server's log"
        )
        self._write(problem, status_code)

    async def _answer(self, asked: Any, name: str = "") -> None:
        route, service = self._route, self.service
        path = getattr(asked, "path", "")

        def tell(progress: Progress | None) -> None:
            service.hub.tell(path, Event(event="progress", path=path, request=name, progress=progress))

        asking = self._asking = Asking(tell)
        places = service.places.asked_by(asking)
        try:
            with service.hub.asked(name, asking):
                work = service.workers.start(route.lane, lambda: route.does(places, asked))
                asking.when_cancelled(work.cancel)
                try:
                    found = await asyncio.wrap_future(work)
                except asyncio.CancelledError:
                    if not work.cancelled():
                        raise
                    raise CancelledError("the request was taken back before anything was done") from None
        except CellarError as error:
            self._refuse(error)
            return
        except RecursionError:
            self._refuse(InvalidInputError("what the request is about is nested too deeply"))
            return
        finally:
            if asking.has_told:
                tell(None)
        self._write(found, HTTPStatus.OK)

    async def _require_allowed(self, method: str) -> None:
        if self._route.method != method:
            raise tornado.web.HTTPError(405, f"{self._route.name} is asked with {self._route.method}")
        action = self._route.action
        found = self.authorizer.is_authorized(self, self.current_user, action, self.auth_resource)
        if not await ensure_async(found):
            raise tornado.web.HTTPError(403, f"you are not allowed to {action} on {self.auth_resource}")

    def _refuse(self, error: CellarError) -> None:
        hide = self.service.places.hide
        problem = Problem(code=error.code, message=hide(error.message), hint=hide(error.hint))
        self._write(problem, status_of(error))

    def _write(self, body: Any, status: int) -> None:
        self.set_status(int(status))
        self.set_header("Cache-Control", "no-store")
        self.finish(_ENCODER.encode(body))


class UnknownHandler(APIHandler):
    """Answers for what is no route, so that a program never gets the page instead."""

    auth_resource = "nbcellar"

    @tornado.web.authenticated
    async def get(self) -> None:
        """Say that there is none."""
        self._refuse()

    @tornado.web.authenticated
    async def post(self) -> None:
        """Say that there is none."""
        self._refuse()

    def _refuse(self) -> None:
        self.set_status(404)
        self.finish(_ENCODER.encode(Problem(code="http", message="there is no such route", hint="see: nbcellar/api")))


def status_of(error: CellarError) -> HTTPStatus:
    """Return the status of an error: that of the nearest class above it that has one."""
    for kind in type(error).__mro__:
        if kind in _STATUS:
            return _STATUS[kind]
    return HTTPStatus.INTERNAL_SERVER_ERROR


def _text(value: bytes) -> str:
    """Return an argument as it was sent: tornado's own way strips spaces and replaces control characters."""
    return value.decode("utf-8")


__all__ = ["RouteHandler", "UnknownHandler", "status_of"]
