"""Plays a scenario in a real kernel that records, then goes to every recorded state and compares.

Invariant: what a session should be is what `probe` saw of it when it was so, never what Cellar says of it. Whatever
is otherwise after a checkout must be in that checkout's report, and what reports say must be what the scenario expects.
"""

from __future__ import annotations

import json
import random
import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbcellar.api import views
from nbcellar.errors import CellarError

from ..kernel.support import Kernel, Project
from .compare import RANDOM, Difference, Record, differences, sharers, unannounced
from .scenario import Scenario, Step

PROBE = Path(__file__).parent / "probe" / "__init__.py"
_LOAD = f"""
import importlib.util, sys
spec = importlib.util.spec_from_file_location("_session_probe", {str(PROBE)!r})
probe = sys.modules["_session_probe"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(probe)
import IPython
probe.begin(IPython.get_ipython().user_ns)
"""
_DROPPED = re.compile(r"results kept by (.*) were dropped")
_ONCE = re.compile(r"(.*): what importing .* had set is not set in this state, and importing it again does not set it")
# One thread: a forked child cannot use those of the parent.
ENVIRON = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@dataclass(frozen=True)
class Point:
    """A recorded state. step: the number of the step that led to it."""

    commit: str
    record: Record
    step: int


@dataclass
class Verdict:
    """What was found; `wrong` must be empty."""

    notebook: str
    cells: int = 0
    states: int = 0
    checkouts: int = 0
    continued: int = 0
    unannounced: list[str] = field(default_factory=list)  # differences that no report named
    wrong: list[str] = field(default_factory=list)  # anything else that must not be
    announced: dict[str, str] = field(default_factory=dict)  # name -> reason, as reports had it
    differing: set[str] = field(default_factory=set)  # announced, and really different
    between: dict[str, int] = field(default_factory=dict)  # changes that no cell accounts for, by names

    @property
    def is_fine(self) -> bool:
        return not (self.unannounced or self.wrong)


class Player:
    """One notebook in one kernel."""

    def __init__(self, scenario: Scenario, folder: Path) -> None:
        self.scenario = scenario
        self.project = Project(folder)
        self._records = folder / "records"
        self._records.mkdir()
        notebook = scenario.path.name
        shutil.copy(scenario.path, self.project.root / notebook)
        self.project.configure("[record]\nbudget_s = 600\n")  # what a machine under load records is the same
        self.kernel: Kernel = self.project.kernel(notebook, **ENVIRON)
        self.kernel.do_aside(_LOAD)
        self.points: list[Point] = []
        self.verdict = Verdict(scenario.name, scenario.cells)
        self._at: Point | None = None
        self._last: Record = {}
        self._once: dict[str, str] = {}  # what is not set again by what runs from here, as the last report said

    def close(self) -> None:
        self.project.close()

    # going forward ------------------------------------------------------------------------------------------------

    def play(self) -> None:
        """Run all steps; keep a point after each."""
        for number, step in enumerate(self.scenario.steps):
            self._run(step)
            self._at = Point(self._head(), self.record(), number)
            self.points.append(self._at)
        self.verdict.states = len(self.points)

    def _run(self, step: Step) -> None:
        running = self.kernel.start(step.source, cell_id=step.cell)
        if step.interrupt:
            running.wait_for(step.interrupt)
            self.kernel.interrupt()
            result = running.finish()
            assert result.error == "KeyboardInterrupt", f"{step.cell}: {result.error or 'it ended'}"
        else:
            result = running.finish()
            assert result.error == step.fails, f"{step.cell}: {result.traceback or 'it did not fail'}"
        self.kernel.settle()

    def record(self) -> Record:
        """Return what the session is now."""
        target = self._records / "now.json"
        take = "__import__('sys').modules['_session_probe'].take(__import__('IPython').get_ipython().user_ns, {}, {!r})"
        self.kernel.value(take.format(list(self.scenario.calls), str(target)))
        self._last = json.loads(target.read_text("utf-8"))
        return self._last

    def _head(self) -> str:
        return self.project.commit_id("HEAD", self.scenario.path.name).hex()

    # going back ---------------------------------------------------------------------------------------------------

    def check_out_all(self, seed: int, *, going_on: int = 0, quiet: int = 0, most: int | None = None) -> None:
        """Check out every point in random order; from each `going_on`-th, run what came next, and keep that, too.

        quiet: after each `quiet`-th, an empty cell is run, which must record nothing. most: only so many of them.
        """
        dice = random.Random(seed)
        order = list(self.points)
        dice.shuffle(order)
        for number, point in enumerate(order[:most]):
            done = self._go_to(point, f"seed {seed}, checkout {number}")
            if done is not None and quiet and number % quiet == 0:
                self._nothing_new(point, done)
            if going_on and number % going_on == 0:
                self._go_on(point)

    def step_back_and_forth(self) -> None:
        """Undo all cells from the last point on, one by one, then redo them all."""
        self._go_to(self.points[-1], "before undo")
        line = self.points[: len(self.scenario.steps)]
        for point in reversed(line[:-1]):
            self._arrive(point, f"undone to {self._title(point)}", self._undo(), RANDOM)
        for point in line[1:]:
            self._arrive(point, f"redone to {self._title(point)}", self._redo(), RANDOM)

    def start_anew(self, seed: int, *, most: int | None = None) -> None:
        """Restart the kernel, restore some point, then go to the others."""
        dice = random.Random(seed)
        order = list(self.points)
        dice.shuffle(order)
        self.kernel.restart()
        self.kernel.do_aside(_LOAD)
        self._last, self._at = {}, None
        first, rest = order[0], order[1:most]
        self._arrive(first, f"restored in a new kernel: {self._title(first)}", self._try("restore", first.commit))
        for number, point in enumerate(rest):
            self._go_to(point, f"new kernel, seed {seed}, checkout {number}")

    def finish(self) -> Verdict:
        """Compare what was announced with what the scenario expects, and look at what went wrong inside."""
        expected, said = self.scenario.announced, self.verdict.announced
        for name, reason in sorted(said.items()):
            if name not in expected:
                self.verdict.wrong.append(f"announced, but nobody expects it: {name}: {reason}")
            elif expected[name] not in reason:
                self.verdict.wrong.append(f"announced with another reason: {name}: {reason}")
        for name in sorted(expected.keys() - said.keys()):
            self.verdict.wrong.append(f"expected to be announced and never was: {name}")
        for error in self.kernel.status()["errors"]:
            self.verdict.wrong.append(f"inside Cellar: {error}")
        for line in self.project.log(self.scenario.path.name, all=True):
            if line.kind == "between":
                names = ", ".join([*line.added, *line.changed, *line.removed])
                self.verdict.between[names] = self.verdict.between.get(names, 0) + 1
        return self.verdict

    def _go_to(self, point: Point, when: str) -> views.SessionChange | None:
        done = self._try("checkout", point.commit)
        self._arrive(point, f"{when}: {self._title(point)}", done)
        return done

    def _undo(self) -> views.SessionChange | None:
        return self._try("undo", 1)

    def _redo(self) -> views.SessionChange | None:
        return self._try("redo", 1)

    def _try(self, command: str, argument: Any) -> views.SessionChange | None:
        self.verdict.checkouts += 1
        try:
            done: views.SessionChange = getattr(self.kernel, command)(argument)
            return done
        except CellarError as error:
            self.verdict.wrong.append(f"{command} {argument}: {error} ({error.hint})")
            return None

    def _arrive(
        self, point: Point, when: str, done: views.SessionChange | None, parts: frozenset[str] | None = None
    ) -> None:
        if done is None:
            return
        before, came_from, self._at = self._last, self._at, point
        now = self.record()
        said = announced(done, point.record)
        found = differences(point.record, now, parts, without=said)
        self._keep(unannounced(found, said), when)
        self._once = set_once(done)
        self.verdict.announced.update(said | self._once)
        self.verdict.differing.update(n for difference in found for n in difference.names if n in said)
        for name in sorted(done.not_restored.keys() & now["variables"].keys()):
            self.verdict.wrong.append(f"{when}: {name} is said not to be restored, and is there")
        if before:
            self._same_objects(before, now, done, when)
            if came_from is not None:
                self._could_stay(came_from, point, done, when)

    def _same_objects(self, before: Record, now: Record, done: views.SessionChange, when: str) -> None:
        """Hold that what is said to be kept is the same object."""
        for name in done.kept:
            was, is_ = before["variables"].get(name), now["variables"].get(name)
            if was is not None and is_ is not None and was["id"] != is_["id"]:
                self.verdict.wrong.append(f"{when}: {name} is said to be kept, and is another object")

    def _could_stay(self, a: Point, b: Point, done: views.SessionChange, when: str) -> None:
        """Hold that what was the same object with the same value at two neighbouring points was not loaded anew.

        Left out: what shares something with a variable that changed, in the one state or the other.
        """
        if abs(a.step - b.step) != 1 or a not in self._line() or b not in self._line():
            return
        ours, theirs = a.record["variables"], b.record["variables"]
        stays = {n for n in ours.keys() & theirs.keys() if _same(ours[n], theirs[n])}
        moved = (ours.keys() | theirs.keys()) - stays
        links = [*sharers(a.record), *sharers(b.record)]
        while True:
            more = {name for names in links if not names.isdisjoint(moved) for name in names} - moved
            if not more:
                break
            moved |= more
        anew = sorted((stays - moved) & set(done.loaded))
        if anew:
            self.verdict.wrong.append(f"{when}: loaded anew though nothing had changed: {', '.join(anew)}")

    def _line(self) -> list[Point]:
        return self.points[: len(self.scenario.steps)]

    def _nothing_new(self, point: Point, done: views.SessionChange) -> None:
        """Hold that an empty cell records nothing: what is not there goes, libraries that came later are seen."""
        self.kernel.run("pass")
        commit = self.project.commit("HEAD", self.scenario.path.name)
        delta = commit.state
        assert delta is not None
        put = [name for entry in delta.put for name in entry.names or entry.defines]
        dropped = sorted(set(delta.drop) - done.not_restored.keys())
        there = self.project.state(point.commit, self.scenario.path.name).ambient
        parts = sorted(part for part in delta.ambient if part in there and part not in done.not_restored)
        if put or dropped or parts:
            found = f"recorded {put}, dropped {dropped}, surroundings {parts}"
            self.verdict.wrong.append(f"after a checkout of {self._title(point)} an empty cell {found}")

    def _go_on(self, point: Point) -> None:
        """Run what came next from here; all that is not random anew must become what it was then."""
        number = point.step + 1
        line = self._line()
        if point not in line or number >= len(line):
            return
        self._run(self.scenario.steps[number])
        now = self.record()
        self.verdict.continued += 1
        lost = (self.verdict.announced.keys() - now["ambient"].keys()) | self._once.keys() | self.scenario.anew
        found = differences(line[number].record, now, without=lost)
        self.verdict.differing.update(part for d in found for part in d.names & self._once.keys())
        self._keep(unannounced(found, lost), f"{self._title(line[number])} run again after a checkout")
        self._at = Point(self._head(), now, number)
        self.points.append(self._at)

    def _title(self, point: Point) -> str:
        return f"{point.step}:{self.scenario.steps[point.step].cell}"

    def _keep(self, found: Iterable[Difference], when: str) -> None:
        self.verdict.unannounced += [f"{when}: {difference.text}" for difference in found]


def announced(done: views.SessionChange, record: Record) -> dict[str, str]:
    """Return what a report says it is not sure of: name of a variable or a part of the surroundings -> reason.

    A function that lost the results it kept may answer otherwise, and so does whatever holds that function.
    """
    said = {**done.uncertain, **done.not_restored}
    for note in done.notes:
        found = _DROPPED.fullmatch(note)
        for function in found[1].split(", ") if found else ():
            holders = {name for names in sharers(record) if function in names for name in names}
            said.update(dict.fromkeys(holders | {function}, note))
    return said


def set_once(done: views.SessionChange) -> dict[str, str]:
    """Return the surroundings that running cells again does not make what they were: part -> what the report says.

    Python runs the code of a library once in a process, so what it sets when it is imported it does not set again.
    """
    found = ((_ONCE.fullmatch(note), note) for note in done.notes)
    return {part: note for match, note in found if match for part in match[1].split(" and ")}


def _same(a: Any, b: Any) -> bool:
    return bool(a["digest"] == b["digest"] and a["id"] == b["id"])
