"""List every change of branches, tags and HEAD, and undo one.

    cellar op log [-N COUNT]         list, newest first
    cellar op undo [OP]              undo the last one, or number OP; undo it again to redo

Checkouts and deleted branches are among them. When an undo moves HEAD, the variables of a live kernel go along.
"""

from __future__ import annotations

import argparse

from nbcellar.api.views import RefChange
from nbcellar.cli import exit_codes, text
from nbcellar.cli.console import Console
from nbcellar.cli.report import format_change


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="log|undo", required=True)
    log = actions.add_parser("log", help="list operations", description="List operations, newest first.")
    log.add_argument("-N", "--limit", type=int, metavar="COUNT", help="at most so many")
    log.add_argument("--json", action="store_true", help="print JSON (docs/schemas/op-log.json)")
    undo = actions.add_parser("undo", help="undo an operation", description="Undo an operation.")
    undo.add_argument("operation", metavar="OP", nargs="?", type=_number, help="its number (default: the last)")
    undo.add_argument("--json", action="store_true", help="print JSON (docs/schemas/op-undo.json)")


def run(args: argparse.Namespace, console: Console) -> int:
    with console.open_repo() as repo:
        if args.action == "log":
            operations = repo.ops(limit=args.limit)
            if args.json:
                console.json(operations)
                return exit_codes.OK
            for entry in operations.operations:
                number = console.style(f"{entry.number:>5}", "yellow")
                age = console.style(console.ago(entry.time), "dim")
                console.print(f"{number} {age} {text.one_line(entry.description, 90)}")
            return exit_codes.OK
        undone = repo.op_undo(args.operation)
    if args.json:
        console.json(undone)
        return exit_codes.OK
    console.print(f"undid operation {undone.undone}: {text.one_line(undone.description, 90)}")
    for change in undone.changes:
        console.print(f"  {_change(change)}")
    for note in undone.notes:
        console.print(f"  {console.style('note:', 'yellow')} {text.clean(note)}")
    if undone.session is not None:
        for line in format_change(undone.session, console, "the session is now at"):
            console.print(line)
    return exit_codes.OK


def _change(change: RefChange) -> str:
    return f"{change.name}: {change.before or 'absent'} -> {change.after or 'absent'}"


def _number(word: str) -> int:
    digits = word.removeprefix("op:")
    if not digits.isdecimal():
        raise argparse.ArgumentTypeError(f"'{word}' is no number of an operation; see: cellar op log")
    return int(digits)
