"""Which objects can be shared by variables without being shared *state*.

Two variables that reach the same string are independent; two that reach the same list are not. Everything that is not
known to be immutable counts as shared state: a wrong "shared" costs time, a wrong "independent" would lose an alias.
"""

from __future__ import annotations

import datetime
import types

ATOMS: frozenset[type] = frozenset(
    {type(None), bool, int, float, complex, str, bytes, type(...), type(NotImplemented), range, types.ModuleType}
)
"""Exact types whose instances never change; a variable bound to the same such object has the same value."""

_BY_NAME = frozenset(
    {
        "decimal.Decimal",
        "fractions.Fraction",
        "uuid.UUID",
        "pathlib.PosixPath",
        "pathlib.WindowsPath",
        "pathlib.PurePosixPath",
        "pathlib.PureWindowsPath",
        "pathlib._local.PosixPath",
        "pathlib._local.WindowsPath",
        "re.Pattern",
        "zoneinfo.ZoneInfo",
        "ipaddress.IPv4Address",
        "ipaddress.IPv6Address",
        "builtins.mappingproxy",
        "dataclasses._MISSING_TYPE",
        "dataclasses._FIELD_BASE",
        "operator.itemgetter",
        "operator.attrgetter",
        "_struct.Struct",
        "numpy.dtype",
        "numpy.ufunc",
        "pandas._libs.tslibs.timestamps.Timestamp",
        "pandas._libs.tslibs.timedeltas.Timedelta",
        "pandas._libs.tslibs.nattype.NaTType",
        "pandas._libs.missing.NAType",
        "pandas._libs.interval.Interval",
        "pandas.Timestamp",
        "pandas.Timedelta",
    }
)
# Subclasses count too: numpy's dtypes and scalars, pandas' dtypes and indexes (an Index is a value here: its elements
# cannot change, and its name is compared with each frame that carries it).
_BASES_BY_NAME = frozenset(
    {
        "numpy.dtype",
        "numpy.generic",
        "pandas.core.indexes.base.Index",
        "pandas.Index",
        "pandas.core.dtypes.base.ExtensionDtype",
        "pandas.api.extensions.ExtensionDtype",
        "pandas._libs.tslibs.offsets.BaseOffset",
        "pyarrow.lib._PandasConvertible",  # arrays, chunked arrays, tables, record batches
        "pyarrow.lib.DataType",
        "pyarrow.lib.Schema",
        "pyarrow.lib.Field",
        "pyarrow.lib.Scalar",
        "enum.Enum",
    }
)

_known: dict[type, bool] = dict.fromkeys(
    ATOMS
    | {
        tuple,
        slice,
        frozenset,
        types.BuiltinFunctionType,
        types.CodeType,
        types.GenericAlias,
        datetime.date,
        datetime.datetime,
        datetime.time,
        datetime.timedelta,
        datetime.timezone,
    },
    True,
)
_known.update(dict.fromkeys((list, dict, set, bytearray, object), False))


def is_immutable_type(kind: type) -> bool:
    """True if an instance of exactly this type is no shared state by itself (what it refers to is asked apart)."""
    known = _known.get(kind)
    if known is None:
        known = _classify(kind)
        if kind.__module__ != "__main__":  # a notebook class may come and go; a library's stays
            _known[kind] = known
    return known


def _classify(kind: type) -> bool:
    if issubclass(kind, type):
        return True  # classes by name or as definitions, which are versioned apart
    if _path(kind) in _BY_NAME:
        return True
    if any(_path(base) == "numpy.void" for base in kind.__mro__):
        return False  # an element of a structured array is a view of it, and can be assigned to
    return any(_path(base) in _BASES_BY_NAME for base in kind.__mro__)


def _path(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
