"""Values of parameters: JSON's word for their type, and their form in JSON, in text and on the way to a worker.

A cell of parameters may set what JSON cannot hold: a tuple, a set, a dictionary with other keys than text, bytes, an
infinite number. Invariant: no form makes another value of it: where JSON cannot hold it, it is text in Python. Pure.
"""

from __future__ import annotations

import ast
import json
from typing import Any

import msgspec

_TYPES: tuple[tuple[type, str], ...] = (
    (bool, "boolean"),
    (int, "integer"),
    (float, "number"),
    (str, "string"),
    (list, "array"),
    (dict, "object"),
    (type(None), "null"),
)
_PYTHON = "python"
"""The only key of an object that stands for a value, as its text in Python."""


def type_of(value: Any) -> str:
    """Return JSON's word for the type of a value, Python's where JSON has none."""
    return next((name for kind, name in _TYPES if isinstance(value, kind)), type(value).__name__)


def is_json(value: object) -> bool:
    """True for a value that JSON holds as it is: no tuple and no infinite number anywhere."""
    if isinstance(value, dict):
        return all(isinstance(key, str) and is_json(item) for key, item in value.items())
    if isinstance(value, list):
        return all(map(is_json, value))
    if isinstance(value, float):
        return value - value == 0
    return value is None or isinstance(value, bool | int | str)


def literal(value: object) -> str:
    """Return Python that makes a value."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{literal(key)}: {literal(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(literal, value)) + "]"
    if isinstance(value, tuple):
        return "(" + ", ".join(map(literal, value)) + ("," if len(value) == 1 else "") + ")"
    if isinstance(value, set):
        return "{" + ", ".join(sorted(map(literal, value))) + "}" if value else "set()"
    if isinstance(value, float | complex) and value - value != 0:
        return f"{type(value).__name__}({str(value)!r})"
    return "..." if value is ... else repr(value)


def as_text(value: object) -> str:
    """Return a value for people: as JSON, and what JSON cannot hold as Python."""
    return json.dumps(value, ensure_ascii=False) if is_json(value) else literal(value)


def as_json(value: Any) -> Any:
    """Return what programs are told of a value: it, or its text in Python where JSON and msgpack cannot hold it."""
    return value if _fits(value) else literal(value)


def sealed(value: Any) -> Any:
    """Return a value in a form that any encoding keeps, and that `unsealed` takes back; plain JSON as it is."""
    return value if _fits(value) and not _is_sealed(value) else {_PYTHON: literal(value)}


def unsealed(held: Any) -> Any:
    """Return the value that was sealed."""
    if not _is_sealed(held):
        return held
    return ast.literal_eval(_Numbers().visit(ast.parse(held[_PYTHON], mode="eval")))


def sealed_as_text(held: Any) -> str:
    """Return a sealed value for people, whoever sealed it: nothing is made of it."""
    return str(held[_PYTHON]) if _is_sealed(held) else as_text(held)


def _is_sealed(held: Any) -> bool:
    return isinstance(held, dict) and held.keys() == {_PYTHON}


class _Numbers(ast.NodeTransformer):
    """Makes constants of the numbers that have no literal, as `float('inf')`."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        kind = {"float": float, "complex": complex}.get(getattr(node.func, "id", ""))
        if kind is None or len(node.args) != 1:
            return node
        return ast.copy_location(ast.Constant(kind(ast.literal_eval(node.args[0]))), node)


def _fits(value: object) -> bool:
    """True for JSON that every encoder here takes: no number of more than 64 bits, no half of a character."""
    try:
        return is_json(value) and bool(msgspec.msgpack.encode(value))
    except (OverflowError, UnicodeEncodeError):
        return False


__all__ = ["as_json", "as_text", "is_json", "literal", "sealed", "sealed_as_text", "type_of", "unsealed"]
