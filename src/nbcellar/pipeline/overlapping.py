"""Which components ran at the same time as one that failed, and changed files that it met.

In a plain run they never meet: the one that failed runs once more, and never again at the same time as the other.
Invariant: each two of them are a reason once, so what fails by itself fails in the end. Not for: the order of
components that meet in files (`observing.py`).
"""

from __future__ import annotations

from collections.abc import Iterable

from nbcellar.ids import CellId
from nbcellar.pipeline.model import Facts
from nbcellar.pipeline.observing import looked_at, places


class Overlaps:
    """Mutable: `begin` and `end` say when components run."""

    def __init__(self) -> None:
        self._beside: dict[CellId, set[CellId]] = {}
        self._met: dict[CellId, Facts] = {}
        self._told: set[tuple[CellId, CellId]] = set()

    def begin(self, id: CellId, running: Iterable[CellId]) -> None:
        """A component runs from now on, beside those that run."""
        self._met.pop(id, None)
        self._beside[id] = {*running} - {id}
        for other in self._beside[id]:
            self._beside[other].add(id)

    def end(self, id: CellId, met: Facts | None) -> None:
        """It ended, well or not."""
        if met is not None:
            self._met[id] = met

    def is_apart(self, id: CellId, running: Iterable[CellId]) -> bool:
        """True where a component must not run now, for one that does."""
        return any((id, other) in self._told or (other, id) in self._told for other in running)

    def spoiled_by(self, id: CellId) -> CellId | None:
        """Return one that ended by now, ran beside a component and changed what that met; each of them only once."""
        met = self._met.get(id)
        if met is None:
            return None
        for other in sorted(self._beside.get(id, ())):
            theirs = self._met.get(other)
            if theirs is not None and (id, other) not in self._told and _changes(theirs, met):
                self._told.add((id, other))
                return other
        return None


def _changes(writer: Facts, met: Facts) -> bool:
    return not places(writer).isdisjoint(looked_at(met)) or not places(met).isdisjoint(writer.written)


__all__ = ["Overlaps"]
