"""Repairing what git's own merge left of a notebook, with every conflict style, with and without the index."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from nbcellar.errors import InvalidInputError
from nbcellar.merge.fixing import Stages, fix_notebook
from nbcellar.merge.model import Labels
from nbcellar.merge.notebooks import merge_notebooks
from nbcellar.notebook.codec import write
from nbcellar.notebook.model import Notebook

from .notebooks import BASE, code
from .test_conflict_text import STYLES, git_merge


def edited(place: int, source: str) -> Notebook:
    cells = list(BASE.cells)
    cells[place] = msgspec.structs.replace(cells[place], source=source)
    return msgspec.structs.replace(BASE, cells=tuple(cells))


OURS = edited(3, "prices.price.median()")
THEIRS = edited(3, "prices.price.max()")
LABELS = Labels("base", "main", "a b")


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("left", [True, False])
def test_every_style(tmp_path: Path, style: str, left: bool) -> None:
    data = git_merge(tmp_path, style, write(OURS), write(BASE), write(THEIRS))
    stages = Stages(write(BASE), write(OURS), write(THEIRS), is_as_left=left)
    found = fix_notebook(data, stages)
    assert found is not None
    assert (found.source, found.marks) == ("index" if left else "text", 1)
    assert found.merged == merge_notebooks(*(read_again(one) for one in (BASE, OURS, THEIRS)), labels=LABELS)
    alone = fix_notebook(data)
    assert alone is not None
    assert [conflict.what for conflict in alone.merged.conflicts] == [("source",)]


def read_again(notebook: Notebook) -> Notebook:
    from nbcellar.notebook.codec import read

    return read(write(notebook))


def test_what_a_person_did_since_is_kept(tmp_path: Path) -> None:
    data = git_merge(tmp_path, "merge", write(OURS), write(BASE), write(THEIRS))
    data = data.replace(b"That is all.", b"That is all, and more.")
    found = fix_notebook(data, Stages(write(BASE), write(OURS), write(THEIRS)))
    assert found is not None
    assert found.merged.notebook.cells[-1].source == "That is all, and more."


def test_versions_that_git_tore_apart_are_taken_from_the_index(tmp_path: Path) -> None:
    """Both sides insert a cell: the conflict begins and ends in the midst of cells."""
    ours = msgspec.structs.replace(BASE, cells=(*BASE.cells, code("a", "a = 1")))
    theirs = msgspec.structs.replace(BASE, cells=(code("b", "b = 1"), code("c", "c"), *BASE.cells[1:]))
    data = git_merge(tmp_path, "zdiff3", write(ours), write(BASE), write(theirs))
    found = fix_notebook(data, Stages(write(BASE), write(ours), write(theirs), is_as_left=True))
    if found is not None:
        assert found.merged.is_clean


def test_a_notebook_without_marks_is_left_alone() -> None:
    assert fix_notebook(write(BASE)) is None
    in_a_source = edited(1, "<<<<<<< HEAD\nours\n=======\ntheirs\n>>>>>>> x")
    assert fix_notebook(write(in_a_source)) is None


@pytest.mark.parametrize("stages", [None, Stages(None, b"{", b"{", is_as_left=True), Stages(None, b"{", b"{")])
def test_what_cannot_be_told_apart_is_refused(stages: Stages | None) -> None:
    data = b'{"cells": [\n<<<<<<< a\n{\n=======\n}\n>>>>>>> b\n'
    with pytest.raises(InvalidInputError, match=r"a\.ipynb: its versions cannot be told apart") as caught:
        fix_notebook(data, stages, path="a.ipynb")
    assert caught.value.hint


def test_no_notebook_at_all() -> None:
    with pytest.raises(InvalidInputError, match="not JSON"):
        fix_notebook(b"print(1)\n")
