"""pint: quantities with the registry that made them, registries without what they remember.

pint's own pickling gives a quantity to the application registry, so that it cannot be added to those of the registry
that made it. Invariant: a quantity and its registry come back together, unless the registry is pint's own.
"""

from __future__ import annotations

import sys
from typing import Any

from nbcellar.session import library_objects
from nbcellar.session.encode import PROTOCOL, Encoder
from nbcellar.session.reducers.registry import Reducer, register, register_base

_MEMOS = ("root_units", "dimensionality", "parse_unit", "conversion_factor")


def _choose_shared(kind: type) -> Reducer | None:
    return _reduce_shared


def _reduce_shared(obj: Any, encoder: Encoder) -> Any:
    """Reduce a quantity, a unit or a measurement as one of its own registry."""
    registry = getattr(obj, "_REGISTRY", None)
    pint = sys.modules["pint"]
    if registry is None or registry is getattr(pint, "_DEFAULT_REGISTRY", None):
        return obj.__reduce_ex__(PROTOCOL)
    state = {name: value for name, value in vars(obj).items() if name != "_dimensionality"}
    return library_objects.make_bare, (type(obj),), state, None, None, library_objects.set_attributes


def _choose_registry(kind: type) -> Reducer | None:
    return _reduce_registry


def _reduce_registry(registry: Any, encoder: Encoder) -> Any:
    reduced = registry.__reduce_ex__(PROTOCOL)
    if len(reduced) > 2 and type(reduced[2]) is dict and "_base_units_cache" in reduced[2]:
        return (*reduced[:2], {**reduced[2], "_base_units_cache": {}}, *reduced[3:])
    return reduced


def _reduce_cache(cache: Any, encoder: Encoder) -> Any:
    """Reduce a registry's cache without what is computed again when it is asked for."""
    reduced = cache.__reduce_ex__(PROTOCOL)
    return (*reduced[:2], {**reduced[2], **{name: {} for name in _MEMOS}}, *reduced[3:])


register("pint.facets.plain.registry.RegistryCache", _reduce_cache)
register_base("pint.util.SharedRegistryObject", _choose_shared)
register_base("pint.facets.plain.registry.GenericPlainRegistry", _choose_registry)
