"""Merge three versions of a notebook: BASE is the one that both sides began with.

Cells are matched by content and id. What only one side changed is taken; what both changed differently is left as a
group of marked cells with both versions, in a notebook that every program opens. Decide with `cellar resolve`, or
delete cells by hand. BASE may be empty or /dev/null where the sides have none in common.

    cellar merge-file base.ipynb ours.ipynb theirs.ipynb -o merged.ipynb
    cellar merge-file base.ipynb ours.ipynb theirs.ipynb --conflicts theirs > merged.ipynb
    cellar merge-file --web base.ipynb ours.ipynb theirs.ipynb -o merged.ipynb

With --web, what is left to decide is shown in a browser, side by side; the command waits until the page is closed.

Exits with 0 when nothing is left to decide, 1 when conflicts are left, 2 when it failed and nothing was written.
What policy left out of one side is listed on the error stream; --json prints all of it instead of the notebook.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from nbcellar.cli import exit_codes
from nbcellar.cli.console import Console
from nbcellar.cli.text import plural
from nbcellar.errors import InvalidInputError

if TYPE_CHECKING:
    from nbcellar.merge.model import Labels, MergeSettings
    from nbcellar.notebook.model import Notebook

FAILURE = exit_codes.USAGE
"""The exit code of whatever goes wrong."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("base", metavar="BASE", help="the version both sides began with")
    parser.add_argument("ours", metavar="OURS", help="our version")
    parser.add_argument("theirs", metavar="THEIRS", help="their version; one of the three may be - (standard input)")
    parser.add_argument("-o", dest="output", metavar="OUT", help="write the merged notebook there, not to the output")
    parser.add_argument(
        "--outputs",
        choices=("ran", "ours", "theirs", "none"),
        default="ran",
        help="where both sides ran a cell: outputs of the side that ran the merged source, of one side, none",
    )
    parser.add_argument(
        "--metadata", choices=("mark", "ours", "theirs"), default="mark", help="where both changed the same key"
    )
    parser.add_argument(
        "--conflicts", choices=("mark", "ours", "theirs"), default="mark", help="take one side of every conflict"
    )
    parser.add_argument(
        "-L", dest="labels", metavar="NAME", action="append", default=[], help="names of ours, base, theirs, in turn"
    )
    parser.add_argument("--web", action="store_true", help="decide conflicts in the browser, and wait for that")
    parser.add_argument("--json", action="store_true", help="print JSON (docs/schemas/merge-file.json)")


def run(args: argparse.Namespace, console: Console) -> int:
    from nbcellar.api.jupyter_trust import keep_trusted
    from nbcellar.api.merge_views import merge_report
    from nbcellar.api.notebook_files import write_bytes
    from nbcellar.cli.merge_report import report_lines
    from nbcellar.merge.model import MergeSettings
    from nbcellar.merge.notebooks import merge_notebooks
    from nbcellar.notebook.codec import write

    if args.web:
        _check_web(args)
    base, ours, theirs, sides = _read(args, console)
    settings = MergeSettings(outputs=args.outputs, metadata=args.metadata, conflicts=args.conflicts)
    merged = merge_notebooks(base, ours, theirs, settings=settings, labels=_labels(args))
    if args.web and not merged.is_clean:
        return _decide_in_browser(args, settings, console)
    data = write(merged.notebook)
    if args.output and args.output != "-":
        write_bytes(args.output, console.folder, data)
        keep_trusted(sides, data, console.environ)
    report = merge_report(merged)
    if args.json:
        console.json(report)
    else:
        if not args.output or args.output == "-":
            console.out.write(data.decode())
        for line in report_lines(report, console, notebook=args.output or "the merged notebook"):
            console.notice(line)
        if report.conflicts and args.output not in (None, "-"):
            console.notice(f"hint: decide them with: cellar resolve {args.output}")
    return exit_codes.OK if merged.is_clean else exit_codes.FINDINGS


def _check_web(args: argparse.Namespace) -> None:
    if args.output in (None, "-"):
        raise InvalidInputError("--web needs a file to save to", hint="name it with: -o OUT")
    if "-" in (args.base, args.ours, args.theirs) or args.json:
        raise InvalidInputError("--web goes with three files, without --json")


def _decide_in_browser(args: argparse.Namespace, settings: MergeSettings, console: Console) -> int:
    """Show what is left to decide; return whether something still is."""
    from nbcellar.api.merging_handed import GivenMerge
    from nbcellar.cli.merge_web import show_merge

    names = {name: str((console.folder / getattr(args, name)).resolve()) for name in ("base", "ours", "theirs")}
    labels = _labels(args)
    given = GivenMerge(
        **names,
        output=str((console.folder / args.output).resolve()),
        shown=args.output,
        labels=(labels.base, labels.ours, labels.theirs),
        settings=settings,
    )
    outcome = show_merge(given, console)
    if outcome is None or not outcome.saved:
        console.notice(f"closed without saving: {args.output} was not written")
        return exit_codes.FINDINGS
    if outcome.left:
        console.notice(f"{plural(outcome.left, 'conflict')} left in {args.output}")
        console.notice(f"hint: decide them with: cellar resolve {args.output}")
    return exit_codes.FINDINGS if outcome.left else exit_codes.OK


def _read(args: argparse.Namespace, console: Console) -> tuple[Notebook | None, Notebook, Notebook, list[bytes]]:
    from nbcellar.api.notebook_files import STANDARD_INPUT, read_bytes
    from nbcellar.notebook.codec import read

    if [args.base, args.ours, args.theirs].count(STANDARD_INPUT) > 1:
        raise InvalidInputError("only one of the three versions can be standard input")
    data = read_bytes(args.base, console.folder)
    base = read(data, path=args.base) if data.strip() else None
    names = [args.ours, args.theirs]
    sides = [read_bytes(name, console.folder) for name in names]
    shown = ["standard input" if name == STANDARD_INPUT else name for name in names]
    ours, theirs = (read(side, path=name) for side, name in zip(sides, shown, strict=True))
    return base, ours, theirs, sides


def _labels(args: argparse.Namespace) -> Labels:
    from nbcellar.merge.model import Labels

    if len(args.labels) > 3:
        raise InvalidInputError(f"{len(args.labels)} labels are too many: there are ours, base and theirs")
    names = dict(zip(("ours", "base", "theirs"), args.labels, strict=False))
    return Labels(**{"ours": args.ours, "base": args.base, "theirs": args.theirs, **names})


__all__ = ["FAILURE", "configure", "run"]
