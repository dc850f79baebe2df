"""Reading a pickle stream without carrying it out: opcodes become nodes, nothing is imported and nothing is called.

So a stream of anybody can be read. Invariant: `read` ends after at most `Limits.steps` opcodes, allocates in
proportion to the stream, and for any bytes whatever either returns a node or raises `UnreadableError`.

All opcodes up to protocol 5 are known. Not for: what nodes mean (`arrays.py`, `frames.py`), nor for loading
(`trust.gate`).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import msgspec

from nbcellar.values.nodes import Buffer, ByteArray, Call, Dict, Global, List, Node, Persistent, Set


class UnreadableError(Exception):
    """A stream that cannot be read inertly: damaged, hostile or larger than the limits. Says why."""


class Limits(msgspec.Struct, frozen=True):
    """How much is read of one stream. A step is an opcode, a third of a microsecond."""

    steps: int = 6_000_000
    stream_bytes: int = 256 << 20
    digits: int = 4000  # of a number written as text, or in bytes of a long one


_MARK: Any = object()
_DEFAULT = Limits()


class Reader:
    """Reads the streams of one value, one after the other; steps and buffers count through all of them."""

    def __init__(self, limits: Limits = _DEFAULT) -> None:
        self._limits = limits
        self._steps = limits.steps
        self._buffers = 0

    def read(self, stream: bytes) -> Node:
        """Return what one pickle holds. Raises UnreadableError."""
        if len(stream) > self._limits.stream_bytes:
            raise UnreadableError(f"its pickle of {len(stream):,} bytes is too large to be looked into")
        machine = _Machine(stream, self._steps, self._buffers, self._limits.digits)
        try:
            found = machine.run()
        except (IndexError, struct.error):
            raise UnreadableError("its pickle is damaged") from None
        except (ValueError, KeyError, TypeError, UnicodeDecodeError, OverflowError) as error:
            raise UnreadableError(f"its pickle is damaged: {type(error).__name__}") from None
        self._steps, self._buffers = machine.steps, machine.buffers
        return found

    def skip_buffers(self, count: int) -> None:
        """Count buffers of a stream that is not read."""
        self._buffers += count


def read(stream: bytes, limits: Limits = _DEFAULT) -> Node:
    """Return what one pickle holds. Raises UnreadableError."""
    return Reader(limits).read(stream)


class _Machine:
    """pickle's stack machine, of nodes."""

    def __init__(self, data: bytes, steps: int, buffers: int, digits: int) -> None:
        self.data = data
        self.at = 0
        self.steps = steps
        self.buffers = buffers
        self.digits = digits
        self.stack: list[Any] = []
        self.memo: dict[int, Node] = {}
        self.fresh: Call | None = None  # what the opcode just before called, for a state setter that is popped

    def run(self) -> Node:
        """Carry out opcodes until STOP. The frequent ones are here, where they cost no call."""
        data, stack, memo = self.data, self.stack, self.memo
        push = stack.append
        steps = self.steps
        at = 0
        while True:
            steps -= 1
            if steps < 0:
                raise UnreadableError("it has too many parts to be looked into")
            code = data[at]
            at += 1
            if code == 0x94:  # MEMOIZE
                memo[len(memo)] = stack[-1]
            elif code == 0x68:  # BINGET
                push(memo[data[at]])
                at += 1
            elif code == 0x8C:  # SHORT_BINUNICODE
                end = at + 1 + data[at]
                push(_text(data, at + 1, end))
                at = end
            elif code == 0x4B:  # BININT1
                push(data[at])
                at += 1
            elif code == 0x47:  # BINFLOAT
                push(_FLOAT(data, at)[0])
                at += 8
            elif code == 0x4A:  # BININT
                push(_INT(data, at)[0])
                at += 4
            elif code == 0x4D:  # BININT2
                push(data[at] | data[at + 1] << 8)
                at += 2
            elif code == 0x28:  # MARK
                push(_MARK)
            elif code == 0x6A:  # LONG_BINGET
                push(memo[_UINT(data, at)[0]])
                at += 4
            elif code == 0x2E:  # STOP
                self.steps = steps
                found = stack.pop()
                if found is _MARK:
                    raise UnreadableError("its pickle is damaged")
                return found
            else:
                self.at = at
                _OPCODES[code](self)
                at = self.at

    # parts of the stream ------------------------------------------------------------------------------------------

    def take(self, count: int) -> bytes:
        """Return the next bytes of the stream."""
        end = self.at + count
        if count < 0 or end > len(self.data):
            raise UnreadableError("its pickle ends too early")
        found = self.data[self.at : end]
        self.at = end
        return found

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")

    def line(self) -> bytes:
        end = self.data.find(b"\n", self.at)
        if end < 0:
            raise UnreadableError("its pickle ends too early")
        found = self.data[self.at : end]
        self.at = end + 1
        return found

    def digits_of(self, line: bytes) -> str:
        if len(line) > self.digits:
            raise UnreadableError("its pickle has a number of too many digits")
        return line.decode("ascii")

    def pop_to_mark(self) -> list[Any]:
        stack = self.stack
        place = len(stack) - 1
        while stack[place] is not _MARK:
            place -= 1
            if place < 0:
                raise UnreadableError("its pickle is damaged")
        items = stack[place + 1 :]
        del stack[place:]
        self.steps -= len(items) >> 3  # the search costs, too
        return items

    def pop(self) -> Any:
        found = self.stack.pop()
        if found is _MARK:
            raise UnreadableError("its pickle is damaged")
        return found

    def put(self, index: int) -> None:
        if self.stack[-1] is _MARK:
            raise UnreadableError("its pickle is damaged")
        self.memo[index] = self.stack[-1]

    # opcodes ------------------------------------------------------------------------------------------------------

    def long(self, size: int) -> None:
        if size > self.digits:
            raise UnreadableError("its pickle has a number of too many digits")
        self.stack.append(int.from_bytes(self.take(size), "little", signed=True))

    def text_of(self, size: int) -> None:
        data = self.take(size)
        self.stack.append(data.decode("utf-8", "surrogatepass"))

    def found_by_name(self, module: Any, name: Any) -> None:
        if type(module) is not str or type(name) is not str:
            raise UnreadableError("its pickle is damaged")
        self.stack.append(Global(module, name))

    def call(self, function: Node, args: Node, kwargs: Node = None, new: bool = False) -> None:
        if type(args) is not tuple:
            args = (args,)
        if type(function) is Global and function.module == "builtins" and not new and len(args) == 1:
            # The encoder writes a text of one letter so, since Python shares these; the letter is the value.
            if function.name == "chr" and type(args[0]) is int and 0 <= args[0] < 0x110000:
                self.stack.append(chr(args[0]))
                return
        made = Call(function, args, kwargs, new)
        self.stack.append(made)
        self.fresh = made

    def build(self) -> None:
        state, obj = self.pop(), self.stack[-1]
        if type(obj) is Call:
            obj.states.append(state)
        else:
            self.stack[-1] = self._wrap(obj, state)

    def _wrap(self, obj: Node, state: Node) -> Call:
        """A state for something that takes none of its own: keep both."""
        if obj is _MARK:
            raise UnreadableError("its pickle is damaged")
        made = Call(Global("copyreg", "_reconstructor"), (obj,))
        made.states.append(state)
        return made

    def append_to(self, items: list[Any]) -> None:
        target = self.stack[-1]
        kind = type(target)
        if kind is List or kind is Call or kind is Set:
            target.items.extend(items)
        else:
            raise UnreadableError("its pickle is damaged")

    def set_items(self, flat: list[Any]) -> None:
        target = self.stack[-1]
        kind = type(target)
        if (kind is not Dict and kind is not Call) or len(flat) % 2:
            raise UnreadableError("its pickle is damaged")
        target.pairs.extend(zip(flat[::2], flat[1::2], strict=True))

    def drop(self) -> None:
        """POP: a call whose result nobody keeps was made to fill its first argument."""
        found = self.stack.pop()
        if type(found) is Call and found is self.fresh and found.args:
            target = found.args[0]
            if type(target) is Call and target is not found:
                target.effects.append(found)

    def buffer(self) -> None:
        self.stack.append(Buffer(self.buffers))
        self.buffers += 1

    def make_readonly(self) -> None:
        found = self.pop()
        self.stack.append(Buffer(found.index, True) if type(found) is Buffer else found)

    def old_object(self) -> None:
        kind, *args = self.pop_to_mark()
        self.call(kind, tuple(args))

    def old_instance(self) -> None:
        module, name = self.line().decode("ascii"), self.line().decode("ascii")
        self.call(Global(module, name), tuple(self.pop_to_mark()))

    def new_object(self) -> None:
        args, kind = self.pop(), self.pop()
        self.call(kind, args, new=True)

    def new_object_with_names(self) -> None:
        kwargs, args, kind = self.pop(), self.pop(), self.pop()
        self.call(kind, args, kwargs, new=True)

    def reduce(self) -> None:
        args, function = self.pop(), self.pop()
        self.call(function, args)

    def tuple_of(self, count: int) -> None:
        stack = self.stack
        items = tuple(stack[-count:])
        if len(items) < count or any(item is _MARK for item in items):
            raise UnreadableError("its pickle is damaged")
        stack[-count:] = [items]

    def dup(self) -> None:
        self.stack.append(self.stack[-1])

    def proto(self) -> None:
        if self.number(1) > 5:
            raise UnreadableError("its pickle is of a newer protocol")

    def dict_of(self) -> None:
        flat = self.pop_to_mark()
        self.stack.append(Dict([]))
        self.set_items(flat)

    def unsigned_int(self, line: bytes) -> None:
        if line in (b"00", b"01"):
            self.stack.append(line == b"01")
        else:
            self.stack.append(int(self.digits_of(line)))


def _text(data: bytes, start: int, end: int) -> str:
    if end > len(data):
        raise UnreadableError("its pickle ends too early")
    return data[start:end].decode("utf-8", "surrogatepass")


def _escaped(line: bytes) -> bytes:
    """Return the bytes of a protocol 0 string: a Python literal, whose escapes are few."""
    import ast

    if len(line) < 2 or line[:1] not in (b"'", b'"') or line[-1:] != line[:1] or len(line) > 1 << 20:
        raise UnreadableError("its pickle is damaged")
    try:
        found = ast.literal_eval("b" + line.decode("latin-1"))
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise UnreadableError("its pickle is damaged") from None
    if not isinstance(found, bytes):
        raise UnreadableError("its pickle is damaged")
    return found


_FLOAT = struct.Struct(">d").unpack_from
_INT = struct.Struct("<i").unpack_from
_UINT = struct.Struct("<I").unpack_from


def _extension(size: int) -> Callable[[_Machine], None]:
    return lambda m: m.stack.append(Call(Global("copyreg", "extension"), (m.number(size),)))


def _unknown(machine: _Machine) -> None:
    raise UnreadableError("its pickle is damaged")


_KNOWN: dict[bytes, Callable[[_Machine], object]] = {
    b"0": _Machine.drop,
    b"1": lambda m: m.pop_to_mark(),
    b"2": _Machine.dup,
    b"F": lambda m: m.stack.append(float(m.digits_of(m.line()))),
    b"I": lambda m: m.unsigned_int(m.line()),
    b"L": lambda m: m.stack.append(int(m.digits_of(m.line()).rstrip("L"))),
    b"N": lambda m: m.stack.append(None),
    b"P": lambda m: m.stack.append(Persistent(m.line().decode("ascii"))),
    b"Q": lambda m: m.stack.append(Persistent(m.pop())),
    b"R": _Machine.reduce,
    b"S": lambda m: m.stack.append(_escaped(m.line()).decode("latin-1")),
    b"T": lambda m: m.stack.append(m.take(m.number(4)).decode("latin-1")),
    b"U": lambda m: m.stack.append(m.take(m.number(1)).decode("latin-1")),
    b"V": lambda m: m.stack.append(m.line().decode("raw-unicode-escape")),
    b"X": lambda m: m.text_of(m.number(4)),
    b"a": lambda m: m.append_to([m.pop()]),
    b"b": _Machine.build,
    b"c": lambda m: m.found_by_name(m.line().decode("utf-8"), m.line().decode("utf-8")),
    b"d": _Machine.dict_of,
    b"}": lambda m: m.stack.append(Dict([])),
    b"e": lambda m: m.append_to(m.pop_to_mark()),
    b"g": lambda m: m.stack.append(m.memo[int(m.digits_of(m.line()))]),
    b"i": _Machine.old_instance,
    b"l": lambda m: m.stack.append(List(m.pop_to_mark())),
    b"]": lambda m: m.stack.append(List([])),
    b"o": _Machine.old_object,
    b"p": lambda m: m.put(int(m.digits_of(m.line()))),
    b"q": lambda m: m.put(m.number(1)),
    b"r": lambda m: m.put(m.number(4)),
    b"s": lambda m: m.set_items([m.pop(), m.pop()][::-1]),
    b"t": lambda m: m.stack.append(tuple(m.pop_to_mark())),
    b")": lambda m: m.stack.append(()),
    b"u": lambda m: m.set_items(m.pop_to_mark()),
    b"B": lambda m: m.stack.append(m.take(m.number(4))),
    b"C": lambda m: m.stack.append(m.take(m.number(1))),
    b"\x80": _Machine.proto,
    b"\x81": _Machine.new_object,
    b"\x82": _extension(1),
    b"\x83": _extension(2),
    b"\x84": _extension(4),
    b"\x85": lambda m: m.tuple_of(1),
    b"\x86": lambda m: m.tuple_of(2),
    b"\x87": lambda m: m.tuple_of(3),
    b"\x88": lambda m: m.stack.append(True),
    b"\x89": lambda m: m.stack.append(False),
    b"\x8a": lambda m: m.long(m.number(1)),
    b"\x8b": lambda m: m.long(m.number(4)),
    b"\x8d": lambda m: m.text_of(m.number(8)),
    b"\x8e": lambda m: m.stack.append(m.take(m.number(8))),
    b"\x8f": lambda m: m.stack.append(Set([], False)),
    b"\x90": lambda m: m.append_to(m.pop_to_mark()),
    b"\x91": lambda m: m.stack.append(Set(m.pop_to_mark(), True)),
    b"\x92": _Machine.new_object_with_names,
    b"\x93": lambda m: m.found_by_name(*[m.pop(), m.pop()][::-1]),
    b"\x95": lambda m: m.take(8),  # FRAME: a hint for reading files
    b"\x96": lambda m: m.stack.append(ByteArray(m.take(m.number(8)))),
    b"\x97": _Machine.buffer,
    b"\x98": _Machine.make_readonly,
}
_OPCODES = [_KNOWN.get(bytes([code]), _unknown) for code in range(256)]

__all__ = ["Limits", "Reader", "UnreadableError", "read"]
