"""Runs a pipeline: what is cached is used, what is not runs as soon as what it takes is there.

Invariant: a result that stands at the end was made from the results that stand at the end, however the components came
in: where a run shows an edge that nobody knew of, what ran too early runs again. Ready components are given out in
document order. A failure stops only what comes after it. Not for: where components run (`executors.py`), what is found
in the cache (`cache.py`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

import msgspec

from nbcellar.components.edges import Found, beyond_sources, find_edges
from nbcellar.components.model import Component
from nbcellar.errors import CellarError, ConflictError
from nbcellar.ids import CellId, CommitId
from nbcellar.pipeline import elsewhere
from nbcellar.pipeline.cache import Beside, Cache, Outlook, Result
from nbcellar.pipeline.executors import Answer, Executor
from nbcellar.pipeline.kept import take_away
from nbcellar.pipeline.model import Facts, Failure, Outcome, State, Task
from nbcellar.pipeline.observing import Shown
from nbcellar.pipeline.overlapping import Overlaps, Stretch
from nbcellar.pipeline.resolving import Held, Inputs, Resolver, Waiting, passed_on
from nbcellar.pipeline.steps import Place, Step, Wish
from nbcellar.pipeline.tasks import Tasks

MOST_TIMES = 5
"""How often a component is run in one run of a pipeline because others showed new edges, before that is an error."""
_TRIES = 10
_NOT_AS_LEFT = "a file is not as it left it, for one that needs it so"


class Run:
    """One run, or one look at what a run would do (no executor). Mutable."""

    def __init__(
        self,
        components: Iterable[Component],
        place: Place,
        cache: Cache,
        wish: Wish,
        executor: Executor | None,
        tell: Callable[[Step], None] = lambda step: None,
    ) -> None:
        self._components = list(components)
        self._by_id = {component.id: component for component in self._components}
        self._at = {component.id: at for at, component in enumerate(self._components)}
        self._notebook = place.notebook
        self._place, self._cache, self._wish, self._executor, self._tell = place, cache, wish, executor, tell
        self._shown = Shown(self._components)
        self._redo: dict[CellId, str] = {}
        self._last: dict[CellId, Result | None] = {}
        self.results: dict[CellId, Result] = {}
        self.inputs: dict[CellId, Inputs] = {}
        self.left: dict[CellId, dict[str, Held]] = {}
        self.steps: dict[CellId, Step] = {}
        self._why: dict[CellId, str] = {}
        self._done: dict[tuple[CellId, str], Step] = {}
        self.found: Found
        self._found_with: object = None
        self._resolver: Resolver
        self._tasks: Tasks
        self._wanted: frozenset[CellId] = frozenset()
        self._running: dict[CellId, tuple[Task, Inputs]] = {}
        self._times: dict[CellId, int] = {}
        self._tries: dict[CellId, int] = {}
        self._fresh: dict[str, str] = {}
        self._may_run: set[CellId] = set()
        self._failed_with: dict[CellId, Inputs] = {}
        self._failed_at: dict[CellId, Facts] = {}
        self._overlaps = Overlaps()
        self._alone: set[CellId] = set()

    def run(self) -> dict[CellId, Step]:
        """Do it; return where each wanted component stands in the end."""
        self._remember()
        self._find_edges()
        try:
            while True:
                self._advance()
                if self._running:
                    self._begin_history()  # while these run, nobody waits for the disk, nor for what comes to be asked
                    self._tasks.read_ahead(self._wanted)
                    self._collect()
                elif not self._files_differ():
                    break
        finally:
            if self._fresh and self._executor is not None:
                self._begin_history()
            self._cache.note_last(self._notebook, self._fresh)
        self._block_rest()
        return {id: self.steps[id] for id in self._resolver.order if id in self.steps}

    def outlook(self, id: CellId) -> Outlook:
        """Return what is known of a component's next result, once `run` was called."""
        inputs = self._resolver.resolve(id, self.results, self.left)
        known = self._tasks.known(self._by_id[id], inputs) if isinstance(inputs, Inputs) else None
        return Outlook(known, self._beside(id), self._resolver.ancestors.get(id, frozenset()))

    def _begin_history(self) -> None:
        """Have the notebook known in the repository: a run leaves something there, a look does not."""
        if self._notebook is None and not self._cache.repository.store.read_only:
            path = self._place.root / self._place.path
            self._notebook = self._cache.repository.notebook_for(path, create=True)

    # edges --------------------------------------------------------------------------------------------------------

    def _remember(self) -> None:
        """Take what the last runs showed."""
        for component in self._components:
            last = self._last[component.id] = self._cache.last(self._notebook, component.id)
            if last is not None:
                self._shown.note(component.id, last)

    def _find_edges(self) -> None:
        """Find the edges anew, if what was shown since they were found last can have changed any."""
        observed = beyond_sources(self._components, self._shown.names)
        files = self._shown.after(guessed=self._executor is not None)
        if self._found_with == (shown := (observed, files, self._shown.is_seeded)):
            return
        given = frozenset(self._wish.parameters)
        self.found = find_edges(self._components, given=given, observed=observed, files=files)
        problems = [problem for problem in self.found.problems if problem.is_error]
        if problems:
            raise CellarError(problems[0].message, hint=problems[0].hint)
        self._found_with = shown
        self._resolver = Resolver(self._components, self.found, self._shown.names, streams=self._shown.is_seeded)
        self._tasks = Tasks(
            self._by_id, self._place, self._wish, self._shown, self._resolver, self.results, self.inputs
        )
        targets = frozenset(self._wish.targets) or frozenset(self._by_id)
        if self._wish.after:
            targets |= self._resolver.descendants(self._wish.again)
        above = frozenset().union(*(self._resolver.ancestors.get(id, frozenset()) for id in targets))
        self._wanted = self._wanted | targets | above

    # forward ------------------------------------------------------------------------------------------------------

    def _advance(self) -> None:
        """Settle all that can be settled, and give out what can run."""
        moved = True
        while moved:
            moved = False
            for id in self._resolver.order:
                if id in self._wanted and id not in self._running and not self._is_over(id):
                    moved = self._settle(id) or moved

    def _files_differ(self) -> bool:
        """Have those run again whose files are not there as they left them, and no other one wrote since."""
        if not self._wanted <= self.results.keys():
            return False
        stale = self._shown.stale(self.results, self._cache.digest_of) - self._redo.keys()
        self._redo.update(dict.fromkeys(stale, _NOT_AS_LEFT))
        for id in stale:
            self._forget(id)
        return bool(stale)

    def _is_over(self, id: CellId) -> bool:
        """True for what failed, with the inputs that it has now."""
        if not self._is_failed(id):
            return False
        now = self._resolver.resolve(id, self.results, self.left)
        then = self._failed_with.get(id)
        if isinstance(now, Inputs) and (then is None or then.gives_as(now)):
            return True
        self._set(id, "waiting", "what it begins with is other than when it failed")
        return False

    def _is_failed(self, id: CellId) -> bool:
        step = self.steps.get(id)
        return step is not None and step.state == "failed"

    def _is_stopped(self, id: CellId) -> bool:
        step = self.steps.get(id)
        return step is not None and step.state in ("failed", "blocked")

    def _settle(self, id: CellId) -> bool:
        inputs = self._resolver.resolve(id, self.results, self.left)
        if isinstance(inputs, Waiting):
            self._wanted |= inputs.parents
            if id in self.results:  # a new edge: what it is waits for something
                self._forget(id)
                return True
            return self._wait(id, inputs)
        if id in self.results:
            if self.inputs[id].gives_as(inputs):
                self.inputs[id] = inputs
                return False
            self._forget(id)
        return self._find_or_run(id, inputs)

    def _wait(self, id: CellId, waiting: Waiting) -> bool:
        parents = sorted(waiting.parents, key=self._at.__getitem__)
        stopped = [self._by_id[parent].name for parent in parents if self._is_stopped(parent)]
        if stopped:
            return self._set(id, "blocked", f"blocked by {stopped[0]}")
        if self._executor is None and not waiting.parents.isdisjoint(self._may_run) and id not in self._may_run:
            first = next(parent for parent in parents if parent in self._may_run)
            self._may_run.add(id)
            self._set(id, "waiting", f"'{self._by_id[first].name}' runs before it")
            return True
        return False

    def _forget(self, id: CellId) -> None:
        self.results.pop(id, None)
        self.left.pop(id, None)
        self.inputs.pop(id, None)

    def _find_or_run(self, id: CellId, inputs: Inputs) -> bool:
        if self._executor is None and id in self._may_run:
            return False
        component = self._by_id[id]
        known = self._tasks.known(component, inputs)
        found, reason = self._look(component, known, inputs)
        if found is not None:
            self._take(id, found, inputs)
            self._note_cached(id, found)
            if (id, found.commit) in self._done:  # it ran just now, and nothing that came to light since changes that
                self._show(self._done[id, found.commit])
                return True
            self._set(id, "cached", reason, result=found)
            return True
        if self._executor is None:
            self._may_run.add(id)
            self._set(id, "waiting", reason)
            return True
        if self._is_in_the_way(id):
            return False
        if before := self._shown.rewritten(id, self.results, self._cache.digest_of):
            if self._running:
                return False  # one of these may have written the file
            self._redo.update(dict.fromkeys(before, _NOT_AS_LEFT))
            for other in before:
                self._forget(other)
            return True
        self._times[id] = self._times.get(id, 0) + 1
        if self._times[id] > MOST_TIMES:
            failure = Failure("Cellar", "what it takes and leaves is other at each run: it cannot be settled")
            self._set(id, "failed", "", failure=failure)
            return True
        if impossible := self._tasks.cannot_repeat(inputs):
            self._failed_with[id] = inputs
            return self._set(id, "failed", "", failure=impossible)
        task = self._tasks.task(component, known, inputs)
        if id in self._alone | self._redo.keys() or self._is_forced(component) or not component.policy.cache:
            task = msgspec.structs.replace(task, is_alone=True)
        self._running[id] = (task, inputs)
        self._why[id] = reason
        self._executor.submit(task)
        self._tell_running()
        return False

    def _is_in_the_way(self, id: CellId) -> bool:
        """True while one runs that a component meets in files, on either side of it."""
        return any(self._shown.meet(id, other) for other in self._running) or self._overlaps.is_apart(id, self._running)

    def _tell_running(self) -> None:
        """Say of as many as there are workers that they run: they are taken in the order in which they were given."""
        assert self._executor is not None
        for id in list(self._running)[: self._executor.slots]:
            self._set(id, "running", self._why[id])

    def _note_cached(self, id: CellId, found: Result) -> None:
        """Learn from a result that another component, or an earlier edit of this one, left."""
        if self._shown.is_noted(id, found):
            return
        for other in self._shown.note(id, found):
            self._forget(other)
        self._find_edges()

    def _look(self, component: Component, known: Facts, inputs: Inputs) -> tuple[Result | None, str]:
        """Return a result that can be used, or why there is none."""
        last = self._last.get(component.id)
        if component.policy.freeze and last is not None and not last.lost:
            return last, "frozen"
        if component.id in self._redo:
            return None, self._redo[component.id]
        if self._is_forced(component):
            return None, "asked for"
        if not component.policy.cache:
            fresh = self._fresh.get(component.id)
            same = last is not None and last.commit == fresh and last.facts.key == known.key
            return (last, "") if same else (None, "it runs each time (--no-cache)")
        found, why = self._cache.find(known.key, inputs.surroundings, self._beside(component.id))
        if found is not None:
            return found, ""
        return None, why or self._cache.explain(last, known) or "its result is not there any more"

    def _beside(self, id: CellId) -> Beside:
        return self._shown.beside(id, self.results)

    def _is_forced(self, component: Component) -> bool:
        return component.id in self._wish.again and component.id not in self._fresh

    # answers ------------------------------------------------------------------------------------------------------

    def _collect(self) -> None:
        assert self._executor is not None
        for answer in self._executor.wait(self._next_timeout()):
            entry = self._running.get(CellId(answer.task.id))
            if entry is None or entry[0] is not answer.task:
                continue
            del self._running[CellId(answer.task.id)]
            self._answered(answer, entry[1])
            self._tell_running()
        for task, _ in list(self._running.values()):
            limit, since = self._by_id[CellId(task.id)].policy.timeout_s, self._executor.started(task)
            if limit is not None and since is not None and time.monotonic() - since > limit:
                self._executor.cancel(task, f"it took longer than {limit:g} s")

    def _next_timeout(self) -> float | None:
        assert self._executor is not None
        left = []
        for task, _ in self._running.values():
            limit, since = self._by_id[CellId(task.id)].policy.timeout_s, self._executor.started(task)
            if limit is not None:
                left.append(limit if since is None else max(since + limit - time.monotonic(), 0.01))
        return min(left) if left else None

    def _answered(self, answer: Answer, inputs: Inputs) -> None:
        id = CellId(answer.task.id)
        outcome = answer.outcome or Outcome(id=id, failure=Failure("WorkerLost", answer.lost))
        if outcome.facts is not None:
            self._overlaps.add(Stretch(id, answer.began, answer.ended, outcome.facts, outcome.removed, outcome.commit))
        if outcome.failure is not None:
            if answer.is_shared:
                self._alone.add(id)  # it may have met older files: it runs again, for this run alone
            else:
                self._failed(id, elsewhere.explained(self._cache, answer, outcome, self._beside(id)), inputs)
            return
        result = Result.of(outcome, time.time_ns())
        if answer.is_shared and self._cache.is_outdated(result, inputs.surroundings, self._beside(id)):
            self._alone.add(id)
            return
        if refused := elsewhere.refused(self._cache, answer, self._beside(id)):
            self._failed(id, refused, inputs)
            return
        if clashing := self._overlaps.clashing(id):
            self._give_up(clashing, id, result)
            return
        notes = (*result.facts.notes, *self._compared(id, result), *elsewhere.notes(self._cache, answer))
        self._cache.forget_files(None if notes else result.facts.written)
        self._take(id, result, inputs)
        self._fresh[id], self._last[id] = result.commit, result
        self._redo.pop(id, None)
        self._set(id, "done", "", result=result, outputs=outcome.outputs, notes=notes)
        self._note(id, result)
        if self._beside(id).raced(result):
            self._forget(id)
        self._tell_late(id)
        self._find_edges()

    def _tell_late(self, id: CellId) -> None:
        """Say of results that are there what they may owe to one that comes later."""
        for reader, writer, path in self._overlaps.met_late(id, self._shown.is_first):
            result = self.results.get(reader.id)
            met = self._beside(reader.id).earlier.get(path)
            if result is None or result.commit != reader.commit or (met and met == reader.met.files.get(path)):
                continue
            name = self._by_id[writer].name
            note = f"it met {path} after '{name}', which comes later, had begun to write there: it may have met that"
            step = self.steps[reader.id]
            if note not in step.notes:
                self._done[reader.id, reader.commit] = msgspec.structs.replace(step, notes=(*step.notes, note))
                self._show(self._done[reader.id, reader.commit])

    def _note(self, id: CellId, result: Result) -> None:
        """Learn from a result; have those run again that it shows to have run too early."""
        after = self._shown.note(id, result)
        for other in after | self._shown.readers(id):
            self._forget(other)
        for other in filter(self._is_failed, after):
            self._set(other, "waiting", f"it failed before '{self._by_id[id].name}' had run")
        self._look_at_failed(id)

    def _give_up(self, clashing: Sequence[Stretch], id: CellId, result: Result) -> None:
        """Have components run again that wrote the same file while they both ran; forget what came of it."""
        commits = [CommitId(bytes.fromhex(each.commit)) for each in clashing]
        self._take_away(commits)
        self._cache.forget_files()
        self._note(id, result)
        for other, commit in ((each.id, each.commit) for each in clashing):
            standing = self._last[other]
            if standing is not None and standing.commit == commit:
                self._last[other] = None
            if other == id or self._fresh.get(other) == commit:
                self._fresh.pop(other, None)
                self._forget(other)
                self._redo[other] = "another component wrote the same file while it ran"
                self._set(other, "waiting", self._redo[other])
        self._find_edges()

    def _take_away(self, commits: Sequence[CommitId]) -> None:
        assert self._notebook is not None  # something ran
        for left in reversed(range(_TRIES)):
            try:
                take_away(self._cache.repository, self._notebook, commits)
            except ConflictError:  # another process enters or takes away results
                if not left:
                    raise
                self._cache.repository.refresh()
            else:
                return

    def _failed(self, id: CellId, outcome: Outcome, inputs: Inputs) -> None:
        failure = outcome.failure
        assert failure is not None
        self._cache.forget_files()
        self._look_at_failed(id)
        if isinstance(self._resolver.resolve(id, self.results, self.left), Waiting):
            return  # what it has to wait for, as is known by now, is not there yet
        component = self._by_id[id]
        if failure.missing and failure.missing not in inputs.names and self._shown.takes_more(id, failure.missing):
            self._find_edges()
            return  # runs again, with that name
        if self._is_spoiled(id, outcome.facts):
            self._find_edges()
            return
        self._tries[id] = self._tries.get(id, 0) + 1
        if self._tries[id] <= component.policy.retries:
            self._set(id, "waiting", f"failed ({failure.name}), try {self._tries[id]} of {component.policy.retries}")
            return
        self._failed_with[id] = inputs
        if outcome.facts is not None:
            self._failed_at[id] = outcome.facts
        self._set(id, "failed", "", failure=failure, seconds=outcome.seconds, outputs=outcome.outputs)

    def _is_spoiled(self, id: CellId, met: Facts | None) -> bool:
        """True where a component failed too early, or beside one that changed what it met: it runs again then."""
        return met is not None and (self._shown.read_too_early(id, met) or self._overlaps.spoiled_by(id) is not None)

    def _look_at_failed(self, id: CellId) -> None:
        """Have those run again that failed, where what just ended is a reason to."""
        for other, met in self._failed_at.items():
            if other != id and self._is_failed(other) and self._is_spoiled(other, met):
                self._set(other, "waiting", f"it failed before '{self._by_id[id].name}' wrote a file, or meanwhile")

    def _compared(self, id: CellId, result: Result) -> tuple[str, ...]:
        """Say that a component gives other values for the same inputs."""
        other = self._cache.other_values(self._last.get(id), result, self._beside(id))
        if not other:
            return ()
        return (f"not deterministic: {', '.join(other)} came out otherwise than before, with all else equal",)

    def _take(self, id: CellId, result: Result, inputs: Inputs) -> None:
        self.results[id] = result
        self.inputs[id] = inputs
        self.left[id] = passed_on(id, result, inputs)
        if result.commit not in self._fresh.values():
            self._fresh[id] = result.commit

    def _block_rest(self) -> None:
        for id in self._resolver.order:
            if id in self._wanted and id not in self.steps:
                self._set(id, "waiting", "it waits for what did not run")

    def _set(
        self,
        id: CellId,
        state: State,
        reason: str,
        *,
        result: Result | None = None,
        failure: Failure | None = None,
        seconds: float | None = None,
        outputs: bytes | None = None,
        notes: tuple[str, ...] = (),
    ) -> bool:
        step = Step(
            id=id,
            name=self._by_id[id].name,
            state=state,
            reason=reason,
            seconds=result.facts.seconds if result is not None else seconds,
            failure=failure,
            result=result.commit if result is not None else "",
            outputs=outputs,
            notes=notes,
        )
        if state == "done":
            self._done[step.id, step.result] = step
        return self._show(step)

    def _show(self, step: Step) -> bool:
        if self.steps.get(step.id) == step:
            return False
        self.steps[step.id] = step
        self._tell(step)
        return True


__all__ = ["MOST_TIMES", "Run"]
