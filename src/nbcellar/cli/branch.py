"""List, make, rename or delete branches.

cellar branch [-l]               list
cellar branch NAME [REF]         make one at REF (default: HEAD); -f moves one that exists
cellar branch -m [OLD] NEW       rename (default: the current one)
cellar branch -d NAME            delete; its commits stay reachable by operations: cellar op undo
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
    action.add_argument("-d", "-D", "--delete", action="store_true", help="delete")
    action.add_argument("-m", "--move", action="store_true", help="rename")
    parser.add_argument("-f", "--force", action="store_true", help="move or replace a branch that exists")
    parser.add_argument("--json", action="store_true", help="print JSON (docs/schemas/branch.json)")


def run(args: argparse.Namespace, console: Console) -> int:
    if args.list and args.names:
        raise InvalidInputError("-l lists all branches; it takes no name", hint="cellar branch --help")
    with console.open_repo() as repo:
        done = list(_change(repo, args, console))
        if args.json:
            console.json(repo.branches())
        else:
            for line in done or _list(repo, console):
                console.print(line)
    return exit_codes.OK


def _change(repo: Repo, args: argparse.Namespace, console: Console) -> Iterator[str]:
    if args.delete:
        for name in _some(args.names, 1, None, "-d"):
            yield f"deleted branch {name}, was {repo.delete_branch(name)[:8]}"
    elif args.move:
        names = _some(args.names, 1, 2, "-m")
        old = names[0] if len(names) == 2 else None
        yield f"renamed branch {repo.rename_branch(old, names[-1], force=args.force)} to {names[-1]}"
    elif args.names:
        name, *ref = _some(args.names, 1, 2, "")
        commit = repo.branch(name, ref[0] if ref else "HEAD", force=args.force)
        yield f"branch {name} at {console.style(commit[:8], 'yellow')}"


def _list(repo: Repo, console: Console) -> Iterator[str]:
    shown = repo.branches()
    if shown.detached_at is not None:
        yield f"* {console.style(f'(HEAD detached at {shown.detached_at[:8]})', 'cyan')}"
    width = max((text.columns(branch.name) for branch in shown.branches), default=0)
    for branch in shown.branches:
        name = branch.name + " " * (width - text.columns(branch.name))
        mark, shown_name = ("*", console.style(name, "green")) if branch.current else (" ", name)
        title = text.one_line(branch.title, 60)
        yield f"{mark} {shown_name}  {console.style(branch.commit[:8], 'yellow')} {title}".rstrip()


def _some(names: list[str], least: int, most: int | None, option: str) -> list[str]:
    if len(names) < least or (most is not None and len(names) > most):
        raise InvalidInputError(
            f"{len(names)} names do not fit '{f'cellar branch {option}'.rstrip()}'", hint="cellar branch --help"
        )
    return names
