"""Checkout of a state: rebuild aside, check, then swap.

Invariant: until everything that can be loaded is rebuilt and encoded again, nothing live has changed: no name, no
class, no random state. The swap itself is a few dictionary operations with signals held back.
"""

from __future__ import annotations

import gc
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from nbcellar.errors import CannotRestoreError, CellarError, CorruptStoreError
from nbcellar.history.model import Covariable, State
from nbcellar.history.repository import Repository
from nbcellar.ids import CommitId, Digest, short
from nbcellar.session import figures
from nbcellar.session.arrays import unlike_files
from nbcellar.session.blocks import memory_at
from nbcellar.session.decode import decode
from nbcellar.session.donors import Donors, Place, places_of
from nbcellar.session.encode import Limits
from nbcellar.session.groups import Group
from nbcellar.session.leftovers import stale_holders
from nbcellar.session.namespaces import Before, entered, let_go
from nbcellar.session.plan import Key, Live, Plan, key_of, plan_checkout
from nbcellar.session.rebuild import RebuildContext
from nbcellar.session.regions import Layout
from nbcellar.session.signals import signals_held
from nbcellar.session.threads import user_threads
from nbcellar.session.tracker import Tracker
from nbcellar.trust.gate import LoadPermit
from nbcellar.values.manifest import decode_value


@dataclass(frozen=True, slots=True)
class Restored:
    """What a checkout did, by variable."""

    kept: tuple[str, ...]
    loaded: tuple[str, ...]
    removed: tuple[str, ...]
    uncertain: Mapping[str, str]
    gone: Mapping[str, str]  # replaced or removed though it was never stored: why it was not
    not_restored: Mapping[str, str]
    threads: tuple[str, ...]
    seconds: float
    emptied: tuple[str, ...] = ()  # functions and classes whose caches held results of what was left
    replayed: tuple[str, ...] = ()  # came back because cells were run again
    unverified: Mapping[str, str] = field(default_factory=dict)  # of `replayed`: nothing could be compared, and why
    stale: Mapping[str, str] = field(default_factory=dict)  # of `uncertain`: what holds on to what was replaced

    def notes(self) -> list[str]:
        """Return what else is to be said of it, as sentences."""
        emptied = [f"results kept by {', '.join(self.emptied)} were dropped"] if self.emptied else []
        gone = (f"what '{name}' held is gone, it could not be stored: {why}" for name, why in sorted(self.gone.items()))
        return [*emptied, *gone]

    def followed_by(self, later: Restored) -> Restored:
        """Return what both turns did: in the second one, what the first had loaded is kept."""
        loaded = (set(self.loaded) | set(later.loaded)) - set(later.removed)
        return replace(
            later,
            gone={**self.gone, **later.gone},
            kept=tuple(sorted(set(later.kept) - loaded)),
            loaded=tuple(sorted(loaded)),
            removed=tuple(sorted(set(self.removed) | set(later.removed))),
            emptied=tuple(sorted(set(self.emptied) | set(later.emptied))),
            stale={**self.stale, **later.stale},
        )


class LiveBlocks:
    """Blocks by digest: from live memory that was hashed a moment ago, else from the store."""

    def __init__(self, repo: Repository, places: Iterable[Place]) -> None:
        self._store = repo.store
        self._live: dict[bytes, tuple[int, int]] = {}
        for place in places:
            start = 0
            for digest, end in zip(place.digests, place.ends, strict=True):
                self._live[digest] = (place.low + start, end - start)
                start = end

    def read(self, digest: Digest) -> bytes:
        """Return a block."""
        place = self._live.get(digest)
        return bytes(memory_at(*place)) if place is not None else self._store.read(digest)

    def read_into(self, digest: Digest, target: memoryview) -> None:
        """Fill `target` with a block."""
        place = self._live.get(digest)
        if place is not None and place[1] == len(target):
            target[:] = memory_at(*place)
        else:
            self._store.read_into(digest, target)


@dataclass(frozen=True, slots=True)
class Given:
    """Objects that are at hand for one co-variable of the target: its names, then its hidden classes."""

    objects: tuple[object, ...]
    roots: tuple[type, ...]


@dataclass(slots=True)
class _Aside:
    """What was rebuilt so far."""

    entries: list[tuple[Covariable, tuple[object, ...]]] = field(default_factory=list)
    classes: dict[str, type] = field(default_factory=dict)
    loading: set[str] = field(default_factory=set)
    again: set[str] = field(default_factory=set)  # being loaded inside of their own loading
    done: set[tuple[tuple[str, ...], tuple[str, ...]]] = field(default_factory=set)
    said: dict[str, str] = field(default_factory=dict)  # by name, what came back as something a bit else

    def copy(self) -> _Aside:
        """Return what there is now, for a load that may fail."""
        return _Aside(
            list(self.entries),
            dict(self.classes),
            set(self.loading),
            set(self.again),
            set(self.done),
            dict(self.said),
        )

    def forget(self, entry: Covariable) -> None:
        """Drop what a load that failed has begun."""
        for uid in entry.defines:
            self.classes.pop(uid, None)
            self.loading.discard(uid)
            self.again.discard(uid)


def _rank(entry: Covariable) -> int:
    """Return 0 for modules, 1 for what defines classes or is a function, 2 for what needs no class, 3 for the rest."""
    kinds = {preview.type for preview in entry.previews}
    if kinds == {"module"}:
        return 0
    if entry.defines or kinds <= {"function", "module", "type"}:
        return 1
    return 3 if entry.needs else 2


class Restorer:
    """Rebuilds a state in a live namespace. One use."""

    def __init__(self, repo: Repository, tracker: Tracker, permit_of: Callable[[CommitId], LoadPermit], limits: Limits):
        self._repo = repo
        self._tracker = tracker
        self._permit_of = permit_of
        self._limits = limits
        self._donors = Donors()
        self._owners: list[object] = []
        self._former_classes: dict[str, type | None] = {}
        self._before: Before | None = None
        self._aside = _Aside()
        self.given: Mapping[Key, Given] = {}  # objects of co-variables of the target that need not be loaded
        self.tell: Callable[[str, str, int, int], None] = lambda what, name, done, total: None  # as `Work.tell`
        self._managers: dict[int, Any] = {}  # of pyplot's figures that were rebuilt
        self._closed: list[Any] = []
        self._split: set[bytes] = set()  # versions that are stored in parts
        self._digests: dict[bytes, list[tuple[bytes, ...]]] = {}  # version -> stored digests by region

    def plan(self, state: State) -> Plan:
        """Return what a checkout of the state would do, with what is given."""
        live = [Live(g.names, g.version, g.defines, bool(g.reason)) for g in self._tracker.groups()]
        return plan_checkout(live, state.covariables, self.given.keys())

    def rebuild(self, plan: Plan, layouts: dict[Group, Layout]) -> list[tuple[Group, tuple[object, ...]]]:
        """Load what the plan asks for, aside; return tracked groups with their objects. Empties `layouts`.

        Raises CannotRestoreError, NotTrustedError, CorruptStoreError naming the variable; nothing live has changed
        then, once `take_back` was called.
        """
        self._aside = _Aside()
        self._offer(plan, layouts)
        with entered(self._tracker.namespace) as namespace:
            let_go(plan.remove, namespace, self._tracker.initial)
            self._load_all(plan, namespace)
            aside = self._aside
            self._managers = self._managed_figures()
            groups = []
            uids = self._tracker.uids
            self._former_classes = {uid: uids.class_of(uid) for uid in aside.classes}
            self._donors.exchange(self._blocks.read)
            for uid, cls in aside.classes.items():
                uids.assign(cls, uid)
            for entry, objects in aside.entries:
                roots = tuple(aside.classes[uid] for uid in entry.defines)
                groups.append((self._adopt(entry, objects, roots), objects))
            if any(group.is_opaque for group, _ in groups):
                self._load_changed_again(groups, plan, namespace)
        self._owners = []
        return groups

    def _load_changed_again(
        self, groups: list[tuple[Group, tuple[object, ...]]], plan: Plan, namespace: dict[str, Any]
    ) -> None:
        """Load anew what is not what was stored: code that ran while others were rebuilt may have written to it."""
        aside = self._aside
        self._blocks = LiveBlocks(self._repo, ())  # live memory may have been exchanged by now
        self._donors.stop()
        for index, (entry, _) in enumerate(list(aside.entries)):
            if groups[index][0].baseline == entry.version or entry.needs or entry.defines:
                continue
            if any(map(figures.is_figure, entry.names)):  # pyplot's manager holds the one that was loaded
                continue
            aside.done.discard((entry.names, entry.defines))
            self._load(entry, plan, aside, namespace)
            _, objects = aside.entries.pop()
            groups[index] = (self._adopt(entry, objects, ()), objects)

    def _load_all(self, plan: Plan, namespace: dict[str, Any]) -> None:
        """Load modules and definitions first, then the rest; what fails once more when the others are there, last."""
        aside = self._aside
        pending = sorted(plan.load, key=_rank)
        while pending:
            failed: list[tuple[Covariable, CellarError]] = []
            for entry in pending:
                if entry.defines and all(uid in aside.classes for uid in entry.defines):
                    continue
                self.tell("load", ", ".join(entry.names), len(aside.entries), len(plan.load))
                mark, begun = self._donors.mark(), aside.copy()
                try:
                    self._load(entry, plan, aside, namespace)
                except (CannotRestoreError, CorruptStoreError) as error:
                    failed.append((entry, error))
                    self._donors.rewind(mark)
                    aside = self._aside = begun  # with what was loaded inside: it may hold what was given up
            if len(failed) == len(pending):  # all of them are named, so that a user can leave them out in one go
                raise _all_of(failed)
            pending = [entry for entry, _ in failed]

    def revert(self) -> bool:
        """Undo the swap, if there was one: the same objects under the same names, tracked as they were."""
        before, self._before = self._before, None
        if before is None:
            return False
        before.put_back(self._tracker)
        self.take_back()
        return True

    def rebuilt(self) -> list[tuple[Covariable, Group]]:
        """Return what was loaded, hidden definitions included, and the groups that stand for it since the swap."""
        tracker, found = self._tracker, []
        for entry, _ in self._aside.entries:
            group = tracker.by_name[entry.names[0]] if entry.names else tracker.by_uid[entry.defines[0]]
            found.append((entry, group))
        return found

    def finish(self) -> None:
        """Close what the swap took out of pyplot; once nothing can be put back any more."""
        closed, self._closed = self._closed, []
        figures.close(closed)

    def take_back(self) -> None:
        """Undo what `rebuild` did to live memory and to the names of classes; for when the swap does not follow."""
        self._donors.put_back()
        for uid, former in self._former_classes.items():
            if former is not None:
                self._tracker.uids.assign(former, uid)

    def _offer(self, plan: Plan, layouts: dict[Group, Layout]) -> None:
        """Note which blocks live memory holds, and which arrays may be taken over."""
        places = {group: list(places_of(group, layout)) for group, layout in layouts.items()}
        # Kept until all is loaded: some memory belongs to temporaries that pickling made.
        self._owners = [region.owner for layout in layouts.values() for region in layout.regions]
        busy = user_threads()  # others may write to what was hashed: nothing live is read, nothing is taken
        self._blocks = LiveBlocks(self._repo, () if busy else (place for found in places.values() for place in found))
        loaded = {name for entry in plan.load for name in entry.names}
        layouts.clear()
        if busy:
            return
        held = Counter(id(obj) for owner in self._owners if isinstance(owner, list) for obj in owner)
        for group, found in places.items():
            if len(group.names) == 1 and found and (group.names[0] in loaded or group.names[0] in plan.remove):
                if figures.is_figure(group.names[0]):
                    continue
                name, offered = group.names[0], {place.low: place for place in found}
                self._donors.add(name, self._tracker.namespace, offered, held)

    def _managed_figures(self) -> dict[int, Any]:
        loaded = {n: o for entry, objects in self._aside.entries for n, o in zip(entry.names, objects, strict=False)}
        try:
            return figures.managed(loaded)
        except Exception as error:
            names = ", ".join(name for name in loaded if figures.is_figure(name))
            raise CannotRestoreError(
                f"pyplot could not open {names}: {type(error).__name__}: {error}",
                hint=f"{_UNCHANGED}; another backend may do: matplotlib.use('agg')",
            ) from error

    def _adopt(self, entry: Covariable, objects: tuple[object, ...], roots: tuple[type, ...]) -> Group:
        if entry.value is None:  # given, because it is not stored: what can be encoded after all will be
            return self._adopt_given(entry, objects, roots)
        try:
            group = self._tracker.adopt(
                entry, objects, roots, self._limits, self._donors.known, entry.version in self._split
            )
        except CannotRestoreError as error:
            raise CannotRestoreError(f"{_name(entry)}: {error.message}", hint=_UNCHANGED) from error
        group.digests = self._digests.get(entry.version, [])
        return group

    def _take(self, entry: Covariable, given: Given, aside: _Aside, namespace: dict[str, Any]) -> None:
        """Use objects that are at hand, as if they had been loaded."""
        aside.done.add(key_of(entry))
        aside.classes.update(zip(entry.defines, given.roots, strict=True))
        namespace.update(figures.without_figures(dict(zip(entry.names, given.objects, strict=False))))
        aside.entries.append((entry, given.objects))

    def _adopt_given(self, entry: Covariable, objects: tuple[object, ...], roots: tuple[type, ...]) -> Group:
        try:
            group = self._tracker.adopt(entry, objects, roots, self._limits, {}, False)
        except CannotRestoreError:
            return self._tracker.adopt_unstorable(entry, objects, roots)
        group.version = group.baseline  # its own: where it is not as recorded, it is another version
        return group

    def _load(self, entry: Covariable, plan: Plan, aside: _Aside, namespace: dict[str, Any]) -> None:
        if key_of(entry) in self.given:
            if key_of(entry) not in aside.done:
                self._take(entry, self.given[key_of(entry)], aside, namespace)
            return
        aside.loading.update(entry.defines)

        def definition(index: int) -> type:
            return self._definition(entry.needs[index], plan, aside, namespace)

        def register(uid: str, cls: type) -> None:
            aside.classes[uid] = cls

        context = RebuildContext(namespace, self._tracker.namespace, definition, register, aside.classes.get)
        try:
            if entry.value is None:
                raise CannotRestoreError(entry.reason)
            value = decode_value(self._repo.read_object(Digest(entry.value)))
            self._digests[entry.version] = [tuple(region.digests()) for region in value.regions]
            if value.container:
                self._split.add(entry.version)
            permit = self._permit_of(CommitId(entry.origin))
            if not permit.covers(entry.value):
                raise CorruptStoreError(f"commit {short(entry.origin)} is said to have recorded it, but did not")
            unlike_files()  # of a load that failed
            objects = decode(value, self._blocks, permit, context.find_class, self._donors)
            if said := unlike_files():
                aside.said.update(dict.fromkeys(entry.names, said))
        except CellarError as error:
            aside.forget(entry)
            if isinstance(error, CorruptStoreError | CannotRestoreError):
                damaged = isinstance(error, CorruptStoreError) and bool(entry.names)
                hint = _the_rest(entry, damaged=True) if damaged else error.hint or _the_rest(entry)
                raise type(error)(f"{_name(entry)}: {error.message}", hint=hint) from error
            raise
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # SystemExit, too: the classes' own code runs
            aside.forget(entry)
            what = f"{type(error).__name__}: {error}"
            raise CannotRestoreError(f"{_name(entry)} could not be rebuilt: {what}", hint=_the_rest(entry)) from error
        key = key_of(entry)
        if key in aside.done:
            return  # a class in it asked for another one that asked for it: what was loaded inside is in use
        aside.done.add(key)
        namespace.update(figures.without_figures(dict(zip(entry.names, objects, strict=False))))
        aside.entries.append((entry, objects))

    def _definition(self, uid: str, plan: Plan, aside: _Aside, namespace: dict[str, Any]) -> type:
        if uid in aside.classes:
            return aside.classes[uid]
        entry = plan.definitions[uid]
        if uid in plan.kept_uids:
            live = self._tracker.uids.class_of(uid)
            if live is not None:
                return live
        if uid in aside.loading:  # asked for before its stream has come to it: see RebuildContext
            if uid in aside.again:
                raise CannotRestoreError(
                    f"class {uid} is needed before it can be made: its definition runs in a circle"
                )
            aside.again.add(uid)
        self._load(entry, plan, aside, namespace)
        return aside.classes[uid]

    def restore(
        self, plan: Plan, layouts: dict[Group, Layout], swap_ambient: Callable[[], None], started: float
    ) -> Restored:
        """Carry out a plan; `swap_ambient` runs inside the swap and must not fail. started: time.perf_counter()."""
        collects = gc.isenabled()
        gc.disable()  # a collection while a million objects appear finds nothing and costs more than they do
        is_swapped = False
        try:
            groups = self.rebuild(plan, layouts)
            loaded = [name for group, _ in groups for name in group.names]
            going = {*loaded, *plan.remove}
            stale = self._stale(going)
            gone = {n: g.lacks for g in self._tracker.groups() if g.lacks for n in g.names if n in going}
            with signals_held():
                self._before = Before.of(self._tracker, going)
                self._swap(plan, groups)
                is_swapped = True
                swap_ambient()
                swapped = time.perf_counter()
        finally:
            if collects:
                gc.enable()
            if not is_swapped:
                with signals_held():
                    self.take_back()
        uncertain = stale | dict(plan.doubtful) | self._aside.said
        uncertain.update(
            {name: entry.uncertain for entry in (*plan.keep, *plan.load) if entry.uncertain for name in entry.names}
        )
        return Restored(
            kept=tuple(sorted(name for entry in plan.keep for name in entry.names)),
            loaded=tuple(sorted(loaded)),
            removed=plan.remove,
            uncertain=uncertain,
            gone=gone,
            not_restored=plan.missing,
            threads=user_threads(),
            seconds=swapped - started,
            stale=stale,
        )

    def _stale(self, going: set[str]) -> dict[str, str]:
        """Return which variables that stay hold on to what goes; what can be encoded shares with it and goes, too."""
        groups = self._tracker.groups()
        namespace = self._tracker.namespace
        names = [name for group in groups if group.reason for name in group.names if name not in going]
        kept = {name: namespace[name] for name in names if name in namespace}
        replaced = [group for group in groups if not group.reason and not going.isdisjoint(group.names)]
        return stale_holders(kept, replaced, namespace) if kept and replaced else {}

    def _swap(self, plan: Plan, groups: list[tuple[Group, tuple[object, ...]]]) -> None:
        namespace, tracker = self._tracker.namespace, self._tracker
        replaced = {name for group, _ in groups for name in group.names}
        old = {g for g in tracker.groups() if replaced.intersection(g.names) or set(plan.remove).intersection(g.names)}
        for group in old:
            tracker.untrack(group.names, group.defines)
        let_go(plan.remove, namespace, tracker.initial)
        for group, objects in groups:
            namespace.update(figures.without_figures(dict(zip(group.names, objects, strict=False))))
            tracker.track(group)
        self._closed = figures.swap(plan.remove, self._managers)


_UNCHANGED = "the session is as it was"


def _the_rest(entry: Covariable, *, damaged: bool = False) -> str:
    if not entry.names:
        return _UNCHANGED
    hint = f"{_UNCHANGED}; the same command with --without {entry.names[0]} brings back the rest"
    return f"{hint}; what else is damaged: cellar check --read-data" if damaged else hint


def _all_of(failed: list[tuple[Covariable, CellarError]]) -> CellarError:
    errors = [error for _, error in failed]
    if len(errors) == 1:
        return errors[0]
    names = sorted(name for entry, _ in failed for name in entry.names[:1])
    kind = CorruptStoreError if any(isinstance(e, CorruptStoreError) for e in errors) else CannotRestoreError
    options = " ".join(f"--without {name}" for name in names)
    return kind(
        "\n  ".join(
            [f"{len(failed)} variables cannot be brought back:", *dict.fromkeys(error.message for error in errors)]
        ),
        hint=f"{_UNCHANGED}; the same command with {options} brings back the rest" if names else errors[0].hint,
    )


def _name(entry: Covariable) -> str:
    if entry.names:
        return "variable " + ", ".join(f"'{name}'" for name in entry.names)
    return f"class {', '.join(entry.defines)}"


__all__ = ["Given", "LiveBlocks", "Restored", "Restorer"]
