"""What takes how much space: by kind, by variable, by notebook, by age.

A piece that several variables hold is stored once. So each is listed with all that its values consist of, and with what
is its own: that much would be free without it (cellar forget VAR removes a variable for good).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from nbcellar.api.space_views import SizeOf
from nbcellar.api.views import Size
from nbcellar.cli import exit_codes, text
from nbcellar.cli.console import Console

_MOST_VARIABLES = 15


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--all", action="store_true", help="list every variable, not only the largest")
    parser.add_argument("--json", action="store_true", help="print JSON (docs/schemas/size.json)")


def run(args: argparse.Namespace, console: Console) -> int:
    with console.open_repo() as repo:
        report = repo.size()
    if args.json:
        console.json(report)
        return exit_codes.OK
    for line in format_size(report, console, most=None if args.all else _MOST_VARIABLES):
        console.print(line)
    return exit_codes.OK


def format_size(report: Size, console: Console, *, most: int | None) -> Iterator[str]:
    """Yield the lines of a report."""
    rows = [(part.what, f"{part.objects:,}" if part.objects else "", text.size(part.bytes)) for part in report.parts]
    yield from text.table(("what", "objects", "size"), rows, width=console.width, right=(1, 2))
    yield f"in all {text.size(report.stored_bytes)}, for {text.size(report.raw_bytes)} before compression"
    if report.cap_bytes:
        yield f"{text.size(report.counted_bytes)} of the cap of {text.size(report.cap_bytes)} (record.max_store_mb)"
    if report.variables:
        yield ""
        yield from _owners(report.variables[:most], console, several=len(report.notebooks) > 1)
        if most is not None and len(report.variables) > most:
            yield f"… {len(report.variables) - most} more variables: cellar size --all"
    if len(report.notebooks) > 1:
        listed = [(n.notebook, f"{n.values:,}", text.size(n.bytes), text.size(n.own_bytes)) for n in report.notebooks]
        yield ""
        yield from text.table(("notebook", "commits", "size", "its own"), listed, width=console.width, right=(1, 2, 3))
    ages = [(part.what, text.size(part.bytes)) for part in report.ages if part.bytes]
    if ages:
        yield ""
        yield from text.table(("recorded in", "size"), ages, width=console.width, right=(1,))
    if report.hints:
        yield ""
        if report.removable_bytes:
            yield f"cellar gc would remove {text.size(report.removable_bytes)}"
        yield from (f"{console.style('hint:', 'cyan')} {hint}" for hint in report.hints)


def _owners(owners: list[SizeOf], console: Console, *, several: bool) -> Iterator[str]:
    head = ("variable", "versions", "size", "its own", *(("notebook",) if several else ()))
    rows = [
        (
            text.names(v.names) or "(definitions)",
            f"{v.values:,}",
            text.size(v.bytes),
            text.size(v.own_bytes),
            *((v.notebook,) if several else ()),
        )
        for v in owners
    ]
    yield from text.table(head, rows, width=console.width, right=(1, 2, 3))
