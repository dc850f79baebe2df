"""A notebook in a terminal: cell by cell, sources in colours, outputs as text.

Invariant: what is shown of an output is text that the notebook holds; pictures and other data are named with a size.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from nbcellar.cli import text
from nbcellar.cli.highlight import highlight, indented, languages
from nbcellar.notebook.stale import STALE_WORDS, is_stale

if TYPE_CHECKING:
    from nbcellar.cli.console import Console
    from nbcellar.notebook.model import Cell, Notebook

MOST_OUTPUT_LINES = 40


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """Which parts of a notebook are shown. cells: numbers from 1, none for all."""

    sources: bool = True
    outputs: bool = True
    metadata: bool = False
    everything: bool = False
    cells: frozenset[int] = frozenset()


def format_notebook(notebook: Notebook, name: str, console: Console, shown: Shown) -> Iterator[str]:
    """Yield the lines of a notebook."""
    parts = [text.plural(len(notebook.cells), "cell"), notebook.kernel_name or "no kernel"]
    parts.append(f"nbformat {notebook.nbformat}.{notebook.nbformat_minor}")
    yield console.style(text.one_line(name, 200), "bold") + "  " + ", ".join(text.clean(part) for part in parts)
    if shown.metadata:
        yield from indented(_json(notebook.metadata))
    for number, cell in enumerate(notebook.cells, 1):
        if not shown.cells or number in shown.cells:
            yield ""
            yield from format_cell(cell, number, notebook.language, console, shown)


def format_cell(cell: Cell, number: int, language: str, console: Console, shown: Shown) -> Iterator[str]:
    """Yield the lines of one cell: a heading, source, outputs."""
    yield cell_heading(cell, number, console)
    if shown.metadata and cell.metadata:
        yield from indented(_json(cell.metadata))
    if shown.sources and cell.source:
        yield from indented(highlight(cell.source, languages(cell.type, language), console))
    for name, bundle in (cell.attachments or {}).items():
        kinds = ", ".join(map(str, bundle)) if isinstance(bundle, dict) else "?"
        yield console.style(f"  attachment {text.one_line(name, 60)} ({text.one_line(kinds, 60)})", "dim")
    if shown.outputs:
        if is_stale(cell):
            yield console.style(f"  outputs are {STALE_WORDS}", "yellow")
        for output in cell.outputs or ():
            yield from _output(output, console, shown)


def cell_heading(cell: Cell, number: int, console: Console) -> str:
    """Return the line over a cell: its number, type, count, id, tags."""
    count = f" In [{cell.execution_count}]" if cell.execution_count is not None else ""
    tags = f" {' '.join('#' + text.one_line(tag, 30) for tag in cell.tags)}" if cell.tags else ""
    id_ = f" {text.one_line(cell.id, 64)}" if cell.id else ""
    return console.style(f"── {number} {text.one_line(cell.type, 20)}{count}", "bold") + console.style(
        id_ + tags, "dim"
    )


def _output(output: dict[str, Any], console: Console, shown: Shown) -> Iterator[str]:
    kind = str(output.get("output_type"))
    label = {"stream": text.one_line(str(output.get("name")), 20), "execute_result": "result"}.get(kind, "")
    yield console.style(f"  ┄ {label or text.one_line(kind.replace('_data', ''), 40)}", "dim")
    lines = list(output_lines(output))
    cut = lines if shown.everything else lines[:MOST_OUTPUT_LINES]
    colour = "red" if kind == "error" else ""
    yield from indented([console.style(line, colour) if colour else line for line in cut])
    if len(cut) < len(lines):
        yield console.style(f"    … {text.plural(len(lines) - len(cut), 'more line')} (--all shows them)", "dim")


def output_lines(output: dict[str, Any]) -> Iterator[str]:
    """Yield what an output shows as text; data that is no text is named."""
    kind = output.get("output_type")
    if kind == "stream":
        yield from _text_lines(output.get("text"))
    elif kind == "error":
        trace = output.get("traceback")
        if isinstance(trace, list) and trace:
            yield from _text_lines([f"{part}\n" for part in trace])
        else:
            yield text.one_line(f"{output.get('ename')}: {output.get('evalue')}", 500)
    else:
        data = output.get("data")
        yield from _bundle_lines(data if isinstance(data, dict) else {})


def _bundle_lines(data: dict[str, Any]) -> Iterator[str]:
    named = [mime for mime in data if mime not in ("text/plain", "text/html")]
    for mime in named:
        value = data[mime]
        joined = "".join(map(str, value)) if isinstance(value, list) else value
        size = len(joined) * 3 // 4 if isinstance(joined, str) else len(json.dumps(joined))
        yield f"<{text.one_line(mime, 60)}, {text.size(size)}>"
    if "text/plain" in data:
        yield from _text_lines(data["text/plain"])
    elif "text/html" in data:
        yield f"<text/html, {text.size(len(''.join(map(str, data['text/html']))))}>"


def _text_lines(value: object) -> list[str]:
    joined = "".join(map(str, value)) if isinstance(value, list) else str(value or "")
    return text.clean(joined).split("\n")[: -1 if joined.endswith("\n") else None]


def _json(value: object) -> list[str]:
    return text.clean(json.dumps(value, indent=2, ensure_ascii=False)).split("\n")


__all__ = ["Shown", "cell_heading", "format_cell", "format_notebook", "output_lines"]
