"""Results that objects of libraries compute when they are asked and keep: looking at an object must not seem a change.

A result is stored with its object, for it may be older than the data beside it (a group-by that has summed, of a frame
that was changed then). But that one *appears*, in an object that is otherwise what was stored, is no change: it follows
from what was stored. `Encoder.new_results` is told which an object holds and says which to leave out.
Invariant: named here are results that a user cannot change or set through what the library documents: numbers and
texts that a data descriptor guards, private attributes that are handed out as copies or not at all, counters. An array
or a dict that the library hands out as it keeps it counts as soon as it appears: it may have been changed by then.
Not for: what is left out altogether (`cache_reducers.py`).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nbcellar.session import arrays
from nbcellar.session.encode import PROTOCOL, Encoder
from nbcellar.session.immutable import is_immutable_type

Reducer = Callable[[Any, Any], Any]

Test = Callable[[Any], bool]
_GONE: Any = object()  # the attribute is not there before the object is asked


@dataclass(frozen=True, slots=True)
class Result:
    """An attribute that is filled when an object is asked. before: what it was; test: whether a value follows."""

    before: Any = _GONE
    test: Test = lambda value: True


def _is_constant(value: Any) -> bool:
    if type(value) in (tuple, frozenset):
        return all(map(_is_constant, value))
    return is_immutable_type(type(value))


def _is_empty(value: Any) -> bool:
    return type(value) is dict and not value


def _is_default_fill(value: Any) -> bool:
    import numpy as np

    return type(value) is np.ndarray and not value.dtype.hasobject and value.ndim == 0 and _fills_by_default(value)


def _fills_by_default(value: Any) -> bool:
    import numpy as np

    try:
        return bool(value == np.ma.default_fill_value(value.dtype))
    except (TypeError, ValueError, KeyError):
        return False


_PRIVATE = Result()
_EMPTY = Result(None, _is_empty)
_UNSET = Result(None)
_NO_ITEMS = Result(dict)

_BY_CLASS: dict[str, dict[str, Result]] = {
    "numpy.ma.MaskedArray": {"fill_value": Result(None, _is_default_fill)},
    "numpy.ma.core.MaskedArray": {"fill_value": Result(None, _is_default_fill)},
    "scipy.stats._distribution_infrastructure.UnivariateDistribution": {
        "_moment_raw_cache": _NO_ITEMS,
        "_moment_central_cache": _NO_ITEMS,
        "_moment_standardized_cache": _NO_ITEMS,
        "_method_cache": _NO_ITEMS,
        "_moment_methods": _PRIVATE,  # what has been tried of those of the class
        "_support_cache": _UNSET,
        "_constant_cache": _UNSET,
    },
    "scipy.sparse.linalg._interface.MatrixLinearOperator": {"_MatrixLinearOperator__adj": _UNSET},
    "sklearn.feature_extraction.text._VectorizerMixin": {"_stop_words_id": _PRIVATE},
    "xarray.core.common.AttrAccessMixin": {"_attrs": _EMPTY, "_encoding": _EMPTY},
    "xarray.core.variable.Variable": {"_attrs": _EMPTY, "_encoding": _EMPTY},
    "dask.highlevelgraph.HighLevelGraph": {"_to_dict": _PRIVATE},
    "xml.dom.minidom.Element": {"_attrs": _EMPTY, "_attrsNS": _EMPTY},
}
_CACHE = "_cache"  # where pandas keeps results, behind descriptors that refuse to be set
_PUBLIC = frozenset({"groups", "indices"})  # dicts that a group-by hands out as it keeps them
_INNER = frozenset(  # of the object within a group-by that the group-by does not hand out
    "result_index_and_ids codes_info codes ids is_monotonic result_index binlabels "
    "result_ilocs group_info group_keys_seq reconstructed_codes".split()
)
_COUNTERS = {  # by class, the places of counters in the tuple that its own pickling makes
    f"sklearn.neighbors._{tree}.BinaryTree{bits}": (7, 8, 9, 10)
    for tree in ("kd_tree", "ball_tree")
    for bits in (32, 64)
}


def without_new_results(kind: type, reducer: Reducer | None) -> Reducer | None:
    """Return a reducer that also asks which results of an instance are to be left out; the same one where none are."""
    table: dict[str, Result] = {}
    counters: tuple[int, ...] = ()
    for base in kind.__mro__:
        path = f"{base.__module__}.{base.__qualname__}"
        table.update(_BY_CLASS.get(path, {}))
        counters = counters or _COUNTERS.get(path, ())
    cached = _keeps_a_cache(kind)
    is_expression = any(base.__module__ == "dask._expr" and base.__qualname__ == "Expr" for base in kind.__mro__)
    if not (table or counters or cached or is_expression):
        return reducer

    def reduce(obj: Any, encoder: Encoder) -> Any:
        reduced = NotImplemented if reducer is None else reducer(obj, encoder)
        if reduced is NotImplemented:
            reduced = obj.__reduce_ex__(PROTOCOL)
        if type(reduced) is not tuple:
            return reduced
        if is_expression:
            return _without_found_out(obj, reduced, encoder)
        if "fill_value" in table:
            return _without_fill(obj, reduced, table["fill_value"], encoder)
        state = reduced[2] if len(reduced) > 2 else None
        if counters:
            state = _with_counters_as_stored(obj, state, counters, encoder)
        elif type(state) is dict:
            state = _filtered(obj, state, table, cached, encoder)
        elif type(state) is tuple:
            at = next((at for at, part in enumerate(state) if type(part) is dict), len(state))
            held = _filtered(obj, state[at] if at < len(state) else {}, table, cached, encoder)
            if at < len(state):
                kept = () if cached and not held and _leaves_out_no_attributes() else (held,)
                state = (*state[:at], *kept, *state[at + 1 :])
        else:
            encoder.new_results(obj, frozenset())
            return reduced
        return (*reduced[:2], state, *reduced[3:])

    return reduce


def _leaves_out_no_attributes() -> bool:
    """True for pandas from 3 on: the state of an array without attributes has no place for them; before, it must."""
    version = str(getattr(sys.modules.get("pandas"), "__version__", "3"))
    return not version.startswith(("0.", "1.", "2."))


def _keeps_a_cache(kind: type) -> bool:
    """True for classes of pandas with `cache_readonly` descriptors, but for those that pickle their data alone."""
    own = [base for base in kind.__mro__ if str(base.__module__).partition(".")[0] == "pandas"]
    if any(base.__qualname__ in ("Index", "Block", "ArrowExtensionArray") for base in own):  # a frame has many
        return False
    return any(type(member).__name__ == "CachedProperty" for base in own for member in vars(base).values())


def _with_counters_as_stored(obj: Any, state: Any, counters: tuple[int, ...], encoder: Encoder) -> Any:
    left = encoder.new_results(obj, frozenset(f"{at} {state[at]}" for at in counters))
    if not left:
        return state
    words = [word.split() for word in (encoder.known_results or {})[id(obj)]]
    known = {int(at): int(count) for at, count in words}
    return tuple(known.get(at, part) for at, part in enumerate(state))


def _filtered(
    obj: Any, state: dict[str, Any], table: dict[str, Result], cached: bool, encoder: Encoder
) -> dict[str, Any]:
    """Return a state without what an object has computed since it was stored."""
    present = {name for name, result in table.items() if name in state and _is_new(state[name], result)}
    cache = state.get(_CACHE) if cached else None
    if type(cache) is dict:
        present.update(f"{_CACHE}.{name}" for name, value in cache.items() if _is_guarded(name, value))
        if all(_is_guarded(name, value) for name, value in cache.items()):
            present.add(_CACHE)
    left = encoder.new_results(obj, frozenset(present))
    if not left:
        return state
    found: dict[str, Any] = {}
    for name, value in state.items():
        if name == _CACHE and type(cache) is dict:
            kept = {key: part for key, part in cache.items() if f"{_CACHE}.{key}" not in left}
            if kept or _CACHE not in left:
                found[name] = kept
        elif name not in left:
            found[name] = value
        elif table[name].before is not _GONE:
            found[name] = _before(table[name])
    return found


def _is_new(value: Any, result: Result) -> bool:
    if result.before is dict:
        return bool(value)
    return value is not result.before and result.test(value)


def _before(result: Result) -> Any:
    return result.before() if isinstance(result.before, type) else result.before


def _is_guarded(name: str, value: Any) -> bool:
    return name not in _PUBLIC and (name.startswith("_") or _is_constant(value) or name in _INNER)


def _without_found_out(obj: Any, reduced: Any, encoder: Encoder) -> Any:
    """Take what an expression of dask, which nobody can change, has found out of itself from a reduction."""
    if len(reduced) != 2 or not reduced[1] or type(reduced[1][-1]) is not dict:
        return reduced
    kind, *operands, token, found = reduced[1]
    names = getattr(kind, "_parameters", ())
    at = names.index(_LENGTHS) if _LENGTHS in names else -1
    present = set(found)
    if 0 <= at < len(operands) and operands[at] is not None:
        present.add(_LENGTHS)
    left = encoder.new_results(obj, frozenset(present))
    if _LENGTHS in left:
        operands[at] = None
    return reduced[0], (kind, *operands, token, {name: value for name, value in found.items() if name not in left})


_LENGTHS = "_pd_length_stats"  # an operand that is counted when it is first asked for


def _without_fill(obj: Any, reduced: Any, result: Result, encoder: Encoder) -> Any:
    """Take the value that a masked array fills in out of a reduction to `arrays.masked`, if it is that of its type."""
    present = frozenset({"fill_value"} if reduced[0] is arrays.masked and result.test(obj._fill_value) else ())
    if not encoder.new_results(obj, present):
        return reduced
    make, arguments = reduced[:2]
    return (make, (*arguments[:3], None, *arguments[4:]), *reduced[2:])
