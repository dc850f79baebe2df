"""sqlalchemy: descriptions of tables and statements without what they remember of themselves.

Statements and tables keep results of looking at them, under names that the library itself drops whenever they change.
Invariant: nothing else is left out, and `info`, which a MetaData forgets when it is pickled, comes back.
"""

from __future__ import annotations

import copyreg
from typing import Any

from nbcellar.session import library_objects
from nbcellar.session.encode import PROTOCOL, Encoder
from nbcellar.session.reducers.registry import Reducer, register_base

# What a property computed once and the library does not list among what it drops.
_COMPUTED = frozenset({"_type_affinity", "_cloned_set", "_autoincrement_column", "_memoized_keys"})
# A user may hold a column of these, and it must stay the very one.
_KEPT = frozenset({"columns", "c", "_columns", "exported_columns", "primary_key", "foreign_keys"})


def _choose(kind: type) -> Reducer | None:
    if kind.__module__.partition(".")[0] != "sqlalchemy":
        return None
    if any({"__reduce__", "__reduce_ex__"} & vars(base).keys() for base in kind.__mro__[:-1]):
        return None
    return _reduce


def _reduce(obj: Any, encoder: Encoder) -> Any:
    reduced = obj.__reduce_ex__(PROTOCOL)
    if len(reduced) < 3 or type(reduced[2]) is not dict:
        return reduced
    dropped = _COMPUTED | (set(reduced[2].get("_memoized_keys", ())) - _KEPT)
    if dropped.isdisjoint(reduced[2]):
        return reduced
    state = {name: value for name, value in reduced[2].items() if name not in dropped}
    kept = _KEPT.intersection(reduced[2].get("_memoized_keys", ()))
    if kept:
        state["_memoized_keys"] = frozenset(kept)
    return (*reduced[:2], state or None, *reduced[3:])


def _choose_metadata(kind: type) -> Reducer | None:
    return _reduce_metadata


def _reduce_metadata(metadata: Any, encoder: Encoder) -> Any:
    info = {"info": metadata.info} if "info" in vars(metadata) else {}
    state = metadata.__getstate__(), info
    return copyreg.__newobj__, (type(metadata),), state, None, None, library_objects.set_both  # type: ignore[attr-defined]


register_base("sqlalchemy.sql.schema.MetaData", _choose_metadata)
register_base("sqlalchemy.sql.visitors.Visitable", _choose)
