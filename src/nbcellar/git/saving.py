"""Jupyter Server saves a notebook: its outputs are kept aside at once, also those of runs that git never asks about.

Without this, outputs are kept when git looks at a file; `git checkout -- FILE` and `git reset --hard` do not look, they
overwrite. Installed by `cellar git install --save-hook`, as an extension of the server.

Invariant: the saved file is not touched, and nothing that fails here reaches whoever saved.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from nbcellar.errors import CellarError
from nbcellar.git import index
from nbcellar.git.cleaner import load_cleaner
from nbcellar.git.filter_process import make_filter
from nbcellar.git.kept_outputs import KeptOutputs
from nbcellar.git.process import Git
from nbcellar.git.repository import find_git_repository

_SUFFIX = ".ipynb"


def keep_saved(file: Path, environ: Mapping[str, str], say: Callable[[str], None]) -> bool:
    """Keep the outputs of a notebook that was saved; return whether it goes through the filter.

    Raises CellarError, also for a file in no repository, and OSError.
    """
    own = Git(file.parent, environ).elsewhere(file.parent)
    repository = find_git_repository(file.parent, own.environ)
    name = os.fsencode(repository.path_of(file))
    fields = repository.git.run("check-attr", "-z", "filter", "--", name).out.split(b"\0")
    if fields[2:3] != [b"cellar"]:
        return False
    kept = KeptOutputs(repository.private / "outputs")
    worker = make_filter(repository.git, kept, load_cleaner(repository.git.folder), repository.git.environ, say)
    worker.clean(file.read_bytes(), os.fsdecode(name))
    index.compare_by_content(repository.git, [name])
    return True


def after_save(model: Mapping[str, Any], os_path: str, contents_manager: Any, **_: Any) -> None:
    """Do so for what a contents manager of Jupyter Server has saved."""
    log = contents_manager.log
    if model.get("type") != "notebook" or not os_path.endswith(_SUFFIX):
        return
    try:
        keep_saved(Path(os_path), os.environ, lambda text: log.warning("cellar: %s", text))
    except CellarError as error:  # most often: in no repository
        log.debug("cellar: %s: %s", os_path, error.message)
    except Exception as error:  # a save must not fail for us
        log.warning("cellar: %s: %s: %s", os_path, type(error).__name__, error)


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "nbcellar.git.saving"}]


def _load_jupyter_server_extension(server: Any) -> None:
    register = getattr(server.contents_manager, "register_post_save_hook", None)
    if register is None:
        server.log.warning("cellar: this contents manager has no hooks after saving, so outputs are not kept on save")
        return
    register(after_save)
