"""The loading side of `matplotlib_reducers`: what its streams call.

Invariant: a transform knows its parents whichever of them is loaded first; colours follow their norm, and a colour bar
its picture. matplotlib is imported by what is loaded.
"""

from __future__ import annotations

import itertools
import locale
import logging
import operator
import os
import sys
import warnings
import weakref
from collections.abc import Callable
from typing import Any

from xxhash import xxh3_128_digest

from nbcellar.session.encode import FirstUse

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


# Attribute with a registry of callbacks, attribute with the number there, method that is called at "changed".
_LINKS = (
    ("norm.callbacks", "_id_norm", "changed"),
    ("_colorizer.callbacks", "_id_colorizer", "changed"),
    ("callbacks", "colorbar_cid", "colorbar.update_normal"),
)


def links_of(owner: Any) -> tuple[int, ...]:
    """Return which of the links to what an object is coloured by are in place."""
    return tuple(number for number, (where, cid, _) in enumerate(_LINKS) if _is_linked(owner, where, cid))


def set_linked(owner: Any, state: tuple[dict[str, Any], tuple[int, ...]]) -> None:
    """Fill an object, and have it called again when what it is coloured by changes."""
    attributes, links = state
    if hasattr(owner, "__setstate__"):
        owner.__setstate__(attributes)
    else:
        owner.__dict__.update(attributes)
    for where, cid, method in (_LINKS[number] for number in links):
        registry = operator.attrgetter(where)(owner)
        following, registry._cid_gen = registry._cid_gen, itertools.count(getattr(owner, cid))
        registry.connect("changed", operator.attrgetter(method)(owner))
        registry._cid_gen = following


def _is_linked(owner: Any, where: str, cid: str) -> bool:
    try:
        return getattr(owner, cid) in operator.attrgetter(where)(owner).callbacks.get("changed", {})
    except (AttributeError, TypeError):
        return False


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


_WITHOUT_EFFECT = frozenset({"backend", "backend_fallback", "interactive"})


def options() -> bytes:
    """Return what a drawing depends on beside the figure: matplotlib's options, converters of units, locale, zone."""
    items = dict.items(sys.modules["matplotlib"].rcParams)
    chosen = [(key, value) for key, value in items if key not in _WITHOUT_EFFECT]
    units = getattr(sys.modules.get("matplotlib.units"), "registry", {})
    converters = [(id(kind), id(converter)) for kind, converter in units.items()]
    found = (chosen, converters, locale.setlocale(locale.LC_ALL), os.environ.get("TZ"))
    return xxh3_128_digest(repr(found).encode("utf-8", "surrogatepass"))


FIRST_DRAWING = FirstUse(settle, options)


def content_of(figure: Any) -> tuple[object, ...]:
    """Return what no drawing changes, in short: how many parts a figure and its axes have, their titles and labels."""
    axes = figure.axes
    lists = ("lines", "patches", "texts", "images", "artists", "legends", "subfigs")
    return (
        *(_length(figure, name) for name in lists),
        *((*(_length(ax, name) for name in ("_children", "child_axes")), *_words(ax)) for ax in axes),
    )


def _length(owner: Any, name: str) -> int:
    held = vars(owner).get(name)
    return len(held) if type(held) is list else 0


def _words(axes: Any) -> list[object]:
    held = vars(axes)
    texts = [held.get(name) for name in ("title", "_left_title", "_right_title")]
    texts += [getattr(held.get(name), "label", None) for name in ("xaxis", "yaxis", "zaxis")]
    return [held.get("legend_") is None, *(str(getattr(text, "_text", "")) for text in texts)]


__all__ = ["FIRST_DRAWING", "content_of", "links_of", "results_of", "set_figure", "set_linked", "set_transform"]
