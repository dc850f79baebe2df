"""Outputs of one cell: which stay, and what of their text.

Invariant: an output of a type that nbformat does not know is kept as it is wherever outputs are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from nbcellar.clean.metadata import clean_metadata
from nbcellar.clean.model import Kind, LeftOut
from nbcellar.clean.rules import Rules
from nbcellar.clean.texts import with_short_lines, without_addresses
from nbcellar.notebook.model import Cell, JsonObject, Notebook

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
_RICH = ("display_data", "execute_result")

Fate = Literal["keep", "drop", "rules"]


class Finder:
    """Counts what is left out of one cell."""

    def __init__(self, cell: int) -> None:
        self.cell = cell
        self.counts: dict[tuple[Kind, str], int] = {}

    def add(self, kind: Kind, what: str, count: int = 1) -> None:
        """Note `count` things of a kind, if there are any."""
        if count:
            self.counts[kind, what] = self.counts.get((kind, what), 0) + count

    def found(self) -> list[LeftOut]:
        """Return what was noted, in order."""
        return [LeftOut(kind, what, self.cell, count) for (kind, what), count in self.counts.items()]


def clean_outputs(
    cell: Cell, notebook: Notebook, rules: Rules, number: int, left_out: list[LeftOut]
) -> tuple[JsonObject, ...] | None:
    """Return the outputs of a cell that stay; the very same tuple if nothing changed."""
    if not cell.outputs:
        return cell.outputs
    fate = _fate(cell, notebook, rules)
    finder = Finder(number)
    metadata: list[LeftOut] = []
    made = [_clean_output(output, fate, rules, finder, metadata) for output in cell.outputs]
    left_out += [*finder.found(), *metadata]
    if all(new is old for new, old in zip(made, cell.outputs, strict=True)):
        return cell.outputs
    return tuple(output for output in made if output is not None)


def _fate(cell: Cell, notebook: Notebook, rules: Rules) -> Fate:
    settings = rules.settings
    if any(tag in cell.tags or cell.metadata.get(tag) is True for tag in settings.keep_output_tags):
        return "keep"
    if any(tag in cell.tags for tag in settings.drop_output_tags):
        return "drop"
    if any(notebook.metadata.get(tag) is True for tag in settings.keep_output_tags):
        return "keep"
    return "keep" if settings.init_cells and cell.metadata.get("init_cell") is True else "rules"


def _clean_output(
    output: JsonObject, fate: Fate, rules: Rules, finder: Finder, left_out: list[LeftOut]
) -> JsonObject | None:
    if fate == "drop" or (fate == "rules" and not _is_wanted(output, rules)):
        finder.add("output", name_of(output))
        return None
    kind = output.get("output_type")
    made = output
    if kind in _RICH:
        shown = _clean_data(output.get("data"), str(kind), fate, rules, finder)
        if shown is None:
            finder.add("output" if WIDGET_VIEW not in output["data"] else "widgets", name_of(output))
            return None
        if shown is not output.get("data"):
            made = {**made, "data": shown}
        if made.get("execution_count") is not None and not rules.settings.execution_counts:
            made = {**made, "execution_count": None}
            finder.add("execution count", "of an output")
        metadata = made.get("metadata")
        if isinstance(metadata, dict):
            kept = clean_metadata(metadata, "output.metadata", rules, finder.cell, left_out)
            made = made if kept is metadata else {**made, "metadata": kept}
    elif kind == "stream":
        made = _with_texts(made, ("text",), rules, finder, lines=True)
    elif kind == "error":
        made = _with_texts(made, ("ename", "evalue"), rules, finder, lines=False)
        made = _clean_traceback(made, rules, finder)
    return made


def name_of(output: JsonObject) -> str:
    """Return the words for an output: its type, and its stream, error or richest MIME type."""
    kind = str(output.get("output_type"))
    names = _names(output)
    return f"{kind} {names[0]}" if names else kind


def _names(output: JsonObject) -> list[str]:
    data = output.get("data")
    if isinstance(data, dict):
        return sorted(data, key=lambda mime: (mime.startswith("text/"), mime))
    name = output.get("name", output.get("ename"))
    return [name] if isinstance(name, str) else []


def _is_wanted(output: JsonObject, rules: Rules) -> bool:
    settings = rules.settings
    if _is_of(output, settings.keep_output_types):
        return True
    if not settings.outputs or _is_of(output, [name for name in settings.drop_output_types if not _is_mime(name)]):
        return False
    return not settings.max_output_kb or not _is_larger(output, settings.max_output_kb * 1024)


def _is_of(output: JsonObject, types: Sequence[str]) -> bool:
    """Return whether an output is of one of the types, which are `type` or `type:name`."""
    if not types:
        return False
    kind = output.get("output_type")
    return kind in types or any(f"{kind}:{name}" in types for name in _names(output))


def _is_mime(name: str) -> bool:
    return "/" in name


def _is_larger(output: Any, limit: int) -> bool:
    """Return whether the text in an output takes more than `limit` bytes; looks no further than needed."""
    used = 0
    queue = [output]
    while queue and used <= limit:
        value = queue.pop()
        if isinstance(value, str):
            used += len(value) if value.isascii() else len(value.encode("utf-8", "surrogatepass"))
        elif isinstance(value, dict):
            queue += value.values()
            used += sum(map(len, value))
        elif isinstance(value, list):
            queue += value
        else:
            used += 4
    return used > limit


def _clean_data(data: Any, kind: str, fate: Fate, rules: Rules, finder: Finder) -> Any:
    """Return a MIME bundle that is the same object if nothing changed, and None if nothing of it is left."""
    if not isinstance(data, dict) or not data:
        return data
    settings = rules.settings
    made = {}
    for mime, value in data.items():
        if mime == WIDGET_VIEW and not settings.widgets:
            if len(data) > 1:
                finder.add("widgets", f"{kind} {mime}")
            continue
        if fate == "rules" and settings.drop_output_types and f"{kind}:{mime}" in settings.drop_output_types:
            if len(data) > 1:
                finder.add("output", f"{kind} {mime}")
            continue
        made[mime] = _clean_value(mime, value, rules, finder)
    if not made:
        return None
    return data if len(made) == len(data) and all(made[mime] is data[mime] for mime in made) else made


def _clean_value(mime: str, value: Any, rules: Rules, finder: Finder) -> Any:
    if mime.startswith("text/"):
        return _clean_text(value, rules, finder, lines=mime == "text/plain")
    if _is_base64(mime) and not rules.settings.image_blanks:
        text = _joined(value)
        if text is not None and text != text.rstrip():
            finder.add("image blanks", f"at the end of {mime}")
            return text.rstrip()
    return value


def _is_base64(mime: str) -> bool:
    return (mime.startswith("image/") and not mime.endswith("+xml")) or mime == "application/pdf"


def _clean_traceback(output: JsonObject, rules: Rules, finder: Finder) -> JsonObject:
    frames = output.get("traceback")
    if not isinstance(frames, list):
        return output
    made = [_clean_text(frame, rules, finder, lines=True) if isinstance(frame, str) else frame for frame in frames]
    return output if all(new is old for new, old in zip(made, frames, strict=True)) else {**output, "traceback": made}


def _with_texts(output: JsonObject, keys: Sequence[str], rules: Rules, finder: Finder, *, lines: bool) -> JsonObject:
    for key in keys:
        if key in output:
            text = _clean_text(output[key], rules, finder, lines=lines)
            output = output if text is output[key] else {**output, key: text}
    return output


def _clean_text(value: Any, rules: Rules, finder: Finder, *, lines: bool) -> Any:
    """Return a text, or list of lines, in the form it had; the same object if nothing changed."""
    text = _joined(value)
    if not text:
        return value
    made, addresses, cut = text, 0, 0
    if not rules.settings.addresses:
        made, addresses = without_addresses(made)
        finder.add("address", "in text of outputs", addresses)
    if lines and rules.settings.max_line:
        made, cut = with_short_lines(made, rules.settings.max_line)
        finder.add("line", f"longer than {rules.settings.max_line:,} letters", cut)
    if not addresses and not cut:
        return value
    return made.splitlines(keepends=True) if isinstance(value, list) else made


def _joined(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        try:
            return "".join(value)
        except TypeError:
            return None
    return None
