"""Go to any commit: bring back its variables and its code.

Variables change in the live kernel, all of them or, when one cannot be rebuilt, none. What the checkout replaces is
recorded first, so nothing is lost. A notebook that is open is not written under its editor: its code goes into a copy
beside it. Running a cell afterwards starts a branch by itself.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from nbcellar.cli.console import Console
from nbcellar.cli.report import add_replay, add_without, carry_out
from nbcellar.errors import InvalidInputError

if TYPE_CHECKING:
    from nbcellar.api.views import SessionChange
    from nbcellar.session.replay.replayer import Wish


def configure(parser: argparse.ArgumentParser) -> None:
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
    with console.open_repo() as repo:

        def checkout(replay: Wish) -> SessionChange:
            parts = {"variables": not args.code, "code": not args.variables}
            return repo.checkout(args.ref, **parts, without=args.without, replay=replay)

        return carry_out(console, args, repo, checkout, verb="code of" if args.code else "checked out")
