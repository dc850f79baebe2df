"""Show the key that signs your commits. It is made when it is first needed, and stays on this machine."""

from __future__ import annotations

import argparse

from nbcellar.cli import exit_codes
from nbcellar.cli.console import Console


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="show", required=True)
    show = actions.add_parser("show", help="show the key", description="Show the public key and where it is kept.")
    show.add_argument("--json", action="store_true", help="print JSON (docs/schemas/key.json)")


def run(args: argparse.Namespace, console: Console) -> int:
    from nbcellar.api import own_key

    key = own_key(console.environ)
    if args.json:
        console.json(key)
        return exit_codes.OK
    console.print(key.fingerprint)
    console.print(f"  public key: {key.key}")
    console.print(f"  kept in:    {key.path}")
    return exit_codes.OK
