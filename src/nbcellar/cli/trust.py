"""Whose variables may be loaded.

Values can run code when they are loaded, so those of others are not, until you say so for this project. Reading,
listing and comparing their history is always possible.

    cellar trust ls                  the signers of this history, and who is trusted
    cellar trust add KEY             trust a signer (fingerprint or public key) for this project
    cellar trust rm KEY              take it back
"""

from __future__ import annotations

import argparse

from nbcellar.cli import exit_codes, text
from nbcellar.cli.console import Console

_COLORS = {"own": "green", "trusted": "green", "untrusted": "yellow", "blocked": "red"}


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="add|rm|ls", required=True)
    listing = actions.add_parser("ls", help="list signers", description="List the signers of this history.")
    listing.add_argument("--json", action="store_true", help="print JSON (docs/schemas/trust.json)")
    add = actions.add_parser("add", help="trust a signer", description="Trust a signer for this project.")
    add.add_argument("key", metavar="KEY", help="fingerprint or public key, as cellar trust ls shows it")
    add.add_argument("--name", default="", help="whose key it is, for your own listings")
    remove = actions.add_parser("rm", help="trust a signer no longer", description="Trust a signer no longer.")
    remove.add_argument("key", metavar="KEY", help="fingerprint, public key or name")


def run(args: argparse.Namespace, console: Console) -> int:
    with console.open_repo() as repo:
        if args.action == "add":
            added = repo.trust(args.key, name=args.name)
            console.print(f"trusted for this project: {added.key} {text.clean(added.name)}".rstrip())
            return exit_codes.OK
        if args.action == "rm":
            removed = repo.distrust(args.key)
            console.print(f"no longer trusted: {removed.key} {text.clean(removed.name)}".rstrip())
            return exit_codes.OK
        shown = repo.trusted_keys()
    if args.json:
        console.json(shown)
        return exit_codes.OK
    for key in shown.keys:
        state = console.style(f"{key.trust:<9}", _COLORS.get(key.trust, "dim"))
        count = text.plural(key.commits, "commit")
        console.print(f"{state} {key.key}  {count}  {text.clean(key.name)}".rstrip())
    return exit_codes.OK
