"""Differences of notebooks as Markdown, for a comment on a pull request.

Invariant: what came from a notebook stands in code, in fences longer than any run of backticks in it, so that no
Markdown or HTML of a notebook takes effect. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from nbcellar.api import document_words as words
from nbcellar.api.document_sources import Pair
from nbcellar.diff.document.changes import CellChange, NotebookChange, OutputChange, StateChange
from nbcellar.diff.document.compare import NotebookDiff
from nbcellar.diff.document.outputs.model import MimeChange
from nbcellar.diff.document.outputs.outlined import as_text
from nbcellar.diff.model import TextChange, ValueChange

_MARKS = {"added": "➕", "removed": "➖", "changed": "✏️", "replaced": "✏️", "moved": "↕️", "split": "✂️", "joined": "🔗"}
_BACKTICKS = re.compile("`+")
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def markdown(compared: Sequence[tuple[Pair, NotebookDiff]]) -> Iterator[str]:
    """Yield the lines of some comparisons; notebooks that are the same are left out."""
    count = 0
    for pair, diff in compared:
        if diff or None in (pair.before.data, pair.after.data):
            yield from [""] if count else []
            yield from _notebook(pair, diff.changes)
            count += 1
    if not count:
        yield "No notebook differs."


def _notebook(pair: Pair, change: NotebookChange) -> Iterator[str]:
    state = " (new)" if pair.before.data is None else " (deleted)" if pair.after.data is None else ""
    yield f"### {_code(pair.name)}{state}"
    yield ""
    yield change.summary or "no difference"
    if change.ids_changed:
        yield f"- {words.ids_line(change)}"
    yield from _lists(change.states, change.metadata)
    quiet = [cell for cell in change.cells if cell.only_noise]
    for cell in change.cells:
        if not cell.only_noise:
            yield ""
            yield from _cell(cell)
    if quiet and not change.only_noise:
        yield ""
        yield f"_{words.quiet_line(quiet)}_"


def _cell(cell: CellChange) -> Iterator[str]:
    said = ", ".join(_code(remark) if "#" in remark else remark for remark in words.remarks(cell))
    id_ = f" {_code(cell.id)}" if cell.id else ""
    yield f"**{_MARKS[cell.change]} {words.place(cell)}** {_code(cell.type)}{id_}{' ' + said if said else ''}"
    if cell.source is not None:
        yield from _text(cell.source)
    yield from _lists(cell.states, cell.metadata)
    for attachment in cell.attachments:
        yield f"- {_MARKS[attachment.change]} attachment {_code(attachment.name)}"
    for output in cell.outputs:
        yield from _output(output)


def _output(output: OutputChange) -> Iterator[str]:
    yield ""
    yield f"{_MARKS[output.change]} output {_code(words.output_title(output))}"
    if not output.only_noise:
        for part in output.parts:
            yield from _part(part)


def _part(part: MimeChange) -> Iterator[str]:
    lines = as_text(part.detail)
    if lines is None or lines is not part.detail:
        note = f": {_code(part.note)}" if part.note else ""
        yield f"- {_MARKS[part.change]} {_code(words.mime_name(part.mime))}{note}"
    if lines is not None:
        yield from _text(lines)


def _lists(states: Sequence[StateChange], metadata: Sequence[ValueChange]) -> Iterator[str]:
    yield from (f"- {_code(' '.join(words.state_line(state)))}" for state in states)
    for change in metadata:
        said = words.value_words(change)
        yield f"- {_MARKS[change.change]} {_code(change.path)}{': ' + _code(said) if said else ''}"


def _text(change: TextChange) -> Iterator[str]:
    lines = [f"@@ {line.text}".rstrip() if line.mark == "…" else f"{line.mark}{line.text}" for line in change.lines]
    inner = _clean("\n".join(lines))
    longest = max((len(found) for found in _BACKTICKS.findall(inner)), default=0)
    fence = "`" * max(3, longest + 1)
    yield from (f"{fence}diff", inner, fence)


def _code(text: str) -> str:
    """Return text as inline code that cannot end before its end."""
    plain = " ".join(_clean(text).split()) or " "
    ticks = "`" * (max((len(found) for found in _BACKTICKS.findall(plain)), default=0) + 1)
    pad = " " if plain.startswith("`") or plain.endswith("`") else ""
    return f"{ticks}{pad}{plain}{pad}{ticks}"


def _clean(text: str) -> str:
    return _UNSEEN.sub("\ufffd", text)


__all__ = ["markdown"]
