"""The loading side of `matplotlib_reducers`: what its streams call.

Invariant: a transform knows its parents whichever of them is loaded first. matplotlib is imported by what is loaded.
"""

from __future__ import annotations

import logging
import warnings
import weakref
from collections.abc import Callable
from typing import Any

_INVERSE = ("_inverted",)
_OF_CLASS = {
    "TransformedBbox": ("_points",),
    "LockableBbox": ("_points",),
    "TransformedPath": ("_transformed_path", "_transformed_points"),
    "TransformedPatchPath": ("_transformed_path", "_transformed_points"),
    "CompositeAffine2D": ("_mtx",),
    "BlendedAffine2D": ("_mtx",),
    "BboxTransform": ("_mtx",),
    "BboxTransformTo": ("_mtx",),
    "BboxTransformFrom": ("_mtx",),
    "ScaledTranslation": ("_mtx",),
    "_ScaledRotation": ("_mtx",),
    "AffineDeltaTransform": ("_mtx",),
}


def results_of(kind: type) -> tuple[str, ...]:
    """Return the attributes of a class of transforms that are computed from the others when they are asked for."""
    if kind.__module__ != "matplotlib.transforms":
        return _INVERSE
    return (*_INVERSE, *_OF_CLASS.get(kind.__name__, ()))


def set_transform(node: Any, state: dict[str, Any]) -> None:
    """Fill a transform, and let those it depends on know that it does."""
    node.__dict__.update(state)
    _parents_of(node)
    for child in list(vars(node).values()):
        if _is_transform(child):
            _tell(_parents_of(child), node)


def _tell(parents: dict[int, Any], node: Any) -> None:
    key = id(node)
    parents[key] = weakref.ref(node, lambda _: parents.pop(key, None))


def _parents_of(node: Any) -> dict[int, Any]:
    parents: dict[int, Any] = node.__dict__.setdefault("_parents", {})
    return parents


def _is_transform(value: object) -> bool:
    bases = type(value).__mro__
    return any(base.__name__ == "TransformNode" and base.__module__ == "matplotlib.transforms" for base in bases)


def set_figure(figure: Any, state: dict[str, Any]) -> None:
    """Fill a figure; pyplot is told elsewhere."""
    figure.__setstate__(state)
    if _loaded:
        _loaded[-1].append(figure)


_loaded: list[list[Any]] = []  # the figures that are loaded, while a copy is settled


def settle(load: Callable[[], object]) -> object:
    """Return a copy whose figures were drawn: limits, ticks and places of what is aligned are computed by then."""
    _loaded.append([])
    manager = logging.root.manager
    disabled, filters = manager.disable, warnings.filters
    try:
        copies = load()
        # What drawing has to say, it says when the user draws.
        manager.disable = logging.CRITICAL
        warnings.filters = [("ignore", None, Warning, None, 0)]
        for figure in _loaded[-1]:
            figure.draw_without_rendering()
    finally:
        manager.disable, warnings.filters = disabled, filters
        _loaded.pop()
    return copies


__all__ = ["results_of", "set_figure", "set_transform", "settle"]
