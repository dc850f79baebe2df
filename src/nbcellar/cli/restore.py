"""Bring a session back into a new kernel, after a crash, a restart or the end of the day.

Without REF: the last recorded state. The kernel must be running; start one by opening the notebook.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from nbcellar.cli.console import Console
from nbcellar.cli.report import add_replay, add_without, carry_out

if TYPE_CHECKING:
    pass


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("ref", metavar="REF", nargs="?", help="which state (default: the last before the kernel began)")
    add_without(parser)
    add_replay(parser)
    parser.add_argument("--json", action="store_true", help="print JSON (docs/schemas/session-change.json)")


def run(args: argparse.Namespace, console: Console) -> int:
    with console.open_repo() as repo:
        return carry_out(
            console,
            args,
            repo,
            lambda replay: repo.restore(args.ref, without=args.without, replay=replay),
            verb="restored",
        )
