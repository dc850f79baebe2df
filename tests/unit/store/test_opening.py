"""Making, opening and refusing stores: formats, read-only folders, network file systems."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import apsw
import pytest

from nbcellar.errors import (
    AlreadyExistsError,
    CorruptStoreError,
    InvalidInputError,
    NoRepositoryError,
    StoreUnavailableError,
    UnsupportedFormatError,
)
from nbcellar.store import database
from nbcellar.store.checksum import checksum_of_meta
from nbcellar.store.files import is_network_file_system, is_network_type, mounted_type
from nbcellar.store.interface import Kind
from nbcellar.store.local import LocalStore
from nbcellar.store.packs import pack_paths, read_index


def fill(store: LocalStore) -> dict[bytes, bytes]:
    """Commit a small and a large object and a ref; return what was put."""
    objects = {}
    with store.begin() as transaction:
        for data in (b"small", os.urandom(100_000)):
            objects[transaction.put(Kind.BLOCK, data)] = data
        transaction.set_ref("", "main", old=None, new=b"1")
        transaction.commit()
    return objects


def content_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def set_format(folder: Path, value: int | str) -> None:
    checksum = checksum_of_meta("format", value)
    with contextlib.closing(sqlite3.connect(folder / "meta.db")) as db, db:
        db.execute("UPDATE meta SET value = ?, checksum = ? WHERE key = 'format'", (value, checksum))


def test_a_second_store_in_a_folder_is_refused(store: LocalStore, folder: Path) -> None:
    before = content_of(folder)
    with pytest.raises(AlreadyExistsError, match="already a store"):
        LocalStore.create(folder)
    assert content_of(folder) == before


def test_a_folder_without_a_store_is_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(NoRepositoryError) as caught:
        LocalStore.open(tmp_path)
    assert caught.value.hint == "cellar init"


def test_a_store_keeps_its_project_when_opened_again(folder: Path) -> None:
    with LocalStore.create(folder) as first:
        project = first.project
        objects = fill(first)
    with LocalStore.open(folder) as second:
        assert second.project == project
        assert {digest: second.read(digest) for digest in objects} == objects


def test_closing_empties_the_wal(folder: Path) -> None:
    store = LocalStore.create(folder)
    other = LocalStore.open(folder)
    fill(store)
    store.close()
    store.close()
    assert (folder / "meta.db-wal").stat().st_size == 0
    other.close()
    assert not (folder / "meta.db-wal").exists()
    with pytest.raises(StoreUnavailableError, match="closed"):
        store.refs()


def test_a_newer_format_is_refused_and_left_as_it_is(folder: Path) -> None:
    LocalStore.create(folder).close()
    set_format(folder, database.STORE_FORMAT + 1)
    before = {name: data for name, data in content_of(folder).items() if not name.endswith("-shm")}
    for read_only in (None, True, False):
        with pytest.raises(UnsupportedFormatError, match=f"store format {database.STORE_FORMAT + 1}") as caught:
            LocalStore.open(folder, read_only)
        assert "upgrade" in caught.value.hint
    after = content_of(folder)
    assert {name: after[name] for name in before} == before


def test_a_database_without_a_format_is_damaged(folder: Path) -> None:
    LocalStore.create(folder).close()
    set_format(folder, "one")
    with pytest.raises(CorruptStoreError, match="format"):
        LocalStore.open(folder)


@pytest.mark.parametrize("content", [b"", b"not a database " * 500], ids=["empty", "text"])
def test_a_file_that_is_no_database_is_damaged(folder: Path, content: bytes) -> None:
    LocalStore.create(folder).close()
    (folder / "meta.db").write_bytes(content)
    with pytest.raises(CorruptStoreError) as caught:
        LocalStore.open(folder)
    assert "meta.db" in str(caught.value)
    assert caught.value.hint == "cellar check --rebuild"


def test_a_newer_pack_is_not_taken_for_damage(store: LocalStore, folder: Path) -> None:
    (path,) = pack_paths(folder)
    content = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(content[:7] + b"\x02" + content[8:-1] + b"\x02")
    with pytest.raises(UnsupportedFormatError, match="format 2"):
        read_index(path)


def test_a_store_that_is_opened_read_only_refuses_every_write(folder: Path) -> None:
    with LocalStore.create(folder) as store:
        objects = fill(store)
        with LocalStore.open(folder, read_only=True) as reader:
            assert reader.read_only
            assert {digest: reader.read(digest) for digest in objects} == objects
            reader.ensure_schema(["CREATE TABLE IF NOT EXISTS ix_a (x)"])
            for write in (reader.begin, reader.write_log_pack):
                with pytest.raises(StoreUnavailableError, match="read-only"):
                    write()
            with pytest.raises(StoreUnavailableError, match="read-only"), reader.connection() as db:
                _write(db, reader)


def _write(db: apsw.Connection, reader: LocalStore) -> None:
    with database.sqlite_errors(reader.database_path):
        db.execute("DELETE FROM refs")


READ_AS_NOBODY = """
import os, sys
from pathlib import Path
import lz4.block, urllib.parse, zstandard  # before: the interpreter's files may be closed to others
from nbcellar.errors import StoreUnavailableError
from nbcellar.store.local import LocalStore
os.setgid(65534); os.setuid(65534)
with LocalStore.open(Path(sys.argv[1])) as store:
    assert store.read_only
    digests = [found.digest for found in store.objects()]
    print(len(digests), sum(len(store.read(digest)) for digest in digests), store.ref("", "main"))
    try:
        store.begin()
    except StoreUnavailableError as error:
        print("refused")
"""


def _read_as_nobody(folder: Path) -> str:
    """Read the store in another process and, when the tests run as root, as another user."""
    program = READ_AS_NOBODY if os.getuid() == 0 else READ_AS_NOBODY.replace("os.setgid(65534); os.setuid(65534)", "")
    for parent in [folder, *folder.parents][:-1]:
        if parent.stat().st_uid == os.getuid() and parent != folder:
            parent.chmod(parent.stat().st_mode | 0o055)
    done = subprocess.run([sys.executable, "-c", program, str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _make_read_only(folder: Path) -> None:
    for path in [*folder.rglob("*"), folder]:
        path.chmod(0o555 if path.is_dir() else 0o444)


def _make_writable(folder: Path) -> None:
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o700 if path.is_dir() else 0o600)


@pytest.mark.skipif(sys.platform == "win32", reason="modes mean nothing there")
@pytest.mark.parametrize("state", ["closed", "crashed", "in use", "rollback journal"])
def test_a_read_only_folder_can_be_read(folder: Path, state: str) -> None:
    store = LocalStore.create(folder, network=lambda _: state == "rollback journal")
    objects = fill(store)
    target = folder
    if state == "crashed":  # as a copy of a folder whose kernel was killed: a WAL, but no shared memory
        target = folder.with_name("copy")
        shutil.copytree(folder, target, ignore=shutil.ignore_patterns("*-shm"))
        assert (target / "meta.db-wal").stat().st_size > 0
    elif state != "in use":
        store.close()
    _make_read_only(target)
    before = content_of(target)
    try:
        size = sum(len(data) for data in objects.values())
        assert _read_as_nobody(target) == f"2 {size} b'1'\nrefused\n"
        if state != "in use":
            assert content_of(target) == before
    finally:
        _make_writable(target)
        store.close()


def test_a_network_file_system_gets_a_rollback_journal(folder: Path) -> None:
    with LocalStore.create(folder, network=lambda _: True) as store:
        objects = fill(store)
        assert not (folder / "meta.db-wal").exists()
        assert {digest: store.read(digest) for digest in objects} == objects
    assert (folder / "meta.db").read_bytes()[18:20] == b"\x01\x01"  # SQLite's file format: 1 rollback, 2 WAL


def test_a_store_that_moves_to_a_network_file_system_and_back_keeps_everything(folder: Path) -> None:
    with LocalStore.create(folder) as store:
        objects = fill(store)
        shutil.copytree(folder, folder.with_name("there"), ignore=shutil.ignore_patterns("*-shm"))
    for network, version in ((True, 1), (False, 2)):
        with LocalStore.open(folder.with_name("there"), network=lambda _, network=network: network) as store:
            assert {digest: store.read(digest) for digest in objects} == objects
            with store.begin() as transaction:
                transaction.append("", b"r")
                transaction.commit()
        assert (folder.with_name("there") / "meta.db").read_bytes()[18] == version


MOUNTS = """22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 0:25 / /home rw shared:2 - nfs4 server:/home rw
31 22 0:26 / /mnt/my\\040disk rw - fuse.sshfs host: rw
32 30 0:27 / /home/ada/scratch rw - lustre mds:/x rw
33 22 0:28 / /data rw - btrfs /dev/sdb rw""".splitlines()


@pytest.mark.parametrize(
    ("device", "path", "expected"),
    [
        (os.makedev(254, 0), "/work", "ext4"),
        (os.makedev(0, 25), "/home/ada", "nfs4"),
        (os.makedev(0, 27), "/home/ada/scratch/x", "lustre"),
        (os.makedev(0, 99), "/data/subvolume", "btrfs"),
        (os.makedev(0, 99), "/mnt/my disk/x", "fuse.sshfs"),
        (os.makedev(0, 99), "/database", "ext4"),
    ],
)
def test_the_type_of_a_mount_is_found_by_device_then_by_path(device: int, path: str, expected: str) -> None:
    assert mounted_type(MOUNTS, device, path) == expected


def test_network_and_user_space_file_systems_are_told_from_disks(tmp_path: Path) -> None:
    assert all(is_network_type(name) for name in ("nfs4", "cifs", "fuse.sshfs", "fuse", "lustre", "9p"))
    assert not any(is_network_type(name) for name in ("ext4", "xfs", "btrfs", "tmpfs", "fuseblk", "overlay", ""))
    assert mounted_type([], 0, "/x") == ""
    assert is_network_file_system(tmp_path) in (True, False)


def test_files_of_a_killed_writer_are_swept_when_nobody_writes(store: LocalStore, folder: Path) -> None:
    left = folder / "tmp" / "1-x.pack"
    left.write_bytes(b"half")
    with store.begin() as transaction:
        transaction.put(Kind.BLOCK, os.urandom(100_000))
        LocalStore.open(folder).close()
        assert left.exists()
        transaction.commit()
    LocalStore.open(folder).close()
    assert not left.exists()


def test_a_store_that_lost_its_empty_folders_works(folder: Path) -> None:
    LocalStore.create(folder).close()
    for name in ("tmp", "trash"):
        (folder / name).rmdir()
    with LocalStore.open(folder) as store:
        objects = fill(store)
        assert {digest: store.read(digest) for digest in objects} == objects


def test_too_large_an_object_is_refused(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nbcellar.store.transaction.MAX_RAW_BYTES", 10)
    with store.begin() as transaction, pytest.raises(InvalidInputError, match="11 bytes is too large"):
        transaction.put(Kind.BLOCK, b"x" * 11)


def test_modes_do_not_depend_on_the_umask(folder: Path) -> None:
    old = os.umask(0)
    try:
        with LocalStore.create(folder) as store:
            fill(store)
            assert all(
                stat.S_IMODE(path.stat().st_mode) & 0o077 == 0
                for path in [folder, *folder.rglob("*")]
                if path.name != ".gitignore"
            )
    finally:
        os.umask(old)
