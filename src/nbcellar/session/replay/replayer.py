"""Replay for one session: whether to run cells again, which, and what comes of it.

Invariant: nothing runs unless `wish` is "yes" or the id of just this list of cells, from this target's history; with
"ask", and where the list has become another one since it was asked, `AskedError` ends the command before anything has
changed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from typing import TYPE_CHECKING, Any

from nbcellar.errors import CannotRestoreError
from nbcellar.history.doubts import doubtful_versions
from nbcellar.history.model import Covariable, State
from nbcellar.ids import CommitId, Digest
from nbcellar.session.figures import with_figures
from nbcellar.session.outputs import printed_text
from nbcellar.session.plan import Plan
from nbcellar.session.replay.execution import Execute
from nbcellar.session.replay.report import as_answer
from nbcellar.session.replay.steps import ReplayPlan, Step, find_steps, is_stored

if TYPE_CHECKING:
    from nbcellar.session.engine import Session
    from nbcellar.session.replay.aside import Replayed

Wish = str
"""Whether cells may run again: "no", "ask", "yes", or the id of a list of cells that was agreed to, and of no other."""


class AskedError(Exception):
    """A command would have cells to run again and was told to ask first; `answer` says which."""

    def __init__(self, answer: dict[str, Any]) -> None:
        super().__init__()
        self.answer = answer


class Replayer:
    """Belongs to one session. `execute` runs a cell; None where nothing can."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.execute: Execute | None = None
        self.transform: Callable[[str], str] = lambda source: source  # a cell as Python code
        self.is_running = False
        self.answer: dict[str, Any] | None = None  # of the last command: what was or could be run

    def consider(
        self, plan: Plan, target: CommitId, state: State, wish: Wish, without: Collection[str]
    ) -> ReplayPlan | None:
        """Return the cells to run for a plan, or None for no cells. Raises AskedError.

        What is missing is worth a question; what is there, but was used since, is brought back with it, and else only
        where that is asked for.
        """
        self.answer = None
        names = set(plan.missing)
        if wish == "yes" or (wish != "no" and any(_is_wanted(e, names, without) for e in state.covariables)):
            names.update(plan.doubtful)  # a question names all that a "yes" will run
        wanted = [entry for entry in state.covariables if _is_wanted(entry, names, without)]
        if not wanted or self.execute is None:
            return None
        repo = self._session.repo
        gone = repo.thinned()
        found = find_steps(repo, wanted, is_stored=lambda entry: is_stored(entry, gone), transform=self.transform)
        self.answer = as_answer(found, target, self.transform, done=False)
        if not found.steps or wish == "no":
            return None
        if wish not in ("yes", self.answer["id"]):
            raise AskedError(self.answer)
        return found

    def run(self, found: ReplayPlan, target: CommitId, state: State) -> Replayed:
        """Run cells aside; nothing live has changed afterwards."""
        from nbcellar.session.encode import Limits
        from nbcellar.session.replay.aside import Replay, Tools

        session = self._session
        if self.execute is None:
            raise CannotRestoreError("cells cannot be run again here", hint="without it: --no-replay")
        tools = Tools(
            repo=session.repo,
            tracker=session.tracker,
            names=lambda space: with_figures(session.names.recorded(space)),
            is_skipped=session.names.is_skipped,
            ambient=session.ambient,
            ambient_of=session.ambient_of,
            permit=session.permit,
            permit_ambient=session.permit_ambient,
            doubtful=partial(doubtful_versions, session.repo, session.notebook),
            printed=self._printed,
            transform=self.transform,
            execute=self.execute,
            tell=session.work.tell,
            limits=Limits(session.settings.record.memory_mb << 20),
        )
        for step in found.steps:
            session.permit(step.commit)  # code of a foreign history does not run, either
        self.is_running = True
        try:
            replayed = Replay(tools).run(found, target, state)
        finally:
            self.is_running = False
        self.answer = as_answer(found, target, self.transform, done=True)
        return replayed

    def _printed(self, step: Step) -> str | None:
        outputs = step.cell.outputs
        return printed_text(self._session.repo.read_object(Digest(outputs))) if outputs is not None else None


def _is_wanted(entry: Covariable, names: Collection[str], without: Collection[str]) -> bool:
    mine = set(entry.names)
    return entry.value is None and not mine.isdisjoint(names) and mine.isdisjoint(without)


__all__ = ["AskedError", "Replayer", "Wish"]
