"""Outputs and attachments of a cell on a page. Pure; everything that came from a notebook is escaped."""

from __future__ import annotations

from nbcellar.api import document_words as words
from nbcellar.api.page_parts import MARKS, detail_part, plain
from nbcellar.diff.document.changes import AttachmentChange, OutputChange
from nbcellar.diff.document.outputs.model import MimeChange
from nbcellar.diff.document.outputs.outlined import as_text
from nbcellar.diff.model import PictureChange


def output_part(output: OutputChange) -> str:
    """Return one output's change."""
    mark = {"moved": "↕"}.get(output.change) or MARKS[output.change]
    head = f'<p><span class="mark {output.change}">{mark}</span> {plain(words.output_title(output))}</p>'
    return f'<div class="output">{head}{"".join(_part(part) for part in output.parts)}</div>'


def attachment_part(attachment: AttachmentChange) -> str:
    """Return an attachment's change."""
    head = f'<p><span class="mark {attachment.change}">{MARKS[attachment.change]}</span> attachment '
    return f'<div class="output">{head}{plain(attachment.name)}</p>{"".join(map(_part, attachment.parts))}</div>'


def _part(part: MimeChange) -> str:
    note = f' <span class="soft">{plain(part.note)}</span>' if part.note else ""
    head = "" if part.mime == "text/plain" else f'<p class="soft">{plain(words.mime_name(part.mime))}{note}</p>'
    if isinstance(part.detail, PictureChange):
        return head + detail_part(part.detail)
    lines = as_text(part.detail)
    return head + detail_part(lines) if lines is not None else head


__all__ = ["attachment_part", "output_part"]
