"""What metadata has under `cellar`, read without trust in it, and put back. Pure."""

from __future__ import annotations

from nbcellar.notebook.model import JsonObject

KEY = "cellar"
COMPONENT = "component"
PARAMETERS = "parameters"


def held(metadata: JsonObject) -> JsonObject:
    """Return what metadata of a cell or a notebook has under `cellar`, nothing where that is no object."""
    return held_object(metadata, KEY)


def held_object(members: JsonObject, key: str) -> JsonObject:
    """Return the object under a key, an empty one where there is none."""
    found = members.get(key)
    return found if isinstance(found, dict) else {}


def with_held(metadata: JsonObject, own: JsonObject) -> JsonObject:
    """Return metadata with this under `cellar`; without the key where it is empty."""
    return {**metadata, KEY: own} if own else without(metadata, KEY)


def without(members: JsonObject, *keys: str) -> JsonObject:
    """Return an object without some of its keys."""
    return {key: value for key, value in members.items() if key not in keys}


__all__ = ["COMPONENT", "KEY", "PARAMETERS", "held", "held_object", "with_held", "without"]
