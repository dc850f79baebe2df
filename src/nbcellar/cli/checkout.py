"""Go to any commit: bring back its variables and its code.

Variables change in the live kernel, all of them or, when one cannot be rebuilt, none. What the checkout replaces is
recorded first, so nothing is lost. A notebook that is open is not written under its editor: its code goes into a copy
beside it. Running a cell afterwards starts a branch by itself.

    cellar checkout v1               all of it
    cellar checkout 3f2a -- df       df of that commit, into the session as it is

Names after -- are the only variables that are brought. Code and all other variables stay, the branch goes on from where
it is, and cellar undo takes it back. A variable that shared state with others comes with these or not at all: the error
names them.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from nbcellar.cli import text
from nbcellar.cli.console import Console
from nbcellar.cli.report import add_replay, add_without, carry_out, print_change
from nbcellar.errors import InvalidInputError

if TYPE_CHECKING:
    from nbcellar.api.views import SessionChange
    from nbcellar.session.replay.replayer import Wish


AFTER_DASHES = "names"
"""Where the words after `--` go."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.usage = "cellar checkout [options] REF [-- NAME...]"
    parser.set_defaults(names=[])
    parser.add_argument("ref", metavar="REF", help="a branch, tag, commit, HEAD~2, op:12, ...")
    part = parser.add_mutually_exclusive_group()
    part.add_argument("--variables", action="store_true", help="the session only; the notebook's code is left alone")
    part.add_argument("--code", action="store_true", help="the notebook only; needs no kernel")
    add_without(parser)
    add_replay(parser)
    parser.add_argument("--json", action="store_true", help="print JSON (docs/schemas/session-change.json)")


def run(args: argparse.Namespace, console: Console) -> int:
    if args.code and args.without:
        raise InvalidInputError("--without leaves out a variable, and --code brings back none", hint="give one of them")
    if args.names:
        return _take(args, console)
    with console.open_repo() as repo:

        def checkout(replay: Wish) -> SessionChange:
            variables, code = not args.code, not args.variables
            return repo.checkout(args.ref, variables=variables, code=code, without=args.without, replay=replay)

        return carry_out(console, args, repo, checkout, verb="code of" if args.code else "checked out")


def _take(args: argparse.Namespace, console: Console) -> int:
    """Bring single variables."""
    for option, is_given in (("--code", args.code), ("--without", args.without), ("--replay", args.replay)):
        if is_given:
            raise InvalidInputError(
                f"{option} does not go with names after --", hint=f"without them: cellar checkout {args.ref} {option}"
            )
    with console.open_repo() as repo:
        change = repo.checkout(args.ref, names=args.names)
    names = text.names(args.names)
    return print_change(change, console, args, verb=f"checked out {names} of")
