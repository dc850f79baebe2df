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

_TITLE_COLUMNS = 48
_GAPS = 12  # two gaps and "…99 more"
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
    if args.variable or not args.ref.isidentifier():
        return bool(args.variable)
    is_variable = repo.is_variable(args.ref)
    try:
        repo.resolve(args.ref)
    except UnknownReferenceError:
        if is_variable:
            return True
        raise
    if is_variable:
        console.notice(f"'{args.ref}' is a variable, too; its versions: cellar log --variable {args.ref}")
    return False


def format_log(log: Log, console: Console, *, drawn: bool) -> Iterator[str]:
    """Yield each commit as one line, with a drawing of the graph beside it if `drawn`."""
    if not drawn:
        for line in log.commits:
            yield format_line(line, console)
        return
    for drawing, commit in graph(log):
        body = format_line(commit, console) if commit is not None else ""
        yield f"{console.style(drawing, 'blue')} {body}".rstrip()


def format_line(line: CommitLine, console: Console) -> str:
    """Return a commit as `git log --oneline` would: id, age, names, title, changes."""
    marks = [word for word, is_so in (("uncertain", line.uncertain), ("not saved", line.not_saved)) if is_so]
    marks += ["thinned out"] if line.thinned else []
    uncertain = console.style(", ".join(marks), "yellow") if marks else ""
    begin = format_head(line, console)
    room = console.width - text.shown_columns(begin) - text.shown_columns(uncertain) - _GAPS
    return "  ".join(part for part in (begin, format_changes(line, console, room=room), uncertain) if part)


def format_head(line: CommitLine, console: Console) -> str:
    """Return id, age, names, execution count and title of a commit, and whether its cell failed."""
    parts = [console.style(line.id[:8], "yellow"), console.style(console.ago(line.time), "dim")]
    labels = format_labels(line, console)
    if labels:
        parts.append(labels)
    count = f"[{line.execution_count}]" if line.execution_count is not None else ""
    if count:
        parts.append(console.style(count, "cyan"))
    parts.append(_title(line, console))
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
    """Return `+a ~b -c`, as many as fit into `room` columns but one at least, and not more than `most`."""
    marked = [(f"+{name}", "green") for name in line.added]
    marked += [(f"~{name}", "yellow") for name in line.changed]
    marked += [(f"-{name}", "red") for name in line.removed]
    ends = itertools.accumulate(text.columns(text.clean(word)) + 1 for word, _ in marked)
    most = min(most, max(sum(end <= room for end in ends), 1))
    rest = max(len(marked) - most, 0) + line.more_changes
    shown = " ".join(console.style(text.clean(word), color) for word, color in marked[:most])
    return f"{shown} …{rest} more" if rest else shown


def _title(line: CommitLine, console: Console) -> str:
    title = text.one_line(line.title, _TITLE_COLUMNS)
    if line.kind == "named":
        return console.style(title, "bold")
    word = KIND_WORDS.get(line.kind, "")
    if line.kind in ("undo", "redo", "checkout", "restore") and line.at:
        word = f"{word} to {line.at[:8]}"
    if word:
        return console.style(f"{word}: {title}" if title else word, "dim")
    return title


def commit_count(word: str) -> int:
    """Return a number of commits that was typed, for argparse."""
    if not word.isdecimal():
        raise argparse.ArgumentTypeError(f"'{word}' is no number of commits")
    return int(word)
