"""Short text for values, made without running code of the notebook and within bounds.

Invariant: only types whose `repr` is known to be plain are asked for it; every other object shows its type, the names
and the plain values it holds. Text holds no control characters, no escape sequences, no addresses.
Not for: choosing what a preview contains (`preview.py`).
"""

from __future__ import annotations

import datetime
import decimal
import enum
import fractions
import pathlib
import re
import sys
import types
import uuid
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

MAX_TEXT = 200
_MAX_ITEMS = (12, 4, 3)  # shown of a container at each depth; deeper ones show their length only
_MAX_STRING = 120
_MAX_INT_BITS = 500
_MAX_SORTED_SET = 64

# Terminal escape sequences, control characters but tab and newline, and characters that turn the direction of text.
_CONTROL = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]"
)

# C-implemented, bounded, free of side effects whatever they hold.
_PLAIN: frozenset[type] = frozenset(
    [
        *(bool, float, complex, type(None), type(...), type(NotImplemented), range),
        *(datetime.date, datetime.timedelta, uuid.UUID, datetime.timezone),
        *(pathlib.PosixPath, pathlib.WindowsPath, pathlib.PurePosixPath, pathlib.PureWindowsPath),
    ]
)


def bounded_repr(value: object, depth: int = 0) -> str:
    """Return a text like `repr(value)`, shortened; a few hundred characters at most, to be clipped by the caller."""
    cls = type(value)
    if cls in _PLAIN:
        return clip_middle(repr(value), _MAX_STRING)
    writer = _WRITERS.get(cls)
    if writer is not None:
        return writer(value, depth)
    return _instance(value, cls, depth)


def clean(text: str, limit: int = MAX_TEXT) -> str:
    """Return the text without control and escape sequences, at most `limit` characters long."""
    if not text.isprintable():
        text = _CONTROL.sub("", text[: 4 * limit])
    return text if len(text) <= limit else text[: limit - 1] + "…"


def clip_middle(text: str, limit: int) -> str:
    """Return the text with its middle left out where it is longer than `limit`."""
    if len(text) <= limit:
        return text
    half = (limit - 1) // 2
    return f"{text[:half]}…{text[-half:]}"


def class_name(cls: type) -> str:
    """Return the shortest name under which a package offers the class, bare for builtins and the notebook's own.

    `sklearn.svm.SVC` rather than `sklearn.svm._classes.SVC`.
    """
    module, name = _module_of(cls), _qualname_of(cls)
    if module in ("builtins", "__main__", ""):
        return name
    parts = module.split(".")
    for count in range(1, len(parts)):
        package = ".".join(parts[:count])
        loaded = sys.modules.get(package)
        if loaded is not None and vars(loaded).get(name) is cls:
            return f"{package}.{name}"
    return f"{module}.{name}"


def instance_fields(value: object) -> dict[str, Any]:
    """Return an instance's attributes without running code of its class: its `__dict__` and filled slots."""
    fields: dict[str, Any] = {}
    for cls in reversed(_mro_of(type(value))):
        for name, member in list(_dict_of(cls).items()):
            if type(member) is types.MemberDescriptorType and "__slots__" in _dict_of(cls):
                try:
                    fields[name] = member.__get__(value)
                except AttributeError:
                    continue
    try:
        own = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return fields
    if type(own) is dict:
        fields.update((k, v) for k, v in list(own.items()) if type(k) is str)
    return fields


def _module_of(cls: type) -> str:
    module = _dict_of(cls).get("__module__", None)
    if type(module) is str:
        return module
    named = type.__dict__["__module__"].__get__(cls)
    return named if type(named) is str else ""


def _qualname_of(cls: type) -> str:
    return str(type.__dict__["__qualname__"].__get__(cls))


def _mro_of(cls: type) -> tuple[type, ...]:
    mro: tuple[type, ...] = type.__dict__["__mro__"].__get__(cls)
    return mro


def _dict_of(cls: type) -> Any:
    return type.__dict__["__dict__"].__get__(cls)


def _int(value: int, depth: int) -> str:
    bits = value.bit_length()
    return repr(value) if bits <= _MAX_INT_BITS else f"<integer of {bits:,} bits>"


def _string(value: str, depth: int) -> str:
    if len(value) <= 4 * _MAX_STRING and not value.isprintable():
        value = _CONTROL.sub("", value)
    if len(value) <= _MAX_STRING:
        return repr(value)
    half = _MAX_STRING // 2
    return clip_middle(repr(_CONTROL.sub("", value[:half] + value[-half:])), _MAX_STRING)


def _bytes(value: bytes | bytearray, depth: int) -> str:
    if len(value) <= _MAX_STRING // 4:
        return repr(value)
    return f"{bytes(value[: _MAX_STRING // 4])!r}…"


def _list(value: Iterable[Any], depth: int) -> str:
    return _joined(value, depth, "[", "]")


def _tuple(value: tuple[Any, ...], depth: int) -> str:
    return _joined(value, depth, "(", ",)" if len(value) == 1 else ")")


def _joined(value: Any, depth: int, left: str, right: str) -> str:
    if depth >= len(_MAX_ITEMS):
        return f"{left}…{right}" if len(value) else left + right
    count = _MAX_ITEMS[depth]
    shown, length = [], 0
    for item in islice(value, count):
        shown.append(bounded_repr(item, depth + 1))
        length += len(shown[-1]) + 2
        if length > MAX_TEXT:
            break
    if len(value) > len(shown):
        shown.append("…")
    return left + ", ".join(shown) + right


def _set(value: Any, depth: int) -> str:
    if not value:
        return "set()"
    # Sorted as text where it is small: the order of a set differs between processes.
    if len(value) <= _MAX_SORTED_SET and depth < len(_MAX_ITEMS):
        texts = sorted(bounded_repr(item, depth + 1) for item in list(value))
        shown = texts[: _MAX_ITEMS[depth]] + (["…"] if len(texts) > _MAX_ITEMS[depth] else [])
        return "{" + ", ".join(shown) + "}"
    return _joined(value, depth, "{", "}")


def _dict(value: Any, depth: int) -> str:
    if depth >= len(_MAX_ITEMS):
        return "{…}" if value else "{}"
    shown, length = [], 0
    for key, item in islice(value.items(), _MAX_ITEMS[depth]):
        shown.append(f"{bounded_repr(key, depth + 1)}: {bounded_repr(item, depth + 1)}")
        length += len(shown[-1]) + 2
        if length > MAX_TEXT:
            break
    if len(value) > len(shown):
        shown.append("…")
    return "{" + ", ".join(shown) + "}"


def _function(value: types.FunctionType, depth: int) -> str:
    code = value.__code__
    count = code.co_argcount + code.co_kwonlyargcount
    arguments = list(code.co_varnames[:count])
    stars = [mark for flag, mark in ((0x04, "*"), (0x08, "**")) if code.co_flags & flag]
    arguments += [star + name for star, name in zip(stars, code.co_varnames[count:], strict=False)]
    return f"function {value.__qualname__.removeprefix('<locals>.')}({', '.join(arguments)})"


def _named(kind: str) -> Callable[[Any, int], str]:
    return lambda value, depth: f"{kind} {value.__qualname__}"


def _method(value: types.MethodType, depth: int) -> str:
    return f"method {getattr(value.__func__, '__qualname__', '')} of {class_name(type(value.__self__))}"


def _module(value: types.ModuleType, depth: int) -> str:
    fields = value.__dict__
    version = fields.get("__version__")
    return f"module {fields.get('__name__')}" + (f" {version}" if type(version) is str else "")


def _class(value: type, depth: int) -> str:
    bases = [class_name(base) for base in value.__bases__ if base is not object]
    return f"class {class_name(value)}" + (f"({', '.join(bases)})" if bases else "")


def _time(value: datetime.datetime | datetime.time, depth: int) -> str:
    zone = value.tzinfo
    if zone is None or _module_of(type(zone)) in _ZONE_MODULES:
        return value.isoformat()
    return f"{value.replace(tzinfo=None).isoformat()} {class_name(type(zone))}"


_ZONE_MODULES = frozenset({"datetime", "zoneinfo", "pytz", "dateutil.tz.tz"})


def _digits(value: Any, depth: int) -> str:
    return clip_middle(str(value), _MAX_STRING)


def _pattern(value: re.Pattern[Any], depth: int) -> str:
    return f"re.compile({bounded_repr(value.pattern, depth)})"


def _instance(value: object, cls: type, depth: int) -> str:
    """Show an object of another class: an enum member by name, an exception by its arguments, else its plain fields."""
    if type in _mro_of(cls):
        return _class(value, depth)  # type: ignore[arg-type]  # a class of another metaclass
    name = class_name(cls)
    if enum.Enum in _mro_of(cls):
        return f"{name}.{instance_fields(value).get('_name_', '?')}"
    if BaseException in _mro_of(cls):
        return name + bounded_repr(BaseException.args.__get__(value), depth + 1)  # type: ignore[attr-defined]
    if depth >= len(_MAX_ITEMS):
        return f"<{name}>"
    shown, length = [], 0
    for field, item in islice(instance_fields(value).items(), _MAX_ITEMS[depth]):
        shown.append(f"{field}={bounded_repr(item, max(depth + 1, 2))}")
        length += len(shown[-1]) + 2
        if length > MAX_TEXT:
            shown.append("…")
            break
    return f"<{name}>" if not shown else f"<{name} {', '.join(shown)}>"


_WRITERS: dict[type, Callable[[Any, int], str]] = {
    int: _int,
    str: _string,
    bytes: _bytes,
    bytearray: _bytes,
    list: _list,
    tuple: _tuple,
    set: _set,
    frozenset: _set,
    dict: _dict,
    types.FunctionType: _function,
    types.BuiltinFunctionType: _named("function"),
    types.MethodType: _method,
    types.ModuleType: _module,
    types.GeneratorType: _named("generator"),
    types.CoroutineType: _named("coroutine"),
    type: _class,
    datetime.datetime: _time,
    datetime.time: _time,
    decimal.Decimal: _digits,
    fractions.Fraction: _digits,
    re.Pattern: _pattern,
}
