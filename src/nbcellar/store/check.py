"""Is everything there and as it was written? Says what it did not read, too.

Invariant: damage is reported, never raised, and nothing is changed. Not for: what objects mean (history checks commits,
signatures and what they refer to), mending (`rebuild.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import apsw
import msgspec
from blake3 import blake3

from nbcellar.errors import CellarError
from nbcellar.ids import Digest
from nbcellar.store.checksum import CHECKED, describe, is_sound
from nbcellar.store.codec import decompress
from nbcellar.store.logpack import Bundle, decode_bundle
from nbcellar.store.packs import LOG_KIND, Entry, file_digest, pack_path, pack_paths, read_index, read_stored
from nbcellar.store.repack import PackRow, pack_rows

if TYPE_CHECKING:
    from nbcellar.store.local import LocalStore


class Problem(msgspec.Struct, frozen=True):
    """One thing that is wrong; `object` is the digest of the object concerned, None for a file as a whole."""

    object: Digest | None
    file: str
    reason: str


class CheckReport(msgspec.Struct, frozen=True):
    """What was verified, what was not read, and what is wrong. Sizes in bytes, as stored."""

    objects_verified: int
    objects_not_read: int
    bytes_not_read: int
    packs: int
    packs_not_read: int  # only their index was read
    unknown_packs: tuple[str, ...]  # left by a writer that was killed; gc removes them
    problems: tuple[Problem, ...]

    @property
    def is_clean(self) -> bool:
        """True if nothing is wrong, as far as was read."""
        return not self.problems


def check(store: LocalStore, *, read_data: bool) -> CheckReport:
    """Verify the database and all that is in it, and the indexes of all packs; with `read_data` their content, too."""
    tally = _Tally(store)
    tally.check_database()
    packs = tally.pack_rows()
    for pack in packs:
        tally.check_pack(pack, read_data=read_data)
    tally.check_against_log(packs)
    known = {pack.name.hex() for pack in packs}
    return CheckReport(
        objects_verified=tally.verified,
        objects_not_read=tally.not_read,
        bytes_not_read=tally.bytes_not_read,
        packs=len(packs),
        packs_not_read=0 if read_data else len(packs),
        unknown_packs=tuple(str(path) for path in pack_paths(store.folder) if path.name not in known),
        problems=tuple(tally.problems),
    )


class _Tally:
    """Counts while the check goes on."""

    def __init__(self, store: LocalStore) -> None:
        self._store = store
        self.verified = 0
        self.not_read = 0
        self.bytes_not_read = 0
        self.problems: list[Problem] = []

    def check_database(self) -> None:
        """Verify SQLite's own structure, and every object that is inline."""
        path = self._store.database_path
        for (line,) in self._rows("PRAGMA integrity_check"):
            if line != "ok":
                self._report(None, path, str(line))
        for digest, codec, raw_bytes, data in self._rows(_INLINE):
            self._verify(path, digest, codec, raw_bytes, data or b"")
        for (digest,) in self._rows(_WITHOUT_PACK):
            self._report(digest, path, "the object is in a pack that the database does not know")
        self._check_checksums(path)

    def _check_checksums(self, path: Path) -> None:
        """Verify what no digest vouches for: refs, records, signatures, marks, what the objects are."""
        if self._store.has_checksums:
            for table, statement in CHECKED.items():
                for row in self._rows(statement):
                    if not is_sound(table, row):
                        self._report(None, path, f"{describe(table, row)} is not what was written")

    def pack_rows(self) -> list[PackRow]:
        """Return the packs that the database knows, none when it cannot say."""
        try:
            return pack_rows(self._store)
        except CellarError as error:
            self._report(None, self._store.database_path, str(error))
            return []

    def check_pack(self, pack: PackRow, *, read_data: bool) -> None:
        """Verify that a pack is there, complete, and holds what the database says."""
        path = pack_path(self._store.folder, pack.name)
        rows = list(self._rows(_OF_PACK, (pack.id,)))
        try:
            entries = read_index(path)
            size = path.stat().st_size
            if size != pack.size_bytes:
                self._report(None, path, f"the file has {size} bytes instead of {pack.size_bytes}")
            if read_data and file_digest(path) != pack.name:
                self._report(None, path, "the file does not match its name")
        except (OSError, CellarError) as error:
            self._pack_is_lost(path, error, rows)
            return
        self._compare(path, rows, entries)
        if pack.log is not any(entry.kind == LOG_KIND for entry in entries):
            self._report(None, path, "the database is wrong about whether it is a log pack")
        for entry in self._worth_reading(pack, rows, entries):
            if read_data:
                self._verify_entry(path, entry)
            else:
                self.not_read += 1
                self.bytes_not_read += entry.stored_bytes

    def check_against_log(self, packs: Sequence[PackRow]) -> None:
        """Verify records and refs, which carry no digest of their own, against the log, as far as it goes.

        Refs of notebooks move with a record only, so they are what the log holds as long as no record was added since.
        """
        bundles = sorted(self._bundles(packs), key=lambda bundle: bundle.sequence)
        if not bundles or any(self._rows(_PURGE_DUE)):  # a forget cleans records first, and the log at its end
            return
        records = {number: (scope, payload) for number, scope, payload in self._rows(_RECORDS)}
        logged = {number: (scope, payload) for bundle in bundles for number, scope, payload in bundle.records}
        for number, record in logged.items():
            if number in records and records[number] != record:
                self._report(None, self._store.database_path, f"operation {number} is not what the log holds")
        newest = next((bundle.refs for bundle in reversed(bundles) if bundle.refs is not None), None)
        if newest is None or max(records, default=0) > max(logged, default=0):
            return
        refs = {(scope, name): value for scope, name, value in self._rows(_REFS)}
        for scope, name, value in newest:
            if scope and refs.get((scope, name)) != value:
                self._report(None, self._store.database_path, f"the ref {name!r} of {scope} is not what the log holds")

    def _bundles(self, packs: Sequence[PackRow]) -> Iterator[Bundle]:
        for pack in packs:
            path = pack_path(self._store.folder, pack.name)
            try:
                entries = [entry for entry in read_index(path) if entry.kind == LOG_KIND] if pack.log else []
                for entry in entries:
                    stored = read_stored(path, entry.offset, entry.stored_bytes)
                    yield decode_bundle(bytes(decompress(entry.codec, stored, entry.raw_bytes)))
            except (OSError, ValueError, CellarError) as error:
                self._report(None, path, f"what it logs cannot be read: {error}")

    def _pack_is_lost(self, path: Path, error: Exception, rows: list[tuple[Any, ...]]) -> None:
        reason = "the file is missing" if isinstance(error, FileNotFoundError) else str(error)
        self._report(None, path, reason)
        for digest, *_ in rows:
            self._report(digest, path, "its pack cannot be read")

    def _compare(self, path: Path, rows: list[tuple[Any, ...]], entries: tuple[Entry, ...]) -> None:
        there = {msgspec.structs.astuple(entry) for entry in entries}
        for row in rows:
            if row not in there:
                self._report(row[0], path, "the pack's index does not agree with the database")

    def _worth_reading(self, pack: PackRow, rows: list[tuple[Any, ...]], entries: tuple[Entry, ...]) -> list[Entry]:
        """Return what the store uses of a pack; the rest is waste until gc takes it."""
        if pack.log:
            return [entry for entry in entries if entry.kind == LOG_KIND]
        return [Entry(*row) for row in rows]

    def _verify_entry(self, path: Path, entry: Entry) -> None:
        try:
            stored = read_stored(path, entry.offset, entry.stored_bytes)
        except OSError as error:
            self._report(entry.digest, path, str(error))
            return
        self._verify(path, entry.digest, entry.codec, entry.raw_bytes, stored)

    def _verify(self, path: Path, digest: Digest, codec: int, raw_bytes: int, stored: bytes) -> None:
        try:
            raw = decompress(codec, stored, raw_bytes)
        except (ValueError, CellarError) as error:
            self._report(digest, path, str(error))
            return
        if blake3(raw).digest() == digest:
            self.verified += 1
        else:
            self._report(digest, path, "its bytes do not match its digest")

    def _rows(self, statement: str, parameters: tuple[object, ...] = ()) -> Iterator[tuple[Any, ...]]:
        try:
            with self._store.connection() as db:
                yield from db.execute(statement, parameters)
        except (apsw.Error, CellarError, UnicodeDecodeError) as error:
            self._report(None, self._store.database_path, str(error))

    def _report(self, digest: Digest | None, path: Path, reason: str) -> None:
        self.problems.append(Problem(digest, str(path), reason))


_INLINE = "SELECT digest, codec, raw_bytes, data FROM objects WHERE pack IS NULL ORDER BY id"
_WITHOUT_PACK = "SELECT digest FROM objects WHERE pack IS NOT NULL AND pack NOT IN (SELECT id FROM packs)"
_RECORDS = "SELECT r.number, s.name, r.payload FROM records r JOIN scopes s ON s.id = r.scope"
_REFS = "SELECT s.name, r.name, r.value FROM refs r JOIN scopes s ON s.id = r.scope"
_PURGE_DUE = "SELECT 1 FROM refs WHERE name = 'purge-due'"
_OF_PACK = "SELECT digest, kind, codec, raw_bytes, stored_bytes, offset FROM objects WHERE pack = ? ORDER BY offset"
