"""What a failed cell tells: as `cellar diff` draws it, with the place in the file and in the cell.

Invariant: text that came from a notebook or a kernel is cleaned of control characters; without colours where the
terminal that pytest writes to has none.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from nbcellar.diff.document.changes import OutputChange
from nbcellar.notebook.model import Cell
from nbcellar.testing.running import CellFailure

if TYPE_CHECKING:
    from nbcellar.cli.console import Console

_MOST_SOURCE, _MOST_TRACE = 8, 60


class CellFailed(Exception):
    """A cell whose run or outputs are not what they should be."""

    def __init__(self, report: CellReport) -> None:
        super().__init__(report.headline)
        self.report = report


class CellReport(msgspec.Struct, frozen=True, kw_only=True):
    """One failed cell. `line`: where its source begins in the file."""

    path: str
    line: int
    number: int
    cell: Cell
    changes: list[OutputChange] = []
    failure: CellFailure | None = None
    hint: str = ""

    @property
    def headline(self) -> str:
        """Return what happened in one line."""
        where = f"cell {self.number}"
        if self.failure is not None:
            line = f", line {self.failure.line}" if self.failure.line else ""
            return f"{where}{line}: {self.failure.said}"
        count = len(self.changes)
        return f"{where}: {count} {'output differs' if count == 1 else 'outputs differ'} from what is stored"


def lines_of(report: CellReport, console: Console, *, everything: bool = False) -> Iterator[str]:
    """Yield the lines of a report."""
    from nbcellar.cli import text

    yield console.style(text.one_line(report.headline, 400), "bold", "red")
    yield console.style(f"  {text.one_line(report.path, 300)}:{report.line}", "dim")
    yield ""
    yield from _source(report, console, everything)
    if report.changes:
        yield ""
        yield from _changes(report.changes, console, everything)
    if report.failure is not None and report.failure.traceback:
        yield ""
        trace = [line for part in report.failure.traceback for line in text.clean(part).split("\n")]
        if len(trace) > _MOST_TRACE and not everything:
            left = len(trace) - _MOST_TRACE
            trace = [*trace[: _MOST_TRACE // 2], f"… {left} more lines (-vv)", *trace[-_MOST_TRACE // 2 :]]
        yield from (f"    {line}".rstrip() for line in trace)
    hint = report.hint or (report.failure.hint if report.failure is not None else "")
    if hint:
        yield ""
        yield console.style(f"hint: {hint}", "dim")


def _source(report: CellReport, console: Console, everything: bool) -> Iterator[str]:
    """Yield the first lines of a cell, or those around the one that failed."""
    from nbcellar.cli import text

    lines = text.clean(report.cell.source).split("\n")
    failed = report.failure.line if report.failure is not None and report.failure.line <= len(lines) else 0
    most = len(lines) if everything else _MOST_SOURCE
    first = max(min(failed - most // 2, len(lines) - most), 0)
    for number, line in enumerate(lines[first : first + most], first + 1):
        mark = ">" if number == failed else " "
        shown = text.cut(f"  {mark} {number:>3} {line.expandtabs(4)}", console.width)
        yield console.style(shown, "red") if number == failed else shown
    if first + most < len(lines):
        yield console.style(f"        … {len(lines) - first - most} more lines", "dim")


def _changes(changes: list[OutputChange], console: Console, everything: bool) -> Iterator[str]:
    from nbcellar.cli import text
    from nbcellar.cli.document_outputs import output_lines

    yield "    " + console.style("- stored", "red") + "  " + console.style("+ now", "green")
    for change in changes:
        for line in output_lines(change, console, everything=everything):
            left_out = line.lstrip().startswith("… ") and line.endswith("(--all)")  # the option of `cellar diff`
            yield f"{line.removesuffix('(--all)')}(-vv)" if left_out else line
        for part in change.parts:
            if part.mime == "text/plain" and part.numbers is not None and part.numbers.changed:
                # Of other types the diff says it in their heading.
                yield console.style(text.cut(f"      {text.one_line(part.note, 200)}", console.width), "dim")


class _Place(msgspec.Struct, frozen=True):
    """What pytest's summary, `--tb=line` and JUnit's XML show of a failure."""

    path: str
    lineno: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.lineno}: {self.message}"


class FailureText:
    """A report as pytest prints it: drawn where the terminal is known. `everything`: without leaving lines out."""

    def __init__(self, report: CellReport, *, everything: bool = False) -> None:
        self._report, self._everything = report, everything
        self.reprcrash = _Place(path=report.path, lineno=report.line, message=report.headline)

    def toterminal(self, tw: Any) -> None:
        """Write the report to pytest's terminal writer."""
        for line in lines_of(self._report, _console(tw.fullwidth, tw.hasmarkup), everything=self._everything):
            tw.line(line)

    def __str__(self) -> str:
        return "\n".join(lines_of(self._report, _console(100, False), everything=self._everything))


def _console(width: int, color: bool) -> Console:
    from nbcellar.cli.console import Console

    return Console(io.StringIO(), io.StringIO(), {}, Path(), color=color, width=max(width, 40))


__all__ = ["CellFailed", "CellReport", "FailureText", "lines_of"]
