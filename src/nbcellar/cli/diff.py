"""Show what changed between two commits: the cells that ran and the variables, compared by value.

With no REF: what the last step did. With one: from there to HEAD. A..B is the same as A B. Names after -- are the
variables to compare; without names, all of them.

Values are compared as they are stored, part by part: columns and rows of frames, elements of arrays, keys of
containers, parameters of models, lines of texts. Nothing is loaded and no kernel is asked, so it works on a history
of anybody, and while a cell runs.

    cellar diff                      what the last cell did
    cellar diff HEAD~5               since five commits ago
    cellar diff v1 v2 -- df model    two variables between two tags
    cellar diff v1 --stat            a line for each variable
    cellar diff v1 --html out.html   a page with pictures
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from nbcellar.cli import exit_codes
from nbcellar.cli.console import Console
from nbcellar.cli.diff_text import format_diff, format_stat
from nbcellar.errors import InvalidInputError

AFTER_DASHES = "names"
"""Where the words after `--` go."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.usage = "cellar diff [options] [REF [REF]] [-- NAME...]"
    parser.add_argument("refs", metavar="REF", nargs="*", help="the commits (default: the last step; one: up to HEAD)")
    parser.add_argument("--var", dest="names", metavar="NAME", action="append", help="only this variable; repeatable")
    parser.add_argument("--stat", action="store_true", help="a line for each variable")
    parser.add_argument("--code", action="store_true", help="only the cells that ran")
    parser.add_argument("--vars", action="store_true", help="only the variables")
    parser.add_argument(
        "--all", action="store_true", help="list every part that is known to differ, not the first ones"
    )
    parser.add_argument("--json", action="store_true", help="print JSON (docs/schemas/diff.json)")
    parser.add_argument("--html", metavar="FILE", help="write a page, for itself and with pictures; - prints it")
    parser.add_argument("-o", dest="output", metavar="FILE", help="write to FILE what would be printed")
    parser.add_argument("--exit-code", action="store_true", help="exit with 1 if a variable differs, 0 if none does")
    parser.add_argument(
        "--budget", metavar="MIB", type=_mebibytes, default=256, help="how much to read of one variable (default: 256)"
    )


def run(args: argparse.Namespace, console: Console) -> int:
    before, after = _points(args.refs)
    if args.code and args.vars:
        raise InvalidInputError("--code and --vars exclude each other", hint="without either, both are shown")
    if args.html is not None and (args.json or args.stat or args.output):
        other = "--json" if args.json else "--stat" if args.stat else "-o"
        raise InvalidInputError(
            f"--html and {other} exclude each other", hint="--html FILE writes a page; one at a time"
        )
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

        _write(args.html, render(found), console)
        if args.html != "-":
            console.notice(f"wrote {args.html}")
    elif args.json:
        _json(args.output, found, console)
    else:
        lines = format_stat(found, console) if args.stat else format_diff(found, console, everything=args.all)
        if args.output:
            _write(args.output, "".join(f"{line}\n" for line in lines), console)
        else:
            for line in lines:
                console.print(line)
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


def _json(path: str | None, found: object, console: Console) -> None:
    if not path:
        console.json(found)
        return
    import msgspec

    _write(path, msgspec.json.format(msgspec.json.encode(found), indent=2).decode() + "\n", console)


def _write(path: str, text: str, console: Console) -> None:
    """Write a file, whole or not at all; - is the command's own output."""
    if path == "-":
        console.out.write(text)
        return
    target = console.folder / Path(path).expanduser()
    if not target.parent.is_dir():
        raise InvalidInputError(f"{target.parent} is no folder", hint="make it first, or give another file")
    if target.exists() and not target.is_file():
        target.write_text(text, "utf-8")  # a pipe, /dev/stdout
        return
    aside = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        aside.write_text(text, "utf-8", errors="backslashreplace")
        aside.replace(target)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def _mebibytes(word: str) -> int:
    if not word.isdecimal() or int(word) > 1 << 30:
        raise argparse.ArgumentTypeError(f"'{word}' is no number of mebibytes")
    return int(word)


__all__ = ["configure", "run"]
