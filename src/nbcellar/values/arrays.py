"""Arrays as nodes describe them: dtype, shape and where their elements are.

Invariant: nothing is read to make an `Array`; a shape that its memory cannot hold is refused. Known are numpy's arrays,
in every form that the encoder gives them, and torch's tensors. Not for: frames (`frames.py`), comparing (`diff/`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nbcellar.values.dtypes import DType, parse, product
from nbcellar.values.elements import Elements, Strided
from nbcellar.values.inert import UnreadableError
from nbcellar.values.nodes import Buffer, ByteArray, Call, Global, List, Node
from nbcellar.values.stored import InlineRun, Run, Stored, damaged_is_unreadable

_ARRAYS = "nbcellar.session.arrays."
_TENSORS = ("nbcellar.session.tensors.make_tensor", "nbcellar.session.tensors.make_parameter")
_RECONSTRUCT = ("numpy._core.multiarray._reconstruct", "numpy.core.multiarray._reconstruct")
_FROM_BUFFER = ("numpy._core.numeric._frombuffer", "numpy.core.numeric._frombuffer")
_SCALAR = ("numpy._core.multiarray.scalar", "numpy.core.multiarray.scalar")
_MOST_DIMENSIONS = 64


class Array:
    """An array of plain elements. `order`: "C" or "F", how `elements` follow each other; mask: True is hidden."""

    def __init__(self, type: str, elements: Elements, shape: tuple[int, ...], order: str = "C") -> None:
        if elements.count != product(shape):
            raise UnreadableError("an array whose shape and memory do not fit")
        self.type = type
        self.elements = elements
        self.shape = shape
        self.order = order if len(shape) > 1 else "C"
        self.mask: Array | None = None
        self.state: Node = None
        """What a subclass or a tensor holds beside its elements."""

    @property
    def dtype(self) -> DType:
        return self.elements.dtype

    def in_c_order(self) -> Elements:
        """Return the elements with the last axis running fastest."""
        if self.order == "C":
            return self.elements
        return Strided(
            _Contiguous(self.elements), self.dtype, self.shape, 0, _strides(self.shape, self.dtype.size, "F")
        )

    def rows(self) -> list[Elements]:
        """Return the rows of an array of two dimensions: the columns of a frame."""
        count, length = self.shape if len(self.shape) == 2 else (1, self.shape[0])
        elements = self.elements
        if self.order == "C":
            return [elements.part(i * length, (i + 1) * length) for i in range(count)]
        if type(elements) is not Elements or elements.step != elements.dtype.size:
            whole = self.in_c_order()
            return [whole.part(i * length, (i + 1) * length) for i in range(count)]
        size = elements.dtype.size
        return [
            Elements(elements.run, elements.dtype, length, elements.offset + i * size, count * size)
            for i in range(count)
        ]

    def index(self, flat: int) -> tuple[int, ...]:
        """Return where the element number `flat` of `elements` is."""
        lengths = self.shape if self.order == "C" else self.shape[::-1]
        found = []
        for length in reversed(lengths):
            flat, place = divmod(flat, length) if length else (flat, 0)
            found.append(place)
        return tuple(found if self.order == "F" else reversed(found))


class ObjectArray:
    """An array of objects: nodes in C order."""

    def __init__(self, type: str, items: list[Node], shape: tuple[int, ...]) -> None:
        if len(items) != product(shape):
            raise UnreadableError("an array whose shape and memory do not fit")
        self.type = type
        self.items = items
        self.shape = shape


class NumpyScalar:
    """A single number of numpy."""

    def __init__(self, dtype: DType, data: bytes) -> None:
        if len(data) != dtype.size:
            raise UnreadableError("a number of numpy of another size than its dtype has")
        self.dtype = dtype
        self.value = dtype.unpack(data)[0] if dtype.size else b""


class _Contiguous:
    """Elements as a run of bytes again."""

    def __init__(self, elements: Elements) -> None:
        self._elements = elements
        self.size = elements.size_bytes

    def read(self, start: int, stop: int) -> bytes:
        size = self._elements.dtype.size
        first, last = start // size, -(-stop // size)
        return self._elements.read(first, last)[start - first * size : stop - first * size]

    def cuts(self) -> list[Any]:
        return []


Found = Array | ObjectArray | NumpyScalar | None


def find_array(node: Node, stored: Stored) -> Found:
    """Return what a node says if it is an array or a number of numpy, else None. Raises UnreadableError."""
    if type(node) is not Call or not node.path:
        return None
    with damaged_is_unreadable():
        path = node.path
        if path.startswith(_ARRAYS):
            return _of_encoder(path[len(_ARRAYS) :], node, stored)
        if path in _RECONSTRUCT:
            return _of_numpy(node)
        if path in _FROM_BUFFER:
            data, dtype, shape, order = node.args
            run = run_of(data, stored)
            return _contiguous("numpy.ndarray", run, parse(dtype), _shape(shape), order) if run is not None else None
        if path in _SCALAR and len(node.args) == 2 and type(node.args[1]) is bytes:
            return NumpyScalar(parse(node.args[0]), node.args[1])
        if path in _TENSORS:
            return _tensor(node, stored)
    return None


def run_of(node: Node, stored: Stored) -> Run | None:
    """Return the bytes of what owns memory: bytes, a bytearray, a buffer out of band; None for anything else."""
    kind = type(node)
    if kind is bytes:
        return InlineRun(node)
    if kind is ByteArray:
        return InlineRun(node.data)
    if kind is Buffer:
        return stored.run_of_buffer(node.index)
    if kind is Call and node.path in ("builtins.bytearray", "builtins.bytes", "pyarrow.lib.py_buffer"):
        return run_of(node.args[0], stored) if len(node.args) == 1 and type(node.args[0]) is not Call else None
    return None


def _of_encoder(name: str, node: Call, stored: Stored) -> Found:
    args = node.args
    if name == "exported":
        return _exported(args, stored)
    if name == "inline":
        data, dtype, shape, layout, _ = args
        return _contiguous("numpy.ndarray", InlineRun(_bytes(data)), parse(dtype), _shape(shape), layout)
    if name == "inline_permuted":
        return _permuted(args)
    if name == "object_view":
        return _object_view(args, stored)
    if name == "over":
        return _over(args, stored)
    if name == "element":
        return find_array(args[0], stored)
    if name == "subclass":
        return _renamed(find_array(args[1], stored), args[0], args[2])
    if name == "masked":
        found = _renamed(find_array(args[1], stored), args[0], args[3:])
        if isinstance(found, Array):
            mask = find_array(args[2], stored) if args[2] is not None else None
            found.mask = mask if isinstance(mask, Array) and mask.shape == found.shape else None
        return found
    if name == "memory_map":
        return _renamed(find_array(args[6], stored), Global("numpy", "memmap"), args[:6:2])
    return None


def _permuted(args: tuple[Any, ...]) -> Array:
    """An array whose axes lie in memory in another order: `args[2]` is the shape there, `args[3]` the order."""
    data, token, lengths, axes, _ = args
    dtype, inner = parse(token), _shape(lengths)
    if sorted(_shape(axes)) != list(range(len(inner))):
        raise UnreadableError("an array whose shape and memory do not fit")
    steps = _strides(inner, dtype.size, "C")
    shape, strides = (tuple(of[axis] for axis in axes) for of in (inner, steps))
    return _strided("numpy.ndarray", InlineRun(_bytes(data)), dtype, shape, 0, strides)


def _exported(args: tuple[Any, ...], stored: Stored) -> Array:
    index, token, lengths, layout, _ = args
    dtype, shape = parse(token), _shape(lengths)
    if stored.is_compacted(index):
        layout = "C"
    if type(layout) is str:
        return _contiguous("numpy.ndarray", stored.run_of_export(index), dtype, shape, layout)
    strides = _shape(layout, signed=True)
    if len(strides) != len(shape):
        raise UnreadableError("an array whose shape and memory do not fit")
    run, offset = stored.run_of_whole_region(index)
    offset += sum(-s * (n - 1) for s, n in zip(strides, shape, strict=True) if s < 0)
    return _strided("numpy.ndarray", run, dtype, shape, offset, strides)


def _strided(type: str, run: Run, dtype: DType, shape: tuple[int, ...], offset: int, strides: tuple[int, ...]) -> Array:
    if len(shape) == 1:
        return Array(type, Elements(run, dtype, shape[0], offset, strides[0]), shape)
    return Array(type, Strided(run, dtype, shape, offset, strides), shape)


def _contiguous(type: str, run: Run, dtype: DType, shape: tuple[int, ...], layout: object) -> Array:
    return Array(type, Elements(run, dtype, product(shape)), shape, "F" if layout == "F" else "C")


def _over(args: tuple[Any, ...], stored: Stored) -> Array | None:
    owner, is_map, offset, dtype, shape, strides, _ = args
    run = run_of(owner, stored)
    if run is None and is_map:
        whole = find_array(owner, stored)
        run = _Contiguous(whole.elements) if isinstance(whole, Array) else None
    if run is None:
        return None
    return _strided("numpy.ndarray", run, parse(dtype), _shape(shape), int(offset), _shape(strides, signed=True))


def _object_view(args: tuple[Any, ...], stored: Stored) -> ObjectArray | None:
    base = find_array(args[0], stored)
    shape, strides = _shape(args[2]), _shape(args[3], signed=True)
    if not isinstance(base, ObjectArray) or len(shape) != len(strides):
        return None
    if product(shape) > len(base.items) * 4 + 16:  # a broadcast: its elements are not worth a list
        return None
    places = [int(args[1]) // 8]
    for length, stride in zip(shape, strides, strict=True):
        places = [place + index * (stride // 8) for place in places for index in range(length)]
    if places and not 0 <= min(places) <= max(places) < len(base.items):
        raise UnreadableError("an array whose shape and memory do not fit")
    return ObjectArray("numpy.ndarray", [base.items[place] for place in places], shape)


def _of_numpy(node: Call) -> Array | ObjectArray | None:
    """An array in numpy's own form: one of objects, or a small one of a class that pickles so."""
    state = node.state
    if type(state) is not tuple or len(state) < 5:
        return None
    _, lengths, token, is_fortran, content = state[-5:]
    shape, dtype = _shape(lengths), parse(token)
    kind = node.args[0].path if node.args and type(node.args[0]) is Global else "numpy.ndarray"
    if type(content) is bytes:
        return _contiguous(kind, InlineRun(content), dtype, shape, "F" if is_fortran else "C")
    if type(content) is not List:
        return None
    items = content.items
    if is_fortran and len(shape) > 1:
        strides = _strides(shape, 1, "F")
        places = [0]
        for length, stride in zip(shape, strides, strict=True):
            places = [place + index * stride for place in places for index in range(length)]
        items = [items[place] for place in places]
    return ObjectArray(kind, items, shape)


def _renamed(found: Found, kind: Node, state: Node) -> Found:
    if type(kind) is Global and isinstance(found, (Array, ObjectArray)):
        found.type = kind.path
    if isinstance(found, Array):
        found.state = state
    return found


_TORCH = {
    **{f"int{bits}": ("i", bits // 8) for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": ("u", bits // 8) for bits in (8, 16, 32, 64)},
    **{f"float{bits}": ("f", bits // 8) for bits in (16, 32, 64)},
    **{f"complex{bits}": ("c", bits // 8) for bits in (64, 128)},
    "bool": ("b", 1),
}


def _tensor(node: Call, stored: Stored) -> Array | None:
    memory, dtype, offset, size, stride = node.args[:5]
    if dtype not in _TORCH or any(node.args[6:8]):
        return None
    whole = find_array(memory, stored)
    if not isinstance(whole, Array) or whole.dtype.size != 1:
        return None
    plain = DType(*_TORCH[dtype])
    shape, strides = _shape(size), tuple(step * plain.size for step in _shape(stride, signed=True))
    kind = "torch.nn.Parameter" if node.path.endswith("make_parameter") else "torch.Tensor"
    run, start = _Contiguous(whole.elements) if type(whole.elements) is not Elements else whole.elements.run, 0
    if type(whole.elements) is Elements:
        start = whole.elements.offset
    if strides == _strides(shape, plain.size, "C") or 0 in shape:
        found = Array(kind, Elements(run, plain, product(shape), start + int(offset) * plain.size), shape)
    else:
        found = _strided(kind, run, plain, shape, start + int(offset) * plain.size, strides)
    found.state = (node.state, node.args[5] if len(node.args) > 5 else None)
    return found


def _strides(shape: Sequence[int], size: int, order: str) -> tuple[int, ...]:
    strides, step = [], size
    for length in shape if order == "F" else reversed(shape):
        strides.append(step)
        step *= length
    return tuple(strides if order == "F" else reversed(strides))


def _shape(node: Node, signed: bool = False) -> tuple[int, ...]:
    if type(node) is not tuple or len(node) > _MOST_DIMENSIONS:
        raise UnreadableError("an array without a shape")
    if any(type(length) is not int or (length < 0 and not signed) or abs(length) > 1 << 62 for length in node):
        raise UnreadableError("an array without a shape")
    return node


def _bytes(node: Node) -> bytes:
    if type(node) is not bytes:
        raise UnreadableError("an array without its bytes")
    return node


__all__ = ["Array", "NumpyScalar", "ObjectArray", "find_array", "run_of"]
