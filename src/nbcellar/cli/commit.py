"""Keep this point under a message: code and variables.

With a live kernel, the whole session is checked and recorded first. Without one, the last recorded state gets the name.
"""

from __future__ import annotations

import argparse

from nbcellar.cli import exit_codes, text
from nbcellar.cli.console import Console
from nbcellar.errors import InvalidInputError


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-m", "--message", metavar="TEXT", required=True, help="what this point is")
    parser.add_argument("--json", action="store_true", help="print JSON (docs/schemas/commit.json)")


def run(args: argparse.Namespace, console: Console) -> int:
    if not args.message.strip():
        raise InvalidInputError("the message is empty", hint='say what this point is: cellar commit -m "..."')
    with console.open_repo() as repo:
        made = repo.commit(args.message)
    if args.json:
        console.json(made)
        return exit_codes.OK
    branch = f"{made.branch} " if made.branch else ""
    console.print(f"[{branch}{console.style(made.id[:8], 'yellow')}] {text.one_line(made.message, 70)}")
    if not made.live:
        console.print("  no kernel is live: this names the last recorded state")
    for note in made.notes:
        console.print(f"  {console.style('note:', 'yellow')} {text.clean(note)}")
    return exit_codes.OK
