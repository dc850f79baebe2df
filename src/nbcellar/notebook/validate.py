"""Whether a notebook is what nbformat 4.0 to 4.5 allows, with the place of everything that is not.

Invariant: for nbformat 4.0 to 4.5 there are problems exactly where nbformat's own schemas see some, and also where two
cells have one id. Of a later minor version, unknown keys, cells and outputs are not held against it.

Not for: mending (`repair.py`), older majors (`older.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from nbcellar.notebook.ids import LONGEST, is_valid
from nbcellar.notebook.model import NEWEST_MINOR, JsonObject

if TYPE_CHECKING:
    from typing import TypeGuard

Step = str | int

_json_type = re.compile(r"^application/(.*\+)?json$")
_tag = re.compile(r"^[^,]+$")
_name = re.compile(r"^.+$")
_OUTPUTS = {
    "execute_result": ("data", "metadata", "execution_count"),
    "display_data": ("data", "metadata"),
    "stream": ("name", "text"),
    "error": ("ename", "evalue", "traceback"),
}
_CELLS = {
    "raw": ("cell_type", "metadata", "source"),
    "markdown": ("cell_type", "metadata", "source"),
    "code": ("cell_type", "metadata", "source", "outputs", "execution_count"),
}


class Problem(msgspec.Struct, frozen=True):
    """One thing that nbformat does not allow.

    `path` is its place in the JSON (`cells[3].metadata.tags`); `cell` counts from 1, 0 is the notebook itself; `line`
    is that of the file, 0 when there is no file.
    """

    path: str
    cell: int
    what: str
    line: int = 0

    def __str__(self) -> str:
        place = ", ".join(
            [*([f"cell {self.cell}"] if self.cell else []), *([f"line {self.line}"] if self.line else [])]
        )
        return f"{self.path or 'notebook'}{f' ({place})' if place else ''}: {self.what}"


class _Found(msgspec.Struct, frozen=True):
    steps: tuple[Step, ...]
    what: str


def validate_file(data: bytes, *, path: str = "") -> tuple[Problem, ...]:
    """Return the problems of a notebook's text, with lines. Raises InvalidInputError for what is no notebook."""
    from nbcellar.notebook.codec import is_older, read_members
    from nbcellar.notebook.places import lines_of

    members = read_members(data, path=path)
    if is_older(members, path or "notebook"):
        return ()
    found = list(_problems(members))
    lines = lines_of(data, [each.steps for each in found])
    return tuple(_worded(each, line) for each, line in zip(found, lines, strict=True))


def validate(members: JsonObject) -> tuple[Problem, ...]:
    """Return the problems of a notebook of nbformat 4 as its top-level JSON object; lines may be joined or not."""
    return tuple(_worded(each, 0) for each in _problems(members))


def _worded(found: _Found, line: int) -> Problem:
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in found.steps).removeprefix(".")
    cell = found.steps[1] + 1 if len(found.steps) > 1 and isinstance(found.steps[1], int) else 0
    return Problem(text, cell if found.steps[:1] == ("cells",) else 0, found.what, line)


def _problems(members: JsonObject) -> Iterator[_Found]:
    major, minor = members.get("nbformat"), members.get("nbformat_minor")
    if not _is_whole(major) or major != 4:
        yield _Found(("nbformat",), "must be 4")
    if not _is_whole(minor) or minor < 0:
        yield _Found(("nbformat_minor",), "must be a whole number, 0 or more")
        minor = NEWEST_MINOR
    strict = minor <= NEWEST_MINOR
    yield from _keys(members, ("cells", "metadata", "nbformat", "nbformat_minor"), (), strict, (), required=2)
    if "metadata" in members:
        yield from _notebook_metadata(members["metadata"], minor)
    cells = members.get("cells", [])
    if not isinstance(cells, list):
        yield _Found(("cells",), "must be a list")
        return
    seen: dict[str, int] = {}
    for place, cell in enumerate(cells):
        yield from _cell(cell, ("cells", place), minor, strict)
        identity = cell.get("id") if isinstance(cell, dict) else None
        if minor >= NEWEST_MINOR and isinstance(identity, str):
            first = seen.setdefault(identity, place)
            if first != place:
                yield _Found(("cells", place, "id"), f"cell {first + 1} has the same id, {identity!r}")


def _keys(
    value: Mapping[str, Any],
    known: tuple[str, ...],
    optional: tuple[str, ...],
    strict: bool,
    at: tuple[Step, ...],
    *,
    required: int | None = None,
) -> Iterator[_Found]:
    """Yield the first `required` of the known keys that are missing (all by default), and keys that are not known."""
    for key in known[:required]:
        if key not in value:
            yield _Found(at, f"has no '{key}'")
    if strict:
        for key in value:
            if key not in known and key not in optional:
                yield _Found((*at, key), "is no key that nbformat has here")


def _notebook_metadata(value: Any, minor: int) -> Iterator[_Found]:
    at: tuple[Step, ...] = ("metadata",)
    if not isinstance(value, dict):
        yield _Found(at, "must be an object")
        return
    for section, names in (("kernelspec", ("name", "display_name")), ("language_info", ("name",))):
        if section in value:
            part = value[section]
            if not isinstance(part, dict):
                yield _Found((*at, section), "must be an object")
                continue
            yield from _keys(part, names, (), False, (*at, section))
            texts = (*names, "file_extension", "mimetype", "pygments_lexer") if section == "language_info" else names
            for key in texts:
                if key in part and not isinstance(part[key], str):
                    yield _Found((*at, section, key), "must be text")
    info = value.get("language_info")
    if isinstance(info, dict) and not isinstance(info.get("codemirror_mode", ""), (str, dict)):
        yield _Found((*at, "language_info", "codemirror_mode"), "must be text or an object")
    if "orig_nbformat" in value and (not _is_whole(value["orig_nbformat"]) or value["orig_nbformat"] < 1):
        yield _Found((*at, "orig_nbformat"), "must be a whole number, 1 or more")
    if minor >= 2 and not isinstance(value.get("title", ""), str):
        yield _Found((*at, "title"), "must be text")
    if minor >= 2 and not isinstance(value.get("authors", []), list):
        yield _Found((*at, "authors"), "must be a list")


def _cell(cell: Any, at: tuple[Step, ...], minor: int, strict: bool) -> Iterator[_Found]:
    if not isinstance(cell, dict):
        yield _Found(at, "a cell must be an object")
        return
    kind = cell.get("cell_type")
    if not isinstance(kind, str) or kind not in _CELLS:
        if strict or not isinstance(kind, str):
            yield _Found((*at, "cell_type") if "cell_type" in cell else at, "must be 'code', 'markdown' or 'raw'")
        return
    has_ids = minor >= NEWEST_MINOR
    optional = (*(("id",) if has_ids else ()), *(() if kind == "code" else ("attachments",)))
    yield from _keys(cell, _CELLS[kind], optional, strict, at)
    if has_ids and "id" not in cell:
        yield _Found(at, "has no 'id'")
    elif has_ids and not is_valid(cell["id"]):
        yield _Found((*at, "id"), f"must be 1 to {LONGEST} letters, digits, '-' or '_'")
    if "metadata" in cell:
        yield from _cell_metadata(cell["metadata"], (*at, "metadata"), kind, minor)
    if "source" in cell:
        yield from _text(cell["source"], (*at, "source"))
    if kind == "code":
        yield from _code(cell, at, strict)
    elif "attachments" in cell:
        yield from _attachments(cell["attachments"], (*at, "attachments"))


def _cell_metadata(value: Any, at: tuple[Step, ...], kind: str, minor: int) -> Iterator[_Found]:
    if not isinstance(value, dict):
        yield _Found(at, "must be an object")
        return
    if "name" in value and not (isinstance(value["name"], str) and _name.search(value["name"])):
        yield _Found((*at, "name"), "must be text of one letter or more")
    if "tags" in value:
        yield from _tags(value["tags"], (*at, "tags"))
    if minor >= 3 and not isinstance(value.get("jupyter", {}), dict):
        yield _Found((*at, "jupyter"), "must be an object")
    if kind == "raw" and not isinstance(value.get("format", ""), str):
        yield _Found((*at, "format"), "must be text")
    if kind == "code":
        yield from _code_metadata(value, at, minor)


def _code_metadata(value: JsonObject, at: tuple[Step, ...], minor: int) -> Iterator[_Found]:
    if "collapsed" in value and not isinstance(value["collapsed"], bool):
        yield _Found((*at, "collapsed"), "must be true or false")
    if "scrolled" in value and not (isinstance(value["scrolled"], bool) or value["scrolled"] == "auto"):
        yield _Found((*at, "scrolled"), "must be true, false or 'auto'")
    if minor >= 4 and "execution" in value:
        times = value["execution"]
        if not isinstance(times, dict):
            yield _Found((*at, "execution"), "must be an object")
            return
        for key, time in times.items():
            # The schema says ^.*$, which a name with a line break inside does not match.
            if not isinstance(time, str) and re.search(r"^.*$", key):
                yield _Found((*at, "execution", key), "must be text")


def _tags(value: Any, at: tuple[Step, ...]) -> Iterator[_Found]:
    if not isinstance(value, list):
        yield _Found(at, "must be a list")
        return
    for place, tag in enumerate(value):
        if not isinstance(tag, str) or not _tag.search(tag):
            yield _Found((*at, place), "a tag must be text without a comma")
        elif tag in value[:place]:
            yield _Found((*at, place), f"the tag {tag!r} stands there twice")


def _code(cell: JsonObject, at: tuple[Step, ...], strict: bool) -> Iterator[_Found]:
    if "execution_count" in cell:
        yield from _count(cell["execution_count"], (*at, "execution_count"))
    if "outputs" not in cell:
        return
    if not isinstance(cell["outputs"], list):
        yield _Found((*at, "outputs"), "must be a list")
        return
    for place, output in enumerate(cell["outputs"]):
        yield from _output(output, (*at, "outputs", place), strict)


def _output(output: Any, at: tuple[Step, ...], strict: bool) -> Iterator[_Found]:
    if not isinstance(output, dict):
        yield _Found(at, "an output must be an object")
        return
    kind = output.get("output_type")
    if not isinstance(kind, str) or kind not in _OUTPUTS:
        if strict or not isinstance(kind, str):
            names = ", ".join(repr(name) for name in _OUTPUTS)
            yield _Found((*at, "output_type") if "output_type" in output else at, f"must be one of {names}")
        return
    yield from _keys(output, _OUTPUTS[kind], ("output_type",), strict, at)
    for key in ("name", "ename", "evalue"):
        if key in _OUTPUTS[kind] and not isinstance(output.get(key, ""), str):
            yield _Found((*at, key), "must be text")
    if kind == "stream" and "text" in output:
        yield from _text(output["text"], (*at, "text"))
    if kind == "error" and not _is_texts(output.get("traceback", [])):
        yield _Found((*at, "traceback"), "must be a list of texts")
    if "data" in _OUTPUTS[kind] and "data" in output:
        yield from _bundle(output["data"], (*at, "data"))
    if "metadata" in _OUTPUTS[kind] and not isinstance(output.get("metadata", {}), dict):
        yield _Found((*at, "metadata"), "must be an object")
    if kind == "execute_result" and "execution_count" in output:
        yield from _count(output["execution_count"], (*at, "execution_count"))


def _attachments(value: Any, at: tuple[Step, ...]) -> Iterator[_Found]:
    if not isinstance(value, dict):
        yield _Found(at, "must be an object")
        return
    for name, bundle in value.items():
        yield from _bundle(bundle, (*at, name))


def _bundle(value: Any, at: tuple[Step, ...]) -> Iterator[_Found]:
    if not isinstance(value, dict):
        yield _Found(at, "must be an object")
        return
    for mime, data in value.items():
        if not _json_type.search(mime):
            yield from _text(data, (*at, mime))


def _text(value: Any, at: tuple[Step, ...]) -> Iterator[_Found]:
    if not isinstance(value, str) and not _is_texts(value):
        yield _Found(at, "must be text or a list of texts")


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(line, str) for line in value)


def _count(value: Any, at: tuple[Step, ...]) -> Iterator[_Found]:
    if value is not None and (not _is_whole(value) or value < 0):
        yield _Found(at, "must be null or a whole number, 0 or more")


def _is_whole(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)
