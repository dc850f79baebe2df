"""The live baseline: every co-variable of the session, and what changed since it was last looked at.

Invariant: after `observe`, each user name belongs to exactly one `Group`, and a group's `version` is the hash of what its
objects held when it was last encoded. The tracker changes nothing in the session and writes nothing.
"""

from __future__ import annotations

import gc
import os
import time
from array import array
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from xxhash import xxh3_128

from nbcellar.errors import CannotRestoreError, CellarError
from nbcellar.history.model import Covariable
from nbcellar.session.encode import Context, Encoded, Limits, OverBudgetError, QuickHasher, encode
from nbcellar.session.fidelity import Fidelity, is_opaque
from nbcellar.session.immutable import ATOMS
from nbcellar.session.importable import is_notebook_class
from nbcellar.session.regions import KnownHashes, Layout, lay_out, overlapping_inline
from nbcellar.session.sharing import Span, partition, share, sorted_ids, spans_of
from nbcellar.session.uids import Uids

_NOTHING: Any = object()
_NO_IDS: array[int] = array("Q")
SMALL_ATOM_BYTES = 4096
QUICK_BYTES = 1 << 18


@dataclass(slots=True, eq=False)
class Group:
    """One live co-variable. `covariable` is set by the writer when the version is stored."""

    names: tuple[str, ...]
    roots: tuple[type, ...]  # notebook classes whose definition belongs to it
    hidden: tuple[type, ...]  # those of them that no name is bound to
    object_ids: tuple[int, ...]
    version: bytes  # what history calls this version
    baseline: bytes  # hash of the live objects; differs from version after a restore of, say, a set of strings
    shared: array[int]
    spans: tuple[Span, ...]
    needs: tuple[type, ...]
    needs_uids: tuple[str, ...]
    defines: tuple[str, ...]
    seconds: float
    size_bytes: int
    verified: int  # number of the observation that last hashed it
    reason: str = ""  # why it cannot be stored; empty: it can
    atom: object = _NOTHING  # the one object, if it is immutable: then identity is enough
    covariable: Covariable | None = None
    is_opaque: bool = False  # some class of it decides itself what its pickles hold
    is_plain: bool = False  # its short stream is all of it
    is_complete: bool = True  # `shared` and `spans` are known
    split: bool = False  # encoded in parts
    unstable: bool = False  # its pickle differs each time: only cells that name it count as changing it
    blocks: tuple[tuple[bytes, ...], ...] = ()  # quick hashes of its regions' blocks
    digests: list[tuple[bytes, ...]] = field(default_factory=list)  # stored digests, parallel, set by the writer


@dataclass(slots=True)
class Changed:
    """A new version: the group and what to store (None: it cannot be stored)."""

    group: Group
    objects: tuple[object, ...]
    encoded: Encoded | None
    layout: Layout | None
    unseen: bool = False  # found by the check of everything, not by the analysis
    doubtful: bytes = b""  # the former version, if it may be wrong since the observation `doubtful_since`
    doubtful_since: int = 0


@dataclass(slots=True)
class Observation:
    """What one look at the session found."""

    number: int
    changed: list[Changed]
    dropped_names: tuple[str, ...]
    dropped_definitions: tuple[str, ...]
    created: tuple[str, ...]
    modified: tuple[str, ...]
    deleted: tuple[str, ...]
    checked_all: bool
    seconds: float


@dataclass(slots=True, eq=False)
class _Item:
    """A name (or a class that no name is bound to) that is being grouped anew."""

    name: str
    obj: object
    encoded: Encoded | None
    reason: str
    shared: array[int]
    spans: tuple[Span, ...]


class Tracker:
    """Observes a user namespace."""

    def __init__(
        self, namespace: dict[str, Any], is_user_name: Callable[[str, object], bool], uids: Uids | None = None
    ):
        self.namespace = namespace
        self.is_user_name = is_user_name
        self.uids = uids or Uids()
        self.context = Context(namespace, self.uids.uid_of)
        self.fidelity = Fidelity()
        self.by_name: dict[str, Group] = {}
        self.by_uid: dict[str, Group] = {}
        self.number = 0
        self.memory_bytes = 256 << 20
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

        only: re-hash just these others, whatever it takes.

        deadline: time.perf_counter() after which what is left becomes "not recorded: over budget".
        """
        enabled = gc.isenabled()
        gc.disable()  # a collection in the middle of a pass costs more than the pass
        try:
            return self._observe(touched, check_s, deadline, only)
        finally:
            if enabled:
                gc.enable()

    def _observe(
        self, touched: Iterable[str] | None, check_s: float, deadline: float, only: Collection[Group] | None
    ) -> Observation:
        started = time.perf_counter()
        self.number += 1
        self.complete()
        limits = Limits(self.memory_bytes, deadline)
        now = self._user_objects()
        gone = [name for name in self.by_name if name not in now]
        fresh = [name for name in now if name not in self.by_name]
        pool: dict[str, _Item] = {}
        dissolved: dict[Group, bool] = {}  # group -> found by the check only
        must, rest = self._split(now, touched)
        for group in must:
            self._examine(group, now, limits, pool, dissolved, deep=True)
        if only is not None:
            rest = [group for group in rest if group in only]
        until = deadline if touched is None or only is not None else started + check_s
        checked_all = self._check_rest(rest, now, limits, pool, dissolved, until) and only is None
        for name in fresh:
            pool[name] = self._item(name, now[name], limits)
        changed = self._regroup(pool, dissolved, now, limits) if pool or dissolved else []
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

    def verify_all(self, deadline: float = float("inf")) -> Observation:
        """Hash everything again; what changed is a change that no cell run accounts for."""
        return self.observe(None, deadline=deadline)

    def _user_objects(self) -> dict[str, object]:
        keep = self.is_user_name
        return {name: obj for name, obj in self.namespace.items() if keep(name, obj)}

    def _split(self, now: Mapping[str, object], touched: Iterable[str] | None) -> tuple[list[Group], list[Group]]:
        """Return the groups that must be looked at, and the others."""
        names = None if touched is None else set(touched)
        must: list[Group] = []
        rest: list[Group] = []
        for group in self.groups():
            same = all(id(now.get(n, _NOTHING)) == i for n, i in zip(group.names, group.object_ids, strict=False))
            if same and group.atom is not _NOTHING and now.get(group.names[0], _NOTHING) is group.atom:
                group.verified = self.number
            elif not same or (names is not None and not names.isdisjoint(group.names)):
                must.append(group)
            else:
                rest.append(group)
        return must, rest

    def groups(self) -> list[Group]:
        """Return all live groups, each once."""
        return list(dict.fromkeys([*self.by_name.values(), *self.by_uid.values()]))

    def _check_rest(
        self,
        rest: list[Group],
        now: Mapping[str, object],
        limits: Limits,
        pool: dict[str, _Item],
        dissolved: dict[Group, bool],
        until: float,
    ) -> bool:
        """Re-hash groups that nothing points at, least recently verified among the cheap ones first."""
        rest = [group for group in rest if not group.reason and not group.unstable]
        rest.sort(key=lambda group: (group.seconds > 0.001, group.verified, group.seconds))
        hasher = QuickHasher(self.context, limits)
        for position, group in enumerate(rest):
            if time.perf_counter() + group.seconds > until:
                return position == len(rest)
            if group.is_plain and self._is_same(hasher, self._objects_of(group, now), group.baseline):
                group.verified = self.number
                continue
            self._examine(group, now, limits, pool, dissolved, deep=False)
        return True

    @staticmethod
    def _is_same(hasher: QuickHasher, objects: tuple[object, ...], baseline: bytes) -> bool:
        try:
            return hasher.hash(objects) == baseline
        except KeyboardInterrupt:
            raise
        except BaseException:  # a class's own code; the full examination says what it is
            return False

    def _examine(
        self,
        group: Group,
        now: Mapping[str, object],
        limits: Limits,
        pool: dict[str, _Item],
        dissolved: dict[Group, bool],
        *,
        deep: bool,
    ) -> None:
        """Encode a group again; if it is not what it was, take it apart into the pool."""
        alive = [name for name in group.names if name in now]
        if len(alive) == len(group.names) and not group.reason:
            objects = self._objects_of(group, now)
            roots = frozenset(id(obj) for obj in objects if self._is_definition(obj))
            item = self._try_encode(objects, limits, roots, sharing=deep, split=None if deep else group.split)
            if item.encoded is not None:
                layout = lay_out(item.encoded)
                version = self._version(item.encoded, layout, group.defines)
                if version == group.baseline and not (deep and self._loses(group, objects, item.encoded)):
                    if not deep or (item.shared == group.shared and item.spans == group.spans):
                        group.verified = self.number
                        group.object_ids = tuple(id(now[n]) for n in group.names)
                        if self.layouts is not None:
                            self.layouts[group] = layout
                        return
                if not deep and self._is_unstable(group, version, objects, limits, roots):
                    group.unstable = True
                    return
            if len(alive) == 1 and deep:
                item.name, item.obj = alive[0], objects[0]
                dissolved[group] = not deep
                pool[alive[0]] = item
                return
        dissolved[group] = not deep
        for name in alive:
            pool[name] = self._item(name, now[name], limits)

    def _loses(self, group: Group, objects: tuple[object, ...], encoded: Encoded) -> bool:
        """True if a class of its own pickling turns out to leave something out, now that its attributes differ."""
        return group.is_opaque and bool(self.fidelity.reason(objects, encoded, self.namespace))

    def _is_unstable(
        self, group: Group, version: bytes, objects: tuple[object, ...], limits: Limits, roots: frozenset[int]
    ) -> bool:
        """True if encoding again, with nothing run in between, gives yet another hash."""
        again = self._try_encode(objects, limits, roots, sharing=False, split=group.split).encoded
        return again is not None and self._version(again, lay_out(again), group.defines) != version

    def _objects_of(self, group: Group, now: Mapping[str, object]) -> tuple[object, ...]:
        return tuple(now[name] for name in group.names) + group.hidden

    def _item(self, name: str, obj: object, limits: Limits) -> _Item:
        roots = frozenset((id(obj),)) if self._is_definition(obj) else frozenset()
        item = self._try_encode((obj,), limits, roots)
        item.name, item.obj = name, obj
        return item

    def _is_definition(self, obj: object) -> bool:
        return isinstance(obj, type) and is_notebook_class(obj, self.namespace)

    def _try_encode(
        self,
        objects: tuple[object, ...],
        limits: Limits,
        roots: frozenset[int],
        *,
        sharing: bool = True,
        split: bool | None = None,
    ) -> _Item:
        try:
            encoded = encode(objects, self.context, limits, roots=roots, sharing=sharing, split=split)
            if overlapping_inline(encoded.exports):
                encoded = encode(objects, self.context, limits, roots=roots, inline=False, sharing=sharing, split=split)
        except OverBudgetError as error:
            return _Item("", objects, None, f"over budget: {error}", _NO_IDS, ())
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a class's own code may raise anything
            return _Item("", objects, None, _reason(error), _NO_IDS, ())
        return _Item("", objects, encoded, "", sorted_ids(encoded.shared), spans_of(encoded.exports))

    def adopt(
        self,
        covariable: Covariable,
        objects: tuple[object, ...],
        roots: tuple[type, ...],
        limits: Limits,
        known: KnownHashes,
        split: bool,
    ) -> Group:
        """Return a group for objects that were just rebuilt: their hash is the baseline, the version stays the stored one.

        The group is not tracked until `track`; what it shares is found out by `complete`, later, if that takes long.
        Raises CannotRestoreError if the objects cannot be encoded again.
        """
        quick = covariable.size_bytes <= QUICK_BYTES
        item = self._try_encode(
            objects, limits, frozenset(map(id, roots)), sharing=quick, split=None if quick else split
        )
        if item.encoded is None:
            raise CannotRestoreError(f"what was rebuilt cannot be encoded again: {item.reason}")
        group = self._make_group(covariable.names, roots, objects[: len(covariable.names)], item)
        self._fill(group, item.encoded, known)
        if len(objects) == 1 and _is_atom(objects[0]) and covariable.names:
            group.atom = objects[0]
        group.version, group.covariable = covariable.version, covariable
        group.is_complete = quick
        return group

    def complete(self) -> None:
        """Find out what rebuilt groups share, where that was put off."""
        for group in self.groups():
            if not group.is_complete:
                objects = self._objects_of(group, self.namespace)
                roots = frozenset(map(id, group.roots))
                item = self._try_encode(objects, Limits(self.memory_bytes), roots, split=group.split or None)
                group.shared, group.spans, group.is_complete = item.shared, item.spans, True

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
        self, pool: dict[str, _Item], dissolved: dict[Group, bool], now: Mapping[str, object], limits: Limits
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
            if old is not None and _same(old, change.group):
                change.group.covariable, change.group.digests = old.covariable, old.digests
                change.group.version = old.version
                continue  # only its sharing was looked at again
            if old is not None and dissolved[old]:
                change.unseen = True
                if old.verified < self.number - 1:
                    change.doubtful, change.doubtful_since = old.version, old.verified
            changed.append(change)
        return changed

    def _forget(self, group: Group) -> None:
        for name in group.names:
            if self.by_name.get(name) is group:
                del self.by_name[name]
        for uid in group.defines:
            if self.by_uid.get(uid) is group:
                del self.by_uid[uid]

    def _needed_classes(
        self, pool: dict[str, _Item], dissolved: dict[Group, bool], now: Mapping[str, object], limits: Limits
    ) -> list[_Item]:
        """Return items for notebook classes that are needed but that no name is bound to directly."""
        named = {id(item.obj) for item in pool.values() if self._is_definition(item.obj)}
        known = {id(root) for group in self.by_uid.values() for root in group.roots}
        hidden: dict[int, _Item] = {}
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
            item = hidden[ident] = self._item("", cls, limits)
            for needed in item.encoded.needs if item.encoded is not None else ():
                wanted.add(id(needed))
                queue.append(needed)
        return list(hidden.values())

    def _pull_in_sharers(
        self, items: list[_Item], dissolved: dict[Group, bool], now: Mapping[str, object], limits: Limits
    ) -> None:
        """Take apart unchanged groups that share state with an item; their cached ids are confirmed by a fresh pass."""
        position = 0
        while position < len(items):
            item = items[position]
            position += 1
            if not item.shared and not item.spans:
                continue
            for group in self.groups():
                if group.reason or not share(item, group):
                    continue
                fresh = [self._item(name, now[name], limits) for name in group.names]
                fresh += [self._item("", root, limits) for root in group.hidden]
                if any(share(item, other) for other in fresh):
                    dissolved.setdefault(group, False)
                    self._forget(group)
                    items.extend(fresh)
                else:  # stale ids: memory that was freed and used again
                    group.shared = sorted_ids(array("Q", {i for other in fresh for i in other.shared}))
                    group.spans = tuple(sorted({span for other in fresh for span in other.spans}))

    def _new_group(self, items: list[_Item], limits: Limits) -> Changed:
        named = sorted((item for item in items if item.name), key=lambda item: item.name)
        names = tuple(item.name for item in named)
        roots = tuple({id(i.obj): i.obj for i in (*named, *items) if self._is_definition(i.obj)}.values())
        hidden = cast(tuple[type, ...], tuple(item.obj for item in items if not item.name))
        objects = (*(item.obj for item in named), *hidden)
        whole = items[0] if len(items) == 1 else self._try_encode(objects, limits, frozenset(map(id, roots)))
        if whole.encoded is not None and not roots:
            reason = self.fidelity.reason(objects, whole.encoded, self.namespace)
            if reason:
                whole = _Item("", objects, None, reason, whole.shared, whole.spans)
        group = self._make_group(names, cast(tuple[type, ...], roots), tuple(item.obj for item in named), whole)
        layout = None
        if whole.encoded is None:
            ids, serial = self._serials.get(names, ((), b""))
            if ids != group.object_ids:
                serial = os.urandom(8)
                self._serials[names] = (group.object_ids, serial)
            group.version = group.baseline = serial + os.urandom(8)
        else:
            layout = self._fill(group, whole.encoded)
            if len(named) == 1 and _is_atom(named[0].obj):
                group.atom = named[0].obj
        self.track(group)
        return Changed(group, objects, whole.encoded, layout)

    def _make_group(
        self, names: tuple[str, ...], roots: tuple[type, ...], objects: tuple[object, ...], whole: _Item
    ) -> Group:
        return Group(
            names=names,
            roots=roots,
            hidden=tuple(root for root in roots if id(root) not in set(map(id, objects))),
            object_ids=tuple(map(id, objects)),
            version=b"",
            baseline=b"",
            shared=whole.shared,
            spans=whole.spans,
            needs=(),
            needs_uids=(),
            defines=tuple(self.uids.uid_of(root) for root in roots),
            seconds=0.0,
            size_bytes=0,
            verified=self.number,
            reason=whole.reason,
        )

    def _fill(self, group: Group, encoded: Encoded, known: KnownHashes | None = None) -> Layout:
        layout = lay_out(encoded, known)
        group.needs = tuple(encoded.needs)
        group.needs_uids = tuple(self.uids.uid_of(cls) for cls in encoded.needs)
        group.version = group.baseline = self._version(encoded, layout, group.defines)
        group.seconds = encoded.seconds
        group.size_bytes = encoded.size_bytes + sum(region.size_bytes for region in layout.regions)
        group.is_opaque = any(map(is_opaque, encoded.types))
        group.split = bool(encoded.container)
        group.is_plain = not (layout.places or encoded.needs or group.defines) and len(encoded.parts) == 1
        group.blocks = tuple(tuple(region.hashes) for region in layout.regions)
        return layout

    def _version(self, encoded: Encoded, layout: Layout, defines: Sequence[str]) -> bytes:
        digest = xxh3_128()
        for part in encoded.parts:
            digest.update(part)
        for region in layout.regions:
            digest.update(region.size_bytes.to_bytes(8, "big"))
            for quick in region.hashes:
                digest.update(quick)
        if layout.places:
            digest.update(repr(layout.places).encode())
        if encoded.needs or defines:
            uids = [self.uids.uid_of(cls) for cls in encoded.needs]
            digest.update(repr((uids, list(defines))).encode())
        return digest.digest()

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


def _same(old: Group, new: Group) -> bool:
    return old.names == new.names and old.baseline == new.baseline and old.defines == new.defines and not new.reason


def _is_atom(obj: object) -> bool:
    kind = type(obj)
    return kind in ATOMS and not (kind in (str, bytes) and len(obj) > SMALL_ATOM_BYTES)  # type: ignore[arg-type]


def _reason(error: BaseException) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply to be pickled"
    text = str(error).strip() or type(error).__name__
    first = text.splitlines()[0][:200]
    return first if isinstance(error, CellarError | TypeError) else f"{type(error).__name__}: {first}"
