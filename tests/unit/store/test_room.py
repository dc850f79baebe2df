"""How much more may be written: caps, and the part of a disk that is left free."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbcellar.store import room as room_module
from nbcellar.store.collect import collect
from nbcellar.store.interface import Kind
from nbcellar.store.local import LocalStore
from nbcellar.store.room import Disk, reserve_bytes, room, used_bytes

MIB = 1 << 20


@given(st.integers(0, 1 << 50))
def test_what_is_left_free_is_in_proportion(total: int) -> None:
    reserve = reserve_bytes(total)
    assert 0 <= reserve <= total // 4
    assert reserve <= 1 << 30
    assert reserve >= min(16 * MIB, total // 4)


def test_a_cap_counts_packs_and_database_but_not_the_trash(store: LocalStore) -> None:
    with store.begin() as transaction:
        transaction.put(Kind.BLOCK, os.urandom(3 * MIB))
        transaction.commit()
    assert 3 * MIB < used_bytes(store) < 4 * MIB
    found = room(store, cap_bytes=10 * MIB)
    assert found.bytes == 10 * MIB - used_bytes(store)
    assert found.reason == "the store is at its cap of 10 MiB"
    assert room(store, cap_bytes=MIB).bytes == 0
    collect(store, set, now_ns=1)
    assert used_bytes(store) < MIB


def test_an_almost_full_disk_comes_first(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room_module, "disk_of", lambda folder: Disk(total=1000 * MIB, free=17 * MIB))
    found = room(store, cap_bytes=10 * MIB)
    assert (found.bytes, found.reason) == (MIB, "the disk is almost full (16 MiB of it are left free)")
    monkeypatch.setattr(room_module, "disk_of", lambda folder: Disk(total=1000 * MIB, free=3 * MIB))
    assert room(store, cap_bytes=0).bytes == 0
