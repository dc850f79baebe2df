"""kill -9, at any moment, of one to four recording sessions and of a collector beside them.

Each cycle forks the processes on one store, lets them work for a random while, kills them all, and then holds the store
to every commit that was acknowledged: it is there, signed, in the index, its variables load and are equal; `check` is
clean, the operation log has no hole, `tmp/` is empty. A store lives for some cycles; at its end everything that it
ever acknowledged is read once more. Only moments depend on time, no verdict does.
"""

from __future__ import annotations

import argparse
import random
import time

from support import Ack, Actor, Outcome, collector_actor, main, notebook_actor, scratch, verify

CYCLES_OF_A_STORE = 20
VALUES_A_CYCLE = 6


def kill(arguments: argparse.Namespace, outcome: Outcome) -> None:
    done, end = arguments.first, arguments.first + arguments.cycles
    while done < end:
        lives = min(CYCLES_OF_A_STORE, end - done)
        with scratch(outcome) as folder:
            acks: list[Ack] = []
            forgotten = False
            for cycle in range(done, done + lives):
                rng = random.Random(f"{arguments.seed} {cycle}")
                actors = [notebook_actor(folder, f"n{i}", cycle) for i in range(rng.randint(1, 4))]
                collector = collector_actor(folder, cycle) if rng.random() < 0.7 else None
                new = work_and_die(actors, collector, rng, outcome, cycle)
                forgotten |= collector is not None and {"begin": "forget"} in collector.said
                acks += new
                last = cycle == done + lives - 1
                asked = acks if last else new
                verdict = verify(folder, asked, forgotten=forgotten, values=None if last else VALUES_A_CYCLE)
                outcome.cycles += 1
                outcome.acknowledged += len(new)
                outcome.lost += len(verdict.lost)
                outcome.torn += len(verdict.torn)
                for text in (*verdict.lost, *verdict.torn, *verdict.problems):
                    outcome.fail(f"cycle {cycle}: {text}")
                if outcome.failures:
                    return
        done += lives


def work_and_die(
    notebooks: list[Actor], collector: Actor | None, rng: random.Random, outcome: Outcome, cycle: int
) -> list[Ack]:
    """Let them work for a moment, then kill all, one shortly after the other; return what was acknowledged."""
    everyone = notebooks + ([collector] if collector is not None else [])
    rng.choice(notebooks).hear_something()
    until = time.monotonic() + rng.random() * 0.4
    while time.monotonic() < until:
        for actor in everyone:
            actor.listen(0.01)
    rng.shuffle(everyone)
    for actor in everyone:
        actor.kill()
        if rng.random() < 0.3:
            time.sleep(rng.random() * 0.02)
    for actor in everyone:
        actor.finish()
        if actor.error:
            outcome.fail(f"cycle {cycle}: {actor.error}")
    refused = [said["refused"] for actor in everyone for said in actor.said if "refused" in said]
    outcome.said += len(refused)
    if refused and collector is None:  # nobody takes away what they build on
        outcome.fail(f"cycle {cycle}: {refused[0]}")
    return [ack for actor in notebooks for ack in actor.acks()]


if __name__ == "__main__":
    main(kill, cycles=1000, first=0)
