"""Values as the engine stores them, looked at without loading; and nodes of plain values as Python values again."""

from __future__ import annotations

from typing import Any

from nbcellar.history.model import Covariable
from nbcellar.ids import CommitId, Digest
from nbcellar.values.manifest import decode_value
from nbcellar.values.nodes import ByteArray, Call, Dict, List, Node, Set
from nbcellar.values.stored import Budget, Stored

from ..session.live import Live

BUDGET = 1 << 30


def entry_of(live: Live, name: str, commit: CommitId) -> Covariable:
    """Return the co-variable that holds a name at a commit."""
    return next(entry for entry in live.repo.read_state(commit).covariables if name in entry.names)


def stored_value(live: Live, name: str, commit: CommitId, budget: Budget | None = None) -> Stored:
    """Return a variable's stored value."""
    entry = entry_of(live, name, commit)
    assert entry.value is not None, entry.reason
    value = decode_value(live.repo.store.read(Digest(entry.value)))
    return Stored(value, lambda digest, size: live.repo.store.read(digest), budget or Budget(BUDGET))


def look(live: Live, name: str, commit: CommitId) -> tuple[Node, Stored]:
    """Return a variable as a node, and the stored value that it is of."""
    stored = stored_value(live, name, commit)
    return stored.objects()[entry_of(live, name, commit).names.index(name)], stored


def plain(node: Node, made: dict[int, Any] | None = None) -> Any:
    """Return the Python value that a node of plain values describes, aliases and cycles included."""
    made = {} if made is None else made
    kind = type(node)
    if kind in (type(None), bool, int, float, str, bytes):
        return node
    if id(node) in made:
        return made[id(node)]
    if kind is tuple:
        return tuple(plain(item, made) for item in node)
    if kind is List:
        items: list[Any] = []
        made[id(node)] = items
        items.extend(plain(item, made) for item in node.items)
        return items
    if kind is Dict:
        pairs: dict[Any, Any] = {}
        made[id(node)] = pairs
        pairs.update((plain(key, made), plain(value, made)) for key, value in node.pairs)
        return pairs
    if kind is Set:
        return (frozenset if node.frozen else set)(plain(item, made) for item in node.items)
    if kind is ByteArray:
        return bytearray(node.data)
    assert kind is Call
    if node.path in ("builtins.complex", "__builtin__.complex"):
        return complex(*node.args)
    if node.path == "builtins.bytearray":
        return bytearray(*map(plain, node.args))
    if node.path in ("__builtin__.bytearray", "__builtin__.bytes"):  # the old protocols
        made_of = (plain(arg) for arg in node.args)
        return {"bytes": bytes, "bytearray": bytearray}[node.path.rpartition(".")[2]](*made_of)
    if node.path in ("builtins.set", "__builtin__.set", "builtins.frozenset", "__builtin__.frozenset"):
        return (frozenset if "frozen" in node.path else set)(plain(node.args[0], made))
    if node.path == "_codecs.encode":
        return node.args[0].encode(node.args[1])
    raise AssertionError(node.path)
