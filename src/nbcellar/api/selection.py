"""Which notebook and which commit a user means.

Invariant: where several notebooks are recorded and none is named, nothing is guessed: the error lists them.
"""

from __future__ import annotations

from pathlib import Path

from nbcellar.errors import InvalidInputError, NotFoundError
from nbcellar.history.repository import Repository
from nbcellar.history.resolve import Resolved
from nbcellar.ids import NotebookId

_LISTED = 8


def choose_notebook(repository: Repository, text: str | None, *, folder: Path) -> NotebookId:
    """Return the notebook that `text` names, from `folder` or from the root; None: the only one there is."""
    if text is not None:
        return find_notebook(repository, text, folder=folder)
    known = repository.notebooks()
    if len(known) == 1:
        return known[0].id
    if not known:
        raise NotFoundError("nothing is recorded here yet", hint="open a notebook in Jupyter and run a cell")
    paths = [info.path for info in known]
    more = f" and {len(paths) - _LISTED} more" if len(paths) > _LISTED else ""
    raise InvalidInputError(
        f"there are {len(paths)} notebooks here: {', '.join(paths[:_LISTED])}{more}",
        hint=f"say which: -n {paths[0]} (or {paths[0]}@HEAD)",
    )


def find_notebook(repository: Repository, text: str, *, folder: Path) -> NotebookId:
    """Return the notebook at a path (relative to `folder` first), or one whose path ends so."""
    absolute = folder / Path(text).expanduser()
    if absolute.exists() and absolute.is_file():
        return repository.notebook_for(absolute)
    return repository.find_notebook(text)


def resolve(repository: Repository, ref: str, notebook: str | None, *, folder: Path) -> Resolved:
    """Return what a reference names; without a notebook to look in, `NOTEBOOK@REF` or a unique id still work."""
    if notebook is not None:
        return repository.resolve_full(ref, find_notebook(repository, notebook, folder=folder))
    known = repository.notebooks()
    if len(known) == 1:
        return repository.resolve_full(ref, known[0].id)
    try:
        return repository.resolve_full(ref, None)
    except InvalidInputError as error:
        if type(error) is not InvalidInputError:
            raise
        return repository.resolve_full(ref, choose_notebook(repository, None, folder=folder))
