"""List the history of a notebook, newest first.

Each line: id, when, names that point there, the message or the first line of the cell, and what changed:
+a added, ~b changed, -c removed. [3] is the execution count; a failed cell is marked.

With the name of a variable, its versions are listed, each with the cell that made it. A name that is a branch, too,
means the branch, unless --variable is given.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from nbcellar.api.reading import graph
from nbcellar.api.views import CommitLine, Log
from nbcellar.cli import exit_codes, text
from nbcellar.cli.console import Console
from nbcellar.errors import InvalidInputError, UnknownReferenceError

if TYPE_CHECKING:
    from nbcellar.api import Repo

_TITLE_COLUMNS = 48  # two fifths of a wide terminal
_LEAST_TITLE_COLUMNS = 19  # "restore to 3f2a1b0c" is whole
_LEAST_NAME_COLUMNS = 12
_REST_COLUMNS = 9  # " …99 more"
_MOST_COMMITS = 1000
KIND_WORDS = {
    "start": "kernel started",
    "attach": "recording began",
    "between": "changed between cells",
    "undo": "undo",
    "redo": "redo",
    "checkout": "checkout",
    "restore": "restore",
    "merge": "merge",
}


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "ref", metavar="REF|NAME", nargs="?", help="where to begin (default: HEAD), or a variable's name"
    )
    parser.add_argument("--variable", action="store_true", help="REF|NAME is a variable's name: list its versions")
    parser.add_argument("--all", action="store_true", help="all branches, not only what HEAD reaches")
    parser.add_argument("--graph", action="store_true", help="draw how commits follow each other")
    parser.add_argument(
        "-N",
        "--limit",
        type=commit_count,
        metavar="COUNT",
        help="at most so many commits (default: 1000; 0: all; JSON: all)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON (docs/schemas/log.json)")


def run(args: argparse.Namespace, console: Console) -> int:
    with console.open_repo() as repo:
        if _means_variable(args, repo, console):
            from nbcellar.cli.versions import print_history

            return print_history(repo.variable_history(args.ref, all=args.all), console, args)
        if args.json:
            console.json(repo.log(args.ref, all=args.all, limit=args.limit or None))
            return exit_codes.OK
        limit = _MOST_COMMITS if args.limit is None else args.limit
        found = repo.log(args.ref, all=args.all, limit=limit + 1 if limit else None)
    shown = msgspec.structs.replace(found, commits=found.commits[:limit]) if limit else found
    if not shown.commits:
        console.notice("nothing is recorded yet; open the notebook and run a cell")
    for line in format_log(shown, console, drawn=args.graph):
        console.print(line)
    if args.limit is None and len(found.commits) > len(shown.commits):
        console.notice(f"there are more than these {len(shown.commits):,}; all of them: cellar log -N 0")
    return exit_codes.OK


def _means_variable(args: argparse.Namespace, repo: Repo, console: Console) -> bool:
    """Say whether the versions of a variable are asked for: a name that is a reference, too, is a reference."""
    if args.ref is None:
        if args.variable:
            raise InvalidInputError("which variable?", hint="cellar log --variable NAME")
        return False
    if args.variable:
        return True
    is_variable = (args.ref.isidentifier() or "(" in args.ref) and repo.is_variable(args.ref)  # plt.figure(1)
    try:
        repo.resolve(args.ref)
    except UnknownReferenceError as error:
        if is_variable:
            return True
        if args.ref.isidentifier():
            raise UnknownReferenceError(_unknown(args.ref, error.message, repo), hint=error.hint) from None
        raise
    if is_variable:
        console.notice(f"'{args.ref}' is a variable, too; its versions: cellar log --variable {args.ref}")
    return False


def _unknown(word: str, message: str, repo: Repo) -> str:
    """Return what is wrong with a word that may have been meant as a variable's name."""
    from fnmatch import fnmatchcase

    if any(fnmatchcase(word, pattern) for pattern in repo.settings.record.skip_names):
        return f"{message}, and variables of such names are not recorded (setting record.skip_names)"
    return f"{message}, and no variable of that name was recorded"


def format_log(log: Log, console: Console, *, drawn: bool) -> Iterator[str]:
    """Yield each commit as one line, with a drawing of the graph beside it if `drawn`."""
    if not drawn:
        for line in log.commits:
            yield format_line(line, console)
        return
    for drawing, commit in graph(log):
        body = format_line(commit, console, beside=text.columns(drawing) + 1) if commit is not None else ""
        yield f"{console.style(drawing, 'blue')} {body}".rstrip()


def format_line(line: CommitLine, console: Console, *, beside: int = 0) -> str:
    """Return a commit as `git log --oneline` would, in one line of the terminal: id, age, names, title, changes.

    beside: columns that are taken already. Id, names and marks are always whole, the title gives way first.
    """
    marks = [word for word, is_so in (("uncertain", line.uncertain), ("not saved", line.not_saved)) if is_so]
    marks += ["thinned out"] if line.thinned else []
    uncertain = console.style(", ".join(marks), "yellow") if marks else ""
    width = console.width - beside - (text.shown_columns(uncertain) + 2 if uncertain else 0)
    least = text.shown_columns(format_changes(line, console, room=0))
    begin = format_head(line, console, width=width - (least + 2 if least else 0))
    room = width - text.shown_columns(begin) - 2
    return "  ".join(part for part in (begin, format_changes(line, console, room=room), uncertain) if part)


def format_head(line: CommitLine, console: Console, *, width: int | None = None) -> str:
    """Return id, age, names, execution count and title of a commit, and whether its cell failed.

    width: how many columns there are (default: the terminal's); the title is cut to fit, to a few letters at least.
    """
    width = console.width if width is None else width
    besides = text.shown_columns(_head(line, console, ""))
    most = max(_TITLE_COLUMNS, console.width * 2 // 5)
    title = _title(line, console, max(_LEAST_TITLE_COLUMNS, min(most, width - besides - 1)))
    return _head(line, console, title)


def _head(line: CommitLine, console: Console, title: str) -> str:
    parts = [console.style(line.id[:8], "yellow"), console.style(console.ago(line.time), "dim")]
    labels = format_labels(line, console)
    if labels:
        parts.append(labels)
    count = f"[{line.execution_count}]" if line.execution_count is not None else ""
    if count:
        parts.append(console.style(count, "cyan"))
    parts.append(title)
    failed = console.style("failed", "red") if line.failed else ""
    return "  ".join(part for part in (" ".join(part for part in parts if part), failed) if part)


def format_labels(line: CommitLine, console: Console) -> str:
    """Return `(HEAD -> main, tag: v1)` or nothing."""
    head = any(label.kind == "head" for label in line.labels)
    current = next((label.name for label in line.labels if label.kind == "head"), "")
    words = []
    if head:
        words.append(console.style(f"HEAD -> {current}" if current else "HEAD", "cyan", "bold"))
    words += [console.style(b.name, "green") for b in line.labels if b.kind == "branch" and b.name != current]
    words += [console.style(f"tag: {t.name}", "magenta") for t in line.labels if t.kind == "tag"]
    return f"({', '.join(words)})" if words else ""


def format_changes(line: CommitLine, console: Console, *, room: int, most: int = 8) -> str:
    """Return `+a ~b -c`, as many as fit into `room` columns but one at least (its name cut, where it is long), and not
    more than `most`; what else changed is a number."""
    marked = [(text.clean(f"+{name}"), "green") for name in line.added]
    marked += [(text.clean(f"~{name}"), "yellow") for name in line.changed]
    marked += [(text.clean(f"-{name}"), "red") for name in line.removed]
    ends = list(itertools.accumulate(text.columns(word) + 1 for word, _ in marked))
    if line.more_changes or len(marked) > most or (marked and ends[-1] > room + 1):
        room -= _REST_COLUMNS
        most = min(most, max(sum(end <= room + 1 for end in ends), 1))
    rest = max(len(marked) - most, 0) + line.more_changes
    longest = max(room, _LEAST_NAME_COLUMNS) if most == 1 else room
    shown = " ".join(console.style(text.cut(word, longest), color) for word, color in marked[:most])
    return f"{shown} …{rest} more" if rest else shown


def _title(line: CommitLine, console: Console, width: int) -> str:
    title = text.one_line(line.title, width)
    if line.kind == "named":
        return console.style(title, "bold")
    word = KIND_WORDS.get(line.kind, "")
    if line.kind in ("undo", "redo", "checkout", "restore") and line.at:
        word = f"{word} to {line.at[:8]}"
    if word:
        return console.style(text.cut(f"{word}: {title}" if title else word, width), "dim")
    return title


def commit_count(word: str) -> int:
    """Return a number of commits that was typed, for argparse."""
    if not word.isdecimal():
        raise argparse.ArgumentTypeError(f"'{word}' is no number of commits")
    return int(word)
