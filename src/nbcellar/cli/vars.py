"""List the variables of a commit: name, type, preview, size, version.

The previews were made when the values were recorded; nothing is loaded to show them. The same version at two commits is
the same value. A variable that is not stored, or that may not be what it was, says why.

With --history, the versions of one variable: the commit and cell of each, the value before and after, and which version
came back.
"""

from __future__ import annotations

import argparse

from nbcellar.cli import exit_codes, text
from nbcellar.cli.console import Console
from nbcellar.cli.show import preview, remarks
from nbcellar.cli.versions import print_history
from nbcellar.errors import InvalidInputError


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("ref", metavar="REF", nargs="?", default="HEAD", help="the commit (default: HEAD)")
    parser.add_argument("--history", metavar="NAME", help="list the versions of this variable, newest first")
    parser.add_argument("--all", action="store_true", help="with --history: in all commits, not only what REF reaches")
    parser.add_argument(
        "--json", action="store_true", help="print JSON (docs/schemas/vars.json, variable-history.json)"
    )


def run(args: argparse.Namespace, console: Console) -> int:
    if args.all and args.history is None:
        raise InvalidInputError("--all goes with --history NAME", hint="all variables of a commit: cellar vars REF")
    with console.open_repo() as repo:
        if args.history is not None:
            return print_history(repo.variable_history(args.history, ref=args.ref, all=args.all), console, args)
        shown = repo.vars(args.ref)
    if args.json:
        console.json(shown)
        return exit_codes.OK
    if not shown.variables:
        console.notice(f"no variables at {shown.commit[:8]}")
        return exit_codes.OK
    rows = [
        (v.name, v.type.rpartition(".")[2] or v.type, text.size(v.size_bytes), v.version[:8], preview(v, 120))
        for v in shown.variables
    ]
    lines = text.table(("name", "type", "size", "version", "preview"), rows, width=console.width, right=(2,))
    console.print(console.style(lines[0], "bold"))
    for variable, line in zip(shown.variables, lines[1:], strict=True):
        console.print(line)
        for remark in remarks(variable, console):
            console.print(f"  {remark}")
        if variable.shares_with:
            together = f"; together {text.size(variable.together_bytes)}" if variable.together_bytes else ""
            console.print(console.style(f"  shares memory with {text.names(variable.shares_with)}{together}", "dim"))
    return exit_codes.OK
