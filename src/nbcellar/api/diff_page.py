"""A diff as a page: one file of HTML that needs no other, with pictures, light or dark as the reader's system is.

Invariant: no script, nothing from elsewhere (its own policy forbids both), and all that came from a notebook is
escaped. Pure: the diff goes in, text comes out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from nbcellar.api.diff_views import Diff, DiffStep, VariableDiff
from nbcellar.api.views import CommitLine
from nbcellar.diff.model import (
    ArrayChange,
    BlocksChange,
    Changed,
    ColumnChange,
    FrameChange,
    PictureChange,
    Statistics,
    TextChange,
    ValueChange,
)

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
_MARKS = {"added": "+", "changed": "~", "removed": "−"}
_WAYS = {
    "same": "the same commit twice",
    "back": "the second is the earlier one: the cells below ran after it",
    "across": "on two branches",
    "apart": "with no commit in common",
}

_STYLE = """
:root { color-scheme: light dark; --ink: #1c2127; --soft: #646d78; --line: #dfe3e8; --paper: #fff; --shade: #f6f8fa;
  --add: #116329; --add-bg: #e6f6ea; --add-word: #abf0bb; --del: #a31528; --del-bg: #ffecec; --del-word: #ffc4c4;
  --mod: #7a5200; --mod-bg: #fff5d9; --accent: #2458b8; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e8ee; --soft: #97a1ad; --line: #333b45; --paper: #15191e;
  --shade: #1d2229; --add: #7ee0a0; --add-bg: #12301d; --add-word: #1f5e36; --del: #ff9aa2; --del-bg: #3a171b;
  --del-word: #7a2830; --mod: #f2cc70; --mod-bg: #332808; --accent: #8ab4ff; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 28px 20px 80px; }
h1 { font-size: 22px; margin: 0 0 4px; } h2 { font-size: 17px; margin: 36px 0 10px; }
h2 small, .soft { color: var(--soft); font-weight: 400; } h2 small { font-size: 14px; margin-left: 8px; }
code, pre, .mono, td.n, th.n { font-family: ui-monospace, "SF Mono", Menlo, Consolas, monospace; font-size: 13px; }
.points { display: grid; grid-template-columns: auto auto 1fr; gap: 2px 12px; margin: 12px 0; }
.points b { color: var(--accent); }
.tag { border: 1px solid var(--line); border-radius: 10px; padding: 0 8px; font-size: 12px; }
.step, .var { border: 1px solid var(--line); border-radius: 8px; margin: 10px 0; overflow: hidden; }
.step > header, .var > summary { background: var(--shade); padding: 6px 12px; display: flex; gap: 10px;
  align-items: baseline; flex-wrap: wrap; }
.var > summary { cursor: pointer; list-style: none; } .var > summary::-webkit-details-marker { display: none; }
.var > summary::after { content: "▾"; margin-left: auto; color: var(--soft); }
.var:not([open]) > summary::after { content: "▸"; }
.inside { padding: 8px 12px 12px; overflow-x: auto; } .inside > *:first-child { margin-top: 0; }
pre { margin: 0; padding: 8px 12px; overflow-x: auto; white-space: pre; tab-size: 4; }
.step.undone { opacity: .6; } .step.undone pre { text-decoration: line-through; }
.mark { font-weight: 700; width: 1em; } .mark.added { color: var(--add); } .mark.removed { color: var(--del); }
.mark.changed { color: var(--mod); }
.name { font-weight: 650; } .note { color: var(--mod); }
.old, .new { border-radius: 3px; padding: 0 3px; word-break: break-word; } .old { background: var(--del-bg);
  color: var(--del); } .new { background: var(--add-bg); color: var(--add); }
.l { display: block; padding: 0 6px; min-height: 1.4em; } .l.plus { background: var(--add-bg); }
.l.minus { background: var(--del-bg); } .l.gap { color: var(--soft); } .plus mark { background: var(--add-word); }
.minus mark { background: var(--del-word); } mark { color: inherit; border-radius: 2px; }
table { border-collapse: collapse; margin: 8px 0; } th { text-align: left; color: var(--soft); font-weight: 500;
  font-size: 13px; } th, td { padding: 3px 14px 3px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td.n, th.n { text-align: right; white-space: nowrap; } ul.parts { list-style: none; padding: 0; margin: 6px 0; }
ul.parts > li { padding: 2px 0; } .bar { display: inline-block; width: 90px; height: 8px; border-radius: 4px;
  background: var(--line); vertical-align: middle; margin-right: 8px; overflow: hidden; }
.bar i { display: block; height: 100%; background: var(--accent); }
.pictures { display: flex; gap: 14px; flex-wrap: wrap; margin: 8px 0; } figure { margin: 0; }
figure img { max-width: 320px; min-width: 64px; max-height: 320px; border: 1px solid var(--line); background: #fff;
  image-rendering: auto; } img.small { image-rendering: pixelated; } figcaption { font-size: 12px; color: var(--soft); }
footer { margin-top: 48px; color: var(--soft); font-size: 13px; }
"""


def render(diff: Diff) -> str:
    """Return the page of a diff."""
    title = f"{diff.before.id[:8]} → {diff.after.id[:8]}"
    body = "\n".join(_body(diff))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{_text(diff.after.notebook)}: {_text(title)}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _body(diff: Diff) -> Iterator[str]:
    yield f"<h1>{_text(diff.after.notebook)}</h1>"
    yield '<div class="points">' + _point("from", diff.before) + _point("to", diff.after) + "</div>"
    if diff.way in _WAYS:
        since = f" since {diff.base[:8]}" if diff.way == "across" and diff.base else ""
        yield f'<p class="soft">{_WAYS[diff.way]}{since}</p>'
    for note in diff.notes:
        yield f'<p class="note">{_text(note)}</p>'
    if diff.steps:
        yield f"<h2>Cells<small>{len(diff.steps) + diff.more_steps} between the two</small></h2>"
        if diff.more_steps:
            yield f'<p class="soft">… {diff.more_steps} before these</p>'
        yield from map(_step, diff.steps)
    yield f"<h2>Variables<small>{_counts(diff)}</small></h2>"
    yield from map(_variable, diff.variables)
    if diff.equal:
        yield f'<p class="soft">recorded anew, equal by value: {_text(", ".join(diff.equal))}</p>'
    if diff.surroundings:
        yield "<h2>Around them</h2><table>"
        yield from (f"<tr><td>{_text(s.part)}</td><td>{_text(s.text)}</td></tr>" for s in diff.surroundings)
        yield "</table>"
    yield "<footer>Compared from what is stored; nothing was loaded or run.</footer>"


def _point(word: str, line: CommitLine) -> str:
    names = dict.fromkeys(label.name or "HEAD" for label in line.labels)
    labels = "".join(f' <span class="tag">{_text(name)}</span>' for name in names)
    count = f"[{line.execution_count}] " if line.execution_count is not None else ""
    return (
        f'<span class="soft">{word}</span><span><b class="mono">{_text(line.id[:8])}</b> '
        f'<span class="soft">{line.time:%Y-%m-%d %H:%M:%S} UTC</span></span>'
        f'<span class="mono">{_text(count + _title(line))}{labels}</span>'
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
        return f'<p class="soft">{_text(step.kind + target)} {_text(step.title)}</p>'
    remarks = ["undone"] if step.undone else []
    remarks += ["only on the way to the first"] if step.lost else []
    if step.again:
        remarks.append("run again, changed" if step.source_change is not None else "run again")
    if step.error is not None:
        remarks.append(f"failed: {step.error.name}")
    head = f'<span class="mono">[{step.execution_count}]</span><span class="soft">{_text(", ".join(remarks))}</span>'
    inner = _lines(step.source_change) if step.source_change is not None else f"<pre>{_text(step.source)}</pre>"
    return f'<section class="step{" undone" if step.undone else ""}"><header>{head}</header>{inner}</section>'


def _variable(variable: VariableDiff) -> str:
    sides = [side for side in (variable.before, variable.after) if side is not None]
    types = list(dict.fromkeys(side.type for side in sides))
    head = (
        f'<span class="mark {variable.change}">{_MARKS[variable.change]}</span>'
        f'<span class="name mono">{_text(variable.name)}</span>'
        f'<span class="soft">{_text(" → ".join(types))}</span><span class="mono">{_size(variable)}</span>'
    )
    parts: list[str] = []
    if variable.renamed_from:
        parts.append(f"<p>was called <code>{_text(variable.renamed_from)}</code></p>")
    if variable.reason:
        parts.append(f'<p class="note">{_text(variable.reason)}</p>')
    for side in sides:
        if side.uncertain:
            parts.append(f'<p class="note">uncertain: {_text(side.uncertain)}</p>')
    if variable.value is not None and variable.change == "changed":
        parts.append(_value(variable.value, variable.name))
    elif sides and (variable.reason or variable.change != "changed"):
        parts += [f"<pre>{_text(side.preview)}</pre>" for side in sides if side.preview]
    inside = f'<div class="inside">{"".join(parts)}</div>' if parts else ""
    return f'<details class="var {variable.change}" open><summary>{head}</summary>{inside}</details>'


def _size(variable: VariableDiff) -> str:
    detail = variable.value.detail if variable.value is not None else None
    if isinstance(detail, FrameChange):
        old, new = (f"{r:,} × {c:,}" for r, c in _sizes(detail))
    elif isinstance(detail, ArrayChange):
        old, new = _form(detail.shape_before, detail.dtype_before), _form(detail.shape_after, detail.dtype_after)
    else:
        return ""
    return _text(new) if old == new else _arrow(old, new)


def _sizes(detail: FrameChange) -> tuple[tuple[int, int], tuple[int, int]]:
    return (detail.rows_before, detail.columns_before), (detail.rows_after, detail.columns_after)


def _form(shape: Iterable[int], dtype: str) -> str:
    return f"({' × '.join(f'{n:,}' for n in shape)}) {dtype}".rstrip()


def _value(value: ValueChange, prefix: str, *, top: bool = True) -> str:
    path = value.path.removeprefix(prefix)
    parts = [f'<span class="soft">{_text("; ".join(value.notes))}</span>'] if value.notes else []
    if value.detail is not None:
        parts.append(_detail(value.detail))
    elif not value.parts and not value.more and (value.before or value.after):
        words = _arrow(value.before, value.after) if value.change == "changed" else _one(value)
        kinds = value.type_before, value.type_after
        types = f' <span class="soft">{_text(" → ".join(kinds))}</span>' if all(kinds) and kinds[0] != kinds[1] else ""
        parts.insert(0, f"{words}{types}")
    items = "".join(f"<li>{_value(part, prefix, top=False)}</li>" for part in _flat(value))
    if items:
        parts.append(f'<ul class="parts">{items}</ul>')
    if value.more:
        parts.append(f'<p class="soft">… {value.more:,} more</p>')
    inner = "".join(parts)
    if top:
        return inner
    return f'<span class="mark {value.change}">{_MARKS[value.change]}</span> <code>{_text(path)}</code> {inner}'


def _flat(value: ValueChange) -> Iterator[ValueChange]:
    """Yield the parts of a change; of those that only hold others, these."""
    for part in value.parts:
        if part.parts and part.detail is None and not part.notes and not part.more:
            yield from _flat(part)
        else:
            yield part


def _one(value: ValueChange) -> str:
    css, words = ("new", value.after) if value.change == "added" else ("old", value.before)
    return f'<code class="{css}">{_text(words)}</code>'


def _arrow(old: str, new: str) -> str:
    return f'<code class="old">{_text(old)}</code> → <code class="new">{_text(new)}</code>'


def _detail(detail: object) -> str:
    if isinstance(detail, FrameChange):
        return "".join(_frame(detail))
    if isinstance(detail, ArrayChange):
        return "".join(_array(detail))
    if isinstance(detail, TextChange):
        return _lines(detail)
    if isinstance(detail, PictureChange):
        return _pictures(detail)
    assert isinstance(detail, BlocksChange)
    share = _bar(detail.changed_bytes, detail.total_bytes)
    return f"<p>{share}{detail.changed:,} of {detail.total:,} stored blocks differ</p>"


def _array(detail: ArrayChange) -> Iterator[str]:
    if detail.shape_before != detail.shape_after or detail.dtype_before != detail.dtype_after:
        old, new = _form(detail.shape_before, detail.dtype_before), _form(detail.shape_after, detail.dtype_after)
        yield f"<p>{_arrow(old, new)}</p>"
    if detail.cells is not None:
        rows = f" of the first {detail.rows:,} rows" if detail.rows is not None else ""
        yield f"<p>{_cells(detail.cells, rows)}</p>"
        yield _statistics_table([("", detail.cells)])
        yield _examples(detail.cells)
    if detail.mask is not None:
        yield f"<p>mask: {_cells(detail.mask, '')}</p>"


def _cells(cells: Changed, rows: str) -> str:
    parts = [f"{_bar(cells.changed, cells.compared)}{cells.changed:,} of {cells.compared:,}{rows} changed"]
    if cells.largest is not None and cells.changed:
        parts.append(f"by up to <code>{cells.largest:.6g}</code> at <code>[{_text(cells.largest_at)}]</code>")
    if cells.same_number:
        parts.append(f"{cells.same_number:,} equal as numbers but not as bits")
    return ", ".join(parts)


def _bar(part: int, whole: int) -> str:
    share = 100 * part / whole if whole else 0
    return f'<span class="bar"><i style="width:{max(share, 2 if part else 0):.0f}%"></i></span>'


def _examples(cells: Changed) -> str:
    rows = "".join(
        f'<tr><td class="mono">[{_text(e.at)}]</td><td>{_arrow(e.before, e.after)}</td></tr>' for e in cells.examples
    )
    return f"<table>{rows}</table>" if rows else ""


def _frame(detail: FrameChange) -> Iterator[str]:
    by = {"label": "by label", "place": "by place", "content": "by content; the index was numbered anew"}
    items = []
    for mark, kind, count, labels in (
        ("+", "added", detail.rows_added, detail.added_labels),
        ("−", "removed", detail.rows_dropped, detail.dropped_labels),
    ):
        if count:
            more = ", …" if count > len(labels) else ""
            word = "row" if count == 1 else "rows"
            items.append(
                f'<li><span class="mark {kind}">{mark}</span> {count:,} {word} ({by[detail.rows_by]}): '
                f"<code>{_text(', '.join(labels))}{more}</code></li>"
            )
    items += ["<li>rows in another order</li>"] if detail.rows_moved else []
    items += ["<li>columns in another order</li>"] if detail.columns_moved else []
    items += [f"<li>index: {_text(detail.index)}</li>"] if detail.index else []
    if items:
        yield f'<ul class="parts">{"".join(items)}</ul>'
    if detail.columns:
        head = '<th></th><th>column</th><th>type</th><th>cells</th><th class="n">largest</th><th>examples</th>'
        yield f"<table><tr>{head}</tr>"
        yield from map(_column, detail.columns)
        yield "</table>"
        yield _statistics_table([(c.name, c.cells) for c in detail.columns if c.cells is not None])


def _column(column: ColumnChange) -> str:
    same = column.dtype_before == column.dtype_after
    if column.change != "changed" or same:
        dtype = _text(column.dtype_after or column.dtype_before)
    else:
        dtype = _arrow(column.dtype_before, column.dtype_after) if column.dtype_before else _text(column.dtype_after)
    cells, largest, examples = "", "", ""
    if column.renamed_from:
        cells = f"was called <code>{_text(column.renamed_from)}</code>"
    elif column.change == "changed" and column.cells is not None:
        cells = f"{_bar(column.cells.changed, column.cells.compared)}{column.cells.changed:,}"
        cells += f" {_text(column.note)}" if column.note else ""
        largest = f"{column.cells.largest:.6g}" if column.cells.largest is not None else ""
        examples = "<br>".join(
            f'<span class="soft mono">[{_text(e.at)}]</span> {_arrow(e.before, e.after)}'
            for e in column.cells.examples[:3]
        )
    return (
        f'<tr class="{column.change}"><td class="mark {column.change}">{_MARKS[column.change]}</td><td class="mono">'
        f'{_text(column.name)}</td><td class="mono">{dtype}</td><td>{cells}</td><td class="n">{largest}</td>'
        f"<td>{examples}</td></tr>"
    )


def _statistics_table(named: list[tuple[str, Changed]]) -> str:
    rows = []
    for name, cells in named:
        for word, stats in (("before", cells.before), ("after", cells.after)):
            if stats is not None and not 0 < cells.compared <= len(cells.examples):
                rows.append(_statistics_row(name, word, stats))
    if not rows:
        return ""
    head = "<th></th><th></th>" + "".join(f'<th class="n">{word}</th>' for word in ("min", "mean", "max", "missing"))
    return f"<table><tr>{head}</tr>{''.join(rows)}</table>"


def _statistics_row(name: str, word: str, stats: Statistics) -> str:
    mean = "" if stats.mean is None else f"{stats.mean:.6g}"
    cells = (stats.min, mean, stats.max, f"{stats.missing:,}")
    numbers = "".join(f'<td class="n">{_text(cell)}</td>' for cell in cells)
    return f'<tr><td class="mono">{_text(name)}</td><td class="soft">{word}</td>{numbers}</tr>'


def _lines(detail: TextChange) -> str:
    css = {"+": "plus", "-": "minus", "…": "gap", " ": ""}
    rows = []
    for line in detail.lines:
        text = _marked(line.text, line.words) if line.words else _text(line.text)
        rows.append(f'<span class="l {css.get(line.mark, "")}">{_text(line.mark)} {text}</span>')
    return f"<pre>{''.join(rows)}</pre>"


def _marked(text: str, words: list[tuple[int, int]]) -> str:
    parts, at = [], 0
    for begin, end in words:
        parts.append(f"{_text(text[at:begin])}<mark>{_text(text[begin:end])}</mark>")
        at = end
    return "".join([*parts, _text(text[at:])])


def _pictures(detail: PictureChange) -> str:
    shown = (("before", detail.before), ("after", detail.after), ("difference", detail.difference))
    figures = "".join(
        f'<figure><img src="{_text(uri)}" alt="{word}"><figcaption>{word}</figcaption></figure>'
        for word, uri in shown
        if uri.startswith("data:image/png;base64,")
    )
    count = f"<p>{detail.pixels:,} of {detail.of:,} pixels differ</p>" if detail.pixels is not None else ""
    return f'{count}<div class="pictures">{figures}</div>'


def _text(text: str) -> str:
    """Return text for a page: escaped, and without characters that no page may hold or that turn its order."""
    return escape("".join(letter if _is_shown(letter) else "�" for letter in text), quote=True)


def _is_shown(letter: str) -> bool:
    code = ord(letter)
    if code < 32 or 0x7F <= code < 0xA0:
        return letter in "\t\n"
    return not (0x202A <= code <= 0x202E or 0x2066 <= code <= 0x2069 or 0xD800 <= code <= 0xDFFF)


__all__ = ["render"]
