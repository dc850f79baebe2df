"""The versions of one variable, for people: used by `vars --history`, `log NAME` and `search --variable`.

Pure but for the console: lines from views.
"""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterator

from nbcellar.api.search_views import VariableEvent, VariableHistory
from nbcellar.cli import exit_codes, text
from nbcellar.cli.console import Console
from nbcellar.cli.log import format_head
from nbcellar.cli.show import preview, remarks

_MARKS = {"created": ("+", "green"), "changed": ("~", "yellow"), "deleted": ("-", "red")}
_MOST_EVENTS = 1000


def print_history(history: VariableHistory, console: Console, args: argparse.Namespace) -> int:
    """Print the versions of a variable, newest first."""
    if args.json:
        console.json(history)
        return exit_codes.OK
    limit = getattr(args, "limit", None)
    shown = history.events[: _MOST_EVENTS if limit is None else limit or None]
    for event in shown:
        for line in format_event(event, console):
            console.print(line)
    if len(shown) < len(history.events):
        console.notice(f"and {text.plural(len(history.events) - len(shown), 'older change')}")
    name = text.clean(history.name)
    if not history.events:
        console.notice(f"'{name}' did not change in {text.plural(history.searched, 'commit')}")
    if history.elsewhere:
        more = text.plural(history.elsewhere, "change")
        console.notice(f"{more} more in commits that were not searched: add --all")
    stored = [event for event in history.events if event.after is not None and event.after.stored]
    back = next((event for event in stored if event is not history.events[0]), None)
    if back is not None and back.after is not None:
        names = " ".join(shlex.quote(name) for name in sorted({back.after.name, *back.after.shares_with}))
        console.notice(f"to bring one back: cellar checkout {back.commit.id[:8]} -- {names}")
    return exit_codes.OK


def format_event(event: VariableEvent, console: Console) -> Iterator[str]:
    """Yield a change of a variable: the commit, the value before and after, what is to be said of it."""
    mark, color = _MARKS[event.change]
    name = (event.after or event.before).name if event.after or event.before else ""  # type: ignore[union-attr]
    changed = text.one_line(f"{mark}{name}", 40)
    head = format_head(event.commit, console, width=console.width - text.columns(changed) - 2)
    yield f"{head}  {console.style(changed, color)}"
    room = console.width - 16
    if event.after is not None:
        after = event.after
        kind = text.one_line(after.type.rpartition(".")[2] or after.type, 30)
        size = text.size(after.together_bytes or after.size_bytes)
        size += f" with {text.names(after.shares_with, most=4)}" if after.together_bytes else ""
        facts = "  ".join(part for part in (kind, size, f"version {after.version[:8]}") if part)
        back = f", back to that of {event.back_to[:8]}" if event.back_to else ""
        yield f"    {preview(after, room)}"
        yield console.style(f"      {facts}{back}", "dim")
        yield from (f"      {line}" for line in remarks(after, console))
    if event.before is not None:
        was = preview(event.before, room - 5) or f"not stored: {text.one_line(event.before.reason, room - 17)}"
        yield console.style(f"    was: {was}", "dim")
