"""Functions and classes made in a notebook, as pickle reducers: the one door for the encoder.

Functions are encoded by value with the live namespace as their globals. A class of the notebook is a *definition*: the
pickle that defines it holds it by value (`root_definitions`), every other one a reference, so that instances,
subclasses and enum members meet the same class again. What counts as a class of the notebook: see `importable`.

Invariant: equal definitions give equal bytes, in any process; encoding changes nothing. The loading side is `rebuild`.
"""

from __future__ import annotations

from types import FunctionType
from typing import Any

from nbcellar.errors import CannotStoreError
from nbcellar.session import rebuild, rewrap
from nbcellar.session.definitions import classes
from nbcellar.session.definitions.encoding_context import EncodingContext, Reducer, Reduction, notes_of
from nbcellar.session.definitions.functions import reduce_function
from nbcellar.session.definitions.wrappers import reducer_for
from nbcellar.session.importable import alias_of, is_found_by_name, is_heap_type, is_notebook_class

_SINGLETONS = None, ..., NotImplemented  # pickle knows their types


def reduce_class(cls: type, context: EncodingContext) -> Reduction:
    """Return the reduction of a class: NotImplemented by name, by value for a root definition, else by reference.

    Raises CannotStoreError for a type of C that has no name to find it by.
    """
    if id(cls) in context.root_definitions:
        return classes.reduce_by_value(cls, context)
    if is_found_by_name(cls):
        return NotImplemented
    if is_heap_type(cls):
        return context.definition_ref(cls)
    if any(cls is type(value) for value in _SINGLETONS):
        return NotImplemented
    alias = alias_of(cls)
    if alias is None:
        raise CannotStoreError(f"type {cls.__module__}.{cls.__qualname__} cannot be stored: it is found under no name")
    return rewrap.attribute, alias


def reducer_of(kind: type) -> Reducer | None:
    """Return the reducer for objects of exactly this type, or None to leave them to pickle; may be kept by type."""
    if kind is FunctionType:
        return reduce_function
    if issubclass(kind, type):
        return reduce_class
    return reducer_for(kind)


def reduce_other(obj: Any, context: EncodingContext) -> Reduction:
    """Return the reduction of an object that is neither a function nor a class; NotImplemented leaves it to pickle."""
    reducer = reducer_for(type(obj))
    return NotImplemented if reducer is None else reducer(obj, context)


def reference(index: int, *made_from: type) -> tuple[Any, ...]:
    """Return the reduction that stands for the definition with that number among those a value needs.

    made_from: its bases and metaclasses that this very stream defines; they come first.
    """
    return rebuild.definition, (index, *made_from)


__all__ = [
    "EncodingContext",
    "is_notebook_class",
    "notes_of",
    "reduce_class",
    "reduce_function",
    "reduce_other",
    "reducer_of",
    "reference",
]
