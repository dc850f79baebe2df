"""Decide what a merge left open in a notebook: conflict by conflict, or all alike.

In a terminal each conflict is shown and asked for: ours, theirs, both, base, or a text of your own in $EDITOR. The
notebook is written at the end, or when you quit; a conflict that you skip stays in it.

    cellar resolve analysis.ipynb              ask for each
    cellar resolve analysis.ipynb --theirs     take theirs for all
    cellar resolve analysis.ipynb --take 3f2a91c0=both
    cellar resolve analysis.ipynb --list

Deleting cells in Jupyter decides a conflict, too: it is open as long as one of its three notes is there.

Exits with 0 when nothing is left to decide, 1 when something is, 2 when it failed.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from nbcellar.cli import exit_codes, text
from nbcellar.cli.console import Console
from nbcellar.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nbcellar.merge.marks import Group
    from nbcellar.merge.resolving import Choice, Edited
    from nbcellar.notebook.model import Notebook

FAILURE = exit_codes.USAGE
"""The exit code of whatever goes wrong."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", metavar="NOTEBOOK", help="the merged notebook")
    action = parser.add_mutually_exclusive_group()
    for choice, what in (("ours", "our version"), ("theirs", "their version"), ("both", "ours, then theirs")):
        action.add_argument(f"--{choice}", dest="choice", action="store_const", const=choice, help=f"{what}, for all")
    action.add_argument(
        "--base", dest="choice", action="store_const", const="base", help="what both began with, for all"
    )
    action.add_argument(
        "--take", metavar="ID=CHOICE", action="append", help="ours, theirs, both or base for one conflict; repeatable"
    )
    action.add_argument("--list", action="store_true", help="list the conflicts that are open")
    parser.add_argument("-o", dest="output", metavar="OUT", help="write there, and leave NOTEBOOK as it is")


def run(args: argparse.Namespace, console: Console) -> int:
    from nbcellar.api.jupyter_trust import keep_trusted
    from nbcellar.api.notebook_files import STANDARD_INPUT, read_to_rewrite, write_rewritten
    from nbcellar.merge.marks import find_groups
    from nbcellar.merge.resolving import resolve
    from nbcellar.notebook.codec import write

    file, notebook = read_to_rewrite(args.path, console.folder)
    groups = [group for group in find_groups(notebook) if group.is_open]
    if args.list or not (groups or find_groups(notebook)):
        return _list(groups, args.path, console)
    choices = _choices(args, groups, notebook, console)
    decided = resolve(notebook, choices)
    data = write(decided)
    target = args.output or args.path
    if target == STANDARD_INPUT:
        console.out.write(data.decode())
    else:
        write_rewritten(file, target, console.folder, data)
        keep_trusted([file.data], data, console.environ, subset=True)
    left = [group for group in find_groups(decided) if group.is_open]
    done = len(groups) - len(left)
    if done:
        console.notice(f"decided {text.plural(done, 'conflict')} of {target}")
    if left:
        console.notice(f"{text.plural(len(left), 'conflict')} left")
        return exit_codes.FINDINGS
    console.notice("nothing is left to decide")
    return exit_codes.OK


def _choices(
    args: argparse.Namespace, groups: Sequence[Group], notebook: Notebook, console: Console
) -> dict[str, Choice | Edited] | Choice:
    if args.choice:
        choice: Choice = args.choice
        return choice
    if args.take:
        return dict(_taken(word) for word in args.take)
    if not groups:
        return {}
    if not console.can_ask:
        raise InvalidInputError(
            f"{text.plural(len(groups), 'conflict')} to decide, and nobody to ask: this is no terminal",
            hint="say --ours, --theirs, --both, --base or --take ID=CHOICE; --list shows them",
        )
    from nbcellar.cli.resolve_asking import ask

    return ask(groups, notebook, console)


def _taken(word: str) -> tuple[str, Choice]:
    from nbcellar.merge.resolving import CHOICES

    id_, _, choice = word.partition("=")
    for known in CHOICES:
        if choice == known and id_:
            return id_, known
    raise InvalidInputError(
        f"'{word}' is not ID=CHOICE", hint=f"choices are {', '.join(CHOICES)}; --list shows the ids"
    )


def _list(groups: Sequence[Group], path: str, console: Console) -> int:
    for group in groups:
        place = "the notebook's settings" if group.places("notebook") else f"cell {group.cells[0][0] + 1}"
        what = group.said or ", ".join(group.what) or "?"
        id_ = text.one_line(group.id, 40)
        line = f"{id_}  {place}: {text.one_line(what, 400)}"
        console.print(line if group.said else text.cut(line, console.width))
    if not groups:
        console.notice(f"nothing to decide in {path}")
    return exit_codes.FINDINGS if groups else exit_codes.OK


__all__ = ["FAILURE", "configure", "run"]
