"""Every row of `meta.db` that no digest vouches for: a wrong bit is named, and put right by a rebuild."""

from __future__ import annotations

import contextlib
import random
import re
import sqlite3
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbcellar.errors import CellarError, CorruptStoreError
from nbcellar.ids import Digest
from nbcellar.store import checksum, database
from nbcellar.store.check import check
from nbcellar.store.checksum import as_written, flips, is_sound
from nbcellar.store.collect import collect
from nbcellar.store.interface import Kind
from nbcellar.store.local import LocalStore
from nbcellar.store.rebuild import rebuild

SOURCES = Path(checksum.__file__).parent
FORMATS = Path(__file__).parents[2] / "data" / "formats"
KEY, SIGNATURE = b"k" * 32, b"s" * 64


@pytest.fixture
def filled(store: LocalStore) -> LocalStore:
    """A store of which nothing is in a log pack but the project."""
    for number in range(12):
        with store.begin() as transaction:
            head = transaction.put(Kind.COMMIT, b"commit %d " % number * 20)
            transaction.put(Kind.VALUE, b"value %d" % number)
            transaction.sign(head, KEY, SIGNATURE)
            old = store.ref("notebook", "branch/main")
            transaction.set_ref("notebook", "branch/main", old=old, new=head)
            transaction.set_ref("", f"message/{number}", old=None, new=b"words %d" % number)
            transaction.append("notebook", b"record %d" % number)
            transaction.commit()
    return store


def content(store: LocalStore) -> dict[str, object]:
    objects = {
        found.digest: (found.kind, store.read(found.digest), store.signatures(found.digest))
        for found in store.objects()
    }
    return {"objects": objects, "refs": store.refs(), "records": store.records(), "project": store.project}


def change(folder: Path, statement: str, *parameters: object) -> None:
    """Change the database behind the store's back."""
    with contextlib.closing(sqlite3.connect(folder / "meta.db")) as db, db:
        assert db.execute(statement, parameters).rowcount == 1, statement


PLACES = {
    "the payload of a record": "UPDATE records SET payload = x'7265636f7264213634' WHERE number = 5",
    "the scope of a record": "UPDATE records SET scope = (SELECT id FROM scopes WHERE name = '') WHERE number = 5",
    "the number of a record": "UPDATE records SET number = 13 WHERE number = 12",
    "the value of a ref": "UPDATE refs SET value = x'40' WHERE name = 'branch/main'",
    "the name of a ref": "UPDATE refs SET name = 'branch/maio' WHERE name = 'branch/main'",
    "the scope of a ref": "UPDATE refs SET scope = 1 - scope + 2 WHERE name = 'branch/main'",
    "the name of a scope": "UPDATE scopes SET name = 'notebooj' WHERE name = 'notebook'",
    "the kind of an object": "UPDATE objects SET kind = 2 WHERE id = 1",
    "the number of an object": "UPDATE objects SET id = 400 WHERE id = 1",
    "a size that is stated": "UPDATE objects SET stored_bytes = stored_bytes + 1 WHERE id = 1",
    "a signature": "UPDATE signatures SET signature = x'00' WHERE object = 1",
    "what is signed": "UPDATE signatures SET object = 2 WHERE object = 1",
    "a key": "UPDATE keys SET key = x'01'",
    "a mark of the log": "UPDATE meta SET value = value + 1 WHERE key = 'log-sequence'",
    "a checksum": "UPDATE records SET checksum = x'0011223344556677' WHERE number = 5",
    "a row without one": "UPDATE refs SET checksum = NULL WHERE name = 'branch/main'",
    "what a pack is": "UPDATE packs SET log = 0",
}


@pytest.mark.parametrize("place", PLACES)
def test_what_was_changed_is_named_by_check(filled: LocalStore, folder: Path, place: str) -> None:
    assert check(filled, read_data=True).is_clean
    change(folder, PLACES[place])
    problems = check(filled, read_data=True).problems
    assert problems
    assert all("not what was written" in problem.reason for problem in problems) or place == "what a pack is"


@pytest.mark.parametrize("place", ["the payload of a record", "the scope of a record", "the number of a record"])
def test_an_operation_that_is_damaged_is_not_read(filled: LocalStore, folder: Path, place: str) -> None:
    change(folder, PLACES[place])
    with pytest.raises(CorruptStoreError, match="operation") as caught:
        filled.records()
    assert caught.value.hint == "cellar check --rebuild"


def test_a_ref_that_is_damaged_is_not_read(filled: LocalStore, folder: Path) -> None:
    change(folder, PLACES["the value of a ref"])
    for read in (lambda: filled.ref("notebook", "branch/main"), filled.refs):
        with pytest.raises(CorruptStoreError, match="branch/main"):
            read()
    assert filled.ref("", "message/3") == b"words 3"


def test_a_project_that_is_damaged_is_refused(filled: LocalStore, folder: Path) -> None:
    filled.close()
    change(folder, "UPDATE meta SET value = substr(value, 2) WHERE key = 'project'")
    with pytest.raises(CorruptStoreError, match="project"):
        LocalStore.open(folder)


# Which row, by table, and which columns of it: scopes and keys have no checksum, what points to them has.
ROWS = {
    "records": ("number = 5", ["number", "scope", "payload", "checksum"]),
    "refs": ("name = 'branch/main'", ["scope", "name", "value", "checksum"]),
    "scopes": ("name = 'notebook'", ["id", "name"]),
    "keys": ("id = 1", ["id", "key"]),
    "signatures": ("object = 3", ["object", "key", "signature", "checksum"]),
    "objects": ("id = 3", ["digest", "kind", "codec", "raw_bytes", "stored_bytes", "data", "checksum"]),
    "meta": ("key = 'project'", ["value", "checksum"]),
}


@pytest.mark.parametrize(("table", "column"), [(t, column) for t, (_, columns) in ROWS.items() for column in columns])
def test_a_rebuild_puts_a_wrong_bit_right_wherever_it_is(
    filled: LocalStore, folder: Path, table: str, column: str
) -> None:
    before = content(filled)
    filled.close()
    where = ROWS[table][0]
    with contextlib.closing(sqlite3.connect(folder / "meta.db")) as db:
        ((value,),) = db.execute(f"SELECT {column} FROM {table} WHERE {where}").fetchall()
    if isinstance(value, int):
        wrong: object = value ^ 64
    elif isinstance(value, str):
        wrong = value[:-1] + chr(ord(value[-1]) ^ 4)
    else:
        wrong = list(flips(value))[len(value) * 4]
    change(folder, f"UPDATE {table} SET {column} = ? WHERE {where}", wrong)
    with contextlib.suppress(CorruptStoreError), LocalStore.open(folder) as store:
        assert not check(store, read_data=True).is_clean
    report = rebuild(folder)
    assert any("put right" in line for line in report.database), report
    with LocalStore.open(folder) as store:
        assert content(store) == before
        assert check(store, read_data=True).is_clean


VALUES = st.one_of(st.binary(max_size=80), st.text(max_size=20), st.integers(min_value=0, max_value=1 << 40))


@given(st.lists(VALUES, min_size=1, max_size=4), st.data())
def test_a_row_with_one_wrong_bit_is_found_again(values: list[checksum.Value], data: st.DataObject) -> None:
    row = (*values, checksum.checksum("refs", *values))
    assert is_sound("refs", row) and as_written("refs", row) == tuple(values)
    place = data.draw(st.integers(0, len(values)))
    value = row[place]
    if isinstance(value, int):
        wrong: object = value ^ 1 << data.draw(st.integers(0, 40))
    else:
        raw = value.encode() if isinstance(value, str) else value
        if not raw:
            return
        wrong = list(flips(raw))[data.draw(st.integers(0, len(raw) * 8 - 1))]
        if isinstance(value, str):
            wrong = wrong.decode(errors="surrogateescape")
    damaged = (*row[:place], wrong, *row[place + 1 :])
    assert not is_sound("refs", damaged)
    assert as_written("refs", damaged) == tuple(values)


def test_a_row_with_two_wrong_bits_is_not_guessed() -> None:
    row = ("scope", "name", b"value", checksum.checksum_of_ref("scope", "name", b"value"))
    assert as_written("refs", ("scopd", "namd", *row[2:])) is None


def test_a_damaged_row_that_cannot_be_put_right_is_taken_from_the_log(filled: LocalStore, folder: Path) -> None:
    filled.write_log_pack()
    before = content(filled)
    filled.close()
    change(folder, "UPDATE refs SET value = x'00112233' WHERE name = 'branch/main'")
    change(folder, "UPDATE records SET payload = x'00112233' WHERE number = 4")
    report = rebuild(folder)
    assert [line for line in report.database if "operation 4" in line and "from the log" in line]
    assert [line for line in report.database if "branch/main" in line]
    with LocalStore.open(folder) as store:
        assert content(store) == before


def test_whatever_is_done_to_a_store_its_rows_stay_sound(filled: LocalStore, folder: Path) -> None:
    first = next(iter(filled.objects())).digest
    with filled.begin() as transaction:
        transaction.sign(first, b"K" * 32, SIGNATURE)  # late
        transaction.put(Kind.BLOCK, random.Random(1).randbytes(90_000))
        transaction.set_ref("", "message/1", old=b"words 1", new=None)
        transaction.commit()
    assert check(filled, read_data=True).is_clean
    filled.write_log_pack()
    filled.replace_records({3: b"other words"})
    assert filled.records(before=4, limit=1)[0].payload == b"other words"
    live: set[bytes] = {found.digest for found in filled.objects() if found.kind is Kind.COMMIT}
    collect(filled, lambda: live, now_ns=0, purge=True)
    assert check(filled, read_data=True).is_clean
    before = content(filled)
    filled.close()
    rebuild(folder)
    with LocalStore.open(folder) as store:
        assert content(store) == before
        assert check(store, read_data=True).is_clean


def test_a_store_of_format_1_is_left_as_it_is_by_readers_and_gets_checksums_from_writers(tmp_path: Path) -> None:
    with tarfile.open(FORMATS / "store-1.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    folder = tmp_path / ".cellar"
    before = (folder / "meta.db").read_bytes()
    with LocalStore.open(folder, read_only=True) as reader:
        assert check(reader, read_data=True).is_clean
        there = content(reader)
    assert (folder / "meta.db").read_bytes() == before
    with LocalStore.open(folder) as writer, LocalStore.open(folder) as other:
        assert content(writer) == content(other) == there
        assert check(other, read_data=True).is_clean
        with writer.begin() as transaction:
            transaction.put(Kind.VALUE, b"new")
            transaction.append("notebook", b"third")
            assert transaction.commit() == 3
    change(folder, "UPDATE records SET payload = x'66' WHERE number = 1")
    with LocalStore.open(folder) as store:
        assert not check(store, read_data=True).is_clean


def test_an_older_cellar_that_has_the_store_open_cannot_commit(store: LocalStore, folder: Path) -> None:
    with contextlib.closing(sqlite3.connect(folder / "meta.db")) as db, pytest.raises(sqlite3.OperationalError):
        db.execute("INSERT OR IGNORE INTO signatures VALUES (?, ?, ?)", (1, 1, SIGNATURE))


def test_a_format_with_a_wrong_bit_is_damage_and_no_newer_version(store: LocalStore, folder: Path) -> None:
    store.close()
    change(folder, "UPDATE meta SET value = ? WHERE key = 'format'", database.STORE_FORMAT | 64)
    with pytest.raises(CorruptStoreError, match="format"):
        LocalStore.open(folder)
    rebuild(folder)
    with LocalStore.open(folder) as again:
        assert again.project == store.project


def test_a_table_that_is_called_otherwise_is_damage(store: LocalStore, folder: Path) -> None:
    with contextlib.closing(sqlite3.connect(folder / "meta.db")) as db, db:
        db.execute("ALTER TABLE records RENAME COLUMN payload TO qayload")
    with pytest.raises(CellarError) as caught:
        store.records()
    assert caught.value.hint == "cellar check --rebuild"


def test_an_object_of_an_unknown_kind_is_damage(filled: LocalStore, folder: Path) -> None:
    digest = next(iter(filled.objects())).digest
    change(folder, "UPDATE objects SET kind = 67 WHERE id = 1")
    with pytest.raises(CorruptStoreError, match="kind 67"):
        filled.info(Digest(digest))
    with pytest.raises(CorruptStoreError, match="kind 67"):
        list(filled.objects())


def test_only_one_module_writes_rows_that_carry_checksums() -> None:
    writes = re.compile(r"(?:INSERT[^\"]*?INTO|UPDATE|REPLACE INTO)\s+(meta|refs|records|signatures|objects)\b[^\"]*")
    found = {
        (path.name, match[0].split(" WHERE")[0])
        for path in SOURCES.parent.rglob("*.py")
        for match in writes.finditer(path.read_text(encoding="utf-8"))
        if path.name not in ("rows.py", "database.py", "memory.py")  # a store in memory has no such rows
    }
    assert found == {("repack.py", "UPDATE objects SET pack = ?, offset = ?")}


def test_a_row_that_lacks_what_it_must_have_is_reported_and_not_raised(filled: LocalStore, folder: Path) -> None:
    """As a flipped bit in the header of a row makes it: no statement could."""
    with contextlib.closing(sqlite3.connect(folder / "meta.db")) as db, db:
        db.execute("PRAGMA writable_schema = ON")
        db.execute("UPDATE sqlite_schema SET sql = replace(sql, ' NOT NULL', '') WHERE name = 'objects'")
        db.execute("PRAGMA schema_version = 1000")
    change(folder, "UPDATE objects SET raw_bytes = NULL WHERE id = 2")
    filled.close()
    with LocalStore.open(folder) as store:
        reasons = {problem.reason for problem in check(store, read_data=True).problems}
    assert "its entry in the database is damaged" in reasons
