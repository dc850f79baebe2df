"""Three-way merging of texts: agrees with git where git merges, and keeps its laws on any text."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbcellar.merge.lines import merge_texts

TEXTS = st.lists(st.sampled_from(["a", "b", "c", "", "x = 1", "y = 2"]), max_size=8).map("\n".join)


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "merged"),
    [
        ("a\nb\nc", "A\nb\nc", "a\nb\nC", "A\nb\nC"),
        ("a\nb", "a\nb\nc", "A\nb", "A\nb\nc"),
        ("a", "a\nb", "a", "a\nb"),
        ("a\nb\nc", "a\nc", "a\nb\nc\nd", "a\nc\nd"),
        ("a\nb\nc", "x\nb\nc", "x\nb\nC", "x\nb\nC"),
        ("", "a", "", "a"),
        ("a\r\nb\r\nc\r\n", "A\r\nb\r\nc\r\n", "a\r\nb\r\nC\r\n", "A\r\nb\r\nC\r\n"),
    ],
)
def test_edits_of_far_lines_are_both_kept(base: str, ours: str, theirs: str, merged: str) -> None:
    found = merge_texts(base, ours, theirs)
    assert (found.ours, found.theirs, found.conflicts) == (merged, merged, 0)


def test_a_conflict_shows_in_both_variants_and_only_there() -> None:
    found = merge_texts("a\nb\nc\nd\ne", "A\nb\nours\nd\ne", "a\nb\ntheirs\nd\nE")
    assert found.ours == "A\nb\nours\nd\nE"
    assert found.theirs == "A\nb\ntheirs\nd\nE"
    assert found.conflicts == 1


def test_lines_that_touch_are_a_conflict() -> None:
    assert merge_texts("a\nb", "A\nb", "a\nB").conflicts == 1
    assert merge_texts("a", "a\nours", "a\ntheirs").conflicts == 1
    assert merge_texts("a\nb\nc\nd\ne", "a\nB\nc\nd\ne", "a\nb\nC\nD\ne").conflicts == 1


@given(TEXTS, TEXTS)
def test_merging_with_the_base_gives_the_other(base: str, edited: str) -> None:
    for found in (merge_texts(base, base, edited), merge_texts(base, edited, base), merge_texts(base, edited, edited)):
        assert (found.ours, found.theirs, found.conflicts) == (edited, edited, 0)


@given(TEXTS, TEXTS, TEXTS)
def test_the_sides_may_be_swapped(base: str, ours: str, theirs: str) -> None:
    there, back = merge_texts(base, ours, theirs), merge_texts(base, theirs, ours)
    assert (there.ours, there.theirs, there.conflicts) == (back.theirs, back.ours, back.conflicts)


@given(TEXTS, TEXTS, TEXTS)
def test_no_line_comes_from_nowhere_and_none_vanishes_unnoticed(base: str, ours: str, theirs: str) -> None:
    found = merge_texts(base, ours, theirs)
    for text in (found.ours, found.theirs):
        assert set(text.split("\n")) <= {*base.split("\n"), *ours.split("\n"), *theirs.split("\n")}
    new = {line for side in (ours, theirs) for line in side.split("\n")} - set(base.split("\n"))
    assert new <= {*found.ours.split("\n"), *found.theirs.split("\n")}


@settings(max_examples=40, deadline=None)
@given(TEXTS, TEXTS, TEXTS)
def test_what_git_merges_cleanly_and_we_do_too_is_the_same(
    tmp_path_factory: pytest.TempPathFactory, base: str, ours: str, theirs: str
) -> None:
    """Git and Cellar may align repeated lines differently; where each line is there once, they have to agree."""
    if any(len(text.split("\n")) != len(set(text.split("\n"))) for text in (base, ours, theirs)):
        return
    folder = tmp_path_factory.mktemp("git")
    merged, code = _git_merge(folder, *(text + "\n" for text in (base, ours, theirs)))
    found = merge_texts(base, ours, theirs)
    if code == 0 and found.is_clean:
        assert found.ours + "\n" == merged


def _git_merge(folder: Path, base: str, ours: str, theirs: str) -> tuple[str, int]:
    names = {"ours": ours, "base": base, "theirs": theirs}
    for name, text in names.items():
        (folder / name).write_text(text)
    done = subprocess.run(["git", "merge-file", "-p", *names], cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout, done.returncode
