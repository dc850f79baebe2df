"""Take back what the last cell run did to the variables and the random state.

Acts on the live kernel of the notebook. The code of the notebook is left alone, and nothing is lost: redo brings the
variables back. A running cell is waited for.
"""

from __future__ import annotations

import argparse

from nbcellar.cli.console import Console
from nbcellar.cli.report import add_replay, add_without, carry_out


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "steps", metavar="N", nargs="?", type=step_count, default=1, help="cell runs to undo (default: 1)"
    )
    add_without(parser)
    add_replay(parser)
    parser.add_argument("--json", action="store_true", help="print JSON (docs/schemas/session-change.json)")


def run(args: argparse.Namespace, console: Console) -> int:
    with console.open_repo() as repo:
        return carry_out(
            console, args, repo, lambda replay: repo.undo(args.steps, without=args.without, replay=replay), verb="undid"
        )


def step_count(word: str) -> int:
    """Return the number of steps in an argument."""
    if not word.isdecimal() or int(word) < 1:
        raise argparse.ArgumentTypeError(f"'{word}' is no number of steps; give 1 or more")
    return int(word)
