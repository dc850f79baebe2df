"""Arrays and tables that the engine has captured, read without loading them: the same elements, labels and types."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nbcellar.values.arrays import Array, NumpyScalar, ObjectArray, find_array
from nbcellar.values.columns import MISSING, Column
from nbcellar.values.dtypes import shown
from nbcellar.values.frames import Frame, Index, find_frame
from nbcellar.values.nodes import Call, Global
from nbcellar.values.words import word

from ..session.live import Live, live_session
from .looking import look

np = pytest.importorskip("numpy")
pd = pytest.importorskip("pandas")


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    with live_session(tmp_path) as found:
        yield found


ARRAYS = [
    *(f"np.arange(6).astype('{kind}')" for kind in ("i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "?", ">i4")),
    *(f"np.linspace(-1, 1, 7).astype('{kind}')" for kind in ("f2", "f4", "f8", ">f8", "c8", "c16")),
    "np.array(['a', 'bcd', ''])",
    "np.array([b'a', b'bcd'])",
    "np.array(['2020-01-01', 'NaT', '1969-12-31T23:59:59'], 'M8[s]')",
    "np.array([1, -5, 10**9], 'm8[ms]')",
    "np.arange(24.).reshape(2, 3, 4)",
    "np.asfortranarray(np.arange(24.).reshape(2, 3, 4))",
    "np.arange(200000.)",
    "np.arange(200000.).reshape(400, 500)",
    "np.asfortranarray(np.arange(200000.).reshape(400, 500))",
    "np.arange(400000.)[::-1]",
    "np.arange(400000.)[7::3]",
    "np.arange(400000.).reshape(4, 100, 1000)[:, ::2, 5:900]",
    "np.arange(400000.).reshape(4, 100, 1000).transpose(2, 0, 1)",
    "np.broadcast_to(np.arange(4.), (3, 4))",
    "np.arange(24.).reshape(2, 3, 4).transpose(1, 2, 0)",
    "np.zeros((0, 3))",
    "np.array(3.5)",
    "np.array([], dtype='U3')",
    "np.frombuffer(bytearray(range(48)), 'i4')",
]


@pytest.mark.parametrize("expression", ARRAYS)
def test_an_array_has_its_elements(live: Live, expression: str) -> None:
    commit = live.cell(f"import numpy as np\nx = {expression}")
    real = live.value("x")
    array = find_array(*look(live, "x", commit))
    assert isinstance(array, Array)
    assert array.shape == real.shape
    elements = array.in_c_order()
    found = elements.values(0, elements.count)
    plain = np.asarray(real)
    if plain.dtype.kind in "mM":
        plain = plain.view("i8")
    assert found == plain.flatten().tolist()
    if real.dtype.kind in "iufcbmM":
        assert array.dtype.name == real.dtype.name


def test_views_of_one_array_are_read_as_what_they_show(live: Live) -> None:
    commit = live.cell("import numpy as np\na = np.arange(100000.).reshape(100, 1000)\nb = a[10:20, ::2]\nc = a.T")
    for name in "abc":
        array = find_array(*look(live, name, commit))
        assert isinstance(array, Array)
        elements = array.in_c_order()
        assert elements.values(0, elements.count) == live.value(name).flatten().tolist()


def test_rows_of_a_table_of_numbers_are_its_columns(live: Live) -> None:
    commit = live.cell("import numpy as np\na = np.arange(60.).reshape(6, 10)\nb = np.asfortranarray(a)\nc = a[::2]")
    for name in "abc":
        array = find_array(*look(live, name, commit))
        assert isinstance(array, Array)
        assert [row.values(0, row.count) for row in array.rows()] == live.value(name).tolist()


def test_an_element_is_found_at_its_place_in_any_order(live: Live) -> None:
    commit = live.cell("import numpy as np\na = np.arange(24).reshape(2, 3, 4)\nb = np.asfortranarray(a)")
    for name in "ab":
        array = find_array(*look(live, name, commit))
        assert isinstance(array, Array)
        flat = array.elements.values(0, 24)
        assert all(live.value(name)[array.index(place)] == value for place, value in enumerate(flat))


def test_masks_records_objects_and_numbers_are_found(live: Live) -> None:
    commit = live.cell(
        "import numpy as np\nm = np.ma.masked_array([1., 2.], [0, 1])\n"
        "r = np.array([(1, 2.5), (3, 4.5)], dtype=[('a', 'i4'), ('b', 'f8')])\n"
        "o = np.array([[1, 'a'], [None, 2]], dtype=object)\nv = o[:, 1]\nn = np.float32(1.5)"
    )
    masked = find_array(*look(live, "m", commit))
    assert isinstance(masked, Array) and masked.mask is not None and masked.type == "numpy.ma.MaskedArray"
    assert masked.mask.elements.values(0, 2) == [False, True]
    records = find_array(*look(live, "r", commit))
    assert isinstance(records, Array) and [(f, d.name, o) for f, d, o in records.dtype.fields] == [
        ("a", "int32", 0),
        ("b", "float64", 4),
    ]
    objects = find_array(*look(live, "o", commit))
    assert isinstance(objects, ObjectArray) and objects.items == [1, "a", None, 2] and objects.shape == (2, 2)
    view = find_array(*look(live, "v", commit))
    assert isinstance(view, ObjectArray) and view.items == ["a", 2]
    number = find_array(*look(live, "n", commit))
    assert isinstance(number, NumpyScalar) and number.value == 1.5 and number.dtype.name == "float32"


FRAME = """
import numpy as np, pandas as pd
df = pd.DataFrame({
    'i': [1, 2, 3], 'f': [1.5, np.nan, 2.5], 'j': np.array([7, 8, 9]), 'b': [True, False, True],
    's': ['x', None, 'äöü'], 'o': [1, 'two', None], 'c': pd.Categorical(['u', None, 'v']),
    't': pd.to_datetime(['2020-01-01', None, '2021-05-06 07:08:09'], format='ISO8601'),
    'z': pd.date_range('2020', periods=3, tz='Europe/Rome'), 'd': pd.to_timedelta([1, 2, None], unit='h'),
    'I': pd.array([1, None, 3], dtype='Int64'), 'F': pd.array([1.5, None, 3], dtype='Float32'),
    'B': pd.array([True, None, False], dtype='boolean'), 'S': pd.array(['a', None, 'b'], dtype='string'),
    'P': pd.period_range('2020', periods=3, freq='M'), 'N': pd.interval_range(0, 3), 7: 1, ('a', 'b'): 2,
}, index=['p', 'q', 'r'])
t = df.T
s = df['f']
w = pd.DataFrame(np.arange(12.).reshape(3, 4), columns=list('abcd'))
m = df.set_index(['i', 's'])
u = df.iloc[::-1]
e = pd.DataFrame()
h = pd.DataFrame({'a': []})
"""


def expected(column: Any) -> list[Any]:
    """Return a column of pandas as this folder words it."""
    found = []
    for value in column.tolist():
        if value is None or value is pd.NaT or value is pd.NA:
            found.append(MISSING)
        elif isinstance(value, float) and math.isnan(value):
            found.append("nan" if column.dtype.kind == "f" else MISSING)
        elif isinstance(value, (pd.Timestamp, pd.Timedelta, pd.Period, pd.Interval)):
            found.append("shown")
        else:
            found.append(value)
    return found


def found_in(column: Column, real: Any) -> list[Any]:
    found = []
    for value, there in zip(column.values(), real, strict=True):
        if there == "shown":
            assert value is not MISSING
            found.append("shown")
        elif value is None or (type(value) in (Global, Call) and word(value).rpartition(".")[2] in ("NA", "NaT")):
            found.append(MISSING)
        else:
            found.append("nan" if isinstance(value, float) and value != value else value)
    return found


@pytest.mark.pandas2
def test_a_frame_has_its_columns_labels_and_values(live: Live) -> None:
    commit = live.cell(FRAME)
    assert live.not_stored == {}
    for name in ("df", "w", "m", "u", "e", "h"):
        real = live.value(name)
        frame = find_frame(*look(live, name, commit))
        assert isinstance(frame, Frame), name
        assert frame.rows == len(real)
        assert frame.labels == list(real.columns)
        for column, (label, there) in zip(frame.columns, real.items(), strict=True):
            wanted = expected(there)
            assert found_in(column, wanted) == wanted, (name, label)
        assert frame.index is not None
        if name != "m":
            assert frame.index.column.values() == list(real.index)
        else:
            pairs = [tuple(None if x is MISSING else x for x in row) for row in frame.index.column.values()]
            assert pairs == [(1, "x"), (2, None), (3, "äöü")]


@pytest.mark.pandas2
def test_series_and_frames_of_objects_are_read(live: Live) -> None:
    commit = live.cell(FRAME)
    series = find_frame(*look(live, "s", commit))
    assert isinstance(series, Frame) and series.labels == ["f"] and series.columns[0].values()[0] == 1.5
    turned = find_frame(*look(live, "t", commit))
    assert isinstance(turned, Frame) and turned.labels == ["p", "q", "r"] and turned.rows == 18


INDEXES = [
    "pd.RangeIndex(3, 30, 4)",
    "pd.Index([1.5, 2.5], name='x')",
    "pd.Index(['a', 'b'])",
    "pd.MultiIndex.from_product([['a', 'b'], [1, 2]], names=['k', 'l'])",
    "pd.CategoricalIndex(['a', 'b', 'a'])",
]


@pytest.mark.pandas2
@pytest.mark.parametrize("expression", INDEXES)
def test_an_index_has_its_labels_and_names(live: Live, expression: str) -> None:
    commit = live.cell(f"import pandas as pd\nx = {expression}")
    index = find_frame(*look(live, "x", commit))
    assert isinstance(index, Index)
    assert index.column.values() == list(live.value("x"))
    assert index.names == list(live.value("x").names)


@pytest.mark.pandas2
def test_dates_are_shown_as_pandas_shows_them(live: Live) -> None:
    commit = live.cell(
        "import pandas as pd\nx = pd.Series(pd.to_datetime(['2020-02-29', '1969-12-31 23:59:59.5'], format='ISO8601'))"
    )
    series = find_frame(*look(live, "x", commit))
    assert isinstance(series, Frame)
    assert series.columns[0].values() == ["2020-02-29", "1969-12-31 23:59:59.5"]


def test_a_large_frame_is_split_at_its_columns(live: Live) -> None:
    commit = live.cell("import numpy as np, pandas as pd\nx = pd.DataFrame(np.arange(400000.).reshape(-1, 4))")
    frame = find_frame(*look(live, "x", commit))
    assert isinstance(frame, Frame)
    assert frame.columns[3].values()[:3] == [3.0, 7.0, 11.0]


def test_tables_of_arrow_are_read(live: Live) -> None:
    pytest.importorskip("pyarrow")
    commit = live.cell(
        "import pyarrow as pa\n"
        "x = pa.table({'a': [1, None, 3], 's': ['x', None, 'zz'], 'b': [True, None, False], 'f': [1.5, 2.5, None]})\n"
        "y = x.slice(1)\nz = pa.concat_tables([x, x])"
    )
    for name in "xyz":
        frame = find_frame(*look(live, name, commit))
        assert isinstance(frame, Frame)
        for label, column in zip(frame.labels, frame.columns, strict=True):
            found = [None if value is MISSING else value for value in column.values()]
            assert found == live.value(name)[label].to_pylist(), (name, label)


def test_units_of_dates_are_worded() -> None:
    from nbcellar.values.dtypes import DType

    for unit, value, text in [
        ("ns", 1, "1970-01-01 00:00:00.000000001"),
        ("D", 18_000, "2019-04-14"),
        ("M", 600, "2020-01"),
        ("Y", 50, "2020"),
        ("s", 10**15, "1000000000000000 s"),
    ]:
        assert shown(DType("M", 8, unit=unit), value) == text
    assert shown(DType("m", 8, unit="s"), -90) == "-00:01:30"
    assert shown(DType("m", 8, unit="D"), 3) == "3 days"
