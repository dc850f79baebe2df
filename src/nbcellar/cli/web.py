"""Show notebooks, their changes and histories in a browser.

Starts a server on this machine alone, behind a token, and opens its page: the notebooks of a folder, and what changed
in each since git's HEAD; for one notebook, that comparison. It ends with Ctrl-C. Jupyter need not run; where JupyterLab
does, the same views are in it.

    cellar web                     the notebooks of this folder
    cellar web analysis.ipynb      what changed in one since git's HEAD
    cellar web --no-browser        print the address alone
"""

from __future__ import annotations

import argparse

from nbcellar.cli import exit_codes
from nbcellar.cli.console import Console
from nbcellar.errors import InvalidInputError, NotFoundError


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", metavar="PATH", nargs="?", default=".", help="a folder or a notebook (default: here)")
    parser.add_argument("--port", metavar="N", type=_port, help="the port to listen on (default: any that is free)")
    parser.add_argument("--no-browser", action="store_true", help="print the address, and open nothing")


def run(args: argparse.Namespace, console: Console) -> int:
    from nbcellar.cli.web_server import serving

    path = (console.folder / args.path).resolve()
    if not path.exists():
        raise NotFoundError(f"no file or folder {args.path}")
    query = {}
    if not path.is_dir():
        query = {"view": "diff", "path": path.name}
        path = path.parent
    with serving(path, console, port=args.port) as server:
        server.show(query, console, browser=not args.no_browser)
        if server.wait():
            raise InvalidInputError("the page's server ended by itself")
    return exit_codes.OK


def _port(word: str) -> int:
    if not word.isdecimal() or not 0 < int(word) < 65536:
        raise argparse.ArgumentTypeError(f"'{word}' is no port: 1 to 65535")
    return int(word)


__all__ = ["configure", "run"]
