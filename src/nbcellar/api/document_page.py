"""Differences of notebooks as a page: one file of HTML that needs no other, with pictures.

Pure: comparisons go in, text comes out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nbcellar.api import document_words as words
from nbcellar.api.document_outputs_page import attachment_part, output_part
from nbcellar.api.document_sources import Pair
from nbcellar.api.page_parts import page, plain, text_part, value_part
from nbcellar.diff.document.changes import CellChange, NotebookChange, StateChange
from nbcellar.diff.document.compare import NotebookDiff
from nbcellar.diff.model import ValueChange

CELL_MARKS = {"added": "+", "removed": "−", "changed": "~", "replaced": "~", "moved": "↕", "split": "⑂", "joined": "⑃"}


def render(compared: Sequence[tuple[Pair, NotebookDiff]]) -> str:
    """Return the page of some comparisons; notebooks that are the same are left out."""
    differ = [(pair, diff) for pair, diff in compared if diff or None in (pair.before.data, pair.after.data)]
    title = differ[0][0].name if len(differ) == 1 else f"{len(differ)} notebooks"
    return page(title, _body(differ))


def _body(differ: Sequence[tuple[Pair, NotebookDiff]]) -> Iterator[str]:
    if not differ:
        yield "<h1>No difference</h1>"
    elif len(differ) > 1:
        yield f"<h1>{len(differ):,} notebooks differ</h1><nav>"
        for number, (pair, diff) in enumerate(differ):
            yield f'<div><a href="#n{number}">{plain(pair.name)}</a> <span class="soft">{plain(diff.changes.summary)}'
            yield "</span></div>"
        yield "</nav>"
    for number, (pair, diff) in enumerate(differ):
        yield from _notebook(pair, diff.changes, number, alone=len(differ) == 1)
    yield "<footer>Compared by Cellar.</footer>"


def _notebook(pair: Pair, change: NotebookChange, number: int, *, alone: bool) -> Iterator[str]:
    state = "new" if pair.before.data is None else "deleted" if pair.after.data is None else ""
    tag = f' <span class="tag">{state}</span>' if state else ""
    level = "h1" if alone else "h2"
    yield f'<{level} class="nb" id="n{number}">{plain(pair.name)}{tag}</{level}>'
    yield f'<p class="soft">{plain(change.summary or "no difference")}</p>'
    if change.ids_changed:
        yield f'<p class="soft">{plain(words.ids_line(change))}</p>'
    yield _states(change.states, change.metadata)
    for cell in change.cells:
        yield _cell(cell)


def _cell(cell: CellChange) -> str:
    said = ", ".join(words.remarks(cell))
    head = (
        f'<span class="mark {cell.change}">{CELL_MARKS[cell.change]}</span>'
        f'<span class="name">{plain(words.place(cell))}</span><span>{plain(cell.type)}</span>'
        f'<span class="mono">{plain(cell.id)}</span><span class="soft">{plain(said)}</span>'
    )
    parts = [text_part(cell.source)] if cell.source is not None else []
    parts.append(_states(cell.states, cell.metadata))
    parts += [attachment_part(attachment) for attachment in cell.attachments]
    parts += [output_part(output) for output in cell.outputs]
    inside = "".join(parts)
    inner = f'<div class="inside">{inside}</div>' if inside else ""
    shown = "" if cell.only_noise else " open"
    noise = " noise" if cell.only_noise else ""
    return f'<details class="var cell{noise}"{shown}><summary>{head}</summary>{inner}</details>'


def _states(states: Sequence[StateChange], metadata: Sequence[ValueChange]) -> str:
    items = []
    for state in states:
        mark, said = words.state_line(state)
        kind = {"+": "added", "-": "removed"}.get(mark, "changed")
        items.append(f'<li><span class="mark {kind}">{mark.replace("-", "−")}</span> {plain(said)}</li>')
    items += [f"<li>{value_part(change, '', top=False)}</li>" for change in metadata]
    return f'<ul class="parts">{"".join(items)}</ul>' if items else ""


__all__ = ["render"]
