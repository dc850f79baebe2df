"""Reading `meta.db` where nothing can be written, not even SQLite's shared memory.

Invariant: the folder of the store is not changed. Committed rows that are still in a WAL are seen, if need be by way of
a private copy. Not for: stores that can be written.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import apsw

from nbcellar.store import database
from nbcellar.store.files import file_errors


class ReadOnlySource:
    """Opens connections to one `meta.db` in the best way that its folder allows."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._copy: tempfile.TemporaryDirectory[str] | None = None

    def connect(self) -> apsw.Connection:
        """Return a connection that only reads."""
        if self._copy is not None:
            return database.open_to_read(Path(self._copy.name) / self._path.name)
        try:
            return _tried(database.open_to_read(self._path))
        except (apsw.CantOpenError, apsw.ReadOnlyError):
            pass  # a WAL database whose shared memory is not there and cannot be made
        if not self._wal_has_content():
            return database.open_immutable(self._path)
        self._copy = self._copied()
        return self.connect()

    def close(self) -> None:
        """Remove the private copy, if one was made."""
        if self._copy is not None:
            self._copy.cleanup()

    def _wal_has_content(self) -> bool:
        try:
            return Path(f"{self._path}-wal").stat().st_size > 0
        except FileNotFoundError:
            return False

    def _copied(self) -> tempfile.TemporaryDirectory[str]:
        copy = tempfile.TemporaryDirectory(prefix="cellar-")
        with file_errors("copy", self._path):
            for suffix in ("", "-wal"):
                shutil.copyfile(f"{self._path}{suffix}", Path(copy.name) / f"{self._path.name}{suffix}")
        return copy


def _tried(db: apsw.Connection) -> apsw.Connection:
    """Return `db` if it can be read: SQLite opens files only at the first statement."""
    try:
        db.execute("SELECT 1 FROM sqlite_schema").fetchall()
    except BaseException:
        db.close()
        raise
    return db
