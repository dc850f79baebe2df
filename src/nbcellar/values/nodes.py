"""What an inert reading of a pickle stream consists of.

Plain values stand for themselves: None, bool, int, float, str, bytes, and tuples of nodes. All else is one of the
classes here, told apart by identity: a node that stands in two places is one object there (an alias), and nodes may
reach themselves. So nobody compares or prints them by walking without a limit.

Invariant: a node holds what the stream said and nothing that was looked up or called. `inert.read` fills nodes while
it reads; afterwards they are not changed.
"""

from __future__ import annotations

from typing import Any

Node = Any
"""None, bool, int, float, str, bytes, a tuple of nodes, or an instance of a class of this module."""


class Global:
    """Something found by import: a class, a function, a constant."""

    __slots__ = ("module", "name")

    def __init__(self, module: str, name: str) -> None:
        self.module = module
        self.name = name

    @property
    def path(self) -> str:
        """Module and name with a dot between."""
        return f"{self.module}.{self.name}"

    def __repr__(self) -> str:
        return f"<{self.path}>"


class List:
    """A list."""

    __slots__ = ("items",)

    def __init__(self, items: list[Node]) -> None:
        self.items = items


class Dict:
    """A dictionary, as pairs in their order. A key that is given twice is here twice, the last one counts."""

    __slots__ = ("pairs",)

    def __init__(self, pairs: list[tuple[Node, Node]]) -> None:
        self.pairs = pairs


class Set:
    """A set or frozenset; its order means nothing."""

    __slots__ = ("frozen", "items")

    def __init__(self, items: list[Node], frozen: bool) -> None:
        self.items = items
        self.frozen = frozen


class ByteArray:
    """A bytearray whose bytes are in the stream."""

    __slots__ = ("data",)

    def __init__(self, data: bytes) -> None:
        self.data = data


class Call:
    """An object that would be made by calling `function`, or by `function.__new__` if `new`.

    states: what it would be filled with, in order. items, pairs: what would be appended, added or set. effects: calls
    that would fill it (pickle's state setters), each with the object itself as the first argument.
    """

    __slots__ = ("args", "effects", "function", "items", "kwargs", "new", "pairs", "states")

    def __init__(self, function: Node, args: Node, kwargs: Node = None, new: bool = False) -> None:
        self.function = function
        self.args = args
        self.kwargs = kwargs
        self.new = new
        self.states: list[Node] = []
        self.items: list[Node] = []
        self.pairs: list[tuple[Node, Node]] = []
        self.effects: list[Call] = []

    @property
    def path(self) -> str:
        """Module and name of what is called; empty if that is no name."""
        return self.function.path if type(self.function) is Global else ""

    @property
    def state(self) -> Node:
        """The only state, by whatever way it would be set; None if there is none or several."""
        given = [*self.states, *(effect.args[1] for effect in self.effects if len(effect.args) == 2)]
        return given[0] if len(given) == 1 else None


class Buffer:
    """Memory out of band: the buffer number `index` of the value, in the order of the streams."""

    __slots__ = ("index", "readonly")

    def __init__(self, index: int, readonly: bool = False) -> None:
        self.index = index
        self.readonly = readonly


class Persistent:
    """An object that the stream names by an id of somebody's own. Cellar writes none."""

    __slots__ = ("id",)

    def __init__(self, id: Node) -> None:
        self.id = id


def global_path(node: Node) -> str:
    """Return `module.name` for a Global, else nothing."""
    return node.path if type(node) is Global else ""


def lookup(node: Node, key: str) -> Node:
    """Return what a Dict node holds under a text; None if it is no dictionary or has no such key."""
    if type(node) is not Dict:
        return None
    found = None
    for name, value in node.pairs:
        if type(name) is str and name == key:
            found = value
    return found


__all__ = [
    "Buffer",
    "ByteArray",
    "Call",
    "Dict",
    "Global",
    "List",
    "Node",
    "Persistent",
    "Set",
    "global_path",
    "lookup",
]
