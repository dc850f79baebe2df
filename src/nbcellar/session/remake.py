"""The loading side of objects of the standard library, scipy, sympy and polars that plain pickle gets wrong or refuses.

Invariant: these names and signatures are part of the format. Not for: choosing what is encoded how (`reducers/`).
"""

from __future__ import annotations

import functools
import importlib
import io
import weakref
from typing import Any


def closed_stream(kind: str) -> Any:
    """Return a stream in memory that was closed."""
    made = io.StringIO() if kind == "StringIO" else io.BytesIO()
    made.close()
    return made


def weak_reference(target: Any) -> Any:
    """Return a weak reference. Something else of the value has to hold its target, or it is gone after loading."""
    return weakref.ref(target)


def set_distribution(distribution: Any, state: dict[str, Any]) -> None:
    """Fill a distribution, and give its class the properties that its constructor gives it for the parameters."""
    vars(distribution).update(state)
    kind: Any = type(distribution)
    for name in state.get("_parameters") or ():
        if not hasattr(kind, name):
            setattr(kind, name, property(functools.partial(_parameter, name)))


def _parameter(name: str, distribution: Any) -> Any:
    return distribution._parameters[name].copy()[()]


def polynomial(kind: Any, expression: Any, generators: tuple[Any, ...], domain: str | tuple[int, bool]) -> Any:
    """Return a polynomial over a domain, told by its text, or by modulus and symmetry if it is finite."""
    domains = importlib.import_module("sympy.polys.domains")
    over = domain if isinstance(domain, str) else domains.GF(domain[0], symmetric=domain[1])
    return kind(expression, *generators, domain=over)


def polars_series(name: str, values: Any, dtype: Any, order: str) -> Any:
    """Return a column of polars that holds `values`. order: "up" or "down" if it is known to be sorted."""
    polars = importlib.import_module("polars")
    made = polars.Series(name, values)
    if made.dtype != dtype:
        made = made.cast(dtype)
    return made.set_sorted(descending=order == "down") if order else made


def polars_frame(columns: tuple[Any, ...]) -> Any:
    """Return a frame of these columns."""
    return importlib.import_module("polars").DataFrame(list(columns))
