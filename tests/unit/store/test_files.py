"""Errors of the file system, names that another process made, and what closing may cost."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import apsw
import pytest

from nbcellar.errors import StoreUnavailableError
from nbcellar.store import database, files, local
from nbcellar.store.connections import ConnectionPool
from nbcellar.store.local import LocalStore


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EDQUOT, errno.ESTALE])
def test_every_error_of_a_file_says_what_to_do(number: int) -> None:
    with (
        pytest.raises(StoreUnavailableError, match="cannot write some file") as caught,
        files.file_errors("write", "some file"),
    ):
        raise OSError(number, os.strerror(number))
    assert caught.value.errno == number
    assert caught.value.hint


def test_the_name_of_a_folder_that_another_process_made_is_synced_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(files, "sync_folder", synced.append)
    folder = tmp_path / "ab"
    folder.mkdir()  # its maker has not synced it yet, and may never
    files.make_folder(folder)
    assert synced == [tmp_path]
    files.make_folder(folder)
    assert synced == [tmp_path]


def test_closing_never_fails() -> None:
    class Full:
        def close(self) -> None:
            raise apsw.FullError("no room for a checkpoint")

    pool = ConnectionPool(Full)  # type: ignore[arg-type]
    with pool.connection():
        pass
    pool.close()


def test_a_commit_in_a_rollback_journal_syncs_the_folder_when_the_journal_is_gone(folder: Path) -> None:
    """Else a power failure brings the journal back, which takes the commit back."""
    with LocalStore.create(folder, network=lambda path: True) as store, store.connection() as db:
        assert db.pragma("journal_mode") == "delete"
        assert db.pragma("synchronous") == 3, "EXTRA"


def test_an_open_database_is_as_durable_as_it_can_be(folder: Path) -> None:
    LocalStore.create(folder).close()
    db = database.open_database(folder / "meta.db")
    assert db.pragma("synchronous") == 3
    db.close()


@pytest.mark.parametrize(("on_network", "level"), [(False, 1), (True, 3)])
def test_what_can_be_made_again_waits_for_the_disk_later_where_a_wal_keeps_it_whole(
    folder: Path, on_network: bool, level: int
) -> None:
    LocalStore.create(folder, network=lambda path: on_network).close()
    store = LocalStore.open(folder, late=True, network=lambda path: on_network)
    with store, store.connection() as first, store.connection() as second:
        assert second.pragma("synchronous") == level
        assert first is not second


def test_closing_makes_durable_what_did_not_wait_for_the_disk_though_others_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    LocalStore.create(folder).close()
    synced: list[int] = []
    monkeypatch.setattr(local, "sync_file", lambda descriptor: synced.append(os.fstat(descriptor).st_ino))
    reader = database.open_database(folder / "meta.db")
    store = LocalStore.open(folder, late=True)
    for is_read, expected in ((True, [(folder / "meta.db-wal").stat().st_ino]), (False, [])):
        with store.begin() as tx:
            tx.append("scope", b"record")
            tx.commit()
        if is_read:
            reader.execute("BEGIN; SELECT * FROM meta").fetchall()
        store.close()
        assert synced == expected
        synced.clear()
        reader.execute("ROLLBACK" if is_read else "SELECT 1")
        store = LocalStore.open(folder, late=True)
    store.close()
    reader.close()
