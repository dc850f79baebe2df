"""Which classes decide themselves what their pickles hold, so that bytes alone do not say what would come back.

Asked of every class that is met while a value is encoded. Invariant: a class of the notebook, or of a module beside it,
with a reduction of its own is one; so is any class that such code has registered one for. Not for: finding out what a
class loses (`fidelity.py`).
"""

from __future__ import annotations

import collections
import copyreg
import enum
import sys
import sysconfig
import weakref
from typing import Any

_METHODS = frozenset(
    "__reduce__ __reduce_ex__ __getstate__ __getnewargs__ __getnewargs_ex__ __setstate__ "
    "__getattr__ __getattribute__ __setattr__".split()  # pickle asks an instance for the methods above
)
_CONTAINERS = dict, list, set, frozenset, collections.deque
_FILLING = frozenset("__setitem__ append extend add update __init__ __new__ __hash__ __eq__".split())
_REDUCTIONS = frozenset({"__reduce__", "__reduce_ex__", "__getstate__"})
_LANGUAGE = sys.stdlib_module_names | {"numpy"}
GOOD = frozenset(sys.stdlib_module_names) | frozenset(
    "numpy pandas pyarrow polars scipy sklearn statsmodels matplotlib seaborn PIL plotly networkx torch xgboost "
    "lightgbm dask sympy joblib threadpoolctl dateutil pytz tzdata msgspec nbcellar".split()
)

_verdicts: weakref.WeakKeyDictionary[type, bool] = weakref.WeakKeyDictionary()


def is_opaque(kind: type) -> bool:
    """True if a class of the notebook, or of a module beside it, decides itself what its pickles hold.

    Classes of installed libraries are not tried out: making a second widget or connection may show, or cost something.
    """
    if kind in copyreg.dispatch_table and _is_of_user(getattr(copyreg.dispatch_table[kind], "__module__", "")):
        return True
    known = _verdicts.get(kind)
    if known is None:
        known = _decides_itself(kind)
        if kind.__module__ != "__main__":  # a notebook class may be given such a method later
            _verdicts[kind] = known
    return known


def decides_alone(obj: object) -> bool:
    """True for an object of the notebook that has been given such a method as an attribute, which pickle asks, too."""
    if type(obj).__module__ != "__main__":
        return False
    try:
        attributes = object.__getattribute__(obj, "__dict__")  # a class's own `__getattr__` may make what is asked for
    except AttributeError:
        return False
    return type(attributes) is dict and not _METHODS.isdisjoint(attributes)


def _decides_itself(kind: type) -> bool:
    if not _is_users(kind):
        return False
    if kind in copyreg.dispatch_table:
        return True
    methods = _METHODS | _FILLING if issubclass(kind, _CONTAINERS) else _METHODS
    for base in kind.__mro__[:-1]:
        if str(base.__module__).partition(".")[0] in GOOD and base.__module__ != "__main__":
            if _forgets_attributes(base):
                return True
        elif any(_is_own(vars(base)[name]) for name in methods.intersection(vars(base))):
            return True
    return False


def _forgets_attributes(base: type) -> bool:
    """True if a class of a library pickles itself and may not ask for what a subclass adds: a Counter, a Fraction."""
    if str(base.__module__).partition(".")[0] not in _LANGUAGE or base.__name__ == "ndarray":
        return False
    known = issubclass(base, enum.Enum | BaseException)
    return not known and not _REDUCTIONS.isdisjoint(vars(base))


def _is_own(method: Any) -> bool:
    """False for what `dataclass` generates."""
    code = getattr(method, "__code__", None)
    return not (code is not None and (code.co_filename == "<string>" or method.__module__ == "dataclasses"))


def _is_users(kind: type) -> bool:
    return _is_of_user(kind.__module__)


def _is_of_user(module: object) -> bool:
    if type(module) is not str:
        return False
    if module == "__main__":
        return True
    if module.partition(".")[0] in GOOD:
        return False
    file = getattr(sys.modules.get(module), "__file__", None)
    return isinstance(file, str) and not any(part in file for part in _INSTALLED)


_INSTALLED = ("site-packages", "dist-packages", sysconfig.get_path("stdlib"))
