"""Metadata of notebooks, cells and outputs: what is noise goes, and each key that goes is named."""

from __future__ import annotations

from typing import Any

from nbcellar.clean.model import LeftOut
from nbcellar.clean.rules import Rules
from nbcellar.notebook.model import JsonObject


def clean_metadata(value: JsonObject, place: str, rules: Rules, cell: int, left_out: list[LeftOut]) -> JsonObject:
    """Return metadata without what the rules drop; `value` itself if that is nothing.

    place: `metadata`, `cell.metadata` or `output.metadata`.
    """
    return _pruned(value, place, rules, cell, left_out, top=True) if value else value


def clean_kernel(metadata: JsonObject, rules: Rules, left_out: list[LeftOut]) -> JsonObject:
    """Return notebook metadata with the kernel's name for its display name, which each machine words its own way."""
    spec = metadata.get("kernelspec")
    if rules.settings.kernel or not isinstance(spec, dict) or rules.keeps("metadata.kernelspec.display_name"):
        return metadata
    name = spec.get("name")
    if not isinstance(name, str) or not name or spec.get("display_name") == name:
        return metadata
    left_out.append(LeftOut("kernel", "metadata.kernelspec.display_name"))
    return {**metadata, "kernelspec": {**spec, "display_name": name}}


def _pruned(
    value: JsonObject, place: str, rules: Rules, cell: int, left_out: list[LeftOut], *, top: bool
) -> JsonObject:
    made: dict[str, Any] = {}
    for key, item in value.items():
        below = f"{place}.{key}"
        why = rules.dropped(below, top=top)
        if isinstance(item, dict) and item and rules.looks_deeper(below) and not rules.keeps(below):
            inner = _only_kept(item, below, rules) if why else _pruned(item, below, rules, cell, left_out, top=False)
            if why and inner is not item:
                left_out.append(LeftOut(why, below, cell))
            if inner:
                made[key] = inner
        elif why:
            left_out.append(LeftOut(why, below, cell))
        else:
            made[key] = item
    return _same_if_equal(made, value)


def _only_kept(value: JsonObject, place: str, rules: Rules) -> JsonObject:
    """Return the parts of a dropped object that the settings keep by name."""
    made = {}
    for key, item in value.items():
        below = f"{place}.{key}"
        if rules.keeps(below):
            made[key] = item
        elif isinstance(item, dict) and rules.looks_deeper(below):
            inner = _only_kept(item, below, rules)
            if inner:
                made[key] = inner
    return _same_if_equal(made, value)


def _same_if_equal(made: JsonObject, value: JsonObject) -> JsonObject:
    """Return `value` itself if `made` has all its parts, the very same ones."""
    return value if len(made) == len(value) and all(made[key] is value[key] for key in made) else made
