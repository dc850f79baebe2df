"""Cellar: version control for computational notebooks, the live session and the document.

    import nbcellar
    repo = nbcellar.open(".")
    repo.log()

    nbcellar.diff_notebooks(a, b)  # and patch_notebook, merge_notebooks, resolve: plain dicts or models

Invariant: importing the package costs next to nothing; parts are loaded when they are used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import os
    from typing import Any

    from nbcellar.api import Repo
    from nbcellar.api.documents import diff_notebooks, merge_notebooks, patch_notebook, resolve
    from nbcellar.api.documents_clean import clean_notebook
    from nbcellar.api.documents_fix import fix
    from nbcellar.api.pipeline_archives import export_results, import_results, look_into_results
    from nbcellar.api.pipeline_files import diff_pipelines, export_pipeline, import_pipeline, script_pipeline
    from nbcellar.api.pipeline_results import clear_results, list_results
    from nbcellar.api.pipelines import load_results, run_pipeline
    from nbcellar.git.saving import save_hook

__version__ = "0.1.0"


def open(path: str | os.PathLike[str] = ".") -> Repo:
    """Return the repository of a folder, or of a notebook, which then is the one that is meant by default.

    Raises NoRepositoryError.
    """
    from nbcellar.api import open_path

    return open_path(path)


def load_ipython_extension(shell: Any) -> None:
    """Start recording in this kernel: `%load_ext nbcellar`. Harmless when it records already."""
    from nbcellar.cli.magic import load

    load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """Stop recording in this kernel: `%unload_ext nbcellar`."""
    from nbcellar.cli.magic import unload

    unload(shell)


def autoload(shell: Any) -> None:
    """Start recording if this kernel belongs to a notebook in an initialised folder; never raises."""
    from nbcellar.session.join import NO_FOLDER, reason
    from nbcellar.session.join import autoload as start

    if start(shell):
        from nbcellar.cli.magic import welcome

        welcome(shell)
    elif reason() != NO_FOLDER:
        from nbcellar.cli.magic import complain

        complain(shell)


_ELSEWHERE = {
    **dict.fromkeys(("diff_notebooks", "merge_notebooks", "patch_notebook", "resolve"), "nbcellar.api.documents"),
    **dict.fromkeys(
        ("diff_pipelines", "export_pipeline", "import_pipeline", "script_pipeline"), "nbcellar.api.pipeline_files"
    ),
    **dict.fromkeys(("export_results", "import_results", "look_into_results"), "nbcellar.api.pipeline_archives"),
    **dict.fromkeys(("clear_results", "list_results"), "nbcellar.api.pipeline_results"),
    "clean_notebook": "nbcellar.api.documents_clean",
    "fix": "nbcellar.api.documents_fix",
    "load_results": "nbcellar.api.pipelines",
    "run_pipeline": "nbcellar.api.pipelines",
    "save_hook": "nbcellar.git.saving",
}


def __getattr__(name: str) -> Any:
    if name in _ELSEWHERE:
        import importlib

        return getattr(importlib.import_module(_ELSEWHERE[name]), name)
    raise AttributeError(f"module 'nbcellar' has no attribute {name!r}")


__all__ = [
    "__version__",
    "autoload",
    "clean_notebook",
    "clear_results",
    "diff_notebooks",
    "diff_pipelines",
    "export_pipeline",
    "export_results",
    "fix",
    "import_pipeline",
    "import_results",
    "list_results",
    "load_ipython_extension",
    "load_results",
    "look_into_results",
    "merge_notebooks",
    "open",
    "patch_notebook",
    "resolve",
    "run_pipeline",
    "save_hook",
    "script_pipeline",
    "unload_ipython_extension",
]
