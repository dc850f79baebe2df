"""Record the notebooks of a folder from now on.

Makes a folder .cellar there. Every notebook kernel that Jupyter starts in the folder or below then records itself:
after each cell, the variables and the executed cell are a commit. The notebooks themselves are not changed.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from nbcellar.cli import exit_codes, text
from nbcellar.cli.console import Console, find_cellar_folder


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder_to_record", metavar="DIR", nargs="?", default=".", help="the folder (default: here)")


def run(args: argparse.Namespace, console: Console) -> int:
    from nbcellar.api import doctor, init

    folder = console.folder / Path(args.folder_to_record).expanduser()
    above = find_cellar_folder(folder.absolute().parent)
    repo = init(folder, environ=console.environ, clock=console.clock)
    console.print(f"recording the notebooks in {repo.root}")
    console.print("  every cell run becomes a commit: variables, the cell and its outputs; kept in .cellar/")
    if repo.settings.record.skip_names:
        console.print("  not recorded: variables named like secrets (which names: cellar config record.skip_names)")
    if above is not None:
        note = console.style("note:", "yellow")
        console.notice(
            f"{note} {above.parent} is a repository, too; notebooks from here down are recorded here from now on"
        )
    findings = doctor.look_at_kernels(console.environ)
    unready = [finding for finding in findings if finding.state == "problem"]
    ready = [finding for finding in findings if finding.state == "ok"]
    if ready:
        console.print("  kernels that record themselves: " + text.names([finding.what for finding in ready]))
        console.print("next: open a notebook here, run a cell, then: cellar log")
    for finding in unready:
        console.notice(f"{console.style('note:', 'yellow')} {finding.what}: {finding.detail}")
        if finding.fix:
            console.notice(f"  {finding.fix}")
    repo.close()
    return exit_codes.OK
