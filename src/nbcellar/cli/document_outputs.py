"""The lines of `cellar diff` for outputs and attachments of a cell.

Pure but for the console's colours and width. What came from a notebook is cleaned.
"""

from __future__ import annotations

from collections.abc import Iterator

from nbcellar.api import document_words as words
from nbcellar.cli import diff_details, text
from nbcellar.cli.console import Console
from nbcellar.diff.document.changes import AttachmentChange, OutputChange
from nbcellar.diff.document.outputs.model import MimeChange
from nbcellar.diff.document.outputs.outlined import as_text

_MARKS = {"added": ("+", "green"), "removed": ("-", "red"), "changed": ("~", "yellow"), "moved": (">", "cyan")}
_MOST_LINES = 12


def output_lines(output: OutputChange, console: Console, *, everything: bool) -> Iterator[str]:
    """Yield one output's change: a heading, and what changed by MIME type."""
    mark, color = _MARKS[output.change]
    title = text.cut(f"┄ {mark} {text.one_line(words.output_title(output), 200)}", console.width - 4)
    yield "    " + console.style(title, "dim" if output.only_noise else color)
    if output.only_noise and not everything:
        return
    for part in output.parts:
        yield from _part(part, console, 6, everything)
    from nbcellar.cli.document_text import value_lines

    for change in output.metadata:
        yield from value_lines(change, console, 6)


def attachment_lines(attachment: AttachmentChange, console: Console) -> Iterator[str]:
    """Yield an attachment's change."""
    mark, color = _MARKS[attachment.change]
    yield "    " + console.style(
        text.cut(f"{mark} attachment {text.one_line(attachment.name, 80)}", console.width - 4), color
    )
    for part in attachment.parts:
        yield from _part(part, console, 6, everything=False)


def _part(part: MimeChange, console: Console, indent: int, everything: bool) -> Iterator[str]:
    pad, room = " " * indent, console.width - indent
    detail = part.detail
    if part.mime not in ("text/plain", "error") or detail is None:
        mark, color = _MARKS[part.change]
        note = f": {text.one_line(part.note, 200)}" if part.note else ""
        yield pad + console.style(
            text.cut(f"{mark} {text.one_line(words.mime_name(part.mime), 80)}{note}", room), color
        )
    lines = as_text(detail)
    if lines is not None:
        yield from diff_details.text_lines(lines, console, indent, None if everything else _MOST_LINES)


__all__ = ["attachment_lines", "output_lines"]
