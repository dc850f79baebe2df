"""Results that functions of the notebook keep: they are no part of a state, so they must not outlive a step back.

A cached `load()` would go on giving what a cell made that was undone. Invariant: only caches of functions and classes
that the notebook defines are emptied. Not for: caches of libraries.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Any

from nbcellar.session.importable import is_found_by_name, is_notebook_class

_Cache = type(functools.lru_cache(lambda: None))


def empty_caches(variables: Mapping[str, object], namespace: dict[str, Any]) -> tuple[str, ...]:
    """Empty the caches that variables hold; return the names of those that held results, sorted."""
    emptied = []
    for name, obj in variables.items():
        for cache in _caches_of(obj, namespace):
            if cache.cache_info().currsize:
                cache.cache_clear()
                emptied.append(name)
    return tuple(sorted(set(emptied)))


def _caches_of(obj: Any, namespace: dict[str, Any]) -> Iterator[Any]:
    if type(obj) is _Cache:
        if not is_found_by_name(obj):
            yield obj
    elif isinstance(obj, type) and is_notebook_class(obj, namespace):
        for member in vars(obj).values():
            if type(member) in (staticmethod, classmethod):
                member = member.__func__
            elif type(member) is property:
                member = member.fget
            if type(member) is _Cache:
                yield member


__all__ = ["empty_caches"]
