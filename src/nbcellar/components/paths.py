"""Which files a cell may speak of, found from the texts in its source.

Invariant: nothing is opened. A guess for the time before a run has shown what is read and written: by the last part of
a path, as folders are often put before it at run time. Not for: what was really opened (`pipeline/watching.py`).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from nbcellar.components.transform import NotPythonError, trees_of
from nbcellar.ids import CellId

_PATH = re.compile(r"[^\n\0<>|*?\"']{0,200}(?:/[^\n\0<>|*?\"'/]+|\.[A-Za-z][A-Za-z0-9_]{0,7})")
_READS = re.compile(r"\A(read|load|imread|genfromtxt|fromfile)")
_SHELL = frozenset(
    "system getoutput run_line_magic run_cell_magic run call check_call check_output Popen popen".split()
)
_PROGRAMS = re.compile(r"\b(subprocess|Popen|popen|os\.system|check_output|check_call)\b")
_SHELL_MAGICS = frozenset("! bash sh script cmd system sx sc perl ruby pypy python python2 python3".split())
_SHELLS = frozenset("! bash sh system sx sc".split())
_LIST_NOTHING = frozenset(
    "cat cd cut date echo export head mkdir printf pwd rm sleep sort tail touch tr true uniq wc".split()
)
_WORDS = re.compile(r"[\s;|&<>()\"']+")


@lru_cache(maxsize=1024)
def paths_of(source: str) -> Mapping[str, bool]:
    """Return the last parts of what may be paths in a cell; True where it may write there, or look whether it is."""
    try:
        trees = trees_of(source)
    except NotPythonError:
        return {}
    found: dict[str, bool] = {}
    for tree in trees:
        reads = {id(node) for call in _calls(tree) if _only_reads(call) for node in call.args[:1]}
        for text, node in texts_of(tree):
            if looks_like_path(text):
                name = text.rpartition("/")[2]
                found[name] = found.get(name, False) or id(node) not in reads
        for module in _imported(tree):
            found.setdefault(f"{module}.py", False)
    return found


def pairs_by_files(sources: Mapping[CellId, str]) -> Iterator[tuple[CellId, CellId]]:
    """Yield pairs of cells, in the order given, that speak of a file of the same name, which one of them may write."""
    paths = {id: paths_of(source) for id, source in sources.items()}
    spoken: dict[str, list[CellId]] = {}
    for id, found in paths.items():
        for path in found:
            spoken.setdefault(path, []).append(id)
    for path, ids in spoken.items():
        for at, second in enumerate(ids):
            yield from ((first, second) for first in ids[:at] if paths[first][path] or paths[second][path])


def starts_programs(source: str) -> bool:
    """True for a cell with a shell command, or one that speaks of starting programs."""
    try:
        trees = trees_of(source)
    except NotPythonError:
        return False
    return _PROGRAMS.search(source) is not None or any(_is_shell(call) for tree in trees for call in _calls(tree))


def lists_folders(source: str) -> bool:
    """True where what a cell starts may list a folder: all but shell commands of which it is known that they do not."""
    try:
        trees = trees_of(source)
    except NotPythonError:
        return False
    shell = [call for tree in trees for call in _calls(tree) if _is_shell(call)]
    return _PROGRAMS.search(source) is not None or any(_may_list(call) for call in shell)


def _may_list(call: ast.Call) -> bool:
    texts = [node.value for node in call.args if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    if _name(call.func) in ("run_line_magic", "run_cell_magic"):
        texts = texts[-1:] if texts[0] in _SHELLS else ["?"]
    commands = [words.split() for text in texts for words in re.split(r"[;|&\n]+", text)]
    names = {words[0] for words in commands if words}
    return not names <= _LIST_NOTHING or any(set(text) & set("*?[`$") for text in texts)


def _imported(tree: ast.AST) -> Iterator[str]:
    """Yield the last parts of the names of modules that are imported."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.rpartition(".")[2] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.rpartition(".")[2]


def texts_of(tree: ast.AST) -> Iterator[tuple[str, ast.Constant]]:
    """Yield the texts in a cell, those of magics and shell commands word by word, and where each stands."""
    shell = {id(node) for call in _calls(tree) if _name(call.func) in _SHELL for node in call.args}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            words = _WORDS.split(node.value) if id(node) in shell else [node.value]
            yield from ((word, node) for word in words)


def looks_like_path(text: str) -> bool:
    """True for what has a suffix or a folder, and is no address in the network."""
    return _PATH.fullmatch(text) is not None and "://" not in text


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _is_shell(call: ast.Call) -> bool:
    name, magic = _name(call.func), call.args[0] if call.args else None
    if name in ("run_line_magic", "run_cell_magic"):
        return isinstance(magic, ast.Constant) and magic.value in _SHELL_MAGICS
    return name in ("system", "getoutput")


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _only_reads(call: ast.Call) -> bool:
    name = _name(call.func)
    if name != "open":
        return _READS.match(name) is not None
    given = [*call.args[1:2], *(keyword.value for keyword in call.keywords if keyword.arg == "mode")]
    return all(isinstance(mode, ast.Constant) and set(str(mode.value)) <= set("rbt") for mode in given)


__all__ = ["lists_folders", "looks_like_path", "pairs_by_files", "paths_of", "starts_programs", "texts_of"]
