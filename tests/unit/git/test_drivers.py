"""The merge driver when something goes wrong in it: both sides are there, or git is stopped."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from nbcellar.errors import InvalidInputError
from nbcellar.git import drivers, limits
from nbcellar.git.drivers import CONFLICTS, FAILED, MERGED, STOPPED, MergeCall, Outcome, merge_driver, parse_merge_call
from nbcellar.git.labels import SideNames
from nbcellar.notebook.codec import read
from nbcellar.notebook.model import Notebook

BASE, OURS, THEIRS = (
    b'{"cells": [], "metadata": {"side": "%s"}, "nbformat": 4, "nbformat_minor": 5}\n' % side
    for side in (b"base", b"ours", b"theirs")
)


@pytest.fixture
def call(tmp_path: Path) -> MergeCall:
    for name, data in zip("OAB", (BASE, OURS, THEIRS), strict=True):
        (tmp_path / name).write_bytes(data)
    return MergeCall(tmp_path / "O", tmp_path / "A", tmp_path / "B", 7, "n.ipynb")


def run(call: MergeCall, merge: drivers.Merge) -> tuple[int, list[str]]:
    said: list[str] = []
    return merge_driver(call, os.environ, said.append, merge=merge), said


def take_theirs(base: Notebook | None, ours: Notebook, theirs: Notebook, names: SideNames) -> Outcome:
    return Outcome(theirs, 0, ("something was left out",))


def test_the_result_is_written_and_what_there_is_to_tell_is_told(call: MergeCall) -> None:
    assert run(call, take_theirs) == (MERGED, ["n.ipynb: something was left out"])
    assert call.ours.read_bytes() == THEIRS


def test_conflicts_are_an_exit_code(call: MergeCall) -> None:
    assert run(call, lambda base, ours, theirs, names: Outcome(ours, 2))[0] == CONFLICTS


@pytest.mark.parametrize("side", ["ours", "theirs"])
def test_what_is_too_large_is_not_merged_as_a_notebook(
    call: MergeCall, monkeypatch: pytest.MonkeyPatch, side: str
) -> None:
    monkeypatch.setattr(limits, "LARGEST_BYTES", 1 << 20)
    file = getattr(call, side)
    file.write_bytes(file.read_bytes() + b" " * (1 << 20))
    code, said = run(call, take_theirs)
    assert code == FAILED
    assert said[0] == "n.ipynb: 1 MiB, and more than 1 are not taken for a notebook"
    text = call.ours.read_bytes()
    assert b'"ours"' in text
    assert b'"theirs"' in text


@pytest.mark.parametrize(
    "error", [ZeroDivisionError(), MemoryError(), RecursionError(), KeyboardInterrupt(), OSError(5, "x")]
)
def test_any_failure_leaves_both_sides(call: MergeCall, error: BaseException) -> None:
    def fail(base: Notebook | None, ours: Notebook, theirs: Notebook, names: SideNames) -> Outcome:
        raise error

    code, said = run(call, fail)
    assert code == FAILED
    text = call.ours.read_bytes()
    assert b'"ours"' in text
    assert b'"theirs"' in text
    assert text.startswith(b"<<<<<<< ")
    assert "both sides are in it" in said[-1]


def test_a_merge_that_makes_no_notebook_is_a_failure(call: MergeCall) -> None:
    def broken(base: Notebook | None, ours: Notebook, theirs: Notebook, names: SideNames) -> Outcome:
        return Outcome(Notebook(cells=(), nbformat=9), 0)

    assert run(call, broken)[0] == FAILED
    assert b'"theirs"' in call.ours.read_bytes()


def test_a_full_disk_during_the_write_leaves_both_sides(call: MergeCall, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = os.fsync
    full = [True]

    def fsync(descriptor: int) -> None:
        if full:
            full.pop()
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        synced(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    code, said = run(call, take_theirs)
    assert code == FAILED
    assert "No space left" in said[0]
    assert b'"theirs"' in call.ours.read_bytes()
    assert sorted(path.name for path in call.ours.parent.iterdir()) == ["A", "B", "O"]


def test_on_a_disk_that_stays_full_the_file_says_where_both_sides_are(
    call: MergeCall, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fsync(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fsync)
    code, said = run(call, take_theirs)
    assert code == FAILED
    assert "git checkout --merge -- n.ipynb" in said[-1]
    text = call.ours.read_text()
    assert text.startswith("<<<<<<< ours\n")
    assert text.endswith(">>>>>>> theirs\n")
    assert sorted(path.name for path in call.ours.parent.iterdir()) == ["A", "B", "O"]


def test_where_nothing_can_be_written_git_is_told_to_stop(call: MergeCall, tmp_path: Path) -> None:
    gone = MergeCall(call.base, tmp_path / "gone" / "A", call.theirs, 7, "n.ipynb")
    assert run(gone, take_theirs)[0] == STOPPED


def test_without_git_both_sides_stand_whole_in_the_file(call: MergeCall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    call.theirs.write_bytes(b"no notebook")
    assert merge_driver(call, os.environ, lambda text: None) == FAILED
    assert call.ours.read_bytes() == b"<<<<<<< HEAD\n" + OURS + b"=======\nno notebook\n>>>>>>> theirs\n"


def test_a_base_that_cannot_be_read_is_none(call: MergeCall) -> None:
    call.base.write_bytes(b"<<<<<<< marks of an earlier merge")
    seen = []

    def look(base: Notebook | None, ours: Notebook, theirs: Notebook, names: SideNames) -> Outcome:
        seen.append(base)
        return Outcome(ours, 0)

    assert run(call, look)[0] == MERGED
    assert seen == [None]


def test_words_of_git_are_taken_in_their_order() -> None:
    words = ["O", "A", "B", "9", "-n.ipynb", "base name", "ours name", "theirs name"]
    call = parse_merge_call(words, {})
    assert (call.marker_size, call.path, call.given_names) == (9, "-n.ipynb", ("base name", "ours name", "theirs name"))
    assert parse_merge_call(words[:3], {}).path == "A"
    with pytest.raises(InvalidInputError, match="the files of base"):
        parse_merge_call(["O"], {})


def test_given_names_are_shown(call: MergeCall) -> None:
    seen = []

    def look(base: Notebook | None, ours: Notebook, theirs: Notebook, names: SideNames) -> Outcome:
        seen.append(names)
        return Outcome(ours, 0)

    given = MergeCall(call.base, call.ours, call.theirs, 7, "n", ("", "main", "a\x1b[31mb\nc"))
    merge_driver(given, {}, lambda text: None, merge=look)
    assert seen == [SideNames("base", "main", "a [31mb c")]
    read(call.ours.read_bytes())


def test_nothing_is_written_through_a_link_of_the_repository(
    call: MergeCall, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever names a repository guesses, the file that is written on the way is a new one."""
    mine = tmp_path / "mine"
    mine.write_text("mine")
    monkeypatch.setattr(os, "urandom", bytes)
    (tmp_path / f".A.{os.getpid()}.000000000000.new").symlink_to(mine)
    code, _ = run(call, take_theirs)
    assert code == FAILED
    assert mine.read_text() == "mine"
    assert b'"ours"' in call.ours.read_bytes() or b"Not merged" in call.ours.read_bytes()
