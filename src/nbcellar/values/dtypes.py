"""What numpy's dtypes say of bytes, without numpy: names, sizes, and single elements as Python values.

Invariant: `unpack` gives what numpy's `tolist` would, but for dates and durations, which stay numbers of their unit
(`NAT` for none), and for what Python has no type for (long doubles, records), which stays bytes.
"""

from __future__ import annotations

import datetime
import struct
from collections.abc import Sequence
from typing import Any

import msgspec

from nbcellar.values.inert import UnreadableError
from nbcellar.values.nodes import Call, Dict, Node

NAT = -(2**63)

_NAMES = {"i": "int", "u": "uint", "f": "float", "c": "complex"}
_CODES = {"i": "bhiq", "u": "BHIQ"}
_FLOATS = {2: "e", 4: "f", 8: "d"}


class DType(msgspec.Struct, frozen=True):
    """kind and size as in numpy's `dtype.kind` and `itemsize`; unit of dates; fields of records with their offsets."""

    kind: str
    size: int
    order: str = "<"
    unit: str = ""
    fields: tuple[tuple[str, DType, int], ...] = ()

    @property
    def name(self) -> str:
        """What numpy calls it."""
        if self.kind in _NAMES:
            return f"{_NAMES[self.kind]}{self.size * 8}"
        if self.kind in "Mm":
            return ("datetime64" if self.kind == "M" else "timedelta64") + (f"[{self.unit}]" if self.unit else "")
        if self.kind == "U":
            return f"<U{self.size // 4}"
        if self.fields:
            return "record (" + ", ".join(f"{name}: {dtype.name}" for name, dtype, _ in self.fields) + ")"
        return {"b": "bool", "O": "object", "S": f"bytes of {self.size}"}.get(self.kind, f"void of {self.size}")

    @property
    def is_number(self) -> bool:
        """True if elements have differences and a mean."""
        return self.kind in "iu" or (self.kind == "f" and self.size in _FLOATS)

    @property
    def code(self) -> str:
        """The dtype as text that numpy takes, for what it can compare; else bytes of the size."""
        if self.kind in "iufcbUS" and not (self.kind in "fc" and self.size > (8 if self.kind == "f" else 16)):
            return f"{self.order}{self.kind}{self.size // 4 if self.kind == 'U' else self.size}"
        return f"{self.order}i8" if self.kind in "Mm" else f"|V{self.size}"

    def unpack(self, data: bytes) -> list[Any]:
        """Return the elements that `data` holds, one after the other."""
        kind, size = self.kind, self.size
        if not size:
            return []
        order = ">" if self.order == ">" else "<"
        if kind in _CODES and size in (1, 2, 4, 8):
            return list(struct.unpack(f"{order}{len(data) // size}{_CODES[kind][size.bit_length() - 1]}", data))
        if kind in "Mm" and size == 8:
            return list(struct.unpack(f"{order}{len(data) // 8}q", data))
        if kind == "b" and size == 1:
            return [byte != 0 for byte in data]
        if kind == "f" and size in _FLOATS:
            return list(struct.unpack(f"{order}{len(data) // size}{_FLOATS[size]}", data))
        if kind == "c" and size in (8, 16):
            flat = struct.unpack(f"{order}{len(data) // (size // 2)}{_FLOATS[size // 2]}", data)
            return [complex(real, imaginary) for real, imaginary in zip(flat[::2], flat[1::2], strict=True)]
        items = [data[start : start + size] for start in range(0, len(data), size)]
        if kind == "S":
            return [item.rstrip(b"\0") for item in items]
        if kind == "U":
            codec = "utf-32-be" if order == ">" else "utf-32-le"
            return [item.decode(codec, "surrogatepass").rstrip("\0") for item in items]
        return items


_NAMED = {"datetime64": "M8", "timedelta64": "m8", "bool": "?"}
_LONGEST_ITEM = 1 << 24


def parse(node: Node, depth: int = 0) -> DType:
    """Return the dtype that a node of a stream describes. Raises UnreadableError for one that is not known here."""
    if type(node) is str:
        return _from_text(node)
    if type(node) is Call and node.path in ("numpy.dtype", "numpy.dtypes.dtype") and depth < 8:
        return _from_call(node, depth)
    raise UnreadableError("an array of a kind that is not known")


def _from_text(text: str) -> DType:
    order = "<"
    if text[:1] in "<>|=":
        order, text = text[:1], text[1:]
    kind, _, rest = text[:1], "", text[1:]
    unit = ""
    if "[" in rest:
        rest, _, unit = rest.partition("[")
        unit = unit.rstrip("]")
    if kind == "?":
        return DType("b", 1, "|")
    if kind == "" or not (rest.isdecimal() and len(rest) < 9):
        raise UnreadableError("an array of a kind that is not known")
    size = int(rest) * (4 if kind == "U" else 1)
    if kind not in "iufcbMmOSUV" or size > _LONGEST_ITEM or (kind in "Mm" and size != 8) or (kind == "b" and size != 1):
        raise UnreadableError("an array of a kind that is not known")
    return DType(kind, size, "<" if order in "|=" else order, unit)


def _from_call(node: Call, depth: int) -> DType:
    if not node.args or type(node.args[0]) is not str:
        raise UnreadableError("an array of a kind that is not known")
    plain = _from_text(node.args[0])
    state = node.state
    if type(state) is not tuple or len(state) < 5:
        return plain
    order = state[1] if state[1] in ("<", ">") else "<"
    unit = ""
    if plain.kind in "Mm" and len(state) >= 9:
        meta = state[-1]
        inner = meta if type(meta) is tuple else ()
        if len(inner) == 2 and type(inner[1]) is tuple:
            inner = inner[1]
        if len(inner) >= 2 and type(inner[0]) is bytes and type(inner[1]) is int:
            unit = ("" if inner[1] == 1 else str(inner[1])) + inner[0].decode("ascii", "replace")
    fields: tuple[tuple[str, DType, int], ...] = ()
    names, described = state[3], state[4]
    if type(names) is tuple and type(described) is Dict and plain.kind == "V":
        fields = tuple(_fields(names, described, plain.size, depth))
    return DType(plain.kind, plain.size, order, unit, fields)


def _fields(names: tuple[Any, ...], described: Dict, size: int, depth: int) -> list[tuple[str, DType, int]]:
    by_name = {name: value for name, value in described.pairs if type(name) is str}
    found = []
    for name in names:
        entry = by_name.get(name) if type(name) is str else None
        if type(entry) is not tuple or len(entry) < 2 or type(entry[1]) is not int:
            return []
        dtype = parse(entry[0], depth + 1)
        if entry[1] < 0 or entry[1] + dtype.size > size:
            raise UnreadableError("an array of a kind that is not known")
        found.append((name, dtype, entry[1]))
    return found


_STEPS = {"s": 10**0, "ms": 10**3, "us": 10**6, "ns": 10**9}
_LONGER = {"m": 60, "h": 3600, "D": 86_400, "W": 604_800}
_EPOCH = datetime.datetime(1970, 1, 1)


def shown(dtype: DType, item: Any) -> Any:
    """Return an element as it is shown: dates as text, all else as it is."""
    if dtype.kind == "M":
        return Shown(_date(item, dtype.unit))
    if dtype.kind == "m":
        return Shown(_duration(item, dtype.unit))
    return item


class Shown(str):
    """Text that stands for a value as it is, without quotes."""

    __slots__ = ()


def _seconds(item: int, unit: str) -> tuple[int, int, int] | None:
    """Return whole seconds, the rest, and how many of the rest a second has; None for another unit."""
    if unit in _STEPS:
        whole, rest = divmod(item, _STEPS[unit])
        return whole, rest, _STEPS[unit]
    return (item * _LONGER[unit], 0, 1) if unit in _LONGER else None


def _date(item: int, unit: str) -> str:
    if item == NAT:
        return "NaT"
    parts = _seconds(item, unit)
    if unit == "Y":
        return str(1970 + item)
    if unit == "M":
        return f"{1970 + item // 12:04}-{item % 12 + 1:02}"
    if parts is None:
        return f"{item} {unit}"
    whole, rest, steps = parts
    try:
        moment = _EPOCH + datetime.timedelta(seconds=whole)
    except OverflowError:
        return f"{item} {unit}"
    text = moment.isoformat(" ") if whole % 86_400 or rest else moment.date().isoformat()
    return text + (f".{rest:0{len(str(steps)) - 1}}".rstrip("0") if rest else "")


def _duration(item: int, unit: str) -> str:
    if item == NAT:
        return "NaT"
    parts = _seconds(abs(item), unit)
    if parts is None:
        return f"{item} {unit}"
    whole, rest, steps = parts
    days, seconds = divmod(whole, 86_400)
    text = f"{days} days" if days and not (seconds or rest) else ""
    if not text:
        clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        clock += f".{rest:0{len(str(steps)) - 1}}".rstrip("0") if rest else ""
        text = f"{days} days {clock}" if days else clock
    return f"-{text}" if item < 0 else text


def product(shape: Sequence[int]) -> int:
    """Return the number of elements of an array."""
    count = 1
    for length in shape:
        count *= length
    return count


__all__ = ["NAT", "DType", "Shown", "parse", "product", "shown"]
