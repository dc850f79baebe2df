"""The routes as an OpenAPI 3.1 document, whose schemas the browser checks answers with and draws its types from."""

from __future__ import annotations

import inspect
from typing import Any

import msgspec
import tornado.web
from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler

from nbcellar import __version__
from nbcellar.server import messages
from nbcellar.server.route import Route
from nbcellar.server.routes import ROUTES

_NAME = {
    "name": "request",
    "in": "query",
    "required": False,
    "description": "A name of the sender's choice, by which the request can be cancelled; events `progress` have it.",
    "schema": {"type": "string", "maxLength": 64},
}
_REF = "#/components/schemas/{name}"


class OpenApiHandler(APIHandler):
    """Answers with the document."""

    auth_resource = "nbcellar"

    @tornado.web.authenticated
    @authorized
    async def get(self) -> None:
        """Send the document."""
        self.finish(document())


def document() -> dict[str, Any]:
    """Return the OpenAPI document of all routes."""
    kinds = [kind for route in ROUTES for kind in (route.takes, route.gives)]
    _, schemas = msgspec.json.schema_components([*kinds, messages.Problem, messages.Event], ref_template=_REF)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Cellar",
            "version": __version__,
            "description": "Every route needs the token or cookie of the Jupyter server; POST needs its XSRF token.",
        },
        "paths": {
            f"/nbcellar/api/{route.name}": {route.method.lower(): _operation(route, schemas)} for route in ROUTES
        },
        "components": {"schemas": _without_margins(schemas)},
    }


def _without_margins(part: Any) -> Any:
    """Return a part of the document with docstrings as every version of Python would have them."""
    if isinstance(part, list):
        return [_without_margins(each) for each in part]
    if not isinstance(part, dict):
        return part
    return {
        name: inspect.cleandoc(each) if name == "description" and isinstance(each, str) else _without_margins(each)
        for name, each in part.items()
    }


def _operation(route: Route, schemas: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": route.name,
        "summary": (route.does.__doc__ or "").strip().splitlines()[0],
        "responses": {
            "200": {"description": "Done.", "content": _json(route.gives.__name__)},
            "default": {"description": "Not done.", "content": _json("Problem")},
        },
    }
    found["x-action"], found["x-lane"] = route.action, route.lane
    if route.method == "POST":
        found["requestBody"] = {"required": True, "content": _json(route.takes.__name__)}
        found["parameters"] = [_NAME]
    else:
        asked = schemas[route.takes.__name__]
        found["parameters"] = [
            {"name": name, "in": "query", "required": name in asked.get("required", ()), "schema": schema}
            for name, schema in asked["properties"].items()
        ]
    return found


def _json(name: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": _REF.format(name=name)}}}


__all__ = ["OpenApiHandler", "document"]
