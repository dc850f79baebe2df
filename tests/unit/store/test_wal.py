"""A bit that flips in the WAL hides commits, which must be said; a torn end hides none, and is no damage."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbcellar.errors import CorruptStoreError
from nbcellar.store.interface import Kind
from nbcellar.store.local import LocalStore
from nbcellar.store.rebuild import rebuild

STEP = 24 + 4096


def left_by_a_crash(folder: Path, commits: int) -> Path:
    """Leave a store whose last commits are in its WAL only; return the WAL."""
    LocalStore.create(folder).close()
    with LocalStore.open(folder) as store:
        for number in range(commits):
            commit(store, [6000 + number, 7000 + number], b"%d" % number)
        content = files_of(folder)
    put_back(content, folder)
    return folder / "meta.db-wal"


def commit(store: LocalStore, sizes: list[int], payload: bytes) -> None:
    with store.begin() as transaction:
        for size in sizes:
            transaction.put(Kind.VALUE, random.Random(size).randbytes(size))
        transaction.append("", payload)
        transaction.commit()


def files_of(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in ("meta.db", "meta.db-wal")}


def put_back(content: dict[str, bytes], folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for path in folder.glob("meta.db*"):
        path.unlink()
    for name, data in content.items():
        (folder / name).write_bytes(data)


@pytest.fixture(scope="module")
def crashed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of a store with three commits in its WAL."""
    return files_of(left_by_a_crash(tmp_path_factory.mktemp("crashed") / ".cellar", 3).parent)


def flip(path: Path, bit: int) -> None:
    data = bytearray(path.read_bytes())
    data[bit // 8] ^= 1 << bit % 8
    path.write_bytes(data)


def test_a_whole_wal_is_read_to_its_end(crashed: dict[str, bytes], folder: Path) -> None:
    put_back(crashed, folder)
    with LocalStore.open(folder) as store:
        assert len(store.records()) == 3


@settings(max_examples=40)
@given(place=st.floats(0, 0.999))
def test_wherever_a_bit_flips_that_hides_commits_the_store_says_so(
    crashed: dict[str, bytes], folder: Path, place: float
) -> None:
    put_back(crashed, folder)
    wal = folder / "meta.db-wal"
    flip(wal, int(place * wal.stat().st_size * 8))
    try:
        with LocalStore.open(folder) as store:
            assert len(store.records()) == 3, "the flipped bit hides commits in silence"
    except CorruptStoreError as error:
        assert "meta.db-wal is damaged" in str(error) and error.hint == "cellar check --rebuild"


@settings(max_examples=40)
@given(data=st.data())
def test_a_torn_end_is_no_damage(crashed: dict[str, bytes], folder: Path, data: st.DataObject) -> None:
    """What a power failure leaves of a transaction that was being written: some of its frames."""
    content = bytearray(crashed["meta.db-wal"])
    frames = (len(content) - 32) // STEP
    ends = [n for n in range(frames) if any(content[32 + n * STEP + 4 : 32 + n * STEP + 8])]
    first = ends[-2] + 1  # of the last transaction
    lost = data.draw(st.sets(st.integers(first, frames - 1), min_size=1))
    for number in lost:
        content[32 + number * STEP : 32 + (number + 1) * STEP] = bytes(STEP)
    put_back(crashed | {"meta.db-wal": bytes(content)}, folder)
    with LocalStore.open(folder) as store:
        assert len(store.records()) == 2


def test_what_a_killed_writer_left_behind_a_later_commit_is_no_damage(folder: Path, tmp_path: Path) -> None:
    """Its frames are whole, but a smaller commit of another process has overwritten the first of them."""
    start = files_of(left_by_a_crash(folder, 1).parent)
    wals = []
    for sizes, payload in (([30], b"done"), ([9000, 300], b"killed")):
        put_back(start, folder)
        with LocalStore.open(folder) as store:
            commit(store, sizes, payload)
            wals.append(files_of(folder)["meta.db-wal"])
    small, large = wals
    assert len(small) < len(large) and small[:32] == large[:32]
    put_back(start | {"meta.db-wal": small + large[len(small) :]}, folder)
    with LocalStore.open(folder) as store:
        assert [record.payload for record in store.records()] == [b"done", b"0"]


def test_a_rebuild_says_how_much_of_a_damaged_wal_it_could_not_read(crashed: dict[str, bytes], folder: Path) -> None:
    put_back(crashed, folder)
    wal = folder / "meta.db-wal"
    flip(wal, (wal.stat().st_size - 5 * STEP // 2) * 8)
    report = rebuild(folder)
    assert any("transactions in it could not be read" in text for text in report.database)
    with LocalStore.open(folder) as store:
        assert len(store.records()) == 2
