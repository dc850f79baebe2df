"""What a value becomes at its first use: a figure that was drawn is the same figure.

To tell that from a change, a copy of the value as it was recorded is used as well, and both are compared. Using one
costs more than recording it (a drawing: 50 ms), so that is put off until the kernel idles or the value looks changed.
Invariant: put off or not, the answer is that of using the copy when it was recorded: the copy shares no memory with the
value, and where the options that its use depends on are no longer the same, the value counts as changed.
Not for: how something is used (`plots.py`).
"""

from __future__ import annotations

import time
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from nbcellar.session.encode import Encoded, Export, FirstUse, Limits

if TYPE_CHECKING:
    from nbcellar.session.examine import Examiner
    from nbcellar.session.groups import Group

LARGEST_SETTLED = 1 << 20
_TIMES = 20  # as long as encoding takes using a copy: load it, draw, encode that


@dataclass(slots=True)
class Unused:
    """A value that was not used yet when it was recorded. `settled`: hash of a used copy; empty until there is one."""

    use: FirstUse
    options: bytes
    content: tuple[object, ...]
    copy: Encoded | None  # as it was recorded, in memory of its own; None when it was used, or could not be
    settled: bytes = b""


class Settling:
    """Remembers values that were not used yet, and judges what looks changed."""

    def __init__(self, examiner: Examiner) -> None:
        self._examiner = examiner
        self._known: dict[bytes, tuple[bytes, bytes]] = {}  # by version: options, hash of the used copy or nothing

    def note(self, group: Group, encoded: Encoded | None) -> None:
        """Remember a value that was just recorded, if it was not used yet."""
        group.unused = None
        if encoded is None or encoded.first_use is None or group.roots or not _may_be_used(encoded):
            return
        use, options = encoded.first_use, encoded.first_use.options()
        known, settled = self._known.get(group.version, (b"", b""))
        if known != options or not settled:
            settled = b""
            self._known[group.version] = options, settled
        group.unused = Unused(use, options, encoded.content, None if settled else _own(encoded), settled)

    def adopt(self, group: Group, encoded: Encoded) -> None:
        """Remember a value that was rebuilt as a version which this kernel recorded."""
        known = self._known.get(group.version)
        if known is None or encoded.first_use is None or not _may_be_used(encoded):
            return
        options, settled = known
        copy = None if settled else _own(encoded)
        group.unused = Unused(encoded.first_use, options, encoded.content, copy, settled)

    def is_settled(self, group: Group, encoded: Encoded, limits: Limits) -> bool:
        """True if a value that looks changed only became what its first use makes of it."""
        unused = group.unused
        if unused is None or encoded.needs or encoded.content != unused.content:
            return False  # using it adds nothing to it: what has more parts was changed, whatever they are
        if time.perf_counter() + 2 * _TIMES * encoded.seconds > limits.deadline or not _may_be_used(encoded):
            return False
        settled = self._settled(group, limits.memory_bytes)
        return bool(settled) and self._examiner.settled(encoded, unused.use.settle, limits.memory_bytes) == settled

    def settle_next(self, groups: Iterable[Group], memory_bytes: int) -> bool:
        """Use the copy of one value for which that was put off, while nobody waits; False if there is none."""
        for group in groups:
            if group.unused is not None and group.unused.copy is not None:
                self._settled(group, memory_bytes)
                return True
        return False

    def _settled(self, group: Group, memory_bytes: int) -> bytes:
        unused = group.unused
        assert unused is not None
        if unused.use.options() != unused.options:
            unused.copy = None if not unused.settled else unused.copy
            return b""
        if unused.copy is not None:
            unused.settled = self._examiner.settled(unused.copy, unused.use.settle, memory_bytes)
            unused.copy = None
            self._known[group.version] = unused.options, unused.settled
        return unused.settled


def _may_be_used(encoded: Encoded) -> bool:
    """False for what holds functions or classes of the notebook, which using a copy would run, and for large values."""
    if encoded.needs or encoded.size_bytes > LARGEST_SETTLED or any(b"make_function" in p for p in encoded.parts):
        return False
    return sum(export.high - export.low for export in encoded.exports) <= LARGEST_SETTLED


def _own(encoded: Encoded) -> Encoded | None:
    """Return an encoding that holds on to no object and no memory of the user; None where that cannot be."""
    raw = frozenset(encoded.raw_buffers)
    try:
        exports = [_own_export(export, at in raw) for at, export in enumerate(encoded.exports)]
    except (AttributeError, TypeError, ValueError, MemoryError):  # memory of something that is no array
        return None
    return replace(encoded, exports=exports, shared=array("Q"), opaque=[], results={}, pickler=None)


def _own_export(export: Export, is_raw: bool) -> Export:
    owner: Any = None
    if is_raw:
        view: memoryview = export.owner[1]  # type: ignore[index]
        data = bytes(view) if view.readonly else bytearray(view)
        owner = (data, memoryview(data))
    elif not export.inline:
        owner = export.owner.copy(order="K")  # type: ignore[attr-defined]
    return replace(export, owner=owner)


__all__ = ["Settling", "Unused"]
