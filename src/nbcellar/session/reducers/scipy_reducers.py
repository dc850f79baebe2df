"""scipy: distributions whose class decides at construction which class it gives."""

from __future__ import annotations

from typing import Any

from nbcellar.session import rewrap
from nbcellar.session.encode import PROTOCOL, Encoder
from nbcellar.session.reducers.registry import Reducer, register_base


def _choose(kind: type) -> Reducer | None:
    return _reduce if "__new__" in vars(kind) else None


def _reduce(distribution: Any, encoder: Encoder) -> Any:
    # `Normal.__new__` without arguments gives a StandardNormal, which is what plain pickle brings back.
    reduced = distribution.__reduce_ex__(PROTOCOL)
    return (rewrap.make_bare, (type(distribution),), *reduced[2:])


register_base("scipy.stats._distribution_infrastructure.UnivariateDistribution", _choose)
