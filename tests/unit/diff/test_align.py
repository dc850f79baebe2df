"""Steps from one list to another, and the lines of two texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbcellar.diff.align import align
from nbcellar.diff.texts import compare_texts

LISTS = st.lists(st.integers(0, 5), max_size=30)


def apply(a: list[int], b: list[int]) -> list[int]:
    """Return `a` with the steps to `b` carried out."""
    made, at = [], 0
    for step in align(a, b):
        assert step.a_start >= at
        made += a[at : step.a_start] + b[step.b_start : step.b_stop]
        at = step.a_stop
    return made + a[at:]


@given(LISTS, LISTS)
def test_the_steps_lead_from_one_list_to_the_other(a: list[int], b: list[int]) -> None:
    assert apply(a, b) == b


@given(LISTS)
def test_equal_lists_need_no_step(a: list[int]) -> None:
    assert align(a, list(a)) == []


@given(st.lists(st.integers(0, 50), max_size=30), st.integers(0, 30), st.integers(100, 110))
def test_one_insertion_is_one_step(a: list[int], place: int, item: int) -> None:
    b = [*a[:place], item, *a[place:]]
    steps = align(a, b)
    assert sum(s.a_stop - s.a_start for s in steps) == 0
    assert sum(s.b_stop - s.b_start for s in steps) == 1


@given(LISTS, LISTS)
def test_no_shorter_way_exists(a: list[int], b: list[int]) -> None:
    kept = len(a) - sum(step.a_stop - step.a_start for step in align(a, b))
    table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i, one in enumerate(a):
        for j, other in enumerate(b):
            table[i + 1][j + 1] = table[i][j] + 1 if one == other else max(table[i][j + 1], table[i + 1][j])
    assert kept == table[-1][-1]


def test_lists_with_nothing_in_common_are_one_replacement_whatever_their_length() -> None:
    (step,) = align(list(range(100_000)), list(range(100_000, 200_000)))
    assert (step.a_start, step.a_stop, step.b_start, step.b_stop) == (0, 100_000, 0, 100_000)


def test_long_lists_of_many_changes_are_still_aligned() -> None:
    a = list(range(20_000))
    b = [item for item in a if item % 7]
    assert apply(a, b) == b
    assert sum(step.b_stop - step.b_start for step in align(a, b)) == 0


def test_a_changed_word_is_marked_in_both_lines() -> None:
    change = compare_texts("one\nthe quick fox\nend", "one\nthe slow fox\nend")
    gone, come = (line for line in change.lines if line.mark in "+-")
    assert [gone.text[a:b] for a, b in gone.words] == ["quick"]
    assert [come.text[a:b] for a, b in come.words] == ["slow"]
    assert (change.added, change.removed) == (1, 1)


def test_a_line_finds_its_counterpart_among_new_ones() -> None:
    change = compare_texts("one\nx = first(1, 2)\nend", "one\nimport os\nx = second(1, 2)\ny = 3\nend")
    marked = {line.text: [line.text[a:b] for a, b in line.words] for line in change.lines if line.mark in "+-"}
    assert marked == {"x = first(1, 2)": ["first"], "import os": [], "x = second(1, 2)": ["second"], "y = 3": []}


def test_long_lists_that_were_shuffled_keep_what_is_in_order() -> None:
    a = list(range(10_000))
    b = [*a[7_000:], *a[:7_000]]
    assert apply(a, b) == b
    assert sum(step.b_stop - step.b_start for step in align(a, b)) == 3_000


@given(st.lists(st.sampled_from(["a", "b", "ab c", ""]), max_size=12), st.lists(st.sampled_from("abc"), max_size=12))
def test_a_text_comparison_counts_what_it_shows(old: list[str], new: list[str]) -> None:
    change = compare_texts("\n".join(old), "\n".join(new))
    assert sum(line.mark == "+" for line in change.lines) == change.added
    assert sum(line.mark == "-" for line in change.lines) == change.removed


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("a\nb", "a\nb\n", "a line break at the end came"),
        ("a\nb\n", "a\nb", "the line break at the end went"),
        ("a\r\nb", "a\nb", "other line breaks"),
    ],
)
def test_line_breaks_that_differ_are_told(before: str, after: str, told: str) -> None:
    change = compare_texts(before, after)
    assert [line.text for line in change.lines] == [told]


def test_far_lines_are_left_out() -> None:
    old = [str(number) for number in range(100)]
    change = compare_texts("\n".join(old), "\n".join([*old[:50], "new", *old[50:]]))
    assert [line.mark for line in change.lines] == ["…", " ", " ", "+", " ", " ", "…"]
