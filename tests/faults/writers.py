"""Eight processes commit to one store, and three sessions to one notebook: none loses a commit, none is told "locked".

Half of the processes are plain writers on branches of their own, which also contend for one common ref and try again
when it moved; the others are sessions, three of them of the same notebook, so that heads diverge. All
that was acknowledged is there at the end; the 99th percentile of a plain commit's time is in the table.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from support import Actor, Outcome, in_child, main, notebook_actor, scratch, verify

from nbcellar.errors import ConflictError
from nbcellar.ids import Digest
from nbcellar.store.interface import Kind
from nbcellar.store.local import LocalStore

SESSIONS = ("same", "same", "same", "other")
PLAIN = 4


def plain_writer(folder: Path, name: str, commits: int) -> Actor:
    """Start a process that commits to the store itself, and says how long each commit took."""

    def act(say: Callable[[Any], None]) -> None:
        rng = random.Random(name)
        with LocalStore.open(folder / "project" / ".cellar") as store:
            for number in range(commits):
                started = time.perf_counter()
                _commit(store, name, number, rng)
                say({"done": number, "ms": 1000 * (time.perf_counter() - started)})

    return Actor(act)


def _commit(store: LocalStore, name: str, number: int, rng: random.Random) -> None:
    while True:
        with store.begin() as transaction:
            value = transaction.put(Kind.BLOCK, f"{name} {number} ".encode() * 20)
            if number % 5 == 0:
                transaction.put(Kind.BLOCK, rng.randbytes(70_000))
            transaction.set_ref("", f"message/{name}{number:04}".encode().hex(), old=None, new=value)
            counter = store.ref("writers", "counter")
            transaction.set_ref("writers", "counter", old=counter, new=str(int(counter or b"0") + 1).encode())
            try:
                transaction.commit()
            except ConflictError:
                continue
            return


def refs_of(folder: Path) -> dict[str, bool]:
    """Return the names that plain writers gave, with whether the object is there and sound."""
    with LocalStore.open(folder / "project" / ".cellar") as store:
        names = {name: value for (_, name), value in store.refs("").items() if name.startswith("6d657373616765")}
        found = {bytes.fromhex(name).decode(): bool(store.read(Digest(value))) for name, value in names.items()}
        counter = int(store.ref("writers", "counter") or b"0")
        return {**found, "counter": counter == len(found)}


def writers(arguments: argparse.Namespace, outcome: Outcome) -> None:
    times: list[float] = []
    for cycle in range(arguments.cycles):
        with scratch(outcome) as folder:
            sessions = [notebook_actor(folder, name, 10 * cycle + i, 25) for i, name in enumerate(SESSIONS)]
            plain = [plain_writer(folder, f"w{number}-", arguments.commits) for number in range(PLAIN)]
            for actor in (*sessions, *plain):
                actor.finish()
                if actor.error:
                    outcome.fail(f"round {cycle}: {actor.error}")
            outcome.cycles += 1
            acks = [ack for actor in sessions for ack in actor.acks()]
            refused = [said["refused"] for actor in sessions for said in actor.said if "refused" in said]
            for text in refused:
                outcome.fail(f"round {cycle}: {text}")
            done = sum("done" in said for actor in plain for said in actor.said)
            outcome.acknowledged += len(acks) + done
            times += [said["ms"] for actor in plain for said in actor.said if "ms" in said]
            found = in_child(lambda folder=folder: refs_of(folder))
            outcome.lost += done - (len(found) - 1)
            if not all(found.values()) or len(found) - 1 != done:
                outcome.fail(f"round {cycle}: {done} plain commits, {len(found) - 1} are there, or an update was lost")
            verdict = verify(folder, acks, forgotten=False)
            outcome.lost += len(verdict.lost)
            outcome.torn += len(verdict.torn)
            for text in (*verdict.lost, *verdict.torn, *verdict.problems):
                outcome.fail(f"round {cycle}: {text}")
    times.sort()
    outcome.notes.append(
        f"a plain commit: median {times[len(times) // 2]:.1f} ms, p99 {times[len(times) * 99 // 100]:.0f} ms"
    )


if __name__ == "__main__":
    main(writers, cycles=10, commits=250)
