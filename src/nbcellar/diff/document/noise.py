"""What changes by itself when a notebook is run or saved: counts, run times, addresses, ids, kernel, widget state.

Invariant: noise is told apart by the place where it stands; in sources nothing is noise, in outputs addresses and
generated ids alone are. Everything here is named where it is found; hiding it is for those who draw a diff.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from nbcellar.diff.document.equality import same_json
from nbcellar.notebook.model import Cell, JsonObject
from nbcellar.notebook.plain import is_json_mime, output_to_plain

Noise = Literal[
    "execution order",
    "run time",
    "addresses",
    "temporary files",
    "ids",
    "kernel",
    "widgets",
    "format",
    "pieces",
    "terminal",
    "tolerance",
    "pictures",
    "frames",
    "layout",
]
NOISES: tuple[Noise, ...] = (
    "execution order",
    "run time",
    "addresses",
    "temporary files",  # of a kernel, named in warnings and tracebacks
    "ids",
    "kernel",
    "widgets",
    "format",
    "pieces",  # of a stream's text
    "terminal",  # colours, states of progress bars that were overwritten
    "tolerance",  # of numbers
    "pictures",  # the same pixels, in another file
    "frames",  # of tracebacks: numbers of lines, folders of libraries
    "layout",  # a key without a value that is there or not
)

# Jupyter, the ExecuteTime extension, papermill and Colab write when and how long a cell ran.
RUN_TIMES = frozenset({"ExecuteTime", "execution", "executionInfo", "papermill"})
GENERATED_IDS = frozenset({"outputId"})
NOTEBOOK_NOISE: Mapping[str, Noise] = {
    "kernelspec": "kernel",
    "language_info": "kernel",
    "papermill": "run time",
    "widgets": "widgets",
}
_STREAM = {"output_type", "name", "text"}
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"

_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{7,16}\b")
_UUID = re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b")


def quiet_text(text: str) -> str:
    """Return an output's text with addresses and generated ids as zeros."""
    text = _ADDRESS.sub("0x0", text) if "0x" in text else text
    return _UUID.sub("0", text) if "-" in text else text


def text_noise(before: str, after: str) -> set[Noise] | None:
    """Return why two texts of outputs differ if it is noise alone, None if it is more."""
    if before == after:
        return set()
    if quiet_text(before) != quiet_text(after):
        return None
    found: set[Noise] = set()
    if _ADDRESS.findall(before) != _ADDRESS.findall(after):
        found.add("addresses")
    if _UUID.findall(before) != _UUID.findall(after):
        found.add("ids")
    return found


def join_streams(outputs: Sequence[JsonObject]) -> list[tuple[int, JsonObject]]:
    """Return outputs with their places, text in one piece, and what one stream wrote in a row as one output."""
    found: list[tuple[int, JsonObject]] = []
    for place, raw in enumerate(outputs):
        output = output_to_plain(raw)
        last = found[-1][1] if found else {}
        if _is_stream(output) and _is_stream(last) and output["name"] == last["name"]:
            found[-1] = found[-1][0], {**last, "text": last["text"] + output["text"]}
        else:
            found.append((place, output))
    return found


def _is_stream(output: JsonObject) -> bool:
    return output.get("output_type") == "stream" and output.keys() == _STREAM and isinstance(output["text"], str)


def pieces_differ(before: Cell, after: Cell) -> bool:
    """Return whether streams of two cells are cut into another number of outputs."""
    old, new = before.outputs or (), after.outputs or ()
    return len(old) - len(join_streams(old)) != len(new) - len(join_streams(new))


def output_noise(before: JsonObject, after: JsonObject) -> set[Noise] | None:
    """Return why two outputs (texts in one piece) differ if it is noise alone, None if it is more."""
    if before.keys() - {"execution_count"} != after.keys() - {"execution_count"}:
        return None
    found: set[Noise] = set()
    for key, old in before.items():
        if key not in after or same_json(old, after[key]):
            continue
        part = _bundle_noise(old, after[key]) if key == "data" else _value_noise(key, old, after[key])
        if part is None:
            return None
        found |= part
    if not same_json(before.get("execution_count"), after.get("execution_count")):
        found.add("execution order")
    return found


def _value_noise(key: str, old: Any, new: Any) -> set[Noise] | None:
    if key == "execution_count":
        return {"execution order"}
    if key == "output_type" or key == "metadata":
        return None
    if isinstance(old, str) and isinstance(new, str):
        return text_noise(old, new)
    if key == "traceback" and isinstance(old, list) and isinstance(new, list):
        if all(isinstance(line, str) for line in [*old, *new]):
            return text_noise("\n".join(old), "\n".join(new))
    return None


def _bundle_noise(old: Any, new: Any) -> set[Noise] | None:
    if not isinstance(old, dict) or not isinstance(new, dict) or old.keys() != new.keys():
        return None
    found: set[Noise] = set()
    for mime, value in old.items():
        other = new[mime]
        if same_json(value, other):
            continue
        if mime == WIDGET_VIEW and _without_model(value) == _without_model(other) is not None:
            found.add("widgets")
            continue
        is_text = isinstance(value, str) and isinstance(other, str) and _is_text(mime)
        part = text_noise(value, other) if is_text else None
        if part is None:
            return None
        found |= part
    return found


def _without_model(value: Any) -> Any:
    return {key: item for key, item in value.items() if key != "model_id"} if isinstance(value, dict) else None


def _is_text(mime: str) -> bool:
    return mime.startswith("text/") or mime in ("image/svg+xml", "application/javascript") or is_json_mime(mime)


def metadata_noise(before: JsonObject, after: JsonObject) -> set[Noise] | None:
    """Return why the metadata of two cells differ if it is noise alone, None if it is more."""
    found: set[Noise] = set()
    for key in before.keys() | after.keys():
        if key in before and key in after and same_json(before[key], after[key]):
            continue
        if key in RUN_TIMES:
            found.add("run time")
        elif key in GENERATED_IDS:
            found.add("ids")
        else:
            return None
    return found


def cell_noise(before: Cell, after: Cell) -> set[Noise] | None:
    """Return why two cells differ, their ids apart, if it is noise alone; None if it is more."""
    if before.type != after.type or before.source != after.source:
        return None
    if not same_json((before.attachments, before.extra), (after.attachments, after.extra)):
        return None
    found = metadata_noise(before.metadata, after.metadata)
    old, new = join_streams(before.outputs or ()), join_streams(after.outputs or ())
    if found is None or len(old) != len(new):
        return None
    if pieces_differ(before, after):
        found.add("pieces")
    for (_, one), (_, other) in zip(old, new, strict=True):
        if not same_json(one, other):
            part = output_noise(one, other)
            if part is None:
                return None
            found |= part
    if before.execution_count != after.execution_count:
        found.add("execution order")
    return found


__all__ = [
    "GENERATED_IDS",
    "NOISES",
    "NOTEBOOK_NOISE",
    "Noise",
    "RUN_TIMES",
    "cell_noise",
    "join_streams",
    "metadata_noise",
    "output_noise",
    "pieces_differ",
    "quiet_text",
    "text_noise",
]
