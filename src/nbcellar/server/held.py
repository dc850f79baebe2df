"""What the server keeps for a while: comparisons that are asked about again, and documents a command handed over.

Invariant: held in memory alone, by ids that cannot be guessed, and no more than a bounded number of them.
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from nbcellar.api.document_sources import Pair
from nbcellar.diff.document.compare import NotebookDiff
from nbcellar.errors import NotFoundError

Thing = TypeVar("Thing")


class Shelf(Generic[Thing]):
    """Things by id, the last `most` that were put or used. For all threads."""

    def __init__(self, most: int, lost: str) -> None:
        self._most = most
        self._lost = lost
        self._lock = threading.Lock()
        self._things: OrderedDict[str, Thing] = OrderedDict()

    def put(self, thing: Thing, *, instead: str = "") -> str:
        """Keep a thing, in the place of another one; return its id."""
        found = secrets.token_urlsafe(16)
        with self._lock:
            self._things.pop(instead, None)
            self._things[found] = thing
            while len(self._things) > self._most:
                self._things.popitem(last=False)
        return found

    def all(self) -> list[tuple[str, Thing]]:
        """Return all that is kept, with ids, the oldest first."""
        with self._lock:
            return list(self._things.items())

    def get(self, name: str) -> Thing:
        """Return a thing. Raises NotFoundError for one that is not there any more."""
        with self._lock:
            if name not in self._things:
                raise NotFoundError(self._lost, hint="compare again")
            self._things.move_to_end(name)
            return self._things[name]


class Held:
    """The shelves of one server. `finish` ends it, where it runs for one thing that a command waits for."""

    finish: Callable[[], None] | None = None

    def __init__(self) -> None:
        self.comparisons: Shelf[tuple[Pair, NotebookDiff]] = Shelf(
            12, "the server does not hold this comparison any more"
        )
        self.handed: Shelf[Pair] = Shelf(1000, "the command that handed this over has ended")


__all__ = ["Held", "Shelf"]
