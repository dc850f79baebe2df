"""What a component is given to run: its key, the values it takes, what is made again for it.

Invariant: a task depends on the component, on what is known of the results before it and on the wish alone. Not for:
when it runs (`scheduling.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from nbcellar.components.model import Component
from nbcellar.components.parameters import sealed
from nbcellar.ids import CellId
from nbcellar.pipeline.cache import Result
from nbcellar.pipeline.keys import PYTHON, code_digest, component_key
from nbcellar.pipeline.model import Again, Facts, Failure, Task
from nbcellar.pipeline.observing import Shown
from nbcellar.pipeline.resolving import Inputs, Resolver
from nbcellar.pipeline.said import said_by
from nbcellar.pipeline.steps import Place, Wish


class Tasks:
    """Makes the tasks of a run for the edges that are known; `results` and `inputs` are the run's, as they stand."""

    def __init__(
        self,
        components: Mapping[CellId, Component],
        place: Place,
        wish: Wish,
        shown: Shown,
        resolver: Resolver,
        results: Mapping[CellId, Result],
        inputs: Mapping[CellId, Inputs],
    ) -> None:
        self._by_id, self._place, self._wish, self._shown = components, place, wish, shown
        self._resolver, self._results, self._inputs = resolver, results, inputs
        self._at = {id: at for at, id in enumerate(components)}
        self._read: set[CellId] = set()

    def read_ahead(self, ids: Iterable[CellId]) -> None:
        """Read the sources of components that may run later, each once."""
        for id in frozenset(ids) - self._read:
            said_by(self._by_id[id].source)
            self._read.add(id)

    def known(self, component: Component, inputs: Inputs) -> Facts:
        """Return what is known of a component's next result before it runs, its key among it."""
        reads = {
            name: held.digest or f"opaque {self._results[held.maker].commit}" for name, held in inputs.names.items()
        }
        code = code_digest(component.source)
        parameters = {n: sealed(v) for n, v in self._wish.parameters.items() if n in self._uses(component, inputs)}
        key = component_key(code, reads, parameters)
        return Facts(
            component=component.name,
            cell=component.id,
            notebook=self._place.path,
            key=key,
            code=code,
            python=PYTHON,
            reads=reads,
            shown=tuple(sorted(self._shown.names[component.id].reads)) if component.id in self._shown.names else (),
            parameters=parameters,
            surroundings=inputs.surroundings,
        )

    def _uses(self, component: Component, inputs: Inputs) -> frozenset[str]:
        """Return the names of which parameters it may take: its own, and those of functions that come to it."""
        uses = component.uses
        if uses.unseen:
            return frozenset(self._wish.parameters) - inputs.names.keys()
        names = set(uses.reads | uses.changes | uses.lambdas).union(*uses.needs.values())
        for id in inputs.before:
            other = self._by_id[id].uses
            names |= set(other.lambdas).union(*other.needs.values())
        return frozenset(names) - inputs.names.keys()

    def task(self, component: Component, known: Facts, inputs: Inputs, *, patches: bool = True) -> Task:
        """Return what a worker needs to run a component. patches: with what changed modules before it."""
        before = [self._results[id] for id in inputs.before]
        return Task(
            id=component.id,
            name=component.name,
            source=component.source,
            said=said_by(component.source),
            key=known.key,
            known=msgspec.to_builtins(known),
            takes=self._resolver.takes(inputs, self._results),
            again=self._again(inputs, patches=patches),
            parameters=known.parameters,
            definitions=tuple(result.commit for result in before if result.defines),
            surroundings=tuple(result.commit for result in before if result.surroundings),
            streams=self._shown.is_seeded,
            root=str(self._place.root),
            folder=str(self._place.folder),
        )

    def cannot_repeat(self, inputs: Inputs) -> Failure | None:
        """Return why what has to be made again cannot be: it writes further what it has written already."""
        for maker, names in self._resolver.alive(inputs, self._results).items():
            facts = self._results[maker].facts
            for path in sorted(facts.written.keys() & facts.files.keys()):
                what, who = ", ".join(names), self._by_id[maker].name
                return Failure(
                    "Cellar",
                    f"{what} cannot be stored, and '{who}' would change {path} a second time if it made it again: "
                    "put the two into one component",
                )
        return None

    def _again(self, inputs: Inputs, *, patches: bool = True) -> tuple[Again, ...]:
        """Return what makes the objects that cannot be stored, and what changes modules, where `patches` is set."""
        by_maker = self._resolver.alive(inputs, self._results)
        if patches:
            for id in inputs.before:
                if self._results[id].facts.patches:
                    by_maker.setdefault(id, [])
        made = []
        for maker in sorted(by_maker, key=self._at.__getitem__):
            own, component = self._inputs[maker], self._by_id[maker]
            task = self.task(component, self.known(component, own), own, patches=False)
            made.append(
                Again(
                    task.source,
                    task.id,
                    task.takes,
                    task.again,
                    tuple(by_maker[maker]),
                    task.parameters,
                    task.definitions,
                    task.surroundings,
                    task.key,
                )
            )
        return tuple(made)


__all__ = ["Tasks"]
