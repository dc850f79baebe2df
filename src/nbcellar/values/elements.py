"""Elements of one dtype in a row, read when they are asked for.

Invariant: `pieces` tells parts that are equal in two values without reading either. Not for: comparing (`diff/`).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any

from nbcellar.values.dtypes import DType, product
from nbcellar.values.stored import Cut, Run, TooLargeError

MOST_GATHERED = 1 << 28
"""Bytes of an array that are laid out anew at once at most."""


class Elements:
    """`count` elements, `step` bytes apart, the first one at `offset` of a run of bytes.

    Raises ValueError if they do not lie in it.
    """

    def __init__(self, run: Run, dtype: DType, count: int, offset: int = 0, step: int | None = None) -> None:
        self.run, self.dtype, self.count, self.offset = run, dtype, count, offset
        self.step = dtype.size if step is None else step
        first, last = offset, offset + self.step * (count - 1)
        if count and dtype.size and not (min(first, last) >= 0 and max(first, last) + dtype.size <= run.size):
            raise ValueError("elements beyond the memory")

    @property
    def size_bytes(self) -> int:
        """Bytes of the elements themselves."""
        return self.count * self.dtype.size

    def read(self, first: int, last: int) -> bytes:
        """Return the bytes of elements `first` to `last`, one after the other."""
        size, step = self.dtype.size, self.step
        if last <= first or not size:
            return b""
        if step == size:
            return self.run.read(self.offset + first * size, self.offset + last * size)
        if step == 0:
            if (last - first) * size > MOST_GATHERED:
                raise TooLargeError("its elements are too many to be laid out")
            return self.run.read(self.offset, self.offset + size) * (last - first)
        low = min(first * step, (last - 1) * step) + self.offset
        high = max(first * step, (last - 1) * step) + self.offset + size
        data = self.run.read(low, high)
        return gather(data, size, self.offset + first * step - low, (last - first,), (step,))

    def values(self, first: int, last: int) -> list[Any]:
        """Return elements as Python values."""
        return self.dtype.unpack(self.read(first, last))

    def pieces(self) -> list[Cut]:
        """Return the parts that they are stored in, in numbers of elements, in order, without gaps."""
        size, step = self.dtype.size, self.step
        if step <= 0 or not size or not self.count:
            return [Cut(0, self.count)]
        found: list[Cut] = []
        at = 0  # the first element that is in no piece yet
        for cut in self.run.cuts():
            first = max(-((self.offset - cut.start) // step), 0)  # the first that begins in the cut
            last = min((cut.stop - size - self.offset) // step + 1, self.count)  # one past the last that ends in it
            if last <= max(first, at):
                continue
            if first > at:  # these lie across two cuts
                found.append(Cut(at, first))
            phase = cut.phase + self.offset + first * step - cut.start
            key = None if cut.key is None else (cut.key, phase, step)
            found.append(Cut(first, last, key))
            at = last
        if at < self.count:
            found.append(Cut(at, self.count))
        return found

    def part(self, first: int, last: int) -> Elements:
        """Return some of the elements."""
        return Elements(self.run, self.dtype, max(last - first, 0), self.offset + first * self.step, self.step)


class Strided(Elements):
    """Elements of an array of any strides, in C order; laid out when they are first read."""

    def __init__(self, run: Run, dtype: DType, shape: Sequence[int], offset: int, strides: Sequence[int]) -> None:
        count = product(shape)
        low = offset + sum(min(s * (n - 1), 0) for s, n in zip(strides, shape, strict=True))
        high = offset + sum(max(s * (n - 1), 0) for s, n in zip(strides, shape, strict=True)) + dtype.size
        if count and dtype.size and not (low >= 0 and high <= run.size):
            raise ValueError("elements beyond the memory")
        self.run, self.dtype, self.count, self.offset, self.step = run, dtype, count, offset, dtype.size
        self._shape, self._strides, self._bounds = tuple(shape), tuple(strides), (low, high)
        self._laid_out: bytes | None = None

    def read(self, first: int, last: int) -> bytes:
        size = self.dtype.size
        return self._all()[first * size : last * size]

    def pieces(self) -> list[Cut]:
        return [Cut(0, self.count)]

    def part(self, first: int, last: int) -> Elements:
        return Part(self, first, last)

    def _all(self) -> bytes:
        if self._laid_out is None:
            low, high = self._bounds
            if max(self.size_bytes, high - low) > MOST_GATHERED:
                raise TooLargeError("its elements are too many to be laid out")
            data = self.run.read(low, high)
            self._laid_out = gather(data, self.dtype.size, self.offset - low, self._shape, self._strides)
        return self._laid_out


class Part(Elements):
    """Some of other elements."""

    def __init__(self, whole: Elements, first: int, last: int) -> None:
        self.run, self.dtype, self.count, self.offset = whole.run, whole.dtype, max(last - first, 0), 0
        self.step = whole.dtype.size
        self._whole, self._first = whole, first

    def read(self, first: int, last: int) -> bytes:
        return self._whole.read(self._first + first, self._first + last)

    def pieces(self) -> list[Cut]:
        return [Cut(0, self.count)]

    def part(self, first: int, last: int) -> Elements:
        return Part(self._whole, self._first + first, self._first + last)


def gather(data: bytes, size: int, offset: int, shape: Sequence[int], strides: Sequence[int]) -> bytes:
    """Return elements of `size` bytes in C order from where they lie in `data`."""
    numpy = loaded_numpy()
    if numpy is not None:
        found = numpy.ndarray(tuple(shape), f"|V{size}", data, offset, tuple(strides))
        return bytes(numpy.ascontiguousarray(found).tobytes())
    return b"".join(data[at : at + size] for at in _offsets(offset, list(shape), list(strides)))


def _offsets(offset: int, shape: list[int], strides: list[int]) -> Iterator[int]:
    if not shape:
        yield offset
    elif len(shape) == 1:
        yield from (offset + index * strides[0] for index in range(shape[0]))
    else:
        for index in range(shape[0]):
            yield from _offsets(offset + index * strides[0], shape[1:], strides[1:])


_without_numpy = False


def loaded_numpy() -> Any:
    """Return numpy, imported if it is installed; None without it."""
    if _without_numpy:
        return None
    found = sys.modules.get("numpy")
    if found is None:
        try:
            import numpy as found
        except ImportError:
            return None
    return found


__all__ = ["Elements", "Strided", "gather", "loaded_numpy"]
