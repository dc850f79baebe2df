"""Values of parameters: in every form they stay what they are."""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbcellar.components.parameters import as_json, as_text, sealed, sealed_as_text, type_of, unsealed

leaves = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.complex_numbers()
) | st.sampled_from([..., 10**30, -(2**63) - 1, "\ud800", "python"])
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.sets(leaves, max_size=3)
        | st.dictionaries(st.text() | st.just("python") | st.integers() | st.tuples(st.integers()), inner)
    ),
    max_leaves=8,
)


def exactly(value: Any) -> Any:
    """Return a value so that 1, 1.0 and True are three, and each kind of no number is itself."""
    if isinstance(value, dict):
        return "dict", [(exactly(key), exactly(item)) for key, item in value.items()]
    if isinstance(value, list | tuple):
        return type(value).__name__, [exactly(item) for item in value]
    if isinstance(value, set):
        return "set", sorted(map(repr, map(exactly, value)))
    return type(value).__name__, repr(value)


@given(values)
def test_what_was_sealed_and_sent_is_the_same_value(value: Any) -> None:
    held = sealed(value)
    assert exactly(unsealed(msgspec.msgpack.decode(msgspec.msgpack.encode(held)))) == exactly(value)
    assert exactly(unsealed(msgspec.json.decode(msgspec.json.encode(held)))) == exactly(value)


@given(values, values)
def test_other_values_are_sealed_as_others(one: Any, other: Any) -> None:
    texts = [msgspec.json.encode(sealed(value), order="deterministic") for value in (one, other)]
    if exactly(one) != exactly(other):
        assert texts[0] != texts[1] or sorted_keys(one) == sorted_keys(other)


def sorted_keys(value: Any) -> Any:
    """Return a value as the order of keys does not matter."""
    if isinstance(value, dict):
        return "dict", sorted(((exactly(key), sorted_keys(item)) for key, item in value.items()), key=repr)
    if isinstance(value, list | tuple):
        return type(value).__name__, [sorted_keys(item) for item in value]
    return exactly(value)


@given(values)
def test_programs_and_people_can_be_told_of_any_value(value: Any) -> None:
    assert msgspec.json.decode(msgspec.json.encode(as_json(value))) == as_json(value)
    assert isinstance(as_text(value), str) and isinstance(type_of(value), str)


@pytest.mark.parametrize(
    ("value", "told", "text"),
    [
        ([1, 2], [1, 2], "[1, 2]"),
        ((1, 2), "(1, 2)", "(1, 2)"),
        ({"b", "a"}, "{'a', 'b'}", "{'a', 'b'}"),
        ({(1, 2): 3}, "{(1, 2): 3}", "{(1, 2): 3}"),
        ({1: 2}, "{1: 2}", "{1: 2}"),
        (math.inf, "float('inf')", "float('inf')"),
        (b"x", "b'x'", "b'x'"),
        (10**30, str(10**30), str(10**30)),
    ],
)
def test_what_json_cannot_hold_is_text_in_python(value: Any, told: Any, text: str) -> None:
    assert (as_json(value), as_text(value)) == (told, text)


def test_of_what_somebody_else_sealed_nothing_is_made() -> None:
    assert sealed_as_text({"python": "__import__('os').abort("}) == "__import__('os').abort("
    assert sealed_as_text(json.loads('{"python": 1, "more": 2}')) == '{"python": 1, "more": 2}'
    with pytest.raises(ValueError):
        unsealed({"python": "__import__('os').abort()"})
