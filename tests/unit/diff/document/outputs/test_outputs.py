"""Outputs of cells: what comparing their contents says of the whole."""

from __future__ import annotations

from typing import Any

import pytest

from nbcellar.diff.document.changes import OutputChange, word_noise
from nbcellar.diff.document.outputs.model import OutputSettings
from nbcellar.diff.document.outputs.outlined import as_text
from nbcellar.diff.document.results import compare_outputs


def stream(text: str) -> dict[str, Any]:
    return {"output_type": "stream", "name": "stdout", "text": text}


def shown(**data: Any) -> dict[str, Any]:
    types = {"text": "text/plain", "html": "text/html", "png": "image/png"}
    return {"output_type": "display_data", "metadata": {}, "data": {types[key]: value for key, value in data.items()}}


def compare(before: dict[str, Any], after: dict[str, Any], settings: OutputSettings | None = None) -> OutputChange:
    (change,) = compare_outputs([before], [after], settings)
    return change


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("10%\r100%", "50%\r100%", "terminal colours and progress"),
        ("/tmp/ipykernel_1/2.py:3: no", "/tmp/ipykernel_7/8.py:3: no", "temporary files"),
        ("Wall time: 3 s", "Wall time: 4 ms", "run time"),
        ("a\n", "a", "layout"),
    ],
)
def test_what_is_noise_in_all_its_contents_is_noise(before: str, after: str, words: str) -> None:
    change = compare(stream(before), stream(after))
    assert change.only_noise and word_noise(change.noise) == words


def test_noise_beside_a_change_is_named_and_no_more_than_that() -> None:
    change = compare(shown(text="a", html="<p>a  b"), shown(text="b", html="<p>a b"))
    assert not change.only_noise and change.noise == ["layout"]
    assert [(part.mime, part.only_noise) for part in change.parts] == [("text/html", True), ("text/plain", False)]


def test_settings_give_the_tolerance() -> None:
    old, new = stream("loss 0.9132"), stream("loss 0.9135")
    assert not compare(old, new).only_noise
    assert word_noise(compare(old, new, OutputSettings(relative=1e-3)).noise) == "numbers within the tolerance"


def test_metadata_that_changed_is_no_noise() -> None:
    old, new = shown(text="a\n"), {**shown(text="a"), "metadata": {"width": 3}}
    assert not compare(old, new).only_noise


def test_a_table_is_drawn_as_lines_where_a_view_has_no_better_way() -> None:
    page = "<table><tr><th><th>a<th>b</tr><tr><th>0<td>{}<td>x</tr><tr><th>1<td>3<td>y</tr></table>"
    (part,) = compare(shown(html=page.format(1)), shown(html=page.format(2))).parts
    text = as_text(part.detail)
    assert text is not None and (text.added, text.removed) == (1, 1)
    assert [line.mark + line.text for line in text.lines] == ["  | a | b", "-0 | 1 | x", "+0 | 2 | x", " 1 | 3 | y"]
    assert [line.words for line in text.lines if line.mark == "+"] == [[(4, 5)]]


def test_an_error_is_drawn_as_lines_of_frames_and_message() -> None:
    old, new = (
        {"output_type": "error", "ename": "E", "evalue": text, "traceback": [f"Cell In[1], line 1\n----> 1 {call}"]}
        for text, call in (("no", "f()"), ("yes", "g()"))
    )
    (part,) = compare(old, new).parts
    text = as_text(part.detail)
    assert text is not None
    assert [line.mark + line.text for line in text.lines if line.mark in "+-"] == [
        *("-Cell In[1], line 1", "-    f()", "+Cell In[1], line 1", "+    g()"),
        *("-no", "+yes"),
    ]
