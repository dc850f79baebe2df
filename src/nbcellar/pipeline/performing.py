"""Runs one component in this process: fresh objects in, the cell, and what it changed recorded as a result.

A result is a commit of its own in the repository, outside of every notebook's history: its scope is the component's
key. It holds the names that the component left with another value than it found, and no others, and is signed like any
commit; what it depends on stands, signed too, in its message.

Invariant: every component begins with a namespace that holds what its task names and nothing else, with the random
state and options of a new process and then what the results before it changed of these. Not for: what has to run
(`scheduling.py`).
"""

from __future__ import annotations

import os
import re
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import msgspec

from nbcellar import config
from nbcellar.components.parameters import unsealed
from nbcellar.errors import CannotRestoreError, StoreUnavailableError
from nbcellar.history.model import NO_ROOM, CellError, CellRun, CommitKind
from nbcellar.history.operations import local_identity
from nbcellar.history.repository import FOLDER, Repository
from nbcellar.ids import CommitId, Digest
from nbcellar.pipeline import process_settings
from nbcellar.pipeline.beginnings import (
    NOTHING_SET,
    begin_streams,
    changed_parts,
    fixed_streams,
    import_random_streams,
    may_seed,
    show_plots,
    without_seeded,
)
from nbcellar.pipeline.company import with_company
from nbcellar.pipeline.environment import Environment
from nbcellar.pipeline.giving import bring, facts_of
from nbcellar.pipeline.imported import Imported
from nbcellar.pipeline.model import Again, Facts, Failure, Outcome, Task, Value
from nbcellar.pipeline.module_state import ModuleState
from nbcellar.pipeline.names import SCOPE_DIGITS
from nbcellar.pipeline.outputs import collected, make_shell
from nbcellar.pipeline.patches import patches_of
from nbcellar.pipeline.process_settings import ProcessSettings
from nbcellar.pipeline.registered import Registered
from nbcellar.pipeline.sessions import Sessions
from nbcellar.pipeline.set_order import other_orders
from nbcellar.pipeline.values import surroundings_of, values_of
from nbcellar.pipeline.watching import Seen, Watch
from nbcellar.session import arrays
from nbcellar.session.engine import Session
from nbcellar.session.kernel import describe_error
from nbcellar.session.names import as_text
from nbcellar.session.surroundings.ambient import MODULES, RANDOM_PARTS, AmbientTracker

if TYPE_CHECKING:
    from nbcellar.pipeline.exchange import Exchange
    from nbcellar.pipeline.outputs import Shell

_LONGEST_TEXT = 300


class Performer:
    """One process that runs components, one after the other, on its main thread. Mutable."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._environ, self._identity = environ, local_identity()
        self.shell: Shell = make_shell()
        self._run_cell: Any = self.shell.run_cell
        self._initial = dict(self.shell.user_ns)
        self._watch = Watch()
        arrays.follow_files()
        self._imported = Imported()
        self._modules = ModuleState(self._imported.own_modules, self._imported.is_own)
        self._environment = Environment(lambda name: self._imported.is_own(name, sys.modules.get(name)))
        self._repos: dict[str, Repository] = {}
        self._exchanges: dict[tuple[str, str], Exchange] = {}
        import_random_streams()
        self._ambient = AmbientTracker()
        self._base = fixed_streams(self._ambient)
        self._sessions = Sessions(self.shell.user_ns, self.shell.user_ns_hidden, environ, self._ambient)
        self._threads = set(threading.enumerate())
        self._folder, self._streams = "", False
        self._settings = ProcessSettings()
        self._registered = Registered(self.shell)
        self._classes: dict[str, str] = {}
        self._patched: tuple[str, ...] = ()
        self._is_clear = False
        self._repo: Repository | None = None

    def perform(self, task: Task) -> Outcome:
        """Run a component. What the cell raises is in the outcome; errors of Cellar are raised."""
        repo = self._repo = self._repository(task.store or task.root)
        shared = self._shared_by(task, repo)
        if shared is not None:
            shared.before(repo, task)
        self._folder, self._streams = task.folder, task.streams
        self._imported.begin(task.folder)
        self._watch.begin(task.root)
        self._environment.begin()
        self._patched = ()
        given = {}
        for before in task.again:
            given.update(self._run_again(repo, task, before))
        session, start = self._prepare(repo, task, given)
        outcome = self._run(repo, session, task, start)
        if shared is not None:
            shared.after(repo, outcome)
        return outcome

    # before ---------------------------------------------------------------------------------------------------------

    def _repository(self, root: str) -> Repository:
        by = config.load(Path(root) / FOLDER, self._environ).author.name or self._identity
        repo = self._repos.get(root)
        if repo is None:
            repo = self._repos[root] = Repository.open(Path(root), by=by, late=True)
        repo.by = by  # a process that waits for tasks may outlive a setting
        repo.refresh()
        return repo

    def _shared_by(self, task: Task, repo: Repository) -> Exchange | None:
        """Return what brings results here and takes them away, where the repository is this worker's alone."""
        if not task.remote:
            return None
        whose = (task.remote, repo.project)  # whom to trust is decided for each project
        if whose not in self._exchanges:
            from nbcellar.pipeline.exchange import exchange_with

            self._exchanges[whose] = exchange_with(task.remote, repo, self._environ)
        return self._exchanges[whose]

    def clear(self) -> None:
        """Put namespace and options back to those of a new process; random streams are set when the next one begins.

        It would be done before that runs anyway; who calls this has it done while nobody waits.
        """
        if self._is_clear:
            return
        namespace = self.shell.user_ns
        namespace.clear()
        namespace.update(self._initial)
        namespace["Out"] = namespace["_oh"] = {}
        namespace["In"] = namespace["_ih"] = [""]
        history: Any = self.shell.history_manager
        history.input_hist_parsed[:], history.input_hist_raw[:] = [""], [""]
        self.shell.execution_count = 1
        loaded = self._ambient.capture(only=NOTHING_SET)
        self._ambient.restore(without_seeded(self._base) | {part: NOTHING_SET[part] for part in loaded})
        self._is_clear = True
        if self._repo is not None:
            self._sessions.make_ahead(self._repo)

    def _prepare(self, repo: Repository, task: Task | Again, given: dict[str, Any]) -> tuple[Session, dict[str, bytes]]:
        """Make the namespace that the component begins with; return the session and its surroundings then."""
        self.clear()
        self._is_clear = False
        key = task.key if isinstance(task, Task) else "0" * SCOPE_DIGITS
        space = self.shell.user_ns
        session = self._sessions.take(repo, key)
        begin_streams(task.key)
        os.chdir(self._folder)
        self._settings.begin(self._folder)
        with self._watch.loading(), self._environment.watching():
            self._classes = bring(session, repo, task.takes, task.definitions)
        self._watch.given(arrays.mapped_files())
        space.update(given)
        space.update({name: unsealed(held) for name, held in task.parameters.items()})
        session._observe(frozenset())  # what is there now is what the component found
        for commit in task.surroundings:
            self._restore_surroundings(session, repo, CommitId(bytes.fromhex(commit)))
        self._settings.apply(self._process_parts(repo, task.surroundings), self._folder)
        show_plots()
        return session, session.ambient.capture(session.tracker.variables())

    def _restore_surroundings(self, session: Session, repo: Repository, commit: CommitId) -> None:
        ambient = repo.read_state(commit).ambient
        session.permit_ambient(commit, {digest for part, digest in ambient.items() if part != MODULES})
        left_out = {MODULES} if self._streams else {MODULES, *RANDOM_PARTS}
        parts = {part: repo.read_object(Digest(digest)) for part, digest in ambient.items() if part not in left_out}
        session.ambient.load_streams(parts)
        session.ambient.restore(parts)

    def _process_parts(self, repo: Repository, commits: Iterable[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for commit in commits:
            found.update(facts_of(repo, commit).process)
        return found

    def _given_by(self, repo: Repository, task: Task | Again) -> set[str]:
        """Return the distributions that the results depend on from which a component has values and definitions.

        A module is what it is, whatever else was loaded where it was imported.
        """
        space = self.shell.user_ns
        values = [t for t in task.takes if not all(isinstance(space.get(name), ModuleType) for name in t.names)]
        commits = {*task.definitions, *(take.commit for take in values)}
        found = {name for commit in commits for name in facts_of(repo, commit).distributions}
        return found.union(*(self._given_by(repo, before) for before in task.again))

    def _run_again(self, repo: Repository, task: Task, before: Again) -> dict[str, Any]:
        """Run what makes objects that cannot be stored; return these, alive."""
        given: dict[str, Any] = {}
        for deeper in before.again:
            given.update(self._run_again(repo, task, deeper))
        self._prepare(repo, before, given)
        self._registered.begin()
        libraries = len(sys.modules)
        with collected(), self._watch.watching(), self._environment.watching():
            result = self._run_cell(before.source, store_history=False)
        error = result.error_before_exec or result.error_in_exec
        if error is not None:
            raise CannotRestoreError(
                f"{', '.join(before.names)} cannot be stored and had to be made again, which failed: "
                f"{type(error).__name__}: {as_text(str(error)[:_LONGEST_TEXT])}"
            )
        space = self.shell.user_ns
        registered = self._registered.changed(before.source, has_imported=len(sys.modules) != libraries).patches
        self._patched = self._patched or patches_of(before.source, space, self._imported.is_own) or registered
        return {name: space[name] for name in before.names if name in space}

    # the cell -------------------------------------------------------------------------------------------------------

    def _run(self, repo: Repository, session: Session, task: Task, start: dict[str, bytes]) -> Outcome:
        space = self.shell.user_ns
        before, classes = set(space), {name: value for name, value in space.items() if isinstance(value, type)}
        settings = self._settings.capture(self._folder, task.root)
        with collected() as log:
            libraries = len(sys.modules)
            self._modules.begin()
            self._registered.begin()
            began = time.perf_counter()
            with self._watch.watching(), self._environment.watching():
                result = self._run_cell(task.source, store_history=True, cell_id=task.id)
            seconds = time.perf_counter() - began
            modules = self._imported.local_sources()
            seen = self._watch.end(task.said.paths, modules, programs=task.said.lists)
        removed = tuple(inside(path, task) for path in seen.removed)
        environ, told = self._environment.end()
        outputs = log.encode() or b"[]"
        error = result.error_before_exec or result.error_in_exec
        has_imported = len(sys.modules) != libraries
        registered = self._registered.changed(task.source, has_imported=has_imported)
        patches = (*self._patches_by(task), *registered.patches)
        told += registered.notes + self._notes_on_modules(patches)
        retire = self._why_retire(patches or self._patched)
        if error is not None:
            failure, met = _failure(error, self.shell, outputs), _met(seen, modules, self._imported.absent(), task)
            made = Outcome(id=task.id, failure=failure, facts=met, outputs=outputs, seconds=seconds, retire=retire)
            return msgspec.structs.replace(made, removed=removed)
        after = session.ambient.capture(session.tracker.variables())
        consumed = tuple(sorted(changed_parts(start, after, task.source, has_imported=has_imported)))
        now = self._settings.capture(self._folder, task.root)
        names = list(session.names.recorded(space).values())
        known = msgspec.convert(task.known, Facts)
        process = process_settings.changed(settings, now, task.source, has_imported=has_imported)
        places = process_settings.places(self._folder, process, known.surroundings)
        origins = self._imported.origins(names, task.source, task.said.modules, places)
        told += self._notes_on_origins(origins)
        facts = msgspec.structs.replace(
            known,
            files=relative(seen.files, task),
            folders=relative(seen.folders, task),
            written=relative(seen.written, task),
            times=relative(seen.times, task),
            links=relative({path: inside(target, task) for path, target in seen.links.items()}, task),
            distributions=self._imported.versions(names, task.said.modules, self._given_by(repo, task)),
            modules=relative(modules, task),
            absent=self._imported.absent(),
            origins={name: inside(path, task) if path else "" for name, path in origins.items()},
            consumed=consumed,
            seeds=not RANDOM_PARTS.isdisjoint(consumed) and may_seed((*modules, *seen.files)),
            process=process,
            patches=patches,
            altered=tuple(sorted(name for name, value in classes.items() if space.get(name) is value)),
            classes=self._classes,
            dropped=tuple(sorted(name for name in before if name not in space and name not in self._initial)),
            seconds=round(seconds, 6),
            environ=environ,
            notes=(*seen.notes, *told),
            unsure=seen.unsure,
        )
        made = _record(session, repo, task, facts, outputs, {part: after[part] for part in consumed})
        return msgspec.structs.replace(made, removed=removed, retire=retire, facts=_with_orders(made.facts, space))

    def _patches_by(self, task: Task) -> tuple[str, ...]:
        return patches_of(task.source, self.shell.user_ns, self._imported.is_own) if task.said.patches else ()

    def _notes_on_modules(self, patches: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(
            f"it changed what the module {name} holds, which those after it import anew: they do not see that"
            for name in self._modules.changed()
            if f"the module {name}" not in patches
        )

    def _notes_on_origins(self, origins: Mapping[str, str]) -> tuple[str, ...]:
        return tuple(
            f"it names the module {name}, which is in its folder, and got another one that Cellar had loaded before"
            for name in self._imported.not_taken(origins)
        )

    def _why_retire(self, patches: tuple[str, ...]) -> str:
        """Return why what runs next should not run in this process."""
        left = [thread for thread in threading.enumerate() if thread not in self._threads and thread.is_alive()]
        if any(not thread.name.startswith("cellar-") for thread in left):
            return "it left threads running"
        return f"it changed {', '.join(patches)}" if patches else ""


def _with_orders(facts: Facts | None, space: Mapping[str, object]) -> Facts | None:
    """Add a note where a set that the component made comes in another order to those after it."""
    if facts is None:
        return None
    changed = (name for name, value in facts.values.items() if facts.reads.get(name) != value.digest)
    notes = [f"{name}: those after it get its elements in another order" for name in other_orders(space, changed)]
    return msgspec.structs.replace(facts, notes=(*facts.notes, *notes)) if notes else facts


def _met(seen: Seen, modules: Mapping[str, str], absent: tuple[str, ...], task: Task) -> Facts:
    """Return what a component that failed had met by then."""
    files, folders, written, local = (
        relative(paths, task) for paths in (seen.files, seen.folders, seen.written, modules)
    )
    return Facts(files=files, folders=folders, written=written, modules=local, absent=absent)


def relative(paths: Mapping[str, str], task: Task) -> dict[str, str]:
    """Return paths in the repository relative to where the cell runs, so that they hold for others, too."""
    return {inside(path, task): digest for path, digest in paths.items()}


def inside(path: str, task: Task) -> str:
    """Return one path in the repository relative to where the cell runs, by whatever links that was found."""
    root, start = os.path.realpath(task.root), os.path.realpath(task.folder)
    for known in (root, os.path.abspath(task.root)):  # noqa: PTH100
        if (path == known or path.startswith(known + os.sep)) and os.pardir not in Path(path).parts:
            return os.path.relpath(root + path[len(known) :], start)
    return path


def _record(
    session: Session,
    repo: Repository,
    task: Task,
    facts: Facts,
    outputs: bytes,
    ambient: dict[str, bytes | None],
) -> Outcome:
    """Record what the component changed, and return that. ambient: the parts of the surroundings that it changed."""
    job = session._job(CommitKind.AUTO, session._observe(None), ambient)
    job.fresh, job.dropped, job.dropped_definitions = True, (), ()
    job.resync = False
    values = _expected(session, job.versions)
    values = with_company(values, session.tracker.namespace)
    lost = {n: Value(reason="names like it are not recorded (record.skip_names)") for n in _left_out(session, task)}
    facts = msgspec.structs.replace(facts, values={**lost, **values})
    job.cell = CellRun(task.id, task.source, 1, round(facts.seconds, 6), reads=tuple(sorted(facts.reads)))
    job.outputs = outputs
    job.message = msgspec.json.encode(facts, order="deterministic").decode()
    session._opened, session._start = True, None
    session._save(job)
    if job.commit is None:
        raise StoreUnavailableError(f"the result of '{task.name}' was not saved")
    state = repo.read_state(job.commit)
    stored = values_of(state.covariables, facts.classes, company=facts.values)
    return Outcome(
        id=task.id,
        commit=job.commit.hex(),
        facts=msgspec.structs.replace(facts, values={**lost, **stored}, notes=(*facts.notes, *_unsaved(stored))),
        outputs=outputs,
        seconds=facts.seconds,
        defines=any(entry.defines for entry in state.covariables),
        surroundings=surroundings_of(state.ambient, facts),
    )


def _unsaved(stored: Mapping[str, Value]) -> Iterator[str]:
    """Yield what to say of values that there was no room for; others, which no room would help, are no news."""
    for name, value in stored.items():
        if value.reason.startswith(NO_ROOM):
            why = value.reason.removeprefix(NO_ROOM)
            yield f"{name} is not saved: {why}; those that take it run this one again, until it ran with more room"


def _expected(session: Session, versions: Iterable[Any]) -> dict[str, Value]:
    """Return the names of a result as they are known before it is stored: digests stand in its state."""
    return {
        name: Value(reason=version.group.reason or version.group.unsaved)
        for version in versions
        for name in version.group.names
    }


def _left_out(session: Session, task: Task) -> list[str]:
    """Return names of the user's that settings keep out of the store."""
    space = session.tracker.namespace
    return [name for name in space if isinstance(name, str) and session.names.is_skipped(name)]


def _failure(error: BaseException, shell: Shell, outputs: bytes) -> Failure:
    found: CellError = describe_error(error)
    traceback = ""
    for output in msgspec.json.decode(outputs):
        if output.get("output_type") == "error":
            traceback = "\n".join(output.get("traceback", ()))
    missing = ""
    if isinstance(error, NameError):  # pandas has its own for names in texts
        told = re.search(r"'([^\W\d]\w*)' is not defined", str(error))
        missing = getattr(error, "name", "") or (told[1] if told else "")
    return Failure(found.name, found.value, found.line, traceback, missing)


__all__ = ["Performer"]
