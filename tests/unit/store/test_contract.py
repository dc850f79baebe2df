"""What `interface.py` promises, for every store; and what is on disk, read without the store's own code."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import threading
from pathlib import Path

import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from nbcellar.errors import ConflictError, CorruptStoreError, InvalidInputError, NotFoundError
from nbcellar.ids import Digest
from nbcellar.store.check import check
from nbcellar.store.interface import Kind, ObjectInfo, Store
from nbcellar.store.local import LocalStore
from nbcellar.store.memory import MemoryStore

SCHEMA = ["CREATE TABLE IF NOT EXISTS ix_words (word TEXT, length INTEGER)"]
KEY, SIGNATURE = b"k" * 32, b"s" * 64


def put(store: Store, *objects: bytes, kind: Kind = Kind.BLOCK) -> list[Digest]:
    with store.begin() as transaction:
        digests = [transaction.put(kind, data) for data in objects]
        transaction.commit()
    return digests


def set_ref(store: Store, name: str, old: bytes | None, new: bytes | None, scope: str = "") -> None:
    with store.begin() as transaction:
        transaction.set_ref(scope, name, old=old, new=new)
        transaction.commit()


SAMPLES = [
    b"",
    b"a",
    b"text " * 1000,
    os.urandom(70_000),
    bytes(2_000_000),
    b"".join(i.to_bytes(8, "little") for i in range(50_000)),
    b"".join(i.to_bytes(8, "little") for i in range(50_000))[:-3],
]


def test_a_scan_gives_every_object_of_a_kind_in_order_with_its_bytes(any_store: Store) -> None:
    small = [f"small {number}".encode() for number in range(2500)]
    put(any_store, *small[:1000], kind=Kind.OUTPUTS)
    put(any_store, *SAMPLES, kind=Kind.VALUE)
    put(any_store, *small[1000:], kind=Kind.OUTPUTS)
    assert [data for _, data in any_store.scan(Kind.OUTPUTS)] == small
    assert [data for _, data in any_store.scan(Kind.VALUE)] == SAMPLES
    assert all(blake3(data).digest() == digest for digest, data in any_store.scan(Kind.VALUE))  # type: ignore[arg-type]
    assert list(any_store.scan(Kind.CELL)) == []


def test_a_damaged_object_does_not_hide_the_others_from_a_scan(tmp_path: Path) -> None:
    with LocalStore.create(tmp_path / "store") as store:
        digests = put(store, b"first", b"second", b"third", kind=Kind.CELL)
    with contextlib.closing(sqlite3.connect(tmp_path / "store" / "meta.db")) as db, db:
        db.execute("UPDATE objects SET data = ? WHERE digest = ?", (b"sec0nd", digests[1]))
    with LocalStore.open(tmp_path / "store") as store:
        found = dict(store.scan(Kind.CELL))
    assert (found[digests[0]], found[digests[2]]) == (b"first", b"third")
    assert isinstance(found[digests[1]], CorruptStoreError)


@pytest.mark.parametrize("data", SAMPLES, ids=lambda data: f"{len(data)}-bytes")
def test_what_was_put_is_read(any_store: Store, data: bytes) -> None:
    (digest,) = put(any_store, data)
    assert digest == blake3(data).digest()
    assert any_store.read(digest) == data
    target = bytearray(len(data))
    any_store.read_into(digest, memoryview(target))
    assert target == data
    assert any_store.info(digest).raw_bytes == len(data)


@given(objects=st.lists(st.binary(max_size=300), max_size=20))
def test_reading_returns_what_was_put_for_all_objects(any_store: Store, objects: list[bytes]) -> None:
    for digest, data in zip(put(any_store, *objects), objects, strict=True):
        assert any_store.read(digest) == data


def test_an_object_keeps_its_first_kind_and_is_there_once(any_store: Store) -> None:
    (digest,) = put(any_store, b"x", kind=Kind.CELL)
    put(any_store, b"x", b"x", kind=Kind.TREE)
    assert any_store.info(digest).kind is Kind.CELL
    assert [found.digest for found in any_store.objects()] == [digest]


def test_objects_are_listed_by_kind_in_the_order_they_came(any_store: Store) -> None:
    first, second = put(any_store, b"1", b"2", kind=Kind.CELL)
    put(any_store, b"3", kind=Kind.TREE)
    assert [found.digest for found in any_store.objects(Kind.CELL)] == [first, second]
    assert len(list(any_store.objects())) == 3
    assert all(isinstance(found, ObjectInfo) for found in any_store.objects())


def test_nothing_is_visible_before_commit(any_store: Store) -> None:
    transaction = any_store.begin()
    digest = transaction.put(Kind.BLOCK, os.urandom(100_000))
    transaction.set_ref("", "main", old=None, new=digest)
    transaction.append("", b"r")
    assert transaction.has(digest)
    assert not any_store.has(digest)
    assert any_store.ref("", "main") is None
    assert any_store.records() == []
    assert transaction.commit() == 1
    assert any_store.has(digest)
    assert any_store.ref("", "main") == digest


def test_an_aborted_transaction_leaves_nothing(any_store: Store) -> None:
    transaction = any_store.begin()
    digest = transaction.put(Kind.BLOCK, os.urandom(100_000))
    transaction.abort()
    transaction.abort()
    assert not any_store.has(digest)
    with pytest.raises(InvalidInputError, match="over"):
        transaction.put(Kind.BLOCK, b"late")
    with pytest.raises(InvalidInputError, match="over"):
        transaction.commit()


def test_leaving_the_with_block_without_commit_aborts(any_store: Store) -> None:
    with any_store.begin() as transaction:
        digest = transaction.put(Kind.BLOCK, b"x")
    assert not any_store.has(digest)


def test_abort_after_commit_does_nothing(any_store: Store) -> None:
    with any_store.begin() as transaction:
        digest = transaction.put(Kind.BLOCK, b"x")
        transaction.commit()
        transaction.abort()
    assert any_store.has(digest)


def test_what_is_put_may_be_changed_afterwards(any_store: Store) -> None:
    data = bytearray(b"before" * 10)
    with any_store.begin() as transaction:
        digest = transaction.put(Kind.BLOCK, memoryview(data))
        data[:] = b"after!" * 10
        transaction.commit()
    assert any_store.read(digest) == b"before" * 10


def test_a_digest_that_the_caller_computed_is_taken(any_store: Store) -> None:
    data = b"y" * 1000
    with any_store.begin() as transaction:
        transaction.put(Kind.BLOCK, data, digest=Digest(blake3(data).digest()))
        transaction.commit()
    assert any_store.read(Digest(blake3(data).digest())) == data


def test_digests_that_begin_alike_are_told_apart(any_store: Store) -> None:
    one, other = Digest(bytes(31) + b"1"), Digest(bytes(31) + b"2")
    with any_store.begin() as transaction:
        transaction.put(Kind.BLOCK, b"one", digest=one)
        transaction.commit()
    assert any_store.has(one)
    assert not any_store.has(other)
    with any_store.begin() as transaction:
        transaction.put(Kind.BLOCK, b"the other", digest=other)
        transaction.sign(other, KEY, SIGNATURE)
        transaction.commit()
    assert (any_store.info(one).raw_bytes, any_store.info(other).raw_bytes) == (3, 9)
    assert any_store.signatures(one) == []


def test_data_that_is_not_contiguous_is_refused(any_store: Store) -> None:
    with any_store.begin() as transaction, pytest.raises(InvalidInputError, match="contiguous"):
        transaction.put(Kind.BLOCK, memoryview(bytes(10))[::2])


def test_an_unknown_object_is_not_found_by_its_full_name(any_store: Store) -> None:
    unknown = Digest(bytes(range(32)))
    assert not any_store.has(unknown)
    assert any_store.signatures(unknown) == []
    for ask in (any_store.read, any_store.info):
        with pytest.raises(NotFoundError, match=unknown.hex()):
            ask(unknown)


def test_an_object_is_read_into_a_target_of_its_size_only(any_store: Store) -> None:
    (digest,) = put(any_store, b"12345")
    for target in (memoryview(bytearray(4)), memoryview(bytearray(6)), memoryview(bytes(5))):
        with pytest.raises(InvalidInputError, match="5"):
            any_store.read_into(digest, target)


def test_signatures_are_kept_beside_their_object(any_store: Store) -> None:
    with any_store.begin() as transaction:
        digest = transaction.put(Kind.COMMIT, b"commit")
        transaction.sign(digest, KEY, SIGNATURE)
        transaction.commit()
    assert any_store.signatures(digest) == [(KEY, SIGNATURE)]
    with any_store.begin() as transaction:
        transaction.sign(digest, b"K" * 32, b"S" * 64)
        transaction.sign(digest, KEY, b"other" * 10)
        transaction.commit()
    assert any_store.signatures(digest) == [(KEY, SIGNATURE), (b"K" * 32, b"S" * 64)]


def test_what_is_not_there_cannot_be_signed(any_store: Store) -> None:
    with any_store.begin() as transaction, pytest.raises(InvalidInputError, match="signed"):
        transaction.sign(Digest(bytes(32)), KEY, SIGNATURE)


def test_a_ref_moves_only_from_where_it_is(any_store: Store) -> None:
    set_ref(any_store, "main", None, b"1")
    set_ref(any_store, "main", b"1", b"2")
    for wrong in (None, b"1"):
        with pytest.raises(ConflictError, match="main"):
            set_ref(any_store, "main", wrong, b"3")
        with pytest.raises(ConflictError, match="main"):
            set_ref(any_store, "main", wrong, None)
    assert any_store.ref("", "main") == b"2"
    set_ref(any_store, "main", b"2", b"2")
    set_ref(any_store, "main", b"2", None)
    assert any_store.ref("", "main") is None
    set_ref(any_store, "main", None, None)


def test_refs_are_listed_by_scope_and_prefix(any_store: Store) -> None:
    for scope, name in (("a", "heads/x"), ("a", "heads_y"), ("b", "heads/x"), ("", "tags/é")):
        set_ref(any_store, name, None, b"v", scope)
    assert list(any_store.refs()) == [("", "tags/é"), ("a", "heads/x"), ("a", "heads_y"), ("b", "heads/x")]
    assert list(any_store.refs("a", "heads/")) == [("a", "heads/x")]
    assert list(any_store.refs(prefix="heads/")) == [("a", "heads/x"), ("b", "heads/x")]
    assert any_store.refs("unknown") == {}


def test_what_was_decided_on_all_records_is_not_written_once_there_is_another(any_store: Store) -> None:
    def append(number: int, payload: bytes) -> int:
        with any_store.begin() as transaction:
            transaction.require_last(number)
            transaction.append("", payload)
            return transaction.commit()

    assert append(0, b"first") == 1
    with pytest.raises(ConflictError, match="meanwhile"):
        append(0, b"late")
    assert append(1, b"second") == 2
    assert [record.payload for record in any_store.records()] == [b"second", b"first"]
    with any_store.begin() as transaction:
        transaction.require_last(1)
        with pytest.raises(ConflictError):
            transaction.commit()
        transaction.append("", b"asked anew")  # the condition went with the refs and records
        assert transaction.commit() == 3


def test_a_conflict_keeps_nothing_but_lets_the_transaction_try_again(any_store: Store) -> None:
    set_ref(any_store, "main", None, b"1")
    data = os.urandom(100_000)
    with any_store.begin() as transaction:
        digest = transaction.put(Kind.BLOCK, data)
        transaction.sign(digest, KEY, SIGNATURE)
        transaction.set_ref("", "main", old=b"0", new=digest)
        transaction.append("", b"moved main")
        with pytest.raises(ConflictError):
            transaction.commit()
        assert not any_store.has(digest)
        assert any_store.records() == []
        transaction.set_ref("", "main-2", old=None, new=digest)
        transaction.append("", b"made main-2")
        transaction.commit()
    assert any_store.read(digest) == data
    assert any_store.signatures(digest) == [(KEY, SIGNATURE)]
    assert [record.payload for record in any_store.records()] == [b"made main-2"]
    assert any_store.refs() == {("", "main"): b"1", ("", "main-2"): digest}


def test_two_changes_of_one_ref_in_a_transaction_are_one(any_store: Store) -> None:
    with any_store.begin() as transaction:
        transaction.set_ref("", "main", old=None, new=b"1")
        transaction.set_ref("", "main", old=b"1", new=b"2")
        with pytest.raises(InvalidInputError, match="twice"):
            transaction.set_ref("", "main", old=b"1", new=b"3")
        transaction.commit()
    assert any_store.ref("", "main") == b"2"


def test_records_are_numbered_without_gaps_and_listed_newest_first(any_store: Store) -> None:
    for i in range(3):
        with any_store.begin() as transaction:
            transaction.append("a", b"a%d" % i)
            transaction.append("b", b"b%d" % i)
            assert transaction.commit() == 2 * i + 2
        with any_store.begin() as transaction:
            transaction.append("a", b"aborted")
    assert [record.number for record in any_store.records()] == [6, 5, 4, 3, 2, 1]
    assert [record.payload for record in any_store.records(scope="a")] == [b"a2", b"a1", b"a0"]
    assert [record.number for record in any_store.records(before=5, limit=2)] == [4, 3]
    assert any_store.records(scope="nobody") == []
    with any_store.begin() as transaction:
        assert transaction.commit() == 0


def test_index_tables_change_with_the_transaction(any_store: Store) -> None:
    any_store.ensure_schema(SCHEMA)
    any_store.ensure_schema(SCHEMA)
    with any_store.begin() as transaction:
        transaction.execute("INSERT INTO ix_words VALUES (?, ?)", ("one", 3))
        transaction.put(Kind.CELL, b"x")
        assert list(any_store.query("SELECT * FROM ix_words")) == []
        transaction.commit()
    with any_store.begin() as transaction:
        transaction.execute("DELETE FROM ix_words")
    assert list(any_store.query("SELECT * FROM ix_words WHERE length = ?", (3,))) == [("one", 3)]
    assert list(any_store.query("SELECT count(*), sum(raw_bytes) FROM objects")) == [(1, 1)]


def test_a_failing_index_statement_undoes_the_whole_transaction(any_store: Store) -> None:
    any_store.ensure_schema(SCHEMA)
    with any_store.begin() as transaction:
        digest = transaction.put(Kind.CELL, b"x")
        transaction.set_ref("", "main", old=None, new=digest)
        transaction.append("", b"r")
        transaction.execute("INSERT INTO ix_words VALUES (1, 2, 3)")
        with pytest.raises(Exception, match="3 values"):
            transaction.commit()
    assert not any_store.has(digest)
    assert any_store.refs() == {}
    assert any_store.records() == []


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM objects",
        "DROP TABLE ix_words",
        "INSERT INTO meta VALUES (1, 2)",
        "DELETE FROM ix_a; DROP TABLE refs",
    ],
)
def test_statements_touch_index_tables_only(any_store: Store, statement: str) -> None:
    with any_store.begin() as transaction, pytest.raises(InvalidInputError, match="ix_"):
        transaction.execute(statement)
    with pytest.raises(InvalidInputError):
        any_store.query(statement)
    with pytest.raises(InvalidInputError, match="ix_"):
        any_store.ensure_schema([statement])


def test_reading_works_from_many_threads_at_once(any_store: Store) -> None:
    digests = put(any_store, *(os.urandom(80_000) for _ in range(5)))
    failures: list[BaseException] = []

    def read() -> None:
        try:
            for digest in digests * 5:
                assert blake3(any_store.read(digest)).digest() == digest
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_a_project_has_an_id_of_its_own(any_store: Store) -> None:
    assert len(any_store.project) == 32
    assert int(any_store.project, 16) >= 0
    assert not any_store.read_only


def test_a_local_store_is_private_and_invisible_to_git(store: LocalStore, folder: Path) -> None:
    put(store, os.urandom(100_000))
    assert (folder / ".gitignore").read_text() == "*\n"
    for path in [folder, *folder.rglob("*")]:
        expected = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0 or path.name == ".gitignore", path
        assert path.name == ".gitignore" or stat.S_IMODE(path.stat().st_mode) == expected, path


def test_files_on_disk_are_what_the_format_says(store: LocalStore, folder: Path) -> None:
    large, small = os.urandom(100_000), b"small"
    with store.begin() as transaction:
        first, second = transaction.put(Kind.BLOCK, large), transaction.put(Kind.CELL, small)
        transaction.commit()
    store.close()
    with contextlib.closing(sqlite3.connect(folder / "meta.db")) as db:
        rows = {row[0]: row[1:] for row in db.execute("SELECT digest, kind, codec, pack, offset, data FROM objects")}
        packs = dict(db.execute("SELECT id, name FROM packs"))
    assert rows[second] == (5, 0, None, None, small)
    kind, codec, pack, offset, data = rows[first]
    assert (kind, codec, data) == (1, 0, None)
    name = packs[pack].hex()
    content = (folder / "packs" / name[:2] / name).read_bytes()
    assert blake3(content).hexdigest() == name
    assert content[offset : offset + len(large)] == large
    assert content[:8] == content[-8:] == b"CELLARP\x01"


def test_many_objects_of_one_transaction_share_one_pack(store: LocalStore, folder: Path) -> None:
    before = set(folder.glob("packs/*/*"))
    put(store, *(os.urandom(70_000) for _ in range(20)))
    assert len(set(folder.glob("packs/*/*")) - before) == 1
    assert list((folder / "tmp").iterdir()) == []


def test_a_transaction_of_small_objects_makes_no_file(store: LocalStore, folder: Path) -> None:
    before = set(folder.rglob("*"))
    put(store, *(os.urandom(1000) for _ in range(100)))
    after = {path for path in folder.rglob("*") if not path.name.startswith("meta.db")}
    assert after <= before | {folder / "gc.lock"}


def test_very_many_middling_objects_go_to_the_pack(store: LocalStore) -> None:
    digests = put(store, *(os.urandom(50_000) for _ in range(60)))
    inline = [digest for digest in digests if not store.info(digest).in_pack]
    assert len(inline) == 20


@given(st.lists(st.tuples(st.sampled_from(["put", "mark", "rewind"]), st.integers(0, 6)), max_size=25))
def test_what_is_taken_back_was_never_there(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    """Small objects are inline, large ones in the pack; each order of puts, marks and rewinds."""
    with LocalStore.create(tmp_path_factory.mktemp("marks") / ".cellar") as store:
        contents = [bytes([n]) * 10 + _noise(n, 90_000 if n % 2 else 300) for n in range(7)]
        expected: list[bytes] = []
        marks: list[tuple[object, list[bytes]]] = []
        with store.begin() as transaction:
            for step, number in steps:
                if step == "put":
                    transaction.put(Kind.BLOCK, contents[number])
                    expected = [*expected, contents[number]] if contents[number] not in expected else expected
                elif step == "mark":
                    marks.append((transaction.mark(), expected))
                elif marks:
                    mark, expected = marks.pop()
                    transaction.rewind(mark)
                assert bool(transaction.new_bytes) == bool(expected)
            transaction.commit()
        assert {store.read(found.digest) for found in store.objects()} == set(expected)
        assert check(store, read_data=True).is_clean
        assert list((store.folder / "tmp").iterdir()) == []


def test_a_store_in_memory_takes_back_too() -> None:
    store = MemoryStore()
    with store.begin() as transaction:
        kept = transaction.put(Kind.BLOCK, b"kept")
        mark = transaction.mark()
        gone = transaction.put(Kind.BLOCK, b"gone")
        assert transaction.new_bytes == 8
        transaction.rewind(mark)
        assert transaction.new_bytes == 4
        transaction.commit()
    assert store.has(kept) and not store.has(gone)


def _noise(seed: int, size: int) -> bytes:
    import random

    return random.Random(seed).randbytes(size)
