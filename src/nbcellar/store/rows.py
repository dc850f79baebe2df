"""Writing rows of `meta.db`, each with its checksum, inside a transaction of SQLite that somebody else began.

Invariant: what is written here, and by `database.write_meta`, is all that is ever written to a table whose rows carry a
checksum; other modules delete rows, and move objects from pack to pack. Not for: the order of a commit
(`transaction.py`).
"""

from __future__ import annotations

import re

import apsw

from nbcellar.errors import ConflictError, InvalidInputError
from nbcellar.store.checksum import checksum_of_object, checksum_of_record, checksum_of_ref, checksum_of_signature
from nbcellar.store.database import one_integer, rows_of, write_meta
from nbcellar.store.packs import Sealed

LATE_SIGNATURE = "late-signature-"
"""Prefix of the keys in `meta` that name objects signed after they were stored."""

_INDEX_WRITE = re.compile(r"\s*(?:INSERT|REPLACE|UPDATE|DELETE)\s+(?:OR\s+\w+\s+)?(?:INTO\s+|FROM\s+)?ix_\w+\b", re.I)
_checked_statements: set[str] = set()


class RowWriter:
    """Writes rows; scopes and keys get small integers, given out inside the transaction."""

    def __init__(self, db: apsw.Connection) -> None:
        self._db = db
        self._scopes: dict[str, int] = {}
        self._keys: dict[bytes, int] = {}
        self._next: dict[str, int] = {}  # number of the next row, by table

    def set_ref(self, scope: str, name: str, *, old: bytes | None, new: bytes | None) -> None:
        """See `interface.Transaction.set_ref`; raises ConflictError at once."""
        if not self._change_ref(scope, name, old, new):
            raise ConflictError(f"ref '{name}' was moved meanwhile", hint="look at its new value and try again")

    def put_ref(self, scope: str, name: str, value: bytes) -> None:
        """Set a ref, whatever it was."""
        row = (self._scope(scope), name, value, checksum_of_ref(scope, name, value))
        self._db.execute("INSERT OR REPLACE INTO refs VALUES (?, ?, ?, ?)", row)

    def append(self, scope: str, payload: bytes) -> int:
        """Append a record; return its number."""
        number = self._take_number("records")
        self.put_record(number, scope, payload)
        return number

    def put_record(self, number: int, scope: str, payload: bytes) -> None:
        """Add a record with its number, unless there is one."""
        row = (number, self._scope(scope), payload, checksum_of_record(number, scope, payload))
        self._db.execute("INSERT OR IGNORE INTO records VALUES (?, ?, ?, ?)", row)

    def replace_record(self, number: int, payload: bytes) -> None:
        """Give a record another payload."""
        for (scope,) in rows_of(self._db, _SCOPE_OF_RECORD, (number,)):
            row = (payload, checksum_of_record(number, scope, payload), number)
            self._db.execute("UPDATE records SET payload = ?, checksum = ? WHERE number = ?", row)

    def sign(self, digest: bytes, key: bytes, signature: bytes, *, late: bool = False) -> None:
        """Add a signature of an object that is in the store; `late`: it may be in the log already, without this one."""
        number = find_object(self._db, digest)
        if number is None:
            return
        row = (number, self._key(key), signature, checksum_of_signature(digest, key, signature))
        self._db.execute("INSERT OR IGNORE INTO signatures VALUES (?, ?, ?, ?)", row)
        if late:  # log packs carry the signatures of new objects, and those noted here
            write_meta(self._db, {f"{LATE_SIGNATURE}{number}": number})

    def add_pack(self, sealed: Sealed, *, log: bool = False) -> int:
        """Register a pack and return its row id; see `add_pack`."""
        return add_pack(self._db, sealed, log=log)

    def add_object(
        self,
        digest: bytes,
        kind: int,
        codec: int,
        sizes: tuple[int, int],
        place: tuple[int | None, int | None],
        data: bytes | None,
    ) -> None:
        """Add a row to `objects` unless the object is there; sizes: raw and stored bytes; place: pack and offset."""
        number = self._take_number("objects")
        checksum = checksum_of_object(number, digest, kind, codec, *sizes)
        self._db.execute(_INSERT_OBJECT, (digest, kind, codec, *sizes, *place, data, number, checksum))
        if not self._db.changes():
            self._next["objects"] = number

    def execute(self, statement: str, parameters: tuple[object, ...] = ()) -> None:
        """See `interface.Transaction.execute`; runs at once."""
        check_index_statement(statement)
        self._db.execute(statement, parameters)

    def _change_ref(self, scope: str, name: str, old: bytes | None, new: bytes | None) -> bool:
        """Change a ref if it has the value `old`; return whether it had."""
        number = self._scope(scope)
        if old == new:  # a condition only: no page is written for it
            rows = rows_of(self._db, "SELECT value FROM refs WHERE scope = ? AND name = ?", (number, name))
            return rows == ([] if old is None else [(old,)])
        if new is None:
            statement = "DELETE FROM refs WHERE scope = ? AND name = ? AND value = ?"
            self._db.execute(statement, (number, name, old))
        elif old is None:
            row = (number, name, new, checksum_of_ref(scope, name, new))
            self._db.execute("INSERT OR IGNORE INTO refs VALUES (?, ?, ?, ?)", row)
        else:
            where = (number, name, old)
            statement = "UPDATE refs SET value = ?, checksum = ? WHERE scope = ? AND name = ? AND value = ?"
            self._db.execute(statement, (new, checksum_of_ref(scope, name, new), *where))
        return self._db.changes() == 1

    def _take_number(self, table: str) -> int:
        if not self._next:
            ((last_object, last_record),) = rows_of(self._db, _LAST_NUMBERS)
            self._next = {"objects": (last_object or 0) + 1, "records": (last_record or 0) + 1}
        number = self._next[table]
        self._next[table] = number + 1
        return number

    def _scope(self, name: str) -> int:
        number = self._scopes.get(name)
        if number is None:
            number = self._scopes[name] = self._find("scopes", "name", name)
        return number

    def _key(self, key: bytes) -> int:
        number = self._keys.get(key)
        if number is None:
            number = self._keys[key] = self._find("keys", "key", key)
        return number

    def _find(self, table: str, column: str, value: str | bytes) -> int:
        row = self._db.execute(f"SELECT id FROM {table} WHERE {column} = ?", (value,)).fetchone()
        if row is None:
            self._db.execute(f"INSERT INTO {table} ({column}) VALUES (?)", (value,))
            return self._db.last_insert_rowid()
        return int(row[0])


def find_object(db: apsw.Connection, digest: bytes) -> int | None:
    """Return the row id of an object, None when it is not in the store."""
    row = db.execute(_FIND_OBJECT, (digest,)).fetchone()
    return None if row is None else int(row[0])


def add_pack(db: apsw.Connection, sealed: Sealed, *, log: bool = False) -> int:
    """Register a pack and return its row id; the same content may have been packed before."""
    fields = (sealed.name, sealed.size_bytes, int(log))
    db.execute("INSERT OR IGNORE INTO packs (name, size_bytes, log) VALUES (?, ?, ?)", fields)
    return one_integer(db, "SELECT id FROM packs WHERE name = ?", (sealed.name,))


def check_index_statement(statement: str) -> None:
    """Raise InvalidInputError unless `statement` writes an index table of history and nothing else."""
    if statement not in _checked_statements:
        if not _INDEX_WRITE.match(statement) or ";" in statement:
            raise InvalidInputError("only tables whose names begin with ix_ can be written by a statement")
        _checked_statements.add(statement)


_FIND_OBJECT = "SELECT id FROM objects WHERE substr(digest, 1, 8) = substr(?1, 1, 8) AND digest = ?1"
_INSERT_OBJECT = """INSERT INTO objects (id, digest, kind, codec, raw_bytes, stored_bytes, pack, offset, data, checksum)
    SELECT ?9, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?10 WHERE NOT EXISTS (
        SELECT 1 FROM objects WHERE substr(digest, 1, 8) = substr(?1, 1, 8) AND digest = ?1)"""
_LAST_NUMBERS = "SELECT (SELECT max(id) FROM objects), (SELECT max(number) FROM records)"
_SCOPE_OF_RECORD = "SELECT s.name FROM records r JOIN scopes s ON s.id = r.scope WHERE r.number = ?"

__all__ = ["LATE_SIGNATURE", "RowWriter", "add_pack", "check_index_statement", "find_object"]
