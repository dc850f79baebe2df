"""Pieces of text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbcellar.cli import text


@given(st.text(), st.integers(1, 80))
def test_one_line_fits_and_holds_no_control_character(value: str, width: int) -> None:
    line = text.one_line(value, width)
    assert text.columns(line) <= width
    assert not any(ord(letter) < 32 or ord(letter) == 127 for letter in line)


@given(st.text())
def test_cleaning_twice_is_cleaning_once(value: str) -> None:
    assert text.clean(text.clean(value)) == text.clean(value)


@pytest.mark.parametrize(
    ("value", "clean"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("a\x1b]0;title\x07b", "ab"),
        ("\u202eevil", "evil"),
        ("tab\tand\nline", "tab\tand\nline"),
    ],
)
def test_what_could_draw_over_a_terminal_goes(value: str, clean: str) -> None:
    assert text.clean(value) == clean


@given(st.lists(st.tuples(st.text(), st.text(), st.text()), max_size=5), st.integers(10, 120))
def test_a_table_keeps_to_its_width(rows: list[tuple[str, str, str]], width: int) -> None:
    lines = text.table(("one", "two", "three"), rows, width=width)
    assert len(lines) == len(rows) + 1
    assert all(text.columns(line) <= width for line in lines)


def test_columns_of_a_table_stand_under_each_other() -> None:
    assert text.table(("name", "size", "x"), [("数", "7", "y"), ("long", "12", "")], width=40, right=(1,)) == [
        "name  size  x",
        "数       7  y",
        "long    12",
    ]


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KB"), (5 * 2**20, "5.0 MB"), (2**50, "1024.0 TB")]
)
def test_sizes_are_for_people(count: int, words: str) -> None:
    assert text.size(count) == words


def test_names_are_cut_with_a_count_of_the_rest() -> None:
    assert text.names(list("abc"), most=2) == "a, b and 1 more"


@given(st.text(alphabet="abcä日", max_size=20))
def test_colours_take_no_columns(value: str) -> None:
    assert text.shown_columns(f"\x1b[36;1m{value}\x1b[0m") == text.columns(value)
