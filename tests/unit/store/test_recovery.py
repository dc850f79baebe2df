"""The log, a lost or damaged `meta.db`, and damage that `check` must see."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from blake3 import blake3

from nbcellar.errors import CellarError, CorruptStoreError, NoRepositoryError, UnsupportedFormatError
from nbcellar.ids import Digest
from nbcellar.store.check import CheckReport, check
from nbcellar.store.collect import collect
from nbcellar.store.database import STORE_FORMAT, write_meta
from nbcellar.store.interface import Kind
from nbcellar.store.local import LocalStore
from nbcellar.store.logpack import decode_bundle
from nbcellar.store.packs import PackWriter, pack_paths, read_index
from nbcellar.store.rebuild import rebuild

KEY, SIGNATURE = b"k" * 32, b"s" * 64


def commit(store: LocalStore, number: int, large: bool = False) -> dict[Digest, bytes]:
    """Make one commit as history does; return its objects."""
    objects = [b"commit %d " % number * 20, b"value %d" % number]
    if large:
        objects.append(random.Random(number).randbytes(80_000))
    with store.begin() as transaction:
        put = {transaction.put(Kind.COMMIT, data): data for data in objects}
        head = next(iter(put))
        transaction.sign(head, KEY, SIGNATURE)
        transaction.set_ref("notebook", "main", old=store.ref("notebook", "main"), new=head)
        transaction.append("notebook", b"record %d" % number)
        transaction.commit()
    return put


def content(store: LocalStore) -> dict[str, object]:
    """Return all that a store holds."""
    return {
        "objects": {
            found.digest: (found.kind, store.read(found.digest), store.signatures(found.digest))
            for found in store.objects()
        },
        "refs": store.refs(),
        "records": store.records(),
        "project": store.project,
    }


def rebuilt(folder: Path) -> dict[str, object]:
    rebuild(folder)
    with LocalStore.open(folder) as store:
        assert check(store, read_data=True).is_clean
        return content(store)


@pytest.fixture
def filled(store: LocalStore) -> LocalStore:
    for number in range(30):
        commit(store, number, large=number % 10 == 0)
        if number % 7 == 0:
            store.write_log_pack()
    return store


def test_a_deleted_database_is_rebuilt_up_to_the_last_log_pack(filled: LocalStore, folder: Path) -> None:
    filled.write_log_pack()
    before = content(filled)
    filled.close()
    (folder / "meta.db").unlink()
    with pytest.raises(CorruptStoreError, match="missing") as caught:
        LocalStore.open(folder)
    assert caught.value.hint == "cellar check --rebuild"
    assert rebuilt(folder) == before


def test_a_rebuild_reports_what_it_found(filled: LocalStore, folder: Path) -> None:
    filled.close()
    (folder / "meta.db").unlink()
    report = rebuild(folder)
    assert report.last_record == report.records == 29  # the log was last written after the 29th of 30 commits
    assert (report.objects, report.signatures, report.refs) == (61, 29, 1)
    assert report.same_project
    assert report.moved_aside == ""
    assert report.problems == () and report.database == (f"{folder / 'meta.db'} was missing",)


def test_a_store_goes_on_after_a_rebuild(filled: LocalStore, folder: Path) -> None:
    filled.write_log_pack()
    filled.close()
    (folder / "meta.db").unlink()
    rebuild(folder)
    with LocalStore.open(folder) as store:
        commit(store, 31)
        assert store.records(limit=1)[0].number == 31
        store.write_log_pack()
        before = content(store)
    (folder / "meta.db").unlink()
    assert rebuilt(folder) == before


def test_a_rebuild_of_a_sound_store_loses_nothing(filled: LocalStore, folder: Path) -> None:
    before = content(filled)
    filled.close()
    assert rebuilt(folder) == before
    assert len(list((folder / "damaged").glob("*/meta.db"))) == 1


def test_a_store_that_was_open_during_a_rebuild_writes_to_the_new_database(filled: LocalStore, folder: Path) -> None:
    rebuild(folder)
    put = commit(filled, 77)
    with LocalStore.open(folder) as other:
        assert all(other.read(digest) == data for digest, data in put.items())
        assert len(other.records()) == 31


def test_what_is_readable_of_a_damaged_database_is_kept(filled: LocalStore, folder: Path) -> None:
    before = content(filled)["objects"]
    filled.close()
    path = folder / "meta.db"
    raw = bytearray(path.read_bytes())
    pages = len(raw) // 4096
    raw[4096 * (pages - 1) : 4096 * pages] = os.urandom(4096)
    path.write_bytes(raw)
    after = rebuilt(folder)["objects"]
    assert isinstance(before, dict)
    assert isinstance(after, dict)
    assert after.items() <= before.items()
    assert len(after) >= 61


@pytest.mark.parametrize("content_of_database", [b"", b"no database" * 1000], ids=["empty", "text"])
def test_a_database_that_is_none_is_set_aside(filled: LocalStore, folder: Path, content_of_database: bytes) -> None:
    filled.write_log_pack()
    before = content(filled)
    filled.close()
    (folder / "meta.db").write_bytes(content_of_database)
    assert rebuilt(folder) == before


def test_late_signatures_and_deleted_refs_are_logged(store: LocalStore, folder: Path) -> None:
    (head, *_) = commit(store, 1)
    store.write_log_pack()
    with store.begin() as transaction:
        transaction.sign(head, b"K" * 32, SIGNATURE)
        transaction.set_ref("notebook", "main", old=head, new=None)
        transaction.commit()
    assert store.write_log_pack()
    assert not store.write_log_pack()
    store.close()
    (folder / "meta.db").unlink()
    rebuild(folder)
    with LocalStore.open(folder) as again:
        assert again.signatures(head) == [(KEY, SIGNATURE), (b"K" * 32, SIGNATURE)]
        assert again.refs() == {}


def test_a_log_pack_is_written_only_when_something_is_new(store: LocalStore, folder: Path) -> None:
    assert store.backlog() == (0, 0)
    assert not store.write_log_pack()
    commit(store, 1)
    assert store.backlog()[0] == 2
    assert store.write_log_pack()
    assert store.backlog() == (0, 0)
    assert not store.write_log_pack()
    assert len(pack_paths(folder)) == 2


def test_a_new_store_can_be_rebuilt_with_its_project(store: LocalStore, folder: Path) -> None:
    before = content(store)
    store.close()
    (folder / "meta.db").unlink()
    assert rebuilt(folder) == before


def test_nothing_cannot_be_rebuilt(tmp_path: Path) -> None:
    with pytest.raises(NoRepositoryError):
        rebuild(tmp_path)


def test_a_rebuild_passes_over_a_damaged_pack_and_names_it(filled: LocalStore, folder: Path) -> None:
    filled.close()
    (folder / "meta.db").unlink()
    victim = max(pack_paths(folder), key=lambda path: path.stat().st_size)
    victim.write_bytes(victim.read_bytes()[:-20])
    report = rebuild(folder)
    assert len(report.problems) == 1
    assert victim.name in report.problems[0]
    assert report.objects == 60


def test_a_newer_store_is_not_rebuilt(filled: LocalStore, folder: Path) -> None:
    with filled.connection() as db:
        write_meta(db, {"format": STORE_FORMAT + 1})
    filled.close()
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(UnsupportedFormatError, match=f"store format {STORE_FORMAT + 1}"):
        rebuild(folder)
    (folder / "meta.db").unlink()
    (victim, *_) = pack_paths(folder)
    victim.write_bytes(victim.read_bytes()[:-1] + b"\x02")
    with pytest.raises(UnsupportedFormatError, match="format 2"):
        rebuild(folder)
    assert not (folder / "meta.db").exists()
    assert all(path.read_bytes() == data for path, data in before.items() if path not in (folder / "meta.db", victim))


def test_a_pack_that_a_rebuild_passed_over_survives_gc_but_no_purge(filled: LocalStore, folder: Path) -> None:
    filled.write_log_pack()
    filled.close()
    (folder / "meta.db").unlink()
    victim = max(pack_paths(folder), key=lambda path: path.stat().st_size)
    victim.write_bytes(victim.read_bytes()[:-20])
    rebuild(folder)
    with LocalStore.open(folder) as store:
        live = {found.digest for found in store.objects()}
        collect(store, lambda: live, now_ns=0)
        assert victim.exists()
        assert check(store, read_data=False).unknown_packs == (str(victim),)
        collect(store, lambda: live, now_ns=0, purge=True)
        assert not victim.exists()


def test_a_reader_that_was_open_during_a_rebuild_sees_what_is_written_afterwards(
    filled: LocalStore, folder: Path
) -> None:
    with LocalStore.open(folder, read_only=True) as reader:
        assert len(reader.records()) == 30
        rebuild(folder)
        commit(filled, 99)
        assert len(reader.records()) == 31


def test_bytes_that_are_no_bundle_are_refused() -> None:
    for raw in (b"", b"\xff", b"\x90", b"\x91\x01"):
        with pytest.raises(CorruptStoreError, match="bundle"):
            decode_bundle(raw)
    with pytest.raises(UnsupportedFormatError, match="format 2"):
        decode_bundle(b"\x92\x02\xa1x")


def test_a_pack_that_is_cut_off_or_changed_is_not_believed(folder: Path) -> None:
    for name in ("packs", "tmp"):
        (folder / name).mkdir(parents=True)
    writer = PackWriter(folder)
    writer.add(Digest(blake3(b"abc").digest()), 1, 0, 3, b"abc")
    writer.seal()
    (path,) = pack_paths(folder)
    sound = path.read_bytes()
    index_start = len(sound) - 56 - 58
    for cut in range(len(sound)):
        path.write_bytes(sound[:cut])
        with pytest.raises(CellarError):
            read_index(path)
    for place in [*range(8), *range(index_start, len(sound))]:
        changed = bytearray(sound)
        changed[place] ^= 4
        path.write_bytes(changed)
        with pytest.raises(CellarError):
            read_index(path)


def damage(path: Path, change: Callable[[bytearray], None]) -> None:
    raw = bytearray(path.read_bytes())
    change(raw)
    path.chmod(0o600)
    path.write_bytes(raw)


def test_every_flipped_bit_in_a_pack_is_found(store: LocalStore, folder: Path) -> None:
    put = commit(store, 0, large=True)
    with store.begin() as transaction:
        compressible = b"".join(i.to_bytes(8, "little") for i in range(200_000))
        put[transaction.put(Kind.BLOCK, os.urandom(3000) * 40)] = b""
        transaction.put(Kind.BLOCK, compressible)
        transaction.commit()
    rng = random.Random(5)
    for path in pack_paths(folder):
        sound = path.read_bytes()
        for _ in range(40):
            place, bit = rng.randrange(len(sound)), 1 << rng.randrange(8)
            damage(path, lambda raw, place=place, bit=bit: raw.__setitem__(place, raw[place] ^ bit))
            report = check(store, read_data=True)
            assert not report.is_clean, (path, place, bit)
            assert all(str(path) == problem.file for problem in report.problems)
            path.write_bytes(sound)
    assert check(store, read_data=True).is_clean


def test_a_damaged_object_is_named_with_its_file_when_it_is_read(store: LocalStore, folder: Path) -> None:
    data = os.urandom(90_000)
    with store.begin() as transaction:
        digest = transaction.put(Kind.BLOCK, data)
        transaction.commit()
    path = next(path for path in pack_paths(folder) if path.stat().st_size > 90_000)
    damage(path, lambda raw: raw.__setitem__(500, raw[500] ^ 1))
    for read in (store.read, lambda digest: store.read_into(digest, memoryview(bytearray(90_000)))):
        with pytest.raises(CorruptStoreError) as caught:
            read(digest)
        assert digest.hex() in str(caught.value)
        assert str(path) in str(caught.value)
    path.write_bytes(path.read_bytes()[:5000])
    for read in (store.read, lambda digest: store.read_into(digest, memoryview(bytearray(90_000)))):
        with pytest.raises(CorruptStoreError, match=digest.hex()):
            read(digest)
    path.unlink()
    for read in (store.read, lambda digest: store.read_into(digest, memoryview(bytearray(90_000)))):
        with pytest.raises(CorruptStoreError, match="missing"):
            read(digest)


def test_a_flipped_bit_in_an_inline_object_is_found(store: LocalStore, folder: Path) -> None:
    commit(store, 1)
    store.close()
    path = folder / "meta.db"
    place = path.read_bytes().index(b"value 1")
    damage(path, lambda raw: raw.__setitem__(place, raw[place] ^ 1))
    with LocalStore.open(folder) as again:
        report = check(again, read_data=False)
        (problem,) = report.problems
        assert problem.object == blake3(b"value 1").digest()
        with pytest.raises(CorruptStoreError, match=r"meta\.db"):
            again.read(Digest(blake3(b"value 1").digest()))


def test_a_check_says_what_it_did_not_read(filled: LocalStore) -> None:
    quick = check(filled, read_data=False)
    assert quick.is_clean
    assert quick.objects_not_read == 3 + 6
    assert quick.bytes_not_read > 240_000
    assert quick.packs_not_read == quick.packs == 9
    full = check(filled, read_data=True)
    assert (full.objects_not_read, full.bytes_not_read, full.packs_not_read) == (0, 0, 0)
    assert full.objects_verified == quick.objects_verified + 9


def test_a_missing_pack_is_reported_with_its_objects(filled: LocalStore, folder: Path) -> None:
    victim = max(pack_paths(folder), key=lambda path: path.stat().st_size)
    victim.unlink()
    report: CheckReport = check(filled, read_data=False)
    assert [problem.object is None for problem in report.problems] == [True, False]
    assert {problem.file for problem in report.problems} == {str(victim)}
    assert report.problems[0].reason == "the file is missing"


def test_damage_anywhere_in_the_database_never_makes_check_raise(filled: LocalStore, folder: Path) -> None:
    filled.close()
    path = folder / "meta.db"
    sound = path.read_bytes()
    rng = random.Random(11)
    for _ in range(25):
        raw = bytearray(sound)
        start = rng.randrange(100, len(raw) - 64)
        raw[start : start + 64] = rng.randbytes(64)
        path.write_bytes(raw)
        for name in ("meta.db-wal", "meta.db-shm"):
            (folder / name).unlink(missing_ok=True)
        try:
            store = LocalStore.open(folder)
        except CellarError:
            continue
        check(store, read_data=False)
        store._pool.close(checkpoint=False)


def test_a_rebuild_that_ends_between_moving_aside_and_replacing_loses_nothing(
    filled: LocalStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(filled, 99)  # is in no log pack
    before = content(filled)
    filled.close()
    with monkeypatch.context() as patch:
        patch.setattr("nbcellar.store.rebuild.publish", lambda *paths: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            rebuild(folder)
    assert not (folder / "meta.db").exists()
    assert rebuilt(folder) == before
    assert list(folder.glob("damaged/*/not-replaced")) == []


def test_a_rebuild_names_how_many_damaged_objects_are_nowhere_else(filled: LocalStore, folder: Path) -> None:
    put = commit(filled, 99)
    with filled.connection() as db:
        db.execute("UPDATE objects SET data = ? WHERE digest = ?", (b"other bytes", list(put)[1]))
    filled.close()
    assert any("1 objects in the old database were damaged" in text for text in rebuild(folder).database)
