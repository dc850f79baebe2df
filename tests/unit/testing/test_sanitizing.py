from __future__ import annotations

import pytest

from nbcellar.errors import InvalidInputError
from nbcellar.testing.repetitions import can_explode
from nbcellar.testing.sanitizing import read_replacements, sanitize, sanitize_bundle

FILE = r"""
; as nbval has it
[dates]
regex: (\d{1,2})/(\d{1,2})/\d{2,4}
replace: \1 of DATE

[nothing]
regex: secret
replace:
"""


def test_replacements_are_made_one_after_the_other_in_texts_and_in_json() -> None:
    pairs = read_replacements(FILE.replace("\n", "\r\n"), "clean.cfg")
    assert sanitize("on 1/2/2024: secret", pairs) == "on 1 of DATE: "
    bundle = {"text/plain": "3/4/24", "image/png": "3/4/24", "application/json": {"a": ["3/4/24", 7]}}
    assert sanitize_bundle(bundle, pairs) == {
        "text/plain": "3 of DATE",
        "image/png": "3/4/24",
        "application/json": {"a": ["3 of DATE", 7]},
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has no 'regex:'"),
        ("regex: a\nregex: b\nreplace: c\n", "not each 'regex:' has a 'replace:'"),
        ("\nregex: (\nreplace: c\n", r"f, line 2: '\(' is no regular expression"),
        ("regex: a\nreplace: \\2\n", r"f, line 1: '\\2' cannot replace 'a'"),
        ("regex: (a+)+$\nreplace: c\n", "can take exponential time"),
    ],
)
def test_what_is_wrong_in_a_file_is_told_with_its_line(text: str, said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        read_replacements(text, "f")


@pytest.mark.parametrize(
    "pattern", [r"(a+)+", r"(\s*\w+)*", r"(a*b*)*", r"(?:a|b+)*?", r"(?P<x>(\w)+.)+", r"((a+){2,})+"]
)
def test_expressions_that_can_explode_are_found(pattern: str) -> None:
    assert can_explode(pattern)


@pytest.mark.parametrize(
    "pattern", [r"\d+(\.\d+)*", r"\w+\(\d+\)", r"(?:[^,]+,)*", r"((\d+)-)+", r"(?:x{2,5})+", "a*b*c*"]
)
def test_expressions_that_cannot_explode_are_taken(pattern: str) -> None:
    assert not can_explode(pattern)
