"""The standard library: what is told by the very object that it is, and small things that pickle refuses.

argparse compares with `is` to its text SUPPRESS, which pickle would store by value: it is kept by name.
Not for: types of `builtins` (`builtin_reducers.py`), wrappers of functions and classes (`definitions/wrappers.py`).
"""

from __future__ import annotations

import sys
from typing import Any

from nbcellar.errors import CannotStoreError
from nbcellar.session import remake, rewrap
from nbcellar.session.encode import PROTOCOL, Encoder, reduce_with_dict
from nbcellar.session.reducers.registry import Reducer, register, register_base


class _Suppress:
    """Stands for argparse's text in what is pickled."""

    def __reduce__(self) -> Any:
        return rewrap.attribute, ("argparse", "SUPPRESS")


_SUPPRESS = _Suppress()


def _choose_of_argparse(kind: type) -> Reducer | None:
    how = {"__reduce__", "__reduce_ex__", "__getstate__"}
    return None if any(how & vars(base).keys() for base in kind.__mro__[:-1]) else _reduce_of_argparse


def _reduce_of_argparse(obj: Any, encoder: Encoder) -> Any:
    reduced = obj.__reduce_ex__(PROTOCOL)
    if len(reduced) < 3 or type(reduced[2]) is not dict:
        return reduced
    suppress = sys.modules["argparse"].SUPPRESS
    state = {}
    for name, value in reduced[2].items():
        if value is suppress:
            value = _SUPPRESS
        elif type(value) is dict and any(part is suppress for part in value.values()):
            raise CannotStoreError(f"a dict of argparse ('{name}') that holds argparse.SUPPRESS")
        state[name] = value
    encoder.not_shared.add(id(_SUPPRESS))
    return (*reduced[:2], state, *reduced[3:])


def _reduce_struct(obj: Any, encoder: Encoder) -> Any:
    return type(obj), (obj.format,)


def _reduce_stream(stream: Any, encoder: Encoder) -> Any:
    if not stream.closed:
        return reduce_with_dict(stream, encoder)
    if vars(stream):
        return NotImplemented
    return remake.closed_stream, (type(stream).__name__,)


def _reduce_address(address: Any, encoder: Encoder) -> Any:
    return type(address), (str(address),)  # Python 3.10 forgets the zone of `fe80::1%eth0`


def _reduce_weak_reference(reference: Any, encoder: Encoder) -> Any:
    target = reference()
    if target is None:
        raise CannotStoreError("a weak reference whose object is gone")
    if reference.__callback__ is not None:
        raise CannotStoreError("a weak reference with a callback")
    return remake.weak_reference, (target,)


for _base in ("_AttributeHolder", "_ActionsContainer", "HelpFormatter"):
    register_base(f"argparse.{_base}", _choose_of_argparse)
register("_struct.Struct", _reduce_struct)
register("ipaddress.IPv6Address", _reduce_address)
register("_io.BytesIO", _reduce_stream)
register("_io.StringIO", _reduce_stream)
register("weakref.ReferenceType", _reduce_weak_reference)
