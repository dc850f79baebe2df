"""What the cells of the history add to stored values: the source of a function, the picture of a figure."""

from __future__ import annotations

import ast
import base64
import binascii
import functools
import json
from collections.abc import Iterator

from nbcellar.diff.sides import Source
from nbcellar.errors import CellarError
from nbcellar.history.repository import Repository
from nbcellar.ids import CommitId, Digest

_MOST_COMMITS = 200
_LONGEST_SOURCE = 200_000


class Sources:
    """Finds functions and classes in the cells that were run, from a commit back."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._definitions = functools.lru_cache(maxsize=256)(_definitions)

    def of(self, origin: CommitId) -> Source:
        """Return what finds the source of a definition as it was at a commit."""
        return functools.partial(self._find, origin)

    def _find(self, origin: CommitId, name: str, line: int) -> str:
        for source in self._cells(origin):
            if name in source:
                for found, begin, text in self._definitions(source):
                    if found == name and (begin == line or not line):
                        return text
        return ""

    def _cells(self, start: CommitId) -> Iterator[str]:
        commit: CommitId | None = start
        for _ in range(_MOST_COMMITS):
            if commit is None:
                return
            try:
                read = self._repository.read_commit(commit)
            except CellarError:
                return
            if read.cell is not None:
                yield read.cell.source
            commit = CommitId(read.parents[0]) if read.parents else None


def _definitions(source: str) -> list[tuple[str, int, str]]:
    """Return name, first line and text of every function and lambda of a cell; magics are passed over."""
    if len(source) > _LONGEST_SOURCE:
        return []
    lines = ["pass" if line.startswith(("%", "!", "?")) else line for line in source.splitlines()]
    try:
        tree = ast.parse("\n".join(lines))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    found = []
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            begin = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            found.append((node.name, begin, "\n".join(lines[begin - 1 : node.end_lineno])))
        elif isinstance(node, ast.Lambda) and node.end_lineno is not None:
            found.append(("<lambda>", node.lineno, "\n".join(lines[node.lineno - 1 : node.end_lineno])))
    return found


def figure_png(repository: Repository, commit: CommitId) -> bytes:
    """Return the last picture that the cell of a commit showed; empty if there is none."""
    try:
        run = repository.read_commit(commit).cell
        if run is None or run.outputs is None:
            return b""
        outputs = json.loads(repository.store.read(Digest(run.outputs)))
    except (CellarError, ValueError):
        return b""
    for output in reversed(outputs if isinstance(outputs, list) else []):
        data = output.get("data") if isinstance(output, dict) else None
        text = data.get("image/png") if isinstance(data, dict) else None
        if isinstance(text, list):
            text = "".join(map(str, text))
        if isinstance(text, str):
            try:
                return base64.b64decode(text)
            except (binascii.Error, ValueError):
                return b""
    return b""


__all__ = ["Sources", "figure_png"]
