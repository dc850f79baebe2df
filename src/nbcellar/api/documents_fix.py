"""Mending notebook files that nbformat does not allow, or that git left with conflict marks, as functions.

Invariant: no text is lost, every repair is said, and what is still wrong afterwards is said, too.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from nbcellar.api.jupyter_trust import keep_trusted
from nbcellar.api.notebook_files import NotebookFile, read_file, replace_file
from nbcellar.api.views import View
from nbcellar.config.documents import Notebooks
from nbcellar.errors import CellarError
from nbcellar.merge.conflict_text import has_marks
from nbcellar.notebook import codec
from nbcellar.notebook.model import JsonObject
from nbcellar.notebook.repair import Repair, read_and_repair, repair
from nbcellar.notebook.validate import Problem, validate, validate_file

if TYPE_CHECKING:
    from nbcellar.merge.fixing import Stages


class FixedFile(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one file. remaining: what nbformat still does not allow; nobody could say what was meant.

    marks: how many conflicts git had left in the text; the notebook was merged again then. conflicts: how many are for
    a person to decide, with `cellar resolve`. dropped: what the merge left out of a side, in sentences.
    """

    path: str
    written: bool = False
    marks: int = 0
    conflicts: int = 0
    dropped: tuple[str, ...] = ()
    repairs: tuple[Repair, ...] = ()
    remaining: tuple[Problem, ...] = ()
    error: str = ""
    hint: str = ""


class Fixing(View, frozen=True, kw_only=True):
    """What became of several files."""

    files: tuple[FixedFile, ...]


class Fixed(msgspec.Struct, frozen=True):
    """A notebook in the form it was given (a model for a path), with what could be mended."""

    notebook: Any
    repairs: tuple[Repair, ...]
    remaining: tuple[Problem, ...]


def fix(notebook: Any) -> Fixed:
    """Return a notebook (a dict or a path) with what is plainly meant mended; nothing is written."""
    if isinstance(notebook, (str, os.PathLike)):
        path = Path(os.fspath(notebook)).absolute()
        file = read_file(str(path), path.parent, max_mb=Notebooks().max_mb)
        made, repairs = read_and_repair(file.data, path=str(path))
        return Fixed(made, repairs, validate_file(codec.write(made)))
    members: JsonObject = notebook
    found = repair(members)
    return Fixed(found.members, found.repairs, validate(found.members))


def fix_file(
    name: str, folder: Path, *, max_mb: int, dry: bool = False, environ: Mapping[str, str] | None = None
) -> FixedFile:
    """Mend one file in place. dry: write nothing. environ: with it, git's index is asked for the sides of a conflict.

    Raises what reading and writing files raise, and InvalidInputError for conflict marks that cannot be taken apart.
    """
    file = read_file(name, folder, max_mb=max_mb)
    if has_marks(file.data):
        return _merge_again(file, dry=dry, environ=environ)
    made, repairs = read_and_repair(file.data, path=name)
    data = codec.write(made)
    remaining = validate_file(data, path=name)
    written = bool(repairs) and not dry
    if written:
        replace_file(file, data)
        if environ is not None:
            keep_trusted([file.data], data, environ)
    return FixedFile(path=name, written=written, repairs=repairs, remaining=remaining)


def _merge_again(file: NotebookFile, *, dry: bool, environ: Mapping[str, str] | None) -> FixedFile:
    """Take the versions of a text with conflict marks apart and merge them cell by cell."""
    from nbcellar.merge.fixing import fix_notebook

    found = fix_notebook(file.data, _stages(file, environ), path=file.shown)
    assert found is not None  # it has marks
    data = codec.write(found.merged.notebook)
    if not dry:
        replace_file(file, data)
        if environ is not None:
            keep_trusted(found.sides, data, environ)
    return FixedFile(
        path=file.shown,
        written=not dry,
        marks=found.marks,
        conflicts=len(found.merged.conflicts),
        dropped=tuple(f"{entry.what} of {entry.side}: {entry.reason}" for entry in found.merged.dropped),
        repairs=tuple(Repair(0, text) for text in found.merged.repairs),
        remaining=validate_file(data, path=file.shown),
    )


def _stages(file: NotebookFile, environ: Mapping[str, str] | None) -> Stages | None:
    """Return what git's index holds of a file in conflict, None where there is no git or no conflict."""
    if environ is None:
        return None
    from nbcellar.git.conflicts import stages_of_conflict

    try:
        return stages_of_conflict(file.path, file.data, environ)
    except CellarError:  # no repository, no git, nothing of this file in the index
        return None
