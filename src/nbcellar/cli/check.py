"""Verify that everything stored is whole: objects, commits, signatures, references.

Without --read-data, large pieces of values are looked for but not read; the last lines say what was not read.
--rebuild makes a new meta.db from the packs when it was lost or is damaged.
"""

from __future__ import annotations

import argparse

from nbcellar.cli import exit_codes, text
from nbcellar.cli.console import Console


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--read-data", action="store_true", help="read every byte and compare it with its digest")
    parser.add_argument("--rebuild", action="store_true", help="make a new meta.db from the packs first")
    parser.add_argument("--json", action="store_true", help="print JSON (docs/schemas/check.json)")


def run(args: argparse.Namespace, console: Console) -> int:
    lost: list[str] = []
    if args.rebuild:
        from nbcellar.api import rebuild

        lines, lost = rebuild(console.folder)
        for line in (*lines, *lost):
            console.notice(line)
    with console.open_repo() as repo:
        found = repo.check(read_data=args.read_data)
    if args.json:
        console.json(found)
    else:
        for line in found.damaged:
            console.print(f"{console.style('damaged:', 'red')} {text.clean(line)}")
        counts = ((found.commits, "commit"), (found.signatures, "signature"), (found.objects, "object"))
        looked = ", ".join(text.plural(count, noun) for count, noun in counts)
        state = console.style(text.plural(len(found.damaged), "problem"), "red") if found.damaged else "whole"
        console.print(f"{looked}: {state}")
        if found.thinned:
            console.print(f"  {text.plural(found.thinned, 'value')} of old states thinned out by gc: no damage")
        for line in found.not_read:
            console.print(f"  not read: {line}")
    return 4 if found.damaged or lost else exit_codes.OK
