"""Whether a regular expression can take exponential time: it repeats without end what holds a repetition without end.

Such a pair is harmless where each round of the outer one has to pass a letter that the inner one cannot match:
`(\\.\\d+)*` is fine, `(\\s*\\w+)*` is not. Judged on Latin-1; an expression that is refused in error can be rewritten.

Invariant: looks at the parsed expression alone, runs nothing.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from typing import Any

_MODULES = ("re._parser", "re._constants") if sys.version_info >= (3, 11) else ("sre_parse", "sre_constants")
_LETTERS = [chr(number) for number in range(256)]
_CATEGORIES: dict[str, Callable[[str], bool]] = {
    "DIGIT": str.isdigit,
    "SPACE": str.isspace,
    "WORD": lambda letter: letter.isalnum() or letter == "_",
}


def can_explode(pattern: str) -> bool:
    """Return whether an expression (one that compiles) can take exponential time."""
    parser, constants = (importlib.import_module(name) for name in _MODULES)
    return any(
        _is_ambiguous(body, constants.MAXREPEAT) for body in _endless(parser.parse(pattern), constants.MAXREPEAT)
    )


def _endless(node: Any, most: Any) -> Iterator[Any]:
    """Yield the bodies of repetitions without end, at any depth."""
    for name, argument in _steps(node):
        if name in ("MAX_REPEAT", "MIN_REPEAT") and argument[1] is most:
            yield argument[2]
        for part in _bodies(argument):
            yield from _endless(part, most)


def _is_ambiguous(body: Any, most: Any) -> bool:
    inner = list(_endless(body, most))
    if not inner:
        return False
    repeated: set[str] = set()
    for part in inner:
        repeated.update(_letters_within(part))
    return not any(letters and repeated.isdisjoint(letters) for letters in _needed(body))


def _needed(body: Any) -> Iterator[set[str]]:
    """Yield the letters of each place that every round passes."""
    for name, argument in _steps(body):
        if name == "SUBPATTERN":
            yield from _needed(argument[-1])
        elif name in _SINGLE:
            yield _letters(name, argument)


def _letters_within(node: Any) -> set[str]:
    found: set[str] = set()
    for name, argument in _steps(node):
        if name in _SINGLE:
            found |= _letters(name, argument)
        elif name in ("GROUPREF", "GROUPREF_EXISTS"):
            return set(_LETTERS)
        for part in _bodies(argument):
            found |= _letters_within(part)
    return found


_SINGLE = ("LITERAL", "NOT_LITERAL", "ANY", "IN")


def _letters(name: str, argument: Any) -> set[str]:
    if name == "ANY":
        return set(_LETTERS)
    if name in ("LITERAL", "NOT_LITERAL"):
        return {chr(argument)} if name == "LITERAL" else {letter for letter in _LETTERS if ord(letter) != argument}
    found: set[str] = set()
    negated = False
    for kind, value in argument:
        if str(kind) == "NEGATE":
            negated = True
        elif str(kind) == "LITERAL":
            found.add(chr(value))
        elif str(kind) == "RANGE":
            found.update(letter for letter in _LETTERS if value[0] <= ord(letter) <= value[1])
        else:
            found.update(_category(str(value)))
    return set(_LETTERS) - found if negated else found


def _category(name: str) -> set[str]:
    _, _, word = name.partition("CATEGORY_")
    test = _CATEGORIES.get(word.removeprefix("NOT_"))
    if test is None:
        return set(_LETTERS)
    return {letter for letter in _LETTERS if test(letter) is not word.startswith("NOT_")}


def _steps(node: Any) -> Iterator[tuple[str, Any]]:
    return ((str(kind), argument) for kind, argument in node)


def _bodies(argument: Any) -> list[Any]:
    """Return the expressions inside the argument of a step."""
    if hasattr(argument, "data"):
        return [argument]
    if isinstance(argument, list | tuple):
        return [part for item in argument for part in _bodies(item)]
    return []


__all__ = ["can_explode"]
