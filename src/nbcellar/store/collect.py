"""Garbage collection: what nothing reaches any more is removed, in an order that no crash can make a loss of.

Invariant: an object that `reachable` names, or that a transaction in progress has looked up, is never removed. Rows go
before files; packs go to `trash/` first. Not for: deciding what is reachable (history does).
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import TYPE_CHECKING

import apsw
import msgspec

from nbcellar.errors import CellarError, StoreUnavailableError
from nbcellar.store.database import immediate, one_integer, read_meta, rows_of, sqlite_errors, truncate_wal, write_meta
from nbcellar.store.files import file_errors, make_folder, sync_file, sync_folder
from nbcellar.store.locks import Collector
from nbcellar.store.logpack import append_log
from nbcellar.store.packs import is_pack_name, pack_path, pack_paths, read_index
from nbcellar.store.repack import PackRow, groups, join, pack_rows, rewrite_packs
from nbcellar.store.rows import RowWriter

if TYPE_CHECKING:
    from nbcellar.store.local import LocalStore

Reachable = Callable[[], AbstractSet[bytes]]
Alongside = Callable[[AbstractSet[bytes], RowWriter], None]
"""Told the digests of what is removed, and given what writes refs and index tables in the same transaction."""

TRASH_DAYS = 14
REPACK_ABOVE = 0.05
"""Packs are repacked, those with the largest share of dead bytes first, until no larger share of all is dead."""

_DAY_NS = 86_400 * 10**9
_LOCK_TIMEOUT_S = 60.0
_VACUUM_ABOVE = 0.25


class GcReport(msgspec.Struct, frozen=True):
    """What a collection removed, or (`dry_run`) would remove. Sizes in bytes, as stored."""

    dry_run: bool
    objects_kept: int
    objects_removed: int
    bytes_removed: int  # of the removed objects
    packs_removed: int  # to trash/, or for good with purge
    packs_repacked: int
    temporary_files_removed: int
    trash_bytes_removed: int
    bytes_before: int  # of the whole folder
    bytes_after: int
    removed: tuple[tuple[bytes, int], ...] = ()  # digest and stored bytes of each object


class ObjectRow(msgspec.Struct, frozen=True, array_like=True):
    """What a plan needs to know of an object."""

    id: int
    digest: bytes
    pack: int | None
    stored_bytes: int


class Note(msgspec.Struct, frozen=True):
    """What is written in the transaction that removes: records (scope, payload) and statements on index tables."""

    records: tuple[tuple[str, bytes], ...] = ()
    statements: tuple[tuple[str, tuple[object, ...]], ...] | list[tuple[str, tuple[object, ...]]] = ()


class Plan(msgspec.Struct, frozen=True):
    """What to do, decided on plain data."""

    dead: tuple[ObjectRow, ...]
    kept: int
    dead_packs: tuple[PackRow, ...]
    wasteful_packs: tuple[PackRow, ...]


def plan_removal(
    objects: Iterable[ObjectRow], packs: Sequence[PackRow], live: AbstractSet[bytes], *, repack_above: float
) -> Plan:
    """Return what goes: objects that are not in `live`, packs without a live object, packs with too much waste."""
    dead: list[ObjectRow] = []
    used: dict[int, int] = {}
    kept = 0
    for item in objects:
        if item.digest not in live:
            dead.append(item)
            continue
        kept += 1
        if item.pack is not None:
            used[item.pack] = used.get(item.pack, 0) + item.stored_bytes
    data_packs = [pack for pack in packs if not pack.log]
    dead_packs = tuple(pack for pack in data_packs if pack.id not in used)
    return Plan(tuple(dead), kept, dead_packs, _wasteful([p for p in data_packs if p.id in used], used, repack_above))


def collect(
    store: LocalStore,
    reachable: Reachable,
    *,
    now_ns: int,
    dry_run: bool = False,
    trash_days: int = TRASH_DAYS,
    purge: bool = False,
    note: Callable[[], Note] = Note,
    alongside: Alongside | None = None,
) -> GcReport:
    """Remove what `reachable()` does not name; it is called while nobody can write, so its answer is final.

    note: asked after `reachable`, for what is to be durable, in the log too, before any file goes. alongside: called
    with what goes, if anything does: what it writes becomes visible with the removal, or neither does.

    purge: remove for good, at once, from packs, log and database file (for `forget`); otherwise packs wait in `trash/`.
    Raises StoreUnavailableError when writers or another collection do not let go within a minute.
    """
    store.require_writable()
    before = folder_bytes(store.folder)
    if dry_run:
        plan, _ = _planned(store, reachable(), purge=purge)
        return _report(plan, before, dry_run=True)
    with Collector(store.folder, timeout_s=_LOCK_TIMEOUT_S) as collector:
        trash = _Trash(store.folder / "trash", now_ns)
        with collector.exclude_writers():
            plan, orphans = _planned(store, reachable(), purge=purge)
            written = note()
            _delete_rows(store, plan, written, alongside)
            log = None
            if written.records or plan.dead_packs or orphans:
                # A database that is lost after this is made again with the note: this one's, or that of a collection
                # which ended between its transaction and here.
                log = append_log(store)
            for path in [*(pack_path(store.folder, pack.name) for pack in plan.dead_packs), *orphans]:
                if log is None or path != pack_path(store.folder, log.name):  # an orphan that was written once more
                    trash.take(path)
            temporary = _sweep(store.folder / "tmp")
        days = None if purge else trash_days
        emptied = trash.empty(days)  # first, since what follows needs room
        repacked: list[PackRow] = []
        for group in groups(plan.wasteful_packs, at_least=1):  # one at a time: each needs room for its copy
            repacked += rewrite_packs(store, group, trash.take)
        _tend_log(store, rewrite=purge)
        join(store)
        emptied += trash.empty(days)
        if purge:
            shutil.rmtree(store.folder / "damaged", ignore_errors=True)  # what a rebuild set aside
        _shrink_database(store, purge=purge)
        if purge:
            _sync_removal(store)
    report = _report(plan, before, dry_run=False)
    return msgspec.structs.replace(
        report,
        packs_removed=len(plan.dead_packs) + len(orphans),
        packs_repacked=len(repacked),
        temporary_files_removed=temporary,
        trash_bytes_removed=emptied,
        bytes_after=folder_bytes(store.folder),
    )


def empty_trash(store: LocalStore, *, now_ns: int, trash_days: int = TRASH_DAYS) -> int:
    """Remove what has waited in the trash long enough; return its size in bytes. The caller is the only collector."""
    return _Trash(store.folder / "trash", now_ns).empty(trash_days)


def folder_bytes(folder: Path) -> int:
    """Return the size of all files below `folder`; those that go meanwhile count nothing."""
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            if path.is_file():
                total += path.stat().st_size
    return total


def _planned(store: LocalStore, live: AbstractSet[bytes], *, purge: bool) -> tuple[Plan, list[Path]]:
    """Return the plan, and pack files that the database does not know: of writers that died before their COMMIT."""
    packs = pack_rows(store)
    with sqlite_errors(store.database_path), store.connection() as db:
        rows = rows_of(db, "SELECT id, digest, pack, stored_bytes FROM objects")
    objects = msgspec.convert(rows, list[ObjectRow])
    plan = plan_removal(objects, packs, live, repack_above=REPACK_ABOVE)
    if purge:
        plan = msgspec.structs.replace(plan, wasteful_packs=_tainted(store, packs, plan, live))
    known = {pack.name.hex() for pack in packs}
    orphans = [path for path in pack_paths(store.folder) if path.name not in known]
    # A writer that died leaves a whole pack. What cannot be read was passed over by a rebuild, and may yet be mended.
    return plan, [path for path in orphans if purge or _is_readable(path)]


def _wasteful(packs: Sequence[PackRow], used: Mapping[int, int], above: float) -> tuple[PackRow, ...]:
    """Return the packs to be written anew, so that at most the share `above` of all that is left is dead."""
    waste = {pack.id: pack.size_bytes - used[pack.id] for pack in packs}
    total, left = sum(pack.size_bytes for pack in packs), sum(waste.values())
    chosen: list[PackRow] = []
    for pack in sorted(packs, key=lambda pack: (-waste[pack.id] / pack.size_bytes, pack.id)):
        if left <= above * total or waste[pack.id] <= _OVERHEAD * pack.size_bytes:
            break
        chosen.append(pack)
        left -= waste[pack.id]
        total -= waste[pack.id]
    return tuple(sorted(chosen, key=lambda pack: pack.id))


_OVERHEAD = 0.03  # an index takes 58 bytes an object, of which most have 4 KiB and more: no waste


def _tainted(store: LocalStore, packs: Sequence[PackRow], plan: Plan, live: AbstractSet[bytes]) -> tuple[PackRow, ...]:
    """Return packs with anything dead in them, rows or not: two writers may have packed the same object."""
    gone = {pack.id for pack in plan.dead_packs}
    with_dead_rows = {item.pack for item in plan.dead}
    tainted = []
    for pack in packs:
        if pack.log or pack.id in gone:
            continue
        path = pack_path(store.folder, pack.name)
        entries = read_index(path) if _is_readable(path) else ()
        if pack.id in with_dead_rows or any(entry.digest not in live for entry in entries):
            tainted.append(pack)
    return tuple(tainted)


def _is_readable(path: Path) -> bool:
    try:
        read_index(path)
    except (OSError, CellarError):
        return False
    return True


def _delete_rows(store: LocalStore, plan: Plan, note: Note, alongside: Alongside | None) -> None:
    dead = [(item.id,) for item in plan.dead]
    with sqlite_errors(store.database_path), store.connection() as db, immediate(db):
        rows = RowWriter(db)
        if alongside is not None and dead:  # first: what it reads, another connection has to find unlocked
            alongside({item.digest for item in plan.dead}, rows)
        db.executemany("DELETE FROM signatures WHERE object = ?", dead)
        db.executemany("DELETE FROM objects WHERE id = ?", dead)
        db.executemany("DELETE FROM packs WHERE id = ?", [(pack.id,) for pack in plan.dead_packs])
        # SQLite gives the number of a removed last row to the next one, which must not count as logged.
        last = one_integer(db, "SELECT coalesce(max(id), 0) FROM objects")
        logged = read_meta(db, "log-object").get("log-object", 0)
        write_meta(db, {"log-object": min(last, logged if isinstance(logged, int) else 0)})
        for scope, payload in note.records:
            rows.append(scope, payload)
        for statement, parameters in note.statements:
            rows.execute(statement, parameters)


def _tend_log(store: LocalStore, *, rewrite: bool) -> None:
    """Log what is new; or write the log anew, when asked or when most of it is about what is gone."""
    logs = [pack for pack in pack_rows(store) if pack.log]
    rewrite = rewrite or _is_stale(store, logs)
    with store.writers_lock.share():
        new = append_log(store, from_start=rewrite)
    if not rewrite or new is None:
        return
    old = [pack for pack in logs if pack.name != new.name]
    with sqlite_errors(store.database_path), store.connection() as db, immediate(db):
        db.executemany("DELETE FROM packs WHERE id = ?", [(pack.id,) for pack in old])
    for pack in old:
        _unlink(pack_path(store.folder, pack.name))


def _is_stale(store: LocalStore, logs: Sequence[PackRow]) -> bool:
    size = sum(pack.size_bytes for pack in logs)
    if size < _STALE_LOG_FROM_BYTES:
        return False
    with sqlite_errors(store.database_path), store.connection() as db:
        there = one_integer(db, _LOGGABLE_BYTES)
    return size > 2 * there


def _shrink_database(store: LocalStore, *, purge: bool) -> None:
    """Give free pages back. With `purge` every page is rewritten and nothing may stay in the WAL."""
    path = store.database_path
    with sqlite_errors(path), store.connection() as db:
        free, pages = (one_integer(db, f"PRAGMA {name}") for name in ("freelist_count", "page_count"))
        if purge:
            db.execute("VACUUM")
        elif free > _VACUUM_ABOVE * pages:
            with contextlib.suppress(apsw.FullError):  # it needs room for a copy; the free pages will be used again
                db.execute("VACUUM")
        if not truncate_wal(db, wait=purge) and purge:
            message = f"what was removed may still be in {path}-wal, which another process is reading"
            raise StoreUnavailableError(
                message, hint="close notebooks and tools that use this repository, and try again"
            )


def _sync_removal(store: LocalStore) -> None:
    """Make durable that names are gone and that the WAL is empty: a power failure must not bring them back."""
    with file_errors("write", store.folder):
        wal = Path(f"{store.database_path}-wal")
        if wal.exists():
            descriptor = os.open(wal, os.O_RDWR | os.O_CLOEXEC)
            try:
                sync_file(descriptor)
            finally:
                os.close(descriptor)
        for folder in (*(store.folder / "packs").glob("??"), store.folder / "trash", store.folder):
            if folder.is_dir():
                sync_folder(folder)


def _sweep(folder: Path) -> int:
    """Remove temporary files; nobody writes now, so their owners are dead."""
    left = list(folder.iterdir()) if folder.is_dir() else []
    for path in left:
        _unlink(path)
    return len(left)


class _Trash:
    """`trash/`: files named <when they came, ns>-<name>, so that no file time needs to be believed."""

    def __init__(self, folder: Path, now_ns: int) -> None:
        self._folder = folder
        self._now_ns = now_ns

    def take(self, path: Path) -> None:
        """Move a file here; harmless when it is gone."""
        with file_errors("move to trash", path), contextlib.suppress(FileNotFoundError):
            make_folder(self._folder)
            path.rename(self._folder / f"{self._now_ns}-{path.name}")

    def empty(self, days: int | None) -> int:
        """Remove what came `days` ago or earlier, None: all, whatever the clock says; return its size in bytes."""
        freed = 0
        for path in self._folder.iterdir() if self._folder.is_dir() else ():
            since, _, name = path.name.partition("-")
            if not (since.isdigit() and is_pack_name(name)):
                continue
            if days is None or int(since) <= self._now_ns - days * _DAY_NS:
                freed += path.stat().st_size
                _unlink(path)
        return freed


def _unlink(path: Path) -> None:
    with file_errors("remove", path):
        path.unlink(missing_ok=True)


def _report(plan: Plan, before: int, *, dry_run: bool) -> GcReport:
    removed = sum(item.stored_bytes for item in plan.dead)
    return GcReport(
        dry_run=dry_run,
        objects_kept=plan.kept,
        objects_removed=len(plan.dead),
        bytes_removed=removed,
        packs_removed=len(plan.dead_packs),
        packs_repacked=len(plan.wasteful_packs),
        temporary_files_removed=0,
        trash_bytes_removed=0,
        bytes_before=before,
        bytes_after=before - removed,
        removed=tuple((item.digest, item.stored_bytes) for item in plan.dead),
    )


_STALE_LOG_FROM_BYTES = 1 << 20
_LOGGABLE_BYTES = """SELECT (SELECT coalesce(sum(stored_bytes), 0) FROM objects WHERE pack IS NULL)
    + (SELECT coalesce(sum(length(payload)), 0) FROM records) + 64 * (SELECT count(*) FROM signatures)"""
