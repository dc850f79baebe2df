"""Objects of libraries that keep results of what they were asked, so that looking at them seems to change them.

Only what the library computes again when it is asked is left out. Invariant: an object without these attributes gives
the same answers. Not for: classes of the notebook (a user may set such an attribute), classes that pickle themselves.
"""

from __future__ import annotations

import functools
from typing import Any

from nbcellar.session.encode import PROTOCOL, Encoder
from nbcellar.session.reducers.registry import Reducer, register_package

# Packages whose `functools.cached_property` attributes follow from the others.
_WITH_CACHED_PROPERTIES = ("networkx", "dask", "dask_expr")
_NEW: Any = object()  # the attribute is not there before it is asked for
_BY_CLASS: dict[str, dict[str, Any]] = {  # attributes, and what they are before the object is asked anything
    "scipy.sparse._compressed._cs_matrix": {"_has_canonical_format": _NEW, "_has_sorted_indices": _NEW},
    "nltk.tokenize.regexp.RegexpTokenizer": {"_regexp": None},
    "nltk.classify.naivebayes.NaiveBayesClassifier": {"_most_informative_features": _NEW},
    "sklearn.feature_extraction.text._VectorizerMixin": {"_stop_words_id": _NEW},
    "networkx.classes.graph.Graph": {"__networkx_cache__": dict},
}


def choose(kind: type) -> Reducer | None:
    """Return the reducer of a library's class that keeps results, None for all others."""
    kept = _results_of(kind)
    if not kept or not _leaves_it_to_python(kind):
        return None

    def reduce(obj: Any, encoder: Encoder) -> Any:
        reduced = obj.__reduce_ex__(PROTOCOL)
        if len(reduced) < 3 or type(reduced[2]) is not dict or kept.keys().isdisjoint(reduced[2]):
            return reduced
        state = {name: _before(kept[name]) if name in kept else value for name, value in reduced[2].items()}
        return (*reduced[:2], {name: value for name, value in state.items() if value is not _NEW}, *reduced[3:])

    return reduce


def _before(value: Any) -> Any:
    return value() if isinstance(value, type) else value


def _results_of(kind: type) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for base in kind.__mro__:
        kept.update(_BY_CLASS.get(f"{base.__module__}.{base.__qualname__}", {}))
        if str(base.__module__).partition(".")[0] in _WITH_CACHED_PROPERTIES:
            kept.update(
                (name, _NEW) for name, member in vars(base).items() if type(member) is functools.cached_property
            )
    return kept


def _leaves_it_to_python(kind: type) -> bool:
    how = {"__reduce__", "__reduce_ex__", "__getstate__", "__setstate__"}
    return not any(how & vars(base).keys() for base in kind.__mro__[:-1])


for _package in (*_WITH_CACHED_PROPERTIES, *{path.partition(".")[0] for path in _BY_CLASS}):
    register_package(_package, choose)
