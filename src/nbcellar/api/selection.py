"""Which notebook and which commit a user means.

Invariant: where several notebooks are recorded and none is named, nothing is guessed: the error lists them. With
`shows`, what it says no to is neither found nor listed, however it is named.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from nbcellar.errors import AmbiguousReferenceError, InvalidInputError, NotFoundError
from nbcellar.history.repository import Repository
from nbcellar.history.resolve import Resolved
from nbcellar.ids import NotebookId

_LISTED = 8

Shows = Callable[[Path], bool]
"""Says of a notebook's file, which may not be there any more, whether it may be spoken of."""


def choose_notebook(
    repository: Repository, text: str | None, *, folder: Path, shows: Shows | None = None
) -> NotebookId:
    """Return the notebook that `text` names, from `folder` or from the root; None: the only one there is."""
    if text is not None:
        return find_notebook(repository, text, folder=folder)
    known = [info for info in repository.notebooks() if shows is None or shows(repository.root / info.path)]
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


def resolve(
    repository: Repository, ref: str, notebook: str | None, *, folder: Path, shows: Shows | None = None
) -> Resolved:
    """Return what a reference names; without a notebook to look in, `NOTEBOOK@REF` or a unique id still work.

    shows: which notebooks may be named beside `notebook`; None: all.
    """
    if shows is None:
        return _resolve(repository, ref, notebook, folder)
    own = find_notebook(repository, notebook, folder=folder) if notebook is not None else None
    hidden = NotFoundError(f"'{ref}' names nothing that is shown here")
    try:
        found = _resolve(repository, ref, notebook, folder)
    except AmbiguousReferenceError as error:  # the commits that it lists may be of others
        raise AmbiguousReferenceError(error.message.split(":\n")[0], hint=error.hint) from None
    except (NotFoundError, InvalidInputError):
        if own is not None and "@" not in ref:
            raise
        raise hidden from None
    if found.notebook != own and not shows(repository.root / repository.label(found.notebook)):
        raise hidden
    return found


def _resolve(repository: Repository, ref: str, notebook: str | None, folder: Path) -> Resolved:
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
