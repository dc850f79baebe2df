"""What tells one value of a component from another: its bytes, and those of the classes that its objects are made of.

A stored object names its class and does not hold it: with the class, the same bytes are another value. Invariant: equal
digests, equal bytes and equal classes, whatever these are made of in turn. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from blake3 import blake3

from nbcellar.history.model import Covariable
from nbcellar.pipeline.model import Facts, Value


def values_of(
    entries: Iterable[Covariable],
    classes: Mapping[str, str],
    thinned: Collection[bytes] = (),
    company: Mapping[str, Value] = {},
) -> dict[str, Value]:
    """Return the names of a state.

    classes: digests of definitions from before it; thinned: values that went; company: what is known beside of names
    that share state.
    """
    entries = tuple(entries)
    known = {**classes, **class_digests(entries, classes)}
    found = {}
    for entry in entries:
        is_there = entry.value is not None and entry.value not in thinned
        digest = _digest(entry, known) if is_there else ""
        reason = "" if is_there else entry.reason or "it was thinned out"
        for name in entry.names:
            known_of = company[name].together if name in company else ()
            together = dict.fromkeys((*(other for other in entry.names if other != name), *known_of))
            found[name] = Value(digest, reason, tuple(together))
    return found


def surroundings_of(ambient: Mapping[str, bytes], facts: Facts) -> dict[str, str]:
    """Return part -> digest of all that a result left changed for those after it, beside values."""
    found = {part: bytes(digest).hex() for part, digest in ambient.items()} | facts.process
    if facts.patches:
        found[f"{', '.join(facts.patches)} (by {facts.key[:8]})"] = facts.key
    return found


def class_digests(entries: Iterable[Covariable], before: Mapping[str, str]) -> dict[str, str]:
    """Return uid -> digest of each class that these entries define, with what it needs of others."""
    own = {uid: entry for entry in entries for uid in entry.defines}
    found = {}
    for uid in own:
        parts, todo = {}, [uid]
        while todo:
            at = todo.pop()
            if at in parts:
                continue
            entry = own.get(at)
            parts[at] = before.get(at, "") if entry is None else _stored(entry)
            todo += entry.needs if entry is not None else ()
        found[uid] = _joined(parts)
    return found


def _digest(entry: Covariable, classes: Mapping[str, str]) -> str:
    if not entry.needs:
        return _stored(entry)
    return _joined({"": _stored(entry)} | {uid: classes.get(uid, "") for uid in entry.needs})


def _stored(entry: Covariable) -> str:
    return (entry.value if entry.value is not None else entry.version).hex()


def _joined(parts: Mapping[str, str]) -> str:
    text = "\n".join(f"{name} {digest}" for name, digest in sorted(parts.items()))
    return blake3(text.encode()).hexdigest()


__all__ = ["class_digests", "surroundings_of", "values_of"]
