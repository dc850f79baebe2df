"""Conflicts as cells of a notebook: how they are written, and how they are found again.

A group stands where the decision is: a markdown cell that says what happened, our cell, a markdown cell, their cell, a
markdown cell. Each has `metadata.cellar.conflict` with the id of the group and its role; the first and the last have
base, ours and theirs as well (cells without outputs: those are on the cells themselves). A conflict in the notebook's
own metadata is one markdown cell at the top, of the role "notebook"; one in the structure of a pipeline is one markdown
cell at a component, of the role "structure": no cell is there twice, and the metadata has what ours says. A variant
that was in a group before has that mark as `within`.

Invariant: the notebook stays valid and opens in any program; a person may resolve a group by deleting cells: it is open
as long as one of its markdown cells is there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import msgspec
from blake3 import blake3

from nbcellar.ids import CellId
from nbcellar.merge.model import Conflict, Labels
from nbcellar.merge.structure.telling import Sentence, Words
from nbcellar.merge.trees import PARAMETERS
from nbcellar.notebook.model import Cell, JsonObject, Notebook, cell_to_json
from nbcellar.notebook.stale import KEY

CONFLICT_KEY = "conflict"
_WITHIN = "within"
_TEXT = "text"
Role = Literal["begin", "ours", "middle", "theirs", "end", "notebook", "structure"]
MARKERS = frozenset({"begin", "middle", "end", "notebook", "structure"})
NOTES = ("notebook", "structure")
"""The roles of conflicts that are one note, about metadata."""
_DETAILS = frozenset({"what", "base", "ours", "theirs", "values", "said"})
_TOLD = frozenset({"begin", "end", *NOTES})  # the last note has it all again, for a person may delete the first
_ROLES = MARKERS | {"ours", "theirs"}
_LONGEST_LABEL = 100


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """A conflict found in a notebook. Numbers are places of cells, from 0.

    base, ours, theirs: the versions when the conflict arose (without outputs), None where there was no cell.
    values, said: as in `Conflict`. is_told: a note is there that says all this.
    """

    id: str
    what: tuple[str, ...]
    cells: tuple[tuple[int, str], ...]
    is_told: bool = False
    labels: Labels = Labels()
    base: JsonObject | None = None
    ours: JsonObject | None = None
    theirs: JsonObject | None = None
    values: tuple[JsonObject, ...] = ()
    said: str = ""

    @property
    def note(self) -> str:
        """Return the role of a conflict that is one note, "" for one of cells."""
        return next((role for role in NOTES if self.places(role) and not self.places("begin")), "")

    @property
    def is_open(self) -> bool:
        """True while one of the markdown cells is there."""
        return any(role in MARKERS for _, role in self.cells)

    def places(self, role: str) -> list[int]:
        """Return the places of the cells of one role."""
        return [place for place, held in self.cells if held == role]


def conflict_id(seed: object, taken: set[str]) -> str:
    """Return an id of eight hexadecimal digits, made from `seed`, that is not in `taken`; enter it there."""
    text = json.dumps(seed, sort_keys=True, default=str, ensure_ascii=True)
    for turn in range(1_000_000):
        found = blake3(f"{turn} {text}".encode()).hexdigest()[:8]
        if found not in taken:
            break
    taken.add(found)
    return found


def group_cells(conflict: Conflict, labels: Labels, said: Sentence | None = None) -> list[Cell]:
    """Return the cells that show a conflict; their ids are left empty but for the variants.

    said: what happened, where it is more than that a cell was changed or deleted.
    """
    details = {
        **_details(conflict, labels),
        **{side: _kept(getattr(conflict, side)) for side in ("base", "ours", "theirs")},
    }
    ours, theirs = _label(labels.ours, "ours"), _label(labels.theirs, "theirs")
    parts = [_marker(conflict.id, "begin", _opening(conflict, ours, theirs, said), details)]
    if conflict.ours is not None:
        parts.append(_annotated(conflict.ours, conflict.id, "ours"))
    parts.append(_marker(conflict.id, "middle", f"**▲ {ours}** (ours) — **▼ {theirs}** (theirs)", {}))
    if conflict.theirs is not None:
        parts.append(_annotated(conflict.theirs, conflict.id, "theirs"))
    return [*parts, _marker(conflict.id, "end", "**End of the merge conflict**", details)]


def notebook_marker(conflict: Conflict, labels: Labels) -> Cell:
    """Return the cell that shows a conflict in the notebook's own metadata."""
    lines = ["**Merge conflict: settings of the notebook**", ""]
    named = _label(labels.ours, "ours"), _label(labels.theirs, "theirs")
    for name, sides in zip(conflict.what, conflict.values, strict=True):
        ours, theirs = (_value(sides.get(side)) for side in ("ours", "theirs"))
        lines.append(f"- {_setting(name, sides)}: {named[0]} has {ours}, {named[1]} {theirs}")
    lines += ["", "Ours is in the file. To decide: `cellar resolve NOTEBOOK`, or delete this cell to keep ours."]
    details = {**_details(conflict, labels), "values": list(conflict.values)}
    return _marker(conflict.id, "notebook", "\n".join(lines), details)


def structure_marker(conflict: Conflict, labels: Labels, said: Sentence) -> Cell:
    """Return the cell that shows a conflict in the structure of a pipeline."""
    text = (
        f"**Merge conflict in the pipeline:** {said(_words(labels))}.\n\n"
        "The notebook has what ours says. To decide: `cellar resolve NOTEBOOK`, or delete this cell to keep ours."
    )
    return _marker(conflict.id, "structure", text, {**_details(conflict, labels), "values": list(conflict.values)})


def _details(conflict: Conflict, labels: Labels) -> JsonObject:
    named = {"base": labels.base, "ours": labels.ours, "theirs": labels.theirs}
    said = {"said": conflict.said} if conflict.said else {}
    return {"what": list(conflict.what), "labels": named, **said}


def _words(labels: Labels) -> Words:
    return Words(f"**{_label(labels.ours, 'ours')}**", f"**{_label(labels.theirs, 'theirs')}**", _code)


def find_groups(notebook: Notebook) -> list[Group]:
    """Return the conflicts in a notebook in the order of their cells, also those of which only variants are left."""
    places: dict[str, list[tuple[int, str]]] = {}
    details: dict[str, JsonObject] = {}
    for place, cell in enumerate(notebook.cells):
        held = mark_of(cell)
        if held is None:
            continue
        places.setdefault(held["id"], []).append((place, held["role"]))
        if held["role"] in _TOLD and not _DETAILS.isdisjoint(held):
            details.setdefault(held["id"], held)
    return [_group(id_, tuple(cells), details.get(id_, {})) for id_, cells in places.items()]


def mark_of(cell: Cell) -> JsonObject | None:
    """Return what a cell says about the conflict that it belongs to, None for other cells."""
    return next(marks_of(cell), None)


def marks_of(cell: Cell) -> Iterator[JsonObject]:
    """Yield what a cell says about its conflict, then about the one that this stands in, and so on."""
    held = cell.metadata.get(KEY)
    mark = held.get(CONFLICT_KEY) if isinstance(held, dict) else None
    while isinstance(mark, dict) and isinstance(mark.get("id"), str):
        role = mark.get("role")
        if not isinstance(role, str) or role not in _ROLES:
            return
        yield mark
        mark = mark.get(_WITHIN)


def without_mark(cell: Cell) -> Cell:
    """Return the cell as it was before its last conflict: of none, or of the one that this stood in."""
    marks = list(marks_of(cell))
    if not marks:
        return cell
    held = {key: value for key, value in cell.metadata[KEY].items() if key != CONFLICT_KEY}
    if marks[1:]:
        held[CONFLICT_KEY] = marks[1]
    metadata = {key: value for key, value in cell.metadata.items() if key != KEY}
    if held:
        metadata = {key: held if key == KEY else value for key, value in cell.metadata.items()}
    return msgspec.structs.replace(cell, metadata=metadata)


def is_own_text(cell: Cell) -> bool:
    """Return whether a note of a conflict says what a person wrote there, so that it must not go with the conflict."""
    mark = mark_of(cell)
    if mark is None or mark["role"] not in MARKERS:
        return False
    return (
        cell.type != "markdown"
        or bool(cell.attachments)
        or mark.get(_TEXT, _digest(cell.source)) != _digest(cell.source)
    )


def has_open_conflicts(notebook: Notebook) -> bool:
    """Return whether a decision is left; such a notebook is not to be committed."""
    return any(mark["role"] in MARKERS for cell in notebook.cells for mark in marks_of(cell))


def _group(id_: str, cells: tuple[tuple[int, str], ...], held: JsonObject) -> Group:
    labels = held.get("labels")
    named = {side: name for side, name in labels.items() if isinstance(name, str)} if isinstance(labels, dict) else {}
    sides = {side: held.get(side) for side in ("base", "ours", "theirs")}
    return Group(
        id=id_,
        what=tuple(what for what in _list(held, "what") if isinstance(what, str)),
        cells=cells,
        is_told=bool(held) or any(role == "begin" for _, role in cells),
        labels=Labels(**{side: named[side] for side in ("base", "ours", "theirs") if side in named}),
        values=tuple(value for value in _list(held, "values") if _is_value(value)),
        said=said if isinstance(said := held.get("said"), str) else "",
        **{side: cell if isinstance(cell, dict) else None for side, cell in sides.items()},
    )


def _list(held: JsonObject, key: str) -> list[Any]:
    found = held.get(key)
    return found if isinstance(found, list) else []


def _is_value(value: Any) -> bool:
    path = value.get("path") if isinstance(value, dict) else None
    return isinstance(path, list) and bool(path) and all(isinstance(key, str) for key in path)


def _kept(cell: Cell | None) -> JsonObject | None:
    if cell is None:
        return None
    return {key: value for key, value in cell_to_json(cell).items() if key not in ("outputs", "execution_count")}


def _marker(id_: str, role: Role, text: str, details: JsonObject) -> Cell:
    mark = {CONFLICT_KEY: {"id": id_, "role": role, _TEXT: _digest(text), **details}}
    return Cell(type="markdown", source=text, id=CellId(""), metadata={KEY: mark})


def _annotated(cell: Cell, id_: str, role: Role) -> Cell:
    held = cell.metadata.get(KEY)
    before = mark_of(cell)
    own = {"id": id_, "role": role} if before is None else {"id": id_, "role": role, _WITHIN: before}
    mark = {**(held if isinstance(held, dict) else {}), CONFLICT_KEY: own}
    return msgspec.structs.replace(cell, metadata={**cell.metadata, KEY: mark})


def _digest(text: str) -> str:
    """Return what a note's text is known by; blanks do not count, for programs that save notebooks trim them."""
    return blake3(" ".join(text.split()).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _opening(conflict: Conflict, ours: str, theirs: str, sentence: Sentence | None) -> str:
    if conflict.ours is None or conflict.theirs is None:
        deleted, changed = (ours, theirs) if conflict.ours is None else (theirs, ours)
        said = f"**{deleted}** deleted this cell, **{changed}** changed it."
        if sentence is not None:
            said = f"{sentence(Words(f'**{ours}**', f'**{theirs}**', _code))}."
        advice = "Keep the cell or delete it"
    else:
        said = f"**{ours}** and **{theirs}** both changed {_parts(conflict.what)} of this cell."
        advice = "Keep one of the two cells, or make one of both"
    return f"**Merge conflict:** {said} {advice}, then delete the three notes around; or run `cellar resolve NOTEBOOK`."


def _parts(what: Sequence[str]) -> str:
    named = ["the source" if part == "source" else "the type" if part == "type" else _code(part) for part in what]
    return named[0] if len(named) == 1 else ", ".join(named[:-1]) + f" and {named[-1]}"


def _label(text: str, side: str) -> str:
    """Return a name of a version so that no markdown or HTML in it takes effect."""
    return _code(text or side)


def _code(text: str) -> str:
    plain = "".join(letter if letter.isprintable() else " " for letter in text).replace("`", "'").strip()
    plain = plain if len(plain) <= _LONGEST_LABEL else plain[: _LONGEST_LABEL - 1] + "…"
    return f"`{plain or '?'}`"


def _setting(name: str, sides: JsonObject) -> str:
    """Return what a setting is called: a parameter of a pipeline by its name."""
    path = tuple(sides["path"])
    return f"parameter {_code(path[-1])}" if path[:-1] == PARAMETERS else _code(name)


def _value(value: Any) -> str:
    return "nothing" if value is None else _code(json.dumps(value, ensure_ascii=False, sort_keys=True))


__all__ = [
    "CONFLICT_KEY",
    "MARKERS",
    "NOTES",
    "Group",
    "conflict_id",
    "find_groups",
    "group_cells",
    "has_open_conflicts",
    "is_own_text",
    "mark_of",
    "marks_of",
    "notebook_marker",
    "structure_marker",
    "without_mark",
]
