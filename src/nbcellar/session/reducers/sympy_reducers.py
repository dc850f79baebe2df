"""sympy: polynomials, whose own pickling forgets the domain of the coefficients.

Invariant: what does not come back equal, domain included, is refused.
"""

from __future__ import annotations

from typing import Any

from nbcellar.errors import CannotStoreError
from nbcellar.session import remake
from nbcellar.session.encode import Encoder
from nbcellar.session.reducers.registry import Reducer, register_base


def _choose(kind: type) -> Reducer | None:
    return _reduce


def _reduce(poly: Any, encoder: Encoder) -> Any:
    domain = poly.domain
    told: Any = (int(domain.mod), bool(domain.sym)) if domain.is_FiniteField else str(domain)
    arguments = type(poly), poly.as_expr(), poly.gens, told
    try:
        again = remake.polynomial(*arguments)
    except Exception as error:
        raise CannotStoreError(f"a polynomial over {domain}: {type(error).__name__}: {error}") from None
    if again != poly or again.domain != domain or again.gens != poly.gens:
        raise CannotStoreError(f"a polynomial over {domain}, which does not follow from its name")
    return remake.polynomial, arguments


register_base("sympy.polys.polytools.Poly", _choose)
