"""Mending of notebooks that nbformat does not allow, where what was meant is plain.

Invariant: no text is lost: what has no place where it stood is moved into `metadata.cellar` of its cell, and every
repair is said in words. What is allowed already is not touched, so repairing twice changes nothing more.

Not for: guessing. What stays wrong is for `validate.py` to name.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec

from nbcellar.notebook.ids import FreshIds, is_valid
from nbcellar.notebook.model import NEWEST_MINOR, JsonObject, Notebook

if TYPE_CHECKING:
    from typing import TypeGuard

_KEPT_UNDER = "cellar"
_CELL_KEYS = ("attachments", "cell_type", "execution_count", "id", "metadata", "outputs", "source")
_TEXT_FIELDS = {"stream": ("text",), "error": ("ename", "evalue")}


class Repair(msgspec.Struct, frozen=True):
    """One repair in words; `cell` counts from 1, 0 is the notebook itself."""

    cell: int
    what: str

    def __str__(self) -> str:
        return f"cell {self.cell}: {self.what}" if self.cell else self.what


class Repaired(msgspec.Struct, frozen=True):
    """A notebook's top-level JSON object as far as it could be mended, and what was done."""

    members: JsonObject
    repairs: tuple[Repair, ...]


def read_and_repair(data: bytes, *, path: str = "") -> tuple[Notebook, tuple[Repair, ...]]:
    """Return the notebook in `data` with what could be mended, and the repairs; without any, as `codec.read` does.

    Raises InvalidInputError for what is no notebook, or cannot be held even so.
    """
    from nbcellar.notebook import codec

    members = codec.read_members(data, path=path)
    where = path or "notebook"
    if codec.is_older(members, where):
        words = Repair(0, f"nbformat {members['nbformat']} brought to nbformat 4.{NEWEST_MINOR}")
        return codec.read(data, path=path), (words,)
    found = repair(members)
    if not found.repairs:
        return codec.read(data, path=path), ()
    from nbcellar.notebook.layout import detect_formatting

    made = codec.notebook_from_json(found.members, where=where)
    return msgspec.structs.replace(made, formatting=detect_formatting(data)), found.repairs


def repair(members: JsonObject) -> Repaired:
    """Return a notebook of nbformat 4 with what is plain mended; `members` itself is not changed."""
    said: list[Repair] = []
    made = dict(members)
    made["metadata"] = _metadata(made.get("metadata"), _Say(said, 0), missing="metadata" not in made)
    _notebook_metadata(made, _Say(said, 0))
    if not isinstance(made.get("cells"), list):
        return Repaired(members, ())
    cells = [
        _cell(cell, _Say(said, number)) if isinstance(cell, dict) else cell
        for number, cell in enumerate(made["cells"], 1)
    ]
    made["nbformat_minor"] = _minor(made.get("nbformat_minor"), cells, _Say(said, 0))
    made["cells"] = _ids(cells, made["nbformat_minor"], said)
    return Repaired(made if said else members, tuple(said))


class _Say:
    """Notes repairs of one cell."""

    def __init__(self, said: list[Repair], cell: int) -> None:
        self._said = said
        self._cell = cell

    def __call__(self, what: str) -> None:
        self._said.append(Repair(self._cell, what))


def _notebook_metadata(made: JsonObject, say: _Say) -> None:
    if not isinstance(made["metadata"], dict):
        return
    metadata = dict(made["metadata"])
    spec = metadata.get("kernelspec")
    if isinstance(spec, dict) and isinstance(spec.get("name"), str) and not isinstance(spec.get("display_name"), str):
        metadata["kernelspec"] = {**spec, "display_name": spec["name"]}
        say("the kernel's name taken for its missing display name")
    for section in ("kernelspec", "language_info"):
        if section in metadata and not metadata[section]:
            del metadata[section]
            say(f"empty '{section}' removed")
    unknown = [key for key in made if key not in ("cells", "metadata", "nbformat", "nbformat_minor")]
    minor = made.get("nbformat_minor")
    if unknown and (not _is_whole(minor) or minor <= NEWEST_MINOR):
        metadata = _move(metadata, {key: made.pop(key) for key in unknown}, say)
    if metadata != made["metadata"]:
        made["metadata"] = metadata


def _minor(minor: Any, cells: list[Any], say: _Say) -> int:
    """Return the minor version; ids on every cell say that a file is of 4.5, whatever it says itself."""
    objects = [cell for cell in cells if isinstance(cell, dict)]
    has_ids = [is_valid(cell.get("id")) for cell in objects]
    if not _is_whole(minor) or minor < 0:
        meant = NEWEST_MINOR if any(has_ids) else NEWEST_MINOR - 1
        say(f"nbformat_minor was {json.dumps(minor)}; {meant} fits what the file holds")
        minor = meant
    if minor < NEWEST_MINOR and objects and all(has_ids):
        say(f"nbformat 4.{minor} with cell ids is nbformat 4.{NEWEST_MINOR}")
        return NEWEST_MINOR
    return int(minor)


def _ids(cells: list[Any], minor: int, said: list[Repair]) -> list[Any]:
    if minor < NEWEST_MINOR:
        return [_without_id(cell, _Say(said, number)) for number, cell in enumerate(cells, 1)]
    fresh = FreshIds(cell["id"] for cell in cells if isinstance(cell, dict) and is_valid(cell.get("id")))
    seen: dict[str, int] = {}
    made = []
    for number, cell in enumerate(cells, 1):
        if isinstance(cell, dict):
            old = cell.get("id")
            if not is_valid(old) or old in seen:
                new = fresh.make(str(cell.get("cell_type")), _text(cell.get("source")))
                cell = {**cell, "id": new}
                why = f"cell {seen[old]} has the id {old}, too" if is_valid(old) else _no_id(old)
                _Say(said, number)(f"{why}; its id is {new} now")
            seen[cell["id"]] = number
        made.append(cell)
    return made


def _no_id(old: Any) -> str:
    return "it had no id" if old in (None, "") else f"{json.dumps(old)} is no id"


def _without_id(cell: Any, say: _Say) -> Any:
    if not isinstance(cell, dict) or "id" not in cell:
        return cell
    say(f"its id {json.dumps(cell['id'])} removed: not all cells have one, and the file is older than nbformat 4.5")
    return {key: value for key, value in cell.items() if key != "id"}


def _cell(cell: JsonObject, say: _Say) -> JsonObject:
    made = dict(cell)
    made["metadata"] = _tags(_metadata(made.get("metadata"), say, missing="metadata" not in made), say)
    _source(made, say)
    _kind(made, say)
    misplaced = {key: made.pop(key) for key in list(made) if key not in _CELL_KEYS}
    if made["cell_type"] == "code":
        if made.get("attachments"):
            misplaced["attachments"] = made["attachments"]
        if made.pop("attachments", None) == {}:
            say("empty attachments of a code cell removed")
        _code(made, say)
    elif made["cell_type"] in ("markdown", "raw"):
        if made.pop("execution_count", None) is not None:
            say(f"the execution count of a {made['cell_type']} cell removed")
        outputs = made.pop("outputs", None)
        if outputs:
            misplaced["outputs"] = outputs
        elif "outputs" in cell:
            say(f"the empty outputs of a {made['cell_type']} cell removed")
        if "attachments" in made and made["attachments"] is None:
            del made["attachments"]
            say("attachments that were null removed")
    made["metadata"] = _move(made["metadata"], misplaced, say)
    return made


def _kind(made: JsonObject, say: _Say) -> None:
    kind = made.get("cell_type")
    if kind == "heading":
        level = made.pop("level", 1)
        hashes = "#" * (level if _is_whole(level) and 1 <= level <= 6 else 1)
        made["source"] = f"{hashes} {_text(made['source'])}"
        made["cell_type"] = "markdown"
        say("a heading cell of nbformat 3 made a markdown cell")
    elif not isinstance(kind, str) or not kind:
        made["cell_type"] = "code" if made.get("outputs") or made.get("execution_count") is not None else "raw"
        say(f"it had no type; it is a {made['cell_type']} cell now")


def _source(made: JsonObject, say: _Say) -> None:
    source = made.get("source")
    if source is None:
        made["source"] = made.pop("input", "") if isinstance(made.get("input"), (str, list)) else ""
        say("it had no source" + ("; 'input' was one" if made["source"] else ""))
    elif isinstance(source, list) and not all(isinstance(line, str) for line in source):
        if all(line is None or isinstance(line, (str, int, float)) for line in source):
            made["source"] = [
                line if isinstance(line, str) else json.dumps(line) for line in source if line is not None
            ]
            say("lines of its source that were no text made text")


def _code(made: JsonObject, say: _Say) -> None:
    for key, empty in (("outputs", []), ("execution_count", None)):
        if key not in made:
            made[key] = empty
            say(f"it had no '{key}'")
    count = made["execution_count"]
    if not _is_count(count):
        made["execution_count"] = _count(count)
        say(f"its execution count {json.dumps(count)} is {json.dumps(made['execution_count'])} now")
    outputs = made["outputs"]
    if outputs is None or isinstance(outputs, dict):
        outputs = [outputs] if outputs else []
        made["outputs"] = outputs
        say("its outputs were no list")
    if isinstance(outputs, list):
        made["outputs"] = [_output(each, say) if isinstance(each, dict) else each for each in outputs]


def _output(output: JsonObject, say: _Say) -> JsonObject:
    made = dict(output)
    kind = made.get("output_type")
    if kind in ("pyout", "pyerr"):
        from nbcellar.notebook.older import upgrade_output

        made = upgrade_output(made, 3)
        kind = made["output_type"]
        say(f"an output of nbformat 3 made one of type {kind}")
    for key, empty in _missing(str(kind)):
        if key not in made or (made[key] is None and empty is not None):
            made[key] = empty
            say(f"an output of type {kind} had no '{key}'")
    if kind == "error" and isinstance(made["traceback"], str):
        made["traceback"] = made["traceback"].split("\n")
        say("a traceback of one text made a list of lines")
    for key in _TEXT_FIELDS.get(str(kind), ()):
        if isinstance(made[key], (int, float)):
            made[key] = json.dumps(made[key])
            say(f"'{key}' of an output made text")
    if kind == "execute_result" and not _is_count(made["execution_count"]):
        made["execution_count"] = _count(made["execution_count"])
        say("the execution count of an output mended")
    if kind in ("display_data", "execute_result") and isinstance(made["data"], dict):
        made["data"] = _bundle(made["data"], say)
    if kind in ("stream", "error") and made.get("metadata") == {}:
        del made["metadata"]
        say(f"empty metadata of an output of type {kind} removed")
    return made


def _missing(kind: str) -> tuple[tuple[str, Any], ...]:
    rich: tuple[tuple[str, Any], ...] = (("data", {}), ("metadata", {}))
    return {
        "stream": (("name", "stdout"), ("text", "")),
        "error": (("ename", ""), ("evalue", ""), ("traceback", [])),
        "display_data": rich,
        "execute_result": (*rich, ("execution_count", None)),
    }.get(kind, ())


def _bundle(data: JsonObject, say: _Say) -> JsonObject:
    made = {}
    for mime, value in data.items():
        if not mime.endswith("json") and (value is None or isinstance(value, (bool, int, float))):
            say(f"{mime} of an output was no text")
            value = "" if value is None else json.dumps(value)
        made[mime] = value
    return made


def _metadata(value: Any, say: _Say, *, missing: bool) -> Any:
    if value is None or value == []:
        say("it had no metadata" if missing else f"its metadata was {json.dumps(value)}")
        return {}
    return value


def _tags(metadata: Any, say: _Say) -> Any:
    if not isinstance(metadata, dict):
        return metadata
    made = dict(metadata)
    if made.get("name") == "":
        del made["name"]
        say("an empty name removed")
    tags = made.get("tags", [])
    if isinstance(tags, str) or (isinstance(tags, list) and all(isinstance(tag, str) for tag in tags)):
        parts = [part.strip() if "," in tag else part for tag in ([tags] if isinstance(tags, str) else tags)
                 for part in tag.split(",")]  # fmt: skip
        wanted = list(dict.fromkeys(part for part in parts if part))
        if wanted != tags:
            made["tags"] = wanted
            say(f"its tags {json.dumps(tags)} are {json.dumps(wanted)} now")
    elif tags is None:
        del made["tags"]
        say("tags that were null removed")
    return made


def _move(metadata: Any, misplaced: JsonObject, say: _Say) -> Any:
    """Keep what has no place where it stood, in `metadata.cellar`."""
    if not misplaced or not isinstance(metadata, dict):
        return metadata
    own = metadata.get(_KEPT_UNDER)
    kept = dict(own) if isinstance(own, dict) else {} if own is None else {"was": own}
    for key, value in misplaced.items():
        name = key
        while name in kept:
            name += "_"
        kept[name] = value
        say(f"'{key}', which nbformat does not have there, moved to metadata.{_KEPT_UNDER}.{name}")
    return {**metadata, _KEPT_UNDER: kept}


def _text(source: Any) -> str:
    """Return a source that may be in lines as one text, so that its form does not matter."""
    return "".join(map(str, source)) if isinstance(source, list) else str(source)


def _count(value: Any) -> int | None:
    """Return the count that text or a number with a fraction of nought means."""
    try:
        number = float(value) if not isinstance(value, bool) else -1.0
    except (TypeError, ValueError):
        return None
    return int(number) if number >= 0 and number.is_integer() else None


def _is_count(value: Any) -> bool:
    return value is None or (_is_whole(value) and value >= 0)


def _is_whole(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)
