"""Attach and detach: which notebooks are recorded from now on, and the running kernel's part in it.

Invariant: the decision is kept in the repository's settings, so that the next kernel knows it; the present kernel is
told at once where it can be reached, and where not, the note says what to do.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from nbcellar import config
from nbcellar.api.kernels import JOIN, live_kernels, run_silently
from nbcellar.api.reading import off_reason
from nbcellar.api.servers import sessions
from nbcellar.api.session import stop
from nbcellar.errors import CellarError, InvalidInputError, NotFoundError
from nbcellar.history.notebooks import relative_path
from nbcellar.ids import NotebookId

if TYPE_CHECKING:
    from nbcellar.api.repo import Repo

_OFF = config.KEYS["record.off_notebooks"]
_ENABLED = config.KEYS["record.enabled"]


class Joined(NamedTuple):
    """What was done about a notebook, and what is left to do."""

    path: str
    notes: tuple[str, ...]


def attach(repo: Repo, text: str) -> Joined:
    """Record a notebook from now on; its running kernel joins if a Jupyter server of this machine has it."""
    file = _file(repo, text)
    relative = relative_path(repo.repository, file)
    notes = _switch_on(repo, relative)
    live = _live(repo, relative)
    if live:
        return Joined(relative, (*notes, "its kernel records already"))
    session = next((s for s in sessions(repo.environ) if s.path == file.resolve()), None)
    if session is None:
        return Joined(relative, (*notes, "no running kernel was found; in one that runs: %load_ext nbcellar"))
    run_silently(session.connection_file, JOIN)
    if not _live(repo, relative):
        return Joined(relative, (*notes, "its kernel did not join; in a cell, %load_ext nbcellar says why"))
    return Joined(relative, (*notes, "its running kernel joined; what it held is the first commit"))


def detach(repo: Repo, text: str, *, only_session: bool) -> Joined:
    """Record a notebook no longer; its running kernel stops when it is idle."""
    file = _file(repo, text)
    relative = relative_path(repo.repository, file)
    notes = []
    if not only_session and not off_reason(repo.settings, relative):
        _write_off(repo, (*_listed(repo), relative))
        notes.append(f"it stays off; to record it again: cellar attach {relative}")
    stopped = [_stop(repo, notebook) for notebook in _live(repo, relative)]
    notes.append("its kernel stopped recording" if any(stopped) else "no kernel was recording it")
    return Joined(relative, tuple(notes))


def detach_all(repo: Repo, *, only_session: bool) -> Joined:
    """Record nothing in this repository any more."""
    notes = []
    if not only_session:
        config.write_value(repo.cellar_folder / config.FILE_NAME, _ENABLED, False)
        notes.append("it stays off; to record again: cellar config --unset record.enabled")
    kernels = {NotebookId(entry.notebook) for entry in live_kernels(repo.cellar_folder)}
    stopped = sum(_stop(repo, notebook) for notebook in kernels)
    notes.append(f"{stopped} running {'kernel' if stopped == 1 else 'kernels'} stopped recording")
    return Joined(f"anything in {repo.root}", tuple(notes))


def _stop(repo: Repo, notebook: NotebookId) -> bool:
    return stop(repo.requests, notebook)


def _file(repo: Repo, text: str) -> Path:
    file = (repo.folder / Path(text).expanduser()).absolute()
    if file.is_file():
        if file.suffix != ".ipynb":
            raise InvalidInputError(f"{text} is no notebook", hint="give the path of an .ipynb file")
        return file
    try:
        return repo.root / repo.repository.label(repo.notebook(text))
    except CellarError:
        raise NotFoundError(f"there is no notebook {text}", hint="give its path") from None


def _switch_on(repo: Repo, relative: str) -> list[str]:
    listed = _listed(repo)
    if relative in listed:
        _write_off(repo, tuple(item for item in listed if item != relative))
        settings = config.load(repo.cellar_folder, repo.environ)
        reason = off_reason(settings, relative)
    else:
        reason = off_reason(repo.settings, relative)
    return [f"still off: {reason}; see: cellar config"] if reason else []


def _listed(repo: Repo) -> tuple[str, ...]:
    return repo.settings.record.off_notebooks


def _write_off(repo: Repo, patterns: tuple[str, ...]) -> None:
    config.write_value(repo.cellar_folder / config.FILE_NAME, _OFF, patterns or None)


def _live(repo: Repo, relative: str) -> set[NotebookId]:
    try:
        notebook = repo.repository.notebook_for(repo.root / relative)
    except NotFoundError:
        return set()
    return {notebook} if any(entry.notebook == notebook for entry in live_kernels(repo.cellar_folder)) else set()
