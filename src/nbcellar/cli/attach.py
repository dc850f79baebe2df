"""Record a notebook, its running kernel included.

Takes the notebook off the list of those that are not recorded, and lets its running kernel join: the variables that are
there become a commit. A kernel that cannot be found joins by '%load_ext nbcellar' in a cell.
"""

from __future__ import annotations

import argparse

from nbcellar.cli import exit_codes
from nbcellar.cli.console import Console


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("notebook_file", metavar="NB", help="the notebook")


def run(args: argparse.Namespace, console: Console) -> int:
    from nbcellar.api import joining

    with console.open_repo() as repo:
        result = joining.attach(repo, args.notebook_file)
    console.print(f"recording {result.path}" if result.is_on else f"not recording {result.path}")
    for note in result.notes:
        console.print(f"  {note}")
    return exit_codes.OK if result.is_on else exit_codes.FINDINGS
