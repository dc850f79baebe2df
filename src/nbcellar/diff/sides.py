"""The two sides of a comparison: stored values, with what is known about them beside their bytes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nbcellar.values.fingerprint import Fingerprints
from nbcellar.values.nodes import Call, Node
from nbcellar.values.stored import Stored
from nbcellar.values.words import class_name, class_node, is_definition, type_name, word

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
            if is_definition(found):
                return class_name(found, self.classes)
            if node.path == "nbcellar.session.rebuild.make_class" and len(node.args) > 1:
                return "type"
        return type_name(node)

    def word(self, node: Node, width: int = 60) -> str:
        """Return a node on one line."""
        return word(node, width, self.classes)


__all__ = ["Side", "Source", "no_source"]
