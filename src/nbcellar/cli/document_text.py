"""The lines of `cellar diff` for two notebooks.

Pure but for the console's colours and width. Each line fits the width; what came from a notebook is cleaned.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from nbcellar.api import document_words as words
from nbcellar.cli import diff_details, text
from nbcellar.cli.console import Console
from nbcellar.cli.document_outputs import attachment_lines, output_lines
from nbcellar.diff.document.changes import CellChange, NotebookChange, StateChange
from nbcellar.diff.model import ValueChange

_MARKS = {
    "added": ("+", "green"),
    "removed": ("-", "red"),
    "changed": ("~", "yellow"),
    "replaced": ("~", "yellow"),
    "moved": (">", "cyan"),
    "split": ("<", "cyan"),
    "joined": ("=", "cyan"),
}
_COLORS = {"+": "green", "-": "red", "~": "yellow"}
_MOST_METADATA = 12


def format_document(change: NotebookChange, name: str, console: Console, *, everything: bool = False) -> Iterator[str]:
    """Yield the lines of a comparison of two notebooks; `everything`: without leaving parts out."""
    yield console.style(text.cut(text.one_line(name, 300), max(console.width, 20)), "bold")
    yield from textwrap.wrap(
        change.summary or "no difference", max(console.width, 20), initial_indent="  ", subsequent_indent="  "
    )
    if change.ids_changed and change.summary != "only ids changed":
        yield console.style(text.cut(f"  {words.ids_line(change)}", console.width), "dim")
    yield from _states(change.states, console, 2)
    yield from _metadata(change.metadata, console, 2, everything)
    quiet = [cell for cell in change.cells if cell.only_noise and not everything]
    for cell in change.cells:
        if everything or not cell.only_noise:
            yield ""
            yield from _cell(cell, console, everything)
    if quiet and not change.only_noise:
        yield ""
        yield console.style(text.cut(f"{words.quiet_line(quiet)} (--all)", console.width), "dim")


def format_document_stat(change: NotebookChange, name: str, console: Console) -> str:
    """Return a line for a notebook."""
    shown = text.cut(text.one_line(name, 300), max(console.width // 2, 20))
    return text.cut(f"{shown}  {change.summary or 'no difference'}", console.width)


def _cell(cell: CellChange, console: Console, everything: bool) -> Iterator[str]:
    mark, color = _MARKS[cell.change]
    begin = f"{mark} {words.place(cell)} {text.one_line(cell.type, 20)}"
    if cell.id:
        begin += f" {text.one_line(cell.id, 40)}"
    said = ", ".join(text.one_line(remark, 60) for remark in words.remarks(cell))
    rest = text.cut(f"  {said}", max(console.width - text.columns(begin), 12)) if said else ""
    yield console.style(text.cut(begin, console.width), color) + rest
    if cell.source is not None:
        most = None if everything else diff_details.MOST_LINES
        yield from diff_details.text_lines(cell.source, console, 4, most)
    yield from _states(cell.states, console, 4)
    yield from _metadata(cell.metadata, console, 4, everything)
    for attachment in cell.attachments:
        yield from attachment_lines(attachment, console)
    for output in cell.outputs:
        yield from output_lines(output, console, everything=everything)


def _states(states: Sequence[StateChange], console: Console, indent: int) -> Iterator[str]:
    for state in states:
        mark, said = words.state_line(state)
        line = text.cut(f"{mark} {text.one_line(said, 400)}", console.width - indent)
        yield " " * indent + console.style(line, _COLORS[mark])


def _metadata(changes: Sequence[ValueChange], console: Console, indent: int, everything: bool) -> Iterator[str]:
    shown = changes if everything else changes[:_MOST_METADATA]
    for change in shown:
        yield from value_lines(change, console, indent)
    if len(changes) > len(shown):
        yield " " * indent + f"… {len(changes) - len(shown):,} more (--all)"


def value_lines(change: ValueChange, console: Console, indent: int) -> Iterator[str]:
    """Yield a change of a JSON value on a line, and changes inside it below."""
    mark, color = _MARKS[change.change]
    path = text.one_line(change.path, 80)
    said = text.one_line(words.value_words(change), 400)
    room = max(console.width - indent - text.columns(path) - 2, 12)
    rest = text.cut(f": {said}", room) if said else ""
    yield " " * indent + console.style(f"{mark} {path}", color) + rest
    for part in change.parts:
        yield from value_lines(part, console, indent + 2)
    if change.more:
        yield " " * (indent + 2) + f"… {change.more:,} more"


__all__ = ["format_document", "format_document_stat", "value_lines"]
