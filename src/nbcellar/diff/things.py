"""What an instance of any class is made of, in parts that can be compared.

Invariant: nothing that a stream says of an object is left out: it is an attribute, a content or in the rest.
"""

from __future__ import annotations

import msgspec

from nbcellar.values.nodes import Call, Dict, List, Node
from nbcellar.values.words import contents_of

_MAKE_CONTAINER = "nbcellar.session.rewrap.make_container"


class Parts(msgspec.Struct, frozen=True):
    """attributes: by name. contents: the list, dict or set that it is. rest: all else, a tuple."""

    attributes: list[tuple[str, Node]]
    contents: Node
    rest: Node


def parts_of(node: Call) -> Parts:
    """Return what an object is made of."""
    contents = contents_of(node)
    args: Node = node.args
    extra: list[Node] = []
    if contents is not None and args and contents is args[0]:
        args = args[1:]
    elif node.pairs and node.items:
        extra.append(List(node.items))
    setters = [effect for effect in node.effects if len(effect.args) == 2]
    states = [*node.states, *(effect.args[1] for effect in setters)]
    extra += [effect.function for effect in node.effects]
    extra += [effect.args[1:] for effect in node.effects if effect not in setters]
    if node.path == _MAKE_CONTAINER and len(states) == 1 and type(states[0]) is tuple and len(states[0]) == 3:
        states = [states[0][1:]]
    attributes = _attributes(states[0]) if len(states) == 1 else None
    if attributes is None:
        extra += states
    return Parts(attributes or [], contents, (node.function, args, node.kwargs, *extra))


def _attributes(state: Node) -> list[tuple[str, Node]] | None:
    """Return a state as attributes by name: a dictionary, or one and that of slots; None if it is neither."""
    parts = state if type(state) is tuple and len(state) == 2 else (state,)
    if any(part is not None and type(part) is not Dict for part in parts):
        return None
    pairs = [pair for part in parts if part is not None for pair in part.pairs]
    return pairs if all(type(name) is str for name, _ in pairs) else None


__all__ = ["Parts", "parts_of"]
