"""Colours for source code in a terminal.

Invariant: without colours the text comes back as it is, and nothing is loaded; the text is never changed, only wrapped.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from nbcellar.cli import text

if TYPE_CHECKING:
    from nbcellar.cli.console import Console

# By the beginning of pygments' name for a kind of token; the first that fits decides.
_STYLES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Token.Comment", ("dim",)),
    ("Token.Literal.String", ("green",)),
    ("Token.Literal.Number", ("cyan",)),
    ("Token.Keyword", ("magenta",)),
    ("Token.Operator.Word", ("magenta",)),
    ("Token.Name.Function", ("blue",)),
    ("Token.Name.Class", ("blue",)),
    ("Token.Name.Decorator", ("blue",)),
    ("Token.Name.Builtin", ("cyan",)),
    ("Token.Generic.Heading", ("bold",)),
    ("Token.Generic.Subheading", ("bold",)),
    ("Token.Generic.Strong", ("bold",)),
)
_LONGEST = 100_000


def highlight(source: str, language: str, console: Console) -> list[str]:
    """Return the lines of a source, coloured as far as `language` is known; control characters are left out."""
    plain = text.clean(source)
    lexer = _lexer(language) if console.color and len(plain) <= _LONGEST else None
    if lexer is None:
        return plain.split("\n")
    lines = [""]
    for kind, piece in lexer.get_tokens(plain):
        styles = _styles(str(kind))
        first, *rest = piece.split("\n")
        lines[-1] += console.style(first, *styles) if styles else first
        lines += [console.style(line, *styles) if styles else line for line in rest]
    return lines[: plain.count("\n") + 1]


@lru_cache(maxsize=64)
def _styles(kind: str) -> tuple[str, ...]:
    return next((styles for name, styles in _STYLES if kind.startswith(name)), ())


@lru_cache(maxsize=8)
def _lexer(language: str) -> Any:
    """Return pygments' lexer of a language, None for one that it does not know."""
    options = {"stripnl": False, "ensurenl": False}
    if language == "python":  # by its module: a look-up by name reads a table of 500 lexers
        from pygments.lexers.python import PythonLexer

        return PythonLexer(**options)
    if language == "markdown":
        from pygments.lexers.markup import MarkdownLexer

        return MarkdownLexer(**options)
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        return get_lexer_by_name(language, **options)
    except ClassNotFound:
        return None


def languages(kind: str, kernel_language: str) -> str:
    """Return the language of a cell of a type: that of the kernel for code, none for raw cells."""
    return {"code": kernel_language or "python", "markdown": "markdown"}.get(kind, "")


def indented(lines: list[str], by: str = "    ") -> Iterator[str]:
    """Yield lines moved to the right; empty ones stay empty."""
    yield from (f"{by}{line}" if line else "" for line in lines)


__all__ = ["highlight", "indented", "languages"]
