"""Was something in the WAL lost? SQLite reads it up to the first frame whose checksum is wrong, and says nothing.

After a power failure that is right: what follows was never acknowledged. But a bit that flipped in the middle hides
commits that were. Both leave frames behind that SQLite passes over. More than one whole transaction among them cannot
be what a power failure or a killed process leaves. Of one it is not known, unless a single bit explains all of it.

Invariant: nothing is changed. Not for: reading what was passed over. Format: https://sqlite.org/fileformat2.html#walformat
"""

from __future__ import annotations

import struct
from pathlib import Path

import apsw

from nbcellar.store.database import rows_of

_HEADER = struct.Struct(">IIIIIIII")
_FRAME = struct.Struct(">IIIIII")
_MAGIC = 0x377F0682
_WORD = 0xFFFFFFFF


def unread_commits(db: apsw.Connection) -> int:
    """Return how many transactions in the WAL of `db` are hidden by damage; 0 when all is well, or only torn."""
    path = Path(f"{db.filename}-wal")
    while _has_more(db, path):
        read = _frames_read(db)
        db.execute("BEGIN IMMEDIATE")  # nobody appends meanwhile
        try:
            wal = path.read_bytes()
        finally:
            db.execute("ROLLBACK")
        if _frames_read(db) == read:  # it is not answered inside a transaction
            return _count(wal, read) if len(wal) > _HEADER.size else 0
    return 0


def _has_more(db: apsw.Connection, path: Path) -> bool:
    """A first look without a lock: is there a frame after the last one that SQLite reads?"""
    try:
        size = path.stat().st_size
    except OSError:
        return False
    if size <= _HEADER.size or db.pragma("journal_mode") != "wal":
        return False
    with path.open("rb") as file:
        header = file.read(_HEADER.size)
        page_bytes, salts = _HEADER.unpack(header)[2], header[16:24]
        if not _is_sound(header):
            return any(header)
        step = _FRAME.size + page_bytes
        for offset in range(_HEADER.size + _frames_read(db) * step, size - step + 1, step):
            file.seek(offset)
            if file.read(_FRAME.size)[8:16] == salts:
                return True
    return False


def _frames_read(db: apsw.Connection) -> int:
    db.execute("SELECT 1 FROM sqlite_schema").fetchall()  # the WAL is looked at when a transaction begins
    _, frames, _ = rows_of(db, "PRAGMA wal_checkpoint(NOOP)")[0]
    return max(0, int(frames))


def _count(wal: bytes, read: int) -> int:
    magic, _, page_bytes, _, *_ = _HEADER.unpack_from(wal)
    salts, big = wal[16:24], bool(magic & 1)
    if not _is_sound(wal[: _HEADER.size]):
        return max(1, _commits_of_all(wal))
    step = _FRAME.size + page_bytes
    frames = range(_HEADER.size + read * step, len(wal) - step + 1, step)
    first = frames.start if len(frames) else 0
    before = struct.unpack_from(">II", wal, first - step + 16 if read else 24)
    commits, wrong, explained = 0, False, False
    for offset in frames:
        frame = wal[offset : offset + step]
        stored = struct.unpack_from(">II", frame, 16)
        data = frame[:8] + frame[_FRAME.size :]
        computed = _checksum(data, before, big)
        if frame[8:16] != salts or computed != stored:
            wrong = True
            explained = explained or _is_one_bit(frame[8:16], salts, computed, stored, len(data) // 8)
        if frame[8:16] == salts and any(frame[4:8]):  # the last frame of a transaction
            commits += 1
        before = stored
    return commits if wrong and (commits > 1 or explained) else 0


def _is_one_bit(salt: bytes, salts: bytes, computed: tuple[int, int], stored: tuple[int, int], pairs: int) -> bool:
    """True if one flipped bit is all that is wrong with a frame: in its salts, its checksum, or its data.

    A change of one word by d changes the checksum by d times a number that depends on the place only: the sums are
    linear. So all places and bits can be tried.
    """
    changed_salts = int.from_bytes(salt, "big") ^ int.from_bytes(salts, "big")
    changed = (computed[0] ^ stored[0]) << 32 | (computed[1] ^ stored[1])
    if changed_salts or changed.bit_count() == 1:
        return (changed_salts.bit_count(), changed.bit_count()) in ((1, 0), (0, 1))
    by = ((computed[0] - stored[0]) & _WORD, (computed[1] - stored[1]) & _WORD)
    wanted = {by, (-by[0] & _WORD, -by[1] & _WORD)}
    even, odd = (1, 1), (0, 1)  # what a change of 1 in the last pair of words does to both sums
    for _ in range(pairs):
        for first, second in (even, odd):
            if any((first << bit & _WORD, second << bit & _WORD) in wanted for bit in range(32)):
                return True
        even, odd = _after_one_pair(even), _after_one_pair(odd)
    return False


def _after_one_pair(sums: tuple[int, int]) -> tuple[int, int]:
    first = (sums[0] + sums[1]) & _WORD
    return first, (sums[1] + first) & _WORD


def _commits_of_all(wal: bytes) -> int:
    """Count without a header that could be believed: pages of 4096 bytes, salts as the frames agree on."""
    step = _FRAME.size + 4096
    frames = [wal[offset : offset + 24] for offset in range(_HEADER.size, len(wal) - step + 1, step)]
    salts = frames[0][8:16] if frames else b""
    return sum(frame[8:16] == salts and any(frame[4:8]) for frame in frames)


def _is_sound(header: bytes) -> bool:
    magic = _HEADER.unpack(header)[0]
    if magic & ~1 != _MAGIC:
        return False
    return _checksum(header[:24], (0, 0), bool(magic & 1)) == struct.unpack_from(">II", header, 24)


def _checksum(data: bytes, start: tuple[int, int], big: bool) -> tuple[int, int]:
    first, second = start
    words = iter(struct.unpack(f"{'>' if big else '<'}{len(data) // 4}I", data))
    for one, other in zip(words, words, strict=True):
        first = (first + one + second) & _WORD
        second = (second + other + first) & _WORD
    return first, second


__all__ = ["unread_commits"]
