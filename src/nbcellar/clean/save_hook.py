"""What happens to a notebook that Jupyter is about to save: it is in canonical form as soon as it is saved.

The hook itself is `nbcellar.save_hook` (`git/saving.py`), which asks git whether a file
goes through the filter.

Invariant: saving never fails because of it, and it never takes the mark away by which Jupyter knows that the user
trusts a cell: the notebook is signed after the hook, by that mark.

Which projects are cleaned is a setting, `clean.on_save`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from nbcellar.clean.notebooks import clean
from nbcellar.clean.rules import Rules
from nbcellar.config.documents import Clean
from nbcellar.config.shared import CleanSettings
from nbcellar.errors import CellarError
from nbcellar.notebook.codec import notebook_from_json
from nbcellar.notebook.model import cell_to_json, notebook_keys

_TRUSTED = "cell.metadata.trusted"


def clean_saved(model: dict[str, Any], path: str, contents_manager: Any, keeps_outputs: Callable[[Path], bool]) -> None:
    """Clean the notebook that is about to be saved to `path`, in place.

    keeps_outputs: whether outputs stay in a file whatever its project's settings are.
    """
    content = model.get("content")
    if model.get("type") != "notebook" or not isinstance(content, dict) or content.get("nbformat") != 4:
        return
    file = (Path(getattr(contents_manager, "root_dir", None) or ".") / path.lstrip("/")).absolute()
    try:
        known = CleanSettings(os.environ)
        settings = known.of(file.parent)
        wanted = known.is_project(file.parent) if settings.on_save == "auto" else settings.on_save
        if wanted:
            settings = _with_outputs(settings) if keeps_outputs(file) else settings
            _clean_content(content, Rules(settings, keep=(_TRUSTED,)))
    except CellarError as error:
        _warn(contents_manager, f"{path} is saved without cleaning: {error}")
    except Exception as error:
        _warn(contents_manager, f"{path} is saved without cleaning: {type(error).__name__}: {error}")


def _with_outputs(settings: Clean) -> Clean:
    return msgspec.structs.replace(
        settings, outputs=True, drop_output_types=(), drop_output_tags=(), max_output_kb=0, max_line=0, widgets=True
    )


def _clean_content(content: dict[str, Any], rules: Rules) -> None:
    """Clean a notebook in memory; lines stay in the form they have there, Jupyter splits them itself."""
    notebook = notebook_from_json(content)
    made = clean(notebook, rules.with_layout("keep")).notebook
    if made is notebook:
        return
    new = notebook_keys(made)
    new["cells"] = [cell_to_json(cell) for cell in made.cells]
    content.clear()
    content.update(new)


def _warn(contents_manager: Any, text: str) -> None:
    log = getattr(contents_manager, "log", None)
    if log is not None:
        log.warning("cellar: %s", text)
