"""Bring back what undo took back. Running a cell ends it."""

from __future__ import annotations

import argparse

from nbcellar.cli.console import Console
from nbcellar.cli.report import add_replay, add_without, carry_out
from nbcellar.cli.undo import step_count


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("steps", metavar="N", nargs="?", type=step_count, default=1, help="steps to redo (default: 1)")
    add_without(parser)
    add_replay(parser)
    parser.add_argument("--json", action="store_true", help="print JSON (docs/schemas/session-change.json)")


def run(args: argparse.Namespace, console: Console) -> int:
    with console.open_repo() as repo:
        return carry_out(
            console, args, repo, lambda replay: repo.redo(args.steps, without=args.without, replay=replay), verb="redid"
        )
