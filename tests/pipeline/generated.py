"""Makes notebooks at random whose cells share lists, functions, classes and files, and edits of them.

Every cell prints what it sees and may run at any place without an error; equal seeds give equal notebooks.
"""

from __future__ import annotations

import random

from .plain_cases import Case, Version

NAMES = ("a", "b", "c", "d")
START = """import os
a, b, c, d = [0], [1], [2], [3]
t = (a, b)
N = 1
def f(x):
    x.append(N)
    return len(x)
class K:
    n = 0
    def up(self):
        self.seen = [*getattr(self, 'seen', []), N]
        return self.seen
k = K()
with open('out.txt', 'w') as file: file.write('0')"""
CELLS = (
    "{x}.append({i})",
    "{x} = {y}",
    "{x} = {y} + [{i}]",
    "{x} += [{i}]",
    "n{i} = f({x})",
    "N = N + {i}",
    "if len({x}) > {i}:\n    {y} = [{i}]",
    "for each in {x}:\n    {y}.append(each)\n    if len({y}) > 6: break",
    "def f(x):\n    x.insert(0, N * {i})\n    return {y}",
    "exec('{x}.append({i})')",
    "globals()['{x}'] = [{i}, *{y}]",
    "t[0].append({i})",
    "t = ({x}, {y})",
    "K.n += {i}",
    "class K:\n    n = {i}\n    def up(self): return [N]\nk = K()",
    "r{i} = k.up()",
    "(lambda z: z.append({i}))({x})",
    "del {x}\n{x} = [{i}]",
    "with open('out.txt', 'a') as file: file.write('{i}')",
    "with open('out.txt', 'w') as file: file.write(str(len({x})))",
    "{x} = [len(open('out.txt').read())]",
    "os.environ['CELLAR_G'] = str({i})",
    "{x} = [int(os.environ.get('CELLAR_G', 0))]",
    "try:\n    {x} = [1 // ({i} - 3)]\nexcept ZeroDivisionError:\n    pass",
    "g = (z for z in {x})",
    "{x} = list(g) if 'g' in globals() else [{i}]",
    "h = lambda: len({x}) + N",
    "{x} = [h()] if 'h' in globals() else [N]",
)
SHOWN = ("print({x})", "print(a, b, c, d)", "print(t, N)", "print(k.up(), K.n)", "print(open('out.txt').read())")


def generate(chance: random.Random) -> Case:
    """Return a notebook of nine cells with two edits."""
    cells = [START, *(_cell(chance) for _ in range(7)), "print(a, b, c, d, t, N, K.n, a is b, c is d)"]
    edits = tuple(Version({chance.randrange(1, 8): _cell(chance)}, {}) for _ in range(2))
    return Case("generated", (Version(dict(enumerate(cells)), {}), *edits))


def _cell(chance: random.Random) -> str:
    x, y = chance.sample(NAMES, 2)
    parts = chance.choice(CELLS), chance.choice(SHOWN)
    return "\n".join(part.format(x=x, y=y, i=chance.randrange(5)) for part in parts)


__all__ = ["generate"]
