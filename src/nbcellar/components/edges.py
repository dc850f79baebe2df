"""Finds the edges between components: those that were declared, and those that the names in their sources make.

Where a name comes from: components are put into the document's order, changed as little as the declared edges ask. A
component takes a name from the last one before it that binds it or may change its object; a mere change by one that the
declared edges go past is not seen, as every component has objects of its own. Where declared edges lead to
it from another that binds the name, and neither of the two comes before the other, the name is ambiguous: an error that
names both, for nothing is guessed. What the code of a function or class takes from the namespace is taken by whoever
uses the function.

Invariant: a declared edge adds to what the names say and hides nothing of it; inferred edges make no cycle.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from nbcellar.components.graph import Parents, ancestors, find_cycle, serial_order
from nbcellar.components.model import PROVENANCES, Component, Edge, Problem, Provenance
from nbcellar.components.uses import STAR, Uses
from nbcellar.ids import CellId

Observed = Mapping[CellId, "Seen"]


class Seen(NamedTuple):
    """What a run showed of a component: the names it took, and those that it left as another value."""

    reads: frozenset[str]
    changes: frozenset[str]


class Found(NamedTuple):
    """The edges, the order of a serial run, what is wrong, and the names that nobody binds, by component."""

    edges: tuple[Edge, ...]
    order: tuple[CellId, ...]
    problems: tuple[Problem, ...]
    free: dict[CellId, frozenset[str]]


def find_edges(
    components: Sequence[Component],
    *,
    given: frozenset[str] = frozenset(),
    observed: Observed | None = None,
    files: Parents | None = None,
) -> Found:
    """Return the edges between components, which stand in document order.

    given: names that come from elsewhere (parameters), unless a component before binds them anew. observed: what runs
    of exactly these sources showed; it adds names that are read, and says which of the objects that may be changed in
    place really are. files: for a component, those that write what it reads, as a run showed.
    """
    return _Finder(components, given, observed or {}, files or {}).find()


def beyond_sources(components: Sequence[Component], observed: Observed) -> Observed:
    """Return the observations that can add an edge or take one away; `find_edges` gives the same for these as for all.

    The others are of components that did with names what stands in their sources, as most do.
    """
    by_id = {component.id: component.uses for component in components}
    return {id: seen for id, seen in observed.items() if id not in by_id or not _is_as_written(by_id[id], seen)}


def _is_as_written(uses: Uses, seen: Seen) -> bool:
    return not uses.unseen and uses.changes <= uses.writes and seen.changes <= uses.writes and seen.reads <= uses.reads


class _Finder:
    def __init__(
        self, components: Sequence[Component], given: frozenset[str], observed: Observed, files: Parents
    ) -> None:
        self.components = components
        self.by_id = {component.id: component for component in components}
        self.given = given
        self.observed = observed
        self.files = files
        self.problems: list[Problem] = []
        self.carried: dict[tuple[CellId, CellId], dict[Provenance, set[str]]] = {}
        self.parents: dict[CellId, set[CellId]] = {}
        self.free: dict[CellId, set[str]] = {}
        self.modules = _module_names(components)
        self.carries: dict[CellId, frozenset[str]] = {}  # what code in the values of a component may need
        self.patched = self._patched()

    def find(self) -> Found:
        ids = [component.id for component in self.components]
        declared = self._declared()
        order = serial_order(ids, declared)
        if len(order) < len(ids):
            self._tell_cycle(ids, declared)
            order = ids  # the rest is found as if nobody had declared anything
            declared = {}
        for child, parents in declared.items():
            for parent in sorted(parents):
                self._carry(parent, child, "declared")
        before = ancestors(order, declared)
        for at, id in enumerate(order):
            self._infer(self.by_id[id], order[:at], before)
            for parent in sorted(self.files.get(id, frozenset()).intersection(order[:at])):
                self._carry(parent, id, "observed")
        all_parents = {id: frozenset(self.parents.get(id, ())) for id in ids}
        return Found(
            edges=self._edges(ids),
            order=tuple(serial_order(ids, all_parents)),
            problems=tuple(self.problems),
            free={id: frozenset(names) for id, names in self.free.items()},
        )

    def _declared(self) -> Parents:
        found = {}
        for component in self.components:
            known = frozenset(parent for parent in component.after if parent in self.by_id)
            for parent in component.after:
                if parent not in self.by_id:
                    self._problem(
                        "unknown-parent",
                        f"'{component.name}' comes after a cell that is no component: {parent}",
                        (component.id,),
                        f"take the edge away: cellar pipeline disconnect NB {parent} {component.name}",
                    )
            found[component.id] = known
        return found

    def _tell_cycle(self, ids: Sequence[CellId], declared: Parents) -> None:
        cycle = find_cycle(ids, declared)
        names = [self.by_id[id].name for id in cycle]
        self._problem(
            "cycle",
            f"the components wait for each other: {' -> '.join([*names, names[0]])}",
            tuple(cycle),
            f"take one of the edges away, as in: cellar pipeline disconnect NB {names[-1]} {names[0]}",
        )

    # names --------------------------------------------------------------------------------------------------------

    def _infer(
        self, component: Component, earlier: Sequence[CellId], before: Mapping[CellId, frozenset[CellId]]
    ) -> None:
        """Find where the names come from that a component takes, those that functions need included."""
        statically, seen = self._read_statically(component, earlier), self.observed.get(component.id)
        todo = [(name, "inferred") for name in sorted(statically)]
        self._come_after_unseen(component, earlier)
        todo += [(name, "observed") for name in sorted(seen.reads - statically)] if seen is not None else []
        taken: set[str] = set()
        carried = set(component.uses.lambdas).union(*component.uses.needs.values())
        while todo:
            name, how = todo.pop()
            if name in taken:
                continue
            taken.add(name)
            parent = self._producer(component, name, earlier, before)
            if parent is None:
                if name not in self.given:
                    self.free.setdefault(component.id, set()).add(name)
                continue
            self._carry(parent, component.id, "observed" if how == "observed" else "inferred", name)
            needs = self._needs(parent, name)
            carried |= needs
            todo += [(need, how) for need in sorted(needs)]
        here = taken | component.uses.writes
        self.carries[component.id] = frozenset(carried | (self.patched & here))

    def _read_statically(self, component: Component, earlier: Sequence[CellId]) -> frozenset[str]:
        """Return what the source reads; an object that it changes in place has to be there before.

        Where it cannot be seen what it reads, that is all there is.
        """
        uses = component.uses
        found = uses.reads | (uses.changes - uses.writes)
        if all(what.startswith(STAR) for what in uses.unseen):
            return found
        seen = [self.observed[id].changes for id in earlier if id in self.observed]
        return found.union(*seen, *(self.by_id[id].uses.writes for id in earlier))

    def _come_after_unseen(self, component: Component, earlier: Sequence[CellId]) -> None:
        """A component comes after those before it of which nobody knows yet what they bind."""
        for id in earlier:
            if self.by_id[id].uses.unseen and id not in self.observed:
                self._carry(id, component.id, "inferred")

    def _needs(self, parent: CellId, name: str) -> frozenset[str]:
        """Return what the code in a value takes from the namespace itself, when somebody calls it.

        Of a function or a class that is what its source says. Any other object may be of a class of the notebook, or
        hold its functions: what the code needs that the component which made it could reach.
        """
        uses = self.by_id[parent].uses
        if name in uses.modules:
            return frozenset()
        carried = self.carries.get(parent, frozenset())
        return uses.needs[name] | (carried & self.patched) if name in uses.needs else carried

    def _patched(self) -> frozenset[str]:
        """Return the classes that somebody changes in place: objects that are of them change with them."""
        defined = set[str]().union(*(component.uses.needs for component in self.components))
        changed = set[str]()
        for component in self.components:
            seen = self.observed.get(component.id)
            changed |= (component.uses.changes | (seen.changes if seen else frozenset())) - component.uses.writes
        return frozenset(defined & changed)

    def _producer(
        self,
        component: Component,
        name: str,
        earlier: Sequence[CellId],
        before: Mapping[CellId, frozenset[CellId]],
    ) -> CellId | None:
        """Return the component that a name comes from; None where nobody binds it."""
        binders = [id for id in earlier if self._leaves(id, name)]
        binders = self._without_siblings(component, name, binders, before[component.id])
        if not binders:
            return None
        last = binders[-1]
        drawn = [id for id in binders if id in before[component.id] and id != last]
        rivals = [id for id in drawn if not self._is_before(id, last) and not self._is_same_import(name, id, last)]
        if rivals:
            one, other = self.by_id[rivals[-1]], self.by_id[last]
            self._problem(
                "unordered-producers",
                f"'{component.name}' takes {name}, which both '{one.name}' and '{other.name}' make, in no order",
                (component.id, one.id, other.id),
                f"say which is first: cellar pipeline connect NB {one.name} {other.name}; or rename one variable",
            )
        return last

    def _without_siblings(
        self, component: Component, name: str, binders: list[CellId], before: frozenset[CellId]
    ) -> list[CellId]:
        """Leave out who only changes the object, where declared edges bring it from elsewhere and not from there.

        Each of the two gets an object of its own, so such a change is never seen.
        """
        if before.isdisjoint(binders):
            return binders
        siblings = [id for id in binders if id not in before and name not in self.by_id[id].uses.writes]
        for id in siblings:
            other = self.by_id[id]
            self._problem(
                "siblings",
                f"'{component.name}' does not see what '{other.name}' changes in {name}: the edges go past it",
                (component.id, id),
                f"to have it: cellar pipeline connect NB {other.name} {component.name}",
                is_error=False,
            )
        return [id for id in binders if id not in siblings]

    def _leaves(self, id: CellId, name: str) -> bool:
        """True if a component leaves a name with another value than it found."""
        uses, seen = self.by_id[id].uses, self.observed.get(id)
        if name in uses.writes or name in uses.drops:
            return True
        if seen is not None:
            return name in seen.changes
        return name in uses.changes and name not in self.modules

    def _is_same_import(self, name: str, one: CellId, other: CellId) -> bool:
        modules = [self.by_id[id].uses.modules.get(name) for id in (one, other)]
        return modules[0] is not None and modules[0] == modules[1]

    def _is_before(self, one: CellId, other: CellId) -> bool:
        """True if a path leads from one to the other, over what was found so far."""
        todo, seen = [other], set()
        while todo:
            at = todo.pop()
            if at == one:
                return True
            if at not in seen:
                seen.add(at)
                todo += self.parents.get(at, ())
        return False

    # results ------------------------------------------------------------------------------------------------------

    def _carry(self, parent: CellId, child: CellId, how: Provenance, name: str = "") -> None:
        self.parents.setdefault(child, set()).add(parent)
        names = self.carried.setdefault((parent, child), {}).setdefault(how, set())
        if name:
            names.add(name)

    def _problem(self, code: str, message: str, cells: tuple[CellId, ...], hint: str, *, is_error: bool = True) -> None:
        found = Problem(code=code, message=message, cells=cells, hint=hint, is_error=is_error)  # type: ignore[arg-type]
        self.problems.append(found)

    def _edges(self, ids: Sequence[CellId]) -> tuple[Edge, ...]:
        place = {id: at for at, id in enumerate(ids)}
        return tuple(
            Edge(
                parent=parent,
                child=child,
                names=tuple(sorted(set().union(*carried.values()))),
                provenance=tuple(how for how in PROVENANCES if how in carried),
            )
            for (parent, child), carried in sorted(
                self.carried.items(), key=lambda item: (place[item[0][1]], place[item[0][0]])
            )
        )


def _module_names(components: Sequence[Component]) -> frozenset[str]:
    """Return the names that only imports bind: a call such as `plt.plot(x)` changes no object of the user."""
    bound = set().union(*(component.uses.writes for component in components))
    other = set().union(*(component.uses.writes - component.uses.modules.keys() for component in components))
    return frozenset(bound - other)


__all__ = ["Found", "Observed", "Seen", "beyond_sources", "find_edges"]
