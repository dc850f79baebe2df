"""Errors: type, message, and the traceback frame by frame, as IPythons of all times and Python print it."""

from __future__ import annotations

from typing import Any

import pytest

from nbcellar.diff.document.outputs.model import MimeChange, TracebackChange
from nbcellar.diff.document.outputs.registry import ERROR, compare_mime

NOW = """\x1b[31m---------------------------------------------------------------------------\x1b[39m
\x1b[31mZeroDivisionError\x1b[39m                         Traceback (most recent call last)
\x1b[36mCell\x1b[39m\x1b[36m \x1b[39m\x1b[32mIn[{count}]\x1b[39m\x1b[32m, line {line}\x1b[39m
\x1b[32m      4\x1b[39m x = 1
\x1b[32m----> {line}\x1b[39m {call}

\x1b[36mFile \x1b[39m\x1b[32m{folder}/site-packages/lib/core.py:{number}\x1b[39m, in \x1b[36mf\x1b[39m(a)
\x1b[32m---> {number}\x1b[39m     return 1 / a

\x1b[31mZeroDivisionError\x1b[39m: {message}"""
USUAL: dict[str, Any] = {
    "count": 1,
    "line": 5,
    "call": "f(0)",
    "folder": "~/venv/lib/python3.11",
    "number": 12,
    "message": "division by zero",
}


def error(name: str = "ZeroDivisionError", template: str = NOW, **changed: Any) -> dict[str, Any]:
    parts = {**USUAL, **changed}
    return {"ename": name, "evalue": parts["message"], "traceback": template.format(**parts).split("\n\n")}


def compare(before: dict[str, Any], after: dict[str, Any]) -> MimeChange:
    return compare_mime(ERROR, before, after)


def frames(change: MimeChange) -> list[tuple[str, str, int, str, str]]:
    assert isinstance(change.detail, TracebackChange)
    return [(frame.mark, frame.file, frame.line, frame.function, frame.source) for frame in change.detail.frames]


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({"count": 7}, "execution order"),
        ({"line": 6}, "line numbers of frames"),
        ({"number": 14}, "line numbers of frames"),
        ({"folder": "/opt/conda/lib/python3.12"}, "folders of libraries"),
    ],
)
def test_what_says_nothing_of_an_error_is_noise(changed: dict[str, Any], name: str) -> None:
    change = compare(error(), error(**changed))
    assert (change.only_noise, change.noise) == (True, [name])


def test_colours_are_noise() -> None:
    plain = error()
    change = compare({**plain, "traceback": [part.replace("31m", "32m") for part in plain["traceback"]]}, plain)
    assert (change.only_noise, change.noise) == (True, ["terminal colours"])


def test_the_message_is_told() -> None:
    change = compare(error(), error(message="float division by zero"))
    assert change.note == "ZeroDivisionError: division by zero -> float division by zero"
    assert isinstance(change.detail, TracebackChange) and change.detail.message is not None


def test_the_type_is_told() -> None:
    change = compare(error(), error("ValueError"))
    assert change.note == "ZeroDivisionError -> ValueError"


def test_a_frame_is_told_by_what_ran_there() -> None:
    change = compare(error(), error(call="g(f(0))"))
    assert change.note == "+1 -1 frames"
    assert frames(change) == [
        ("-", "Cell In[1]", 5, "", "f(0)"),
        ("+", "Cell In[1]", 5, "", "g(f(0))"),
        (" ", "~/venv/lib/python3.11/site-packages/lib/core.py", 12, "f(a)", "return 1 / a"),
    ]


@pytest.mark.parametrize(
    "template",
    [
        "Input In [{count}], in <cell line: 5>()\n----> 5 {call}\n\nE: {message}",
        "<ipython-input-{count}-a1b2c3d4e5f6> in <module>\n----> 5 {call}\n\nE: {message}",
        "/tmp/ipykernel_4{count}/33.py in <module>\n----> 5 {call}\n\nE: {message}",
        "File /tmp/ipykernel_4{count}/33.py:5, in <module>\n----> 5 {call}\n\nE: {message}",
        'Traceback:\n  File "/tmp/ipykernel_4{count}/3.py", line 5, in <module>\n    {call}\nE: {message}',
    ],
)
def test_frames_of_every_form_are_read(template: str) -> None:
    again = compare(error(template=template), error(template=template, count=2))
    assert again.only_noise, again
    change = compare(error(template=template), error(template=template, call="g()"))
    assert change.note == "+1 -1 frames"
    assert [frame[4] for frame in frames(change)] == ["f(0)", "g()"]


def test_a_traceback_in_another_form_is_compared_as_text() -> None:
    old, new = ({"ename": "Error", "evalue": "x", "traceback": [f"at line {n}"]} for n in (1, 2))
    change = compare(old, new)
    assert change.note == "the traceback's text changed" and not change.only_noise


def test_a_message_with_an_address_is_noise() -> None:
    change = compare(error(message="no <A at 0x7f0000000001>"), error(message="no <A at 0x7f0000000002>"))
    assert change.only_noise and "memory addresses" in change.noise
