"""The live baseline: every co-variable of the session, and what changed since it was last looked at.

Invariant: after `observe`, each user name belongs to exactly one `Group`, and a group's `version` is the hash of
what its objects held when it was last encoded. The tracker changes nothing in the session and writes nothing.
"""

from __future__ import annotations

import gc
import os
import time
from array import array
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any, cast

from nbcellar.errors import CannotRestoreError
from nbcellar.history.model import Covariable
from nbcellar.session.encode import Encoded, Limits, QuickHasher
from nbcellar.session.examine import Examiner, without_temporaries
from nbcellar.session.groups import NOTHING, Changed, Group, Item, Observation, is_atom, is_same
from nbcellar.session.leftovers import state_within
from nbcellar.session.names import NeverStore
from nbcellar.session.regions import KnownHashes, Layout, lay_out
from nbcellar.session.settling import Settling
from nbcellar.session.sharing import Together, partition, share, share_ids, sorted_ids
from nbcellar.session.uids import Uids

QUICK_BYTES = 1 << 18


class Tracker:
    """Observes a user namespace."""

    def __init__(
        self,
        namespace: dict[str, Any],
        recorded: Callable[[Mapping[str, object]], dict[str, object]],
        initial: Mapping[str, object] | None = None,
        never: NeverStore | None = None,
    ):
        """recorded: returns the user's variables of a namespace. initial: what names go back to when they go."""
        self.namespace = namespace
        self.initial = initial or {}
        self._recorded = recorded
        self.uids = Uids()
        self.examiner = Examiner(namespace, self.uids, never or NeverStore())
        self.by_name: dict[str, Group] = {}
        self.by_uid: dict[str, Group] = {}
        self.number = 0
        self.memory_bytes = 256 << 20
        self.settling = Settling(self.examiner)
        self._items: dict[int, Item] = {}  # by id of the object, while one observation lasts
        self._wholes: dict[tuple[str, ...], Item] = {}  # by names, of several, likewise
        self._serials: dict[tuple[str, ...], tuple[tuple[int, ...], bytes]] = {}  # of what cannot be stored
        self.layouts: dict[Group, Layout] | None = None  # filled while a restore looks for blocks in live memory

    # observing ----------------------------------------------------------------------------------------------------

    def observe(
        self,
        touched: Iterable[str] | None,
        *,
        check_s: float = 0.002,
        deadline: float = float("inf"),
        only: Collection[Group] | None = None,
    ) -> Observation:
        """Look at touched names (None: all), new and rebound ones; re-hash others, cheapest first, for `check_s`.

        only: re-hash just these others, whatever it takes, as for `touched` None.

        deadline: time.perf_counter() after which what is touched or new becomes "not recorded: over budget".
        """
        enabled = gc.isenabled()
        gc.disable()  # a collection in the middle of a pass costs more than the pass
        try:
            return self._observe(touched, check_s, deadline, only)
        finally:
            self._items, self._wholes = {}, {}
            if enabled:
                gc.enable()

    def _observe(
        self, touched: Iterable[str] | None, check_s: float, deadline: float, only: Collection[Group] | None
    ) -> Observation:
        started = time.perf_counter()
        self.number += 1
        self.complete()
        limits = Limits(self.memory_bytes, deadline)
        now = self._recorded(self.namespace)
        gone = [name for name in self.by_name if name not in now]
        fresh = [name for name in now if name not in self.by_name]
        pool: dict[str, Item] = {}
        dissolved: dict[Group, bool] = {}  # group -> found by the check only
        must, rest = self._split(now, touched)
        for group in must:
            self._examine(group, now, limits, pool, dissolved, deep=True)
        if only is not None:
            rest = [group for group in rest if group in only]
        if touched is None or only is not None:  # somebody waits for a complete answer: no budget cuts it short
            patient, until = Limits(self.memory_bytes), float("inf")
        else:
            patient, until = limits, started + check_s
        for group in [
            group for group in only or () if group.unstable
        ]:  # it cannot be compared: it is recorded as it is
            self._examine(group, now, patient, pool, dissolved, deep=True)
        checked_all = self._check_rest(rest, now, patient, pool, dissolved, until) and only is None
        for name in fresh:
            pool[name] = self._item(name, now[name], limits)
        changed = self._regroup(pool, dissolved, now, limits) if pool or dissolved else []
        for change in changed:
            self.settling.note(change.group, change.encoded)
        dropped = self._drop_unneeded_definitions()
        created = tuple(sorted(fresh))
        new_names = {name for change in changed for name in change.group.names}
        return Observation(
            number=self.number,
            changed=changed,
            dropped_names=tuple(sorted(name for name in gone)),
            dropped_definitions=dropped,
            created=created,
            modified=tuple(sorted(new_names - set(created))),
            deleted=tuple(sorted(gone)),
            checked_all=checked_all,
            seconds=time.perf_counter() - started,
        )

    def _split(self, now: Mapping[str, object], touched: Iterable[str] | None) -> tuple[list[Group], list[Group]]:
        """Return the groups that must be looked at, and the others."""
        names = None if touched is None else set(touched)
        must: list[Group] = []
        rest: list[Group] = []
        get = now.get
        for group in self.groups():
            if len(group.names) == 1:
                obj = get(group.names[0], NOTHING)
                same = id(obj) == group.object_ids[0]
                if same and group.atom is obj:
                    group.verified = self.number
                    continue
            else:
                same = all(id(get(n, NOTHING)) == i for n, i in zip(group.names, group.object_ids, strict=False))
            if not same or (names is not None and not names.isdisjoint(group.names)):
                must.append(group)
            else:
                rest.append(group)
        return must, rest

    def variables(self) -> dict[str, object]:
        """Return the recorded names that are bound now."""
        namespace = self.namespace
        return {name: namespace[name] for name in self.by_name if name in namespace}

    def groups(self) -> list[Group]:
        """Return all live groups, each once."""
        return list(dict.fromkeys([*self.by_name.values(), *self.by_uid.values()]))

    def _check_rest(
        self,
        rest: list[Group],
        now: Mapping[str, object],
        limits: Limits,
        pool: dict[str, Item],
        dissolved: dict[Group, bool],
        until: float,
    ) -> bool:
        """Re-hash groups that nothing points at, least recently verified among the cheap ones first."""
        rest = [group for group in rest if not group.reason and not group.unstable]
        rest.sort(key=lambda group: (group.seconds > 0.001, group.verified, group.seconds))
        hasher = QuickHasher(self.examiner.context, limits)
        for position, group in enumerate(rest):
            if time.perf_counter() + group.seconds > until:
                return position == len(rest)
            if group.is_plain and self.examiner.is_same(hasher, self._objects_of(group, now), group.baseline):
                group.verified = self.number
                continue
            self._examine(group, now, limits, pool, dissolved, deep=False)
        return True

    def _examine(
        self,
        group: Group,
        now: Mapping[str, object],
        limits: Limits,
        pool: dict[str, Item],
        dissolved: dict[Group, bool],
        *,
        deep: bool,
    ) -> None:
        """Encode a group again; if it is not what it was, take it apart into the pool."""
        alive = [name for name in group.names if name in now]
        if len(alive) == len(group.names) and not group.reason:
            objects = self._objects_of(group, now)
            roots = frozenset(id(obj) for obj in objects if self.examiner.is_definition(obj))
            item = self.examiner.try_encode(objects, limits, roots, sharing=deep, split=None if deep else group.split)
            if item.encoded is not None:
                layout = item.layout = lay_out(item.encoded)
                version = self.examiner.version(item.encoded, layout, group.defines)
                if version != group.baseline and self._is_as_stored(group, objects, item.encoded, limits, roots):
                    group.baseline = version
                    group.is_plain = False
                if version == group.baseline and not (deep and self.examiner.loses(group, item.encoded)):
                    if not deep or self._shares_as_before(group, item):
                        group.verified = self.number
                        group.object_ids = tuple(id(now[n]) for n in group.names)
                        if self.layouts is not None:
                            self.layouts[group] = layout
                        return
                are_the_same = tuple(map(id, objects[: len(group.names)])) == group.object_ids
                if are_the_same and self.settling.is_settled(group, item.encoded, limits):
                    group.baseline, group.verified = version, self.number
                    return
                if not deep and self.examiner.is_unstable(group, version, objects, limits, roots):
                    group.unstable = True
                    return
                if deep and len(objects) > 1 and not roots:
                    self._wholes[group.names] = item
            if len(alive) == 1 and deep:
                item.name, item.obj = alive[0], objects[0]
                dissolved[group] = not deep
                pool[alive[0]] = item
                return
        dissolved[group] = not deep
        for name in alive:
            pool[name] = self._item(name, now[name], limits)

    def _item(self, name: str, obj: object, limits: Limits) -> Item:
        """Look at one variable; not twice at an object that has several names, which will be one co-variable."""
        known = self._items.get(id(obj))
        if known is None or known.encoded is None or not (known.shared or known.spans):
            known = self._items[id(obj)] = self.examiner.item(name, obj, limits)
            return known
        return self.examiner.item(name, obj, limits) if self.examiner.leaves_out(name) else replace(known, name=name)

    def _is_as_stored(
        self, group: Group, objects: tuple[object, ...], encoded: Encoded, limits: Limits, roots: frozenset[int]
    ) -> bool:
        return bool(group.results) and self.examiner.only_results_appeared(group, objects, encoded, limits, roots)

    def _shares_as_before(self, group: Group, item: Item) -> bool:
        """True if a group that holds what it held shares nothing new; what pickling makes anew each time is nothing."""
        if item.shared == group.shared and item.spans == group.spans:
            return True
        if len(group.names) != 1 or any(share(item, other) for other in self.groups() if other is not group):
            return False
        group.shared, group.spans = item.shared, item.spans
        return True

    def _objects_of(self, group: Group, now: Mapping[str, object]) -> tuple[object, ...]:
        return tuple(now[name] for name in group.names) + group.hidden

    def adopt(
        self,
        covariable: Covariable,
        objects: tuple[object, ...],
        roots: tuple[type, ...],
        limits: Limits,
        known: KnownHashes,
        split: bool,
    ) -> Group:
        """Return a group for objects that were just rebuilt: their hash is the baseline, the version stays the
        stored one.

        The group is not tracked until `track`; what it shares is found out by `complete`, later, if that takes long.
        Raises CannotRestoreError if the objects cannot be encoded again.
        """
        quick = covariable.size_bytes <= QUICK_BYTES
        item = self.examiner.try_encode(
            objects, limits, frozenset(map(id, roots)), sharing=quick, split=None if quick else split
        )
        if item.encoded is None:
            raise CannotRestoreError(f"what was rebuilt cannot be encoded again: {item.reason}")
        group = self.examiner.make_group(covariable.names, roots, objects[: len(covariable.names)], item, self.number)
        self.examiner.fill(group, item.encoded, lay_out(item.encoded, known))
        if len(objects) == 1 and is_atom(objects[0]) and covariable.names:
            group.atom = objects[0]
        group.version, group.covariable = covariable.version, covariable
        self.settling.adopt(group, item.encoded)
        group.is_complete = quick
        return group

    def adopt_unstorable(self, covariable: Covariable, objects: tuple[object, ...], roots: tuple[type, ...]) -> Group:
        """Return a group for objects that are not stored and that cells made anew, as the version recorded."""
        count = len(covariable.names)
        item = Item("", objects, None, covariable.reason or "it was not stored", array("Q"), ())
        group = self.examiner.make_group(covariable.names, roots, objects[:count], item, self.number)
        group.covariable = covariable
        group.state, group.is_whole = state_within(objects, self.namespace)
        self.stand_for(group, covariable.version)
        return group

    def stand_for(self, group: Group, version: bytes) -> None:
        """Let a group that is not stored be the recorded version of its object."""
        group.version = version
        if group.reason:
            group.baseline = version
        self._serials[group.names] = (group.object_ids, version[:8])

    def complete(self) -> None:
        """Find out what rebuilt groups share, where that was put off."""
        unknown = [group for group in self.groups() if not group.is_complete]
        now = self._recorded(self.namespace) if unknown else {}
        for group in unknown:
            if all(name in now for name in group.names):
                objects = self._objects_of(group, now)
                roots = frozenset(map(id, group.roots))
                item = self.examiner.try_encode(objects, Limits(self.memory_bytes), roots, split=group.split or None)
                group.shared, group.spans, group.is_complete = item.shared, item.spans, True

    def unverified_since(self, number: int, longest_s: float) -> list[Group]:
        """Return groups that were not hashed after an observation and that hashing can judge, the quickest first."""
        found = [
            group
            for group in self.groups()
            if group.verified <= number and not group.reason and not group.unstable and group.seconds <= longest_s
        ]
        return sorted(found, key=lambda group: group.seconds)

    def codeless_names(self) -> frozenset[str]:
        """Return names of large values, still the same objects, that lead to no code: no need to walk through them."""
        return frozenset(
            name
            for name, group in self.by_name.items()
            if group.is_codeless and group.size_bytes > QUICK_BYTES
            if id(self.namespace.get(name)) in group.object_ids
        )

    def track(self, group: Group) -> None:
        """Let a group stand for its names and definitions."""
        for name in group.names:
            self.by_name[name] = group
        for uid in group.defines:
            self.by_uid[uid] = group

    def untrack(self, names: Iterable[str], uids: Iterable[str]) -> None:
        """Forget names and definitions that left the session."""
        for name in names:
            self.by_name.pop(name, None)
        for uid in uids:
            self.by_uid.pop(uid, None)

    # grouping -----------------------------------------------------------------------------------------------------

    def _regroup(
        self, pool: dict[str, Item], dissolved: dict[Group, bool], now: Mapping[str, object], limits: Limits
    ) -> list[Changed]:
        for group in dissolved:
            self._forget(group)
        hidden = self._needed_classes(pool, dissolved, now, limits)
        items = list(pool.values()) + hidden
        self._pull_in_sharers(items, dissolved, now, limits)
        changed = []
        former = {name: group for group in dissolved for name in group.names}
        former_uid = {uid: group for group in dissolved for uid in group.defines}
        for indexes in partition(items):
            change = self._new_group([items[i] for i in indexes], limits)
            old = next((former[n] for n in change.group.names if n in former), None)
            if old is None and change.group.defines:
                old = former_uid.get(change.group.defines[0])
            if old is not None and is_same(old, change.group):
                change.group.covariable, change.group.digests = old.covariable, old.digests
                change.group.version, change.group.unsaved = old.version, old.unsaved
                change.group.stored, change.group.results = old.stored, old.results
                change.group.unused = old.unused
                continue  # only its sharing was looked at again
            if old is not None and dissolved[old]:
                change.unseen = True
                if old.verified < self.number - 1:
                    change.doubtful, change.doubtful_since = old.version, old.verified
            changed.append(change)
        return changed + self._used_with(changed, dissolved, now)

    def _used_with(
        self, changed: list[Changed], dissolved: Collection[Group], now: Mapping[str, object]
    ) -> list[Changed]:
        """Give what cannot be stored a new version, too, where it shares state with what may have been used."""
        used = [group for group in (*dissolved, *(change.group for change in changed)) if group.reason]
        found = []
        for group in self.groups() if used else ():
            if group.reason and group not in used and any(_shares_state(group, other) for other in used):
                group.version = group.baseline = group.version[:8] + os.urandom(8)
                found.append(Changed(group, tuple(now[name] for name in group.names), None, None))
        return found

    def _forget(self, group: Group) -> None:
        for name in group.names:
            if self.by_name.get(name) is group:
                del self.by_name[name]
        for uid in group.defines:
            if self.by_uid.get(uid) is group:
                del self.by_uid[uid]

    def _needed_classes(
        self, pool: dict[str, Item], dissolved: dict[Group, bool], now: Mapping[str, object], limits: Limits
    ) -> list[Item]:
        """Return items for notebook classes that are needed but that no name is bound to directly."""
        named = {id(item.obj) for item in pool.values() if self.examiner.is_definition(item.obj)}
        known = {id(root) for group in self.by_uid.values() for root in group.roots}
        hidden: dict[int, Item] = {}
        queue: list[type] = [cls for group in dissolved for cls in group.roots]
        queue += [cls for group in self.groups() for cls in group.needs]
        queue += [cls for item in pool.values() if item.encoded is not None for cls in item.encoded.needs]
        wanted = {id(cls) for group in self.groups() for cls in group.needs}
        wanted |= {id(cls) for item in pool.values() if item.encoded is not None for cls in item.encoded.needs}
        while queue:
            cls = queue.pop()
            ident = id(cls)
            if ident in named or ident in known or ident in hidden or ident not in wanted:
                continue
            item = hidden[ident] = self.examiner.item("", cls, limits)
            for needed in item.encoded.needs if item.encoded is not None else ():
                wanted.add(id(needed))
                queue.append(needed)
        return list(hidden.values())

    def _pull_in_sharers(
        self, items: list[Item], dissolved: dict[Group, bool], now: Mapping[str, object], limits: Limits
    ) -> None:
        """Take apart unchanged groups that share state with an item; their cached ids are confirmed by a fresh pass."""
        batch = [item for item in items if item.shared or item.spans]
        while batch:
            looked_at, batch = batch, []
            together, is_rough = Together(looked_at), True
            for group in self.groups():
                if group.reason or not together.share(group):
                    continue
                if is_rough:
                    together, is_rough = Together([without_temporaries(item) for item in looked_at]), False
                    if not together.share(group):
                        continue
                fresh = [self._item(name, now[name], limits) for name in group.names]
                fresh += [self.examiner.item("", root, limits) for root in group.hidden]
                if any(map(together.share, fresh)):
                    dissolved.setdefault(group, False)
                    self._forget(group)
                    items.extend(fresh)
                    batch.extend(fresh)
                else:  # stale ids: memory that was freed and used again
                    group.shared = sorted_ids(array("Q", {i for other in fresh for i in other.shared}))
                    group.spans = tuple(sorted({span for other in fresh for span in other.spans}))

    def _new_group(self, items: list[Item], limits: Limits) -> Changed:
        named = sorted((item for item in items if item.name), key=lambda item: item.name)
        names = tuple(item.name for item in named)
        roots = tuple({id(i.obj): i.obj for i in (*named, *items) if self.examiner.is_definition(i.obj)}.values())
        hidden = cast(tuple[type, ...], tuple(item.obj for item in items if not item.name))
        objects = (*(item.obj for item in named), *hidden)
        whole = items[0] if len(items) == 1 else self._whole(names, objects, roots, limits)
        if whole.encoded is not None:
            reason = self.examiner.fidelity.reason(whole.encoded, self.examiner.context)
            if reason:
                whole = Item("", objects, None, reason, whole.shared, whole.spans)
        group = self.examiner.make_group(
            names, cast(tuple[type, ...], roots), tuple(item.obj for item in named), whole, self.number
        )
        layout = None
        if whole.encoded is None:
            ids, serial = self._serials.get(names, ((), b""))
            if ids != group.object_ids:
                serial = os.urandom(8)
                self._serials[names] = (group.object_ids, serial)
            group.version = group.baseline = serial + os.urandom(8)
            group.state, group.is_whole = state_within(objects, self.namespace)
        else:
            layout = self.examiner.fill(group, whole.encoded, whole.layout or lay_out(whole.encoded))
            if len(named) == 1 and is_atom(named[0].obj):
                group.atom = named[0].obj
        self.track(group)
        return Changed(group, objects, whole.encoded, layout)

    def _whole(
        self, names: tuple[str, ...], objects: tuple[object, ...], roots: tuple[object, ...], limits: Limits
    ) -> Item:
        """Encode several objects together; not again what was the same co-variable a moment ago."""
        known = None if roots else self._wholes.get(names)
        if known is not None and isinstance(known.obj, tuple) and list(map(id, known.obj)) == list(map(id, objects)):
            return known
        return self.examiner.try_encode(objects, limits, frozenset(map(id, roots)))

    def _drop_unneeded_definitions(self) -> tuple[str, ...]:
        """Forget hidden definitions that nothing reaches any more."""
        hidden = [group for group in dict.fromkeys(self.by_uid.values()) if not group.names]
        if not hidden:
            return ()
        needed = {uid for group in self.by_name.values() for uid in group.needs_uids}
        alive: set[str] = set()
        while needed - alive:
            alive |= needed
            needed = {u for uid in alive if uid in self.by_uid for u in self.by_uid[uid].needs_uids} | needed
        dropped = [group for group in hidden if alive.isdisjoint(group.defines)]
        for group in dropped:
            self._forget(group)
        return tuple(sorted(uid for group in dropped for uid in group.defines))


def _shares_state(a: Group, b: Group) -> bool:
    return not (a.is_whole and b.is_whole) or share_ids(a.state, b.state)
