"""The source of a code cell as Python to be analysed: magics and shell commands become calls, as IPython has them.

Invariant: what is Python already comes back as it is; lines keep their numbers. Not for: running; IPython's own
transformation does that, and costs more to import than an analysis may take.
"""

from __future__ import annotations

import ast
import contextlib
import re
import warnings
from functools import lru_cache

from nbcellar.notebook.magics import UnknownMagicError, find_magics

_CELL_MAGIC = re.compile(r"\s*%%(?P<name>[^\W\d][\w.]*|!)(?P<line>[^\n]*)(?:\n(?P<body>.*))?\Z", re.DOTALL)
_LINE = re.compile(
    r"(?P<indent>\s*)(?:(?P<target>[^\W\d][\w.,\s\[\]()*]*?)\s*=\s*)?"
    r"(?P<mark>%%?|!!?|\?\??|/|,|;)(?P<rest>.*)\Z"
)
_HELP = re.compile(r"(?P<indent>\s*)%{0,2}[^\W\d][\w.*]*\?{1,2}\s*\Z")
_MOST_LINES = 10_000
_MOST_NESTED = 5


class NotPythonError(ValueError):
    """A cell cannot be understood; `line` counts from 1."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def parse(source: str) -> ast.Module:
    """Return the tree of a cell, which is kept: it is not to be changed.

    Raises NotPythonError for what neither Python nor IPython takes.
    """
    return _read(source)[1]


def to_python(source: str) -> str:
    """Return the cell as Python. Raises NotPythonError."""
    return _read(source)[0]


def trees_of(source: str) -> list[ast.Module]:
    """Return the tree of a cell, and those of the code that its magics run, as `%%time` does. Raises NotPythonError."""
    return _trees_of(source, _MOST_NESTED)


def _trees_of(source: str, depth: int) -> list[ast.Module]:
    text, tree = _read(source)
    found = [tree]
    if "get_ipython" in text and depth:
        with contextlib.suppress(UnknownMagicError):
            for piece in (piece for call in find_magics(text) for piece in call.code):
                with contextlib.suppress(NotPythonError):
                    found += _trees_of(piece, depth - 1)
    return found


@lru_cache(maxsize=256)
def _read(source: str) -> tuple[str, ast.Module]:
    """Return a cell as Python and its tree: who looks at a pipeline asks for both again and again."""
    cell = _CELL_MAGIC.match(source)
    if cell is not None:
        body = cell["body"] or ""
        call = f"get_ipython().run_cell_magic({cell['name']!r}, {cell['line'].strip()!r}, {body!r})"
        text = "\n" * (source[: cell.start("name")].count("\n")) + call
        return text, parse_text(text)
    lines = source.split("\n")
    for _ in range(min(len(lines), _MOST_LINES) + 1):
        text = "\n".join(lines)
        try:
            return text, parse_text(text)
        except NotPythonError as error:
            at = _escaped_line(lines, error.line - 1)
            if at is None:
                raise
            _replace(lines, at)
    raise NotPythonError("too many magics", 1)


def parse_text(text: str) -> ast.Module:
    """Return the tree of Python that may await at the top. Raises NotPythonError."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
            tree: ast.Module = compile(text, "<cell>", "exec", flags, dont_inherit=True)
            return tree
    except SyntaxError as error:
        raise NotPythonError(error.msg, error.lineno or 1) from None
    except (ValueError, OverflowError, MemoryError, RecursionError) as error:
        raise NotPythonError(str(error) or type(error).__name__, 1) from None


def _escaped_line(lines: list[str], near: int) -> int | None:
    """Return the line with a magic that the parser stumbled over: the one it names, or the last one before."""
    for at in range(min(near, len(lines) - 1), max(near - 3, -1), -1):
        if _LINE.match(lines[at]) or _HELP.match(lines[at]):
            return at
    return None


def _replace(lines: list[str], at: int) -> None:
    """Put a call in the place of a magic, which may go on over lines that end with a backslash."""
    last = at
    while lines[last].endswith("\\") and last + 1 < len(lines):
        last += 1
    whole = " ".join(line.removesuffix("\\").strip() for line in lines[at : last + 1])
    indent = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
    lines[at : last + 1] = [indent + _call(whole), *[""] * (last - at)]


def _call(line: str) -> str:
    help_asked = _HELP.match(line)
    if help_asked is not None:
        return f"get_ipython().run_line_magic('pinfo', {line.strip(' %?')!r})"
    match = _LINE.match(line)
    assert match is not None
    mark, rest = match["mark"], match["rest"].strip()
    target = f"{match['target']} = " if match["target"] else ""
    if mark.startswith("%"):
        name, _, argument = rest.partition(" ")
        return f"{target}get_ipython().run_line_magic({name!r}, {argument.strip()!r})"
    if mark.startswith("!"):
        method = "getoutput" if target or mark == "!!" else "system"
        return f"{target}get_ipython().{method}({rest!r})"
    if mark.startswith("?"):
        return f"get_ipython().run_line_magic('pinfo', {rest!r})"
    return _called(mark, rest)


def _called(mark: str, rest: str) -> str:
    """Return the call that `/f 1 2`, `,f a b` and `;f a b` stand for."""
    name, _, arguments = rest.partition(" ")
    if mark == "/":
        return f"{name}({', '.join(arguments.split())})"
    words = arguments.split() if mark == "," else [arguments]
    return f"{name}({', '.join(map(repr, words))})"


__all__ = ["NotPythonError", "parse", "parse_text", "to_python", "trees_of"]
