"""scikit-learn: the names of the columns that a model was fitted with.

Under pandas 2, `feature_names_in_` is the very array beneath the frame's columns, so that each model would be one
co-variable with all frames of these columns, and fitting it a change of them. Invariant: these names are a value, as
the index is that they were taken from; an array that a variable is bound to itself is still shared with them.
"""

from __future__ import annotations

import sys
from typing import Any

from nbcellar.session.encode import Encoder
from nbcellar.session.reducers.registry import Reducer, register_base

_NAMES = "feature_names_in_"


def _reduce_estimator(estimator: Any, encoder: Encoder) -> Any:
    names: Any = getattr(estimator, "__dict__", {}).get(_NAMES)
    if type(names) is sys.modules["numpy"].ndarray and names.dtype.hasobject:
        encoder.copy_on_write.add(id(names))
        encoder.never_written.add(id(names))
        encoder.keep(names)
    return NotImplemented


def _choose(kind: type) -> Reducer | None:
    # Others' estimators, and those of the notebook, are reduced in ways of their own.
    return _reduce_estimator if str(kind.__module__).partition(".")[0] == "sklearn" else None


register_base("sklearn.base.BaseEstimator", _choose)
