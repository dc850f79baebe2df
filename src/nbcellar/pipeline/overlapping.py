"""Which components ran at the same time and got into each other's way: in a plain run they never meet.

One that failed, beside one that changed files that it met, runs once more. Two that wrote the same file both run once
more, since nobody can say whose it is by now. Either way the two never run at the same time again. What was in a file
before a later one wrote it cannot be had again: where one should have met it, that is told. Invariant: two components
are a reason for one that failed only once, so what fails by itself fails in the end. Not for: the order of components
that meet in files (`observing.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from nbcellar.ids import CellId
from nbcellar.pipeline.keys import FOLDER, fits
from nbcellar.pipeline.model import Facts
from nbcellar.pipeline.observing import looked_at, places


class Stretch(NamedTuple):
    """One time that a component ran. Times are of `time.monotonic`; commit, removed: as in `Outcome`."""

    id: CellId
    began: float
    ended: float
    met: Facts
    removed: tuple[str, ...] = ()
    commit: str = ""


class Late(NamedTuple):
    """A component met a path as one that comes after it had made it, maybe."""

    reader: Stretch
    writer: CellId
    path: str


class Overlaps:
    """The stretches of one run. Mutable: `add`, when one has ended."""

    def __init__(self) -> None:
        self._stretches: list[Stretch] = []
        self._newest: dict[CellId, Stretch] = {}
        self._failed_for: set[tuple[CellId, CellId]] = set()
        self._apart: set[frozenset[CellId]] = set()

    def add(self, stretch: Stretch) -> None:
        """Note that a component ran."""
        self._stretches.append(stretch)
        self._newest[stretch.id] = stretch

    def is_apart(self, id: CellId, running: Iterable[CellId]) -> bool:
        """True where a component must not run now, for one that does."""
        return bool(self._apart) and any(frozenset((id, other)) in self._apart for other in running)

    def spoiled_by(self, id: CellId) -> CellId | None:
        """Return one that ran beside a component that failed and changed what that met; each of them only once."""
        for other in self._beside(id):
            if (id, other.id) not in self._failed_for and _changes(other.met, self._newest[id].met):
                self._failed_for.add((id, other.id))
                self._apart.add(frozenset((id, other.id)))
                return other.id
        return None

    def clashing(self, id: CellId) -> list[Stretch]:
        """Return the stretches with a result that wrote what a component wrote when it ran last, and that one."""
        last = self._newest.get(id)
        found = [other for other in self._beside(id) if last is not None and _clash(last, other)]
        self._apart.update(frozenset((id, other.id)) for other in found)
        return [each for each in (*found, last) if each is not None and each.commit] if found else []

    def met_late(self, id: CellId, is_first: Callable[[CellId, CellId], bool]) -> Iterator[Late]:
        """Yield what a component met as a later one had made it in this run, and what one before it met of its own.

        is_first: whether the first of two comes before the other.
        """
        last = self._newest[id]
        for other in self._stretches:
            if other.id != id and is_first(id, other.id):
                yield from _late(last, other)
        for other in self._newest.values():
            if other.id != id and is_first(other.id, id):
                yield from _late(other, last)

    def _beside(self, id: CellId) -> Iterator[Stretch]:
        """Yield what ended by now and ran at the same time as a component did when it ran last."""
        last = self._newest.get(id)
        if last is None:
            return
        for other in self._stretches:
            if other.id != id and other.began < last.ended and last.began < other.ended:
                yield other


def _changes(writer: Facts, met: Facts) -> bool:
    return not places(writer).isdisjoint(looked_at(met)) or not places(met).isdisjoint(writer.written)


def _late(reader: Stretch, writer: Stretch) -> Iterator[Late]:
    if not writer.met.written or not 0 < writer.began < reader.ended:  # 0: not known
        return
    read, written = reader.met, writer.met.written
    paths = [path for path, then in read.files.items() if path in written and fits(then, written[path])]
    paths += sorted(places(writer.met) & read.folders.keys())
    yield from (Late(reader, writer.id, path) for path in paths)


def _clash(one: Stretch, two: Stretch) -> bool:
    """True if both wrote the same file; a folder that both made, or found, is none."""
    gone = {*one.removed, *two.removed}
    mine, theirs = one.met.written, two.met.written
    return any(path in gone or {mine[path], theirs[path]} != {FOLDER} for path in mine.keys() & theirs.keys())


__all__ = ["Late", "Overlaps", "Stretch"]
