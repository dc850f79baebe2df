"""Mending notebook files that nbformat does not allow: what `cellar fix` does, as functions.

Invariant: no text is lost, every repair is said, and what is still wrong afterwards is said, too.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec

from nbcellar.api.notebook_files import read_file, replace_file
from nbcellar.api.views import View
from nbcellar.config.documents import Notebooks
from nbcellar.notebook import codec
from nbcellar.notebook.model import JsonObject
from nbcellar.notebook.repair import Repair, read_and_repair, repair
from nbcellar.notebook.validate import Problem, validate, validate_file


class FixedFile(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one file. remaining: what nbformat still does not allow; nobody could say what was meant."""

    path: str
    written: bool = False
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


def fix_file(name: str, folder: Path, *, max_mb: int, dry: bool = False) -> FixedFile:
    """Mend one file in place. dry: write nothing. Raises what reading and writing files raise."""
    file = read_file(name, folder, max_mb=max_mb)
    made, repairs = read_and_repair(file.data, path=name)
    data = codec.write(made)
    remaining = validate_file(data, path=name)
    written = bool(repairs) and not dry
    if written:
        replace_file(file, data)
    return FixedFile(path=name, written=written, repairs=repairs, remaining=remaining)
