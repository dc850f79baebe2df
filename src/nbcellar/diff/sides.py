"""The two sides of a comparison: stored values, with what is known about them beside their bytes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nbcellar.values.fingerprint import Fingerprints
from nbcellar.values.nodes import Call, Node
from nbcellar.values.stored import Stored
from nbcellar.values.words import class_node, contents_of, type_name, word

Source = Callable[[str, int], str]
"""Returns the source of a function or class by name and first line, empty where it is not known."""


def no_source(name: str, line: int) -> str:
    """Know of no source."""
    return ""


class Side:
    """One version of a value.

    classes: names of the notebook's classes that it needs, by number. pictures: whether images are wanted as such.
    """

    def __init__(
        self, stored: Stored, classes: Sequence[str] = (), source: Source = no_source, *, pictures: bool = False
    ) -> None:
        self.stored = stored
        self.pictures = pictures
        self.classes = classes
        self.source = source
        self.fingerprints = Fingerprints(stored, classes)

    def type_name(self, node: Node) -> str:
        """Return the name of a node's type; a class of the notebook has its own."""
        if type(node) is Call:
            found = class_node(node)
            if self._is_definition(found):
                return self._class(found)
            if node.path == "nbcellar.session.rebuild.make_class" and len(node.args) > 1:
                return "type"
        return type_name(node)

    def word(self, node: Node, width: int = 60) -> str:
        """Return a node on one line."""
        if type(node) is Call:
            if self._is_definition(node):
                return self._class(node)
            found = class_node(node)
            if self._is_definition(found) and contents_of(node) is None:
                plain = word(node, width)
                return self._class(found) + plain[plain.index("(") :] if "(" in plain else plain
        return word(node, width)

    def _is_definition(self, node: Node) -> bool:
        return type(node) is Call and node.path == "nbcellar.session.rebuild.definition"

    def _class(self, node: Call) -> str:
        place = node.args[0] if node.args else None
        if type(place) is int and 0 <= place < len(self.classes):
            return self.classes[place].partition("#")[0]
        return "a class of the notebook"


__all__ = ["Side", "Source", "no_source"]
