"""Stop recording a notebook, or all of this folder. What is recorded stays.

The running kernel saves what is pending and stops; the notebook is written to the list of those that are not recorded
(record.off_notebooks), so that it stays off. --session stops the running kernel only.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from nbcellar.cli import exit_codes
from nbcellar.cli.console import Console
from nbcellar.errors import InvalidInputError

if TYPE_CHECKING:
    from nbcellar.api.repo import Repo


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("notebook_file", metavar="NB", nargs="?", help="the notebook (default: that of -n)")
    parser.add_argument("--all", action="store_true", help="every notebook of this repository")
    parser.add_argument("--session", action="store_true", help="only the kernels that run now")


def _own(repo: Repo) -> str:
    """Return the file of the notebook that the command is given in, as `%cellar detach`."""
    if repo.default_notebook is None:
        raise InvalidInputError("give a notebook or --all", hint="cellar detach --help")
    return str(repo.root / repo.repository.label(repo.notebook()))


def run(args: argparse.Namespace, console: Console) -> int:
    from nbcellar.api import joining

    if args.notebook_file and args.all:
        raise InvalidInputError("give a notebook or --all", hint="cellar detach --help")
    with console.open_repo() as repo:
        if args.all:
            result = joining.detach_all(repo, only_session=args.session)
        else:
            file = args.notebook_file or _own(repo)
            result = joining.detach(repo, file, only_session=args.session)
    console.print(f"no longer recording {result.path}")
    for note in result.notes:
        console.print(f"  {note}")
    return exit_codes.OK
