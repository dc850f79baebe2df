"""What single pieces of Python say by themselves, for the reading of cells (`uses.py`). Pure; nothing is run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import symtable


def root(node: ast.expr) -> str | None:
    """Return the name at the root of `a.b[0]()`, None where there is none."""
    while True:
        if isinstance(node, ast.Name):
            return node.id
        if isinstance(node, ast.Attribute | ast.Subscript | ast.Starred):
            node = node.value
        elif isinstance(node, ast.Call):
            node = node.func
        else:
            return None


def leaves(statements: list[ast.stmt]) -> bool:
    """True if nothing runs after these statements."""
    return bool(statements) and isinstance(statements[-1], ast.Raise | ast.Return | ast.Continue | ast.Break)


def parameters(arguments: ast.arguments) -> set[str]:
    every = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg)
    return {argument.arg for argument in every if argument is not None}


def evaluated_now(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.expr]:
    """Yield what a definition evaluates where it stands: decorators, defaults, annotations."""
    yield from node.decorator_list
    yield from node.args.defaults
    yield from (default for default in node.args.kw_defaults if default is not None)
    every = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg)
    yield from (each.annotation for each in every if each is not None and each.annotation is not None)
    if node.returns is not None:
        yield node.returns


def free_names(text: str) -> dict[tuple[str, int], set[str]]:
    """Return, by name and line of each function of a cell, the names that its code takes from the namespace."""
    import symtable

    found: dict[tuple[str, int], set[str]] = {}

    def walk(table: symtable.SymbolTable) -> None:
        for child in table.get_children():
            if child.get_type() == "function":
                found.setdefault((child.get_name(), child.get_lineno()), set()).update(_globals_of(child))
            walk(child)

    walk(symtable.symtable(text, "<cell>", "exec"))
    return found


def _globals_of(table: symtable.SymbolTable) -> Iterator[str]:
    for symbol in table.get_symbols():
        if symbol.is_global() and (symbol.is_referenced() or symbol.is_assigned()):
            yield symbol.get_name()
    for child in table.get_children():
        yield from _globals_of(child)


__all__ = ["evaluated_now", "free_names", "leaves", "parameters", "root"]
