"""Outputs and attachments of a cell on a page. Pure; everything that came from a notebook is escaped."""

from __future__ import annotations

import msgspec

from nbcellar.api import document_words as words
from nbcellar.api.page_parts import MARKS, arrow, detail_part, plain
from nbcellar.diff.document.changes import AttachmentChange, OutputChange
from nbcellar.diff.document.outputs.model import HtmlChange, MimeChange, TableChange, TableRow
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
        return head + detail_part(msgspec.structs.replace(part.detail, pixels=None))  # the note says how many
    if isinstance(part.detail, HtmlChange):
        text = detail_part(part.detail.text) if part.detail.text is not None else ""
        return head + "".join(map(_table, part.detail.tables)) + text
    lines = as_text(part.detail)
    return head + detail_part(lines) if lines is not None else head


def _table(table: TableChange) -> str:
    caption = f"<caption>{plain(table.caption)}</caption>" if table.caption else ""
    head = "".join(f"<th>{plain(cell)}</th>" for cell in table.header)
    rows = "".join(map(_row, table.rows))
    return f'<table class="drawn">{caption}<tr><th></th>{head}</tr>{rows}</table>'


def _row(row: TableRow) -> str:
    if row.mark == "…":
        label = f"{row.label} rows" if row.label[:1].isdigit() else row.label
        return f'<tr><td></td><td colspan="99" class="soft">… {plain(label)}</td></tr>'
    cells = "".join(
        f"<td>{arrow(row.before[place], cell) if place in row.before else plain(cell)}</td>"
        for place, cell in enumerate(row.cells)
    )
    kind = {"+": "added", "-": "removed", "~": "changed"}.get(row.mark, "")
    return f'<tr class="{kind}"><td class="mark {kind}">{plain(row.mark).replace("-", "−")}</td>{cells}</tr>'


__all__ = ["attachment_part", "output_part"]
