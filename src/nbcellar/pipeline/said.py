"""What a component's source says of what its run is watched for; whoever gives out tasks has read it already.

Invariant: depends on the source alone. Not for: names (`components/uses.py`), what a run shows (`observing.py`).
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import lru_cache

from nbcellar.components.paths import lists_folders, texts_of
from nbcellar.components.transform import NotPythonError, trees_of
from nbcellar.pipeline.model import Said
from nbcellar.pipeline.patches import may_patch

_LONGEST_PATH = 300


@lru_cache(maxsize=1024)
def said_by(source: str) -> Said:
    """Return what a source says; nothing for one that nobody can run."""
    try:
        trees = trees_of(source)
    except NotPythonError:
        return Said()
    return Said(
        texts=tuple(_paths_in(dict.fromkeys(text for tree in trees for text, _ in texts_of(tree)))),
        modules=tuple(sorted(_modules_in(trees))),
        lists=lists_folders(source),
        patches=any(map(may_patch, trees)),
    )


def _paths_in(texts: Iterable[str]) -> Iterator[bytes]:
    for text in texts:
        if 0 < len(text) <= _LONGEST_PATH and not {"\n", "\0"} & set(text):
            try:
                yield text.encode("utf-8", "surrogateescape")
            except UnicodeEncodeError:  # half of a surrogate pair: no file is called so, and no task can hold it
                continue


@lru_cache(maxsize=1024)
def modules_of(source: str) -> frozenset[str]:
    """Return the top-level modules that some code imports anywhere in it."""
    try:
        return _modules_in(trees_of(source))
    except NotPythonError:
        return frozenset()


def _modules_in(trees: Iterable[ast.Module]) -> frozenset[str]:
    names: list[str] = []
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.append(node.module)
    return frozenset(name.partition(".")[0] for name in names)


__all__ = ["modules_of", "said_by"]
