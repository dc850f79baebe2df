"""What cells that ran again have made for a state, and what comes along with it so that aliases and classes hold.

A replayed object may share with others that the cells used or made: these are handed over with it where they are what
the state has (same version, never recorded again since), else the object is said to hold an earlier one. Invariant:
nothing is handed over that builds on a class which is not. Not for: running cells (`aside.py`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from nbcellar.history.model import Covariable, State
from nbcellar.history.repository import Repository
from nbcellar.ids import CommitId
from nbcellar.session.figures import with_figures
from nbcellar.session.groups import Group
from nbcellar.session.leftovers import reach, with_bases
from nbcellar.session.plan import Key, key_of
from nbcellar.session.replay.steps import ReplayPlan
from nbcellar.session.restore import Given
from nbcellar.session.sharing import share, share_ids
from nbcellar.session.tracker import Tracker

Left = list[tuple[Group, tuple[object, ...]]]


@dataclass(frozen=True, slots=True)
class Results:
    """given: objects by co-variable of the state; stale, missing: by variable, a sentence each."""

    given: Mapping[Key, Given] = field(default_factory=dict)
    stale: Mapping[str, str] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)


def collect(
    repo: Repository, scratch: Tracker, left: Left, plan: ReplayPlan, target: CommitId, state: State
) -> Results:
    """Return what `plan` wanted for the state of `target`. left: what is no longer in `scratch`, kept alive."""
    return _Collector(repo, scratch, left, target, state).collect(plan.wanted)


class _Collector:
    def __init__(self, repo: Repository, scratch: Tracker, left: Left, target: CommitId, state: State) -> None:
        self._repo = repo
        self._scratch = scratch
        self._groups = scratch.groups()
        self._values = with_figures(dict(scratch.namespace))
        self._left = [group for group, _ in left]
        self._target = target
        self._entries = {key_of(entry): entry for entry in state.covariables}
        self._names = {name for entry in state.covariables for name in entry.names}
        self._given: dict[Key, Given] = {}
        self._fits: dict[Group, bool] = {}

    def collect(self, wanted: Iterable[Covariable]) -> Results:
        stale: dict[str, str] = {}
        missing: dict[str, str] = {}
        found: list[Group] = []
        for entry in wanted:
            group = self._scratch.by_name.get(entry.names[0])
            if group is None or (group.names, group.defines) != key_of(entry):
                missing.update(dict.fromkeys(entry.names, "the cells that were run again did not make it"))
                continue
            self._give(group)
            found.append(group)
        for group in found:
            sentence = self._hand_over(group)
            if sentence:
                stale.update(dict.fromkeys(group.names, sentence))
        return Results(self._given, stale, missing)

    def _give(self, group: Group) -> None:
        objects = tuple(self._values[name] for name in group.names) + group.hidden
        self._given[group.names, group.defines] = Given(objects, group.roots)

    def _hand_over(self, group: Group) -> str:
        """Hand over what a replayed object shares with; return why that was not possible with all, or nothing."""
        reached = reach(tuple(self._values[name] for name in group.names), self._scratch.namespace)
        classes = with_bases(reached.classes)
        former: set[str] = set()
        for other in [*self._groups, *self._left]:
            if other is group:
                continue
            if other.reason:
                touched = share_ids(group.state, other.state) or not classes.isdisjoint(other.roots)
            else:
                touched = share(reached, other) or not classes.isdisjoint(other.roots)
            if not touched:
                continue
            if self._is_the_targets(other):
                self._give_with_classes(other)
            else:
                former.update(self._known_names(other))
        if former:
            names = ", ".join(map(repr, sorted(former)))
            return f"it holds an earlier {names}: cells that were not run again changed it"
        return "" if reached.complete else "what else it shares with cannot be seen"

    def _is_the_targets(self, group: Group) -> bool:
        """True if the state has the very same, with all the classes that it builds on."""
        known = self._fits.get(group)
        if known is None:
            self._fits[group] = group in self._groups  # for classes that need each other
            entry = self._entries.get((group.names, group.defines))
            known = self._fits[group] = (
                self._fits[group]
                and entry is not None
                and entry.version == group.version
                and group.covariable is not None
                and group.covariable.origin == entry.origin
                and all(self._is_the_targets(needed) for needed in self._needed(group))
            )
        return known

    def _give_with_classes(self, group: Group) -> None:
        if (group.names, group.defines) not in self._given:
            self._give(group)
            for needed in self._needed(group):
                self._give_with_classes(needed)

    def _needed(self, group: Group) -> Iterator[Group]:
        by_uid = self._scratch.by_uid
        return (by_uid[uid] for uid in group.needs_uids if uid in by_uid)

    def _known_names(self, group: Group) -> Collection[str]:
        """Return the names by which a user knows what an object holds an earlier version of."""
        names = self._names.intersection(group.names)
        if names or group.reason:
            return names
        return group.names if self._was_changed(group) else ()

    def _was_changed(self, group: Group) -> bool:
        """True unless a variable that is gone went as it was."""
        origin = group.covariable.origin if group.covariable is not None else b""
        current: CommitId | None = self._target
        while current is not None and current != origin:
            commit = self._repo.read_commit(current)
            if commit.state is None:
                current = CommitId(commit.parents[0]) if commit.parents else None
                continue
            if any(not set(group.names).isdisjoint(entry.names) for entry in commit.state.put):
                return True
            current = CommitId(commit.state.base) if commit.state.base is not None else None
        return current is None


__all__ = ["Left", "Results", "collect"]
