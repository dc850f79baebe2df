"""Apply a stored diff to a notebook: one of `cellar diff --json`, `cellar diff --format jep`, or nbdime's.

    cellar diff old.ipynb new.ipynb --json > change.json
    cellar patch old.ipynb change.json -o new.ipynb

A diff that does not fit the notebook is refused, and the error says where; nothing is written then. One of `cellar diff
--json` says which document it was made from and is refused for any other; --force applies it wherever it fits.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nbcellar.cli import exit_codes
from nbcellar.cli.console import Console
from nbcellar.errors import InvalidInputError

if TYPE_CHECKING:
    from nbcellar.notebook.model import Notebook

FAILURE = exit_codes.USAGE
"""The exit code of whatever goes wrong."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", metavar="NOTEBOOK", help="the notebook that the diff begins with")
    parser.add_argument("diff", metavar="DIFF", help="the diff; - reads it from standard input")
    parser.add_argument("--force", action="store_true", help="apply it to a notebook it was not made from, if it fits")
    parser.add_argument("-o", dest="output", metavar="OUT", help="write there, - prints it (default: onto NOTEBOOK)")


def run(args: argparse.Namespace, console: Console) -> int:
    from nbcellar.api.documents import patch_notebook
    from nbcellar.api.jupyter_trust import keep_trusted
    from nbcellar.api.notebook_files import STANDARD_INPUT, read_bytes, read_to_rewrite, write_rewritten
    from nbcellar.notebook.codec import write

    if args.path == args.diff == STANDARD_INPUT:
        raise InvalidInputError("only one of the two can be standard input")
    file, notebook = read_to_rewrite(args.path, console.folder)
    stored = _stored(read_bytes(args.diff, console.folder), args.diff)
    if stored.base is not None and not args.force:
        _check_base(notebook, stored.base, args)
    patched = patch_notebook(notebook, stored.operations)
    data = write(patched)
    target = args.output or args.path
    if target == STANDARD_INPUT:
        console.out.write(data.decode())
    else:
        changed = write_rewritten(file, target, console.folder, data)
        keep_trusted([file.data], data, console.environ)
        console.notice(f"wrote {target}" if changed else f"{target} is so already")
    return exit_codes.OK


@dataclass(frozen=True)
class _Stored:
    """The operations of a diff, and the digest of the document that it was made from, where that is known."""

    operations: Any
    base: str | None = None


def _check_base(notebook: Notebook, base: str, args: argparse.Namespace) -> None:
    from nbcellar.diff.document.base import check_base

    try:
        check_base(notebook, base)
    except InvalidInputError as error:
        hint = "apply it to the notebook that it was made from; with --force it is applied wherever it fits"
        raise InvalidInputError(f"{args.path}: {error.message}", hint=hint) from None


def _stored(data: bytes, name: str) -> _Stored:
    """Return the diff in a file of one of the three forms."""
    try:
        value = json.loads(data)
    except ValueError as error:
        raise InvalidInputError(f"{name}: not a diff: {error}") from None
    if not isinstance(value, dict):
        return _Stored(value)
    notebooks = value.get("notebooks")
    if not isinstance(notebooks, list) or not all(isinstance(entry, dict) for entry in notebooks):
        raise InvalidInputError(f"{name}: not a diff of a notebook", hint="cellar diff OLD NEW --json writes one")
    if len(notebooks) != 1:
        named = ", ".join(str(entry.get("name")) for entry in notebooks) or "none"
        raise InvalidInputError(f"{name} is a diff of {len(notebooks)} notebooks ({named}), not of one")
    base = notebooks[0].get("base_digest")
    if base is not None and not isinstance(base, str):
        raise InvalidInputError(f"{name}: base_digest is no text", hint="cellar diff OLD NEW --json writes one")
    return _Stored(notebooks[0].get("operations"), base)


__all__ = ["FAILURE", "configure", "run"]
