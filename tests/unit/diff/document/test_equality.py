"""Strict equality of JSON values."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbcellar.diff.document.equality import json_key, same_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=6,
)
DIFFERENT = [1, 1.0, True, 0, 0.0, -0.0, False, None, "", "1", [], {}, [1], [[1]], {"a": 1}, {"a": 1.0}, 2**70, [2**70]]


@pytest.mark.parametrize(("a", "b"), list(itertools.combinations(DIFFERENT, 2)))
def test_values_of_other_kinds_differ(a: Any, b: Any) -> None:
    assert not same_json(a, b)
    assert json_key(a) != json_key(b)


def test_not_a_number_is_itself_and_the_order_of_keys_does_not_count() -> None:
    assert same_json([math.nan], [float("nan")])
    assert same_json({"a": 1, "b": [2**80]}, {"b": [2**80], "a": 1})
    assert same_json("\ud800", "\ud800")
    assert not same_json(["\ud800"], ["\ud801"])


@given(VALUES, VALUES)
def test_the_key_says_what_equality_says(a: Any, b: Any) -> None:
    assert same_json(a, a)
    assert same_json(a, b) == (json_key(a) == json_key(b))


def test_values_nested_too_deeply_for_recursion_are_compared() -> None:
    deep: Any = []
    other: Any = [1]
    for _ in range(100_000):
        deep, other = [deep], [other]
    assert same_json(deep, [deep[0]])
    assert not same_json(deep, other)
