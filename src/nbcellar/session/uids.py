"""Names for the classes of a notebook that tell versions of one name apart: "Point", then "Point#2" when defined anew.

Invariant: one live class object has one uid, and two live class objects never the same. Classes are held weakly.
"""

from __future__ import annotations

import weakref


class Uids:
    """Gives and remembers uids of class objects."""

    def __init__(self) -> None:
        self._by_id: dict[int, tuple[weakref.ref[type], str]] = {}
        self._taken: dict[str, weakref.ref[type]] = {}

    def uid_of(self, cls: type) -> str:
        """Return the class's uid, a new one at first sight."""
        known = self._by_id.get(id(cls))
        if known is not None and known[0]() is cls:
            return known[1]
        base = getattr(cls, "__qualname__", "class")
        uid, number = base, 1
        while (holder := self.class_of(uid)) is not None and holder is not cls:
            number += 1
            uid = f"{base}#{number}"
        self.assign(cls, uid)
        return uid

    def assign(self, cls: type, uid: str) -> None:
        """Give a class that was rebuilt the uid it had."""
        holder = self.class_of(uid)
        if holder is not None and holder is not cls:
            self._by_id.pop(id(holder), None)  # replaced: it gets a new uid if it is ever seen again
        reference = weakref.ref(cls)
        self._by_id[id(cls)] = (reference, uid)
        self._taken[uid] = reference

    def class_of(self, uid: str) -> type | None:
        """Return the live class of that uid."""
        reference = self._taken.get(uid)
        return reference() if reference is not None else None
