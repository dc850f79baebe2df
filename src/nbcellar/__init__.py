"""Cellar: version control for computational notebooks, the live session and the document.

    import nbcellar
    repo = nbcellar.open(".")
    repo.log()

Invariant: importing the package costs next to nothing; parts are loaded when they are used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import os
    from typing import Any

    from nbcellar.api import Repo
    from nbcellar.api.documents_clean import CleanedNotebook

__version__ = "0.1.0"


def open(path: str | os.PathLike[str] = ".") -> Repo:
    """Return the repository of a folder, or of a notebook, which then is the one that is meant by default.

    Raises NoRepositoryError.
    """
    from nbcellar.api import open_path

    return open_path(path)


def clean_notebook(notebook: Any, **settings: Any) -> CleanedNotebook[Any]:
    """Return a notebook (a dict, a model or a path) in canonical form and what was left out; nothing is written.

    settings: keys of the section `clean`, as in `clean_notebook(nb, outputs=False)`.
    """
    from nbcellar.api.documents_clean import clean_notebook

    return clean_notebook(notebook, **settings)


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


__all__ = ["__version__", "autoload", "clean_notebook", "load_ipython_extension", "open", "unload_ipython_extension"]
