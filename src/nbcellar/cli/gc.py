"""Remove what nothing refers to any more, and thin out old states.

What goes is shown first; on a terminal it is then asked whether to do it (no: exit code 1), elsewhere it takes --yes
(else: exit code 2, as of cellar forget). Commits that no branch, tag, HEAD or operation of the last days
(gc.keep_ops_days) leads to go as a whole. Other old states give up the values that only they hold, as the settings
keep.* say: their code, outputs, messages and previews stay. Never thinned out are states that were named, tagged, or
built on, the last ones of sessions, small values, and the newest value of each variable. What is removed waits in a
trash folder for 14 days, unless --now.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator

from nbcellar.api.views import Gc
from nbcellar.cli import exit_codes, text
from nbcellar.cli.console import Console
from nbcellar.errors import InvalidInputError

_MOST_VARIABLES = 12


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="say what would be removed, remove nothing")
    parser.add_argument("--now", action="store_true", help="without trash, and empty the trash, too")
    parser.add_argument("--no-thin", action="store_true", help="leave the values of old states alone")
    parser.add_argument(
        "--budget",
        metavar="SIZE",
        type=_size,
        help="give up values that cells can make again (checkout --replay), until the rest takes SIZE, as in 500MB",
    )
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask")
    parser.add_argument("--json", action="store_true", help="print JSON (docs/schemas/gc.json)")


def run(args: argparse.Namespace, console: Console) -> int:
    thin = not args.no_thin
    with console.open_repo() as repo:
        if args.dry_run or not args.yes:
            plan = repo.gc(dry_run=True, purge=args.now, thin=thin, budget_bytes=args.budget)
            if args.json and args.dry_run:
                console.json(plan)
                return exit_codes.OK
            for line in format_plan(plan, console, now=args.now, budget=args.budget):
                (console.notice if args.json else console.print)(line)
            if args.dry_run:
                return exit_codes.OK
            nothing = not plan.removed_objects and not (args.now and plan.trash_bytes)
            if not nothing and not _confirmed(console):
                return exit_codes.FINDINGS
            # With nothing to remove it still joins packs and writes the log.
            done = repo.gc(purge=args.now, thin=thin, budget_bytes=args.budget)
            if nothing and not args.json:
                return exit_codes.OK
        else:
            done = repo.gc(purge=args.now, thin=thin, budget_bytes=args.budget)
    if args.json:
        console.json(done)
        return exit_codes.OK
    for line in format_done(done):
        console.print(line)
    return exit_codes.OK


def format_plan(plan: Gc, console: Console, *, now: bool, budget: int | None = None) -> Iterator[str]:
    """Yield what would go, by reason, the largest variables first, and what stays."""
    if not plan.removed_objects:
        yield "nothing to remove"
    if plan.unreachable_objects:
        yield f"would remove {text.plural(plan.unreachable_objects, 'object')} that nothing leads to, " + text.size(
            plan.unreachable_bytes
        )
    if plan.thinned_values:
        values, states = text.plural(plan.thinned_values, "value"), text.plural(plan.thinned_states, "old state")
        yield f"would thin out {values} of {states}, {text.size(plan.thinned_bytes)}"
        rows = [
            (", ".join(v.names) or "(unnamed)", text.plural(v.values, "value"), text.size(v.bytes), v.notebook)
            for v in plan.variables[:_MOST_VARIABLES]
        ]
        lines = text.table(("variable", "", "size", "notebook"), rows, width=console.width - 2, right=(1, 2))
        yield from (f"  {line}" for line in lines[1:])
        if len(plan.variables) > _MOST_VARIABLES:
            yield f"  … {len(plan.variables) - _MOST_VARIABLES} more variables (--json has them all)"
        kept = "1 state keeps all its" if plan.kept_states == 1 else f"{plan.kept_states:,} states keep all their"
        yield f"  {kept} values (settings keep.*: cellar config)"
    if plan.again_cells:
        cells = text.plural(plan.again_cells, "cell")
        yield f"  {cells} can make some of these again, in {text.seconds(plan.again_seconds)}: cellar checkout --replay"
    if plan.trash_bytes:
        yield f"{'would empty the trash' if now else 'in the trash'}: {text.size(plan.trash_bytes)}"
    yield f"kept: {text.plural(plan.kept_objects, 'object')}, {text.size(plan.kept_bytes)}"
    if budget is not None and plan.kept_bytes > budget:
        note = console.style("note:", "yellow")
        why = "no cell makes the rest again, or it has to stay"
        yield f"{note} that is more than the budget of {text.size(budget)}: {why}"


def format_done(done: Gc) -> Iterator[str]:
    """Yield what was removed."""
    thinned = f", {text.plural(done.thinned_values, 'value')} thinned out" if done.thinned_values else ""
    yield f"removed {text.plural(done.removed_objects, 'object')}, {text.size(done.removed_bytes)}{thinned}"
    yield f"kept {text.plural(done.kept_objects, 'object')}, {text.size(done.kept_bytes)}"
    if done.trash_bytes:
        yield f"{text.size(done.trash_bytes)} wait in the trash for up to 14 days; to free them now: cellar gc --now"


def _size(word: str) -> int:
    """Return the bytes of a size like 500MB, 2 GiB or 1e9."""
    found = re.fullmatch(r"\s*([0-9.]+(?:e[0-9]+)?)\s*([kmgt]?)(i?)b?\s*", word.lower())
    try:
        number = float(found[1]) if found else -1.0
    except ValueError:
        number = -1.0
    if found is None or number < 0:
        raise argparse.ArgumentTypeError(f"'{word}' is no size; give one like 500MB or 2GiB")
    step = 1024 if found[3] else 1000
    return int(number * step ** (" kmgt".index(found[2]) if found[2] else 0))


def _confirmed(console: Console) -> bool:
    if not console.can_ask:
        raise InvalidInputError("nothing was removed: there is nobody to ask", hint="add --yes if you mean it")
    if console.confirm("Remove it?"):
        return True
    console.notice("nothing was removed")
    return False
