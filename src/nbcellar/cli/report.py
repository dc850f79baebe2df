"""What an undo, redo, checkout or restore did, for people: most important first, short.

Pure: lines from a `SessionChange`.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from nbcellar.api.views import SessionChange, Undone
from nbcellar.cli import exit_codes, text
from nbcellar.cli.console import Console
from nbcellar.cli.log import KIND_WORDS

_MOST_STEPS = 10


def add_without(parser: argparse.ArgumentParser) -> None:
    """Add the option that names variables to leave out."""
    parser.add_argument(
        "--without",
        metavar="VAR",
        action="append",
        default=[],
        help="bring back all but this variable, which is not there afterwards; may be repeated",
    )


def print_change(change: SessionChange, console: Console, args: argparse.Namespace, *, verb: str) -> int:
    """Print a result and return the exit code: 1 when a variable could not be brought back that was asked for."""
    if args.json:
        console.json(change)
    else:
        for line in format_change(change, console, verb):
            console.print(line)
    return exit_codes.FINDINGS if change.not_restored.keys() - set(args.without) else exit_codes.OK


def format_change(change: SessionChange, console: Console, verb: str) -> Iterator[str]:
    """Yield the lines that tell a user what is different now."""
    shown = change.undone if len(change.undone) <= _MOST_STEPS + 1 else change.undone[:_MOST_STEPS]
    for undone in shown:
        yield f"{verb} {_cell(undone, console)}"
    if len(shown) < len(change.undone):
        yield f"{verb} {text.plural(len(change.undone) - len(shown), 'cell')} more"
    where = f"{change.branch} at " if change.branch else ""
    head = console.style(f"{where}{change.head[:8]}", "yellow")
    if not change.undone:
        target = change.target or change.head
        yield f"{verb} {console.style(target[:8], 'yellow') if target != change.head else head}"
    for name, why in sorted(change.not_restored.items()):
        yield f"  {console.style('not restored: ' + text.clean(name), 'red')}  {text.one_line(why, 200)}"
    for name, why in sorted(change.uncertain.items()):
        yield f"  {console.style('uncertain: ' + text.clean(name), 'yellow')}  {text.one_line(why, 200)}"
    for title, names, color in (
        ("loaded", change.loaded, "green"),
        ("replayed", change.replayed, "green"),
        ("removed", change.removed, "red"),
    ):
        if names:
            yield f"  {console.style(title + ':', color)} {text.names(sorted(names))}"
    if change.kept:
        yield console.style(f"  kept as they are: {text.plural(len(change.kept), 'variable')}", "dim")
    if change.code_file:
        yield f"  code: {text.clean(change.code_file)}"
    if change.threads:
        held = f"{text.names(change.threads)} may still hold objects that were replaced"
        yield f"  {console.style('note:', 'yellow')} threads that run: {held}"
    for note in change.notes:
        yield f"  {console.style('note:', 'yellow')} {text.clean(note)}"
    if change.undone or (change.target and change.target != change.head):
        yield console.style("  now at ", "dim") + head + console.style(f" ({text.seconds(change.seconds)})", "dim")


def _cell(undone: Undone, console: Console) -> str:
    count = console.style(f"[{undone.execution_count}]", "cyan") + " " if undone.execution_count is not None else ""
    return f"{count}{text.one_line(undone.cell or KIND_WORDS.get(undone.kind, undone.kind), 70)}"
