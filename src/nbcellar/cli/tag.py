"""List, make or delete tags: names that stay where they are.

cellar tag                       list
cellar tag NAME [REF]            make one at REF (default: HEAD); -f moves one that exists
cellar tag -d NAME               delete
"""

from __future__ import annotations

import argparse

from nbcellar.cli import exit_codes, text
from nbcellar.cli.console import Console
from nbcellar.errors import InvalidInputError


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", metavar="NAME", nargs="*", help="see above")
    parser.add_argument("-d", "--delete", action="store_true", help="delete")
    parser.add_argument("-f", "--force", action="store_true", help="move a tag that exists")
    parser.add_argument("--json", action="store_true", help="print JSON (docs/schemas/tag.json)")


def run(args: argparse.Namespace, console: Console) -> int:
    if (args.delete and not args.names) or (not args.delete and len(args.names) > 2):
        raise InvalidInputError(f"{len(args.names)} names do not fit this", hint="cellar tag --help")
    with console.open_repo() as repo:
        if args.delete:
            for name in args.names:
                console.print(f"deleted tag {name}, was {repo.delete_tag(name)[:8]}")
        elif args.names:
            name, *ref = args.names
            commit = repo.tag(name, ref[0] if ref else "HEAD", force=args.force)
            console.print(f"tag {name} at {console.style(commit[:8], 'yellow')}")
        elif args.json:
            console.json(repo.tags())
        else:
            for tag in repo.tags().tags:
                commit = console.style(tag.commit[:8], "yellow")
                console.print(f"{tag.name}  {commit} {text.one_line(tag.title, 60)}".rstrip())
    return exit_codes.OK
