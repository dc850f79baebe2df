"""Cellar in Jupyter Server: REST routes, events and the stand-alone page, for the extension of JupyterLab and browsers.

Invariant: everything that the browser can do is a function of `api/`; what is here finds the notebook that a request
means, keeps it below the server's root, and turns structs into JSON and errors into answers. Every route is
authenticated, authorised and described in `schema/openapi.json`; nothing is changed by GET.

Not for: being imported by anything; jupyter_server loads it, or `python -m nbcellar.server` does.
"""

from __future__ import annotations

from typing import Any


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """What jupyter_server asks an extension for."""
    from nbcellar.server.app import CellarServer

    return [{"module": "nbcellar.server", "app": CellarServer}]
