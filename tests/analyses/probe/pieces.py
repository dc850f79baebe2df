"""Digests and texts of single objects, the same in every process."""

from __future__ import annotations

import contextlib
import datetime
import decimal
import fractions
import hashlib
import pathlib
import re
import struct
import sys
import types
import uuid
import weakref
from collections.abc import Callable
from typing import Any

ADDRESS = re.compile(r" at 0x[0-9a-f]+|0x[0-9a-f]{6,}")


def digest_of(*texts: str) -> str:
    whole = hashlib.blake2b(digest_size=12)
    for text in texts:
        data = text.encode("utf-8", "surrogatepass")
        whole.update(len(data).to_bytes(8, "big") + data)
    return whole.hexdigest()


def bytes_of(array: Any) -> str:
    """Return a digest of an array's values; what lies between the fields of a record is nobody's."""
    import numpy as np

    if array.dtype.names:
        return digest_of(*(f"{name}:{bytes_of(array[name])}" for name in array.dtype.names))
    if array.dtype.hasobject or array.dtype.kind == "T":
        return digest_of(repr(array.tolist()))
    return hashlib.blake2b(np.ascontiguousarray(array).tobytes(), digest_size=12).hexdigest()


def code_of(code: types.CodeType) -> str:
    constants = [code_of(c) if isinstance(c, types.CodeType) else _constant(c) for c in code.co_consts]
    names = code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars
    return digest_of(code.co_code.hex(), *constants, repr(names), repr((code.co_argcount, code.co_flags, code.co_name)))


def _constant(value: object) -> str:
    return repr(sorted(map(repr, value))) if isinstance(value, frozenset) else repr(value)


def attributes_of(obj: Any) -> dict[str, Any]:
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


def annotations_of(obj: Any) -> str:
    try:
        return ADDRESS.sub("", repr(obj.__annotations__))
    except Exception as error:
        return type(error).__name__


def found_by_name(module: str | None, qualname: str) -> object:
    found: Any = sys.modules.get(module or "")
    for part in qualname.split("."):
        found = getattr(found, part, None)
    return found


def type_name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def text_of(value: object) -> str:
    try:
        return ADDRESS.sub("", repr(value))
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def columns_first(array: Any) -> bool:
    """True if an array is laid out by columns, with gaps or without."""
    return min(array.shape, default=0) > 1 and array.ndim > 1 and abs(array.strides[0]) < abs(array.strides[-1])


def shallow_key(item: object) -> str:
    """Return a text of an object's type and of what it holds directly and plainly."""
    if isinstance(item, weakref.ref):
        item = item()
    plain = PLAIN.get(type(item))
    if plain is not None:
        return f"{type(item).__name__} {plain(item)}"
    if isinstance(item, tuple | frozenset):
        keys = list(map(shallow_key, item))
        return f"{type_name(type(item))} {keys if isinstance(item, tuple) else sorted(keys)}"
    attributes = attributes_of(item)
    if not attributes:
        return f"{type_name(type(item))} {text_of(item)}"
    own = ((k, v) for k, v in attributes.items() if type(v) in PLAIN)
    return type_name(type(item)) + "".join(f" {key}={PLAIN[type(value)](value)}" for key, value in own)


def short(key: object) -> str:
    return text_of(key)[:40]


def _float(value: Any) -> str:
    return struct.pack("<d", value).hex()


PLAIN: dict[type, Callable[[Any], str]] = {
    **dict.fromkeys((type(None), bool, int, str, range, slice, type(Ellipsis), type(NotImplemented)), repr),
    bytes: bytes.hex,
    float: _float,
    complex: lambda z: _float(z.real) + _float(z.imag),
    **dict.fromkeys((datetime.date, datetime.datetime, datetime.time, datetime.timedelta, datetime.timezone), repr),
    **dict.fromkeys((decimal.Decimal, fractions.Fraction, uuid.UUID, pathlib.PosixPath, pathlib.PurePosixPath), repr),
    re.Pattern: lambda p: repr((p.pattern, p.flags)),
    types.CodeType: code_of,
}
