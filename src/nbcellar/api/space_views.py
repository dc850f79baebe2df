"""The parts of what `cellar size` and `cellar gc` give back, which `views.py` puts together.

Invariant: as in `views.py`.
"""

from __future__ import annotations

import msgspec


class SizePart(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the store and the bytes it takes."""

    what: str
    bytes: int
    objects: int = 0


class SizeOf(msgspec.Struct, frozen=True, kw_only=True):
    """What the `values` of a variable, or the commits of a notebook, take.

    `bytes` with what others share, `own_bytes` without: that much goes with it. `names` are several where variables
    share state, and none for a notebook.
    """

    notebook: str
    names: list[str] = []
    values: int
    bytes: int
    own_bytes: int


class ThinnedVariable(msgspec.Struct, frozen=True, kw_only=True):
    """Values of a variable, or of several that share state, that go with their old states; bytes as stored."""

    notebook: str
    names: list[str]
    values: int
    bytes: int
