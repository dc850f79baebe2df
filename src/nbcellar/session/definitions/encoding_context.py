"""What the reducers of functions and classes ask of the pickler they run in, and what they note for one pickle.

Invariant: notes live as long as one pickler; nothing here outlives it or is shared between two pickles, so that equal
definitions give equal bytes whatever was encoded before.
"""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType, ModuleType
from typing import Any, Protocol

Reduction = Any  # what `reducer_override` returns: a reduce tuple or NotImplemented
Reducer = Callable[[Any, Any], Reduction]


class EncodingContext(Protocol):
    """A `pickle.Pickler`, seen from the reducers of functions and classes; attributes may be set on it."""

    @property
    def namespace(self) -> dict[str, Any]:
        """The live user namespace: `sys.modules["__main__"].__dict__` in a kernel."""
        ...

    @property
    def root_definitions(self) -> frozenset[int] | set[int]:
        """Ids of the classes that this pickle holds by value."""
        ...

    def definition_ref(self, cls: type) -> tuple[Any, ...]:
        """Note that the value needs a class of the notebook; return the reduction that refers to it."""
        ...

    def definition_uid(self, cls: type) -> str:
        """Return the name under which a class of the notebook is known to the history."""
        ...


class Notes:
    """What one pickle has seen so far of functions and classes."""

    __slots__ = ("_names", "cells", "deferred", "modules", "namespaces")

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self.cells: set[int] = set()
        """Ids of closure cells whose content the state of a function carries."""
        self.deferred: list[list[FunctionType]] = []
        """While the functions of a class are made: those whose state comes later. A stack: classes can be nested."""
        self.modules: dict[int, ModuleType] = {}
        """Modules encoded by value, by the id of their dictionary."""
        self.namespaces: set[int] = set()
        """Ids of dictionaries other than the user namespace that functions have as globals."""

    def private(self, text: str) -> str:
        """Return a copy of `text` that no object of the user shares, the same one for equal texts.

        Pickle refers to a string seen before by identity, and Python interns names in some places and not in others:
        with the user's own strings the bytes would depend on that, and differ after a restore.
        """
        copy = self._names.get(text)
        if copy is None:
            copy = self._names[text] = _copy(text)
        return copy

    def private_keys(self, mapping: dict[str, Any]) -> dict[str, Any]:
        """Return a copy of `mapping` with private keys, in its order."""
        private = self.private
        return {private(key) if type(key) is str else key: value for key, value in mapping.items()}

    def text_or_value(self, value: Any) -> Any:
        """Return a private copy of a string, and anything else as it is."""
        return self.private(value) if type(value) is str else value


def notes_of(context: Any) -> Notes:
    """Return the notes of a pickle, made at first use."""
    try:
        notes: Notes = context.definition_notes
    except AttributeError:
        notes = context.definition_notes = Notes()
    return notes


def _copy(text: str) -> str:
    if len(text) > 1:
        return "".join((text[:1], text[1:]))  # str() and slicing would return the same object
    return _Letter(text) if text else text


class _Letter(str):
    """A string of one character that pickle does not take for the user's: Python has one copy of most of them."""

    __slots__ = ()

    def __reduce__(self) -> tuple[Any, ...]:
        return chr, (ord(self),)


class SortedSet:
    """Stands for a set or frozenset in a pickle, with its elements in an order that does not depend on hashing."""

    __slots__ = ("elements", "kind")

    def __init__(self, kind: type, elements: list[Any]) -> None:
        self.kind = kind
        self.elements = elements

    def __reduce__(self) -> tuple[Any, ...]:
        return self.kind, (self.elements,)


def is_private_set(value: Any) -> bool:
    """True for sets whose elements have an order that every process agrees on."""
    return all(type(element) in _ORDERED for element in value)


def sort_elements(values: Any) -> list[Any]:
    """Return elements of the kinds that occur in constants, in the same order in every process."""
    return sorted(values, key=lambda value: (type(value).__name__, repr(value)))


_ORDERED = frozenset({str, bytes, int, float, bool, complex, type(None)})
