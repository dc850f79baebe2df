"""A diff of two commits as a page: one file of HTML that needs no other, with pictures, light or dark as the system is.

Pure: the diff goes in, text comes out.
"""

from __future__ import annotations

from collections.abc import Iterator

from nbcellar.api.diff_views import Diff, DiffStep, VariableDiff
from nbcellar.api.page_parts import MARKS, array_form, arrow, page, plain, text_part, value_part
from nbcellar.api.views import CommitLine
from nbcellar.diff.model import ArrayChange, FrameChange

_WAYS = {
    "same": "the same commit twice",
    "back": "the second is the earlier one: the cells below ran after it",
    "across": "on two branches",
    "apart": "with no commit in common",
}


def render(diff: Diff) -> str:
    """Return the page of a diff."""
    title = f"{diff.before.id[:8]} → {diff.after.id[:8]}"
    return page(f"{diff.after.notebook}: {title}", _body(diff))


def _body(diff: Diff) -> Iterator[str]:
    yield f"<h1>{plain(diff.after.notebook)}</h1>"
    yield '<div class="points">' + _point("from", diff.before) + _point("to", diff.after) + "</div>"
    if diff.way in _WAYS:
        since = f" since {diff.base[:8]}" if diff.way == "across" and diff.base else ""
        yield f'<p class="soft">{_WAYS[diff.way]}{since}</p>'
    for note in diff.notes:
        yield f'<p class="note">{plain(note)}</p>'
    if diff.steps:
        yield f"<h2>Cells<small>{len(diff.steps) + diff.more_steps} between the two</small></h2>"
        if diff.more_steps:
            yield f'<p class="soft">… {diff.more_steps} before these</p>'
        yield from map(_step, diff.steps)
    yield f"<h2>Variables<small>{_counts(diff)}</small></h2>"
    yield from map(_variable, diff.variables)
    if diff.equal:
        yield f'<p class="soft">recorded anew, equal by value: {plain(", ".join(diff.equal))}</p>'
    if diff.surroundings:
        yield "<h2>Around them</h2><table>"
        yield from (f"<tr><td>{plain(s.part)}</td><td>{plain(s.text)}</td></tr>" for s in diff.surroundings)
        yield "</table>"
    yield "<footer>Compared from what is stored; nothing was loaded or run.</footer>"


def _point(word: str, line: CommitLine) -> str:
    names = dict.fromkeys(label.name or "HEAD" for label in line.labels)
    labels = "".join(f' <span class="tag">{plain(name)}</span>' for name in names)
    count = f"[{line.execution_count}] " if line.execution_count is not None else ""
    return (
        f'<span class="soft">{word}</span><span><b class="mono">{plain(line.id[:8])}</b> '
        f'<span class="soft">{line.time:%Y-%m-%d %H:%M:%S} UTC</span></span>'
        f'<span class="mono">{plain(count + _title(line))}{labels}</span>'
    )


def _title(line: CommitLine) -> str:
    if not line.title or line.kind in ("auto", "named"):
        return line.title or line.kind
    return f"{line.kind}: {line.title}"


def _counts(diff: Diff) -> str:
    words = []
    for kind in ("changed", "added", "removed"):
        count = sum(variable.change == kind for variable in diff.variables)
        if count:
            words.append(f"{count:,} {kind}")
    words.append(f"{diff.unchanged + len(diff.equal):,} as before")
    return ", ".join(words)


def _step(step: DiffStep) -> str:
    if not step.source:
        target = f" to {step.at[:8]}" if step.at else ""
        return f'<p class="soft">{plain(step.kind + target)} {plain(step.title)}</p>'
    remarks = ["undone"] if step.undone else []
    remarks += ["only on the way to the first"] if step.lost else []
    if step.again:
        remarks.append("run again, changed" if step.source_change is not None else "run again")
    if step.error is not None:
        remarks.append(f"failed: {step.error.name}")
    head = f'<span class="mono">[{step.execution_count}]</span><span class="soft">{plain(", ".join(remarks))}</span>'
    inner = text_part(step.source_change) if step.source_change is not None else f"<pre>{plain(step.source)}</pre>"
    return f'<section class="step{" undone" if step.undone else ""}"><header>{head}</header>{inner}</section>'


def _variable(variable: VariableDiff) -> str:
    sides = [side for side in (variable.before, variable.after) if side is not None]
    types = list(dict.fromkeys(side.type for side in sides))
    head = (
        f'<span class="mark {variable.change}">{MARKS[variable.change]}</span>'
        f'<span class="name mono">{plain(variable.name)}</span>'
        f'<span class="soft">{plain(" → ".join(types))}</span><span class="mono">{_size(variable)}</span>'
    )
    parts: list[str] = []
    if variable.renamed_from:
        parts.append(f"<p>was called <code>{plain(variable.renamed_from)}</code></p>")
    if variable.reason:
        parts.append(f'<p class="note">{plain(variable.reason)}</p>')
    for side in sides:
        if side.uncertain:
            parts.append(f'<p class="note">uncertain: {plain(side.uncertain)}</p>')
    if variable.value is not None and variable.change == "changed":
        parts.append(value_part(variable.value, variable.name))
    elif sides and (variable.reason or variable.change != "changed"):
        parts += [f"<pre>{plain(side.preview)}</pre>" for side in sides if side.preview]
    inside = f'<div class="inside">{"".join(parts)}</div>' if parts else ""
    return f'<details class="var {variable.change}" open><summary>{head}</summary>{inside}</details>'


def _size(variable: VariableDiff) -> str:
    detail = variable.value.detail if variable.value is not None else None
    if isinstance(detail, FrameChange):
        old, new = (f"{r:,} × {c:,}" for r, c in _sizes(detail))
    elif isinstance(detail, ArrayChange):
        old, new = (
            array_form(detail.shape_before, detail.dtype_before),
            array_form(detail.shape_after, detail.dtype_after),
        )
    else:
        return ""
    return plain(new) if old == new else arrow(old, new)


def _sizes(detail: FrameChange) -> tuple[tuple[int, int], tuple[int, int]]:
    return (detail.rows_before, detail.columns_before), (detail.rows_after, detail.columns_after)


__all__ = ["render"]
