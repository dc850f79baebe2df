"""Handlers of MIME types: found by pattern, asked in turn, their failures told."""

from __future__ import annotations

from typing import Any

import pytest

from nbcellar.diff.document.outputs import registry
from nbcellar.diff.document.outputs.model import BytesChange
from nbcellar.diff.document.outputs.registry import ERROR, compare_bundle
from nbcellar.diff.model import TextChange


def refuse(mime: str, before: Any, after: Any) -> None:
    """Compare nothing."""


def fail(mime: str, before: Any, after: Any) -> None:
    raise ValueError("broken content")


def test_text_is_compared_by_line() -> None:
    (part,) = compare_bundle({"text/plain": "a\nb"}, {"text/plain": "a\nc"})
    assert isinstance(part.detail, TextChange)
    assert (part.detail.added, part.detail.removed) == (1, 1)


def test_what_has_no_handler_is_told_by_its_size() -> None:
    (part,) = compare_bundle({"application/octet-stream": "AAAA"}, {"application/octet-stream": "AAAAAAAA"})
    assert part.detail == BytesChange(before=4, after=8)


def test_what_came_and_went_is_told_with_its_content() -> None:
    gone, come = compare_bundle({"text/html": "<b>"}, {"text/plain": "b"})
    assert (gone.mime, gone.change, come.mime, come.change) == ("text/html", "removed", "text/plain", "added")
    assert isinstance(come.detail, TextChange)
    assert [line.text for line in come.detail.lines] == ["b"]


def test_an_error_is_compared_by_the_lines_of_its_traceback() -> None:
    old, new = ({ERROR: {"ename": "E", "evalue": "no", "traceback": ["one", line]}} for line in ("two", "three"))
    (part,) = compare_bundle(old, new)
    assert isinstance(part.detail, TextChange)
    assert [line.text for line in part.detail.lines if line.mark == "+"] == ["three"]


def test_the_next_handler_is_asked_and_a_failure_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    handlers = (("text/*", f"{__name__}:refuse"), ("text/*", f"{__name__}:fail"), *registry.HANDLERS)
    monkeypatch.setattr(registry, "HANDLERS", handlers)
    (part,) = compare_bundle({"text/plain": "a"}, {"text/plain": "b"})
    assert isinstance(part.detail, TextChange)
    assert part.note == f"{__name__}:fail could not compare this: ValueError: broken content"


@pytest.mark.parametrize("value", [None, 1, [1], {"a": 1}, ["a", 1]])
def test_content_of_an_unexpected_kind_is_told_all_the_same(value: Any) -> None:
    (part,) = compare_bundle({"text/plain": value, "same": value}, {"text/plain": "b", "same": value})
    assert part.mime == "text/plain"
    assert part.note == ""
