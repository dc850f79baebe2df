"""What pages that show differences have in common: the frame of a page, and how each kind of change is drawn.

Invariant: no script, nothing from elsewhere (the page's own policy forbids both), and all that came from a notebook is
escaped. Pure: changes go in, text comes out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

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
MARKS = {"added": "+", "changed": "~", "removed": "−"}
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
.cell.noise > summary { opacity: .75; } .cell > summary .mono { color: var(--soft); }
h2.nb { border-top: 2px solid var(--line); padding-top: 20px; } .output { margin: 10px 0 0; border-left: 3px solid
  var(--line); padding-left: 12px; } .output > p { margin: 0 0 4px; } .mark.moved, .mark.split, .mark.joined { color:
  var(--accent); } .mark.replaced { color: var(--mod); } nav { columns: 2; margin: 14px 0; } nav a { color: inherit; }
table.drawn td, table.drawn th { padding: 2px 12px; font-size: 13px; } table.drawn tr.added td { background:
  var(--add-bg); } table.drawn tr.removed td { background: var(--del-bg); } caption { text-align: left;
  color: var(--soft); }
footer { margin-top: 48px; color: var(--soft); font-size: 13px; }
"""


def page(title: str, body: Iterable[str]) -> str:
    """Return a page of its own; `title` is not escaped yet, the parts of `body` are."""
    inner = "\n".join(body)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{plain(title)}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n{inner}\n</main>\n</body>\n</html>\n"
    )


def array_form(shape: Iterable[int], dtype: str) -> str:
    return f"({' × '.join(f'{n:,}' for n in shape)}) {dtype}".rstrip()


def value_part(value: ValueChange, prefix: str, *, top: bool = True) -> str:
    path = value.path.removeprefix(prefix)
    parts = [f'<span class="soft">{plain("; ".join(value.notes))}</span>'] if value.notes else []
    if value.detail is not None:
        parts.append(detail_part(value.detail))
    elif not value.parts and not value.more and (value.before or value.after):
        words = arrow(value.before, value.after) if value.change == "changed" else _one(value)
        kinds = value.type_before, value.type_after
        types = f' <span class="soft">{plain(" → ".join(kinds))}</span>' if all(kinds) and kinds[0] != kinds[1] else ""
        parts.insert(0, f"{words}{types}")
    items = "".join(f"<li>{value_part(part, prefix, top=False)}</li>" for part in _flat(value))
    if items:
        parts.append(f'<ul class="parts">{items}</ul>')
    if value.more:
        parts.append(f'<p class="soft">… {value.more:,} more</p>')
    inner = "".join(parts)
    if top:
        return inner
    return f'<span class="mark {value.change}">{MARKS[value.change]}</span> <code>{plain(path)}</code> {inner}'


def _flat(value: ValueChange) -> Iterator[ValueChange]:
    """Yield the parts of a change; of those that only hold others, these."""
    for part in value.parts:
        if part.parts and part.detail is None and not part.notes and not part.more:
            yield from _flat(part)
        else:
            yield part


def _one(value: ValueChange) -> str:
    css, words = ("new", value.after) if value.change == "added" else ("old", value.before)
    return f'<code class="{css}">{plain(words)}</code>'


def arrow(old: str, new: str) -> str:
    return f'<code class="old">{plain(old)}</code> → <code class="new">{plain(new)}</code>'


def detail_part(detail: object) -> str:
    if isinstance(detail, FrameChange):
        return "".join(_frame(detail))
    if isinstance(detail, ArrayChange):
        return "".join(_array(detail))
    if isinstance(detail, TextChange):
        return text_part(detail)
    if isinstance(detail, PictureChange):
        return picture_part(detail)
    assert isinstance(detail, BlocksChange)
    share = _bar(detail.changed_bytes, detail.total_bytes)
    return f"<p>{share}{detail.changed:,} of {detail.total:,} stored blocks differ</p>"


def _array(detail: ArrayChange) -> Iterator[str]:
    if detail.shape_before != detail.shape_after or detail.dtype_before != detail.dtype_after:
        old, new = (
            array_form(detail.shape_before, detail.dtype_before),
            array_form(detail.shape_after, detail.dtype_after),
        )
        yield f"<p>{arrow(old, new)}</p>"
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
        parts.append(f"by up to <code>{cells.largest:.6g}</code> at <code>[{plain(cells.largest_at)}]</code>")
    if cells.same_number:
        parts.append(f"{cells.same_number:,} equal as numbers but not as bits")
    return ", ".join(parts)


def _bar(part: int, whole: int) -> str:
    share = 100 * part / whole if whole else 0
    return f'<span class="bar"><i style="width:{max(share, 2 if part else 0):.0f}%"></i></span>'


def _examples(cells: Changed) -> str:
    rows = "".join(
        f'<tr><td class="mono">[{plain(e.at)}]</td><td>{arrow(e.before, e.after)}</td></tr>' for e in cells.examples
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
                f"<code>{plain(', '.join(labels))}{more}</code></li>"
            )
    items += ["<li>rows in another order</li>"] if detail.rows_moved else []
    items += ["<li>columns in another order</li>"] if detail.columns_moved else []
    items += [f"<li>index: {plain(detail.index)}</li>"] if detail.index else []
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
        dtype = plain(column.dtype_after or column.dtype_before)
    else:
        dtype = arrow(column.dtype_before, column.dtype_after) if column.dtype_before else plain(column.dtype_after)
    cells, largest, examples = "", "", ""
    if column.renamed_from:
        cells = f"was called <code>{plain(column.renamed_from)}</code>"
    elif column.change == "changed" and column.cells is not None:
        cells = f"{_bar(column.cells.changed, column.cells.compared)}{column.cells.changed:,}"
        cells += f" {plain(column.note)}" if column.note else ""
        largest = f"{column.cells.largest:.6g}" if column.cells.largest is not None else ""
        examples = "<br>".join(
            f'<span class="soft mono">[{plain(e.at)}]</span> {arrow(e.before, e.after)}'
            for e in column.cells.examples[:3]
        )
    return (
        f'<tr class="{column.change}"><td class="mark {column.change}">{MARKS[column.change]}</td><td class="mono">'
        f'{plain(column.name)}</td><td class="mono">{dtype}</td><td>{cells}</td><td class="n">{largest}</td>'
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
    numbers = "".join(f'<td class="n">{plain(cell)}</td>' for cell in cells)
    return f'<tr><td class="mono">{plain(name)}</td><td class="soft">{word}</td>{numbers}</tr>'


def text_part(detail: TextChange) -> str:
    css = {"+": "plus", "-": "minus", "…": "gap", " ": ""}
    rows = []
    for line in detail.lines:
        text = _marked(line.text, line.words) if line.words else plain(line.text)
        rows.append(f'<span class="l {css.get(line.mark, "")}">{plain(line.mark)} {text}</span>')
    return f"<pre>{''.join(rows)}</pre>"


def _marked(text: str, words: list[tuple[int, int]]) -> str:
    parts, at = [], 0
    for begin, end in words:
        parts.append(f"{plain(text[at:begin])}<mark>{plain(text[begin:end])}</mark>")
        at = end
    return "".join([*parts, plain(text[at:])])


def picture_part(detail: PictureChange) -> str:
    shown = (("before", detail.before), ("after", detail.after), ("difference", detail.difference))
    figures = "".join(
        f'<figure><img src="{plain(uri)}" alt="{word}"><figcaption>{word}</figcaption></figure>'
        for word, uri in shown
        if uri.startswith("data:image/png;base64,")
    )
    count = f"<p>{detail.pixels:,} of {detail.of:,} pixels differ</p>" if detail.pixels is not None else ""
    return f'{count}<div class="pictures">{figures}</div>'


def plain(text: str) -> str:
    """Return text for a page: escaped, and without characters that no page may hold or that turn its order."""
    return escape("".join(letter if _is_shown(letter) else "�" for letter in text), quote=True)


def _is_shown(letter: str) -> bool:
    code = ord(letter)
    if code < 32 or 0x7F <= code < 0xA0:
        return letter in "\t\n"
    return not (0x202A <= code <= 0x202E or 0x2066 <= code <= 0x2069 or 0xD800 <= code <= 0xDFFF)


__all__ = ["MARKS", "arrow", "array_form", "detail_part", "page", "picture_part", "plain", "text_part", "value_part"]
