"""The stand-alone page: files that were built from `ui/`, under a policy that lets nothing else run.

Invariant: no script but the page's own files, no style but these and what carries the request's nonce, no text that
becomes markup but through the page's one policy for that, nothing sent elsewhere, never in a frame of another site.

The page itself is for who is signed in. Its scripts, styles and fonts, the same in every installation, are sent to
anybody, as those of Jupyter are: a browser asks for modules without the XSRF token, and JupyterHub takes no cookie
then.
"""

from __future__ import annotations

import secrets
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any

import tornado.web
from jupyter_server.auth.decorator import allow_unauthenticated, authorized
from jupyter_server.base.handlers import JupyterHandler

_FOLDER = Path(__file__).resolve().parent / "static"
_ASSETS = _FOLDER / "assets"
_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
# Scripts: the one that carries the nonce, and what it loads. 'self' would allow the files that Jupyter serves, too.
# Frames: those with `srcdoc` alone, which have no address and inherit all of this. Trusted Types: `cellar` is the
# policy by which cleaned HTML gets into them, see `ui/src/components/diff/OutputView.tsx`.
_POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic'; style-src 'self' 'nonce-{nonce}'; "
    "img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; frame-src 'none'; object-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; require-trusted-types-for 'script'; trusted-types cellar"
)


class PolicedHandler(JupyterHandler):
    """Answers with a page under the strict policy."""

    auth_resource = "nbcellar"

    @cached_property
    def nonce(self) -> str:
        """What a style of this answer has to carry."""
        return secrets.token_urlsafe(16)

    @property
    def content_security_policy(self) -> str:
        """The page's own policy instead of the server's."""
        return _POLICY.format(nonce=self.nonce)

    def set_default_headers(self) -> None:
        """Keep the address, which may hold the token, to this server."""
        super().set_default_headers()
        self.set_header("Referrer-Policy", "same-origin")
        self.set_header("X-Content-Type-Options", "nosniff")

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Say what is wrong in plain text: the server's own page of errors needs scripts and styles."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        told = error.log_message if isinstance(error, tornado.web.HTTPError) else None
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"{status_code}: {told or self._reason}\n")


class PageHandler(PolicedHandler):
    """Sends the page, for any address of its own."""

    @tornado.web.authenticated
    @authorized("read")
    async def get(self, path: str | None = "") -> None:
        """Send it."""
        if path is None:  # without the slash, relative addresses of the page would miss
            self.redirect(self.request.path + "/" + ("?" + self.request.query if self.request.query else ""))
            return
        file = _FOLDER / "index.html"
        if not file.is_file():
            raise tornado.web.HTTPError(
                501, "this installation has no page: install the wheel, or build it with: make ui"
            )
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Cache-Control", "no-store")
        self.finish(self._page(file.read_text("utf-8")))

    def _page(self, text: str) -> str:
        """Return the page with what it has to know of this answer."""
        _ = self.xsrf_token  # sets the cookie that the page sends back with each POST
        known = {"csp-nonce": self.nonce, "cellar-base-url": self.base_url}
        told = "".join(f'<meta name="{name}" content="{escape(value)}" />' for name, value in known.items())
        told += f'<meta property="csp-nonce" nonce="{self.nonce}" />'  # where vite's loader of modules looks for it
        named = text.replace("<script ", f'<script nonce="{self.nonce}" ')
        return named.replace("<head>", f"<head>{told}", 1)


class AssetHandler(PolicedHandler):
    """Sends a script, style or font of the page, whose name changes with its content."""

    @allow_unauthenticated
    async def get(self, name: str) -> None:
        """Send it."""
        file = _find(name)
        if file is None:
            raise tornado.web.HTTPError(404)
        self.set_header("Content-Type", _TYPES.get(file.suffix, "application/octet-stream"))
        self.set_header("Cache-Control", "private, max-age=31536000, immutable")
        self.finish(file.read_bytes())


def _find(name: str) -> Path | None:
    """Return a file that the page needs, None for what is none."""
    try:
        file = (_ASSETS / name).resolve()
        return file if file.is_relative_to(_ASSETS) and file.is_file() else None
    except (OSError, ValueError, RuntimeError):  # no name that a file could have
        return None


__all__ = ["AssetHandler", "PageHandler", "PolicedHandler"]
