"""Look for what keeps recording from working, and print the command that mends each finding.

Looks at the kernels of this machine (is Cellar installed in their environments, does it load by itself), the folder's
file system and permissions, the store, the key and the settings. Changes nothing.
"""

from __future__ import annotations

import argparse

from nbcellar.cli import exit_codes, text
from nbcellar.cli.console import Console

_MARKS = {"ok": ("ok", "green"), "note": ("note", "cyan"), "problem": ("problem", "red")}


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON (docs/schemas/doctor.json)")


def run(args: argparse.Namespace, console: Console) -> int:
    from nbcellar.api import doctor

    shown = doctor.examine(console.folder, console.environ)
    if args.json:
        console.json(shown)
    else:
        for finding in shown.findings:
            mark, color = _MARKS[finding.state]
            console.print(
                f"{console.style(f'{mark:<8}', color)} {text.clean(finding.what)}: {text.clean(finding.detail)}"
            )
            if finding.fix:
                console.print(f"         {text.clean(finding.fix)}")
    problems = any(finding.state == "problem" for finding in shown.findings)
    return exit_codes.FINDINGS if problems else exit_codes.OK
