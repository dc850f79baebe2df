"""Rebuilding the objects of a stored value, aside from the live session.

Invariant: nothing live changes; memory that was one region is one buffer again, so aliases and views are aliases and
views; every block is verified by the store or copied from live memory whose hash was just taken.
Not for: which values are needed (`plan.py`), whether they may be loaded (`trust.gate`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

from nbcellar.ids import Digest
from nbcellar.session import arrays
from nbcellar.session.blocks import memory_at
from nbcellar.session.donors import Donors
from nbcellar.trust.gate import LoadPermit, unpickle
from nbcellar.values.manifest import StoredRegion, Value


class BlockSource(Protocol):
    """Where blocks come from: the store, or live memory that holds the same bytes."""

    def read(self, digest: Digest) -> bytes:
        """Return a block."""
        ...

    def read_into(self, digest: Digest, target: memoryview) -> None:
        """Fill `target`, which has exactly the block's size."""
        ...


class _LookedAtError(Exception):
    """The stream names code that could look at an array that was taken over and does not hold its value yet."""


# What a value begins with whose arrays may be taken over: an array, a frame, a series.
_WHOLE = frozenset({(arrays.__name__, "exported"), ("pandas", "DataFrame"), ("pandas", "Series")})
# What else such a value names: none of it reads an array or runs code of a notebook.
_QUIET = {
    arrays.__name__: frozenset({"exported", "inline", "object_view", "element"}),
    "numpy": frozenset({"dtype", "ndarray"}),
    "numpy._core.multiarray": frozenset({"_reconstruct", "scalar"}),
    "numpy.core.multiarray": frozenset({"_reconstruct", "scalar"}),
    "builtins": frozenset({"slice"}),
    "pandas.core.frame": frozenset({"DataFrame"}),
    "pandas.core.series": frozenset({"Series"}),
    "pandas": frozenset({"DataFrame", "Series", "Index", "RangeIndex", "MultiIndex", "DatetimeIndex", "StringDtype"}),
}
_QUIET_MODULES = (
    "datetime",
    "pandas._libs.",
    "pandas.arrays",
    "pandas.core.arrays.",
    "pandas.core.dtypes.",
    "pandas.core.indexes.",
    "pandas.core.internals.",
    "pyarrow.lib",
)


def _is_quiet(module: str, name: str) -> bool:
    return name in _QUIET.get(module, ()) or module.startswith(_QUIET_MODULES)


class _Memory:
    """The regions of one value, each filled when it is first asked for."""

    def __init__(self, value: Value, source: BlockSource, donors: Donors) -> None:
        self.value = value
        self.donors = donors
        self.source = source
        self.owners: dict[int, Any] = {}
        self.users = [0] * len(value.regions)
        for region in value.places[::2]:
            if region >= 0:
                self.users[region] += 1
        self.compacted = frozenset(value.compacted)
        self.taken = False
        self._may_take: bool | None = None  # None: nothing was named yet

    def note(self, module: str, name: str) -> None:
        """Note what the stream names: what was taken over holds the value only later, so nobody may look at it now.

        Raises _LookedAtError if something was taken before code was named that could look at it.
        """
        if self._may_take is None:
            self._may_take = (module, name) in _WHOLE
        elif not _is_quiet(module, name):
            self._may_take = False
            if self.taken:
                raise _LookedAtError

    def array(self, index: int, dtype: Any, shape: Any, layout: Any, writeable: bool) -> Any:
        """Stand in for `arrays.exported`."""
        import numpy as np

        region, offset = self.value.places[2 * index : 2 * index + 2]
        kind = np.dtype(dtype)
        if index in self.compacted:
            layout = "C"
        contiguous = isinstance(layout, str)
        if region < 0:
            made = np.empty(shape, kind, order=layout if contiguous else "C")
        elif contiguous and self.users[region] == 1:
            stored = self.value.regions[region]
            if writeable and self._may_take:
                taken = self.donors.take(kind, shape, layout, stored.ends, stored.digests())
                if taken is not None:
                    self.taken = True
                    return taken
            made = np.empty(shape, kind, order=layout)  # owns its memory, as it most likely did
            self._fill(region, memory_at(made.ctypes.data, made.nbytes))
        elif contiguous:
            made = np.ndarray(shape, kind, self._owner(region), offset, order=layout)
        else:
            offset += sum(-s * (n - 1) for s, n in zip(layout, shape, strict=True) if s < 0)
            made = np.ndarray(shape, kind, self._owner(region), offset, layout)
        if not writeable:
            made.setflags(write=False)
        return made

    def buffers(self) -> Iterator[Any]:
        """Yield pickle's out-of-band buffers in order."""
        value = self.value
        for index, size, readonly in zip(value.raw_buffers, value.sizes, value.readonly, strict=True):
            region, offset = value.places[2 * index : 2 * index + 2]
            view = (
                memoryview(self._owner(region))[offset : offset + size] if region >= 0 else memoryview(bytearray(size))
            )
            yield view.toreadonly() if readonly else view

    def _owner(self, region: int) -> Any:
        owner = self.owners.get(region)
        if owner is None:
            size = self.value.regions[region].size_bytes
            owner = self.owners[region] = _allocate(size)
            self._fill(region, memoryview(owner))
        return owner

    def _fill(self, region: int, target: memoryview) -> None:
        stored = self.value.regions[region]
        start = 0
        for end, digest in zip(stored.ends, stored.digests(), strict=True):
            self.source.read_into(digest, target[start:end])
            start = end


def _allocate(size: int) -> Any:
    try:
        import numpy as np
    except ImportError:
        return bytearray(size)
    return np.empty(size, np.uint8)


def read_stream(value: Value, source: BlockSource) -> bytes:
    """Return the pickle stream of a value."""
    if value.stream is None:
        return value.inline
    return b"".join(source.read(digest) for digest in _digests(value.stream))


def _digests(region: StoredRegion) -> list[Digest]:
    return region.digests()


def decode(
    value: Value,
    source: BlockSource,
    permit: LoadPermit,
    find_class: Callable[[str, str], Any],
    donors: Donors,
) -> tuple[Any, ...]:
    """Return the objects of a co-variable, in the order of its names. Whatever their classes raise passes through.

    Arrays that were taken from `donors` hold the value only after `donors.exchange`.
    """
    before = donors.mark()
    try:
        return _decode(value, source, permit, find_class, donors)
    except _LookedAtError:
        donors.rewind(before)
        return _decode(value, source, permit, find_class, Donors())


def _decode(
    value: Value,
    source: BlockSource,
    permit: LoadPermit,
    find_class: Callable[[str, str], Any],
    donors: Donors,
) -> tuple[Any, ...]:
    memory = _Memory(value, source, donors)

    def find(module: str, name: str) -> Any:
        memory.note(module, name)
        if module == arrays.__name__ and name == "exported":
            return memory.array
        return find_class(module, name)

    stream, buffers = read_stream(value, source), memory.buffers()
    if not value.container:
        loaded = unpickle(permit, stream, buffers=buffers, find_class=find)
        if not isinstance(loaded, tuple):
            raise TypeError("a stored value must be a tuple of objects")
        return loaded
    whole: Any = [] if value.container == "list" else {}
    add = whole.extend if value.container == "list" else whole.update
    start = 0
    for end in value.part_ends:
        add(unpickle(permit, stream[start:end], buffers=buffers, find_class=find))
        start = end
    return (whole,)
