"""Whatever two outputs hold: equal ones give nothing, others something that can be written and says what it is."""

from __future__ import annotations

import base64
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nbcellar.diff.document.equality import same_json
from nbcellar.diff.document.outputs.model import MimeChange, OutputSettings
from nbcellar.diff.document.outputs.outlined import as_text
from nbcellar.diff.document.outputs.registry import ERROR, compare_bundle
from nbcellar.diff.document.results import compare_outputs

TYPES = (
    *("text/plain", "text/html", "text/markdown", "image/svg+xml", "image/png", "image/jpeg", "image/gif"),
    *("application/json", "application/vnd.plotly.v1+json", "application/pdf", "application/octet-stream", "x", ERROR),
)
# Pieces of what outputs are made of, put together as no program would.
PIECES = (
    *(
        "<table>",
        "<tr>",
        "<td>",
        "<th rowspan=2>",
        "<td colspan='3'>",
        "</table>",
        "</tr>",
        "<thead>",
        "<tbody>",
        "<!--",
    ),
    *(
        "<script>",
        "</script",
        "<p id='",
        '"',
        "'",
        ">",
        "<",
        "&amp;",
        "&#x",
        "<img src=",
        "<caption>",
        "\n",
        "\r",
        "\r\n",
    ),
    *(
        "\x1b[31m",
        "\x1b[0m",
        "\x1b[A",
        "\x1b[2K",
        "\x1b]0;t\x07",
        "\x08",
        "\x1b",
        " ",
        "  ",
        "\t",
        "\u2028",
        "\ud800",
        "\0",
    ),
    *(
        "1.5",
        "1.50",
        "-0.0",
        "0.0",
        "1e9",
        "1e999",
        "nan",
        "0x7f01020304",
        " at 0x7f01020304",
        "12",
        "1,000",
        "2024-01-02",
    ),
    *(
        "Cell In[1], line 2, in f(x)",
        "File /tmp/ipykernel_1/2.py:3, in g()",
        "----> 3 raise",
        "Traceback",
        "E: no",
        "x",
    ),
    *(
        '{"a": ',
        "}",
        "[1, 2",
        "]",
        "iVBORw0KGgo",
        "R0lGODlh",
        "AAAA",
        "=",
        "\ufffc",
        "Wall time: 3 s",
        "[00:01<00:02, 3it/s]",
    ),
)
texts = st.one_of(st.text(max_size=40), st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.integers(-(2**80), 2**80), st.floats(), texts, st.just("1" * 32)
)
keys = st.one_of(
    st.sampled_from(("uid", "id", "model_id", "dtype", "bdata", "shape", "ename", "traceback")), st.text(max_size=4)
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(keys, inner, max_size=4)),
    max_leaves=12,
)
errors = st.fixed_dictionaries({"ename": texts, "evalue": texts, "traceback": st.lists(texts, max_size=4)})
contents = st.one_of(texts, values, errors, st.binary(max_size=80).map(lambda data: base64.b64encode(data).decode()))
bundles = st.dictionaries(st.sampled_from(TYPES), contents, max_size=3)
tolerances = st.sampled_from(
    (OutputSettings(), OutputSettings(relative=0.01), OutputSettings(absolute=float("nan"), relative=float("inf")))
)


@settings(max_examples=400, deadline=None)
@given(mime=st.sampled_from(TYPES), before=contents, after=contents, how=tolerances)
@example(mime="text/plain", before="\ud800", after="\\ud800", how=OutputSettings())
@example(mime="text/plain", before="a\u2028b", after="a\nb", how=OutputSettings())
@example(mime="text/html", before="<p>", after="<p><!-- -->", how=OutputSettings())
@example(mime="application/json", before=[0.0], after=[-0.0], how=OutputSettings())
@example(mime="application/json", before=True, after=1, how=OutputSettings())
@example(mime=ERROR, before={"ename": "E"}, after={"ename": "E", "evalue": ""}, how=OutputSettings())
def test_what_is_equal_gives_nothing_and_all_else_a_change(
    mime: str, before: Any, after: Any, how: OutputSettings
) -> None:
    assert compare_bundle({mime: before}, {mime: before}, how) == ()
    found = compare_bundle({mime: before}, {mime: after}, how)
    assert len(found) == (not same_json(before, after))
    for change in found:
        check(change)


def check(change: MimeChange) -> None:
    """Check that a change has a sentence, names its noise, is its own JSON, and can be drawn as lines."""
    assert change.note.strip()
    assert not change.only_noise or change.noise
    assert change.only_noise or change.secondary or change.detail is not None
    text = msgspec.json.encode(change)
    assert msgspec.json.encode(msgspec.json.decode(text, type=MimeChange)) == text
    lines = as_text(change.detail)
    assert lines is None or all(line.mark in (" ", "+", "-", "…") for line in lines.lines)
    for line in lines.lines if lines is not None else ():
        assert all(0 <= begin <= end <= len(line.text) for begin, end in line.words)


@settings(max_examples=200, deadline=None)
@given(before=bundles, after=bundles)
def test_each_type_of_two_bundles_that_is_not_the_same_is_told_once(before: Any, after: Any) -> None:
    found = compare_bundle(before, after)
    told = [change.mime for change in found]
    differing = {
        mime
        for mime in {*before, *after}
        if mime not in before or mime not in after or not same_json(before[mime], after[mime])
    }
    assert len(told) == len(set(told)) and set(told) == differing
    for change in found:
        check(change)


@settings(max_examples=100, deadline=None)
@given(before=texts, after=texts)
def test_noise_is_noise_in_both_directions(before: str, after: str) -> None:
    quiet = [
        [change.only_noise for change in compare_bundle({mime: one}, {mime: other})]
        for one, other in ((before, after), (after, before))
        for mime in ("text/plain", "text/html")
    ]
    assert quiet[:2] == quiet[2:]


@settings(max_examples=100, deadline=None)
@given(before=bundles, after=bundles)
def test_outputs_with_any_bundles_can_be_compared(before: Any, after: Any) -> None:
    old, new = ({"output_type": "display_data", "data": data, "metadata": {}} for data in (before, after))
    assert compare_outputs([old], [old]) == []
    assert bool(compare_outputs([old], [new])) == (not same_json(before, after))


def nested(depth: int, leaf: Any) -> Any:
    value = leaf
    for _ in range(depth):
        value = [value]
    return value


HOSTILE: dict[str, tuple[str, Any, Any]] = {
    "deep": ("application/json", nested(50_000, 1), nested(50_000, 2)),
    "one deeper": ("application/json", nested(3_000, 1), nested(3_001, 1)),
    "a long number": ("application/json", 10**5000, 10**5000 + 1),
    "tables in tables": ("text/html", "<table>" * 20_000, "<table>" * 20_000 + "x"),
    "spans": (
        "text/html",
        "<td colspan=9999 rowspan=9999>" * 500,
        "<table><tr>" + "<td colspan=9999 rowspan=9999>x" * 500,
    ),
    "open quotes": ("text/html", '<a "' * 50_000, '<a "' * 50_000 + "x"),
    "smaller than": ("text/html", "<" * 100_000, "<" * 100_001),
    "open divs": ("text/html", "<div>" * 20_000, "<div>" * 20_001),
    "overwritten": ("text/plain", "x" * 100_000 + "\ra" * 100_000, "x" * 100_000 + "\rb" * 100_000),
    "digits": ("text/plain", "1." * 100_000, "2." * 100_000),
    "durations": ("text/plain", "1 s " * 100_000 + " per loop", "1 s " * 100_000),
    "letters": ("text/plain", "a b " * 400 + "\n" * 100, "b a " * 400 + "\n" * 90),
    "a broken picture": ("image/png", "iVBORw0KGgo" + "A" * 400, "iVBORw0KGgo" + "A" * 396),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_made_to_take_for_ever_is_compared_all_the_same(name: str) -> None:
    mime, before, after = HOSTILE[name]
    (change,) = compare_bundle({mime: before}, {mime: after})
    assert change.note and not change.only_noise
    msgspec.json.encode(change)
