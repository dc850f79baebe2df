"""What an undo, redo, checkout or restore did, for people: most important first, short.

Pure: lines from a `SessionChange`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from nbcellar.api.views import Replay, SessionChange, Undone
from nbcellar.cli import exit_codes, text
from nbcellar.cli.console import Console
from nbcellar.cli.log import KIND_WORDS

if TYPE_CHECKING:
    from nbcellar.api import Repo
    from nbcellar.session.replay.replayer import Wish

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


def add_replay(parser: argparse.ArgumentParser) -> None:
    """Add the options that say whether cells may run again."""
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument(
        "--replay",
        action="store_true",
        help="run cells again for what is not stored: the smallest set, from the state that each began with",
    )
    choice.add_argument("--no-replay", action="store_true", help="run no cells again, and do not ask")


def carry_out(
    console: Console, args: argparse.Namespace, repo: Repo, command: Callable[[Wish], SessionChange], *, verb: str
) -> int:
    """Carry out a command, with a question first where cells would have to run again; print what it did."""
    change = command(_wish(console, args, repo))
    asked = False
    while change.asks and change.replay is not None:  # again, where the cells became others while it was answered
        if asked:
            console.notice("history changed meanwhile: now it is other cells")
        asked = True
        change = command((change.replay.id or "yes") if _is_allowed(change.replay, console) else "no")
    return print_change(change, console, args, verb=verb)


def _wish(console: Console, args: argparse.Namespace, repo: Repo) -> Wish:
    if args.replay or args.no_replay:
        return "yes" if args.replay else "no"
    allowed = repo.settings.replay.allowed
    if allowed != "ask":
        return "yes" if allowed == "always" else "no"
    return "ask" if console.can_ask and not args.json else "no"


def _is_allowed(replay: Replay, console: Console) -> bool:
    for line in format_replay(replay, console):
        console.notice(line)
    return console.confirm(f"Run {text.plural(len(replay.cells), 'cell')} again?")


def format_replay(replay: Replay, console: Console) -> Iterator[str]:
    """Yield the cells of a replay with their effects, and what they bring."""
    if replay.cells:
        one = len(replay.cells) == 1
        verb = ("was" if one else "were") + " run again for" if replay.done else "brings" if one else "bring"
        verb += "" if replay.done else " back, run again,"
        yield f"{text.plural(len(replay.cells), 'cell')} {verb} {text.names(replay.brings)}:"
    for cell in replay.cells:
        count = console.style(f"[{cell.execution_count}]", "cyan")
        took = console.style(f"({text.seconds(cell.duration_s)})", "dim")
        yield f"  {count} {text.one_line(cell.title, 60)} {took}"
        for effect in cell.effects:
            yield f"      {console.style(text.one_line(effect, 90), 'yellow')}"
    for name, why in sorted(replay.cannot.items()):
        yield f"  not {text.clean(name)}: {text.one_line(why, 150)}"


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
        ("replayed, as recorded", _verified(change), "green"),
        ("removed", change.removed, "red"),
    ):
        if names:
            yield f"  {console.style(title + ':', color)} {text.names(sorted(names))}"
    for name, why in sorted(change.unverified.items()):
        yield f"  {console.style('replayed, unverified: ' + text.clean(name), 'yellow')}  {text.one_line(why, 200)}"
    if change.kept:
        yield console.style(f"  kept as they are: {text.plural(len(change.kept), 'variable')}", "dim")
    if change.code_file:
        yield f"  code: {text.clean(change.code_file)}"
    if change.threads:
        held = f"{text.names(change.threads)} may still hold objects that were replaced"
        yield f"  {console.style('note:', 'yellow')} threads that run: {held}"
    if change.replay is not None and not change.replay.done and change.replay.cells:
        for line in format_replay(change.replay, console):
            yield f"  {line}"
        yield f"  {console.style('hint:', 'cyan')} the same command with --replay runs them"
    for note in change.notes:
        yield f"  {console.style('note:', 'yellow')} {text.clean(note)}"
    if change.undone or (change.target and change.target != change.head):
        yield console.style("  now at ", "dim") + head + console.style(f" ({text.seconds(change.seconds)})", "dim")


def _verified(change: SessionChange) -> list[str]:
    return [name for name in change.replayed if name not in change.unverified and name not in change.uncertain]


def _cell(undone: Undone, console: Console) -> str:
    count = console.style(f"[{undone.execution_count}]", "cyan") + " " if undone.execution_count is not None else ""
    return f"{count}{text.one_line(undone.cell or KIND_WORDS.get(undone.kind, undone.kind), 70)}"
