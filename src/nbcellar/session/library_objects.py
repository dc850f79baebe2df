"""The loading side of reducers for objects of libraries that their own pickling would bring back otherwise.

Invariant: what is stored names these functions, so each of them goes on loading what it ever loaded. Libraries are
imported by what is loaded.
"""

from __future__ import annotations

import importlib
import io
from typing import Any


def set_both(obj: Any, state: tuple[Any, dict[str, Any]]) -> None:
    """Fill an object by its own `__setstate__`, then set the attributes that it leaves out."""
    own, attributes = state
    obj.__setstate__(own)
    vars(obj).update(attributes)


def make_bare(kind: type) -> Any:
    """Return an instance without calling the class's own `__new__`."""
    return object.__new__(kind)


def set_attributes(obj: Any, state: dict[str, Any]) -> None:
    """Set attributes without asking the object, which may answer for others than its own."""
    object.__getattribute__(obj, "__dict__").update(state)


def set_table(table: Any, state: tuple[Any, dict[str, Any]]) -> None:
    """Fill a table of astropy: columns, then whether it is masked, its indexes and its groups."""
    own, extra = state
    table.__setstate__(own)
    if table.masked != extra["masked"]:
        table._set_masked(extra["masked"])
    for column in table.columns.values():
        column.info.indices = []
    for names, engine, unique in extra["indices"]:
        table.add_index(names, engine=engine, unique=unique)
    table.primary_key = extra["primary_key"]
    groups = extra["groups"]
    if groups is not None:
        table._groups = importlib.import_module("astropy.table.groups").TableGroups(table, *groups)
    vars(table).update(extra["attributes"])


def make_font(contents: bytes, size: float, index: int, encoding: str, layout: Any) -> Any:
    """Return a font of PIL that is made of a file's contents."""
    font = importlib.import_module("PIL.ImageFont").FreeTypeFont
    return font(io.BytesIO(contents), size, index, encoding, layout)


def make_key_point(*fields: Any) -> Any:
    """Return a key point of OpenCV."""
    return importlib.import_module("cv2").KeyPoint(*fields)


def make_match(*fields: Any) -> Any:
    """Return a match of key points of OpenCV."""
    return importlib.import_module("cv2").DMatch(*fields)


def set_vocabulary(vocabulary: Any, lexemes: list[tuple[int, tuple[Any, ...]]]) -> None:
    """Set what was set of the entries of a vocabulary of spacy."""
    for orth, values in lexemes:
        lexeme = vocabulary[orth]
        for name, value in zip(LEXEME, values, strict=True):
            setattr(lexeme, name, value)


LEXEME = ("flags", "lang", "lower", "norm", "shape", "prefix", "suffix")
"""What is set of an entry of a vocabulary; the order is part of what is stored."""
