"""A record of a live session by means of its own: runs in the kernel, knows nothing of Cellar.

`take` forks. The child walks all variables, calls functions, draws figures, advances generators, asks models to
predict, writes what it found as JSON and ends at once: whatever it does, the session is not touched. Invariant: the
same session gives the same record, in this process and in another one; nothing is pickled.

What is compared: types, values, bytes of arrays, columns, dtypes and indexes of frames, code, closures and globals of
functions, definitions of classes, which objects are one and the same, which memory is shared, random streams, options,
pixels of figures. Not: order of sets, addresses, caches of libraries, where code says it came from.
"""

from __future__ import annotations

import collections
import contextlib
import datetime
import decimal
import enum
import fractions
import functools
import gc
import hashlib
import io
import itertools
import json
import os
import pathlib
import random
import re
import select
import signal
import struct
import sys
import time
import traceback
import types
import uuid
import warnings
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

TIMEOUT_S = 120.0
MOST_PARTS = 20_000
FUTURE = 5  # so many items of an iterator are looked at
_OWN = re.compile(r"_i?\d+|_+|_i+|In|Out|_[io]h|_dh|_sh|get_ipython|exit|quit|open|__\w+__|_exit_code")
_ADDRESS = re.compile(r" at 0x[0-9a-f]+|0x[0-9a-f]{6,}")

_baseline: dict[str, object] = {}


def begin(namespace: Mapping[str, object]) -> None:
    """Note what a kernel has before the first cell; this is nobody's variable."""
    _baseline.clear()
    _baseline.update(namespace)


def variables(namespace: Mapping[str, object]) -> dict[str, object]:
    """Return the user's variables by name, sorted."""
    nothing = object()
    return {
        name: value
        for name, value in sorted(namespace.items())
        if not _OWN.fullmatch(name) and _baseline.get(name, nothing) is not value
    }


def take(namespace: dict[str, Any], calls: Sequence[str], target: str) -> int:
    """Write the record of the session to the file `target`; return how many variables there are.

    calls: expressions over the variables whose values belong to the record. Raises RuntimeError if the child fails.
    """
    stream = random.getstate()  # a fork seeds it anew in the child
    out, into = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Python 3.12 warns of forks with threads; the child uses none
        child = os.fork()
    if child == 0:
        _in_child(namespace, calls, target, stream, into)
    os.close(into)
    try:
        said = _read(out)
    finally:
        os.close(out)
        with contextlib.suppress(OSError):
            os.kill(child, signal.SIGKILL)  # it has said all it had to
        os.waitpid(child, 0)
    if not said.isdigit():
        raise RuntimeError(said.decode(errors="replace") or "the child that takes the record died")
    return int(said)


def _read(out: int) -> bytes:
    said, until = b"", time.monotonic() + TIMEOUT_S
    while True:
        ready, _, _ = select.select([out], [], [], max(0.0, until - time.monotonic()))
        if not ready:
            return b"the child that takes the record hangs"
        piece = os.read(out, 65536)
        if not piece:
            return said
        said += piece


def _in_child(namespace: dict[str, Any], calls: Sequence[str], target: str, stream: Any, into: int) -> None:
    said = b""
    try:
        gc.disable()
        sys.setrecursionlimit(20_000)
        warnings.simplefilter("ignore")
        record = Record(namespace, calls, stream).as_json()
        with open(target, "w", encoding="utf-8") as file:
            json.dump(record, file)
        said = str(len(record["variables"])).encode()
    except BaseException:
        said = traceback.format_exc()[-3000:].encode(errors="replace")
    finally:
        os.write(into, said)
        os._exit(0)


class Record:
    """What one look at a session finds."""

    def __init__(self, namespace: dict[str, Any], calls: Sequence[str], stream: Any) -> None:
        self._namespace = namespace
        # Filters were changed by the child itself: the caller of `take` has them in the parent, so they come first.
        self.ambient = ambient(stream)
        self.variables: dict[str, dict[str, Any]] = {}
        owners: dict[int, dict[str, str]] = {}
        spans: list[tuple[int, int, bool, str, str]] = []
        futures: list[tuple[str, Any]] = []
        found = variables(namespace)
        for name, value in found.items():
            walk = Walk(namespace)
            digest = walk.visit(value, name)
            self.variables[name] = {
                "digest": digest,
                "type": _type_name(type(value)),
                "id": id(value),
                "text": _text(value)[:160],
                "parts": walk.parts,
            }
            for ident, path in walk.paths.items():
                owners.setdefault(ident, {})[name] = path
            spans += [(low, high, cow, name, path) for low, high, cow, path in walk.spans]
            futures += [(path, obj) for path, obj in walk.iterators]
        self.aliases = sorted(sorted(paths.items()) for paths in owners.values() if len(paths) > 1)
        self.memory = sorted(_overlaps(spans))
        random.setstate(stream)
        self.calls = {text: self._call(text) for text in calls}
        self.pixels = self._pixels(found)
        self.futures = {path: self._future(obj) for path, obj in futures}

    def as_json(self) -> dict[str, Any]:
        """Return the record as plain data."""
        return {
            "variables": self.variables,
            "aliases": self.aliases,
            "memory": self.memory,
            "ambient": self.ambient,
            "calls": self.calls,
            "pixels": self.pixels,
            "futures": self.futures,
        }

    def _call(self, text: str) -> str:
        """Return what an expression gives; in the child it may change what it likes, the next one sees that."""
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                value = eval(text, self._namespace)
        except Exception as error:
            return f"{type(error).__name__}: {_ADDRESS.sub('', str(error))}"
        return Walk(self._namespace).visit(value, "value") + " " + _text(value)[:80]

    def _future(self, iterator: Any) -> str:
        items = []
        try:
            for item in itertools.islice(iterator, FUTURE):
                items.append(Walk(self._namespace).visit(item, "item"))
        except Exception as error:
            items.append(f"{type(error).__name__}: {error}")
        return " ".join(items)

    def _pixels(self, found: Mapping[str, object]) -> dict[str, str]:
        """Return a digest of the picture of every variable that is, or belongs to, a figure."""
        if "matplotlib.figure" not in sys.modules:
            return {}
        pictures: dict[int, str] = {}
        named: dict[str, str] = {}
        for name, value in found.items():
            figure = _figure_of(value)
            if figure is not None:
                if id(figure) not in pictures:
                    pictures[id(figure)] = _drawn(figure)
                named[name] = pictures[id(figure)]
        return named


def _is_value(kind: type) -> bool:
    """True for objects that never change: two equal ones are as good as one."""
    return not _VALUES.isdisjoint(f"{base.__module__}.{base.__qualname__}" for base in kind.__mro__)


def _figure_of(value: object) -> Any:
    figures = sys.modules["matplotlib.figure"]
    artists = sys.modules["matplotlib.artist"]
    if isinstance(value, figures.Figure):
        return value
    if isinstance(value, artists.Artist):
        figure = value.figure
        while figure is not None and not isinstance(figure, figures.Figure):
            figure = getattr(figure, "figure", None)
        return figure
    return None


def _drawn(figure: Any) -> str:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    try:
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        return hashlib.blake2b(bytes(canvas.buffer_rgba()), digest_size=12).hexdigest()
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def _overlaps(spans: list[tuple[int, int, bool, str, str]]) -> Iterator[list[tuple[str, str]]]:
    """Yield the pairs of memory of different variables that overlap: their names, where, how far they are apart."""
    spans = sorted(set(spans))
    open_: list[tuple[int, int, bool, str, str]] = []
    for span in spans:
        open_ = [other for other in open_ if other[1] > span[0]]
        for other in open_:
            # What pandas copies when it is written to is shared with nobody, whatever the addresses say.
            if other[3] != span[3] and not (other[2] and span[2]):
                apart = span[0] - other[0]
                yield sorted([(other[3], f"{other[4]} {-apart:+}"), (span[3], f"{span[4]} {apart:+}")])
        open_.append(span)


# surroundings -----------------------------------------------------------------------------------------------------


def ambient(stream: Any) -> dict[str, dict[str, str]]:
    """Return what surrounds the variables, as part -> key -> text; parts are called as reports call them."""
    found: dict[str, dict[str, str]] = {
        "random": {"stream": _digest(repr(stream))},
        "cwd": {"folder": os.getcwd()},  # noqa: PTH109 - what cells call
        "environ": {k: v for k, v in sorted(os.environ.items()) if k not in _PROCESS},
        "sys.path": {"list": json.dumps([str(entry) for entry in sys.path])},
        "warnings": {"filters": "; ".join(map(_filter, warnings.filters[1:]))},  # the first is the child's own
        "decimal": {"context": repr(decimal.getcontext())},
    }
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        state = numpy.random.get_state(legacy=False)
        found["numpy.random"] = {"stream": Walk({}).visit(state, "state")}
        found["numpy.print"] = {key: repr(value) for key, value in numpy.get_printoptions().items()}
        found["numpy.err"] = dict(numpy.geterr())
    config = sys.modules.get("pandas._config.config")
    if config is not None and "pandas" in sys.modules:
        found["pandas.options"] = dict(_options(config._global_config, ""))
    matplotlib = sys.modules.get("matplotlib")
    if matplotlib is not None and hasattr(matplotlib, "rcParams"):
        options = {key: str(dict.__getitem__(matplotlib.rcParams, key)) for key in sorted(matplotlib.rcParams)}
        found["matplotlib.rc"] = {key: text for key, text in options.items() if key != "backend"}
    return found


def _options(level: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for key, value in level.items():
        if isinstance(value, dict):
            yield from _options(value, f"{prefix}{key}.")
        else:
            yield prefix + key, _ADDRESS.sub("", repr(value))


_PROCESS = frozenset({"JPY_PARENT_PID", "JPY_INTERRUPT_EVENT", "PYTEST_CURRENT_TEST", "MPLBACKEND"})


def _filter(entry: Any) -> str:
    action, message, category, module, line = entry
    patterns = [getattr(p, "pattern", p) for p in (message, module)]
    return f"{action} {category.__qualname__} {patterns} {line}"


# the walk ---------------------------------------------------------------------------------------------------------


_alive: list[object] = []  # all that a walk has met, so that no address is met twice; the child ends soon


class Walk:
    """One variable, from its name on. parts: path -> digest; paths: id -> first path, of all that can change."""

    def __init__(self, namespace: Mapping[str, object]) -> None:
        self._namespace = namespace
        self._numbers: dict[int, int] = {}
        self.parts: dict[str, str] = {}
        self.paths: dict[int, str] = {}
        self.spans: list[tuple[int, int, bool, str]] = []
        self.iterators: list[tuple[str, object]] = []
        self._copies_on_write = 0
        self._in_pandas = 0

    def visit(self, obj: object, path: str, *, made: bool = False) -> str:
        """Return the digest of an object and all it leads to. made: this look has made it, its identity is nothing."""
        kind = type(obj)
        plain = _PLAIN.get(kind)
        if plain is not None:
            digest = _digest(kind.__name__, plain(obj))
        elif kind is tuple:
            digest = self._all("tuple", path, ((f"[{i}]", item) for i, item in enumerate(obj)))  # type: ignore[arg-type,var-annotated]
        else:
            _alive.append(obj)
            if not made and not _is_value(kind):
                number = self._numbers.get(id(obj))
                if number is not None:
                    return f"<{number}>"
                self._numbers[id(obj)] = len(self._numbers)
                self.paths.setdefault(id(obj), path)
            digest = self._changeable(obj, path)
        if len(self.parts) < MOST_PARTS:
            self.parts[path] = digest
        return digest

    def _all(self, head: str, path: str, parts: Any) -> str:
        """Return the digest of parts by key; those whose key begins with "~" were made by this look."""
        return _digest(head, *(f"{k}={self.visit(v, path + k.lstrip('~'), made=k[:1] == '~')}" for k, v in parts))

    def _changeable(self, obj: Any, path: str) -> str:
        for base in type(obj).__mro__[:-1]:
            handler = _HANDLERS.get(base) or _BY_NAME.get(f"{base.__module__}.{base.__qualname__}")
            if handler is not None:
                return _digest(_type_name(type(obj)), handler(self, obj, path))
        return self._instance(obj, path)

    # kinds of objects -----------------------------------------------------------------------------------------------

    def _instance(self, obj: Any, path: str) -> str:
        """Return the digest of an instance: class, contents if it is a container, attributes."""
        kind = type(obj)
        found = [_type_name(kind)]
        if kind.__module__ == "__main__":
            found.append(self.visit(kind, f"{path}.__class__"))
        attributes = _attributes(obj)
        for base, walk in _CONTAINERS:
            if isinstance(obj, base):
                found.append(walk(self, obj, path))
                break
        else:
            if not attributes:
                found.append(self._bare(obj, path))
        for noise in _NOISE & attributes.keys():
            del attributes[noise]
        found.append(self._all("attributes", path, ((f".{k}", v) for k, v in attributes.items())))
        return _digest(*found)

    def _bare(self, obj: Any, path: str) -> str:
        """Return the digest of an object of a C type: what it would be made of again, else what it looks like."""
        if isinstance(obj, Iterator):
            self.iterators.append((path, obj))
            try:
                reduced = obj.__reduce__()
            except Exception:
                return "iterator"
        else:
            try:
                reduced = obj.__reduce_ex__(4)
            except Exception:
                return _ADDRESS.sub("", _text(obj))
        if isinstance(reduced, str):
            return reduced
        return self._all("made of", path, ((f"~/{i}", part) for i, part in enumerate(reduced) if not callable(part)))

    def list(self, obj: Any, path: str) -> str:
        return self._all("list", path, ((f"[{i}]", item) for i, item in enumerate(list.__iter__(obj))))

    def dict(self, obj: Any, path: str) -> str:
        head = f"dict {getattr(obj, 'default_factory', '')!r:.40}" if type(obj).__name__ == "defaultdict" else "dict"
        items = list((collections.OrderedDict if isinstance(obj, collections.OrderedDict) else dict).items(obj))
        keys = [self.visit(key, f"{path}.key") for key, _ in items]
        return _digest(head, *keys, self._all("values", path, ((f"[{_short(k)}]", v) for k, v in items)))

    def set(self, obj: Any, path: str) -> str:
        """Return the digest of a set, in an order that depends on values alone."""
        ordered = sorted(obj, key=_shallow_key)
        return self._all("set", path, (("{}", item) for item in ordered))

    def tuple(self, obj: Any, path: str) -> str:
        return self._all("tuple", path, ((f"[{i}]", item) for i, item in enumerate(tuple.__iter__(obj))))

    def deque(self, obj: Any, path: str) -> str:
        return self._all(f"deque {obj.maxlen}", path, ((f"[{i}]", item) for i, item in enumerate(obj)))

    def text(self, obj: Any, path: str) -> str:
        return str.__str__(obj)

    def number(self, obj: Any, path: str) -> str:
        return repr(float.__float__(obj) if isinstance(obj, float) else int.__int__(obj))

    def module(self, obj: Any, path: str) -> str:
        return str(obj.__name__)

    def method(self, obj: Any, path: str) -> str:
        return self._all("method", path, ((".__func__", obj.__func__), (".__self__", obj.__self__)))

    def builtin(self, obj: Any, path: str) -> str:
        owner = getattr(obj, "__self__", None)
        if owner is None or isinstance(owner, types.ModuleType):
            return f"{obj.__module__}.{obj.__qualname__}"
        return _digest(obj.__qualname__, self.visit(owner, f"{path}.__self__"))

    def function(self, obj: Any, path: str) -> str:
        if obj.__globals__ is not self._namespace:
            found = _by_name(obj.__module__, obj.__qualname__)
            if found is obj:
                return f"{obj.__module__}.{obj.__qualname__}"
        parts: list[tuple[str, object]] = [
            (".__defaults__", obj.__defaults__),
            (".__kwdefaults__", obj.__kwdefaults__),
            ("~.__dict__", dict(obj.__dict__)),
            (".__annotations__", _annotations(obj)),
        ]
        for name, cell in zip(obj.__code__.co_freevars, obj.__closure__ or (), strict=True):
            parts.append((f".closure.{name}", cell))
        where = "here" if obj.__globals__ is self._namespace else obj.__globals__.get("__name__", "nowhere")
        head = _digest(_code(obj.__code__), obj.__name__, obj.__qualname__, str(obj.__module__), repr(obj.__doc__))
        return self._all(head + where, path, parts)

    def cell(self, obj: Any, path: str) -> str:
        try:
            return self.visit(obj.cell_contents, path)
        except ValueError:
            return "empty"

    def type(self, obj: Any, path: str) -> str:
        if obj.__module__ != "__main__" and _by_name(obj.__module__, obj.__qualname__) is obj:
            return f"{obj.__module__}.{obj.__qualname__}"
        parts = [(f".{k}", v) for k, v in vars(obj).items() if k not in _CLASS_NOISE]
        if isinstance(obj, enum.EnumMeta):
            parts = [(f".{name}", member._value_) for name, member in obj.__members__.items()]
            parts += [(f".{k}", v) for k, v in vars(obj).items() if isinstance(v, types.FunctionType)]
        parts += [(f".base{i}", base) for i, base in enumerate(obj.__bases__)]
        return self._all(f"class {obj.__qualname__} {obj.__module__} {obj.__doc__!r}", path, parts)

    def enum(self, obj: Any, path: str) -> str:
        return _digest(str(obj._name_), self.visit(type(obj), f"{path}.__class__"))

    def property(self, obj: Any, path: str) -> str:
        return self._all("property", path, ((f".{n}", getattr(obj, n)) for n in ("fget", "fset", "fdel")))

    def wrapped(self, obj: Any, path: str) -> str:
        return self.visit(obj.__func__, f"{path}.__func__")

    def lru_cache(self, obj: Any, path: str) -> str:
        return _digest(repr(obj.cache_parameters()), self.visit(obj.__wrapped__, f"{path}.__wrapped__"))

    def cached_property(self, obj: Any, path: str) -> str:
        return self.visit(obj.func, f"{path}.func")

    def partial(self, obj: Any, path: str) -> str:
        return self._all("partial", path, ((".func", obj.func), (".args", obj.args), (".keywords", obj.keywords)))

    def generator(self, obj: Any, path: str) -> str:
        self.iterators.append((path, obj))
        frame = obj.gi_frame
        return _digest(_code(obj.gi_code), "ended" if frame is None else f"at {frame.f_lasti}")

    def random(self, obj: Any, path: str) -> str:
        return repr(obj.getstate())

    def file(self, obj: Any, path: str) -> str:
        return f"{getattr(obj, 'name', '')} {obj.closed}" + ("" if obj.closed else f" {obj.tell()}")

    def memory_file(self, obj: Any, path: str) -> str:
        return "closed" if obj.closed else f"{obj.tell()} {obj.getvalue()!r}"

    def match(self, obj: Any, path: str) -> str:
        return repr((obj.string, obj.regs, obj.re.pattern, obj.pos, obj.endpos))

    def view(self, obj: Any, path: str) -> str:
        return repr((obj.format, obj.shape, obj.readonly)) + hashlib.blake2b(obj.tobytes()).hexdigest()

    def bytearray(self, obj: Any, path: str) -> str:
        return bytes(obj).hex()

    def reference(self, obj: Any, path: str) -> str:
        target = obj()
        return "dead" if target is None else self.visit(target, f"{path}()")

    def lock(self, obj: Any, path: str) -> str:
        return str(obj.locked()) if hasattr(obj, "locked") else _ADDRESS.sub("", repr(obj))

    def opaque(self, obj: Any, path: str) -> str:
        return _type_name(type(obj))

    # numpy ------------------------------------------------------------------------------------------------------------

    def array(self, obj: Any, path: str) -> str:
        import numpy as np

        head = f"{obj.dtype!r} {obj.shape}"
        if not self._in_pandas:  # how a frame lays its columns out is its own affair
            head += f" {obj.flags.writeable} {_columns_first(obj)}"
        if obj.size and obj.dtype != object:
            low, high = np.lib.array_utils.byte_bounds(obj) if hasattr(np.lib, "array_utils") else np.byte_bounds(obj)
            self.spans.append((low, high, bool(self._copies_on_write), path))
        if isinstance(obj, np.ma.MaskedArray):
            mask = np.ma.getmaskarray(obj)
            return _digest(head, _bytes(np.where(mask, 0, obj.data)), _bytes(mask), repr(obj.fill_value))
        found = [head, self._contents(np.asarray(obj), path)]
        if type(obj) is np.memmap:  # "w+" empties the file when it is mapped again; a path is as good as its text
            found += [str(obj.filename), str(obj.offset), "r+" if obj.mode == "w+" else str(obj.mode)]
        elif type(obj) is not np.ndarray:
            found.append(self._all("attributes", path, ((f".{k}", v) for k, v in _attributes(obj).items())))
        return _digest(*found)

    def _contents(self, array: Any, path: str) -> str:
        if array.dtype == object:
            return self._all("objects", path, ((f"[{i}]", item) for i, item in enumerate(array.ravel())))
        return _bytes(array)

    def numpy_scalar(self, obj: Any, path: str) -> str:
        return f"{obj.dtype!r} {obj.tobytes().hex() if obj.dtype != object else obj!r}"

    def generator_of_numpy(self, obj: Any, path: str) -> str:
        return self.visit(obj.bit_generator, f"{path}.bit_generator")

    def bit_generator(self, obj: Any, path: str) -> str:
        return Walk({}).visit(obj.state, "state")

    def random_state(self, obj: Any, path: str) -> str:
        return self.visit(obj._bit_generator, f"{path}.bit_generator") + repr(obj.get_state(legacy=False)["has_gauss"])

    # pandas -----------------------------------------------------------------------------------------------------------

    def frame(self, obj: Any, path: str) -> str:
        parts: list[tuple[str, object]] = [(".columns", obj.columns), (".index", obj.index)]
        parts += [(f"~[{_short(name)}]#{i}", obj._get_column_array(i)) for i, name in enumerate(obj.columns)]
        return self._pandas(obj, path, parts)

    def series(self, obj: Any, path: str) -> str:
        return self._pandas(obj, path, [(".index", obj.index), ("~.array", obj.array), (".name", obj.name)])

    def _pandas(self, obj: Any, path: str, parts: list[tuple[str, object]]) -> str:
        import pandas as pd

        options = getattr(pd.options.mode, "copy_on_write", False)
        lazily = pd.__version__ >= "3" or options is True
        self._copies_on_write += lazily
        self._in_pandas += 1
        try:
            # What accessors leave behind is theirs; what statsmodels notes of a design, its models have themselves.
            attributes = {k: v for k, v in vars(obj).items() if k[0] != "_" and not hasattr(type(obj), k)}
            attributes.pop("design_info", None)
            parts += [("~.attrs", obj.attrs), ("~.own", attributes)]
            return self._all(f"{obj.flags.allows_duplicate_labels}", path, parts)
        finally:
            self._copies_on_write -= lazily
            self._in_pandas -= 1

    def index(self, obj: Any, path: str) -> str:
        if type(obj).__name__ == "MultiIndex":
            parts = [(f"~.levels[{i}]", v) for i, v in enumerate(obj.levels)]
            parts += [(f"~.codes[{i}]", v.tolist()) for i, v in enumerate(obj.codes)]
            return self._all("multi", path, [*parts, (".names", tuple(obj.names))])
        freq = getattr(obj, "freq", None)
        own = {k: v for k, v in vars(obj).items() if not k.startswith("_")}
        if type(obj).__name__ == "RangeIndex":
            return _digest(repr(obj), repr(own))
        self._copies_on_write += 1  # an index is never written to
        self._in_pandas += 1
        try:
            return self._all(f"{freq!r} {obj.dtype!r}", path, [("~.array", obj.array), (".name", obj.name)]) + repr(own)
        finally:
            self._copies_on_write -= 1
            self._in_pandas -= 1

    def extension(self, obj: Any, path: str) -> str:
        """Return the digest of a column's array; what it lies in is noted for whether it is shared."""
        head = f"{obj.dtype!r} {len(obj)}"
        if type(obj).__name__ in ("Categorical",):
            return self._all(head + str(obj.ordered), path, [("~.categories", obj.categories), ("~.codes", obj._codes)])
        inner = [(f"~.{name}", getattr(obj, name, None)) for name in ("_ndarray", "_data", "_mask")]
        inner = [(key, value) for key, value in inner if type(value).__name__ == "ndarray"]
        if inner and obj.dtype != object:
            return self._all(head + repr(getattr(obj, "freq", None)), path, inner)
        return self._all(head, path, ((f"[{i}]", item) for i, item in enumerate(obj)))

    def group_by(self, obj: Any, path: str) -> str:
        facts = {k: getattr(obj, k, None) for k in ("axis", "level", "sort", "as_index", "dropna", "observed", "keys")}
        facts["keys"] = _ADDRESS.sub("", _text(facts["keys"]))[:500]
        sizes = Walk({}).visit(obj.size(), "sizes")
        return self._all(repr(sorted(facts.items(), key=str)) + sizes, path, [(".obj", obj.obj)])

    def pandas_dtype(self, obj: Any, path: str) -> str:
        return repr(obj)

    # other libraries ------------------------------------------------------------------------------------------------

    def estimator(self, obj: Any, path: str) -> str:
        return _digest(self._instance(obj, path), _predictions(obj))

    def sparse(self, obj: Any, path: str) -> str:
        keys = ("_shape", "data", "indices", "indptr", "coords", "row", "col", "rows", "offsets", "_dict")
        own = vars(obj)
        return self._all(f"{obj.dtype!r} {obj.shape}", path, ((f".{k}", own[k]) for k in keys if k in own))

    def artist(self, obj: Any, path: str) -> str:
        head = [_type_name(type(obj)), repr(obj.get_zorder()), repr(obj.get_visible()), repr(obj.get_label())]
        parts: list[tuple[str, object]] = [(f".child{i}", child) for i, child in enumerate(obj.get_children())]
        own = vars(obj)
        keys = ("_text", "_x", "_y", "_xorig", "_yorig", "_A", "_offsets", "_linewidth", "_color", "_alpha")
        parts += [(f".{key}", own[key]) for key in keys if key in own]
        if hasattr(obj, "get_size_inches"):
            head += [repr(obj.get_size_inches().tolist()), repr(obj.get_dpi())]
        return self._all(" ".join(head), path, parts)

    def color_map(self, obj: Any, path: str) -> str:
        import numpy as np

        return _digest(obj.name, str(obj.N), _bytes(np.asarray(obj(np.linspace(-0.1, 1.1, 23)))))

    def norm(self, obj: Any, path: str) -> str:
        own = {k: v for k, v in vars(obj).items() if k not in ("callbacks", "_scale", "_trf")}
        return self._all("norm", path, ((f".{k}", own[k]) for k in sorted(own)))

    def color_bar(self, obj: Any, path: str) -> str:
        keys = ("norm", "mappable", "ax", "vmin", "vmax", "orientation", "extend")
        return self._all("colorbar", path, ((f".{k}", getattr(obj, k)) for k in keys))

    def picture(self, obj: Any, path: str) -> str:
        palette = obj.palette.tobytes() if obj.palette is not None else b""
        facts = repr((obj.mode, obj.size, sorted(obj.info.items(), key=str)))
        return _digest(facts, palette.hex(), hashlib.blake2b(obj.tobytes()).hexdigest())


def _predictions(model: Any) -> str:
    """Return what a fitted model says about fixed rows."""
    import numpy as np

    count = getattr(model, "n_features_in_", None)
    if not isinstance(count, int):
        texts = getattr(model, "vocabulary_", None)
        return _call(lambda: model.transform([" ".join(sorted(texts)[:20])]).toarray()) if texts else "not fitted"
    rows = np.linspace(0.1, 3.0, 7 * count).reshape(7, count)
    names = getattr(model, "feature_names_in_", None)
    if names is not None and "pandas" in sys.modules:
        rows = sys.modules["pandas"].DataFrame(rows, columns=names)
    found = []
    for method in ("predict", "predict_proba", "decision_function", "transform"):
        act = getattr(model, method, None)
        if act is not None:
            found.append(_call(lambda act=act: act(rows)))  # type: ignore[misc]
    return " ".join(found)


def _call(act: Callable[[], Any]) -> str:
    try:
        return Walk({}).visit(act(), "")
    except Exception as error:
        return type(error).__name__


# pieces -----------------------------------------------------------------------------------------------------------


def _digest(*texts: str) -> str:
    whole = hashlib.blake2b(digest_size=12)
    for text in texts:
        data = text.encode("utf-8", "surrogatepass")
        whole.update(len(data).to_bytes(8, "big") + data)
    return whole.hexdigest()


def _bytes(array: Any) -> str:
    """Return a digest of an array's values; what lies between the fields of a record is nobody's."""
    import numpy as np

    if array.dtype.names:
        return _digest(*(f"{name}:{_bytes(array[name])}" for name in array.dtype.names))
    if array.dtype.hasobject or array.dtype.kind == "T":
        return _digest(repr(array.tolist()))
    return hashlib.blake2b(np.ascontiguousarray(array).tobytes(), digest_size=12).hexdigest()


def _code(code: types.CodeType) -> str:
    constants = [_code(c) if isinstance(c, types.CodeType) else _constant(c) for c in code.co_consts]
    names = code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars
    return _digest(code.co_code.hex(), *constants, repr(names), repr((code.co_argcount, code.co_flags, code.co_name)))


def _constant(value: object) -> str:
    return repr(sorted(map(repr, value))) if isinstance(value, frozenset) else repr(value)


def _attributes(obj: Any) -> dict[str, Any]:
    try:
        found = dict(object.__getattribute__(obj, "__dict__"))
    except AttributeError:
        found = {}
    for base in type(obj).__mro__:
        slots = vars(base).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            hidden = name.startswith("__") and not name.endswith("__")
            mangled = f"_{base.__name__.lstrip('_')}{name}" if hidden else name
            if name not in ("__dict__", "__weakref__"):
                with contextlib.suppress(AttributeError):
                    found[mangled] = object.__getattribute__(obj, mangled)
    return {key: found[key] for key in sorted(found, key=str)}


def _annotations(obj: Any) -> str:
    try:
        return _ADDRESS.sub("", repr(obj.__annotations__))
    except Exception as error:
        return type(error).__name__


def _by_name(module: str | None, qualname: str) -> object:
    found: Any = sys.modules.get(module or "")
    for part in qualname.split("."):
        found = getattr(found, part, None)
    return found


def _type_name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _text(value: object) -> str:
    try:
        return _ADDRESS.sub("", repr(value))
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def _columns_first(array: Any) -> bool:
    """True if an array is laid out by columns, with gaps or without."""
    return min(array.shape, default=0) > 1 and array.ndim > 1 and abs(array.strides[0]) < abs(array.strides[-1])


def _shallow_key(item: object) -> str:
    """Return a text of an object's type and of what it holds directly and plainly."""
    if isinstance(item, weakref.ref):
        item = item()
    plain = _PLAIN.get(type(item))
    if plain is not None:
        return f"{type(item).__name__} {plain(item)}"
    if isinstance(item, tuple | frozenset):
        keys = list(map(_shallow_key, item))
        return f"{_type_name(type(item))} {keys if isinstance(item, tuple) else sorted(keys)}"
    attributes = _attributes(item)
    if not attributes:
        return f"{_type_name(type(item))} {_text(item)}"
    own = ((k, v) for k, v in attributes.items() if type(v) in _PLAIN)
    return _type_name(type(item)) + "".join(f" {key}={_PLAIN[type(value)](value)}" for key, value in own)


def _short(key: object) -> str:
    return _text(key)[:40]


def _float(value: Any) -> str:
    return struct.pack("<d", value).hex()


_PLAIN: dict[type, Callable[[Any], str]] = {
    **dict.fromkeys((type(None), bool, int, str, range, slice, type(Ellipsis), type(NotImplemented)), repr),
    bytes: bytes.hex,
    float: _float,
    complex: lambda z: _float(z.real) + _float(z.imag),
    **dict.fromkeys((datetime.date, datetime.datetime, datetime.time, datetime.timedelta, datetime.timezone), repr),
    **dict.fromkeys((decimal.Decimal, fractions.Fraction, uuid.UUID, pathlib.PosixPath, pathlib.PurePosixPath), repr),
    re.Pattern: lambda p: repr((p.pattern, p.flags)),
    types.CodeType: _code,
}

# Attributes that libraries leave behind for themselves: sklearn's Bunch (empty) and vectorizers (an address).
_NOISE = frozenset({"_deprecated_key_to_warnings", "_stop_words_id"})

_CLASS_NOISE = frozenset(
    "__dict__ __weakref__ __doc__ __module__ __qualname__ _abc_impl __abstractmethods__ __firstlineno__ "
    "__static_attributes__ __slotnames__ __annotate__ __annotate_func__ __annotations_cache__".split()
)

_CONTAINERS: tuple[tuple[type, Callable[[Walk, Any, str], str]], ...] = (
    (list, Walk.list),
    (dict, Walk.dict),
    (set, Walk.set),
    (frozenset, Walk.set),
    (tuple, Walk.tuple),
    (collections.deque, Walk.deque),
    (str, Walk.text),
    (int, Walk.number),
    (float, Walk.number),
)

_HANDLERS: dict[type, Callable[[Walk, Any, str], str]] = {
    types.ModuleType: Walk.module,
    types.MethodType: Walk.method,
    types.BuiltinFunctionType: Walk.builtin,
    types.MethodWrapperType: Walk.builtin,
    types.FunctionType: Walk.function,
    types.CellType: Walk.cell,
    type: Walk.type,
    enum.Enum: Walk.enum,
    property: Walk.property,
    staticmethod: Walk.wrapped,
    classmethod: Walk.wrapped,
    functools.partial: Walk.partial,
    functools.cached_property: Walk.cached_property,
    type(functools.lru_cache(len)): Walk.lru_cache,
    types.GeneratorType: Walk.generator,
    random.Random: Walk.random,
    io.StringIO: Walk.memory_file,
    io.BytesIO: Walk.memory_file,
    io.IOBase: Walk.file,
    re.Match: Walk.match,
    memoryview: Walk.view,
    bytearray: Walk.bytearray,
    weakref.ref: Walk.reference,
    type(__import__("threading").Lock()): Walk.lock,
}

# An index of pandas is one, too: no element of it can change. That two frames hold the same, so that a new name of it
# is one for both, is not looked at.
_VALUES = frozenset(
    """pandas.core.indexes.base.Index pandas.Index
    numpy.generic numpy.dtype datetime.tzinfo datetime.datetime pandas._libs.missing.NAType
    pandas._libs.tslibs.timestamps._Timestamp pandas._libs.tslibs.timedeltas._Timedelta
    pandas._libs.tslibs.period._Period
    pandas._libs.tslibs.nattype._NaT pandas._libs.tslibs.offsets.BaseOffset pandas._libs.interval.Interval
    pandas.core.dtypes.base.ExtensionDtype pandas.api.extensions.ExtensionDtype""".split()
) - {"numpy.void"}

_BY_NAME: dict[str, Callable[[Walk, Any, str], str]] = {
    "numpy.ndarray": Walk.array,
    "numpy.generic": Walk.numpy_scalar,
    "numpy.random._generator.Generator": Walk.generator_of_numpy,
    "numpy.random.bit_generator.BitGenerator": Walk.bit_generator,
    "numpy.random.mtrand.RandomState": Walk.random_state,
    "pandas.core.frame.DataFrame": Walk.frame,
    "pandas.DataFrame": Walk.frame,
    "pandas.core.series.Series": Walk.series,
    "pandas.Series": Walk.series,
    "pandas.core.indexes.base.Index": Walk.index,
    "pandas.Index": Walk.index,
    "pandas.core.arrays.base.ExtensionArray": Walk.extension,
    "pandas.api.extensions.ExtensionArray": Walk.extension,
    "pandas.core.groupby.groupby.BaseGroupBy": Walk.group_by,
    "pandas.core.dtypes.base.ExtensionDtype": Walk.pandas_dtype,
    "pandas.api.extensions.ExtensionDtype": Walk.pandas_dtype,
    "numpy.dtype": Walk.pandas_dtype,
    "pandas._libs.tslibs.timestamps.Timestamp": Walk.pandas_dtype,
    "pandas._libs.tslibs.timestamps._Timestamp": Walk.pandas_dtype,
    "pandas._libs.tslibs.timedeltas._Timedelta": Walk.pandas_dtype,
    "pandas._libs.tslibs.period._Period": Walk.pandas_dtype,
    "pandas._libs.tslibs.offsets.BaseOffset": Walk.pandas_dtype,
    "pandas._libs.missing.NAType": Walk.pandas_dtype,
    "pandas._libs.tslibs.nattype._NaT": Walk.pandas_dtype,
    "sklearn.base.BaseEstimator": Walk.estimator,
    "scipy.sparse._base._spbase": Walk.sparse,
    "matplotlib.artist.Artist": Walk.artist,
    "matplotlib.cbook.CallbackRegistry": Walk.opaque,
    "matplotlib.transforms.TransformNode": Walk.opaque,
    "matplotlib.colors.Colormap": Walk.color_map,
    "matplotlib.colors.Normalize": Walk.norm,
    "matplotlib.colorbar.Colorbar": Walk.color_bar,
    "PIL.Image.Image": Walk.picture,
    "patsy.eval.EvalEnvironment": Walk.opaque,  # the frame that a formula was written in
    "sqlite3.Connection": Walk.opaque,
    "sqlite3.Cursor": Walk.opaque,
    "_sqlite3.Connection": Walk.opaque,
    "threading.Thread": Walk.opaque,
    "datetime.tzinfo": Walk.pandas_dtype,
}
