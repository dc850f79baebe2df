"""Garbage collection: what goes, what stays, and that nobody loses anything meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbcellar.errors import NotFoundError, StoreUnavailableError
from nbcellar.ids import Digest
from nbcellar.store.check import check
from nbcellar.store.collect import ObjectRow, collect, folder_bytes, plan_removal
from nbcellar.store.database import truncate_wal
from nbcellar.store.interface import Kind
from nbcellar.store.local import LocalStore
from nbcellar.store.locks import Collector
from nbcellar.store.packs import pack_paths, read_index
from nbcellar.store.rebuild import rebuild
from nbcellar.store.repack import PackRow, join_small_packs

DAY_NS = 86_400 * 10**9


def put(store: LocalStore, *objects: bytes) -> list[Digest]:
    with store.begin() as transaction:
        digests = [transaction.put(Kind.BLOCK, data) for data in objects]
        for digest in digests:
            transaction.sign(digest, b"k" * 32, b"s" * 64)
        transaction.append("", b"record")
        transaction.commit()
    return digests


def noise(count: int, size: int = 100_000) -> list[bytes]:
    return [os.urandom(size) for _ in range(count)]


def data_packs(folder: Path) -> list[Path]:
    return [path for path in pack_paths(folder) if all(entry.kind for entry in read_index(path))]


def holds(folder: Path, data: bytes) -> list[Path]:
    """Return the files that hold a piece of `data`."""
    return [path for path in folder.rglob("*") if path.is_file() and data[100:140] in path.read_bytes()]


def test_what_is_not_reachable_goes_and_the_rest_is_as_it_was(store: LocalStore) -> None:
    objects = [*noise(6), *noise(6, 300), b"tiny"]
    digests = put(store, *objects)
    live = set(digests[::2])
    report = collect(store, lambda: live, now_ns=0)
    assert (report.objects_kept, report.objects_removed) == (7, 6)
    assert {found.digest for found in store.objects()} == live
    for digest, data in list(zip(digests, objects, strict=True))[::2]:
        assert store.read(digest) == data
        assert store.signatures(digest) == [(b"k" * 32, b"s" * 64)]
    for digest in digests[1::2]:
        with pytest.raises(NotFoundError):
            store.read(digest)
    assert check(store, read_data=True).is_clean


def test_a_dry_run_says_what_would_go_and_changes_nothing(store: LocalStore, folder: Path) -> None:
    digests = put(store, *noise(4))
    before = {path: path.stat().st_size for path in folder.rglob("*")}
    report = collect(store, lambda: {digests[0]}, now_ns=0, dry_run=True)
    assert (report.dry_run, report.objects_removed, report.bytes_removed) == (True, 3, 300_000)
    assert all(store.has(digest) for digest in digests)
    assert {path: path.stat().st_size for path in folder.rglob("*")} == before


def test_a_second_collection_finds_nothing(store: LocalStore) -> None:
    live = set(put(store, *noise(4))[:2])
    collect(store, lambda: live, now_ns=0)
    again = collect(store, lambda: live, now_ns=1)
    assert (again.objects_removed, again.packs_removed, again.packs_repacked) == (0, 0, 0)


def test_a_dead_pack_waits_in_the_trash_for_fourteen_days(store: LocalStore, folder: Path) -> None:
    put(store, *noise(2))
    keep = set(put(store, *noise(2)))
    assert collect(store, lambda: keep, now_ns=10 * DAY_NS).packs_removed == 1
    (waiting,) = (folder / "trash").iterdir()
    assert collect(store, lambda: keep, now_ns=23 * DAY_NS).trash_bytes_removed == 0
    assert waiting.exists()
    assert collect(store, lambda: keep, now_ns=24 * DAY_NS).trash_bytes_removed > 200_000
    assert not waiting.exists()
    assert len(data_packs(folder)) == 1


def test_a_pack_with_little_waste_is_left_alone(store: LocalStore, folder: Path) -> None:
    digests = put(store, *noise(30))
    before = data_packs(folder)
    assert collect(store, lambda: set(digests[1:]), now_ns=0).packs_repacked == 0
    assert data_packs(folder) == before
    assert collect(store, lambda: set(digests[3:]), now_ns=0).packs_repacked == 1
    assert data_packs(folder) != before
    assert all(store.has(digest) for digest in digests[3:])


def test_the_packs_with_the_most_waste_are_rewritten_until_little_is_left(store: LocalStore, folder: Path) -> None:
    packs = [put(store, *noise(20)) for _ in range(4)]
    live = {*packs[0], *packs[1][1:], *packs[2][2:], *packs[3][10:]}
    report = collect(store, lambda: live, now_ns=0)
    assert report.packs_repacked == 1, "half of one was most of the waste"
    assert {found.digest for found in store.objects()} == live
    assert check(store, read_data=True).is_clean


def test_purging_leaves_no_trace_of_what_went(store: LocalStore, folder: Path) -> None:
    secrets = [*noise(2), *noise(2, 900), *noise(1, 40_000)]
    others = [*noise(9), *noise(3, 900)]
    digests = put(store, *secrets, *others)
    store.write_log_pack()
    put(store, b"more")
    store.write_log_pack()
    assert all(holds(folder, secret) for secret in secrets)
    live = {*digests[len(secrets) :]}
    collect(store, lambda: live, now_ns=5, purge=True)
    assert [path for secret in secrets for path in holds(folder, secret)] == []
    assert all(store.read(digest) == data for digest, data in zip(digests[5:], others, strict=True))
    assert check(store, read_data=True).is_clean
    store.close()
    (folder / "meta.db").unlink()
    rebuild(folder)
    with LocalStore.open(folder) as again:
        assert {found.digest for found in again.objects()} == live
        assert len(again.records()) == 2


def test_a_purge_says_so_when_a_reader_keeps_the_wal(
    store: LocalStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nbcellar.store.database.BUSY_TIMEOUT_MS", 20)
    put(store, *noise(1, 900))
    with LocalStore.open(folder, read_only=True) as reader, reader.connection() as db:
        db.execute("BEGIN")
        db.execute("SELECT count(*) FROM objects").fetchall()
        with pytest.raises(StoreUnavailableError, match=r"meta\.db-wal"):
            collect(store, set, now_ns=0, purge=True)
        db.execute("ROLLBACK")
        collect(store, set, now_ns=0, purge=True)


CHECKPOINTER = """
import fcntl, sys
with open(sys.argv[1], "r+b") as file:
    fcntl.lockf(file, fcntl.LOCK_EX, 1, 121)  # WAL_CKPT_LOCK, https://www.sqlite.org/walformat.html#wal_locks
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_purge_waits_for_another_process_that_is_writing_a_checkpoint(store: LocalStore, folder: Path) -> None:
    put(store, *noise(1, 900))
    words = [sys.executable, "-c", CHECKPOINTER, str(folder / "meta.db-shm")]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None and other.stdout.readline() == b"held\n"
        with store.connection() as db:
            assert not truncate_wal(db)
            threading.Timer(0.2, other.kill).start()
            assert truncate_wal(db, wait=True)


def test_purging_reaches_a_second_copy_that_no_row_knows(store: LocalStore, folder: Path) -> None:
    secret, other = noise(2)
    with store.begin() as first, store.begin() as second:
        digest = first.put(Kind.BLOCK, secret)
        second.put(Kind.BLOCK, secret)
        kept = second.put(Kind.BLOCK, other)
        first.commit()
        second.commit()
    assert len(holds(folder, secret)) == 2
    collect(store, lambda: {kept}, now_ns=0, purge=True)
    assert not store.has(digest)
    assert holds(folder, secret) == []
    assert store.read(kept) == other


def test_what_a_transaction_found_is_there_when_it_commits(store: LocalStore, folder: Path) -> None:
    (digest,) = put(store, *noise(1))
    transaction = store.begin()
    assert transaction.put(Kind.BLOCK, store.read(digest)) == digest
    done = threading.Event()

    def sweep() -> None:
        with LocalStore.open(folder) as other:
            reachable = lambda: {d for d in [digest] if other.ref("", "main") == d}  # noqa: E731
            collect(other, reachable, now_ns=0)
        done.set()

    thread = threading.Thread(target=sweep)
    thread.start()
    while thread.is_alive() and not (folder / "gc.intent").exists():  # there while the sweep waits for the writer
        os.sched_yield()
    assert not done.is_set()
    transaction.set_ref("", "main", old=None, new=digest)
    transaction.commit()
    thread.join()
    assert store.has(digest)


def test_a_pending_sweep_is_let_in_between_two_writers(store: LocalStore, folder: Path) -> None:
    (folder / "gc.intent").touch()  # of a collector that was killed: nobody holds its lock
    put(store, b"x")
    assert not (folder / "gc.intent").exists()


def test_two_collections_at_once_are_refused(store: LocalStore, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nbcellar.store.collect._LOCK_TIMEOUT_S", 0.02)
    with Collector(folder, timeout_s=0):
        with pytest.raises(StoreUnavailableError, match="another gc"):
            collect(store, set, now_ns=0)
        assert not store.write_log_pack()
        assert join_small_packs(store) == 0
    with store.begin() as transaction:
        transaction.put(Kind.BLOCK, b"x")
        with pytest.raises(StoreUnavailableError, match="writing"):
            collect(store, set, now_ns=0)


def test_packs_of_writers_that_died_before_their_commit_go_to_the_trash(store: LocalStore, folder: Path) -> None:
    transaction = store.begin()
    transaction.put(Kind.BLOCK, os.urandom(100_000))
    transaction._seal()
    transaction.abort()
    assert len(check(store, read_data=False).unknown_packs) == 1
    assert collect(store, set, now_ns=0).packs_removed == 1
    assert check(store, read_data=False).unknown_packs == ()


def test_a_damaged_object_is_never_replaced_by_a_repack(store: LocalStore, folder: Path) -> None:
    digests = put(store, *noise(4))
    (path,) = data_packs(folder)
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    collect(store, lambda: set(digests[:2]), now_ns=0)
    assert store.has(digests[1])
    assert store.read(digests[1])
    assert path.exists()
    assert [problem.object for problem in check(store, read_data=True).problems] == [None, digests[0]]


def test_small_packs_are_joined_and_read_as_before(store: LocalStore, folder: Path) -> None:
    objects = noise(12)
    digests = []
    for data in objects:
        digests += put(store, data)
        store.write_log_pack()
    assert join_small_packs(store) == 12 + 13
    assert len(pack_paths(folder)) == 2
    assert [store.read(digest) for digest in digests] == objects
    assert check(store, read_data=True).is_clean
    assert join_small_packs(store) == 0
    store.close()
    (folder / "meta.db").unlink()
    rebuild(folder)
    with LocalStore.open(folder) as again:
        assert [again.read(digest) for digest in digests] == objects
        assert len(again.records()) == 12


def test_log_packs_do_not_pile_up(store: LocalStore, folder: Path) -> None:
    objects = [b"object %d" % i for i in range(60)]
    digests = []
    for data in objects:
        digests += put(store, data)
        assert store.write_log_pack()
    assert len(pack_paths(folder)) < 20
    store.close()
    (folder / "meta.db").unlink()
    rebuild(folder)
    with LocalStore.open(folder) as again:
        assert [again.read(digest) for digest in digests] == objects
        assert len(again.records()) == 60


def test_a_reader_that_looked_before_a_join_finds_the_object_after_it(store: LocalStore, folder: Path) -> None:
    digests = [put(store, data)[0] for data in noise(8)]
    found = store._locate(digests[0])
    join_small_packs(store)
    stored, now = store._stored(digests[0], found)
    assert len(stored) == 100_000
    assert now.pack != found.pack


def test_new_objects_are_logged_after_the_last_ones_were_removed(store: LocalStore, folder: Path) -> None:
    put(store, b"old")
    store.write_log_pack()
    collect(store, set, now_ns=0)
    (new,) = put(store, b"new")
    assert store.write_log_pack()
    store.close()
    (folder / "meta.db").unlink()
    rebuild(folder)
    with LocalStore.open(folder) as again:
        assert again.read(new) == b"new"


def test_the_size_of_a_folder_counts_its_files(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x").write_bytes(bytes(10))
    (tmp_path / "y").write_bytes(bytes(5))
    assert folder_bytes(tmp_path) == 15


def needed_packs(objects: list[ObjectRow], live: frozenset[bytes]) -> set[int | None]:
    return {item.pack for item in objects if item.digest in live}


rows = st.lists(
    st.builds(ObjectRow, st.integers(), st.binary(min_size=1, max_size=1), st.none() | st.integers(0, 3), st.just(10)),
    max_size=30,
)


@given(objects=rows, live=st.frozensets(st.binary(min_size=1, max_size=1)))
def test_a_plan_removes_exactly_what_is_not_live(objects: list[ObjectRow], live: frozenset[bytes]) -> None:
    packs = [PackRow(number, Digest(bytes([number] * 32)), 300, False) for number in range(4)]
    logs = [PackRow(9, Digest(bytes(32)), 300, True)]
    plan = plan_removal(objects, packs + logs, live, repack_above=0.5)
    used = {pack.id: sum(o.stored_bytes for o in objects if o.pack == pack.id and o.digest in live) for pack in packs}
    left = [pack for pack in packs if pack.id in needed_packs(objects, live) and pack not in plan.wasteful_packs]
    assert sum(300 - used[pack.id] for pack in left) <= 0.5 * (sum(300 for _ in left) + sum(used.values()))
    assert {item.digest for item in plan.dead}.isdisjoint(live)
    assert len(plan.dead) + plan.kept == len(objects)
    needed = {item.pack for item in objects if item.digest in live}
    assert {pack.id for pack in plan.dead_packs} == set(range(4)) - needed
    assert {pack.id for pack in plan.wasteful_packs} <= needed
