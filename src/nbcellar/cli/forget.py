"""Remove a variable or a commit from history for good.

History is rewritten: commits after the first one concerned get new ids, and what was removed is deleted from disk at
once, with the operations that could bring it back. Text in cells is not changed; cells that mention the name are
listed.
"""

from __future__ import annotations

import argparse

from nbcellar.cli import exit_codes, text
from nbcellar.cli.console import Console
from nbcellar.errors import InvalidInputError


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", metavar="VAR|REF", help="name of a variable, or a commit")
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--variable", action="store_true", help="VAR|REF is a variable's name")
    kind.add_argument("--commit", action="store_true", help="VAR|REF is a commit")
    parser.add_argument("--force", action="store_true", help="rewrite commits that somebody else signed, too")
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask")
    parser.add_argument("--json", action="store_true", help="print JSON (docs/schemas/forget.json)")


def run(args: argparse.Namespace, console: Console) -> int:
    with console.open_repo() as repo:
        kind = "variable" if args.variable else "commit" if args.commit else repo.what_is(args.what)
        if kind == "commit":
            repo.locate(args.what)  # a wrong reference is told before anything is asked
        if not args.yes and not _confirmed(kind, args.what, console):
            console.notice("nothing was changed")
            return exit_codes.FINDINGS
        done = repo.forget(args.what, kind=kind, force=args.force)
    if args.json:
        console.json(done)
        return exit_codes.OK
    rewritten, deleted = text.plural(done.rewritten, "commit"), text.size(done.removed_bytes)
    console.print(f"forgot {done.what}: {rewritten} rewritten, {deleted} deleted")
    note = console.style("note:", "yellow")
    if done.shared_pieces:
        pieces = text.plural(done.shared_pieces, "piece")
        console.print(f"  {note} kept: {pieces} of the value, because other variables hold the same bytes")
    for line in done.notes:
        console.print(f"  {note} {text.clean(line)}")
    for commit in done.sources_with_text:
        console.print(
            f"  {note} the code or message of {commit[:8]} names it; remove that with: cellar forget {commit[:8]}"
        )
    return exit_codes.OK


def _confirmed(kind: str, what: str, console: Console) -> bool:
    if not console.can_ask:
        raise InvalidInputError(f"forgetting {kind} '{what}' cannot be undone", hint="add --yes if you mean it")
    return console.confirm(f"Remove {kind} '{what}' from history for good? This cannot be undone.")
