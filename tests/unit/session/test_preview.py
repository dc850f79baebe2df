"""Previews show what a value is, in bounds, without running code of the notebook."""

from __future__ import annotations

import collections
import dataclasses
import datetime
import decimal
import enum
import pathlib
import subprocess
import sys
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbcellar.history.model import Preview
from nbcellar.session.previews import preview as module
from nbcellar.session.previews.preview import MAX_TABLE_TEXT, preview, register
from nbcellar.session.previews.text import MAX_TEXT


def details(value: object) -> dict[str, Any]:
    return {key: msgspec.msgpack.decode(raw) for key, raw in preview(value).details.items()}


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.dates() | st.decimals()
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=60,
)


@settings(max_examples=200, deadline=None)
@given(values)
def test_a_preview_is_bounded_printable_and_survives_its_encoding(value: object) -> None:
    shown = preview(value)
    assert shown.type == type(value).__name__ or shown.type in ("datetime.date", "decimal.Decimal")
    assert len(shown.text) <= MAX_TEXT
    assert not any(ch in shown.text for ch in "\x1b\x00\r\x7f")
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(shown), type=Preview) == shown


@given(st.integers(-(10**9), 10**9) | st.text("abc", max_size=20) | st.lists(st.integers(0, 9), max_size=5) | st.none())
def test_small_values_show_their_repr(value: object) -> None:
    assert preview(value).text == repr(value)


@pytest.mark.parametrize(
    "value, text",
    [
        (list(range(100)), "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, …]"),
        ([[[[1]]]], "[[[[…]]]]"),
        ({"b", "a"}, "{'a', 'b'}"),
        ((1,), "(1,)"),
        ({"k": (1, 2)}, "{'k': (1, 2)}"),
        (10**200, "<integer of 665 bits>"),
        ("\x1b[31mred\x1b[0m\x00", "'red'"),
        (datetime.datetime(2026, 1, 2, 3, 4), "2026-01-02T03:04:00"),
        (decimal.Decimal("1.50"), "1.50"),
        (pathlib.PurePosixPath("a/b"), "PurePosixPath('a/b')"),
        (collections.Counter("aab"), "collections.Counter({'a': 2, 'b': 1})"),
        (collections.deque([1, 2]), "deque([1, 2])"),
        (np.float64(0.1), "0.1"),
        (np.datetime64("2026-01-02"), "2026-01-02"),
        (np.arange(3), "[0, 1, 2] int64"),
        (np.array(5), "5 int64"),
        (np.array([{1: 2}, None], object), "[{1: 2}, None] object"),
        (pd.Series([1.5, None]), "[1.5, nan] float64"),
        (pd.Index([1, 2]), "[1, 2] int64"),
        (pd.Categorical(["a"]), "[a] category"),
        (pd.Timestamp("2026-01-02"), "2026-01-02 00:00:00"),
        (pd.Timedelta("1s"), "0 days 00:00:01"),
        (pd.NA, "<NA>"),
        (pd.NaT, "NaT"),
        (np.dtype("f8"), "float64"),
        (np, f"module numpy {np.__version__}"),
        (len, "function len"),
        (dict, "class dict"),
        (ValueError("no", 1), "ValueError('no', 1)"),
    ],
)
def test_known_types_show_their_value(value: object, text: str) -> None:
    assert preview(value).text == text


def test_functions_show_their_parameters_and_classes_their_bases() -> None:
    def f(a: int, *rest: int, key: int = 1, **more: int) -> None: ...

    class Child(dict): ...  # type: ignore[type-arg]

    assert preview(f).text.endswith("f(a, key, *rest, **more)")
    assert preview(Child).text.endswith("Child(dict)")


class Color(enum.Enum):
    RED = 1


class Pair(NamedTuple):
    left: int
    right: str


@dataclasses.dataclass
class Point:
    x: int
    y: str


def test_instances_show_type_and_plain_fields() -> None:
    assert preview(Point(1, "a")).text.endswith("Point x=1, y='a'>")
    assert details(Point(1, "a")) == {"fields": ["x", "y"]}
    assert preview(Pair(1, "a")).text.endswith("Pair(1, 'a')")
    assert preview(Color.RED).text.endswith("Color.RED")
    assert "0x" not in preview(object()).text


class Hostile:
    """Every hook that a careless preview would run."""

    calls: list[str] = []  # noqa: RUF012 - shared on purpose

    def __init__(self) -> None:
        object.__setattr__(self, "field", 7)

    def _refuse(self, *args: object) -> Any:
        Hostile.calls.append("called")
        raise RuntimeError

    __repr__ = __str__ = __len__ = __iter__ = __bool__ = __getattr__ = __sizeof__ = __format__ = _refuse
    __eq__ = __hash__ = __contains__ = __getitem__ = __dir__ = __reduce__ = _refuse  # type: ignore[assignment]

    def __getattribute__(self, name: str) -> Any:
        Hostile.calls.append(name)
        return object.__getattribute__(self, name)


class HostileList(list):  # type: ignore[type-arg]
    __repr__ = __len__ = __iter__ = __getitem__ = __sizeof__ = Hostile._refuse  # type: ignore[assignment]


class HostileArray(np.ndarray):  # type: ignore[type-arg]
    __repr__ = __len__ = __iter__ = __getitem__ = Hostile._refuse  # type: ignore[assignment]

    @property
    def shape(self) -> Any:
        return Hostile.calls.append("shape")


class HostileDict(collections.OrderedDict):  # type: ignore[type-arg]
    __repr__ = __len__ = __iter__ = items = keys = __getitem__ = Hostile._refuse  # type: ignore[assignment]


class HostileFrame(pd.DataFrame):
    __repr__ = __len__ = __iter__ = __getitem__ = Hostile._refuse  # type: ignore[assignment]

    @property
    def columns(self) -> Any:
        return Hostile.calls.append("columns")


def objects(value: object) -> Any:
    array = np.empty(1, object)  # np.array would ask the value for its length
    array[0] = value
    return array


def test_no_method_of_the_notebook_runs() -> None:
    hostile = Hostile()
    held: list[object] = [hostile, (hostile,), {"k": hostile}, objects(hostile)]
    several: list[object] = [HostileList([1, 2]), np.zeros(3).view(HostileArray), HostileDict(a=1), ValueError(hostile)]
    several.append(HostileFrame(pd.DataFrame({"a": [1]})))
    Hostile.calls.clear()
    shown = [preview(value) for value in [hostile, *held, held, *several]]
    assert Hostile.calls == []
    assert shown[0].text.endswith("Hostile field=7>")
    assert [s.shape for s in shown[6:]] == [(2,), (3,), (1,), (), (1, 1)]


def test_arrays_show_range_and_missing_values() -> None:
    assert details(np.array([3.0, np.nan, -1.5])) == {"dtype": "float64", "nan": 1, "min": -1.5, "max": 3.0}
    assert details(np.array([True, False])) == {"dtype": "bool", "true": 1}
    assert details(np.array(["2026-01-01", "NaT"], "M8[D]"))["max"] == "2026-01-01"
    assert details(np.array([np.nan])) == {"dtype": "float64", "nan": 1}
    assert "min" not in details(np.zeros(10**6))
    assert preview(np.zeros((2, 3))).shape == (2, 3)
    assert preview(np.zeros(5)).size_bytes == 40


@pytest.mark.parametrize(
    "array", [np.zeros(0), np.zeros((0, 3)), np.zeros(2, "i4,f8"), np.array(["a"]), np.ma.masked_array([1], [1])]
)
def test_unusual_arrays_have_a_preview(array: Any) -> None:
    assert preview(array).shape == array.shape
    assert preview(array).text


def test_frames_show_rows_columns_and_head() -> None:
    frame = pd.DataFrame(
        {"number": range(100), "text": ["line\nbreak", "x\x1b[0m"] * 50, "when": pd.Timestamp("2026-01-02")}
    )
    shown = preview(frame)
    assert shown.type == "pandas.DataFrame" and shown.shape == (100, 3)
    assert details(frame)["rows"] == 100
    assert [name for name, _ in details(frame)["columns"]] == ["number", "text", "when"]
    assert shown.text.splitlines()[0].split() == ["number", "text", "when"]
    assert len(shown.text.splitlines()) == 6
    assert "line⏎break" in shown.text and "\x1b" not in shown.text and "2026-01-02" in shown.text
    assert shown.size_bytes >= 100 * 8


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame(),
        pd.DataFrame(index=range(3)),
        pd.DataFrame(np.zeros((3, 500))),
        pd.DataFrame({"a": [1]}).set_index(pd.MultiIndex.from_tuples([(1, "x")])),
        pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", 1), ("b", 2)])),
        pd.DataFrame([[1, 2]], columns=["same", "same"]),
        pd.DataFrame({"o": pd.Series([[1], None, pd.NA, pd.NaT, object()], dtype=object)}),
        pd.DataFrame({"c": pd.Categorical(["a"]), "p": pd.Period("2026"), "i": pd.Interval(0, 1)}),
        pd.DataFrame({"wide": ["w" * 100_000] * 5}),
    ],
)
def test_unusual_frames_have_a_preview(frame: Any) -> None:
    Hostile.calls.clear()
    shown = preview(frame)
    assert shown.type == "pandas.DataFrame" and shown.shape == frame.shape
    assert len(shown.text) <= MAX_TABLE_TEXT
    assert Hostile.calls == []


def test_a_registered_preview_serves_subclasses_and_one_that_fails_is_replaced_by_the_plain_view(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_registry", dict(module._registry))

    class Mine:
        pass

    class Derived(Mine):
        pass

    name = f"{Mine.__module__}.{Mine.__qualname__}"
    register(name, lambda value, deadline: Preview("mine", "shown"))
    assert preview(Derived()) == Preview("mine", "shown")
    register(name, lambda value, deadline: Preview("mine", str(1 / 0)))
    assert preview(Mine()).type.endswith("Mine")


def test_a_self_containing_value_ends() -> None:
    loop: list[Any] = []
    loop.append(loop)
    cycle = Point(1, "a")
    cycle.x = cycle  # type: ignore[assignment]
    assert preview(loop).text == "[[[[…]]]]"
    assert len(preview(cycle).text) <= MAX_TEXT


def test_previews_import_no_library() -> None:
    code = (
        "import sys; from nbcellar.session.previews.preview import preview; from fractions import Fraction;"
        "preview(Fraction(1, 2)); preview([1]); assert not {'numpy', 'pandas'} & set(sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60).returncode == 0
