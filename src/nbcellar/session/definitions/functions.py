"""Functions of a notebook as pickle reductions: by value, with the live namespace as their globals.

A function is made bare (code, globals, cells) and filled afterwards (defaults, closure, attributes), so that it may
reach itself by any way. Globals are never copied when they are the user namespace or a module's: a restored function
sees what the names mean today. Another dictionary (`exec`, `%run`) is encoded as the shared object it is.

Invariant: equal functions give equal bytes. Code is encoded by the arguments of its constructor, which belong to one
minor version of Python; `rebuild.make_code` refuses another.
"""

from __future__ import annotations

import builtins
import functools
import re
import sys
from collections.abc import Iterator
from types import CellType, CodeType, FunctionType
from typing import Any

from nbcellar.session import rebuild, rewrap
from nbcellar.session.definitions.encoding_context import (
    EncodingContext,
    Notes,
    Reduction,
    SortedSet,
    notes_of,
    sort_elements,
)
from nbcellar.session.importable import MAIN_MODULES, has_import, is_class, is_found_by_name, is_heap_type


def reduce_function(function: FunctionType, context: EncodingContext) -> Reduction:
    """Return the reduction of a function, or NotImplemented for one that is found by name."""
    if is_found_by_name(function):
        return NotImplemented
    owner = _owner(function, context)
    if owner is not None:
        return rebuild.member, (owner, notes_of(context).private(function.__name__))
    if function.__code__ is _singledispatch_code():
        return _reduce_singledispatch(function, context)
    return _reduce_by_value(function, context)


def function_state(function: FunctionType, notes: Notes) -> tuple[Any, ...]:
    """Return what `rebuild.set_function` needs to fill a bare function."""
    annotations = function.__annotations__
    attributes = function.__dict__
    return (
        notes.private(function.__qualname__),
        notes.text_or_value(function.__module__),
        notes.text_or_value(function.__doc__),
        function.__defaults__,
        notes.private_keys(function.__kwdefaults__) if function.__kwdefaults__ else None,
        {key: notes.text_or_value(value) for key, value in notes.private_keys(annotations).items()}
        if annotations
        else None,
        notes.private_keys(attributes) if attributes else None,
        tuple(map(_content, function.__closure__ or ())),
        getattr(function, "__type_params__", ()),
    )


def fills_early(function: FunctionType) -> bool:
    """True if the state of a method holds nothing that could need the other methods to be filled."""
    if function.__defaults__ or function.__kwdefaults__ or function.__dict__:
        return False
    for cell in function.__closure__ or ():
        content = _content(cell)
        if content and not is_class(content[0]) and type(content[0]) is not FunctionType:
            return False
    return True


def reduce_cell(cell: CellType, context: EncodingContext) -> Reduction:
    """Return the reduction of a closure cell; shared cells stay shared."""
    if id(cell) in notes_of(context).cells:
        return rebuild.make_cell, ()
    return rebuild.make_cell, (), _content(cell), None, None, rebuild.set_cell


def reduce_code(code: CodeType, context: EncodingContext) -> Reduction:
    """Return the reduction of a code object."""
    return rebuild.make_code, (sys.version_info[1], _code_arguments(code, notes_of(context)))


def _reduce_by_value(function: FunctionType, context: EncodingContext) -> Reduction:
    notes = notes_of(context)
    cells = function.__closure__
    if cells:
        notes.cells.update(map(id, cells))
    arguments = function.__code__, _globals_of(function, context, notes), notes.private(function.__name__), cells
    if notes.deferred:
        notes.deferred[-1].append(function)
        return rebuild.make_function, arguments
    return rebuild.make_function, arguments, function_state(function, notes), None, None, rebuild.set_function


# Names that every notebook has from its start; a dictionary for `exec` has some of them at most.
_OF_A_COPY = frozenset({"__name__", "__doc__", "__package__", "__loader__", "__spec__", "__builtin__", "__builtins__"})


def _named_by(function: FunctionType, context: EncodingContext) -> dict[str, Any] | None:
    """Return what a function names of its globals, if these are a copy of the notebook's, or what is left of one.

    Libraries that generate methods (attrs) compile them in such a copy. All of it would be every variable there was,
    and the shell itself.
    """
    namespace = function.__globals__
    named = {"__name__", *_names_in(function.__code__)}
    is_copy = context.namespace.keys() & _OF_A_COPY <= namespace.keys()
    if not is_copy and not namespace.keys() <= named:
        return None
    return {name: value for name, value in namespace.items() if name in named}


def _names_in(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if type(constant) is CodeType:
            yield from _names_in(constant)


def _globals_of(function: FunctionType, context: EncodingContext, notes: Notes) -> Any:
    """None for the user namespace, a module's name, a module made here, or a dictionary as the third of four."""
    namespace = function.__globals__
    if namespace is context.namespace:
        return None
    name = namespace.get("__name__")
    if type(name) is str:
        module = sys.modules.get(name)
        if module is not None and getattr(module, "__dict__", None) is namespace:
            if name in MAIN_MODULES:
                return None
            if has_import(name):
                return notes.private(name)
            return module
        if name in MAIN_MODULES and (named := _named_by(function, context)) is not None:
            return None, None, notes.private_keys(named), None
    made_here = notes.modules.get(id(namespace))
    if made_here is not None:
        return made_here
    if id(namespace) in notes.namespaces:
        return None, None, namespace, None
    notes.namespaces.add(id(namespace))
    exchange = _Exchange(context)
    return exchange.stand_in, exchange, namespace, _ExchangeBack(exchange)


class _Builtins:
    """Stands for the dictionary of builtins, which `exec` puts into the one it is given."""

    def __reduce__(self) -> tuple[Any, ...]:
        return rewrap.attribute, ("builtins", "__dict__")


class _Exchange:
    """Makes pickle take the dictionary of builtins for the stand-in that it has just stored.

    Pickle asks nobody about a plain dictionary: all builtins would be copied, with what IPython adds to them. The entry
    is replaced, not added: the unpickler numbers its own entries by counting.
    """

    def __init__(self, context: Any) -> None:
        self.context = context
        self.stand_in = _Builtins()
        self.done = False

    def __reduce__(self) -> tuple[Any, ...]:
        self.done = self.replace(self.stand_in, vars(builtins))
        return bool, ()

    def replace(self, old: object, new: object) -> bool:
        """Give `new` the place of `old` in the memo, if it has none."""
        memo = self.context.memo.copy()
        if id(new) in memo:
            return False
        memo[id(new)] = memo.pop(id(old))[0], new
        self.context.memo = memo
        return True


class _ExchangeBack:
    """Undoes an `_Exchange`: the memo tells what variables share, and all share the builtins."""

    def __init__(self, exchange: _Exchange) -> None:
        self.exchange = exchange

    def __reduce__(self) -> tuple[Any, ...]:
        if self.exchange.done:
            self.exchange.replace(vars(builtins), self.exchange.stand_in)
        return bool, ()


def _owner(function: FunctionType, context: EncodingContext) -> type | None:
    """Return the class of the notebook that a method belongs to, unless that class is what is being encoded."""
    path = function.__qualname__.split(".")
    if len(path) < 2 or path[-1] != function.__name__ or "<locals>" in path:
        return None
    found: Any = context.namespace.get(path[0])
    for part in path[1:-1]:
        found = vars(found).get(part) if is_class(found) else None
    if not is_class(found) or id(found) in context.root_definitions or not is_heap_type(found):
        return None
    owner = found
    member: Any = vars(owner).get(path[-1])
    if member is function or (type(member) in (staticmethod, classmethod) and member.__func__ is function):
        return owner
    return None


def _content(cell: CellType) -> tuple[Any, ...]:
    try:
        return (cell.cell_contents,)
    except ValueError:  # empty
        return ()


def _code_arguments(code: CodeType, notes: Notes) -> tuple[Any, ...]:
    names = notes.private

    def copied(values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(names(value) for value in values)

    qualname = (names(code.co_qualname),) if sys.version_info >= (3, 11) else ()
    exceptions = (code.co_exceptiontable,) if sys.version_info >= (3, 11) else ()
    return (
        code.co_argcount,
        code.co_posonlyargcount,
        code.co_kwonlyargcount,
        code.co_nlocals,
        code.co_stacksize,
        code.co_flags,
        code.co_code,
        tuple(_constant(value, notes) for value in code.co_consts),
        copied(code.co_names),
        copied(code.co_varnames),
        names(_portable_filename(code.co_filename)),
        names(code.co_name),
        *qualname,
        code.co_firstlineno,
        code.co_linetable,
        *exceptions,
        copied(code.co_freevars),
        copied(code.co_cellvars),
    )


def _constant(value: Any, notes: Notes) -> Any:
    kind = type(value)
    if kind is str:
        return notes.private(value)
    if kind is bytes:
        return bytes(bytearray(value))
    if kind is tuple:
        return tuple(_constant(item, notes) for item in value)
    if kind is frozenset:
        return SortedSet(frozenset, [_constant(item, notes) for item in sort_elements(value)])
    return value


# A kernel names the file of a cell /tmp/ipykernel_<process>/<hash of the source>.py. The process is not the value's.
_KERNEL_FILE = re.compile(r".*[/\\]ipykernel_\d+[/\\](\w+\.py)")


@functools.lru_cache(maxsize=1024)
def _portable_filename(filename: str) -> str:
    match = _KERNEL_FILE.fullmatch(filename) if "ipykernel_" in filename else None
    return rebuild.KERNEL_FOLDER + match[1] if match else filename


@functools.lru_cache(maxsize=1)
def _singledispatch_code() -> CodeType:
    generic: Any = functools.singledispatch(_content)
    code: CodeType = generic.__code__
    return code


def _reduce_singledispatch(function: Any, context: EncodingContext) -> Reduction:
    """Encode a generic function by its implementations; its private tables and cache are made anew."""
    notes = notes_of(context)
    registry = dict(function.registry)
    attributes = {
        key: value
        for key, value in function.__dict__.items()
        if key not in ("register", "dispatch", "registry", "_clear_cache")
    }
    state = (
        registry,
        notes.private(function.__name__),
        notes.private(function.__qualname__),
        notes.text_or_value(function.__module__),
        notes.text_or_value(function.__doc__),
        notes.private_keys(attributes),
    )
    return rebuild.make_singledispatch, (), state, None, None, rebuild.set_singledispatch
