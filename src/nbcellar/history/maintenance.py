"""Space: what a repository takes, and removing what nothing leads to.

Invariant: the index never names a commit that the store has removed. Not for: what is alive (`reach.py`), nor how the
store removes (`store/collect.py`).
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

import msgspec

from nbcellar.errors import InvalidInputError
from nbcellar.history import refs
from nbcellar.history.index import delete_commits
from nbcellar.history.reach import KEEP_OPS_DAYS, ChildrenOf, live_objects
from nbcellar.ids import Digest
from nbcellar.store.collect import GcReport, collect, folder_bytes
from nbcellar.store.interface import Kind, Transaction
from nbcellar.store.local import LocalStore

if TYPE_CHECKING:
    from nbcellar.history.repository import Repository


class KindSize(msgspec.Struct, frozen=True):
    """Objects of one kind; sizes in bytes, before and after compression."""

    kind: Kind
    count: int
    raw_bytes: int
    stored_bytes: int


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
    dry_run: bool = False,
    purge: bool = False,
) -> GcReport:
    """Remove what no ref and no operation of the last days leads to. `purge`: at once, without trash.

    Raises CorruptStoreError when something alive cannot be read: nothing is removed then.
    """
    store = repo.store
    if not isinstance(store, LocalStore):
        raise InvalidInputError("only a store in a folder can be collected")
    now_ns = repo.clock()

    def reachable() -> AbstractSet[bytes]:
        return live_objects(repo, children_of, now_ns=now_ns, keep_ops_days=keep_ops_days)

    report = collect(store, reachable, now_ns=now_ns, dry_run=dry_run, purge=purge)
    if not dry_run and report.objects_removed:
        _drop_rows(repo)
    return report


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


def _drop_rows(repo: Repository) -> None:
    gone = [commit for commit in repo.index.ids() if not repo.store.has(Digest(commit))]
    repo.drop_caches()
    if gone:
        with repo.store.begin() as tx:
            delete_commits(tx, gone)
            bump_generation(repo, tx)
            tx.commit()


def bump_generation(repo: Repository, tx: Transaction) -> None:
    """Let every kernel look again before it records on top of commits that may be gone."""
    generation = repo.store.ref(refs.PROJECT_SCOPE, refs.GENERATION)
    tx.set_ref(refs.PROJECT_SCOPE, refs.GENERATION, old=generation, new=refs.next_generation(generation))


__all__ = ["KindSize", "SizeReport", "bump_generation", "collect_garbage", "measure"]
