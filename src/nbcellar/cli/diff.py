"""Show what changed between two commits, notebooks, folders or git revisions.

Commits of Cellar's: the cells that ran and the variables, compared by value. With no REF: what the last step did.
With one: from there to HEAD. A..B is the same as A B. Names after -- are the variables to compare; without names, all.

    cellar diff                      what the last cell did
    cellar diff HEAD~5               since five commits ago
    cellar diff v1 v2 -- df model    two variables between two tags
    cellar diff v1 --html out.html   a page with pictures

Notebooks: cell by cell. A side is a file, a folder, - (standard input), git:REV (a git revision, git:REV:PATH for
one notebook in it), git: (the index) or a commit of Cellar's beside a file. One side alone is compared with the
working copy, a file with git's HEAD. Further words, or those after --, choose among several notebooks; two files alone
after -- are the sides, whatever their names begin with.

    cellar diff old.ipynb new.ipynb
    cellar diff analysis.ipynb           since git's HEAD
    cellar diff git:main                 all notebooks of the working copy
    cellar diff git:v1 git:v2 notebooks/
    cellar diff HEAD~3 analysis.ipynb    the file beside what was recorded
    cellar diff --web analysis.ipynb     in a browser

A bare name is Cellar's where the notebook has a history, else git's; where it could be both, the error lists both.

Values are compared as they are stored, part by part. Nothing is loaded and no kernel is asked, so it works on a history
of anybody, and while a cell runs.
"""

from __future__ import annotations

import argparse

from nbcellar.cli import diff_sides, document_diff, exit_codes
from nbcellar.cli.console import Console
from nbcellar.cli.writing import write_json, write_lines, write_text
from nbcellar.errors import InvalidInputError

AFTER_DASHES = "names"
"""Where the words after `--` go."""
INTERMIXED = True
"""Options may stand between the other words."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.usage = "cellar diff [options] [A [B [PATH...]]] [-- NAME...]"
    parser.add_argument("refs", metavar="A", nargs="*", help="what to compare (default: the last step)")
    parser.add_argument("--stat", action="store_true", help="a line for each variable or notebook")
    parser.add_argument(
        "--all", action="store_true", help="list every part that is known to differ, not the first ones"
    )
    parser.add_argument("--json", action="store_true", help="print JSON (docs/schemas/diff.json, diff-notebooks.json)")
    parser.add_argument("--html", metavar="FILE", help="write a page, for itself and with pictures; - prints it")
    parser.add_argument("-o", dest="output", metavar="FILE", help="write to FILE what would be printed")
    parser.add_argument(
        "--exit-code", action="store_true", help="exit with 1 if there is a difference, 0 if there is none"
    )
    _configure_variables(parser.add_argument_group("for commits"))
    document_diff.configure(parser.add_argument_group("for notebooks"))


def _configure_variables(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--var", dest="names", metavar="NAME", action="append", help="only this variable; repeatable")
    group.add_argument("--code", action="store_true", help="only the cells that ran")
    group.add_argument("--vars", action="store_true", help="only the variables")
    group.add_argument(
        "--budget", metavar="MIB", type=_mebibytes, default=256, help="how much to read of one variable (default: 256)"
    )


def run(args: argparse.Namespace, console: Console) -> int:
    if args.html is not None and (args.json or args.stat or args.output):
        other = "--json" if args.json else "--stat" if args.stat else "-o"
        raise InvalidInputError(
            f"--html and {other} exclude each other", hint="--html FILE writes a page; one at a time"
        )
    chosen = diff_sides.choose(args.refs, args.names or (), console)
    if chosen is not None:
        return document_diff.run(args, chosen, console)
    before, after = _points(args.refs)
    if args.code and args.vars:
        raise InvalidInputError("--code and --vars exclude each other", hint="without either, both are shown")
    document_diff.refuse_options(args)
    from nbcellar.cli.diff_text import format_diff, format_stat  # loads what reads a history

    page = args.html is not None
    with console.open_repo() as repo:
        repo.catch_up()
        found = repo.diff(
            before,
            after,
            names=args.names or (),
            code=not args.vars,
            variables=not args.code,
            pictures=page,
            budget_bytes=args.budget << 20,
        )
    if page:
        from nbcellar.api.diff_page import render

        write_text(args.html, render(found), console)
        if args.html != "-":
            console.notice(f"wrote {args.html}")
    elif args.json:
        write_json(args.output, found, console)
    else:
        lines = format_stat(found, console) if args.stat else format_diff(found, console, everything=args.all)
        write_lines(args.output, lines, console)
    return exit_codes.FINDINGS if args.exit_code and not found.is_empty else exit_codes.OK


def _points(refs: list[str]) -> tuple[str | None, str]:
    """Return the two points; None: before the last step."""
    if len(refs) == 1 and ".." in refs[0]:
        before, _, after = refs[0].partition("..")
        return before or "HEAD", after or "HEAD"
    if len(refs) > 2:
        raise InvalidInputError(
            f"{len(refs)} references are too many: {' '.join(refs)}",
            hint="names of variables stand after --, as in: cellar diff v1 v2 -- df",
        )
    return (refs[0] if refs else None), (refs[1] if len(refs) == 2 else "HEAD")


def _mebibytes(word: str) -> int:
    if not word.isdecimal() or int(word) > 1 << 30:
        raise argparse.ArgumentTypeError(f"'{word}' is no number of mebibytes")
    return int(word)


__all__ = ["configure", "run"]
