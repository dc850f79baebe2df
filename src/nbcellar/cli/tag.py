"""List, make or delete tags: names that stay where they are.

cellar tag [-l]                  list
cellar tag NAME [REF]            make one at REF (default: HEAD); -f moves one that exists
cellar tag -d NAME               delete
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from nbcellar.api import Repo
from nbcellar.cli import exit_codes, text
from nbcellar.cli.console import Console
from nbcellar.errors import InvalidInputError


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", metavar="NAME", nargs="*", help="see above")
    action = parser.add_mutually_exclusive_group()
    action.add_argument("-l", "--list", action="store_true", help="list")
    action.add_argument("-d", "--delete", action="store_true", help="delete")
    parser.add_argument("-f", "--force", action="store_true", help="move a tag that exists")
    parser.add_argument("--json", action="store_true", help="print JSON (docs/schemas/tag.json)")


def run(args: argparse.Namespace, console: Console) -> int:
    count = len(args.names)
    if (args.delete and not count) or (args.list and count) or (not args.delete and count > 2):
        raise InvalidInputError(f"{text.plural(count, 'name')} do not fit this", hint="cellar tag --help")
    with console.open_repo() as repo:
        done = list(_change(repo, args, console))
        if args.json:
            console.json(repo.tags())
        else:
            for line in done if args.names else _list(repo, console):
                console.print(line)
    return exit_codes.OK


def _change(repo: Repo, args: argparse.Namespace, console: Console) -> Iterator[str]:
    if args.delete:
        for name in args.names:
            yield f"deleted tag {name}, was {repo.delete_tag(name)[:8]}"
    elif args.names:
        name, *ref = args.names
        commit = repo.tag(name, ref[0] if ref else "HEAD", force=args.force)
        yield f"tag {name} at {console.style(commit[:8], 'yellow')}"


def _list(repo: Repo, console: Console) -> Iterator[str]:
    tags = repo.tags().tags
    width = max((text.columns(tag.name) for tag in tags), default=0)
    for tag in tags:
        name = tag.name + " " * (width - text.columns(tag.name))
        yield f"{name}  {console.style(tag.commit[:8], 'yellow')} {text.one_line(tag.title, 60)}".rstrip()
