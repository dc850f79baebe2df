"""The text that git's own merge leaves: with every conflict style, the versions are told apart as git wrote them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbcellar.merge.conflict_text import has_marks, read_marked

STYLES = {"merge": [], "diff3": ["--diff3"], "zdiff3": ["--zdiff3"]}
TEXTS = st.lists(st.sampled_from(["{", "}", ' "a": 1,', " =======", " <<<<<<< not one", "x\r", ""]), max_size=8)


def git_merge(folder: Path, style: str, *versions: bytes, size: int = 7) -> bytes:
    names = ("ours", "base", "theirs")
    for name, data in zip(names, versions, strict=True):
        (folder / name).write_bytes(data)
    words = [
        "git",
        "merge-file",
        "-p",
        "-q",
        *STYLES[style],
        f"--marker-size={size}",
        "-L",
        "main",
        "-L",
        "b",
        "-L",
        "a b",
    ]
    return subprocess.run([*words, *names], cwd=folder, capture_output=True, check=False).stdout


@pytest.mark.parametrize("size", [7, 12])
@pytest.mark.parametrize("style", STYLES)
def test_every_style(tmp_path: Path, style: str, size: int) -> None:
    base, ours, theirs = b"a\nb\nc\nd\n", b"a\nB\nc\nours\n", b"a\nb\nc\ntheirs\n"
    found = read_marked(git_merge(tmp_path, style, ours, base, theirs, size=size))
    assert found is not None
    assert (found.ours, found.theirs) == (ours, b"a\nB\nc\ntheirs\n")
    assert found.base == (None if style == "merge" else b"a\nB\nc\nd\n")
    assert (found.our_label, found.their_label, found.conflicts) == ("main", "a b", 1)


def test_line_ends_of_windows(tmp_path: Path) -> None:
    base, ours, theirs = b"a\r\nb\r\n", b"a\r\nours\r\n", b"a\r\ntheirs\r\n"
    found = read_marked(git_merge(tmp_path, "diff3", ours, base, theirs))
    assert found is not None
    assert (found.ours, found.theirs, found.base) == (ours, theirs, base)


def test_a_conflict_inside_the_base_of_one() -> None:
    text = b"<<<<<<< A\nours\n||||||| base\n<<<<<<<<< x\n1\n=========\n2\n>>>>>>>>> y\n=======\ntheirs\n>>>>>>> B\n"
    found = read_marked(text)
    assert found is not None
    assert (found.ours, found.theirs) == (b"ours\n", b"theirs\n")
    assert found.base == b"<<<<<<<<< x\n1\n=========\n2\n>>>>>>>>> y\n"


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b'{"source": ["<<<<<<< HEAD\\n"]}',
        b' "<<<<<<< HEAD"\n',
        b"<<<<<<< HEAD\nno end\n",
        b"<<<<<<< HEAD\na\n=======\nb\n",
        b"<<<<<<<< a\nx\n=======\ny\n>>>>>>> b\n",
        b"=======\n>>>>>>> b\n",
    ],
)
def test_no_conflict(text: bytes) -> None:
    assert read_marked(text) is None
    assert not has_marks(text)


@settings(max_examples=60, deadline=None)
@given(TEXTS, TEXTS, TEXTS, st.sampled_from(sorted(STYLES)))
def test_what_git_wrote_is_taken_apart(
    tmp_path_factory: pytest.TempPathFactory, base: list[str], ours: list[str], theirs: list[str], style: str
) -> None:
    """Each version is what git itself makes when it is told to take that side of every conflict."""
    folder = tmp_path_factory.mktemp("git")
    versions = [("\n".join(lines) + "\n").encode() for lines in (ours, base, theirs)]
    marked = git_merge(folder, style, *versions)
    found = read_marked(marked)
    if found is None:
        assert b"\n>>>>>>> a b" not in marked
        return
    for side, text in (("ours", found.ours), ("theirs", found.theirs)):
        words = ["git", "merge-file", "-p", "-q", f"--{side}", "ours", "base", "theirs"]
        assert text == subprocess.run(words, cwd=folder, capture_output=True, check=False).stdout
