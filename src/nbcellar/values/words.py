"""Wording nodes and values on one line, for people.

Invariant: the length is bounded whatever a node is, cycles and deep trees included; floats show all the digits that
tell them from others. Not for: escaping what a terminal or a page would take for a command (their renderers do).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeGuard

from nbcellar.values.dtypes import DType, Shown, parse, shown
from nbcellar.values.inert import UnreadableError
from nbcellar.values.nodes import (
    Buffer,
    ByteArray,
    Call,
    Dict,
    Global,
    List,
    Node,
    Persistent,
    Set,
    global_path,
    lookup,
)

WIDTH = 60
_MOST_DEPTH = 3


def word(value: Any, width: int = WIDTH, classes: Sequence[str] = ()) -> str:
    """Return a value or node on one line of about `width` characters.

    classes: names of the notebook's classes that the value needs, by number.
    """
    text = _word(value, width, 0, classes)
    return text if len(text) <= width + 20 else text[: width + 19] + "…"


def type_name(node: Node) -> str:
    """Return the name of a node's type, with its module where it is not Python's own: `pandas.DataFrame`."""
    kind = type(node)
    if kind in _PLAIN:
        return _PLAIN[kind]
    if kind is Set:
        return "frozenset" if node.frozen else "set"
    if kind is Global:
        return "type" if node.name[:1].isupper() or node.module == "builtins" else "function"
    if kind is Call:
        return _type_of_call(node)
    return "object"


_PLAIN: dict[type, str] = {
    type(None): "NoneType",
    bool: "bool",
    int: "int",
    float: "float",
    str: "str",
    bytes: "bytes",
    tuple: "tuple",
    List: "list",
    Dict: "dict",
    ByteArray: "bytearray",
    Buffer: "bytes",
    Persistent: "object",
    Shown: "object",
}
_REBUILD = "nbcellar.session.rebuild."
_REWRAP = "nbcellar.session.rewrap."
_TYPES = {
    f"{_REBUILD}make_function": "function",
    f"{_REBUILD}member": "function",
    f"{_REBUILD}make_singledispatch": "function",
    f"{_REBUILD}make_code": "code",
    f"{_REBUILD}make_class": "type",
    f"{_REBUILD}definition": "type",
    f"{_REBUILD}main_module": "module",
    f"{_REWRAP}import_module": "module",
    f"{_REWRAP}make_module": "module",
    f"{_REWRAP}make_method": "method",
    f"{_REWRAP}bind_method": "method",
    f"{_REWRAP}make_lru_cache": "function",
    f"{_REWRAP}make_property": "property",
    "nbcellar.session.tensors.make_tensor": "torch.Tensor",
    "nbcellar.session.tensors.make_parameter": "torch.nn.Parameter",
    "nbcellar.session.arrays.exported": "numpy.ndarray",
    "nbcellar.session.arrays.inline": "numpy.ndarray",
    "nbcellar.session.arrays.inline_permuted": "numpy.ndarray",
    "nbcellar.session.arrays.object_view": "numpy.ndarray",
    "nbcellar.session.arrays.over": "numpy.ndarray",
    "nbcellar.session.arrays.memory_map": "numpy.memmap",
    "nbcellar.session.arrays.memory_view": "memoryview",
    "pandas._libs.tslibs.timestamps._unpickle_timestamp": "pandas.Timestamp",
    "pandas._libs.tslibs.nattype._nat_unpickle": "pandas.NaT",
    "pyarrow.lib._reconstruct_table": "pyarrow.Table",
    "pandas.core.frame.DataFrame": "pandas.DataFrame",
    "pandas.core.series.Series": "pandas.Series",
    "re._compile": "re.Pattern",
}
_MADE_OF = {  # the class is an argument
    f"{_REWRAP}make_container": 1,
    f"{_REWRAP}make_value": 1,
    f"{_REWRAP}make_bare": 0,
    f"{_REBUILD}enum_member": 0,
    f"{_REBUILD}enum_value": 0,
    "nbcellar.session.arrays.subclass": 0,
    "nbcellar.session.arrays.masked": 0,
    "copyreg._reconstructor": 0,
    "numpy._core.multiarray._reconstruct": 0,
    "numpy.core.multiarray._reconstruct": 0,
    "pandas.core.indexes.base._new_Index": 0,
    "pandas.core.indexes.datetimes._new_DatetimeIndex": 0,
    "pandas.core.indexes.interval._new_IntervalIndex": 0,
    "pandas._libs.arrays.__pyx_unpickle_NDArrayBacked": 0,
}


def class_node(node: Call) -> Node:
    """Return what a call would make an instance of, None where that is not said."""
    place = _MADE_OF.get(node.path)
    if place is not None:
        return node.args[place] if place < len(node.args) else None
    return node.function


def is_definition(node: Node) -> TypeGuard[Call]:
    """Say whether a node is a class of the notebook, named by its number among those that the value needs."""
    return type(node) is Call and node.path == f"{_REBUILD}definition"


def class_name(node: Call, classes: Sequence[str]) -> str:
    """Return the name of a class of the notebook; `object` where the names are not at hand."""
    place = node.args[0] if node.args else None
    return classes[place].partition("#")[0] if type(place) is int and 0 <= place < len(classes) else "object"


def _type_of_call(node: Call) -> str:
    path = node.path
    if path in _TYPES:
        return _TYPES[path]
    if path in _SCALARS:
        return f"numpy.{dtype.name}" if (dtype := _dtype(node)) is not None else "numpy.generic"
    kind = class_node(node)
    if isinstance(kind, Global):
        return str(kind.name) if kind.module in ("builtins", "__main__") else _TYPES.get(kind.path, kind.path)
    return "object"  # of a class of the notebook, among others; who knows its name may say it


_SCALARS = ("numpy._core.multiarray.scalar", "numpy.core.multiarray.scalar")


def _dtype(node: Call) -> DType | None:
    try:
        return parse(node.args[0]) if node.args else None
    except UnreadableError:
        return None


def _word(node: Any, width: int, depth: int, classes: Sequence[str]) -> str:
    kind = type(node)
    if kind is float or kind is bool or node is None or kind is complex:
        return repr(node)
    if kind is int:
        return repr(node) if -(10**40) < node < 10**40 else _large(node)
    if kind is Shown:
        return str(node)
    if kind is str or kind is bytes:
        return _quoted(node, width)
    if depth > _MOST_DEPTH:
        return "…"
    if kind is tuple:
        return _listed("(", node, ",)" if len(node) == 1 else ")", width, depth, classes)
    if kind is List:
        return _listed("[", node.items, "]", width, depth, classes)
    if kind is Set:
        inside = _listed("{", node.items, "}", width, depth, classes) if node.items else "set()"
        return f"frozenset({inside})" if node.frozen else inside
    if kind is Dict:
        return _paired(node.pairs, width, depth, classes)
    if kind is ByteArray:
        return f"bytearray({_quoted(node.data, width)})"
    if kind is Global:
        return str(node.name if node.module in ("builtins", "__main__") else node.path)
    if kind is Call:
        return _call(node, width, depth, classes)
    return repr(node) if kind not in (Buffer, Persistent) else "…"


def _large(number: int) -> str:
    """Return a number of too many digits by its size and its end."""
    return f"{'-' if number < 0 else ''}0x…{abs(number) & (1 << 64) - 1:016x} ({number.bit_length():,} bits)"


def _quoted(text: str | bytes, width: int) -> str:
    if len(text) <= width:
        return repr(text)
    return repr(text[: width - 1]) + "…"


def _some(items: Iterable[Any], count: int, width: int, words: Iterator[str]) -> str:
    """Return words with commas as far as there is room, then how many there are in all."""
    found: list[str] = []
    used = 0
    for text in words:
        used += len(text) + 2
        if used > width and found:
            return ", ".join(found) + f", … {count:,} in all"
        found.append(text)
    return ", ".join(found)


def _listed(begin: str, items: Any, end: str, width: int, depth: int, classes: Sequence[str]) -> str:
    inner = max(width // 2, 12)
    words = (_word(item, inner, depth + 1, classes) for item in items)
    return begin + _some(items, len(items), width, words) + end


def _paired(pairs: list[tuple[Node, Node]], width: int, depth: int, classes: Sequence[str]) -> str:
    inner = max(width // 2, 12)
    words = (f"{_word(k, inner, depth + 1, classes)}: {_word(v, inner, depth + 1, classes)}" for k, v in pairs)
    return "{" + _some(pairs, len(pairs), width, words) + "}"


def _call(node: Call, width: int, depth: int, classes: Sequence[str]) -> str:
    if is_definition(node) and classes:
        return class_name(node, classes)
    simple = simple_text(node)
    if simple is not None:
        return simple
    name = class_name(made, classes) if is_definition(made := class_node(node)) else type_name(node)
    short = name.rpartition(".")[2]
    if name in ("numpy.ndarray", "numpy.memmap", "torch.Tensor", "torch.nn.Parameter"):
        return f"{short}{_form(node)}"
    if name in ("pandas.DataFrame", "pandas.Series") or short.endswith("Index"):
        return short
    contents = contents_of(node)
    if contents is not None:
        return f"{short}({_word(contents, width, depth + 1, classes)})"
    attributes = attributes_of(node)
    inner = max(width // 2, 12)
    words = [_word(arg, inner, depth + 1, classes) for arg in node.args] if node.path not in _MADE_OF else []
    words += [f"{key}={_word(value, inner, depth + 1, classes)}" for key, value in attributes[:8]]
    return f"{short}({_some(words, len(words), width, iter(words))})"


def _form(node: Call) -> str:
    """Return ` (3, 2) float64` of an array."""
    name = node.path.rpartition(".")[2]
    try:
        if name in ("exported", "inline"):
            return f" {node.args[2]!r} {parse(node.args[1]).name}"
        if name in ("make_tensor", "make_parameter"):
            return f" {node.args[3]!r} {node.args[1]}"
        if name == "_reconstruct" and type(node.state) is tuple:
            return f" {node.state[-4]!r} {parse(node.state[-3]).name}"
    except (UnreadableError, IndexError):
        pass
    return ""


def attributes_of(node: Call) -> list[tuple[str, Node]]:
    """Return the instance attributes that a call's state would set, in their order."""
    state = node.state
    if type(state) is tuple and len(state) == 2 and all(part is None or type(part) is Dict for part in state):
        pairs = [pair for part in state if part is not None for pair in part.pairs]  # __dict__ and slots
    elif type(state) is tuple and node.path == f"{_REWRAP}make_container" and len(state) == 3:
        pairs = [pair for part in state[1:] if type(part) is Dict for pair in part.pairs]
    elif type(state) is Dict:
        pairs = state.pairs
    else:
        return []
    return [(name, value) for name, value in pairs if type(name) is str]


def contents_of(node: Call) -> Node:
    """Return the list, dict or set that an instance of a subclass of one holds, else None."""
    if node.path == f"{_REWRAP}make_container" and type(node.state) is tuple and len(node.state) == 3:
        return node.state[0]
    if node.path == f"{_REWRAP}make_value" and len(node.args) == 3:
        return node.args[2]
    if node.pairs:
        return Dict(node.pairs)
    if node.items:
        return List(node.items)
    if node.path in ("builtins.set", "builtins.frozenset") and len(node.args) == 1 and type(node.args[0]) is List:
        return Set(node.args[0].items, node.path.endswith("frozenset"))
    if len(node.args) == 1 and type(node.args[0]) in (Dict, List) and not node.states and not node.effects:
        return node.args[0]
    return None


# ----------------------------------------------------------------------------------------------------------------------
# Objects that are a word


def simple_text(node: Call) -> str | None:
    """Return the text of an object that is one word: a date, a decimal, a path, a function. None for any other."""
    maker = _SIMPLE.get(node.path)
    if maker is None:
        return None
    try:
        return maker(node)
    except (IndexError, ValueError, TypeError, struct.error, OverflowError, AttributeError):
        return None


def _datetime(node: Call) -> str | None:
    data = node.args[0]
    if type(data) is not bytes or len(data) not in (4, 10):
        return None
    year, month, day = data[0] << 8 | data[1], data[2] & 0x7F, data[3]
    date = f"{year:04}-{month:02}-{day:02}"
    if len(data) == 4:
        return date
    micro = data[7] << 16 | data[8] << 8 | data[9]
    zone = f" {word(node.args[1], 20)}" if len(node.args) > 1 else ""
    return f"{date} {data[4]:02}:{data[5]:02}:{data[6]:02}" + (f".{micro:06}" if micro else "") + zone


def _timedelta(node: Call) -> str:
    days, seconds, micro = node.args
    return shown_duration(((days * 86_400) + seconds) * 10**6 + micro)


def shown_duration(microseconds: int) -> str:
    """Return a duration as text."""
    return str(shown(DType("m", 8, unit="us"), microseconds))


def _timestamp(node: Call) -> str | None:
    value, _, zone, *resolution = node.args
    unit = {7: "s", 8: "ms", 9: "us", 10: "ns"}.get(resolution[0] if resolution else 10, "ns")
    return str(shown(DType("M", 8, unit=unit), value)) + (f" {word(zone, 20)}" if zone is not None else "")


def _scalar(node: Call) -> str | None:
    dtype = _dtype(node)
    if dtype is None or len(node.args[1]) != dtype.size:
        return None
    return word(shown(dtype, dtype.unpack(node.args[1])[0]))


def _member(node: Call) -> str | None:
    return f"{_class_word(node.args[0])}.{node.args[1]}" if type(node.args[1]) is str else None


def _class_word(node: Node) -> str:
    return node.name if type(node) is Global else "enum"


def _function(node: Call) -> str | None:
    code = node.args[0]
    arguments = code.args[1]
    count = arguments[0] + arguments[2]
    names = [name for name in arguments[9][:count] if type(name) is str]
    return f"{node.args[2]}({', '.join(names)})"


_SIMPLE: dict[str, Callable[[Call], str | None]] = {
    "datetime.datetime": _datetime,
    "datetime.date": _datetime,
    "datetime.timedelta": _timedelta,
    "decimal.Decimal": lambda node: f"Decimal({node.args[0]!r})" if type(node.args[0]) is str else None,
    "fractions.Fraction": lambda node: "/".join(map(str, node.args)),
    "builtins.range": lambda node: f"range{node.args[:2] if node.args[2] == 1 else node.args!r}",
    "builtins.slice": lambda node: f"slice{node.args!r}",
    "builtins.complex": lambda node: repr(complex(*node.args)),
    "builtins.bytearray": lambda node: "bytearray" if not node.args else None,
    **{f"pathlib.{name}": lambda node: _path(node.args) for name in ("PosixPath", "WindowsPath", "Path", "PurePath")},
    **{f"pathlib._local.{name}": lambda node: _path(node.args) for name in ("PosixPath", "WindowsPath")},
    "pandas._libs.tslibs.timestamps._unpickle_timestamp": _timestamp,
    "pandas._libs.tslibs.nattype._nat_unpickle": lambda node: "NaT",
    **dict.fromkeys(_SCALARS, _scalar),
    f"{_REWRAP}import_module": lambda node: f"module {node.args[0]}",
    f"{_REWRAP}attribute": lambda node: ".".join(map(str, node.args)),
    f"{_REBUILD}enum_member": _member,
    f"{_REBUILD}member": lambda node: f"{node.args[1]}",
    f"{_REBUILD}make_function": _function,
    f"{_REBUILD}make_class": lambda node: f"class {node.args[2]}",
    f"{_REBUILD}main_module": lambda node: "module __main__",
    f"{_REBUILD}definition": lambda node: "a class of the notebook",
    "numpy.dtype": lambda node: f"dtype({(_dtype(node) or DType('V', 0)).name})",
    "re._compile": lambda node: f"re.compile({node.args[0]!r})",
}


def _path(parts: tuple[Any, ...]) -> str | None:
    if not all(type(part) is str for part in parts):
        return None
    joined = "/".join(parts) or "."
    return f"Path({'/' + joined.lstrip('/') if joined.startswith('/') else joined!r})"


__all__ = [
    "attributes_of",
    "class_node",
    "contents_of",
    "global_path",
    "lookup",
    "simple_text",
    "type_name",
    "word",
]
