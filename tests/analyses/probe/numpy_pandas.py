"""How arrays, frames, indexes and their kin are looked at."""

from __future__ import annotations

from typing import Any

from .pieces import ADDRESS, attributes_of, bytes_of, columns_first, digest_of, short, text_of
from .walk import BY_NAME, Walk


def visit_array(walk: Walk, obj: Any, path: str) -> str:
    import numpy as np

    head = f"{obj.dtype!r} {obj.shape}"
    if not walk.in_pandas:  # how a frame lays its columns out is its own affair
        head += f" {obj.flags.writeable} {columns_first(obj)}"
    if obj.size and obj.dtype != object:
        low, high = np.lib.array_utils.byte_bounds(obj) if hasattr(np.lib, "array_utils") else np.byte_bounds(obj)
        walk.spans.append((low, high, bool(walk.copies_on_write), path))
    if isinstance(obj, np.ma.MaskedArray):
        mask = np.ma.getmaskarray(obj)
        return digest_of(head, bytes_of(np.where(mask, 0, obj.data)), bytes_of(mask), repr(obj.fill_value))
    found = [head, _contents(walk, np.asarray(obj), path)]
    if type(obj) is np.memmap:  # "w+" empties the file when it is mapped again; a path is as good as its text
        found += [str(obj.filename), str(obj.offset), "r+" if obj.mode == "w+" else str(obj.mode)]
    elif type(obj) is not np.ndarray:
        found.append(walk.digest_parts("attributes", path, ((f".{k}", v) for k, v in attributes_of(obj).items())))
    return digest_of(*found)


def _contents(walk: Walk, array: Any, path: str) -> str:
    if array.dtype == object:
        return walk.digest_parts("objects", path, ((f"[{i}]", item) for i, item in enumerate(array.ravel())))
    return bytes_of(array)


def visit_numpy_scalar(walk: Walk, obj: Any, path: str) -> str:
    return f"{obj.dtype!r} {obj.tobytes().hex() if obj.dtype != object else obj!r}"


def visit_generator_of_numpy(walk: Walk, obj: Any, path: str) -> str:
    return walk.visit(obj.bit_generator, f"{path}.bit_generator")


def visit_bit_generator(walk: Walk, obj: Any, path: str) -> str:
    return Walk({}).visit(obj.state, "state")


def visit_random_state(walk: Walk, obj: Any, path: str) -> str:
    return walk.visit(obj._bit_generator, f"{path}.bit_generator") + repr(obj.get_state(legacy=False)["has_gauss"])


def visit_frame(walk: Walk, obj: Any, path: str) -> str:
    parts: list[tuple[str, object]] = [(".columns", obj.columns), (".index", obj.index)]
    parts += [(f"~[{short(name)}]#{i}", obj._get_column_array(i)) for i, name in enumerate(obj.columns)]
    return _pandas(walk, obj, path, parts)


def visit_series(walk: Walk, obj: Any, path: str) -> str:
    return _pandas(walk, obj, path, [(".index", obj.index), ("~.array", obj.array), (".name", obj.name)])


def _pandas(walk: Walk, obj: Any, path: str, parts: list[tuple[str, object]]) -> str:
    import pandas as pd

    options = getattr(pd.options.mode, "copy_on_write", False)
    lazily = pd.__version__ >= "3" or options is True
    walk.copies_on_write += lazily
    walk.in_pandas += 1
    try:
        # What accessors leave behind is theirs; what statsmodels notes of a design, its models have themselves.
        attributes = {k: v for k, v in vars(obj).items() if k[0] != "_" and not hasattr(type(obj), k)}
        attributes.pop("design_info", None)
        parts += [("~.attrs", obj.attrs), ("~.own", attributes)]
        return walk.digest_parts(f"{obj.flags.allows_duplicate_labels}", path, parts)
    finally:
        walk.copies_on_write -= lazily
        walk.in_pandas -= 1


def visit_index(walk: Walk, obj: Any, path: str) -> str:
    if type(obj).__name__ == "MultiIndex":
        parts = [(f"~.levels[{i}]", v) for i, v in enumerate(obj.levels)]
        parts += [(f"~.codes[{i}]", v.tolist()) for i, v in enumerate(obj.codes)]
        return walk.digest_parts("multi", path, [*parts, (".names", tuple(obj.names))])
    freq = getattr(obj, "freq", None)
    own = {k: v for k, v in vars(obj).items() if not k.startswith("_")}
    if type(obj).__name__ == "RangeIndex":
        return digest_of(repr(obj), repr(own))
    walk.copies_on_write += 1  # an index is never written to
    walk.in_pandas += 1
    try:
        return walk.digest_parts(f"{freq!r} {obj.dtype!r}", path, [("~.array", obj.array), (".name", obj.name)]) + repr(
            own
        )
    finally:
        walk.copies_on_write -= 1
        walk.in_pandas -= 1


def visit_extension(walk: Walk, obj: Any, path: str) -> str:
    """Return the digest of a column's array; what it lies in is noted for whether it is shared."""
    head = f"{obj.dtype!r} {len(obj)}"
    if type(obj).__name__ in ("Categorical",):
        return walk.digest_parts(
            head + str(obj.ordered), path, [("~.categories", obj.categories), ("~.codes", obj._codes)]
        )
    inner = [(f"~.{name}", getattr(obj, name, None)) for name in ("_ndarray", "_data", "_mask")]
    inner = [(key, value) for key, value in inner if type(value).__name__ == "ndarray"]
    if inner and obj.dtype != object:
        return walk.digest_parts(head + repr(getattr(obj, "freq", None)), path, inner)
    return walk.digest_parts(head, path, ((f"[{i}]", item) for i, item in enumerate(obj)))


def visit_group_by(walk: Walk, obj: Any, path: str) -> str:
    facts = {k: getattr(obj, k, None) for k in ("axis", "level", "sort", "as_index", "dropna", "observed", "keys")}
    facts["keys"] = ADDRESS.sub("", text_of(facts["keys"]))[:500]
    sizes = Walk({}).visit(obj.size(), "sizes")
    return walk.digest_parts(repr(sorted(facts.items(), key=str)) + sizes, path, [(".obj", obj.obj)])


def visit_pandas_dtype(walk: Walk, obj: Any, path: str) -> str:
    return repr(obj)


BY_NAME.update(
    {
        "numpy.ndarray": visit_array,
        "numpy.generic": visit_numpy_scalar,
        "numpy.random._generator.Generator": visit_generator_of_numpy,
        "numpy.random.bit_generator.BitGenerator": visit_bit_generator,
        "numpy.random.mtrand.RandomState": visit_random_state,
        "pandas.core.frame.DataFrame": visit_frame,
        "pandas.DataFrame": visit_frame,
        "pandas.core.series.Series": visit_series,
        "pandas.Series": visit_series,
        "pandas.core.indexes.base.Index": visit_index,
        "pandas.Index": visit_index,
        "pandas.core.arrays.base.ExtensionArray": visit_extension,
        "pandas.api.extensions.ExtensionArray": visit_extension,
        "pandas.core.groupby.groupby.BaseGroupBy": visit_group_by,
        "pandas.core.dtypes.base.ExtensionDtype": visit_pandas_dtype,
        "pandas.api.extensions.ExtensionDtype": visit_pandas_dtype,
        "numpy.dtype": visit_pandas_dtype,
        "pandas._libs.tslibs.timestamps.Timestamp": visit_pandas_dtype,
        "pandas._libs.tslibs.timestamps._Timestamp": visit_pandas_dtype,
        "pandas._libs.tslibs.timedeltas._Timedelta": visit_pandas_dtype,
        "pandas._libs.tslibs.period._Period": visit_pandas_dtype,
        "pandas._libs.tslibs.offsets.BaseOffset": visit_pandas_dtype,
        "pandas._libs.missing.NAType": visit_pandas_dtype,
        "pandas._libs.tslibs.nattype._NaT": visit_pandas_dtype,
        "datetime.tzinfo": visit_pandas_dtype,
    }
)
