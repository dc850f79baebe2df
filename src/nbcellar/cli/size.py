"""What takes how much space."""

from __future__ import annotations

import argparse

from nbcellar.cli import exit_codes, text
from nbcellar.cli.console import Console


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON (docs/schemas/size.json)")


def run(args: argparse.Namespace, console: Console) -> int:
    with console.open_repo() as repo:
        report = repo.size()
    if args.json:
        console.json(report)
        return exit_codes.OK
    rows = [(part.what, f"{part.objects:,}" if part.objects else "", text.size(part.bytes)) for part in report.parts]
    for line in text.table(("what", "objects", "size"), rows, width=console.width, right=(1, 2)):
        console.print(line)
    console.print(f"in all {text.size(report.stored_bytes)}, for {text.size(report.raw_bytes)} before compression")
    return exit_codes.OK
