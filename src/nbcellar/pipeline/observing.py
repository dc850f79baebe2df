"""What runs showed of components beyond their sources: names, and an order between those that meet beside variables.

Two components meet in a file that one writes and the other reads, lists or writes; in the surroundings (options,
environment, folder) that one of them changes; in a random stream that somebody seeds. The one that stands first in the
document is first then. Invariant: depends on results alone, not on the order in which these came in. Pure. Not for:
edges that sources show (`components/edges.py`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence

from nbcellar.components.edges import Seen
from nbcellar.components.graph import serial_order
from nbcellar.components.model import Component
from nbcellar.components.paths import pairs_by_files
from nbcellar.components.settings import looks_seeding, looks_setting
from nbcellar.ids import CellId
from nbcellar.pipeline.cache import Beside, Result
from nbcellar.pipeline.keys import code_digest
from nbcellar.pipeline.model import Facts
from nbcellar.session.surroundings.ambient import RANDOM_PARTS

_GOES_ELSEWHERE = re.compile(r"%(cd|pushd)\b|\bchdir\(")


class Shown:
    """What is known of the components of one notebook. Mutable: `note` adds a result."""

    def __init__(self, components: Sequence[Component]) -> None:
        self._components = components
        self._by_id = {component.id: component for component in components}
        ids = [component.id for component in components]
        declared = {
            component.id: frozenset(parent for parent in component.after if parent in self._by_id)
            for component in components
        }
        order = serial_order(ids, declared)
        self._place = {id: at for at, id in enumerate(order)}
        self.names: dict[CellId, Seen] = {}
        self._after: dict[CellId, set[CellId]] = {}
        self._known: dict[CellId, Result] = {}
        sources = {id: self._by_id[id].source for id in sorted(self._place, key=self._place.__getitem__)}
        self._in_files = tuple(pairs_by_files(sources))
        self._settings = [id for id in self._place if looks_setting(self._by_id[id].source)]
        self.is_seeded = any(looks_seeding(component.source) for component in components)

    def note(self, id: CellId, result: Result) -> frozenset[CellId]:
        """Take a result, which may be of other code than now; return those that come after a new one before them."""
        component = self._by_id[id]
        if result.facts.code == code_digest(component.source):
            self.names[id] = _seen(result)
        self._known[id] = result
        found = self._come_after(id, result)
        if result.facts.seeds and not self.is_seeded:
            self.is_seeded = True
            return frozenset(found.union(*(self._compare(each, known) for each, known in self._known.items())))
        return frozenset(found | self._compare(id, result))

    def _compare(self, id: CellId, result: Result) -> set[CellId]:
        """Note which come after others because they meet; return those for which that is new."""
        found: set[CellId] = set()
        for other, known in self._known.items():
            if other == id or other not in self._place or id not in self._place:
                continue
            first, second = sorted((other, id), key=self._place.__getitem__)
            one, two = (known, result) if first == other else (result, known)
            if second not in self._after.get(first, ()) and self._meet(one, two):
                if first not in self._after.setdefault(second, set()):
                    self._after[second].add(first)
                    found.add(second)
        return found

    def is_noted(self, id: CellId, result: Result) -> bool:
        """True for what is known of a component already."""
        known = self._known.get(id)
        return known is not None and known.commit == result.commit

    def _come_after(self, id: CellId, result: Result) -> set[CellId]:
        """Note that all others in the document come after one with effects; return those for which that is new."""
        if not result.effects or id not in self._place:
            return set()
        later = {other for other, place in self._place.items() if place > self._place[id]}
        found = {other for other in later if id not in self._after.get(other, ())}
        for other in found:
            self._after.setdefault(other, set()).add(id)
        return found & self._known.keys()

    def is_first(self, one: CellId, other: CellId) -> bool:
        """True if the first of two stands before the other."""
        return self._place[one] < self._place[other]

    def meet(self, one: CellId, other: CellId) -> bool:
        """True if one of two was seen to come after the other."""
        return one in self._after.get(other, ()) or other in self._after.get(one, ())

    def _meet(self, first: Result, second: Result) -> bool:
        return bool(
            not places(first.facts).isdisjoint(looked_at(second.facts))
            or not first.facts.written.keys().isdisjoint(second.facts.written)
            or not places(second.facts).isdisjoint(looked_at(first.facts))
            or (self.is_seeded and not RANDOM_PARTS.isdisjoint({*first.facts.consumed} & {*second.facts.consumed}))
        )

    def after(self, *, guessed: bool) -> dict[CellId, frozenset[CellId]]:
        """Return, for each component, those that it was seen to come after.

        guessed: also those that speak of a file of the same name, and those that look as if they set something for all
        that comes after, where nobody knows yet whether they do.
        """
        found = {id: set(first) for id, first in self._after.items()}
        if guessed:
            for first, second in self._in_files:
                if not (self._is_known(first) and self._is_known(second)):
                    found.setdefault(second, set()).add(first)
            for first in self._settings:
                if not self._is_known(first):
                    for second in self._place.keys() - self._before(first) - {first}:
                        found.setdefault(second, set()).add(first)
                    if _GOES_ELSEWHERE.search(self._by_id[first].source):  # into a folder that one before may make
                        found.setdefault(first, set()).update(self._before(first))
        return {id: frozenset(first) for id, first in found.items()}

    def _is_known(self, id: CellId) -> bool:
        known = self._known.get(id)
        return known is not None and known.facts.code == code_digest(self._by_id[id].source)

    def takes_more(self, id: CellId, name: str) -> bool:
        """Note that a component takes a name that its source does not show; False if nobody before it leaves it."""
        component = self._by_id[id]
        seen = self.names.get(id, Seen(frozenset(), component.uses.changes))
        if name in seen.reads or not any(self._leaves(other, name) for other in self._before(id)):
            return False
        self.names[id] = Seen(seen.reads | {name}, seen.changes)
        return True

    def _leaves(self, id: CellId, name: str) -> bool:
        return name in self._by_id[id].uses.writes or (id in self.names and name in self.names[id].changes)

    def _before(self, id: CellId) -> list[CellId]:
        return [other for other, place in self._place.items() if place < self._place[id]]

    def read_too_early(self, id: CellId, facts: Facts) -> bool:
        """Note that a component failed where one before it writes what it met; False if none is known to, by now."""
        for other in self._before(id):
            known = self._known.get(other)
            if known is None or other in self._after.get(id, ()):
                continue
            if not places(known.facts).isdisjoint(looked_at(facts)):
                self._after.setdefault(id, set()).add(other)
                return True
        return False

    # files ----------------------------------------------------------------------------------------------------------

    def beside(self, id: CellId, results: Mapping[CellId, Result]) -> Beside:
        """Return what others wrote, seen from one component; of those before it, what stands in `results`."""
        later: dict[str, set[str]] = {}
        earlier: dict[str, str] = {}
        for other, place in self._place.items():
            known = results.get(other) or self._known.get(other)
            if known is None or other == id:
                continue
            if place > self._place[id]:
                for path, digest in known.facts.written.items():
                    later.setdefault(path, set()).add(digest)
            elif other in results:
                earlier.update(known.facts.written)
        return Beside({path: frozenset(digests) for path, digests in later.items()}, earlier)

    def rewritten(
        self, id: CellId, results: Mapping[CellId, Result], digest_of: Callable[[str], str]
    ) -> frozenset[CellId]:
        """Return those that have to run once more before a component does: a file that it needs is not as they left it.

        What a later component made of the file is there instead.
        """
        known = self._known.get(id)
        if known is None or known.facts.code != code_digest(self._by_id[id].source):
            touched = None
        else:
            touched = known.facts.files.keys() | known.facts.written.keys() | known.facts.modules.keys()
        writer: dict[str, CellId] = {}
        for other in self._before(id):
            if other in results:
                writer.update(dict.fromkeys(results[other].facts.written, other))
        later = self.beside(id, results).later if touched is None else {}
        return frozenset(
            other
            for path, other in writer.items()
            if (path in touched if touched is not None else path in later or path in _named(self._by_id[id]))
            and digest_of(path) != results[other].facts.written[path]
        )

    def stale(self, results: Mapping[CellId, Result], digest_of: Callable[[str], str]) -> frozenset[CellId]:
        """Return those of which a file is not as they left it, though they were the last to write it."""
        writer: dict[str, CellId] = {}
        for id in sorted(self._place.keys() & results.keys(), key=self._place.__getitem__):
            writer.update(dict.fromkeys(results[id].facts.written, id))
        return frozenset(id for path, id in writer.items() if digest_of(path) != results[id].facts.written[path])

    def readers(self, id: CellId) -> frozenset[CellId]:
        """Return those that meet a component in files and come after it."""
        known = self._known.get(id)
        if known is None:
            return frozenset()
        return frozenset(
            other
            for other, result in self._known.items()
            if id in self._after.get(other, ())
            and not known.facts.written.keys().isdisjoint(looked_at(result.facts) | result.facts.written.keys())
        )


def _named(component: Component) -> frozenset[str]:
    """Return the texts in a component's source, roughly."""
    return frozenset(re.findall(r"['\"]([^'\"\n]+)['\"]", component.source))


def places(writer: Facts) -> frozenset[str]:
    """Return what a component wrote, and the folders that this is in."""
    return frozenset(writer.written) | {os.path.dirname(path) or "." for path in writer.written}  # noqa: PTH120


def looked_at(reader: Facts) -> frozenset[str]:
    """Return what a component read, listed or looked for."""
    return frozenset({*reader.files, *reader.folders, *reader.links, *reader.modules})


def _seen(result: Result) -> Seen:
    reads = result.facts.reads
    changed = {name for name, value in result.values.items() if name not in reads or reads[name] != value.digest}
    return Seen(frozenset(result.facts.shown), frozenset(changed.union(result.facts.dropped)))


__all__ = ["Shown", "looked_at", "places"]
