"""scipy: distributions whose class decides at construction which class it gives."""

from __future__ import annotations

import sys
from typing import Any

from nbcellar.session import remake, rewrap
from nbcellar.session.encode import PROTOCOL, Encoder
from nbcellar.session.reducers.registry import Reducer, register, register_base


def _choose(kind: type) -> Reducer | None:
    return _reduce


def _reduce(distribution: Any, encoder: Encoder) -> Any:
    # `Normal.__new__` without arguments gives a StandardNormal, which is what plain pickle brings back.
    # Its parameters are properties that the constructor gives to the class, which a new process lacks.
    state = distribution.__reduce_ex__(PROTOCOL)[2]
    return rewrap.make_bare, (type(distribution),), state, None, None, remake.set_distribution


def _reduce_special(function: Any, encoder: Encoder) -> Any:
    """Keep a function of `scipy.special` that is made of several ufuncs by name; they have none."""
    special = vars(sys.modules["scipy.special"])
    name = next((name for name, held in special.items() if held is function), None)
    return NotImplemented if name is None else (rewrap.attribute, ("scipy.special", name))


register("scipy.special._multiufuncs.MultiUFunc", _reduce_special)
register_base("scipy.stats._distribution_infrastructure.UnivariateDistribution", _choose)
