"""Change the message of a commit. The commit keeps its id: the new message is kept beside it."""

from __future__ import annotations

import argparse

from nbcellar.cli import exit_codes
from nbcellar.cli.console import Console


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("ref", metavar="REF", help="the commit")
    parser.add_argument("text", metavar="TEXT", help="the new message; an empty one takes the old one back")


def run(args: argparse.Namespace, console: Console) -> int:
    with console.open_repo() as repo:
        commit = repo.set_message(args.ref, args.text)
        title = args.text or repo.show(commit).commit.title
    console.print(f"{console.style(commit[:8], 'yellow')} {title}".rstrip())
    return exit_codes.OK
