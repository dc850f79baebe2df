"""MIME bundles: which comparison is for which type, in what order, and what is told of what came and went."""

from __future__ import annotations

from typing import Any

import pytest

from nbcellar.diff.document.outputs.model import BytesChange, TracebackChange
from nbcellar.diff.document.outputs.registry import ERROR, compare_bundle
from nbcellar.diff.model import TextChange

UUID = "3f2a1b3c-1111-4222-8333-44445555666{}"


def test_text_is_compared_by_line() -> None:
    (part,) = compare_bundle({"text/plain": "a\nb"}, {"text/plain": "a\nc"})
    assert isinstance(part.detail, TextChange)
    assert (part.detail.added, part.detail.removed, part.note) == (1, 1, "1 line changed")


def test_bytes_of_a_kind_that_nobody_knows_are_told_by_size_and_digest() -> None:
    (part,) = compare_bundle({"application/octet-stream": "AAAA" * 32}, {"application/octet-stream": "AAAA" * 64})
    assert isinstance(part.detail, BytesChange)
    assert (part.detail.before, part.detail.after) == (96, 192)
    assert part.detail.digest_before != part.detail.digest_after


def test_base64_that_is_broken_into_lines_otherwise_is_noise() -> None:
    (part,) = compare_bundle({"application/pdf": "QUJD\nREVG"}, {"application/pdf": "QUJDREVG\n"})
    assert part.only_noise


def test_texts_that_are_no_base64_are_never_taken_for_the_same_bytes() -> None:
    (part,) = compare_bundle({"image/png": "!!!"}, {"image/png": "???"})
    assert not part.only_noise


def test_what_came_and_went_is_told_with_its_content() -> None:
    come, gone = compare_bundle({"text/html": "<b>"}, {"text/plain": "b"})
    assert (gone.mime, gone.change, come.mime, come.change) == ("text/html", "removed", "text/plain", "added")
    assert isinstance(come.detail, TextChange)
    assert [line.text for line in come.detail.lines] == ["b"]


def test_an_error_that_came_shows_its_traceback() -> None:
    (part,) = compare_bundle({}, {ERROR: {"ename": "E", "evalue": "no", "traceback": ["one", "\x1b[31mtwo"]}})
    assert isinstance(part.detail, TracebackChange) and part.detail.text is not None
    assert (part.change, part.note) == ("added", "E: no")
    assert [line.text for line in part.detail.text.lines] == ["one", "two"]


def test_the_richest_representation_tells_what_changed() -> None:
    parts = compare_bundle({"text/plain": "a", "text/html": "<b>a"}, {"text/plain": "b", "text/html": "<b>b"})
    assert [(part.mime, part.secondary) for part in parts] == [("text/html", False), ("text/plain", True)]


def test_behind_noise_a_poorer_representation_still_tells_what_changed() -> None:
    old, new = ({"text/html": f"<p id='{UUID.format(n)}'>x", "text/plain": f"value {n}"} for n in (1, 2))
    parts = compare_bundle(old, new)
    assert [(part.mime, part.only_noise) for part in parts] == [("text/html", True), ("text/plain", False)]


def test_a_text_that_differs_in_an_address_alone_is_noise() -> None:
    (part,) = compare_bundle({"text/plain": "<A at 0x7f01020304>"}, {"text/plain": "<A at 0x7f01020305>"})
    assert (part.only_noise, part.noise, part.note) == (True, ["memory addresses"], "only memory addresses")


def test_a_hexadecimal_value_is_no_address() -> None:
    (part,) = compare_bundle({"text/plain": "0xdeadbeef"}, {"text/plain": "0xdeadbeee"})
    assert not part.only_noise


def test_a_text_as_a_list_of_lines_is_the_same_text() -> None:
    (part,) = compare_bundle({"text/plain": ["a\n", "b"]}, {"text/plain": "a\nb"})
    assert part.only_noise


@pytest.mark.parametrize("value", [None, 1, [1], {"a": 1}, ["a", 1], True, 1.5])
@pytest.mark.parametrize("mime", ["text/plain", "text/html", "image/png", "application/json", ERROR, "x/y", ""])
def test_content_of_an_unexpected_kind_is_told_all_the_same(mime: str, value: Any) -> None:
    (part,) = compare_bundle({mime: value, "same": value}, {mime: "b", "same": value})
    assert part.mime == mime
    assert not part.only_noise and part.note


def test_names_of_types_are_compared_without_case_and_parameters() -> None:
    (part,) = compare_bundle({"Text/HTML; charset=utf-8": "<b>a"}, {"Text/HTML; charset=utf-8": "<b>b"})
    assert type(part.detail).__name__ == "HtmlChange"
