"""Where each name of a component comes from, given the results that are there.

A component passes on what it was given and did not change; so a name leads to the result that really made the value,
and what an ancestor only might have changed costs nothing. Invariant: depends on the edges and results alone, never on
the order in which these came in. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from nbcellar.components.edges import Found, Seen
from nbcellar.components.graph import ancestors
from nbcellar.components.model import Component
from nbcellar.ids import CellId
from nbcellar.pipeline.cache import Result
from nbcellar.pipeline.model import Take
from nbcellar.session.surroundings.ambient import RANDOM_PARTS


class Held(NamedTuple):
    """A value: the component whose result has it, its digest; empty where it cannot be stored."""

    maker: CellId
    digest: str


class Inputs(NamedTuple):
    """What a component is given. names: name -> value; before: all components that come before it, in serial order."""

    names: dict[str, Held]
    before: tuple[CellId, ...]
    surroundings: dict[str, str]

    def gives_as(self, other: Inputs) -> bool:
        """True if a component would begin with the same."""
        return self.names == other.names and self.surroundings == other.surroundings


class Waiting(NamedTuple):
    """What a component waits for."""

    parents: frozenset[CellId]


class Resolver:
    """Resolves the components of one set of edges."""

    def __init__(
        self, components: Sequence[Component], found: Found, seen: Mapping[CellId, Seen], *, streams: bool
    ) -> None:
        """seen: what runs showed. streams: random streams go on from one component to the next."""
        self._seen, self._streams = seen, streams
        self._by_id = {component.id: component for component in components}
        self.order = found.order
        self._place = {id: at for at, id in enumerate(found.order)}
        self.parents: dict[CellId, frozenset[CellId]] = {}
        self.names: dict[CellId, dict[str, CellId]] = {}
        for edge in found.edges:
            self.parents[edge.child] = self.parents.get(edge.child, frozenset()) | {edge.parent}
            self.names.setdefault(edge.child, {}).update(dict.fromkeys(edge.names, edge.parent))
        self._siblings = {problem.cells for problem in found.problems if problem.code == "siblings"}
        self.ancestors = ancestors(found.order, self.parents)

    def resolve(
        self, id: CellId, results: Mapping[CellId, Result], left: Mapping[CellId, Mapping[str, Held]]
    ) -> Inputs | Waiting:
        """Return what a component is given, or what has to be done before that is known.

        left: what each component that is done passes on, by name.
        """
        missing = frozenset(parent for parent in self.parents.get(id, ()) if parent not in results)
        if missing:
            return Waiting(missing)
        names: dict[str, Held] = {}
        for name, parent in self.names.get(id, {}).items():
            for at in self._makers(name, parent, id):
                if at not in results:
                    return Waiting(frozenset({at}))
                if name in left[at]:
                    names[name] = left[at][name]
                    break
                if name in results[at].facts.dropped:
                    break
        names = {name: held for name, held in names.items() if self._is_given(id, name, held, results)}
        _add_company(names, results, left)
        before = tuple(sorted(self.ancestors.get(id, ()), key=self._place.__getitem__))
        before = tuple(other for other in before if other in results)
        surroundings: dict[str, str] = {}
        for other in before:
            surroundings.update(results[other].surroundings)
        if not self._streams:
            surroundings = {part: digest for part, digest in surroundings.items() if part not in RANDOM_PARTS}
        return Inputs(dict(sorted(names.items())), before, surroundings)

    def _is_given(self, id: CellId, name: str, held: Held, results: Mapping[CellId, Result]) -> bool:
        """False for what nobody asked for by name, if making it again would write files again."""
        uses, seen = self._by_id[id].uses, self._seen.get(id)
        if held.digest or not uses.unseen or name in uses.reads | uses.changes or (seen and name in seen.reads):
            return True
        return not results[held.maker].facts.written

    def _makers(self, name: str, last: CellId, child: CellId) -> list[CellId]:
        """Return the components that may leave a name for one, the last one first: it may not have come to it."""
        upto = self._place[last]
        earlier = [id for id in self.order[:upto] if self._may_leave(id, name) and (child, id) not in self._siblings]
        return [last, *reversed(earlier)]

    def _may_leave(self, id: CellId, name: str) -> bool:
        uses, seen = self._by_id[id].uses, self._seen.get(id)
        return name in uses.writes or name in (seen.changes if seen is not None else uses.changes)

    def takes(self, inputs: Inputs, results: Mapping[CellId, Result]) -> tuple[Take, ...]:
        """Return the stored values of inputs by result, in serial order."""
        by_maker: dict[CellId, list[str]] = {}
        alive = {name for names in self.alive(inputs, results).values() for name in names}
        for name, held in inputs.names.items():
            if name not in alive:
                by_maker.setdefault(held.maker, []).append(name)
        makers = sorted(by_maker, key=self._place.__getitem__)
        return tuple(Take(results[maker].commit, tuple(sorted(by_maker[maker]))) for maker in makers)

    def alive(self, inputs: Inputs, results: Mapping[CellId, Result]) -> dict[CellId, list[str]]:
        """Return, by who makes them, the names that are made again: they cannot be stored, or share state with such."""
        found: dict[CellId, list[str]] = {}
        for name, held in inputs.names.items():
            together = results[held.maker].values[name].together if name in results[held.maker].values else ()
            company = [inputs.names[other] for other in together if other in inputs.names]
            if not held.digest or any(not other.digest and other.maker == held.maker for other in company):
                found.setdefault(held.maker, []).append(name)
        return found

    def descendants(self, ids: frozenset[CellId]) -> frozenset[CellId]:
        """Return these components and all that come after them."""
        return ids | {id for id, above in self.ancestors.items() if not ids.isdisjoint(above)}


def _add_company(
    names: dict[str, Held], results: Mapping[CellId, Result], left: Mapping[CellId, Mapping[str, Held]]
) -> None:
    """Add the names whose objects share state with what is taken: a change of the one is a change of the other."""
    for name, held in list(names.items()):
        value = results[held.maker].values.get(name)
        for other in value.together if value is not None else ():
            there = left[held.maker].get(other)
            if other not in names and there is not None and there.maker == held.maker:
                names[other] = there


def passed_on(id: CellId, result: Result, inputs: Inputs) -> dict[str, Held]:
    """Return what a component leaves for those after it: what it changed, and what it was given."""
    left = {name: held for name, held in inputs.names.items() if name not in result.facts.dropped}
    for name, value in result.values.items():
        given = inputs.names.get(name)
        if given is not None and given.digest and given.digest == value.digest:
            continue  # as it was
        left[name] = Held(id, value.digest)
    return left


__all__ = ["Held", "Inputs", "Resolver", "Waiting", "passed_on"]
