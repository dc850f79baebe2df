"""Values as sides of a comparison: pickled as pickle does it, without a store."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Iterator
from typing import Any

from nbcellar.diff.model import ValueChange
from nbcellar.diff.sides import Side
from nbcellar.diff.variables import compare_values_of
from nbcellar.values.manifest import Value
from nbcellar.values.stored import Budget, Stored


def side(value: Any) -> Side:
    """Return a value as the engine would store a small one."""
    return raw_side(pickle.dumps((value,), 5))


def raw_side(stream: bytes) -> Side:
    value = Value(format=1, python=sys.version_info[:2], inline=stream)
    return Side(Stored(value, lambda digest, size: b"", Budget(0)))


def changes(old: Any, new: Any) -> ValueChange | None:
    """Return what changed from one value to another, as a variable `x`."""
    return compare_values_of("x", 0, side(old), side(new))


def leaves(change: ValueChange | None) -> Iterator[ValueChange]:
    """Yield the changes that hold no others."""
    if change is not None:
        if not change.parts:
            yield change
        for part in change.parts:
            yield from leaves(part)
