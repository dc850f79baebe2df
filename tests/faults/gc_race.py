"""Garbage collection beside writers that keep coming back to what it wants to remove: nothing is ever missing.

Writers put the same few objects again and again under refs of their own, so that each is garbage one moment and needed
the next; a collector sweeps all the while. After each round every ref must lead to an object that is there. Nobody may
starve: each writer and the collector get a share. With `--mutant 1` writers take no lock; the rig must then find holes.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from support import Actor, Outcome, in_child, main, scratch

from nbcellar.ids import Digest
from nbcellar.store.collect import collect
from nbcellar.store.interface import Kind
from nbcellar.store.local import LocalStore
from nbcellar.store.locks import Held, WritersLock

WRITERS = 3
_OBJECTS = 12
_ROUND_COMMITS = 30


def writer(folder: Path, name: str, seed: int, mutant: int) -> Actor:
    """Start a process that makes and drops refs to objects that the others make and drop, too."""

    def act(say: Callable[[Any], None]) -> None:
        rng = random.Random(f"{name} {seed}")
        if mutant:
            WritersLock.share = lambda self: Held(None)  # type: ignore[method-assign]
        with LocalStore.open(folder / "project" / ".cellar") as store:
            for number in range(_ROUND_COMMITS):
                with store.begin() as transaction:
                    digests = [
                        transaction.put(Kind.BLOCK, random.Random(i).randbytes(70_000 if i % 3 == 0 else 500))
                        for i in rng.sample(range(_OBJECTS), 3)
                    ]
                    time.sleep(rng.random() * 0.002)  # what was found must still be there at the commit
                    old = store.ref("race", name)
                    transaction.set_ref("race", name, old=old, new=b"".join(digests))
                    transaction.commit()
                say({"done": number})

    return Actor(act)


def collector(folder: Path) -> Actor:
    """Start a process that removes what no ref names, without end."""

    def act(say: Callable[[Any], None]) -> None:
        with LocalStore.open(folder / "project" / ".cellar") as store:

            def reachable() -> set[bytes]:
                return named(store) | {info.digest for info in store.objects() if info.kind is not Kind.BLOCK}

            while True:
                collect(store, reachable, now_ns=time.time_ns(), trash_days=0)
                say({"sweep": 1})

    return Actor(act)


def named(store: LocalStore) -> set[bytes]:
    """Return what the writers' refs name."""
    return {value[i : i + 32] for value in store.refs("race").values() for i in range(0, len(value), 32)}


def missing(folder: Path) -> list[str]:
    """Return what is named and not there."""
    with LocalStore.open(folder / "project" / ".cellar") as store:
        lost = []
        for digest in named(store):
            try:
                store.read(Digest(digest))
            except Exception as error:
                lost.append(str(error))
        return lost


def gc_race(arguments: argparse.Namespace, outcome: Outcome) -> None:
    sweeps: list[int] = []
    with scratch(outcome) as folder:
        for cycle in range(arguments.cycles):
            sweeper = collector(folder)
            actors = [writer(folder, f"w{i}", arguments.seed + cycle, arguments.mutant) for i in range(WRITERS)]
            for actor in actors:
                actor.finish()
                if actor.error and not arguments.mutant:
                    outcome.fail(f"round {cycle}: {actor.error}")
            sweeper.kill()
            sweeper.finish()
            if sweeper.error and not arguments.mutant:
                outcome.fail(f"round {cycle}: {sweeper.error}")
            outcome.cycles += 1
            outcome.acknowledged += sum("done" in said for actor in actors for said in actor.said)
            sweeps.append(len(sweeper.said))
            lost = in_child(lambda: missing(folder))
            outcome.lost += len(lost)
            outcome.failures += [f"round {cycle}: {text}" for text in lost]
            if outcome.failures and (arguments.mutant or len(outcome.failures) > 20):
                break
    if arguments.mutant:
        found, outcome.failures = outcome.lost, []
        outcome.rig += ": no lock"
        outcome.lost = 0
        outcome.notes = [f"found after {outcome.cycles} rounds: {found} objects missing"]
        if not found:
            outcome.fail("the rig does not notice when writers take no lock")
        return
    outcome.notes.append(f"{sum(sweeps)} sweeps, {min(sweeps)} to {max(sweeps)} a round")
    if sum(sweeps) < len(sweeps):
        outcome.fail("the collector starved")


if __name__ == "__main__":
    main(gc_race, cycles=100, mutant=0)
