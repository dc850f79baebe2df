"""List the variables of a commit: name, type, preview, size, version.

The previews were made when the values were recorded; nothing is loaded to show them. The same version at two commits is
the same value. A variable that is not stored, or that may not be what it was, says why.
"""

from __future__ import annotations

import argparse

from nbcellar.cli import exit_codes, text
from nbcellar.cli.console import Console
from nbcellar.cli.show import preview, remarks


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("ref", metavar="REF", nargs="?", default="HEAD", help="the commit (default: HEAD)")
    parser.add_argument("--json", action="store_true", help="print JSON (docs/schemas/vars.json)")


def run(args: argparse.Namespace, console: Console) -> int:
    with console.open_repo() as repo:
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
            console.print(console.style(f"  shares memory with {text.names(variable.shares_with)}", "dim"))
    return exit_codes.OK
