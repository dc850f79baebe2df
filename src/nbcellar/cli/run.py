"""Run a notebook from top to bottom in a fresh kernel, recorded.

The notebook itself is not written, unless --out names it. A failing cell stops the run; what ran before it is recorded
and written to --out, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from nbcellar.api.views import Run
from nbcellar.cli import exit_codes, parameters, text
from nbcellar.cli.console import Console

_BAR = 24


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("notebook_file", metavar="NB", help="the notebook")
    parser.add_argument("--out", metavar="NB", help="write the notebook with its outputs here")
    parameters.configure(parser, "set a parameter (JSON, else text), after the cell tagged 'parameters' or at the top")
    parser.add_argument("--json", action="store_true", help="print JSON (docs/schemas/run.json)")


def run(args: argparse.Namespace, console: Console) -> int:
    from nbcellar.api import headless

    path = console.folder / Path(args.notebook_file).expanduser()
    bar = _Progress(console)
    try:
        done = headless.run(
            path,
            out=console.folder / Path(args.out).expanduser() if args.out else None,
            parameters=dict(headless.parse_parameter(item) for item in args.parameter),
            environ=console.environ,
            progress=bar.show,
            notice=bar.notice,
        )
    finally:
        bar.clear()
    if args.json:
        console.json(done)
    else:
        _say(done, console)
    if done.interrupted:
        return exit_codes.INTERRUPTED
    return exit_codes.FINDINGS if done.error else exit_codes.OK


def _say(done: Run, console: Console) -> None:
    name = Path(done.notebook).name
    if done.error is not None:
        where = f"cell {done.failed_cell}" + (f", line {done.error.line}" if done.error.line else "")
        reason = ": ".join(part for part in (done.error.name, text.one_line(done.error.value, 200)) if part)
        verb = "interrupted:" if done.interrupted else "failed:"
        console.print(f"{console.style(verb, 'red')} {name}, {where}: {reason}")
        console.print(f"  {done.executed} of {text.plural(done.cells, 'cell')} ran in {text.seconds(done.seconds)}")
    else:
        console.print(f"ran {name}: {text.plural(done.cells, 'cell')} in {text.seconds(done.seconds)}")
    if done.recorded:
        head = f" at {console.style(done.head[:8], 'yellow')}" if done.head else ""
        console.print(f"  recorded{head}; see: cellar log -n {shlex.quote(name)}")
    if done.out:
        console.print(f"  written: {done.out}")


class _Progress:
    """A bar on the error stream: one that moves on a terminal, nothing elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._drawn = False

    def show(self, done: int, total: int, line: str) -> None:
        if not self._console.live_progress:
            return
        filled = _BAR * done // total if total else _BAR
        body = f"[{'#' * filled}{'.' * (_BAR - filled)}] {done}/{total} {text.one_line(line, 40)}"
        self._console.err.write("\r\x1b[K" + text.cut(body, self._console.width - 1))
        self._console.err.flush()
        self._drawn = True

    def notice(self, line: str) -> None:
        self.clear()
        self._console.notice(line)

    def clear(self) -> None:
        if self._drawn:
            self._console.err.write("\r\x1b[K")
            self._console.err.flush()
            self._drawn = False
