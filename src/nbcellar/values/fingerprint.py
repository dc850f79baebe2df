"""What tells a node from others: equal fingerprints, equal values.

Invariant: two nodes of equal fingerprints describe equal values. The reverse does not hold where memory is cut in
another way: whoever finds two unequal ones looks closer. Costs one walk through the nodes, whatever they share.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

from xxhash import xxh3_128_digest

from nbcellar.values.arrays import Array, find_array
from nbcellar.values.columns import key_of
from nbcellar.values.inert import UnreadableError
from nbcellar.values.nodes import Buffer, ByteArray, Call, Dict, Global, List, Node, Persistent, Set
from nbcellar.values.stored import Stored

MOST_DEPTH = 120
_SHORT = 48
_NAN = b"f" + struct.pack(">d", float("nan"))


class Fingerprints:
    """Fingerprints of the nodes of one value; they are kept, and with them the nodes.

    classes: the notebook's classes that the value refers to by number.
    """

    def __init__(self, stored: Stored, classes: Sequence[str] = ()) -> None:
        self._stored = stored
        self._classes = classes
        self._known: dict[int, bytes] = {}
        self._open: dict[int, int] = {}
        self._kept: list[Node] = []

    def of(self, node: Node) -> bytes:
        """Return the fingerprint of a node. Raises UnreadableError for one that is nested too deeply."""
        kind = type(node)
        if kind is str:
            data: bytes = node.encode("utf-8", "surrogatepass")
            return b"s" + data if len(data) <= _SHORT else b"S" + xxh3_128_digest(data)
        if kind is float:
            return b"f" + struct.pack(">d", node) if node == node else _NAN
        if kind is int:
            return b"i" + b"%x" % node if -(1 << 63) < node < 1 << 63 else b"I" + hex(node).encode()
        if node is None or kind is bool:
            return b"N" if node is None else b"T" if node else b"F"
        if kind is bytes:
            return b"b" + bytes(node) if len(node) <= _SHORT else b"B" + xxh3_128_digest(node)
        if kind is Global:
            return b"g" + bytes(node.path.encode("utf-8", "surrogatepass"))
        return self._of_large(node, kind)

    def _of_large(self, node: Node, kind: type) -> bytes:
        known = self._known.get(id(node))
        if known is not None:
            return known
        depth = len(self._open)
        if id(node) in self._open:
            return b"c%d" % (depth - self._open[id(node)])
        if depth > MOST_DEPTH:
            raise UnreadableError("it is nested too deeply to be looked into")
        self._open[id(node)] = depth
        try:
            found = self._digest(node, kind)
        finally:
            del self._open[id(node)]
        self._known[id(node)] = found
        self._kept.append(node)
        return found

    def _digest(self, node: Any, kind: type) -> bytes:
        if kind is tuple:
            return self._join(b"t", map(self.of, node))
        if kind is List:
            return self._join(b"l", map(self.of, node.items))
        if kind is Dict:
            return self._join(b"d", (self.of(part) for pair in node.pairs for part in pair))
        if kind is Set:
            return self._join(b"z" if node.frozen else b"e", sorted(map(self.of, node.items)))
        if kind is ByteArray:
            return b"a" + xxh3_128_digest(node.data)
        if kind is Buffer:
            run = self._stored.run_of_buffer(node.index)
            keys = [(cut.key, cut.phase, cut.start, cut.stop) for cut in run.cuts()]
            if keys and all(key is not None for key, *_ in keys):
                return b"u" + xxh3_128_digest(repr(keys).encode())
            return b"u" + xxh3_128_digest(run.read(0, run.size))
        if kind is Persistent:
            return self._join(b"p", (self.of(node.id),))
        assert kind is Call
        array = find_array(node, self._stored)
        if isinstance(array, Array):
            return self._of_array(array)
        return self._of_call(node)

    def _of_array(self, array: Array) -> bytes:
        key: object = key_of(array.elements)
        if key is None:
            elements = array.elements
            key = xxh3_128_digest(elements.read(0, elements.count))
        form = repr((array.type, array.dtype, array.shape, array.order, key)).encode("utf-8", "surrogatepass")
        mask = self._of_array(array.mask) if array.mask is not None else b""
        return self._join(b"n", (form, mask, self.of(array.state)))

    def _of_call(self, node: Call) -> bytes:
        if node.path == "nbcellar.session.rebuild.definition" and len(node.args) == 1:
            place = node.args[0]
            if type(place) is int and 0 <= place < len(self._classes):
                return b"k" + self._classes[place].encode("utf-8", "surrogatepass")
        parts = [self.of(node.function), self.of(node.args), self.of(node.kwargs), b"%d" % node.new]
        parts += [b"s", *map(self.of, node.states), b"i", *map(self.of, node.items), b"p"]
        parts += [self.of(part) for pair in node.pairs for part in pair]
        for effect in node.effects:
            parts += [b"e", self.of(effect.function), self.of(effect.args[1:])]
        return self._join(b"o", parts)

    def _join(self, tag: bytes, parts: Any) -> bytes:
        return tag + xxh3_128_digest(b"".join(len(part).to_bytes(4, "big") + part for part in parts))


__all__ = ["MOST_DEPTH", "Fingerprints"]
