"""Values of all kinds: equal ones show no change, and each change shows at its path."""

from __future__ import annotations

import copy
import datetime
import decimal
import math
import pathlib
import pickle
from collections import Counter, OrderedDict, defaultdict, deque
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nbcellar.diff.model import ArrayChange, BlocksChange, FrameChange, PictureChange, TextChange
from nbcellar.diff.variables import compare_values_of

from .sides import changes, leaves, raw_side, side

ATOMS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.binary(max_size=20))
# Whole in a path, where words of more than 40 columns are cut: "\U00018d09" takes ten.
PARTS = st.integers(-(10**9), 10**9), st.text("ab\u00e9\ud7fc'\n", max_size=3)
KEYS = st.one_of(st.integers(), st.text(max_size=3), st.tuples(*PARTS))
VALUES = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=6), st.tuples(inner, inner), st.dictionaries(KEYS, inner, max_size=5)
    ),
    max_leaves=25,
)


def paths(value: Any, path: str = "x") -> list[tuple[str, Any]]:
    """Return the paths of all that is no container, each with how to get there."""
    found: list[tuple[str, Any]] = []
    if isinstance(value, (list, tuple)):
        for place, item in enumerate(value):
            found += [(inside, (place, *way)) for inside, way in paths(item, f"{path}[{place}]")]
    elif isinstance(value, dict):
        for key, item in value.items():
            found += [(inside, (key, *way)) for inside, way in paths(item, f"{path}[{key!r}]")]
    else:
        found.append((path, ()))
    return found


def replaced(value: Any, way: tuple[Any, ...], item: Any) -> Any:
    """Return a copy of a value with one item in it replaced."""
    if not way:
        return item
    inner = replaced(value[way[0]], way[1:], item)
    if isinstance(value, tuple):
        return (*value[: way[0]], inner, *value[way[0] + 1 :])
    made = copy.copy(value)
    made[way[0]] = inner
    return made


@given(VALUES)
def test_a_value_does_not_differ_from_its_copy(value: Any) -> None:
    assert changes(value, copy.deepcopy(value)) is None


@given(VALUES, st.data())
def test_one_changed_item_is_found_at_its_path(value: Any, data: st.DataObject) -> None:
    known = paths(value)
    assume(known)
    path, way = data.draw(st.sampled_from(known))
    changed = changes(value, replaced(value, way, "entirely new"))
    assume(changed is not None)  # it was that already
    (leaf,) = leaves(changed)
    assert leaf.path == path
    assert "entirely new" in leaf.after


@given(st.lists(st.integers(), max_size=20), st.integers(0, 20))
def test_an_inserted_item_is_all_that_changed(items: list[int], place: int) -> None:
    (leaf,) = leaves(changes(items, [*items[:place], "new", *items[place:]]))
    assert (leaf.change, leaf.after) == ("added", "'new'")


@given(VALUES, VALUES)
def test_the_way_back_has_as_many_changes(old: Any, new: Any) -> None:
    there, back = changes(old, new), changes(new, old)
    assert (there is None) == (back is None)


PAIRS: dict[str, tuple[Any, Any]] = {
    "float": (0.1, 0.1 + 2**-55),
    "sign of zero": (0.0, -0.0),
    "int and bool": (1, True),
    "int and float": (1, 1.0),
    "number and NaN": (1.0, math.nan),
    "complex": (1 + 2j, 1 - 2j),
    "text and bytes": ("a", b"a"),
    "list and tuple": ([1], (1,)),
    "set and frozenset": ({1}, frozenset((1,))),
    "Decimal": (decimal.Decimal("1.50"), decimal.Decimal("1.5")),
    "date": (datetime.date(2020, 1, 1), datetime.date(2020, 1, 2)),
    "datetime": (datetime.datetime(2020, 1, 1), datetime.datetime(2020, 1, 1, 0, 0, 0, 5)),
    "zones": (
        datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc),
        datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(hours=1))),
    ),
    "time": (datetime.time(1, 2), datetime.time(1, 3)),
    "timedelta": (datetime.timedelta(1), datetime.timedelta(1, 5)),
    "path": (pathlib.Path("a/b"), pathlib.Path("a/c")),
    "range": (range(3), range(4)),
    "function": (len, max),
    "class": (int, str),
    "large int": (10**5000, 10**5000 + 1),
    "deque": (deque([1, 2]), deque([1, 3])),
    "deque's length": (deque([1], maxlen=3), deque([1], maxlen=4)),
    "Counter": (Counter("aab"), Counter("abb")),
    "defaultdict": (defaultdict(list, a=[1]), defaultdict(list, a=[2])),
    "default": (defaultdict(list), defaultdict(set)),
    "OrderedDict": (OrderedDict(a=1, b=2), OrderedDict(b=2, a=1)),
    "order of keys": ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    "exception": (ValueError("a"), ValueError("b")),
    "bytearray": (bytearray(b"abc"), bytearray(b"abd")),
    "empty and not": ([], [1]),
    "lone surrogate": ("\ud800", "\udfff"),
}


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
def test_a_difference_of_two_values_is_told_in_different_words(pair: tuple[Any, Any]) -> None:
    change = changes(*pair)
    assert change is not None
    for leaf in leaves(change):
        told = (leaf.before, leaf.type_before) != (leaf.after, leaf.type_after)
        assert told or leaf.detail is not None or leaf.notes or leaf.change != "changed", leaf
    assert changes(pair[0], copy.deepcopy(pair[0])) is None
    assert changes(pair[1], copy.deepcopy(pair[1])) is None


class Model:
    def __init__(self, **attributes: Any) -> None:
        self.__dict__.update(attributes)


class Slotted:
    __slots__ = ("a", "b")

    def __init__(self, a: Any, b: Any) -> None:
        self.a, self.b = a, b


def test_attributes_of_instances_are_compared_by_name() -> None:
    found = changes(Model(C=1.0, tol=0.1, old=1), Model(C=10.0, tol=0.1, new=2))
    assert [(leaf.path, leaf.change, leaf.before, leaf.after) for leaf in leaves(found)] == [
        ("x.C", "changed", "1.0", "10.0"),
        ("x.new", "added", "", "2"),
        ("x.old", "removed", "1", ""),
    ]
    (leaf,) = leaves(changes(Slotted(1, [2]), Slotted(1, [3])))
    assert (leaf.path, leaf.before, leaf.after) == ("x.b[0]", "2", "3")


def test_a_cycle_is_walked_once() -> None:
    old: list[Any] = [1]
    old.append(old)
    new: list[Any] = [2]
    new.append(new)
    assert changes(old, copy.deepcopy(old)) is None
    (leaf,) = leaves(changes(old, new))
    assert leaf.path == "x[0]"


def test_an_object_in_two_places_is_told_once() -> None:
    one, two = [1, 2], [1, 3]
    found = list(leaves(changes({"a": one, "b": one}, {"a": two, "b": two})))
    assert [leaf.path for leaf in found] == ["x['a'][1]"]


def test_long_texts_are_compared_by_line() -> None:
    old = "\n".join(f"line {n}" for n in range(50))
    change = changes({"t": old}, {"t": old.replace("line 7\n", "line seven\n")})
    (leaf,) = leaves(change)
    assert leaf.path == "x['t']" and isinstance(leaf.detail, TextChange)
    assert [line.text for line in leaf.detail.lines if line.mark in "+-"] == ["line 7", "line seven"]


def test_many_changed_numbers_of_a_list_are_a_vector() -> None:
    found = changes([float(n) for n in range(100)], [n + 0.5 * (n % 3) for n in range(100)])
    assert found is not None and isinstance(found.detail, ArrayChange) and found.detail.cells is not None
    assert (found.detail.cells.changed, found.detail.cells.largest) == (66, 1.0)


def test_sets_say_which_elements_came_and_went() -> None:
    found = changes({1, 2, 3}, {2, 3, 4})
    assert sorted((leaf.change, leaf.after or leaf.before) for leaf in leaves(found)) == [
        ("added", "4"),
        ("removed", "1"),
    ]


def test_more_changes_than_are_listed_are_counted() -> None:
    found = changes({n: n for n in range(1000)}, {n: -n - 1 for n in range(1000)})
    assert found is not None
    assert len(found.parts) + found.more == 1000


def test_what_cannot_be_looked_into_is_compared_by_its_blocks() -> None:
    deep_old: Any = [1]
    deep_new: Any = [2]
    for _ in range(300):
        deep_old, deep_new = [deep_old], [deep_new]
    found = changes(deep_old, deep_new)
    assert found is not None and isinstance(found.detail, BlocksChange)
    assert "nested too deeply" in found.notes[0]


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_any_streams_are_compared_or_told_to_be_unreadable(old: bytes, new: bytes) -> None:
    for pair in ((old, new), (b"\x80\x05" + old + b"\x85.", b"\x80\x05" + new + b"\x85.")):
        found = compare_values_of("x", 0, raw_side(pair[0]), raw_side(pair[1]))
        assert found is None or found.path.startswith("x")


@given(st.data())
def test_damaged_arrays_and_frames_are_compared_or_told_to_be_unreadable(data: st.DataObject) -> None:
    np, pd = pytest.importorskip("numpy"), pytest.importorskip("pandas")
    whole = pickle.dumps((pd.DataFrame({"a": [1, 2], "b": ["x", None]}), np.arange(6.0).reshape(2, 3), {"k": 1.5}), 5)
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    for place in range(3):
        for pair in ((whole, bytes(damaged)), (bytes(damaged), whole)):
            found = compare_values_of("x", place, raw_side(pair[0]), raw_side(pair[1]))
            assert found is None or found.path.startswith("x")


# ----------------------------------------------------------------------------------------------------------------------
# Arrays and frames


@given(st.sampled_from("?bHiqfdDUSM"), st.integers(1, 4), st.integers(1, 4), st.data())
def test_one_changed_element_of_an_array_is_found_at_its_index(
    kind: str, rows: int, columns: int, data: st.DataObject
) -> None:
    np = pytest.importorskip("numpy")
    dtype = {"U": "U3", "S": "S3", "M": "M8[s]"}.get(kind, kind)
    old = np.zeros((rows, columns), dtype)
    new = old.copy(order=data.draw(st.sampled_from("CF")))
    place = data.draw(st.integers(0, rows - 1)), data.draw(st.integers(0, columns - 1))
    new[place] = 1 if kind not in "M" else np.datetime64(1, "s")
    found = changes(old, new)
    assert found is not None and isinstance(found.detail, ArrayChange) and found.detail.cells is not None
    assert found.detail.cells.changed == 1
    assert found.detail.cells.examples[0].at == f"{place[0]}, {place[1]}"
    assert changes(old, old.copy()) is None and changes(new, new.copy()) is None


def test_shapes_and_types_of_arrays_are_told() -> None:
    np = pytest.importorskip("numpy")
    found = changes(np.arange(6.0).reshape(2, 3), np.arange(9.0).reshape(3, 3))
    assert found is not None and isinstance(found.detail, ArrayChange) and found.detail.cells is not None
    assert (found.detail.shape_before, found.detail.shape_after, found.detail.rows) == ([2, 3], [3, 3], 2)
    assert found.detail.cells.changed == 0
    found = changes(np.arange(3), np.arange(3.0))
    assert found is not None and isinstance(found.detail, ArrayChange)
    assert (found.detail.dtype_before, found.detail.dtype_after) == ("int64", "float64")
    for old, new in [
        (np.zeros(0), np.zeros((0, 2))),
        (np.array(1.0), np.array(2.0)),
        (np.zeros(3), np.zeros((3, 1))),
        (np.array([1, "a"], object), np.array([1, "b"], object)),
        (np.ma.masked_array([1, 2], [0, 1]), np.ma.masked_array([1, 2], [0, 0])),
        (np.array([(1, 2.0)], "i4,f8"), np.array([(1, 3.0)], "i4,f8")),
        (np.float32(1.5), np.float32(2.5)),
        (np.array(["NaT", "2020"], "M8[Y]"), np.array(["2019", "2020"], "M8[Y]")),
    ]:
        assert changes(old, new) is not None, old
        assert changes(old, copy.deepcopy(old)) is None, old


def frame(old: Any, new: Any) -> FrameChange:
    found = changes(old, new)
    assert found is not None and isinstance(found.detail, FrameChange)
    return found.detail


@pytest.mark.pandas2
@given(st.data())
def test_one_changed_cell_of_a_frame_is_found_at_its_label_and_column(data: st.DataObject) -> None:
    np, pd = pytest.importorskip("numpy"), pytest.importorskip("pandas")
    made = {
        "i": [1, 2, 3, 4],
        "f": [1.5, np.nan, 2.5, 0.0],
        "s": ["a", None, "c", "d"],
        "o": pd.Series([1, "two", None, 4], dtype=object),
        "c": pd.Categorical(["u", None, "v", "u"], categories=["u", "v", "w"]),
        "t": pd.date_range("2020", periods=4),
        "n": pd.array([1, None, 3, 4], dtype="Int64"),
        "b": [True, False, True, False],
        "S": pd.array(["a", None, "c", "d"], dtype="string"),
    }
    index = data.draw(st.sampled_from([None, list("pqrs"), [10, 20, 30, 40], [1.5, 2.5, 3.5, 4.5]]))
    old = pd.DataFrame(made)
    if index is not None:
        old.index = index
    values = {"i": 99, "f": 99.5, "s": "new", "o": "new", "c": "w", "t": pd.Timestamp("1999"), "n": 99, "S": "new"}
    column = data.draw(st.sampled_from([*values, "b"]))
    place = data.draw(st.integers(0, 3))
    new = old.copy()
    new.iloc[place, list(old.columns).index(column)] = values.get(column, not old["b"].iloc[place])
    (changed,) = frame(old, new).columns
    assert (changed.name, changed.change) == (column, "changed")
    assert changed.cells is not None and changed.cells.changed == 1
    label = old.index[place]
    assert changed.cells.examples[0].at in (repr(label), str(label))
    assert changes(old, old.copy()) is None


@pytest.mark.pandas2
def test_rows_are_told_by_their_labels() -> None:
    pd = pytest.importorskip("pandas")
    old = pd.DataFrame({"a": [1, 2, 3, 4]}, index=list("pqrs"))
    new = old.drop(index="q")
    new.loc["z"] = 9
    new.loc["r", "a"] = -3
    found = frame(old, new)
    assert (found.rows_added, found.added_labels, found.rows_dropped, found.dropped_labels) == (1, ["'z'"], 1, ["'q'"])
    assert [(c.name, c.cells.changed if c.cells else None) for c in found.columns] == [("a", 1)]
    moved = frame(old, old.iloc[::-1])
    assert (moved.rows_moved, moved.rows_added, moved.columns) == (True, 0, [])


@pytest.mark.pandas2
def test_rows_that_are_numbered_anew_are_told_by_their_content() -> None:
    pd = pytest.importorskip("pandas")
    old = pd.DataFrame({"a": range(100), "b": [str(n) for n in range(100)]})
    found = frame(old, old[old.a % 10 != 3].reset_index(drop=True))
    assert (found.rows_by, found.rows_dropped, found.dropped_labels[:2], found.columns) == (
        "content",
        10,
        ["3", "13"],
        [],
    )
    appended = frame(old, pd.concat([old, old.iloc[:2]], ignore_index=True))
    assert (appended.rows_by, appended.rows_added, appended.columns) == ("label", 2, [])


@pytest.mark.pandas2
def test_labels_that_are_not_unique_leave_places() -> None:
    pd = pytest.importorskip("pandas")
    old = pd.DataFrame({"a": [1, 2, 3]}, index=["p", "p", "q"])
    new = pd.DataFrame({"a": [1, 5, 3, 4]}, index=["p", "p", "q", "q"])
    found = frame(old, new)
    assert (found.rows_by, found.rows_added) == ("place", 1)
    assert [c.cells.changed for c in found.columns if c.cells] == [1]


@pytest.mark.pandas2
def test_columns_come_go_move_and_change_their_names_and_types() -> None:
    pd = pytest.importorskip("pandas")
    old = pd.DataFrame({"a": [1, 2], "b": [1.5, 2.5], "gone": [1, 1], "t": [1, 2]})
    new = old.drop(columns="gone").rename(columns={"b": "beta"})
    new["t"] = new["t"].astype(float)
    new["new"] = ["x", "y"]
    new = new[["t", "a", "beta", "new"]]
    found = frame(old, new)
    assert found.columns_moved
    told = {column.name: (column.change, column.renamed_from, column.dtype_after) for column in found.columns}
    assert told["beta"] == ("changed", "b", "float64")
    assert told["gone"][0] == "removed" and told["new"][0] == "added" and "a" not in told
    assert told["t"] == ("changed", "", "float64")


@pytest.mark.pandas2
def test_equal_names_of_columns_are_told_apart() -> None:
    pd = pytest.importorskip("pandas")
    old = pd.DataFrame([[1, 2, 3]], columns=["a", "a", "a (2)"])
    new = old.copy()
    new.iloc[0, 1] = 9
    (changed,) = frame(old, new).columns
    assert changed.cells is not None and changed.cells.examples[0].before == "2"


@pytest.mark.pandas2
def test_series_indexes_and_attrs_are_compared() -> None:
    pd = pytest.importorskip("pandas")
    series = pd.Series([1, 2], name="a")
    assert frame(series, series.rename("b")).columns[0].renamed_from == "a"
    assert frame(series, series * 2).columns[0].cells.changed == 2  # type: ignore[union-attr]
    assert frame(pd.Index(["a", "b"]), pd.Index(["a", "c"])).added_labels == ["'c'"]
    assert frame(pd.RangeIndex(3), pd.RangeIndex(4)).rows_added == 1
    old, new = pd.DataFrame({"a": [1]}), pd.DataFrame({"a": [1]})
    new.attrs["unit"] = "kg"
    (leaf,) = leaves(changes(old, new))
    assert leaf.path == "x.attrs" and leaf.after == "{'unit': 'kg'}"
    named = frame(
        pd.DataFrame({"a": [1]}, index=pd.Index([1], name="k")), pd.DataFrame({"a": [1]}, index=pd.Index([1]))
    )
    assert "name" in named.index


@pytest.mark.pandas2
def test_what_rows_and_columns_are_called_is_told_whatever_else_changed() -> None:
    pd = pytest.importorskip("pandas")
    old = pd.DataFrame({"g": [0, 0, 1], "v": [1.0, 2.0, 3.0]})
    grouped = frame(old, old.groupby("g").mean())
    assert (grouped.index, grouped.rows_dropped) == ("name None -> 'g'", 1)
    new = old.copy()
    new.columns.name = "field"
    (leaf,) = leaves(changes(old, new))
    assert (leaf.path, leaf.after) == ("x.columns.name", "'field'")
    renamed = new.copy()
    renamed.columns.name = "column"
    (leaf,) = leaves(changes(new, renamed))
    assert (leaf.before, leaf.after) == ("'field'", "'column'")
    levels = pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "b"), ("a", "c")], names=["k", None]))
    (leaf,) = leaves(changes(levels, levels.rename_axis(columns=["k", "l"])))
    assert leaf.path.startswith("x.columns.names") and "'l'" in str(leaf.after)


@pytest.mark.pandas2
def test_that_every_label_changed_is_told_beside_their_type() -> None:
    pd = pytest.importorskip("pandas")
    old = pd.DataFrame({"a": [1, 2, 3]})
    new = frame(old, old.set_index(pd.Index(["x", "y", "z"]))).index
    assert new == "RangeIndex -> Index; every label changed"


def test_pictures_are_compared_by_pixel() -> None:
    image = pytest.importorskip("PIL.Image")
    old = image.new("RGB", (10, 8), (255, 0, 0))
    new = old.copy()
    new.putpixel((3, 4), (0, 0, 255))
    found = changes(old, new)
    assert found is not None and isinstance(found.detail, PictureChange)
    assert (found.detail.pixels, found.detail.of) == (1, 80)


def test_nothing_is_a_change_of_itself_for_what_libraries_make() -> None:
    linear = pytest.importorskip("sklearn.linear_model")
    np = pytest.importorskip("numpy")
    data = np.random.default_rng(0).normal(size=(30, 3))
    target = (data[:, 0] > 0).astype(int)
    old = linear.LogisticRegression(C=1.0).fit(data, target)
    assert changes(old, copy.deepcopy(old)) is None
    new = linear.LogisticRegression(C=10.0).fit(data, target)
    told = {leaf.path: leaf for leaf in leaves(changes(old, new))}
    assert (told["x.C"].before, told["x.C"].after) == ("1.0", "10.0")
    assert isinstance(told["x.coef_"].detail, ArrayChange)


def test_the_side_of_a_class_of_the_notebook_has_its_name() -> None:
    stream = pickle.dumps(({"a": 1},), 5)
    assert side({"a": 1}).type_name(raw_side(stream).stored.objects()[0]) == "dict"


@pytest.mark.pandas2
def test_what_values_do_not_show_of_a_frame_is_told() -> None:
    pd = pytest.importorskip("pandas")
    old = pd.DataFrame({"c": pd.Categorical(["a", "b"])})
    new = pd.DataFrame({"c": pd.Categorical(["a", "b"], categories=["a", "b", "z"])})
    assert frame(old, new).columns[0].note == "categories +'z'"
    dates = pd.date_range("2020", periods=3, freq="D")
    assert "freq" in frame(dates, pd.DatetimeIndex(list(dates))).index
    flagged = pd.DataFrame({"a": [1]}).set_flags(allows_duplicate_labels=False)
    (leaf,) = leaves(changes(pd.DataFrame({"a": [1]}), flagged))
    assert "allows_duplicate_labels" in leaf.path
    zones = [pd.DataFrame({"t": pd.date_range("2020", periods=1, tz=zone)}) for zone in ("UTC", "Asia/Tokyo")]
    assert [column.dtype_after.endswith("Asia/Tokyo]") for column in frame(*zones).columns] == [True]


class Key:
    def __init__(self, n: int) -> None:
        self.n = n


def test_a_key_that_is_an_object_and_changed_is_told_as_that() -> None:
    found = changes({Key(1): "a", "k": 1}, {Key(2): "b", "k": 1})
    told = sorted((leaf.before, leaf.after) for leaf in leaves(found))
    assert told == [("'a'", "'b'"), ("1", "2")]
