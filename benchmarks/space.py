"""Measure what joining small packs brings: `python benchmarks/space.py [--packs 10000]`.

A store with one pack of 70 KB for each commit, as cells with one small array make them: never joined, joined after each
32nd as in a kernel that idles now and then, and joined at the end, in the slices of an idle kernel. For each: files,
opening the store, reading 200 such values one after the other, `check`, a plan of gc, and how long the slices are.

One Markdown table on standard output. Times are medians by clock, files in the page cache. Nothing here is asserted in
tests.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from nbcellar.ids import Digest
from nbcellar.store.check import check
from nbcellar.store.collect import collect
from nbcellar.store.interface import Kind
from nbcellar.store.local import LocalStore
from nbcellar.store.packs import pack_paths
from nbcellar.store.repack import IDLE_JOIN_FROM, join_some

ROUNDS = 5
SIZE = 70_000
NAMES = 200


def fill(store: LocalStore, packs: int, join_between: Callable[[LocalStore], None]) -> list[Digest]:
    """Store one object a commit; `join_between` runs after each 32nd, as in a kernel that idles now and then."""
    noise = random.Random(1)
    digests = []
    for number in range(packs):
        with store.begin() as transaction:
            digests.append(transaction.put(Kind.BLOCK, noise.randbytes(SIZE)))
            transaction.commit()
        if number % IDLE_JOIN_FROM == 0:
            join_between(store)
    return digests


def median_ms(action: Callable[[], object]) -> float:
    """Return the median time of an action."""
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        action()
        times.append(time.perf_counter() - started)
    return statistics.median(times) * 1000


def look(folder: Path, digests: list[Digest]) -> dict[str, float]:
    """Return the figures of a store as it is."""
    chosen = random.Random(2).sample(digests, NAMES)
    live = set(digests)

    def read() -> None:
        for digest in chosen:
            store.read(digest)

    with LocalStore.open(folder) as store:
        return {
            "pack files": float(len(pack_paths(folder))),
            "open, ms": median_ms(lambda: LocalStore.open(folder).close()),
            f"read {NAMES} values, ms": median_ms(read),
            "check, ms": median_ms(lambda: check(store, read_data=False)),
            "gc --dry-run, ms": median_ms(lambda: collect(store, lambda: live, now_ns=1, dry_run=True)),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--packs", type=int, default=10_000, help="commits, each with a pack (default: 10000)")
    count = parser.parse_args().packs
    slices: list[float] = []

    def join(store: LocalStore) -> None:
        while True:
            started = time.perf_counter()
            if not join_some(store):
                return
            slices.append((time.perf_counter() - started) * 1000)

    with tempfile.TemporaryDirectory() as scratch:
        apart, joined = Path(scratch) / "apart", Path(scratch) / "joined"
        with LocalStore.create(apart) as store:
            digests = fill(store, count, lambda store: None)
        before = look(apart, digests)
        with LocalStore.create(joined) as store:
            started = time.perf_counter()
            digests = fill(store, count, join)
            seconds = time.perf_counter() - started
        after = look(joined, digests)
        with LocalStore.open(apart) as store:
            started = time.perf_counter()
            at_once = list(slices)
            slices.clear()
            join(store)
            all_s = time.perf_counter() - started
        later = look(apart, digests)
    print("| | one pack a commit | joined while idle | joined afterwards |\n|---|---:|---:|---:|")
    for name, value in before.items():
        print(f"| {name} | {value:,.1f} | {after[name]:,.1f} | {later[name]:,.1f} |")
    print(f"| slices | | {len(at_once):,} | {len(slices):,} |")
    print(f"| median slice, ms | | {statistics.median(at_once):,.1f} | {statistics.median(slices):,.1f} |")
    print(f"| longest slice, ms | | {max(at_once):,.1f} | {max(slices):,.1f} |")
    print(f"| in all, s | | {sum(at_once) / 1000:,.1f} of {seconds:,.1f} | {all_s:,.1f} |")


if __name__ == "__main__":
    main()
