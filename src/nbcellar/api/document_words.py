"""How a comparison of notebooks is worded, the same in the terminal, in Markdown and on a page.

Pure. Text that came from a notebook is passed on as it is: whoever draws it cleans or escapes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nbcellar.diff.document.changes import CellChange, NotebookChange, OutputChange, StateChange, word_noise
from nbcellar.diff.document.outputs.registry import ERROR
from nbcellar.diff.model import ValueChange


def ids_line(change: NotebookChange) -> str:
    """Return what is said of ids that changed, "" if none did."""
    if not change.ids_changed:
        return ""
    if change.ids_changed == change.ids_of:
        return "all cells have another id"
    return f"{change.ids_changed:,} of {change.ids_of:,} cells have another id"


def place(cell: CellChange) -> str:
    """Return "cell 3", or "cell 3 -> 5" for one that stands elsewhere now."""
    before, after = (", ".join(str(number + 1) for number in numbers) for numbers in (cell.before, cell.after))
    if not cell.before or not cell.after or before == after:
        return f"cell {after or before}"
    return f"cell {before} -> {after}"


def remarks(cell: CellChange) -> Iterator[str]:
    """Yield what is said of a cell beside its place and type."""
    if cell.change == "replaced":
        yield "replaced by another one"
    elif cell.change in ("split", "joined"):
        yield cell.change
    if cell.moved:
        yield "moved"
    if cell.type_before and cell.type_before != cell.type:
        yield f"was {cell.type_before}"
    yield from (f"+#{tag}" for tag in cell.tags_added)
    yield from (f"-#{tag}" for tag in cell.tags_removed)
    if cell.tags_reordered:
        yield "tags in another order"
    if cell.count_before is not None or cell.count_after is not None:
        yield f"In [{_count(cell.count_before)}] -> [{_count(cell.count_after)}]"
    words = [noise for noise in cell.noise if noise != "execution order"]
    if cell.only_noise:
        yield f"only {word_noise(cell.noise)} changed"
    elif words:
        yield f"{word_noise(words)} changed, too"


def quiet_line(cells: Sequence[CellChange]) -> str:
    """Return what is said of cells in which only noise changed."""
    words = word_noise({noise for cell in cells for noise in cell.noise})
    return f"{len(cells):,} more {'cell' if len(cells) == 1 else 'cells'}: only {words} changed"


def output_title(output: OutputChange) -> str:
    """Return what an output is: "stdout", "result", "error ValueError"."""
    if output.type == "stream":
        kind = output.name or "stream"
    elif output.type == "error":
        kind = f"error {output.name}".strip()
    else:
        kind = {"execute_result": "result", "display_data": "display"}.get(output.type, output.type)
    words = [kind]
    if output.change == "moved":
        words.append("moved")
    if output.only_noise:
        words.append(f"only {word_noise(output.noise)} changed")
    return ", ".join(words)


def state_line(state: StateChange) -> tuple[str, str]:
    """Return the mark of a property that changed, and the words for it."""
    if state.before and state.after:
        return "~", f"{state.name}: {state.before} -> {state.after}"
    if state.after:
        return "+", f"{state.name}: {state.after}"
    return ("-", f"{state.name}: {state.before}") if state.before else ("~", state.name)


def value_words(change: ValueChange) -> str:
    """Return before and after of a JSON value, "" where parts say it."""
    words = f"{change.before} -> {change.after}" if change.change == "changed" else change.after or change.before
    return words if words.strip(" ->") else ""


def _count(count: int | None) -> str:
    return " " if count is None else str(count)


def mime_name(mime: str) -> str:
    """Return a MIME type as it is shown: errors have none of their own."""
    return "error" if mime == ERROR else mime


__all__ = ["mime_name", "ids_line", "output_title", "place", "quiet_line", "remarks", "state_line", "value_words"]
