"""Apply a stored diff to a notebook: one of `cellar diff --json`, `cellar diff --format jep`, or nbdime's.

    cellar diff old.ipynb new.ipynb --json > change.json
    cellar patch old.ipynb change.json -o new.ipynb

A diff that does not fit the notebook is refused, and the error says where; nothing is written then.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

from nbcellar.cli import exit_codes
from nbcellar.cli.console import Console
from nbcellar.errors import InvalidInputError

FAILURE = exit_codes.USAGE
"""The exit code of whatever goes wrong."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", metavar="NOTEBOOK", help="the notebook that the diff begins with")
    parser.add_argument("diff", metavar="DIFF", help="the diff; - reads it from standard input")
    parser.add_argument("-o", dest="output", metavar="OUT", help="write there, - prints it (default: onto NOTEBOOK)")


def run(args: argparse.Namespace, console: Console) -> int:
    from nbcellar.api.documents import patch_notebook
    from nbcellar.api.jupyter_trust import keep_trusted
    from nbcellar.api.notebook_files import STANDARD_INPUT, read_bytes, read_to_rewrite, write_rewritten
    from nbcellar.notebook.codec import write

    if args.path == args.diff == STANDARD_INPUT:
        raise InvalidInputError("only one of the two can be standard input")
    file, notebook = read_to_rewrite(args.path, console.folder)
    patched = patch_notebook(notebook, _operations(read_bytes(args.diff, console.folder), args.diff))
    data = write(patched)
    target = args.output or args.path
    if target == STANDARD_INPUT:
        console.out.write(data.decode())
    else:
        changed = write_rewritten(file, target, console.folder, data)
        keep_trusted([file.data], data, console.environ)
        console.notice(f"wrote {target}" if changed else f"{target} is so already")
    return exit_codes.OK


def _operations(data: bytes, name: str) -> Any:
    """Return the operations in a file of one of the three forms."""
    try:
        value = json.loads(data)
    except ValueError as error:
        raise InvalidInputError(f"{name}: not a diff: {error}") from None
    if not isinstance(value, dict):
        return value
    notebooks = value.get("notebooks")
    if not isinstance(notebooks, list) or not all(isinstance(entry, dict) for entry in notebooks):
        raise InvalidInputError(f"{name}: not a diff of a notebook", hint="cellar diff OLD NEW --json writes one")
    if len(notebooks) != 1:
        named = ", ".join(str(entry.get("name")) for entry in notebooks) or "none"
        raise InvalidInputError(f"{name} is a diff of {len(notebooks)} notebooks ({named}), not of one")
    return notebooks[0].get("operations")


__all__ = ["FAILURE", "configure", "run"]
