"""Magics and shell commands in a transformed cell: which run code, which touch nothing, which may do anything.

Invariant: a magic that is not in a table here is unknown, and unknown means that it may touch every variable.
Not for: running or transforming magics; IPython does.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass


class UnknownMagicError(Exception):
    """The cell calls IPython in a way that may touch every variable; the message says which."""


@dataclass(frozen=True)
class MagicCall:
    """`text`: words that may be names of variables. `code`: pieces of untransformed cell code that the call runs.

    `binds`: variables that the call makes.
    """

    text: str
    code: tuple[str, ...] = ()
    binds: tuple[str, ...] = ()


def find_magics(source: str) -> list[MagicCall]:
    """Return the magic and shell calls of a transformed cell; raise UnknownMagicError when one may touch everything."""
    tree = ast.parse(source)
    parents = {id(child): node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    calls = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == "get_ipython":
            calls.append(_read_call(node, parents))
        elif isinstance(node, ast.alias) and node.name.split(".")[-1] == "get_ipython":
            raise UnknownMagicError("imports get_ipython")
    return calls


def _read_call(name: ast.Name, parents: dict[int, ast.AST]) -> MagicCall:
    """Recognise `get_ipython().method("constant", ...)` around the name."""
    inner = parents.get(id(name))
    attribute = parents.get(id(inner))
    outer = parents.get(id(attribute))
    if not (
        isinstance(inner, ast.Call)
        and isinstance(attribute, ast.Attribute)
        and isinstance(outer, ast.Call)
        and outer.func is attribute
    ):
        raise UnknownMagicError("uses get_ipython")
    if attribute.attr in _HARMLESS_METHODS:
        return MagicCall("")
    arguments = [a.value if isinstance(a, ast.Constant) and isinstance(a.value, str) else None for a in outer.args]
    texts = [a for a in arguments if a is not None]
    if len(texts) != len(arguments) or outer.keywords:
        raise UnknownMagicError(f"uses get_ipython().{attribute.attr}")
    if attribute.attr in ("system", "getoutput") and len(texts) == 1:
        return MagicCall(_expanded(texts[0]))
    if attribute.attr == "run_line_magic" and len(texts) == 2:
        return _line_magic(*texts)
    if attribute.attr == "run_cell_magic" and len(texts) == 3:
        return _cell_magic(*texts)
    raise UnknownMagicError(f"uses get_ipython().{attribute.attr}")


def _expanded(command: str) -> str:
    """Return the text when IPython replaces `$name` or `{expression}` in it; a plain command names no variable."""
    return command if "$" in command or "{" in command else ""


def _line_magic(name: str, line: str) -> MagicCall:
    if name in _SHELL:
        return MagicCall(_expanded(line))
    if name in _HARMLESS:
        return MagicCall(line)
    if name in _CODE_ON_LINE:
        return MagicCall(_options(line), (_without_options(line),))
    raise UnknownMagicError(f"uses %{name}")


def _cell_magic(name: str, line: str, body: str) -> MagicCall:
    if name in _TEXT_IN_CELL:
        text = line + "\n" + _expanded(body) if name in _EXPANDED_CELLS else line
        return MagicCall(text, binds=tuple(_STREAM_OPTION.findall(line)))
    if name in _CODE_IN_CELL:
        words = [word for word in line.split() if not word.startswith("-")]
        return MagicCall(line, (body,), tuple(word for word in words[:1] if word.isidentifier()))
    if name in _CODE_ON_LINE_AND_IN_CELL:
        return MagicCall(_options(line), (_without_options(line), body))
    raise UnknownMagicError(f"uses %%{name}")


# `-n 10`, `-n10`, `-o`, `--name value`: a value is a number, so that code is never taken for one.
_OPTIONS = re.compile(r"\s*(?:--?[A-Za-z][\w-]*(?:[ =]\s*\d+)?\s+)*(?:--?[A-Za-z][\w-]*(?:[ =]\s*\d+)?\s*$)?")


# `%%bash --out text --err errors`, `%%script --proc p`: variables for what a program writes.
_STREAM_OPTION = re.compile(r"(?<!\S)--(?:out|err|proc)[ =]\s*([^\W\d]\w*)")


def _options(line: str) -> str:
    match = _OPTIONS.match(line)
    return match.group() if match else ""


def _without_options(line: str) -> str:
    return line[len(_options(line)) :]


_HARMLESS_METHODS = frozenset({"set_next_input", "get_parent", "show_usage"})
_SHELL = frozenset(["system", "sx", "!", "!!", "pip", "conda", "mamba", "micromamba", "uv"])


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Words of their argument count as names all the same: `%env X=$x`, `%whos`, `--out name`.
_HARMLESS = _SHELL | _words(
    """alias alias_magic autoawait autocall automagic autosave bookmark cat cd cellar clear colors config connect_info
    cp dhist dirs doctest_mode env gui hist history killbgscripts ldir less lf lk ll load logoff logon logstart logstate
    logstop ls lsmagic lx magic man matplotlib mkdir more mv notebook page pastebin pdef pdoc pfile pinfo pinfo2
    pip popd pprint precision profile psearch psource pushd pwd pycat qtconsole quickref rehashx rep rm rmdir save
    sc set_env subshell tb unalias who who_ls whos xmode"""
)
_CODE_ON_LINE = _words("time timeit memit")
_CODE_ON_LINE_AND_IN_CELL = _words("time timeit prun memit")
_CODE_IN_CELL = _words("capture")
_EXPANDED_CELLS = _words("sx system ! !!")
_TEXT_IN_CELL = _EXPANDED_CELLS | _words(
    """HTML SVG bash cmd file html javascript js latex markdown perl pypy python2 ruby script sh svg writefile"""
)
