from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbcellar.testing.comparing import compare_results
from nbcellar.testing.rules import Rules


def stream(text: Any, name: str = "stdout") -> dict[str, Any]:
    return {"output_type": "stream", "name": name, "text": text}


def shown(count: int | None = None, **data: Any) -> dict[str, Any]:
    bundle = {key.replace("_", "/"): value for key, value in data.items()}
    if count is None:
        return {"output_type": "display_data", "data": bundle, "metadata": {}}
    return {"output_type": "execute_result", "data": bundle, "metadata": {"a": count}, "execution_count": count}


def error(value: str, *trace: str) -> dict[str, Any]:
    return {"output_type": "error", "ename": "ValueError", "evalue": value, "traceback": list(trace)}


def same(stored: list[dict[str, Any]], found: list[dict[str, Any]], **rules: Any) -> bool:
    return not compare_results(stored, found, Rules(**rules))


def test_what_changes_by_itself_does_not_count() -> None:
    assert same([shown(3, text_plain="<A at 0x7f1122334455>")], [shown(9, text_plain=["<A at 0x7f99", "88776655>"])])
    assert same([error("no", "line 3 of /home/ada/x.py")], [error("no", "line 4 of /tmp/x.py")])
    assert same([stream("a\n"), stream("b\n")], [stream(["a\n", "b\n"])])
    assert same([stream("  1%\r 50%\r100%\n")], [stream("100%\n")])
    assert same([stream("")], [])


def test_streams_may_take_turns_otherwise_but_not_across_a_picture() -> None:
    out, err, picture = stream("a\n"), stream("w\n", "stderr"), shown(text_plain="p")
    assert same([out, err, stream("b\n")], [err, stream("a\nb\n")])
    assert not same([out, picture], [picture, out])


@pytest.mark.parametrize(
    ("stored", "found"),
    [
        ([stream("a\n")], [stream("b\n")]),
        ([stream("a\n")], []),
        ([], [shown(1, text_plain="1")]),
        ([shown(1, text_plain="1")], [shown(1, text_plain="1", text_html="<b>1</b>")]),
        ([shown(1, image_png="AAAA")], [shown(1, image_png="BBBB")]),
        ([shown(1, text_plain="1")], [shown(text_plain="1")]),
        ([error("no")], [error("yes")]),
        ([stream("a")], [stream("a", "stderr")]),
    ],
)
def test_everything_else_counts(stored: list[dict[str, Any]], found: list[dict[str, Any]]) -> None:
    assert not same(stored, found)
    assert not same(found, stored)


def test_what_is_left_out_does_not_count() -> None:
    stored = [stream("w", "stderr"), shown(1, text_plain="1", image_png="AAAA"), error("no")]
    found = [shown(1, text_plain="1", image_png="BBBB"), stream("x", "stderr")]
    assert not same(stored, found, ignore=("stderr", "image/*"))
    assert same(stored, found, ignore=("stderr", "image/*", "error"))
    assert same(stored, [], ignore=("std*", "*/*", "error"))
    assert same(stored, found, ignore=("*", "!text/plain"))
    assert not same(stored, [], ignore=("*", "!text/plain"))


@pytest.mark.parametrize(
    ("stored", "found"),
    [
        (stream("loss 0.5000 after 12\n"), stream("loss 0.5004 after 12\n")),
        (shown(1, text_plain="0.1 2e3"), shown(1, text_plain="0.1001 2.0004e3")),
        (shown(application_json={"a": [1.5]}), shown(application_json={"a": [1.5001]})),
        (
            shown(text_html="<table><tr><td>1.5</td></tr></table>", text_plain="1.5"),
            shown(text_html="<table><tr><td>1.5001</td></tr></table>", text_plain="1.5001"),
        ),
    ],
)
def test_numbers_have_the_tolerance_that_is_asked_for(stored: dict[str, Any], found: dict[str, Any]) -> None:
    assert not same([stored], [found])
    assert same([stored], [found], relative=1e-2)
    assert same([stored], [found], absolute=1.0)
    assert not same([stored], [found], absolute=1e-6, relative=1e-6)


def test_tolerance_is_for_numbers_with_a_fraction_and_not_for_what_is_no_number() -> None:
    assert not same([stream("12 rows")], [stream("13 rows")], absolute=5, relative=1)
    assert not same([stream("nan")], [stream("1.0")], absolute=5, relative=1)
    assert not same([stream("1.0 m")], [stream("1.0 s")], absolute=5, relative=1)


outputs = st.lists(
    st.one_of(
        st.builds(stream, st.text(max_size=8), st.sampled_from(["stdout", "stderr"])),
        st.builds(shown, st.none() | st.integers(1, 9), text_plain=st.text(max_size=8)),
        st.builds(error, st.text(max_size=5)),
    ),
    max_size=4,
)


@given(outputs, outputs)
def test_a_comparison_with_itself_finds_nothing_and_finds_the_same_both_ways(
    stored: list[dict[str, Any]], found: list[dict[str, Any]]
) -> None:
    assert same(stored, stored)
    assert same(stored, found) == same(found, stored)
