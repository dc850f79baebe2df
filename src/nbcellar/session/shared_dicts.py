"""Instances whose `__dict__` is another object's, too: `self.__dict__ = self`, `self.__dict__ = self._shared`.

Pickle copies the attributes into a dictionary of the instance's own, and what was one is two from then on. Invariant:
`reducer_for` looks at the class alone, and only at classes whose code replaces `__dict__`; all others pay nothing.
"""

from __future__ import annotations

import dis
from types import FunctionType
from typing import Any

from nbcellar.session import rewrap
from nbcellar.session.definitions.encoding_context import EncodingContext, Reducer, Reduction

_HOW = ("__reduce__", "__reduce_ex__", "__getstate__", "__setstate__")
_PROTOCOL = 5


def reducer_for(kind: type) -> Reducer | None:
    """Return the reducer for instances of a class that replaces their `__dict__` and leaves pickling to Python."""
    bases = [base for base in kind.__mro__ if base is not object]
    if not kind.__dictoffset__ or any(name in vars(base) for base in bases for name in _HOW):
        return None
    code = [member.__code__ for base in bases for member in vars(base).values() if type(member) is FunctionType]
    return _reduce if any(map(_replaces_dict, code)) else None


def _replaces_dict(code: Any) -> bool:
    if "__dict__" in code.co_consts:  # setattr, object.__setattr__
        return True
    return "__dict__" in code.co_names and any(
        step.opname == "STORE_ATTR" and step.argval == "__dict__" for step in dis.get_instructions(code)
    )


def _reduce(obj: Any, context: EncodingContext) -> Reduction:
    reduced = obj.__reduce_ex__(_PROTOCOL)
    if type(reduced) is not tuple or len(reduced) < 3 or type(reduced[2]) is tuple:
        return reduced  # with slots beside
    made, arguments, _, items, pairs = (*reduced, None, None)[:5]
    return made, arguments, obj.__dict__, items, pairs, rewrap.adopt_dict
