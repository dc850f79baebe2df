"""Comparing functions and classes of a notebook: their source where it is known, else what their code says.

Invariant: code that only moved to another line or cell has not changed. Nothing is compiled and nothing run.
"""

from __future__ import annotations

from typing import Any

from nbcellar.diff.model import TextChange
from nbcellar.diff.sides import Side
from nbcellar.diff.texts import compare_texts
from nbcellar.values.nodes import Call, Dict, List, Node
from nbcellar.values.words import word

_REBUILD = "nbcellar.session.rebuild."
MAKE_FUNCTION = f"{_REBUILD}make_function"
MAKE_CLASS = f"{_REBUILD}make_class"
_MAKE_CODE = f"{_REBUILD}make_code"


def code_of(function: Call) -> tuple[Any, ...] | None:
    """Return the arguments of a function's code object, None for one that is not of that form."""
    code = function.args[0] if function.args else None
    if type(code) is not Call or code.path != _MAKE_CODE or len(code.args) != 2 or type(code.args[1]) is not tuple:
        return None
    return code.args[1] if len(code.args[1]) >= 16 else None


def is_same_code(before: tuple[Any, ...], after: tuple[Any, ...], ours: Side, theirs: Side) -> bool:
    """Say whether two code objects do the same: all of them but file and lines."""
    if len(before) != len(after):  # of two versions of Python
        return False
    return all(_is_same_part(ours, old, theirs, new) for old, new in zip(_parts(before), _parts(after), strict=True))


def _parts(code: tuple[Any, ...]) -> list[Any]:
    """Return the arguments of a code object without file, first line and line table."""
    qualified = len(code) >= 18  # Python 3.11 has a qualified name and a table of exceptions
    skipped = {10, 13, 14} if qualified else {10, 12, 13}
    return [part for place, part in enumerate(code) if place not in skipped]


def _is_same_part(ours: Side, old: Node, theirs: Side, new: Node) -> bool:
    if type(old) is tuple and type(new) is tuple and len(old) == len(new):
        return all(_is_same_part(ours, a, theirs, b) for a, b in zip(old, new, strict=True))
    if _is_code(old) and _is_code(new):
        return is_same_code(old.args[1], new.args[1], ours, theirs)
    return ours.fingerprints.of(old) == theirs.fingerprints.of(new)


def _is_code(node: Node) -> bool:
    return type(node) is Call and node.path == _MAKE_CODE and len(node.args) == 2 and type(node.args[1]) is tuple


def first_line(code: tuple[Any, ...]) -> int:
    """Return the line of the cell on which a function begins, 0 if that is not said."""
    line = code[13 if len(code) >= 18 else 12]
    return line if type(line) is int else 0


def compare_code(before: tuple[Any, ...], after: tuple[Any, ...], ours: Side, theirs: Side) -> TextChange | None:
    """Return what changed in a function as text: its source, else a description of its code; None if nothing did."""
    if is_same_code(before, after, ours, theirs):
        return None
    old, new = _source(before, ours), _source(after, theirs)
    if old and new and old != new:
        return compare_texts(old, new, code=True)
    return compare_texts("\n".join(_described(before)), "\n".join(_described(after)), context=0)


def _source(code: tuple[Any, ...], side: Side) -> str:
    name = code[11]
    return side.source(name, first_line(code)) if type(name) is str else ""


def _described(code: tuple[Any, ...], depth: int = 0) -> list[str]:
    """Return what can be said of code without its source: arguments, names it uses, constants, size."""
    count = code[0] + code[2] if type(code[0]) is int and type(code[2]) is int else 0
    lines = [f"arguments: {_names(code[9][:count])}" if type(code[9]) is tuple else "arguments: ?"]
    constants = code[7] if type(code[7]) is tuple else ()
    lines.append(f"names: {_names(code[8])}")
    lines += [f"constant: {word(constant)}" for constant in constants if type(constant) is not Call]
    lines.append(f"bytecode: {len(code[6]) if type(code[6]) is bytes else '?'} bytes")
    for constant in constants:
        if _is_code(constant) and depth < 3 and len(constant.args[1]) >= 16:
            lines += [f"  {line}" for line in _described(constant.args[1], depth + 1)]
    return lines


def _names(names: Node) -> str:
    return ", ".join(name for name in names if type(name) is str) if type(names) is tuple else ""


def function_state(function: Call) -> list[tuple[str, Node]]:
    """Return what a function carries beside its code: defaults, closure, attributes."""
    state = function.state
    if type(state) is not tuple or len(state) < 8:
        return []
    named = [("__defaults__", state[3]), ("__kwdefaults__", state[4]), ("__annotations__", state[5])]
    named += [("__doc__", state[2])]
    attributes = state[6].pairs if type(state[6]) is Dict else []
    named += [(name, value) for name, value in attributes if type(name) is str]
    cells = state[7] if type(state[7]) is tuple else ()
    code = code_of(function)
    free = code[-2] if code is not None and type(code[-2]) is tuple else ()
    for place, content in enumerate(cells):
        name = free[place] if place < len(free) and type(free[place]) is str else str(place)
        named.append((f"closure {name}", content[0] if type(content) is tuple and content else None))
    return named


def rest_of_function(function: Call) -> tuple[Node, ...]:
    """Return what else makes a function: whose globals it has, its names, its type parameters."""
    state = function.state
    inner = (*state[:2], *state[8:]) if type(state) is tuple and len(state) >= 8 else (state,)
    return (*function.args[1:3], *inner)


def rest_of_class(node: Call) -> tuple[Node, ...]:
    """Return what else makes a class: its name, the order of its attributes, who is registered with it."""
    state = node.state
    return (*node.args[1:3], *node.args[4:], *(state[3:] if type(state) is tuple else (state,)))


def class_parts(node: Call) -> list[tuple[str, Node]]:
    """Return what a class holds by name: bases, methods, attributes."""
    parts: list[tuple[str, Node]] = [("__bases__", node.args[3])] if len(node.args) > 3 else []
    state = node.state
    for step in state if type(state) is tuple else ():
        if type(step) is Call and step.path == f"{_REBUILD}set_attributes" and len(step.args) == 2:
            held = step.args[1]
            parts += [(name, value) for name, value in held.pairs if type(name) is str] if type(held) is Dict else []
        elif type(step) is Call and step.path == f"{_REBUILD}set_functions" and step.args:
            parts += _defaults(step.args[0])
    hidden = {"__firstlineno__", "__static_attributes__"}
    return [(name, value) for name, value in parts if name not in hidden]


def _defaults(states: Node) -> list[tuple[str, Node]]:
    found: list[tuple[str, Node]] = []
    for entry in states.items if type(states) is List else ():
        if type(entry) is tuple and len(entry) == 2 and type(entry[1]) is tuple and len(entry[1]) >= 8:
            name = entry[1][0] if type(entry[1][0]) is str else "?"
            name = name.rpartition(".")[2]
            found += [(f"{name}.__defaults__", entry[1][3]), (f"{name}.__kwdefaults__", entry[1][4])]
    return found


__all__ = [
    "MAKE_CLASS",
    "MAKE_FUNCTION",
    "class_parts",
    "code_of",
    "compare_code",
    "function_state",
    "rest_of_class",
    "rest_of_function",
]
