"""Results that are in the repository: found by key, compared with what is there now, with the reason for each miss.

A key has many results, newest first: the same code with the same values, but other files or versions. Invariant: a
result is used only if everything it is known to depend on is now what it was then, its signature holds and its signer
is trusted here. Not for: making results (`performing.py`); what has to run (`scheduling.py`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from nbcellar.components.parameters import sealed_as_text
from nbcellar.errors import CellarError, ConflictError, NotTrustedError
from nbcellar.history import refs
from nbcellar.history.model import Commit, CommitKind, Covariable
from nbcellar.history.results import LAST
from nbcellar.history.rewrite import REASON
from nbcellar.ids import CellId, CommitId, Digest, NotebookId
from nbcellar.pipeline.environment import variable_digest
from nbcellar.pipeline.imported import is_hidden, is_there, module_digest, provider, version_of
from nbcellar.pipeline.keys import FILE, canonical, file_digest, fits, folder_digest, kind_of, time_of
from nbcellar.pipeline.model import Facts, Outcome, Value
from nbcellar.pipeline.names import scope_of
from nbcellar.pipeline.process_settings import places as places_of
from nbcellar.pipeline.values import surroundings_of, values_of
from nbcellar.trust import gate

if TYPE_CHECKING:
    from nbcellar.history.repository import Repository


class Beside(NamedTuple):
    """What others wrote. later: path -> digests left by those after a component; earlier: by the last one before it."""

    later: Mapping[str, frozenset[str]]
    earlier: Mapping[str, str]

    def raced(self, result: Result) -> bool:
        """True if a component met a file while one before it wrote it."""
        files = result.facts.files
        met = files.keys() & self.earlier.keys()
        return any(not fits(files[path], self.earlier[path]) for path in met) or bool(met and result.facts.unsure)


NOTHING = Beside({}, {})


class Outlook(NamedTuple):
    """What is known of a component's next result. key: what it would be kept under; None: it waits for others.

    before: all components that come before it.
    """

    key: Facts | None
    beside: Beside = NOTHING
    before: frozenset[CellId] = frozenset()


_MOST_LOOKED_AT = 50


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """A result of a component. `commit` in hexadecimal; `surroundings`: part -> digest, of what it left changed.

    lost: why it cannot be used any more, whatever it depends on: a value was there and is not.
    """

    commit: str
    facts: Facts
    values: Mapping[str, Value]
    surroundings: Mapping[str, str]
    defines: bool
    time_ns: int
    lost: str = ""

    @classmethod
    def of(cls, outcome: Outcome, time_ns: int) -> Result:
        """Return the result that a worker has just made."""
        assert outcome.facts is not None
        return cls(
            commit=outcome.commit,
            facts=outcome.facts,
            values=outcome.facts.values,
            surroundings=outcome.surroundings,
            defines=outcome.defines,
            time_ns=time_ns,
        )

    @property
    def effects(self) -> frozenset[str]:
        """Return the parts of the surroundings that it set for all that comes after it; random streams are none."""
        from nbcellar.session.surroundings.ambient import FIGURES, RANDOM_PARTS

        beside = {*self.facts.consumed, *self.facts.process, *self.facts.patches}
        return frozenset(beside) - RANDOM_PARTS - {FIGURES}


class Cache:
    """The results in one repository, for the components of a notebook in `folder`. Remembers digests for one run."""

    def __init__(self, repo: Repository, decisions: gate.Decisions, folder: Path) -> None:
        self._repo = repo
        self._decisions = decisions
        self._folder = folder
        self._real_folder = os.path.realpath(folder)
        self._files: dict[str, str] = {}
        self._folders: dict[str, str] = {}
        self._modules: dict[str, str] = {}
        self._names: dict[str, frozenset[str]] = {}

    @property
    def repository(self) -> Repository:
        """Return where the results are."""
        return self._repo

    def forget_files(self, paths: Mapping[str, str] | None = None) -> None:
        """Look at files anew: a component ran. paths: what it wrote, with digests; None: anything may have changed."""
        self._folders.clear()
        self._names.clear()
        if paths is None:
            self._files.clear()
            self._modules.clear()
        for path in paths or {}:
            self._files.pop(path, None)
            self._modules.pop(path, None)

    def commits_of(self, key: str) -> list[CommitId]:
        """Return the commits that are kept under a key, newest first, whoever signed them."""
        found = [CommitId(value) for value in self._repo.store.refs(scope_of(key), refs.BRANCH).values()]
        if len(found) < 2:
            return found
        return sorted(found, key=lambda commit: (-self._repo.read_commit(commit).time_ns, commit))[:_MOST_LOOKED_AT]

    def read(self, commit: CommitId) -> Result | None:
        """Return a result; None for a commit that is none. Raises NotTrustedError."""
        signed = self._repo.read_signed(commit)
        gate.permit(
            commit, signed.payload, signed.signature, signed.key, project=self._repo.project, decisions=self._decisions
        )
        made = self._repo.read_commit(commit)
        facts = facts_of(made)
        if facts is None:
            return None
        state = self._repo.read_state(commit)
        thinned = self._repo.thinned()
        stored = values_of(state.covariables, facts.classes, thinned, facts.values)
        return Result(
            commit=commit.hex(),
            facts=facts,
            values={**facts.values, **stored},
            surroundings=surroundings_of(state.ambient, facts),
            defines=any(entry.defines for entry in state.covariables),
            time_ns=made.time_ns,
            lost=_lost(state.covariables, thinned),
        )

    def trusts(self, key_id: bytes) -> bool:
        """True if results that a key signs may be used here."""
        return self._decisions.is_trusted(self._repo.project, key_id)

    def outputs(self, commit: str) -> bytes:
        """Return the nbformat outputs of a result, a JSON list."""
        cell = self._repo.read_commit(CommitId(bytes.fromhex(commit))).cell
        return self._repo.read_object(Digest(cell.outputs)) if cell is not None and cell.outputs is not None else b"[]"

    def find(self, key: str, surroundings: Mapping[str, str], beside: Beside = NOTHING) -> tuple[Result | None, str]:
        """Return the newest result of a key that is good now; or none, and why the newest of them is not."""
        why = ""
        for commit in self.commits_of(key):
            try:
                result = self.read(commit)
            except NotTrustedError as error:
                why = why or f"there is a result, but {error.message}"
                continue
            except CellarError as error:
                why = why or f"its result cannot be used: {error.message}"
                continue
            if result is None or result.facts.key != key:
                continue
            reason = self.why_not(result, surroundings, beside)
            if not reason:
                return result, ""
            why = why or reason
        return None, why

    def is_outdated(self, result: Result, surroundings: Mapping[str, str], beside: Beside) -> bool:
        """True if a result that somebody else began met other files than there are now."""
        self.forget_files()
        return bool(self.why_not(result, surroundings, beside))

    def why_not(self, result: Result, surroundings: Mapping[str, str], beside: Beside = NOTHING) -> str:
        """Return why a result of the right key cannot be used now; empty if it can.

        A file may be as components after it left it, which had it from this one and those before.
        """
        facts = result.facts
        if result.lost:
            return result.lost
        if facts.unsure:
            return facts.unsure
        if reason := self._other_files(facts, beside, _change):
            return reason
        for name, then in facts.environ.items():
            if (now := variable_digest(name, os.environ)) != then:
                return f"the environment variable {name} {_change(then, now)}"
        for name, then in facts.distributions.items():
            if (now := version_of(name)) != then:
                return f"{name} {then} -> {now or 'not installed'}"
        return _other_surroundings(facts, surroundings)

    def files_differ_here(self, facts: Facts, beside: Beside) -> str:
        """Return which file is another one here than where a component ran just now; empty if none is."""
        self.forget_files()
        return self._other_files(facts, beside, _between)

    def installed_otherwise(self, facts: Facts) -> list[str]:
        """Return what else a component met that is other here than where it ran: it will run again for that."""
        found = [
            f"the environment variable {name} is another one than here"
            for name, then in facts.environ.items()
            if variable_digest(name, os.environ) != then
        ]
        for name, there in facts.distributions.items():
            if (here := version_of(name)) != there:
                found.append(f"{name} is {there or 'not installed'}, here {here or 'not installed'}")
        return found

    def _other_files(self, facts: Facts, beside: Beside, change: Callable[[str, str], str]) -> str:
        """Return which file is other now than it was. change: what to say of one, from what was and is there."""
        for path, then in facts.written.items():
            if (now := self.digest_of(path)) != then and now not in beside.later.get(path, ()):
                return f"{path}, which it wrote, is not as it left it"
        for path, then in facts.files.items():
            if not fits(then, beside.earlier.get(path, then)):
                return f"{path} is written otherwise before it"
            if path in facts.written:
                continue
            is_later = path in beside.earlier and beside.later.get(path)
            now = kind_of(self._whole(path)) if then == FILE else self.digest_of(path)
            if not fits(then, now) and not (is_later and now in beside.later[path]):
                return f"{path} {change(then, now)}"
        for path, then in facts.times.items():
            if path not in beside.earlier and time_of(self._whole(path)) != then:
                return f"{path} was written at another time"
        for path, target in facts.links.items():
            if os.path.realpath(self._whole(path)) != os.path.normpath(os.path.join(self._real_folder, target)):  # noqa: PTH118
                return f"{path} leads elsewhere"
        for path, then in facts.folders.items():
            if self._listing_of(path) != then:
                return f"the files in {path} are others"
        for path, then in facts.modules.items():
            if self._module(path) != then:
                return f"the module {path} changed"
            if is_hidden(self._whole(path)):
                return f"the module {path} is hidden by a package"
        if reason := self._found_elsewhere(facts):
            return reason
        for name in facts.absent:
            if is_there(name, self._real_folder):
                return f"the module {name} {change('', name)}"
        return ""

    def _found_elsewhere(self, facts: Facts) -> str:
        """Return which module would be another one now, as a file has come that is found before it."""
        if not facts.origins:
            return ""
        places = [
            (place, self._names_in(place)) for place in places_of(str(self._folder), facts.process, facts.surroundings)
        ]
        for name, then in facts.origins.items():
            now = provider(name, places)
            if now != (self._whole(then) if then else "") and os.path.realpath(now) != os.path.realpath(
                self._whole(then)
            ):
                return f"the module {name} is found elsewhere now"
        return ""

    def _names_in(self, place: str) -> frozenset[str]:
        if place not in self._names:
            try:
                self._names[place] = frozenset(os.listdir(place))
            except OSError:
                self._names[place] = frozenset()
        return self._names[place]

    # the last result of a component -----------------------------------------------------------------------------

    def last(self, notebook: NotebookId | None, cell: str) -> Result | None:
        """Return the last result of a component, whatever its key was; None: there is none that may be used."""
        value = self._repo.store.ref(notebook, LAST + cell) if notebook is not None else None
        if value is None:
            return None
        try:
            return self.read(CommitId(value))
        except CellarError:
            return None

    def note_last(self, notebook: NotebookId | None, made: Mapping[str, str]) -> None:
        """Note the last results of components: id of the cell -> commit in hexadecimal."""
        if notebook is None:
            return
        store = self._repo.store
        changes = [(LAST + cell, store.ref(notebook, LAST + cell), bytes.fromhex(new)) for cell, new in made.items()]
        changes = [(name, old, new) for name, old, new in changes if old != new]
        if not changes or store.read_only:
            return
        try:
            with store.begin() as tx:
                for name, old, new in changes:
                    tx.set_ref(notebook, name, old=old, new=new)
                tx.commit()
        except ConflictError:  # another run of the same notebook was faster: its results are as new
            return

    def other_values(self, last: Result | None, now: Result, beside: Beside) -> list[str]:
        """Return the names that came out otherwise than the last time, where all that is known of is as it was then."""
        if last is None or last.facts.key != now.facts.key or last.commit == now.commit:
            return []
        if self.why_not(last, now.facts.surroundings, beside):
            return []
        return sorted(
            name
            for name, value in now.values.items()
            if value.digest and name in last.values and last.values[name].digest not in ("", value.digest)
        )

    def explain(self, last: Result | None, now: Facts) -> str:
        """Return what is other than at the last run of a component."""
        if last is None:
            return "it has not run yet"
        then = last.facts
        if then.code != now.code:
            return "its code changed"
        for name, value in now.parameters.items():
            if name not in then.parameters:
                return f"parameter {name} is new"
            if canonical(then.parameters[name]) != canonical(value):
                return f"parameter {name} {_shown(then.parameters[name])} -> {_shown(value)}"
        for name, digest in now.reads.items():
            if then.reads.get(name) != digest:
                return f"'{name}' changed" if name in then.reads else f"it takes '{name}' now"
        if then.python != now.python:
            return f"{then.python} -> {now.python}"
        return "what it depends on changed" if then.key != now.key else ""

    # digests of what is there now ---------------------------------------------------------------------------------

    def digest_of(self, path: str) -> str:
        """Return the digest of a file as it is now."""
        if path not in self._files:
            self._files[path] = file_digest(self._whole(path))
        return self._files[path]

    def _listing_of(self, path: str) -> str:
        if path not in self._folders:
            self._folders[path] = folder_digest(self._whole(path))
        return self._folders[path]

    def _module(self, path: str) -> str:
        if path not in self._modules:
            self._modules[path] = module_digest(self._whole(path))
        return self._modules[path]

    def _whole(self, path: str) -> str:
        return os.path.join(self._folder, path)  # noqa: PTH118 - an absolute one stays


def facts_of(commit: Commit) -> Facts | None:
    """Return what the message of a result says; None for a commit that is none."""
    if commit.kind is not CommitKind.AUTO:
        return None
    try:
        facts = msgspec.json.decode(commit.message, type=Facts)
    except (msgspec.DecodeError, UnicodeEncodeError):
        return None
    return facts if facts.key and scope_of(facts.key) == commit.notebook else None


def _lost(entries: Iterable[Covariable], thinned: Mapping[bytes, int]) -> str:
    for entry in entries:
        if entry.value in thinned:
            return f"its '{', '.join(entry.names)}' was thinned out"
        if entry.reason == REASON:
            return f"its '{', '.join(entry.names)}' was forgotten"
    return ""


def _other_surroundings(facts: Facts, now: Mapping[str, str]) -> str:
    from nbcellar.session.surroundings.ambient import RANDOM_PARTS

    for part in sorted(facts.surroundings.keys() | now.keys()):
        if part in RANDOM_PARTS and part not in facts.consumed:
            continue
        if facts.surroundings.get(part) != now.get(part):
            return f"it would begin with another state of {part}"
    return ""


def _change(then: str, now: str) -> str:
    if not then:
        return "is there now"
    return "changed" if now else "is gone"


def _between(there: str, here: str) -> str:
    if not there:
        return "is here and not there"
    return "is another one there" if here else "is there and not here"


def _shown(value: Any) -> str:
    text = sealed_as_text(value)
    return text if len(text) <= 40 else text[:37] + "..."


__all__ = ["LAST", "NOTHING", "Beside", "Cache", "Outlook", "Result", "facts_of"]
