"""Metadata compared by name: states of cells and properties of notebooks as people call them, the rest by path."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from nbcellar.diff.document.changes import StateChange
from nbcellar.diff.document.equality import same_json
from nbcellar.diff.model import ValueChange
from nbcellar.notebook.model import Cell, JsonObject, Notebook
from nbcellar.notebook.stale import KEY, STALE_KEY, STALE_WORDS, is_stale

# Where cell metadata hold a state, and what it is called.
_CELL_STATES: Mapping[tuple[str, ...], str] = {
    ("collapsed",): "outputs collapsed",
    ("scrolled",): "outputs scrolled",
    ("jupyter", "outputs_hidden"): "outputs hidden",
    ("jupyter", "source_hidden"): "source hidden",
    ("editable",): "editable",
    ("deletable",): "deletable",
    ("trusted",): "trusted",
    ("slideshow", "slide_type"): "slide",
    ("name",): "name",
    ("title",): "title",
    ("format",): "raw format",
    ("raw_mimetype",): "raw format",
    ("heading_collapsed",): "heading collapsed",
    ("jp-MarkdownHeadingCollapsed",): "heading collapsed",
    ("hide_input",): "source hidden",
    ("init_cell",): "initialization cell",
    ("vscode", "languageId"): "language",
}
_NAMED_IN_NOTEBOOKS = frozenset({"kernelspec", "language_info", "title", "widgets"})
_LONGEST = 200
_MOST_VALUES = 100
_DEEPEST = 8


def cell_states(before: JsonObject, after: JsonObject) -> list[StateChange]:
    """Return the named states of a cell that changed; tags apart."""
    found = []
    for path, name in _CELL_STATES.items():
        old, new = _at(before, path), _at(after, path)
        if not same_json(old, new):
            found.append(StateChange(name=name, before=_word(old), after=_word(new)))
    return found


def stale_states(before: Cell, after: Cell) -> list[StateChange]:
    """Return whether outputs are from before the source of their cell, as a merge can leave them, if that changed."""
    old, new = (STALE_WORDS if is_stale(cell) else "" for cell in (before, after))
    return [StateChange(name="outputs", before=old, after=new)] if old != new else []


def tag_changes(before: Cell, after: Cell) -> tuple[list[str], list[str], bool]:
    """Return the tags that came, those that went, and whether those that stayed stand in another order."""
    old, new = before.tags, after.tags
    added = [tag for tag in new if tag not in old]
    removed = [tag for tag in old if tag not in new]
    return added, removed, not added and not removed and old != new


def other_cell_metadata(before: Cell, after: Cell, noise: frozenset[str]) -> list[ValueChange]:
    """Return changes of a cell's metadata that have no name, by path; keys in `noise` are left out."""
    sides = before.metadata, after.metadata
    named = {path for path in _CELL_STATES if not same_json(*(_at(side, path) for side in sides))}
    if is_stale(before) or is_stale(after):  # told by `stale_states`, or both are: then the outputs differ
        named.add((KEY, STALE_KEY))
    old, new = (_without(side, named, noise | _plain_tags(side)) for side in sides)
    return list(value_changes(old, new))


def notebook_states(before: Notebook, after: Notebook) -> list[StateChange]:
    """Return the named properties of a notebook that changed."""
    found = []
    for name, old, new in (
        ("kernel", _kernel(before), _kernel(after)),
        ("language", before.language, after.language),
        ("language version", _version(before), _version(after)),
        ("title", _word(before.metadata.get("title", _NONE)), _word(after.metadata.get("title", _NONE))),
        ("widgets", _widgets(before), _widgets(after)),
        ("format", _format(before), _format(after)),
    ):
        if old != new:
            found.append(StateChange(name=name, before=old, after=new))
    return found


def other_notebook_metadata(before: Notebook, after: Notebook) -> list[ValueChange]:
    """Return changes of a notebook's metadata, and of keys beside it, that `notebook_states` does not tell."""
    old = {key: value for key, value in before.metadata.items() if key not in _NAMED_IN_NOTEBOOKS}
    new = {key: value for key, value in after.metadata.items() if key not in _NAMED_IN_NOTEBOOKS}
    return [*value_changes(old, new), *value_changes(before.extra, after.extra)]


def unnamed_noise(before: Notebook, after: Notebook) -> list[ValueChange]:
    """Return what changed inside of the kernel's metadata without changing what `notebook_states` tells."""
    found: list[ValueChange] = []
    for key in ("kernelspec", "language_info"):
        old, new = before.metadata.get(key), after.metadata.get(key)
        if not same_json(old, new):
            found += value_changes({key: old} if old is not None else {}, {key: new} if new is not None else {})
    return found


def value_changes(before: JsonObject, after: JsonObject) -> Iterator[ValueChange]:
    """Yield changes of JSON values by path: `papermill.duration`."""
    stack: list[tuple[str, Any, Any]] = [("", before, after)]
    told = 0
    while stack and told < _MOST_VALUES:
        path, old, new = stack.pop()
        if isinstance(old, dict) and isinstance(new, dict) and path.count(".") < _DEEPEST:
            keys = [key for key in old.keys() | new.keys() if not same_json(old.get(key, _NONE), new.get(key, _NONE))]
            for key in sorted(keys, reverse=True):
                stack.append((f"{path}.{key}" if path else key, old.get(key, _NONE), new.get(key, _NONE)))
            continue
        told += 1
        change = "added" if old is _NONE else "removed" if new is _NONE else "changed"
        yield ValueChange(path=path, change=change, before=_word(old), after=_word(new))  # type: ignore[arg-type]
    if stack:
        yield ValueChange(path="…", change="changed", more=len(stack))


class _None:
    """Stands for a key that is not there."""


_NONE = _None()


def _at(metadata: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        if not isinstance(metadata, dict) or key not in metadata:
            return _NONE
        metadata = metadata[key]
    return metadata


def _plain_tags(metadata: JsonObject) -> frozenset[str]:
    tags = metadata.get("tags")
    plain = isinstance(tags, list) and all(isinstance(tag, str) for tag in tags)
    return frozenset({"tags"} if plain else ())


def _without(metadata: JsonObject, paths: set[tuple[str, ...]], keys: frozenset[str]) -> JsonObject:
    kept = {key: value for key, value in metadata.items() if key not in keys and (key,) not in paths}
    for path in paths:
        inner = kept.get(path[0])
        if len(path) == 2 and isinstance(inner, dict):
            kept[path[0]] = {key: value for key, value in inner.items() if key != path[1]}
    return {key: value for key, value in kept.items() if value != {} or metadata[key] == {}}


def _word(value: Any) -> str:
    if value is _NONE:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _kernel(notebook: Notebook) -> str:
    spec = notebook.metadata.get("kernelspec")
    title = spec.get("display_name") if isinstance(spec, dict) else None
    name = notebook.kernel_name
    return f"{title} ({name})" if isinstance(title, str) and title and name else name


def _version(notebook: Notebook) -> str:
    info = notebook.metadata.get("language_info")
    return _word(info.get("version", _NONE)) if isinstance(info, dict) else ""


def _format(notebook: Notebook) -> str:
    return f"{notebook.nbformat}.{notebook.nbformat_minor}"


def _widgets(notebook: Notebook) -> str:
    widgets = notebook.metadata.get("widgets")
    if widgets is None:
        return ""
    state = widgets.get("application/vnd.jupyter.widget-state+json") if isinstance(widgets, dict) else None
    models = state.get("state") if isinstance(state, dict) else None
    count = len(models) if isinstance(models, dict) else 0
    return f"state of {count} {'model' if count == 1 else 'models'}"


__all__ = [
    "cell_states",
    "notebook_states",
    "other_cell_metadata",
    "other_notebook_metadata",
    "stale_states",
    "tag_changes",
    "unnamed_noise",
    "value_changes",
]
