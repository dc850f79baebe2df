"""The format on disk: stores of every released version open, and docs/format.md says what the code does."""

from __future__ import annotations

import re
import tarfile
from pathlib import Path

import pytest
from blake3 import blake3

from nbcellar.ids import Digest
from nbcellar.store import database, logpack, packs
from nbcellar.store.check import check
from nbcellar.store.codec import Codec
from nbcellar.store.interface import Kind
from nbcellar.store.local import LocalStore
from nbcellar.store.rebuild import rebuild

ROOT = Path(__file__).parents[3]
FORMATS = ROOT / "tests" / "data" / "formats"
DOCUMENT = (ROOT / "docs" / "format.md").read_text(encoding="utf-8")

# What every fixture holds; a new format gets a new file beside the old ones, made by `make_fixture`.
NUMBERS = b"".join(i.to_bytes(8, "little") for i in range(20_000))
OBJECTS = {
    Kind.BLOCK: [blake3(b"large").digest(length=66_000), NUMBERS, b"block"],
    Kind.VALUE: [b"value"],
    Kind.COMMIT: [b"a commit " * 60],
    Kind.TREE: [b"tree"],
    Kind.CELL: [b"print('text that is packed') " * 50],
    Kind.OUTPUTS: [b""],
    Kind.ENVIRONMENT: [b"environment"],
    Kind.STATE: [b"state"],
    Kind.AMBIENT: [b"ambient"],
}
SIGNED = Digest(blake3(OBJECTS[Kind.COMMIT][0]).digest())
KEY, SIGNATURE = b"k" * 32, b"s" * 64
REFS = {("", "n"): b"repository", ("notebook", "heads/main"): bytes(SIGNED)}
RECORDS = [("notebook", b"first"), ("", b"second")]


def make_fixture(folder: Path) -> None:
    """Write the store that `store-<format>.tar.gz` is made of."""
    with LocalStore.create(folder) as store, store.begin() as transaction:
        for kind, objects in OBJECTS.items():
            for data in objects:
                transaction.put(kind, data)
        transaction.sign(SIGNED, KEY, SIGNATURE)
        for (scope, name), value in REFS.items():
            transaction.set_ref(scope, name, old=None, new=value)
        for scope, payload in RECORDS:
            transaction.append(scope, payload)
        transaction.commit()
        store.write_log_pack()


def assert_holds_everything(store: LocalStore) -> None:
    for kind, objects in OBJECTS.items():
        for data in objects:
            digest = Digest(blake3(data).digest())
            assert store.read(digest) == data
            assert store.info(digest).kind is kind
    assert store.signatures(SIGNED) == [(KEY, SIGNATURE)]
    assert store.refs() == REFS
    assert [(record.scope, record.payload) for record in reversed(store.records())] == RECORDS
    assert check(store, read_data=True).is_clean


def test_there_is_a_fixture_for_every_format() -> None:
    names = {path.name for path in FORMATS.glob("store-*.tar.gz")}
    assert names >= {f"store-{number}.tar.gz" for number in range(1, database.STORE_FORMAT + 1)}


@pytest.mark.parametrize("number", range(1, database.STORE_FORMAT + 1))
def test_a_store_of_every_format_opens_and_can_be_rebuilt(tmp_path: Path, number: int) -> None:
    with tarfile.open(FORMATS / f"store-{number}.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    folder = tmp_path / ".cellar"
    with LocalStore.open(folder) as store:
        assert store.project == "5f" * 16
        assert_holds_everything(store)
    (folder / "meta.db").unlink()
    rebuild(folder)
    with LocalStore.open(folder) as store:
        assert store.project == "5f" * 16
        assert_holds_everything(store)


def test_what_is_written_today_is_what_the_newest_fixture_holds(folder: Path) -> None:
    make_fixture(folder)
    with LocalStore.open(folder) as store:
        assert_holds_everything(store)


def test_the_document_states_the_versions() -> None:
    for what, number in (
        ("Store format", database.STORE_FORMAT),
        ("Pack format", packs.MAGIC[-1]),
        ("Log bundle format", logpack.BUNDLE_FORMAT),
    ):
        assert f"{what}: **{number}**" in DOCUMENT


def test_the_document_has_the_tables_of_the_code() -> None:
    (stated,) = re.findall(r"```sql\n(.*?)```", DOCUMENT, re.S)
    assert stated.split() == database.TABLES.split()


def test_the_document_lists_kinds_and_codecs() -> None:
    rows = set(re.findall(r"\| (\d+) \| (\w+)", DOCUMENT))
    assert rows >= {(str(int(kind)), kind.name) for kind in Kind}
    assert rows >= {(str(int(codec)), codec.name) for codec in Codec}


def test_the_document_has_the_sizes_of_the_code() -> None:
    assert f"{packs._ENTRY.size} bytes each" in DOCUMENT
    assert re.search(rf"footer\s+{packs._FOOTER.size} bytes", DOCUMENT)
