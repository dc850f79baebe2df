"""The lines of `cellar diff`.

Pure but for the console's colours and width. Each line fits the width; what came from a notebook is cleaned.
"""

from __future__ import annotations

from collections.abc import Iterator

from nbcellar.api.diff_views import Diff, DiffStep, VariableDiff
from nbcellar.api.views import CommitLine, Variable
from nbcellar.cli import diff_details, text
from nbcellar.cli.console import Console
from nbcellar.cli.diff_details import MARKS, MOST_LINES
from nbcellar.cli.log import KIND_WORDS, format_labels
from nbcellar.diff.model import (
    ArrayChange,
    FrameChange,
    TextChange,
    ValueChange,
)

_MOST_PARTS = 16
_MANY_DETAILS = 4  # of so many arrays and tables inside a value each gets a line, not more
_MOST_STEPS = 20


def format_diff(diff: Diff, console: Console, *, everything: bool = False) -> Iterator[str]:
    """Yield the lines of a diff; `everything`: without leaving parts out."""
    yield from _head(diff, console)
    if diff.steps:
        yield ""
        yield from _steps(diff, console, everything)
    if diff.variables or diff.unchanged or diff.equal:
        yield ""
        yield console.style("variables", "bold") + text.cut(f"  {_counts(diff)}", console.width - len("variables"))
        for variable in diff.variables:
            yield from _variable(variable, console, everything)
    if diff.equal:
        yield text.cut(f"= recorded anew, equal by value: {text.names(diff.equal)}", console.width)
    if diff.surroundings:
        yield ""
        yield console.style("around them", "bold")
        for part in diff.surroundings:
            yield text.cut(f"  {part.part}: {text.one_line(part.text, 400)}", console.width)
    for note in diff.notes:
        yield f"{console.style('note:', 'yellow')} {text.cut(text.clean(note), console.width - 6)}"


def format_stat(diff: Diff, console: Console) -> Iterator[str]:
    """Yield a line for each variable."""
    if not diff.variables:
        yield f"no variable changed ({_counts(diff)})"
        return
    wide = min(max(text.columns(text.clean(variable.name)) for variable in diff.variables), 30)
    for variable in diff.variables:
        mark, color = MARKS[variable.change]
        name = text.cut(text.clean(variable.name), wide)
        begin = f"{mark} {name}{' ' * (wide - text.columns(name))}"
        rest = text.cut(f"  {_summary(variable)}", max(console.width - text.columns(begin), 20))
        yield console.style(begin, color) + rest
    yield console.style(_counts(diff), "dim")


# ----------------------------------------------------------------------------------------------------------------------
# Where from, where to, which cells


def _head(diff: Diff, console: Console) -> Iterator[str]:
    yield _point("from", diff.before, console)
    yield _point("to", diff.after, console)
    if diff.way == "back":
        words = "the second is the earlier one: the cells listed ran after it"
        yield console.style(text.cut(words, console.width), "dim")
    elif diff.way == "across" and diff.base:
        yield console.style(f"on two branches since {diff.base[:8]}", "dim")
    elif diff.way == "apart":
        yield console.style("the two have no commit in common", "dim")


def _point(word: str, line: CommitLine, console: Console) -> str:
    count = f"[{line.execution_count}] " if line.execution_count is not None else ""
    kind = KIND_WORDS.get(line.kind, "")
    title = f"{kind}: {line.title}" if kind and line.title else line.title or kind
    labels = format_labels(line, console)
    begin = f"{word:<4} {console.style(line.id[:8], 'yellow')} {console.style(console.ago(line.time), 'dim')}"
    room = console.width - text.shown_columns(begin) - len(count) - 2
    if labels and text.shown_columns(labels) + 12 < room:
        begin += f" {labels}"
        room -= text.shown_columns(labels) + 1
    if room < 4:
        return begin
    return f"{begin}  " + console.style(count, "cyan") + text.one_line(title, room)


def _steps(diff: Diff, console: Console, everything: bool) -> Iterator[str]:
    yield console.style("cells", "bold")
    steps = diff.steps if everything else diff.steps[-_MOST_STEPS:]
    left_out = len(diff.steps) - len(steps) + diff.more_steps
    if left_out:
        yield f"  … {left_out} before these (--all)"
    lost = False
    for step in steps:
        if step.lost != lost or (step is steps[0] and diff.way == "across"):
            lost = step.lost
            if diff.way == "across":
                yield console.style("  only on the way to the first:" if lost else "  to the second:", "dim")
        yield from _step(step, console, everything)


def _step(step: DiffStep, console: Console, everything: bool) -> Iterator[str]:
    if not step.source:
        word = KIND_WORDS.get(step.kind, "named" if step.kind == "named" else step.kind)
        target = f" to {step.at[:8]}" if step.at else ""
        title = f": {text.one_line(step.title, 60)}" if step.title else ""
        yield console.style(text.cut(f"      {word}{target}{title}", console.width), "dim")
        return
    remarks = []
    part = step.source_change if step.source_change is not None and _has_common(step.source_change) else None
    if step.undone:
        remarks.append("undone")
    if step.error is not None:
        remarks.append(f"failed: {text.one_line(step.error.name, 40)}")
    if step.again:
        remarks.append("run again" + ("" if step.source_change is None else ", changed" if part else ", rewritten"))
    remark = f"  ({', '.join(remarks)})" if remarks else ""
    lines = text.clean(step.source).strip("\n").splitlines() or [""]
    count = f"[{step.execution_count}]"
    indent = 2 + len(count) + 1
    begin = f"  {console.style(count, 'cyan')} "
    if part is not None:
        yield begin + console.style(text.cut(remark.strip(), console.width - indent), "yellow")
        yield from diff_details.text_lines(part, console, indent, MOST_LINES if not everything else None)
        return
    most = len(lines) if everything else 6
    shown = [text.cut(line, console.width - indent) for line in lines[:most]]
    remark = text.cut(remark, max(console.width - indent - 12, 8))
    first = text.cut(lines[0], console.width - indent - text.columns(remark))
    style = ("dim",) if step.undone else ()
    yield begin + console.style(first, *style) + console.style(remark, "red" if step.error else "yellow")
    for line in shown[1:]:
        yield " " * indent + console.style(line, *style)
    if len(lines) > most:
        yield " " * indent + console.style(f"… {len(lines) - most} more lines", "dim")


def _has_common(change: TextChange) -> bool:
    """True if two sources have a line, or some words of one, in common."""
    return any(line.mark in " …" or line.words for line in change.lines)


# ----------------------------------------------------------------------------------------------------------------------
# Variables


def _counts(diff: Diff) -> str:
    counts = {kind: sum(v.change == kind for v in diff.variables) for kind in ("changed", "added", "removed")}
    words = [f"{count:,} {kind}" for kind, count in counts.items() if count]
    same = diff.unchanged + len(diff.equal)
    return ", ".join([*words, f"{same:,} as before"] if same or not words else words)


def _variable(variable: VariableDiff, console: Console, everything: bool) -> Iterator[str]:
    mark, color = MARKS[variable.change]
    begin = f"{mark} {text.clean(variable.name)}"
    room = console.width - text.columns(begin) - 2
    yield f"{console.style(begin, color)}  {text.cut(_headline(variable), max(room, 20))}".rstrip()
    if variable.renamed_from:
        yield text.cut(f"    was called {text.clean(variable.renamed_from)}", console.width)
    if variable.reason:
        yield from _indented([text.one_line(variable.reason, 200)], console, 4, "yellow")
        yield from _previews(variable, console)
    elif variable.value is not None and variable.change == "changed":
        yield from _value(variable.value, variable.name, console, everything, top=True)
    for side in (variable.before, variable.after):
        if side is not None and side.uncertain:
            when = "before" if side is variable.before else "after"
            yield from _indented([f"uncertain {when}: {text.one_line(side.uncertain, 200)}"], console, 4, "yellow")


def _headline(variable: VariableDiff) -> str:
    """Return type, and shape or value, of a variable: what one wants to know first."""
    types = [_type(side) for side in (variable.before, variable.after) if side is not None]
    kind = types[0] if len(set(types)) == 1 else " -> ".join(types)
    value = variable.value
    if variable.change != "changed":
        side = variable.after or variable.before
        assert side is not None
        words = value.after or value.before if value is not None else ""
        if side.shape and (not words or words == _type(side)):
            return f"{kind}  {diff_details.shape(side.shape)}"
        return f"{kind}  {text.one_line(words or side.preview, 200)}".rstrip()
    if value is not None and isinstance(value.detail, FrameChange):
        return f"{kind}  {diff_details.frame_size(value.detail)}"
    if value is not None and isinstance(value.detail, ArrayChange) and value.detail.dtype_after:
        return f"{kind}  {diff_details.array_form(value.detail)}"
    if value is not None and _is_line(value):
        return f"{kind}  {_arrow(value)}"
    return kind


def _type(side: Variable) -> str:
    return text.one_line(side.type.rpartition(".")[2] or side.type, 40)


def _is_line(value: ValueChange) -> bool:
    return value.detail is None and not value.parts and not value.more and bool(value.before or value.after)


def _arrow(value: ValueChange) -> str:
    types = ""
    if value.type_before != value.type_after and value.type_before and value.type_after:
        types = f"  ({value.type_before} -> {value.type_after})"
    return f"{text.one_line(value.before, 300)} -> {text.one_line(value.after, 300)}{types}"


def _previews(variable: VariableDiff, console: Console) -> Iterator[str]:
    for word, side in (("was", variable.before), ("is", variable.after)):
        if side is not None and variable.change == "changed":
            yield text.cut(f"    {word}: {text.one_line(side.preview, 200)}", console.width)


def _value(
    value: ValueChange, prefix: str, console: Console, everything: bool, *, top: bool = False, indent: int = 4
) -> Iterator[str]:
    """Yield what changed in a value below the line that names it."""
    brief = not everything and _details(value) > _MANY_DETAILS
    lines = list(_flat(value, prefix, console, everything, top=top, indent=indent, brief=brief))
    most = len(lines) if everything else 3 * _MOST_PARTS
    yield from lines[:most]
    if len(lines) > most:
        yield " " * indent + f"… {len(lines) - most} more lines (--all)"


def _details(value: ValueChange) -> int:
    """Return how many arrays, tables and texts changed inside a value."""
    return sum((part.detail is not None) + _details(part) for part in value.parts)


def _flat(
    value: ValueChange, prefix: str, console: Console, everything: bool, *, top: bool, indent: int, brief: bool
) -> Iterator[str]:
    path = value.path.removeprefix(prefix) if value.path.startswith(prefix) else value.path
    pad = " " * indent
    room = max(console.width - indent, 20)
    notes = [text.clean(note) for note in value.notes]
    detail = value.detail
    if not top and (_is_line(value) or value.change != "changed"):
        yield _line(value, path, console, indent)
        yield from (text.cut(f"{pad}  {note}", console.width) for note in notes)
        return
    if not top and detail is not None:
        headline = diff_details.headline(detail)
        yield pad + text.cut(f"{console_mark('changed')} {text.one_line(path, 60)}: {headline}", room)
    elif not top and notes:
        yield pad + text.cut(f"{console_mark('changed')} {text.one_line(path, 60)}: {'; '.join(notes)}", room)
        notes = []
    yield from (text.cut(f"{pad}{note}", console.width) for note in notes)
    if detail is not None and (top or not brief):
        yield from diff_details.lines(detail, console, indent if top else indent + 2, everything, top=top)
    most = len(value.parts) if everything else _MOST_PARTS
    for part in value.parts[:most]:
        yield from _flat(part, prefix, console, everything, top=False, indent=indent, brief=brief)
    rest = len(value.parts) - len(value.parts[:most]) + value.more
    if rest:
        yield f"{pad}… {rest:,} more"


def console_mark(change: str) -> str:
    """Return the mark of a change."""
    return MARKS[change][0]


def _line(value: ValueChange, path: str, console: Console, indent: int) -> str:
    mark, color = MARKS[value.change]
    shown = text.one_line(path, 60)
    words = _arrow(value) if value.change == "changed" else text.one_line(value.after or value.before, 300)
    if path.endswith("{}"):  # an element of a set has no place
        shown = text.one_line(path[:-2], 60)
    rest = f": {words}" if shown else words
    room = max(console.width - indent - 2 - text.columns(shown), 12)
    return f"{' ' * indent}{console.style(f'{mark} {shown}', color)}{text.cut(rest, room)}"


def _indented(lines: list[str], console: Console, indent: int, *style: str) -> Iterator[str]:
    for line in lines:
        yield " " * indent + console.style(text.cut(line, console.width - indent), *style)


def _summary(variable: VariableDiff) -> str:
    """Return a variable's change in a few words."""
    head = _headline(variable)
    value = variable.value
    if variable.reason:
        return f"{head}  {text.one_line(variable.reason, 100)}"
    if value is None or variable.change != "changed" or _is_line(value):
        return head
    detail = value.detail
    words = []
    if isinstance(detail, FrameChange):
        words += [
            f"{sign}{count:,} rows" for sign, count in (("+", detail.rows_added), ("-", detail.rows_dropped)) if count
        ]
        for kind, word in (("added", "+"), ("removed", "-"), ("changed", "~")):
            named = [column.name for column in detail.columns if column.change == kind]
            words += [f"{word}{text.clean(name)}" for name in named[:4]] + (["…"] if len(named) > 4 else [])
    elif isinstance(detail, ArrayChange):
        words.append(diff_details.cells_changed(detail.cells, detail))
    elif detail is not None:
        words.append(diff_details.headline(detail))
    count = _leaves(value) if value.parts or value.more else 0
    if count:
        words.append(f"{text.plural(count, 'part')} changed")
    return "  ".join([head, " ".join(word for word in words if word)]).rstrip()


def _leaves(value: ValueChange) -> int:
    return value.more + sum(_leaves(part) if part.parts or part.more else 1 for part in value.parts)


__all__ = ["format_diff", "format_stat"]
