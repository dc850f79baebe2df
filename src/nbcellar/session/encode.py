"""One pass over the objects of a co-variable: pickle stream, exported memory, what it shares and what it needs.

Protocol-5 pickle by C, with arrays and buffers left out of the stream: `Encoded.exports` lists the memory they cover.
Invariant: the stream and the exported bytes together determine the value; equal values that were made the same way
give equal streams. Encoding changes no object. Not for: what is written where (`writer.py`), what changed
(`tracker.py`).
"""

from __future__ import annotations

import ctypes
import pickle
import time
import weakref
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from operator import eq
from types import FunctionType
from typing import Any, cast

from xxhash import xxh3_128_digest

from nbcellar.errors import CannotStoreError
from nbcellar.session.definitions import reducers as definitions
from nbcellar.session.opaque import decides_alone, is_opaque
from nbcellar.session.reducers.registry import find_reducer
from nbcellar.session.shared import is_plain_part, long_values, shared_state

PROTOCOL = 5

Results = Mapping[int, frozenset[str]]
"""By id of an object, the names of what it computed when it was asked and keeps (`reducers/results.py`)."""


class OverBudgetError(CannotStoreError):
    """Encoding took more time or memory than its budget allows."""

    code = "over-budget"


Settle = Callable[[Callable[[], object]], object]
"""Loads a copy by the function given, has it compute what its first use computes, and returns it."""


@dataclass(frozen=True, slots=True)
class FirstUse:
    """Of a value that was not used yet. options: returns what `settle` depends on beside the copy."""

    settle: Settle
    options: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Export:
    """Memory that the stream refers to instead of holding it: [low, high), kept alive by `owner`.

    row_bytes: step of the outermost axis in memory, 0 if there is none. copy_on_write: its library keeps two holders of
    the same memory apart, so an overlap with another such export is not sharing. sparse: the bytes that are the value
    are a small part of [low, high). inline: the bytes are in the stream, too. small: they would be, were that allowed.
    """

    low: int
    high: int
    owner: object
    row_bytes: int = 0
    copy_on_write: bool = False
    sparse: bool = False
    inline: bool = False
    readonly: bool = False
    small: bool = False


@dataclass(slots=True)
class Encoded:
    """What one pass found. `parts`: the stream in pieces; `raw_buffers`: indexes of exports in buffer order."""

    parts: list[bytes]
    part_ends: list[int]  # where each pickle of the stream ends; one unless `container` says that there are parts
    container: str  # "", or "list" or "dict": each pickle then holds some of its elements
    size_bytes: int
    exports: list[Export]
    raw_buffers: list[int]
    needs: list[type]
    shared: array[int]  # ids of objects that could be shared state
    types: set[type]
    seconds: float
    results: Results  # which results the objects that compute some when asked hold
    opaque: list[Any]  # instances whose classes decide themselves what their pickles hold
    first_use: FirstUse | None = None  # makes a copy what it becomes when it is used, if it was not used yet
    content: tuple[object, ...] = ()  # of what has a first use: what that adds nothing to, in short
    pickler: object = None  # keeps temporaries alive, so that ids stay unique while sharing is decided


@dataclass(frozen=True, slots=True)
class Limits:
    """Budget of one encoding."""

    memory_bytes: int = 256 << 20
    deadline: float = float("inf")  # time.perf_counter() seconds


class Context:
    """What reducers may ask while an object is encoded: the user namespace, which classes are defined here."""

    def __init__(
        self, namespace: dict[str, Any], uid_of: Callable[[type], str], never: Callable[[type], bool] | None = None
    ) -> None:
        """never: whether the user wants objects of a class not to be stored."""
        self.namespace = namespace
        self._never = never
        self.uid_of = uid_of
        self._reducers: weakref.WeakKeyDictionary[type, Callable[[Any, Encoder], Any] | None]
        self._reducers = weakref.WeakKeyDictionary()

    def reducer_of(self, kind: type) -> Callable[[Any, Encoder], Any] | None:
        """Return what reduces instances of a class, found once for each class of a library."""
        try:
            return self._reducers[kind]
        except KeyError:
            reducer = _refuse if self._never is not None and self._never(kind) else _reducer_for(kind)
        if kind.__module__ != "__main__":  # a notebook class may be given methods later
            self._reducers[kind] = reducer
        return reducer


class _Sink:
    __slots__ = ("deadline", "limit", "part_ends", "parts", "size")

    def __init__(self, limits: Limits) -> None:
        self.parts: list[bytes] = []
        self.part_ends: list[int] = []
        self.size = 0
        self.limit = limits.memory_bytes
        self.deadline = limits.deadline

    def write(self, data: bytes) -> int:
        size = len(data)
        self.size += size
        if self.size > self.limit:
            raise OverBudgetError(f"its pickle is larger than the memory budget of {self.limit >> 20} MiB")
        if size >= 65_536 and time.perf_counter() > self.deadline:
            raise OverBudgetError("it takes longer than the time budget")
        self.parts.append(bytes(data))
        return size

    def end_part(self) -> None:
        """Note that a pickle is complete."""
        self.part_ends.append(self.size)


class Encoder(pickle.Pickler):
    """A pickler that leaves memory out of the stream and asks reducers for what plain pickle gets wrong."""

    def __init__(
        self,
        context: Context,
        limits: Limits,
        roots: frozenset[int] = frozenset(),
        *,
        inline: bool = True,
        known_results: Results | None = None,
    ):
        self.sink = _Sink(limits)
        self.exports: list[Export] = []
        self.raw_buffers: list[int] = []
        # Not a method of self: the cycle would keep the user's objects alive until the next garbage collection.
        super().__init__(self.sink, PROTOCOL, buffer_callback=_BufferTaker(self.exports, self.raw_buffers))
        self.context = context
        self.namespace = context.namespace
        self.root_definitions = roots
        self.needs: list[type] = []
        self._needs_index: dict[int, int] = {}
        self.copy_on_write: set[int] = set()  # ids of arrays whose library keeps holders apart
        self.never_written: set[int] = set()  # ids of arrays whose holders reached so far never write to them
        self.not_shared: set[int] = set()  # ids of what a library hands to many objects and never changes
        self.inline = inline
        self.inline_bytes = 0
        self.first_use: FirstUse | None = None  # set by a reducer
        self.content: list[object] = []  # by reducers of what has a first use
        self.results: dict[int, frozenset[str]] = {}
        self.opaque: list[Any] = []  # instances of classes that decide themselves what their pickles hold
        self.known_results = known_results
        self.reducers: dict[type, Callable[[Any, Encoder], Any] | None] = {}
        self._keep: list[object] = []

    def reducer_override(self, obj: Any) -> Any:
        kind = type(obj)
        try:
            reducer = self.reducers[kind]
        except KeyError:
            reducer = self.context.reducer_of(kind)
            if is_opaque(kind):
                reducer = _noting(reducer)
            self.reducers[kind] = reducer
        return NotImplemented if reducer is None else reducer(obj, self)

    # what reducers call -------------------------------------------------------------------------------------------

    def definition_uid(self, cls: type) -> str:
        return self.context.uid_of(cls)

    def definition_ref(self, cls: type) -> tuple[Any, ...]:
        """Note that the value needs the class `cls` of the notebook; return the reduction that refers to it."""
        index = self._needs_index.get(id(cls))
        if index is None:
            index = self._needs_index[id(cls)] = len(self.needs)
            self.needs.append(cls)
        # An instance may come before the root that its class is made from: that one has to be there first.
        roots, metaclass = self.root_definitions, cast("type", type(cls))
        made_from = [kind for kind in (*cls.__mro__[1:], *metaclass.__mro__) if id(kind) in roots]
        return definitions.reference(index, *made_from)

    def export(self, export: Export) -> int:
        """Add memory that the stream refers to; return its index."""
        self.exports.append(export)
        return len(self.exports) - 1

    def new_results(self, obj: object, present: frozenset[str]) -> frozenset[str]:
        """Note which results an object keeps; return those to leave out: it did not hold them when it was stored."""
        self.results[id(obj)] = present
        if self.known_results is None:
            return frozenset()
        return present - self.known_results.get(id(obj), present)

    def keep(self, obj: object) -> None:
        """Keep a temporary alive as long as its id or memory is referred to."""
        self._keep.append(obj)


class TextBlindEncoder(Encoder):
    """An encoder for comparing values of one process only: whether equal texts are one object makes no difference."""

    def persistent_id(self, obj: Any) -> int | None:
        return hash(obj) if type(obj) is str else None


def _noting(reducer: Callable[[Any, Encoder], Any] | None) -> Callable[[Any, Encoder], Any]:
    def note(obj: Any, encoder: Encoder) -> Any:
        encoder.opaque.append(obj)
        return NotImplemented if reducer is None else reducer(obj, encoder)

    return note


class _BufferTaker:
    """Takes pickle's out-of-band buffers as exports."""

    __slots__ = ("exports", "raw_buffers")

    def __init__(self, exports: list[Export], raw_buffers: list[int]) -> None:
        self.exports = exports
        self.raw_buffers = raw_buffers

    def __call__(self, buffer: pickle.PickleBuffer) -> bool:
        view = buffer.raw()
        low = address_of(view)
        self.raw_buffers.append(len(self.exports))
        self.exports.append(
            Export(low, low + view.nbytes, (buffer, view), readonly=view.readonly, copy_on_write=view.readonly)
        )
        return False


def _reduce_class(obj: type, encoder: Encoder) -> Any:
    return definitions.reduce_class(obj, encoder)


def _reduce_function(obj: FunctionType, encoder: Encoder) -> Any:
    return definitions.reduce_function(obj, encoder)


def _reducer_for(kind: type) -> Callable[[Any, Encoder], Any] | None:
    if kind is FunctionType:
        return _reduce_function
    if issubclass(kind, type):
        return _reduce_class
    special = find_reducer(kind) or definitions.reducer_of(kind)
    if special is None and kind.__dictoffset__ and _reduces_in_c(kind):
        return reduce_with_dict
    if special is None and kind.__module__ == "__main__" and _reduces_itself(kind):
        return _reduce_by_itself
    return special


def _refuse(obj: Any, encoder: Encoder) -> Any:
    raise CannotStoreError(f"the setting record.never_store names its class {type(obj).__qualname__}")


def _reduces_in_c(kind: type) -> bool:
    """True if a C type other than object has the last word on how instances are reduced."""
    for base in kind.__mro__[:-1]:
        for name in ("__reduce_ex__", "__reduce__", "__getstate__"):
            if name in vars(base):
                return type(vars(base)[name]) is not FunctionType
    return False


def _reduces_itself(kind: type) -> bool:
    return any(type(getattr(kind, name, None)) is FunctionType for name in ("__reduce__", "__reduce_ex__"))


def reduce_with_dict(obj: Any, encoder: Encoder) -> Any:
    """Reduce an object of C as it does itself, with its attributes if it has any."""
    # An exception, a partial, a BytesIO makes its `__dict__` when it is first pickled, and the second pickle shows it.
    attributes = obj.__dict__
    if not attributes or hasattr(type(obj), "__setstate__"):
        return NotImplemented
    reduced = obj.__reduce_ex__(
        PROTOCOL
    )  # of a datetime, a Decimal, a defaultdict: without the attributes of a subclass
    if type(reduced) is not tuple or any(part is not None for part in reduced[2:3]):
        return reduced
    return (*reduced[:2], attributes, *reduced[3:])


def _reduce_by_itself(obj: Any, encoder: Encoder) -> Any:
    reduced = obj.__reduce_ex__(PROTOCOL)
    if type(reduced) is str:
        # The name leads to whatever is bound to it, and its value would be recorded nowhere.
        raise CannotStoreError(f"class {type(obj).__qualname__} says that it is found under the name '{reduced}'")
    return reduced


def encode(
    objects: Sequence[object],
    context: Context,
    limits: Limits,
    *,
    roots: frozenset[int] = frozenset(),
    inline: bool = True,
    sharing: bool = True,
    split: bool | None = None,
    kind: type[Encoder] = Encoder,
    known_results: Results | None = None,
) -> Encoded:
    """Encode `objects` together, as one tuple. Whatever a class's own code raises passes through.

    roots: ids of notebook classes whose definition is part of the value. inline: small arrays may go into the stream
    (asked again without, when such memory turns out to be shared). sharing: whether `shared` is asked for; it costs
    more than the dump where there are many objects. split: whether a long list or dict is encoded in parts; None: if
    its elements turn out to share no state (`sharing` must be asked for then). known_results: leave out what objects
    have computed since they had just these.
    """
    started = time.perf_counter()
    obj = objects[0]
    if split is not False and len(objects) == 1 and type(obj) in _SPLIT and len(obj) >= SPLIT_FROM:  # type: ignore[arg-type]
        encoder = kind(context, limits, roots, inline=inline, known_results=known_results)
        shared = _dump_parts(encoder, obj, sharing)
        if shared is not None:
            return _result(encoder, shared, started, _SPLIT[type(obj)])
    encoder = kind(context, limits, roots, inline=inline, known_results=known_results)
    encoder.opaque += filter(decides_alone, objects)
    encoder.dump(tuple(objects))
    shared = shared_state(encoder.memo.copy(), roots, encoder.not_shared) if sharing else array("Q")
    encoder.sink.end_part()
    return _result(encoder, shared, started, "")


def _result(encoder: Encoder, shared: array[int], started: float, container: str) -> Encoded:
    return Encoded(
        parts=encoder.sink.parts,
        part_ends=encoder.sink.part_ends,
        container=container,
        size_bytes=encoder.sink.size,
        exports=encoder.exports,
        raw_buffers=encoder.raw_buffers,
        needs=encoder.needs,
        shared=shared,
        types=set(encoder.reducers),
        seconds=time.perf_counter() - started,
        first_use=encoder.first_use,
        content=tuple(encoder.content),
        results=encoder.results,
        opaque=encoder.opaque,
        pickler=encoder,
    )


SPLIT_FROM = 4096
_PART = 2048
_SPLIT: dict[type, str] = {list: "list", dict: "dict"}


def _dump_parts(encoder: Encoder, whole: Any, sharing: bool) -> array[int] | None:
    """Dump a long list or dict in parts that know nothing of each other; None if parts share state after all.

    One changed element then changes one part of the stream: in a single pickle the numbers of shared objects move.
    """
    shared = array("Q", [id(whole)])
    repeated: set[int] = set()
    for part in _parts(whole):
        if time.perf_counter() > encoder.sink.deadline:
            raise OverBudgetError("it takes longer than the time budget")
        encoder.clear_memo()
        encoder.dump(part)
        encoder.sink.end_part()
        if not sharing or is_plain_part(part):
            continue
        memo = encoder.memo.copy()
        if id(whole) in memo:
            return None
        shared.extend(shared_state(memo, frozenset(), encoder.not_shared | {id(part)}))
        long = long_values(memo)
        if not repeated.isdisjoint(long):
            return None  # one long text in many places would become many
        repeated.update(long)
    if sharing and _has_repeats(shared):
        return None
    return shared


def _parts(whole: Any) -> Iterator[Any]:
    if type(whole) is list:
        for start in range(0, len(whole), _PART):
            yield whole[start : start + _PART]
    else:
        items = iter(whole.items())
        while part := dict(islice(items, _PART)):
            yield part


def _has_repeats(ids: array[int]) -> bool:
    ordered = sorted(ids)
    return any(map(eq, ordered, islice(ordered, 1, None)))


class QuickHasher:
    """Hashes small values one after the other with one pickler: the check of variables that nothing points at.

    For values without exported memory and without classes of the notebook; others get None. The hash equals that of
    `encode`'s single part.
    """

    def __init__(self, context: Context, limits: Limits) -> None:
        self._encoder = Encoder(context, limits)

    def hash(self, objects: tuple[object, ...]) -> bytes | None:
        """Return the xxh3-128 of the pickle stream; None if the stream is not all of the value."""
        encoder, sink = self._encoder, self._encoder.sink
        sink.parts, sink.size = [], 0
        encoder.results.clear()
        encoder.opaque.clear()
        encoder.content.clear()
        encoder.clear_memo()
        encoder.dump(objects)
        encoder.__dict__.pop("definition_notes", None)
        if encoder.exports or encoder.needs or len(sink.parts) != 1:
            self._encoder = Encoder(encoder.context, Limits(sink.limit, sink.deadline))
            return None
        return xxh3_128_digest(sink.parts[0])


class _PyBuffer(ctypes.Structure):
    _fields_ = [
        ("buf", ctypes.c_void_p),
        ("obj", ctypes.py_object),
        ("len", ctypes.c_ssize_t),
        ("itemsize", ctypes.c_ssize_t),
        ("readonly", ctypes.c_int),
        ("ndim", ctypes.c_int),
        ("format", ctypes.c_char_p),
        ("shape", ctypes.c_void_p),
        ("strides", ctypes.c_void_p),
        ("suboffsets", ctypes.c_void_p),
        ("internal", ctypes.c_void_p),
    ]


_FULL_READ_ONLY = 0x11C  # PyBUF_FULL_RO: strides are no obstacle


def address_of(view: memoryview) -> int:
    """Return the address of a buffer's first element; 0 for an empty one. numpy may be absent, so the C API answers."""
    if not view.nbytes:
        return 0
    raw = _PyBuffer()
    ctypes.pythonapi.PyObject_GetBuffer(ctypes.py_object(view), ctypes.byref(raw), _FULL_READ_ONLY)
    try:
        return raw.buf or 0
    finally:
        ctypes.pythonapi.PyBuffer_Release(ctypes.byref(raw))
