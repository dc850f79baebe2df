"""Joining small packs while nobody waits: nothing is lost whatever fails, and readers and writers go on."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbcellar.errors import CellarError
from nbcellar.ids import Digest
from nbcellar.store.check import check
from nbcellar.store.collect import collect
from nbcellar.store.interface import Kind
from nbcellar.store.local import LocalStore
from nbcellar.store.locks import Collector
from nbcellar.store.packs import pack_paths
from nbcellar.store.rebuild import rebuild
from nbcellar.store.repack import SMALL_BYTES, count_small_packs, groups, join_some, pack_rows

SIZE = 70_000


def fill(store: LocalStore, count: int, *, seed: int = 0, size: int = SIZE) -> dict[Digest, bytes]:
    """Store objects, each in a pack of its own, and return them by digest."""
    made = {}
    for number in range(count):
        data = random.Random(f"{seed} {number}").randbytes(size)
        with store.begin() as transaction:
            made[transaction.put(Kind.BLOCK, data)] = data
            transaction.commit()
    return made


def holds(store: LocalStore, objects: dict[Digest, bytes]) -> bool:
    return all(store.read(digest) == data for digest, data in objects.items()) and check(store, read_data=True).is_clean


def join_all(store: LocalStore) -> int:
    return sum(iter(lambda: join_some(store, at_least=8, at_most_bytes=1 << 20), 0))


def test_ten_thousand_small_packs_become_few(store: LocalStore) -> None:
    objects = fill(store, 70)
    assert count_small_packs(store) == 70
    slices = 0
    while join_some(store, at_most_bytes=2 << 20):
        slices += 1
    assert slices > 1, "in slices"
    assert len([pack for pack in pack_rows(store) if not pack.log]) < 32
    assert holds(store, objects)


def test_a_slice_is_bounded_and_few_packs_are_left_alone(store: LocalStore) -> None:
    fill(store, 40)
    assert join_some(store, at_most_bytes=1 << 20) == 15
    assert join_some(store, at_least=100) == 0


@given(st.lists(st.integers(1, 5_000_000), max_size=60), st.integers(1, 40), st.integers(1, 1 << 24))
def test_runs_hold_each_pack_once_and_are_no_longer_than_asked(sizes: list[int], at_least: int, full: int) -> None:
    from nbcellar.store.repack import PackRow

    packs = [PackRow(n, Digest(bytes(32)), size, False) for n, size in enumerate(sizes)]
    found = list(groups(packs, at_least, full_bytes=full))
    ids = [pack.id for group in found for pack in group]
    assert ids == sorted(set(ids))
    for group in found:
        assert sum(pack.size_bytes for pack in group[:-1]) < full
        assert len(group) >= at_least or sum(pack.size_bytes for pack in group) >= full


@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_any_order_of_writing_joining_collecting_and_losing_the_database_keeps_all(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("joined") / ".cellar"
    objects: dict[Digest, bytes] = {}
    store = LocalStore.create(folder)
    for step in data.draw(st.lists(st.sampled_from(["fill", "fill", "join", "collect", "lose"]), max_size=8)):
        if step == "fill":
            objects |= fill(store, data.draw(st.integers(1, 12)), seed=len(objects))
        elif step == "join":
            join_all(store)
        elif step == "collect":
            for digest in list(objects)[:: data.draw(st.integers(2, 5))]:
                del objects[digest]
            live = set(objects)
            collect(store, lambda live=live: live, now_ns=1)  # type: ignore[misc]
        else:
            store.close()
            (folder / "meta.db").unlink()
            rebuild(folder)
            store = LocalStore.open(folder)
        assert holds(store, objects)
    store.close()


def test_every_call_may_fail_and_nothing_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The n-th call that changes a file fails, for every n: all is there, also in a database that is made anew."""
    with LocalStore.create(tmp_path / "before") as store:
        objects = fill(store, 9)
    real: dict[str, Callable[..., Any]] = {
        name: getattr(os, name) for name in ("write", "fsync", "rename", "unlink", "open")
    }
    for nth in itertools.count(1):
        folder = tmp_path / str(nth)
        shutil.copytree(tmp_path / "before", folder)
        calls = itertools.count(1)
        gone = 0
        with LocalStore.open(folder) as store:
            with monkeypatch.context() as patch:
                for name, function in real.items():
                    patch.setattr(os, name, _failing(function, calls, nth))
                with contextlib.suppress(OSError, CellarError):
                    gone = join_some(store, at_least=8)
            assert holds(store, objects)
        (folder / "meta.db").unlink()
        rebuild(folder)
        with LocalStore.open(folder) as store:
            assert holds(store, objects)
            collect(store, lambda: set(objects), now_ns=1)
            assert holds(store, objects)
        if gone == 9 and next(calls) <= nth:
            break
        shutil.rmtree(folder)
    assert nth > 5


def _failing(function: Callable[..., Any], calls: Any, nth: int) -> Callable[..., Any]:
    def called(*args: Any, **kwargs: Any) -> Any:
        if next(calls) == nth:
            raise OSError(5, "Input/output error")
        return function(*args, **kwargs)

    return called


def test_nothing_is_joined_while_another_process_collects(store: LocalStore, folder: Path) -> None:
    fill(store, 10)
    with Collector(folder, timeout_s=0):
        assert join_some(store, at_least=8) == 0
    assert join_some(store, at_least=8) == 10


JOINER = """
import select, sys
from pathlib import Path
from nbcellar.store.local import LocalStore
from nbcellar.store.repack import join_some
joined = 0
with LocalStore.open(Path(sys.argv[1])) as store:
    while not select.select([sys.stdin], [], [], 0.001)[0]:
        joined += join_some(store, at_least=4, at_most_bytes=1 << 20)
    while more := join_some(store, at_least=4, at_most_bytes=1 << 20):
        joined += more
print(joined)
"""


def test_kernels_write_and_read_while_others_join(store: LocalStore, folder: Path) -> None:
    """Two processes join what two threads of this one write, and read again and again."""
    joiners = [
        subprocess.Popen([sys.executable, "-c", JOINER, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    failed: list[BaseException] = []
    made: list[dict[Digest, bytes]] = []

    def work(seed: int) -> None:
        try:
            mine: dict[Digest, bytes] = {}
            turn = 0
            # Until some are joined: how soon the other processes get to it, nobody knows.
            while turn < 8 or (len(pack_paths(store.folder)) >= 12 * 8 and turn < 100):
                turn += 1
                mine |= fill(store, 6, seed=seed * 1000 + turn)
                assert all(store.read(digest) == data for digest, data in mine.items())
                for joiner in joiners:
                    assert joiner.poll() is None
            made.append(mine)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    joined = 0
    for joiner in joiners:
        out, _ = joiner.communicate(b"")
        assert joiner.returncode == 0
        joined += int(out)
    assert not failed, failed
    assert joined >= 4
    assert holds(store, made[0] | made[1])
    join_all(store)
    written = made[0] | made[1]  # as many as it took
    # All but the last few are of a mebibyte or more, whatever the other processes made of them.
    assert count_small_packs(store) <= len(written) * SIZE // (1 << 20) + 7
    assert holds(store, written)


def test_a_pack_that_is_full_already_does_not_keep_later_ones_from_being_joined(store: LocalStore) -> None:
    full = fill(store, 1, seed=1, size=(1 << 20) + 1)
    small = fill(store, 16)
    assert join_all(store) == 15
    assert count_small_packs(store) == 3
    assert holds(store, full | small)


def test_full_packs_are_left_alone(store: LocalStore) -> None:
    objects = fill(store, 3, size=SMALL_BYTES)
    before = pack_paths(store.folder)
    assert join_all(store) == 0
    assert pack_paths(store.folder) == before and holds(store, objects)
