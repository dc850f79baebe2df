"""Remove what nothing refers to any more.

Kept are the commits that branches, tags, HEADs and the operations of the last days reach (gc.keep_ops_days, 30). What
is removed waits in a trash folder for some days, unless --now.
"""

from __future__ import annotations

import argparse

from nbcellar.cli import exit_codes, text
from nbcellar.cli.console import Console


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="say what would be removed, remove nothing")
    parser.add_argument("--now", action="store_true", help="empty the trash at once")
    parser.add_argument("--json", action="store_true", help="print JSON (docs/schemas/gc.json)")


def run(args: argparse.Namespace, console: Console) -> int:
    with console.open_repo() as repo:
        result = repo.gc(dry_run=args.dry_run, purge=args.now)
    if args.json:
        console.json(result)
        return exit_codes.OK
    verb = "would remove" if result.dry_run else "removed"
    console.print(f"{verb} {text.plural(result.removed_objects, 'object')}, {text.size(result.removed_bytes)}")
    console.print(f"kept {text.plural(result.kept_objects, 'object')}, {text.size(result.kept_bytes)}")
    return exit_codes.OK
