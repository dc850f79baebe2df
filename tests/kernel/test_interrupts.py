"""Interrupts at any moment: whatever they hit, what is recorded afterwards is what is there."""

from __future__ import annotations

import random

import pytest

from .support import Kernel

DIGEST = """
    import hashlib, pickle
    import numpy as np
    def digest():
        def content(v):
            return v.tobytes() if isinstance(v, np.ndarray) else pickle.dumps(v)
        names = sorted(n for n in globals() if n.startswith('v_'))
        values = [globals()[n] for n in names]
        aliases = [[i for i, w in enumerate(values) if w is v and isinstance(v, (list, np.ndarray))] for v in values]
        return repr((names, aliases, [hashlib.md5(content(v)).hexdigest() for v in values]))
"""


def random_cell(rng: random.Random) -> str:
    """Return a cell that makes, changes, shares or removes a variable, small or large."""
    name, other = (f"v_{rng.randrange(4)}" for _ in range(2))
    return rng.choice(
        [
            f"{name} = [{{'i': i}} for i in range({rng.choice([10, 3000, 60_000])})]",
            f"{name} = np.random.rand({rng.choice([10, 1000, 2_000_000])})",
            f"{name} = {other} = [1, 2]",
            f"if isinstance(globals().get('{name}'), list): {name}.append({rng.random()})",
            f"if isinstance(globals().get('{name}'), np.ndarray): {name}[0] = 5",
            f"globals().pop('{name}', None)\nNone",
            f"{name} = {other} if '{other}' in globals() else 3",
            f"{name} = 's' * {rng.choice([5, 3_000_000])}",
        ]
    )


@pytest.mark.slow
def test_whatever_an_interrupt_hits_what_is_recorded_afterwards_is_what_is_there(fresh: Kernel) -> None:
    rng = random.Random(5)
    fresh.run(DIGEST)
    states: dict[str, str] = {}
    for _ in range(30):
        fresh.start(random_cell(rng))
        # One at a time: a second one that comes while ipykernel deals with the first (it has logged "KeyboardInterrupt
        # caught in kernel", and does not ignore SIGINT again yet) ends any kernel, recorded or not.
        if rng.random() < 0.67:
            fresh.interrupt()
        fresh.until_quiet()
        for _ in range(rng.randrange(2)):
            fresh.interrupt()
        if rng.random() < 0.5:
            fresh.run("pass")  # the next cell records everything
            states[fresh.project.commit_id("HEAD").hex()] = fresh.value("digest()")
        if states and rng.random() < 0.25:
            commit = rng.choice(list(states))
            fresh.checkout(commit)
            assert fresh.value("digest()") == states[commit]
    for commit, digest in states.items():
        fresh.checkout(commit)
        assert fresh.value("digest()") == digest
