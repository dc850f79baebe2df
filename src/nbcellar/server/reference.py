"""The routes for people: a table at `nbcellar/api`, and the same one as docs/server.md.

Invariant: both are made of the OpenAPI document, and so of the routes. Not for: what a route does (their functions).
"""

from __future__ import annotations

from html import escape
from typing import Any

import tornado.web
from jupyter_server.auth.decorator import authorized

from nbcellar import __version__
from nbcellar.server.openapi import document
from nbcellar.server.page import PolicedHandler

_STYLE = """
:root { color-scheme: light dark; font: 14px/1.5 system-ui, sans-serif; }
body { max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .35rem .8rem .35rem 0;
  border-bottom: 1px solid color-mix(in srgb, CanvasText 18%, transparent); }
code { font: 13px/1.5 ui-monospace, monospace; overflow-wrap: anywhere; }
h2 { margin: 2.2rem 0 .4rem; font-size: 1.1rem; } h2 code { font-size: 1rem; }
p { margin: .3rem 0; }
"""
_ABOUT = (
    "Addresses are below the server's base URL. Each needs its token or cookie; POST with a cookie, the XSRF token."
)

_HEAD = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Cellar: routes</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style nonce="{nonce}">{style}</style></head>
<body><main><h1>Cellar {version}: routes</h1>
<p>{about} For programs: <a href="api/openapi.json">openapi.json</a> (OpenAPI 3.1).</p>"""


class ReferenceHandler(PolicedHandler):
    """Shows the routes."""

    @tornado.web.authenticated
    @authorized("read")
    async def get(self) -> None:
        """Send the page."""
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(page(self.nonce))


def page(nonce: str) -> str:
    """Return the routes as a page of its own, whose style has the nonce."""
    described = document()
    parts = [_HEAD.format(nonce=nonce, style=_STYLE, version=escape(__version__), about=_ABOUT)]
    for address, method, operation in _operations(described):
        parts.append(
            f"<h2 id='{escape(operation['operationId'])}'><code>{method} {escape(address)}</code></h2>"
            f"<p>{escape(operation['summary'])} Needs <code>{operation['x-action']}</code>; "
            f"answers with <code>{escape(_gives(operation))}</code>.</p>"
        )
        fields = _fields(operation, described)
        if fields:
            rows = "".join(
                f"<tr><td><code>{escape(name)}</code></td><td><code>{escape(kind)}</code></td><td>{escape(note)}</td></tr>"
                for name, kind, note in fields
            )
            parts.append(f"<table><tr><th>field</th><th>type</th><th>default</th></tr>{rows}</table>")
    return "".join(parts) + "</main></body></html>\n"


def table() -> str:
    """Return the routes as a table in Markdown."""
    rows = ["| route | needs | asked | answers with | |", "|---|---|---|---|---|"]
    described = document()
    for address, method, operation in _operations(described):
        asked = ", ".join(f"`{name}`" for name, _, _ in _fields(operation, described))
        rows.append(
            f"| `{method} {address}` | {operation['x-action']} | {asked} | `{_gives(operation)}` | "
            f"{operation['summary']} |"
        )
    return "\n".join(rows) + "\n"


def _operations(described: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (address.lstrip("/"), method.upper(), operation)
        for address, methods in described["paths"].items()
        for method, operation in methods.items()
    ]


def _gives(operation: dict[str, Any]) -> str:
    return _name(operation["responses"]["200"]["content"]["application/json"]["schema"])


def _fields(operation: dict[str, Any], described: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return name, type and default of what is asked; "required" where there is no default."""
    if "requestBody" in operation:
        asked = described["components"]["schemas"][
            _name(operation["requestBody"]["content"]["application/json"]["schema"])
        ]
        found = [(name, schema, name in asked.get("required", ())) for name, schema in asked["properties"].items()]
    else:
        found = [(part["name"], part["schema"], part["required"]) for part in operation["parameters"]]
    return [
        (name, _kind(schema), "required" if required else repr(schema["default"]) if "default" in schema else "")
        for name, schema, required in found
    ]


def _kind(schema: dict[str, Any]) -> str:
    """Return a type as a person writes it."""
    if "$ref" in schema:
        return _name(schema)
    if "anyOf" in schema:
        return " | ".join(_kind(part) for part in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(repr(value) for value in schema["enum"])
    kind = schema.get("type", "any")
    if kind == "array" and isinstance(schema.get("items"), dict):
        return f"{_kind(schema['items'])}[]"
    return " | ".join(kind) if isinstance(kind, list) else str(kind)


def _name(schema: dict[str, Any]) -> str:
    return str(schema["$ref"].rpartition("/")[2])


__all__ = ["ReferenceHandler", "page", "table"]
