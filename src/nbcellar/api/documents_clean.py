"""Cleaning notebooks for programs: what `cellar clean` does, as functions.

Invariant: `clean_notebook` writes no file; `clean_file` writes one only if its text changes, and then whole.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

import msgspec

from nbcellar.api.jupyter_trust import keep_trusted
from nbcellar.api.notebook_files import read_file, replace_file
from nbcellar.api.views import View
from nbcellar.clean import LeftOut, Rules, clean
from nbcellar.config.documents import Clean
from nbcellar.errors import InvalidInputError
from nbcellar.notebook import Notebook, write
from nbcellar.notebook.codec import notebook_from_json
from nbcellar.notebook.model import JsonObject, cell_to_json, notebook_keys
from nbcellar.notebook.repair import Repair, read_and_repair, repair

N = TypeVar("N")


class CleanedNotebook(msgspec.Struct, Generic[N], frozen=True):
    """A notebook in canonical form, in the form it was given: a dict or a model (a model for a path).

    left_out: what cleaning left out. repairs: what nbformat did not allow and was mended.
    """

    notebook: N
    left_out: tuple[LeftOut, ...]
    repairs: tuple[Repair, ...] = ()


class CleanedFile(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one file, or would become of it. error: why it was left as it is."""

    path: str
    changed: bool = False
    written: bool = False
    left_out: tuple[LeftOut, ...] = ()
    repairs: tuple[Repair, ...] = ()
    error: str = ""
    hint: str = ""


class Cleaning(View, frozen=True, kw_only=True):
    """What became of several files."""

    files: tuple[CleanedFile, ...]


class CleanedText(msgspec.Struct, frozen=True):
    """The text of a notebook before and after, and what happened between."""

    before: bytes
    after: bytes
    left_out: tuple[LeftOut, ...] = ()
    repairs: tuple[Repair, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether the two texts differ."""
        return self.before != self.after


def clean_notebook(notebook: N, **settings: Any) -> CleanedNotebook[Any]:
    """Return a notebook in canonical form, and what was left out; nothing is written.

    notebook: the dict that Jupyter or nbformat has in memory, a model (`nbcellar.notebook.Notebook`) or a path.
    settings: keys of `clean.` (docs/configuration.md), as in `clean_notebook(nb, outputs=False)`; for a path, what they
    leave open is as its project has it. Lines, and keys of a dict, stay in the form they have.
    """
    if isinstance(notebook, (str, os.PathLike)):
        return _clean_path(Path(os.fspath(cast("str", notebook))), settings)
    rules = Rules(make_settings(settings, layout="keep"))
    if isinstance(notebook, Notebook):
        cleaned = clean(notebook, rules)
        return CleanedNotebook(cleaned.notebook, cleaned.left_out)
    if not isinstance(notebook, dict):
        raise InvalidInputError(f"a notebook must be a dict, a model or a path, not {type(notebook).__name__}")
    return _clean_dict(notebook, rules)


def make_settings(given: Mapping[str, Any], **defaults: Any) -> Clean:
    """Return settings of given fields. Raises InvalidInputError naming one that does not fit."""
    from nbcellar import config

    fields: dict[str, Any] = {}
    for name, value in given.items():
        checked = list(config.check_values({"clean": {name: value}}, Path("clean_notebook")))
        fields |= {key.partition(".")[2]: item for key, item in checked}
    return msgspec.convert({**defaults, **fields}, Clean)


def clean_text(data: bytes, settings: Clean, *, path: str = "") -> CleanedText:
    """Return the text of a notebook in canonical form. Raises InvalidInputError for what is no notebook."""
    return clean_with(data, Rules(settings), path=path)


def clean_with(data: bytes, rules: Rules, *, path: str = "") -> CleanedText:
    """Return what `clean_text` does, for rules that were made already."""
    notebook, repairs = read_and_repair(data, path=path)
    cleaned = clean(notebook, rules)
    return CleanedText(data, write(cleaned.notebook), cleaned.left_out, repairs)


def clean_file(
    name: str, folder: Path, rules: Rules, *, max_mb: int, environ: Mapping[str, str], dry: bool = False
) -> tuple[CleanedFile, CleanedText]:
    """Clean one file in place; return what became of it. dry: write nothing.

    A notebook that the user trusts in Jupyter stays trusted. Raises what reading and writing files raise.
    """
    file = read_file(name, folder, max_mb=max_mb)
    text = clean_with(file.data, rules, path=name)
    written = text.changed and not dry
    if written:
        replace_file(file, text.after)
        keep_trusted([text.before], text.after, environ, subset=True)
    found = CleanedFile(
        path=name,
        changed=text.changed,
        written=written,
        left_out=text.left_out,
        repairs=text.repairs,
    )
    return found, text


def _clean_path(path: Path, given: Mapping[str, Any]) -> CleanedNotebook[Notebook]:
    from nbcellar import config
    from nbcellar.config.shared import CleanSettings

    path = path.absolute()
    max_mb = config.load(None, os.environ).notebooks.max_mb
    fields = msgspec.structs.asdict(make_settings(given))
    settings = CleanSettings(os.environ, {name: fields[name] for name in given}).of(path.parent)
    file = read_file(str(path), path.parent, max_mb=max_mb)
    notebook, repairs = read_and_repair(file.data, path=str(path))
    cleaned = clean(notebook, Rules(settings))
    return CleanedNotebook(cleaned.notebook, cleaned.left_out, repairs)


def _clean_dict(members: JsonObject, rules: Rules) -> CleanedNotebook[JsonObject]:
    found = repair(members)
    cleaned = clean(notebook_from_json(found.members), rules)
    made = notebook_keys(cleaned.notebook)
    made["cells"] = [cell_to_json(cell) for cell in cleaned.notebook.cells]
    return CleanedNotebook(made, cleaned.left_out, found.repairs)
