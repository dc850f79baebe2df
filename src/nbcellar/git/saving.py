"""Jupyter Server saves a notebook: what is written is clean, and its outputs are kept aside at once.

Before saving, `clean.on_save` decides whether noise is left out of the file. Outputs stay in one that goes through the
filter, whatever the settings say of them: the filter leaves them out of commits. After saving, they are kept aside, as
`git checkout -- FILE` and `git reset --hard` do not ask the filter before they overwrite. `cellar git install
--save-hook` installs both, as an extension of the server. The first alone, in git or not, in
`jupyter_server_config.py`:

    from nbcellar import save_hook
    c.FileContentsManager.pre_save_hook = save_hook

Invariant: nothing that fails here reaches whoever saved, and what is kept aside is what was saved.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from nbcellar.clean.save_hook import clean_saved
from nbcellar.errors import CellarError, InvalidInputError, NoRepositoryError
from nbcellar.git.cleaner import load_cleaner
from nbcellar.git.compared import limit_bytes
from nbcellar.git.comparing import compare
from nbcellar.git.filter_process import make_filter
from nbcellar.git.kept_outputs import KeptOutputs
from nbcellar.git.process import Git
from nbcellar.git.repository import GitRepository, find_git_repository
from nbcellar.git.working_files import has_filter

_SUFFIX = ".ipynb"


def save_hook(model: dict[str, Any], path: str = "", contents_manager: Any = None, **_: Any) -> None:
    """Clean what a contents manager of Jupyter Server is about to save, in place: its hook before saving."""
    clean_saved(model, path, contents_manager, lambda file: _is_filtered(file, os.environ))


def keep_saved(file: Path, environ: Mapping[str, str], say: Callable[[str], None]) -> bool:
    """Keep the outputs of a notebook that was saved; return whether it goes through the filter.

    Raises CellarError, also for a file in no repository, and OSError.
    """
    repository = _repository_of(file, environ)
    git, name = repository.git, repository.path_of(file)
    if not has_filter(git, name):
        return False
    kept = KeptOutputs(repository.private / "outputs")
    worker = make_filter(git, kept, load_cleaner(git.folder, git.environ, say), git.environ, say)
    worker.clean(file.read_bytes(), name)
    compare(git, repository.private, [os.fsencode(name)], lambda: limit_bytes(git.folder, git.environ, say))
    return True


def _repository_of(file: Path, environ: Mapping[str, str]) -> GitRepository:
    own = Git(file.parent, environ).elsewhere(file.parent)
    return find_git_repository(file.parent, own.environ)


def _is_filtered(file: Path, environ: Mapping[str, str]) -> bool:
    try:
        repository = _repository_of(file, environ)
        return has_filter(repository.git, repository.path_of(file)) and _is_installed(repository)
    except CellarError:  # in no repository
        return False


def _is_installed(repository: GitRepository) -> bool:
    """Return whether git has a program for the filter: attributes that a team shares can name one that is not there."""
    return not repository.git.run("config", "--get-regexp", r"^filter\.cellar\.(process|clean)$", check=False).code


def after_save(model: Mapping[str, Any], os_path: str, contents_manager: Any, **_: Any) -> None:
    """Keep the outputs of what a contents manager of Jupyter Server has saved."""
    log = contents_manager.log
    if model.get("type") != "notebook" or not os_path.endswith(_SUFFIX):
        return
    try:
        keep_saved(Path(os_path), os.environ, lambda text: log.warning("cellar: %s", text))
    except (NoRepositoryError, InvalidInputError) as error:  # git's part is not for this file
        log.debug("cellar: %s: %s", os_path, error.message)
    except Exception as error:  # a save must not fail for us
        log.warning("cellar: %s: %s: %s", os_path, type(error).__name__, error)


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "nbcellar.git.saving"}]


def _load_jupyter_server_extension(server: Any) -> None:
    manager = server.contents_manager
    for name, hook, what in (
        ("register_pre_save_hook", save_hook, "notebooks are not cleaned"),
        ("register_post_save_hook", after_save, "outputs are not kept aside"),
    ):
        register = getattr(manager, name, None)
        if register is None:
            server.log.warning("cellar: this contents manager has no %s, so %s on save", name, what)
        else:
            register(hook)
