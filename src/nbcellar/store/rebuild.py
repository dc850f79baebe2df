"""A new `meta.db` from packs, and from what can still be read of the old one.

Invariant: nothing is deleted: the old files are moved to `damaged/`; every object that is listed afterwards was either
verified or is in a pack whose index was. Not for: a store whose `meta.db` is sound (it would only lose time).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

import apsw
import msgspec
from blake3 import blake3

from nbcellar.errors import CellarError, NoRepositoryError, UnsupportedFormatError
from nbcellar.ids import DIGEST_BYTES, Digest
from nbcellar.store import database
from nbcellar.store.codec import byte_view, compress, decompress
from nbcellar.store.database import immediate, sqlite_errors
from nbcellar.store.files import file_errors, make_folder, publish, sync_file, sync_folder
from nbcellar.store.interface import Kind
from nbcellar.store.locks import Collector
from nbcellar.store.logpack import Bundle, decode_bundle
from nbcellar.store.packs import LOG_KIND, Entry, Sealed, pack_paths, read_index, read_stored
from nbcellar.store.rows import RowWriter, find_object
from nbcellar.store.salvage import Salvaged, salvage

_LOCK_TIMEOUT_S = 60.0


class RebuildReport(msgspec.Struct, frozen=True):
    """What a rebuild found. The derived index tables are empty afterwards: history fills them from the commits."""

    packs: int
    objects: int
    signatures: int
    records: int
    last_record: int
    refs: int
    salvaged_objects: int
    same_project: bool  # False: no log pack was readable, so trust decisions have to be made again
    moved_aside: str  # folder of the old files, "" if there were none
    problems: tuple[str, ...]  # of packs
    database: tuple[str, ...]  # what of the old meta.db was missing or could not be read


class _Found(msgspec.Struct):
    """What the packs hold."""

    packs: list[Sealed]
    logs: set[Digest]
    bundles: list[Bundle]
    problems: list[str]


def rebuild(folder: Path) -> RebuildReport:
    """Make `meta.db` anew. Raises NoRepositoryError when there is nothing to make it from.

    Raises UnsupportedFormatError, with nothing changed, when a file is of a newer format.
    """
    if not folder.is_dir() or not (pack_paths(folder) or (folder / "meta.db").exists()):
        raise NoRepositoryError(f"there is no store in {folder}", hint="cellar init")
    with (
        Collector(folder, timeout_s=_LOCK_TIMEOUT_S) as collector,
        collector.exclude_writers(),
        file_errors("rebuild", folder / "meta.db"),
    ):
        _take_back(folder)
        rescued = salvage(folder / "meta.db")
        found = _read_packs(folder)
        project = rescued.project or next((bundle.project for bundle in found.bundles), "")
        make_folder(folder / "tmp")
        fresh = folder / "tmp" / f"{os.getpid()}-{os.urandom(8).hex()}-rebuilt.db"
        try:
            database.create_database(fresh, project=project or None, temporary_folder=folder / "tmp")
            counts = _fill(fresh, found, rescued)
            gone = _not_found(fresh, rescued.damaged)
            _sync(fresh)
            moved = _move_aside(folder)
            publish(fresh, folder / "meta.db")
            _is_replaced(moved)
        finally:
            with contextlib.suppress(OSError):
                fresh.unlink(missing_ok=True)
    return RebuildReport(
        packs=len(found.packs),
        **counts,
        same_project=bool(project),
        moved_aside=moved,
        problems=tuple(found.problems),
        database=rescued.problems + gone,
    )


def _read_packs(folder: Path) -> _Found:
    found = _Found([], set(), [], [])
    for path in pack_paths(folder):
        try:
            entries = read_index(path)
            size = path.stat().st_size
        except UnsupportedFormatError:
            raise
        except (CellarError, OSError) as error:
            found.problems.append(str(error))
            continue
        name = Digest(bytes.fromhex(path.name))
        found.packs.append(Sealed(name, size, entries))
        for entry in entries:
            if entry.kind == LOG_KIND:
                found.logs.add(name)
                _read_bundle(path, entry, found)
    found.bundles.sort(key=lambda bundle: bundle.sequence)
    return found


def _read_bundle(path: Path, entry: Entry, found: _Found) -> None:
    try:
        raw = bytes(decompress(entry.codec, read_stored(path, entry.offset, entry.stored_bytes), entry.raw_bytes))
        if blake3(raw).digest() != entry.digest:
            raise ValueError("its bytes do not match its digest")
        found.bundles.append(decode_bundle(raw))
    except UnsupportedFormatError:
        raise
    except (CellarError, OSError, ValueError) as error:
        found.problems.append(f"a log bundle in {path} is damaged: {error}")


def _fill(path: Path, found: _Found, rescued: Salvaged) -> dict[str, int]:
    with sqlite_errors(path), contextlib.closing(database.open_database(path)) as db:
        db.execute("PRAGMA synchronous=OFF")  # the file is synced as a whole before it gets its name
        with immediate(db):
            _fill_tables(db, found, rescued)
        counts = {
            table: database.one_integer(db, f"SELECT count(*) FROM {table}")
            for table in ("objects", "signatures", "records", "refs")
        }
        last = database.one_integer(db, "SELECT coalesce(max(number), 0) FROM records")
        return {**counts, "last_record": last, "salvaged_objects": len(rescued.objects)}


def _not_found(path: Path, damaged: tuple[bytes, ...]) -> tuple[str, ...]:
    """Say which damaged objects of the old database are nowhere else."""
    with sqlite_errors(path), contextlib.closing(database.open_database(path)) as db:
        gone = [digest for digest in damaged if not isinstance(digest, bytes) or find_object(db, digest) is None]
    if not gone:
        return ()
    return (f"{len(gone)} objects in the old database were damaged and are in no pack; see: cellar check",)


def _fill_tables(db: apsw.Connection, found: _Found, rescued: Salvaged) -> None:
    rows = RowWriter(db)
    for sealed in found.packs:
        pack = rows.add_pack(sealed, log=sealed.name in found.logs)
        for entry in sealed.entries:
            if entry.kind != LOG_KIND:
                sizes = (entry.raw_bytes, entry.stored_bytes)
                rows.add_object(entry.digest, entry.kind, entry.codec, sizes, (pack, entry.offset), None)
    for bundle in found.bundles:
        _fill_objects(rows, ((item.kind, item.data, item.signatures) for item in bundle.objects))
        _fill_signatures(rows, bundle.late_signatures)
        _fill_records(rows, bundle.records)
    _fill_objects(rows, ((item.kind, item.data, item.signatures) for item in rescued.objects))
    _fill_signatures(rows, rescued.signatures)
    _fill_records(rows, rescued.records)
    _fill_refs(db, rows, found.bundles, rescued)
    sequence = max((bundle.sequence for bundle in found.bundles), default=0)
    database.write_meta(db, {"log-sequence": sequence})  # the marks start at 0: the next log pack holds everything


def _fill_objects(rows: RowWriter, objects: Iterable[tuple[int, bytes, Iterable[tuple[bytes, bytes]]]]) -> None:
    for kind, raw, signatures in objects:
        digest = Digest(blake3(raw).digest())
        known = {int(item) for item in Kind}
        codec, stored = compress(Kind(kind) if kind in known else Kind.VALUE, byte_view(raw))
        rows.add_object(digest, kind, int(codec), (len(raw), len(stored)), (None, None), bytes(stored))
        _fill_signatures(rows, ((digest, key, signature) for key, signature in signatures))


def _fill_signatures(rows: RowWriter, signatures: Iterable[tuple[bytes, bytes, bytes]]) -> None:
    for digest, key, signature in signatures:
        rows.sign(digest, key, signature)


def _fill_records(rows: RowWriter, records: Iterable[tuple[int, str, bytes]]) -> None:
    for number, scope, payload in records:
        rows.put_record(number, scope, payload)


def _fill_refs(db: apsw.Connection, rows: RowWriter, bundles: list[Bundle], rescued: Salvaged) -> None:
    """Take the refs of the newest bundle that has them; newer ones of the old database where they make sense."""
    logged = next((bundle.refs for bundle in reversed(bundles) if bundle.refs is not None), ())
    refs = {(scope, name): value for scope, name, value in logged}
    if rescued.refs is not None:
        newer = {(scope, name): value for scope, name, value in rescued.refs}
        older = refs if rescued.lacks_refs else {}  # else what is not there any more was deleted
        refs = older | {
            ref: value if _is_plausible(db, value) else refs.get(ref, value) for ref, value in newer.items()
        }
    for (scope, name), value in refs.items():
        rows.put_ref(scope, name, value)


def _is_plausible(db: apsw.Connection, value: bytes) -> bool:
    """False for what looks like a digest but names no object: a flipped bit, or a commit that was lost."""
    return len(value) != DIGEST_BYTES or find_object(db, value) is not None


def _sync(path: Path) -> None:
    with file_errors("write", path):
        descriptor = os.open(path, os.O_RDWR)
        try:
            sync_file(descriptor)
        finally:
            os.close(descriptor)


def _move_aside(folder: Path) -> str:
    """Move the old database with its WAL away: a WAL left behind would be applied to the new database.

    Until the new one is in its place, a mark beside the old files says that nothing has replaced them.
    """
    there = [folder / name for name in database.FILES if (folder / name).exists()]
    if not there:
        return ""
    aside = folder / "damaged" / os.urandom(4).hex()
    with file_errors("move", there[0]):
        make_folder(aside.parent)
        make_folder(aside)
        (aside / _NOT_REPLACED).touch(mode=0o600)
        sync_folder(aside)
        for path in there:
            path.rename(aside / path.name)
        sync_folder(aside)
        sync_folder(folder)
    return str(aside)


def _take_back(folder: Path) -> None:
    """Undo the moving of a rebuild that ended before the new database was in its place."""
    for mark in folder.glob(f"damaged/*/{_NOT_REPLACED}"):
        if not (folder / "meta.db").exists():
            for name in reversed(database.FILES):  # the database comes last: only then are the files a whole
                if (mark.parent / name).exists():
                    (mark.parent / name).rename(folder / name)
            sync_folder(folder)
        mark.unlink()


def _is_replaced(aside: str) -> None:
    if aside:
        with contextlib.suppress(OSError):  # then the next rebuild removes the mark
            (Path(aside) / _NOT_REPLACED).unlink()


_NOT_REPLACED = "not-replaced"
