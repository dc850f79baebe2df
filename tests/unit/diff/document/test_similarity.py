"""How alike two sources are."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from rapidfuzz.distance import LCSseq

from nbcellar.diff.document.similarity import Likeness, common_ends, common_letters, likely_pairs

SOURCES = st.text("abc (\n", max_size=30) | st.text(max_size=10)


@given(SOURCES, SOURCES)
def test_common_letters_are_those_of_the_longest_common_subsequence(a: str, b: str) -> None:
    assert common_letters(a, b) == LCSseq.similarity(a, b)


@given(SOURCES, SOURCES)
@example("0000000000", "0111111111")  # a tenth of the letters, and a tenth is asked for
def test_likeness_does_not_depend_on_the_order_nor_on_how_it_was_computed(a: str, b: str) -> None:
    one, other = Likeness([a], [b]), Likeness([b], [a])
    assert one.quick(0, 0) == other.quick(0, 0)
    first = one.close(0, 0, 0.1)
    for _ in range(25):
        last = one.close(0, 0, 0.1)
    assert abs(first - last) < 1e-9
    assert abs(other.close(0, 0, 0.1) - first) < 1e-9


@given(SOURCES)
def test_a_source_is_like_itself(a: str) -> None:
    likeness = Likeness([a], [a])
    assert likeness.quick(0, 0) == likeness.close(0, 0, 0.5) == 1.0


def test_when_the_budget_is_spent_words_decide() -> None:
    likeness = Likeness(["alpha beta gamma"], ["gamma beta alpha"], most=1)
    assert likeness.close(0, 0, 0.1) < 0.8
    assert likeness.close(0, 0, 0.1) == 1.0


def test_cells_that_share_what_few_others_hold_are_likely_pairs() -> None:
    a = [f"frame = load({n})\nresult_{n} = frame.mean()" for n in range(50)]
    b = [source + "\nresult" for source in reversed(a)]
    assert sorted(likely_pairs(a, b, range(50), range(50))) == [(n, 49 - n) for n in range(50)]


@given(SOURCES, SOURCES)
def test_common_ends_are_as_long_as_can_be(a: str, b: str) -> None:
    start, end = common_ends(a, b)
    assert a[:start] == b[:start]
    assert a[len(a) - end :] == b[len(b) - end :]
    assert start + end <= min(len(a), len(b))
    if start + end < min(len(a), len(b)):
        assert a[start] != b[start]
        assert a[len(a) - end - 1] != b[len(b) - end - 1]


def test_a_letter_in_a_very_long_line_makes_no_other_cell() -> None:
    likeness = Likeness(["x" * 50_000 + "a"], ["x" * 50_000 + "b"])
    assert likeness.alike(0, 0, 0.6) > 0.99
