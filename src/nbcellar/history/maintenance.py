"""Space: what a repository takes, and removing what nothing leads to.

Invariant: the index never names a commit that the store has removed. Not for: what is alive (`reach.py`), nor how the
store removes (`store/collect.py`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

import msgspec

from nbcellar.errors import ConflictError, InvalidInputError, StoreUnavailableError
from nbcellar.history import refs
from nbcellar.history.drafts import DAY_S, sweep_drafts
from nbcellar.history.drafts import FOLDER_NAME as DRAFTS
from nbcellar.history.index import delete_commits
from nbcellar.history.keep import KeepPolicy
from nbcellar.history.reach import KEEP_OPS_DAYS, ChildrenOf, mark
from nbcellar.history.thin import Spare, Survey, note_of, survey
from nbcellar.ids import Digest, NotebookId
from nbcellar.store import repack
from nbcellar.store.collect import GcReport, Note, collect, empty_trash, folder_bytes
from nbcellar.store.interface import Kind, RefsAndTables
from nbcellar.store.local import LocalStore
from nbcellar.store.locks import Collector

if TYPE_CHECKING:
    from nbcellar.history.repository import Repository


class KindSize(msgspec.Struct, frozen=True):
    """Objects of one kind; sizes in bytes, before and after compression."""

    kind: Kind
    count: int
    raw_bytes: int
    stored_bytes: int


class VariableSize(msgspec.Struct, frozen=True):
    """Values of one variable, or of several that share state: how many, their objects and bytes as stored."""

    notebook: NotebookId
    names: tuple[str, ...]
    values: int
    objects: int
    stored_bytes: int


class Collected(msgspec.Struct, frozen=True):
    """What a collection removed, or would: what nothing leads to, and values that the keep policy lets go."""

    store: GcReport
    values: int = 0
    states: int = 0  # that lose some value
    kept_states: int = 0
    thinned_objects: int = 0
    thinned_bytes: int = 0
    by_variable: tuple[VariableSize, ...] = ()

    @property
    def unreachable(self) -> tuple[int, int]:
        """Objects and bytes that nothing leads to."""
        report = self.store
        return report.objects_removed - self.thinned_objects, report.bytes_removed - self.thinned_bytes


class SizeReport(msgspec.Struct, frozen=True):
    """What a repository takes. `folder_bytes` is all of `.cellar`, trash and free space of the database included."""

    kinds: tuple[KindSize, ...]
    objects: int
    raw_bytes: int
    stored_bytes: int
    folder_bytes: int


def collect_garbage(
    repo: Repository,
    children_of: ChildrenOf,
    *,
    keep_ops_days: float = KEEP_OPS_DAYS,
    policy: KeepPolicy | None = None,
    spare: Spare = lambda candidates: frozenset(),
    dry_run: bool = False,
    purge: bool = False,
) -> Collected:
    """Remove what no ref and no operation of the last days leads to. `purge`: at once, without trash.

    policy: which states keep their values; the others are thinned out, but for what `spare` names. None: all keep them.
    A purge that a `forget` could not finish is made up for. Raises CorruptStoreError when something alive cannot be
    read: nothing is removed then.
    """
    store = repo.store
    if not isinstance(store, LocalStore):
        raise InvalidInputError("only a store in a folder can be collected")
    now_ns = repo.clock()

    found: list[Survey] = []
    by_variable: list[VariableSize] = []

    def reachable() -> AbstractSet[bytes]:
        found[:] = [survey(repo, children_of, now_ns=now_ns, keep_ops_days=keep_ops_days, policy=policy, spare=spare)]
        by_variable[:] = _sizes(repo, found[0], children_of)  # asked now: later the values are gone
        return found[0].live

    def note() -> Note:
        return note_of(repo, found[0], now_ns=now_ns)

    def alongside(dead: AbstractSet[bytes], tx: RefsAndTables) -> None:
        gone = [commit for commit in repo.index.ids() if commit in dead]
        bump_generation(repo, tx)
        delete_commits(tx, gone)

    due = repo.store.ref(refs.PROJECT_SCOPE, refs.PURGE_DUE)
    purge = purge or due is not None
    report = collect(store, reachable, now_ns=now_ns, dry_run=dry_run, purge=purge, note=note, alongside=alongside)
    if not dry_run:
        repo.drop_caches()
        sweep_drafts(store.folder / DRAFTS, older_than_s=0.0 if purge else DAY_S)
        _purge_is_done(repo, due)
    thinned_bytes = sum(item.stored_bytes for item in by_variable)
    thinned_objects = sum(item.objects for item in by_variable)
    return Collected(
        store=report,
        values=len(found[0].thinned),
        states=len(found[0].states),
        kept_states=len(found[0].kept),
        thinned_objects=thinned_objects,
        thinned_bytes=thinned_bytes,
        by_variable=tuple(by_variable),
    )


def _sizes(repo: Repository, found: Survey, children_of: ChildrenOf) -> list[VariableSize]:
    """Return what each variable's values take that are thinned out, the largest first; what several share counts once.

    Read before anything is removed.
    """
    counted: set[Digest] = set()
    sizes: dict[tuple[NotebookId, tuple[str, ...]], list[int]] = {}
    for candidate in found.thinned:
        of = sizes.setdefault((candidate.notebook, candidate.names), [0, 0, 0])
        of[0] += 1
        parts: set[Digest] = set()
        mark(repo, [(Kind.VALUE, candidate.value)], children_of, parts)
        for digest in parts - found.live - counted:
            counted.add(digest)
            if repo.store.has(digest):
                of[1] += 1
                of[2] += repo.store.info(digest).stored_bytes
    listed = (VariableSize(notebook, names, *numbers) for (notebook, names), numbers in sizes.items())
    return sorted(listed, key=lambda item: (-item.stored_bytes, item.names))


def join_some(repo: Repository) -> bool:
    """Join some small packs, or empty the trash of what is due; True if there is more to do."""
    store = repo.store
    if not isinstance(store, LocalStore) or store.read_only:
        return False
    if repack.join_some(store):
        return True
    with contextlib.suppress(StoreUnavailableError), Collector(store.folder, timeout_s=0):
        empty_trash(store, now_ns=repo.clock())
    return False


def _purge_is_done(repo: Repository, due: bytes | None) -> None:
    if due is not None:
        with contextlib.suppress(ConflictError), repo.store.begin() as tx:  # another `forget`, whose purge is to come
            tx.set_ref(refs.PROJECT_SCOPE, refs.PURGE_DUE, old=due, new=None)
            tx.commit()


def measure(repo: Repository) -> SizeReport:
    """Return what a repository takes, by kind of object."""
    totals: dict[Kind, list[int]] = {}
    for info in repo.store.objects():
        found = totals.setdefault(info.kind, [0, 0, 0])
        found[0] += 1
        found[1] += info.raw_bytes
        found[2] += info.stored_bytes
    kinds = tuple(KindSize(kind, *totals[kind]) for kind in sorted(totals))
    store = repo.store
    return SizeReport(
        kinds=kinds,
        objects=sum(k.count for k in kinds),
        raw_bytes=sum(k.raw_bytes for k in kinds),
        stored_bytes=sum(k.stored_bytes for k in kinds),
        folder_bytes=folder_bytes(store.folder) if isinstance(store, LocalStore) else 0,
    )


def bump_generation(repo: Repository, tx: RefsAndTables) -> None:
    """Let every kernel look again before it records on top of commits that may be gone."""
    generation = repo.store.ref(refs.PROJECT_SCOPE, refs.GENERATION)
    tx.set_ref(refs.PROJECT_SCOPE, refs.GENERATION, old=generation, new=refs.next_generation(generation))


__all__ = ["KindSize", "SizeReport", "bump_generation", "collect_garbage", "measure"]
