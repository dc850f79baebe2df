"""Gives a component what it takes: values from results, as fresh objects, with the classes that they are made of.

Invariant: an object comes back as one of the class of which it was made. Where the class was defined anew since, and
both would be needed in one namespace, nothing is guessed: that is an error. Not for: which values these are
(`resolving.py`).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from nbcellar.errors import CannotRestoreError, CorruptStoreError, NotFoundError
from nbcellar.history.model import Covariable
from nbcellar.ids import CommitId
from nbcellar.pipeline.model import Facts, Take
from nbcellar.pipeline.values import class_digests
from nbcellar.session.encode import Limits
from nbcellar.session.plan import Plan
from nbcellar.session.restore import Restorer

if TYPE_CHECKING:
    from nbcellar.history.repository import Repository
    from nbcellar.session.engine import Session


class _Definition(NamedTuple):
    """A class as a result, a commit in hexadecimal, defines it."""

    entry: Covariable
    digest: str
    commit: str


def bring(session: Session, repo: Repository, takes: Iterable[Take], definitions: Iterable[str]) -> dict[str, str]:
    """Load the names that are taken into the session's namespace; return uid -> digest of the classes that are there.

    definitions: results, beside those of `takes`, that define classes; commits in hexadecimal.
    """
    takes = tuple(takes)
    classes = _Classes(repo, dict.fromkeys([*definitions, *(take.commit for take in takes)]))
    batch: dict[tuple[str, ...], Covariable] = {}
    held: set[str] = set()
    for take in takes:
        entries = _entries(repo, take)
        if any(held.intersection(entry.names) for entry in entries):
            _load(session, repo, batch.values(), classes)
            batch, held = {}, set()
        for entry in entries:
            classes.need(entry, take.commit)
            batch[entry.names] = entry
            held.update(entry.names)
    _load(session, repo, batch.values(), classes)
    wanted = {name for take in takes for name in take.names} | classes.names()
    for name in list(session.tracker.by_name):
        if name not in wanted:
            session.tracker.namespace.pop(name, None)
    return classes.digests()


class _Classes:
    """The definitions that results hold, and those that are needed of them, one for each uid."""

    def __init__(self, repo: Repository, commits: Iterable[str]) -> None:
        self._of: dict[str, dict[str, _Definition]] = {}
        self._found: dict[str, dict[str, _Definition]] = {}
        self._before: dict[str, Mapping[str, str]] = {}
        self._older: dict[tuple[str, str], str] = {}  # a class that was changed in place -> what it was before
        for commit in commits:
            facts = facts_of(repo, commit)
            before = self._before[commit] = facts.classes
            entries = repo.read_state(CommitId(bytes.fromhex(commit))).covariables
            digests = class_digests(entries, before)
            own = {uid: _Definition(entry, digests[uid], commit) for entry in entries for uid in entry.defines}
            self._of[commit] = own
            for uid, definition in own.items():
                if uid in before and not set(facts.altered).isdisjoint(definition.entry.names):
                    self._older[uid, definition.digest] = before[uid]
            for uid, definition in own.items():
                self._found.setdefault(uid, {})[definition.digest] = definition
        self.needed: dict[str, _Definition] = {}

    def need(self, entry: Covariable, commit: str) -> None:
        """Note what an entry of a result defines and is made of."""
        for uid in entry.defines:
            self._choose(uid, self._of[commit][uid])
        todo = [(uid, commit) for uid in entry.needs]
        while todo:
            uid, where = todo.pop()
            definition = self._of[where].get(uid) or self._found.get(uid, {}).get(self._before[where].get(uid, ""))
            if definition is None:
                raise CannotRestoreError(f"'{', '.join(entry.names)}' is made of {uid}, whose definition is gone")
            if self._choose(uid, definition):
                todo += [(more, definition.commit) for more in definition.entry.needs]

    def _choose(self, uid: str, definition: _Definition) -> bool:
        chosen = self.needed.get(uid)
        if chosen is not None and self._became(uid, definition.digest, chosen.digest):
            return False  # objects of a class that was changed in place since are of what it is now
        if chosen is not None and not self._became(uid, chosen.digest, definition.digest):
            raise CannotRestoreError(
                f"the class {uid} was defined anew: objects of the one before and the new one cannot both be taken",
                hint="give one of the two classes another name",
            )
        self.needed[uid] = definition
        return True

    def _became(self, uid: str, old: str, new: str) -> bool:
        """True if a class is the other one, as it was before somebody changed it in place."""
        seen = set()
        while new != old:
            if new in seen or (uid, new) not in self._older:
                return False
            seen.add(new)
            new = self._older[uid, new]
        return True

    def names(self) -> set[str]:
        """Return the names of the classes that are needed."""
        return {name for definition in self.needed.values() for name in definition.entry.names}

    def digests(self) -> dict[str, str]:
        """Return uid -> digest of the classes that are needed."""
        return {uid: definition.digest for uid, definition in sorted(self.needed.items())}


def facts_of(repo: Repository, commit: str) -> Facts:
    """Return the facts of a result, a commit in hexadecimal. Raises CorruptStoreError."""
    try:
        return msgspec.json.decode(repo.read_commit(CommitId(bytes.fromhex(commit))).message, type=Facts)
    except msgspec.DecodeError as error:
        raise CorruptStoreError(f"the commit {commit[:8]} is no result of a component: {error}") from None


def _entries(repo: Repository, take: Take) -> list[Covariable]:
    state = repo.read_state(CommitId(bytes.fromhex(take.commit)))
    found = [entry for entry in state.covariables if not set(entry.names).isdisjoint(take.names)]
    there = {name for entry in found for name in entry.names}
    if missing := [name for name in take.names if name not in there]:
        raise NotFoundError(f"the result {take.commit[:8]} has no {', '.join(missing)}")
    return found


def _load(session: Session, repo: Repository, entries: Iterable[Covariable], classes: _Classes) -> None:
    entries = list(entries)
    if not entries:
        return
    definitions = {uid: definition.entry for uid, definition in classes.needed.items()}
    there = {id(entry) for entry in entries}
    extra = {id(entry): entry for entry in _closure(entries, definitions) if id(entry) not in there}
    restorer = Restorer(repo, session.tracker, session.permit, Limits(session.settings.record.memory_mb << 20))
    load = (*extra.values(), *entries)
    plan = Plan((), load, definitions, frozenset(), missing={}, doubtful={}, remove=())
    restorer.restore(plan, {}, lambda: None, time.perf_counter())
    restorer.finish()


def _closure(entries: Iterable[Covariable], definitions: Mapping[str, Covariable]) -> list[Covariable]:
    """Return the definitions that entries need, with those that these need."""
    found: dict[str, Covariable] = {}
    todo = [uid for entry in entries for uid in entry.needs]
    while todo:
        uid = todo.pop()
        if uid not in found and uid in definitions:
            found[uid] = definitions[uid]
            todo += definitions[uid].needs
    return list(found.values())


__all__ = ["bring", "facts_of"]
