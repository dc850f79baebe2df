"""Repairing a notebook that git's own merge left with conflict marks in its text.

Invariant: what a person did to the file since the merge is kept, or nothing is done: the versions of the index are
taken only for a file that is as git left it. Not for: reading the index and writing the file (`git/` does).
"""

from __future__ import annotations

from typing import Literal

import msgspec

from nbcellar.errors import CellarError, InvalidInputError
from nbcellar.merge.conflict_text import MarkedText, read_marked
from nbcellar.merge.model import Labels, Merged, MergeSettings
from nbcellar.merge.notebooks import merge_notebooks
from nbcellar.notebook.codec import read
from nbcellar.notebook.model import Notebook

_SETTINGS = MergeSettings()


class Stages(msgspec.Struct, frozen=True):
    """The versions of a file that git's index holds while it is in conflict; None for one that is not there.

    `is_as_left` says that the file in the working copy is, byte for byte, what git wrote there.
    """

    base: bytes | None
    ours: bytes | None
    theirs: bytes | None
    is_as_left: bool = False


class Fixed(msgspec.Struct, frozen=True):
    """The repaired notebook. source: where its versions, `sides`, came from: the index, or the marked text itself."""

    merged: Merged
    source: Literal["index", "text"]
    marks: int
    sides: tuple[bytes, bytes] = (b"", b"")


def fix_notebook(
    data: bytes, stages: Stages | None = None, *, path: str = "", settings: MergeSettings = _SETTINGS
) -> Fixed | None:
    """Return the notebook that a marked text stands for, None if there are no marks and it is a notebook as it is.

    Raises InvalidInputError for a text that is neither, and for one whose versions are no notebooks.
    """
    where = path or "notebook"
    marked = read_marked(data)
    if marked is None:
        read(data, path=path)
        return None
    labels = Labels("base", marked.our_label or "ours", marked.their_label or "theirs")
    problem = ""
    if stages is not None and stages.is_as_left and stages.ours is not None and stages.theirs is not None:
        try:
            versions = _versions(stages.base, stages.ours, stages.theirs, where)
            merged = merge_notebooks(*versions, settings=settings, labels=labels)
            return Fixed(merged, "index", marked.conflicts, (stages.ours, stages.theirs))
        except CellarError as error:
            problem = error.message
    try:
        versions = _from_text(marked, stages, where)
    except CellarError as error:
        raise _no_notebook(where, problem or error.message, stages) from None
    merged = merge_notebooks(*versions, settings=settings, labels=labels)
    return Fixed(merged, "text", marked.conflicts, (marked.ours, marked.theirs))


_Versions = tuple[Notebook | None, Notebook, Notebook]


def _versions(base: bytes | None, ours: bytes, theirs: bytes, where: str) -> _Versions:
    mine = read(ours, path=f"our version of {where}")
    yours = read(theirs, path=f"their version of {where}")
    return (_base(base), mine, yours)


def _from_text(marked: MarkedText, stages: Stages | None, where: str) -> _Versions:
    """Return the versions that the marks tell apart; both hold what git merged without a question."""
    mine, yours = (read(text, path=where) for text in (marked.ours, marked.theirs))
    base = _base(stages.base if stages is not None else None)
    return base if base is not None else _base(marked.base), mine, yours


def _base(data: bytes | None) -> Notebook | None:
    """Return the common version; without a usable one the merge knows less, but loses nothing."""
    if data is None or not data.strip():
        return None
    try:
        return read(data)
    except CellarError:
        return None


def _no_notebook(where: str, problem: str, stages: Stages | None) -> InvalidInputError:
    message = f"{where}: its versions cannot be told apart: {problem}"
    if stages is None:
        return InvalidInputError(message, hint="restore one side, from git or a copy, then merge again")
    if stages.is_as_left:
        return InvalidInputError(message, hint=f"take one side whole: git checkout --ours|--theirs -- {where}")
    return InvalidInputError(
        f"{message}; it was changed since git left it",
        hint=f"go back to what git left with: git checkout --merge -- {where}; then run this again",
    )


__all__ = ["Fixed", "Stages", "fix_notebook"]
