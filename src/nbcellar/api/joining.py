"""Attach and detach: which notebooks are recorded from now on, and the running kernel's part in it.

Invariant: the decision is kept in the repository's settings, so that the next kernel knows it; the present kernel is
told at once where it can be reached, and where not, the note says what to do.
"""

from __future__ import annotations

import glob
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from nbcellar import config
from nbcellar.api.kernels import JOIN, live_kernels, run_silently
from nbcellar.api.reading import off_reason
from nbcellar.api.servers import sessions
from nbcellar.api.session import stop
from nbcellar.errors import CellarError, InvalidInputError, NotFoundError
from nbcellar.history.drafts import FOLDER_NAME as DRAFTS
from nbcellar.history.drafts import drop_drafts_of, sweep_drafts
from nbcellar.history.notebooks import relative_path
from nbcellar.ids import NotebookId

if TYPE_CHECKING:
    from nbcellar.api.repo import Repo

_OFF = config.KEYS["record.off_notebooks"]
_ENABLED = config.KEYS["record.enabled"]


class Joined(NamedTuple):
    """What was done about a notebook, and what is left to do; `is_on`: it is recorded, now or from its next start."""

    path: str
    notes: tuple[str, ...]
    is_on: bool


def attach(repo: Repo, text: str) -> Joined:
    """Record a notebook from now on; its running kernel joins if a Jupyter server of this machine has it."""
    file = _file(repo, text)
    relative = relative_path(repo.repository, file)
    off = _switch_on(repo, relative)
    if _live(repo, relative):
        return _joined(relative, "its kernel records already", off)
    session = next((s for s in sessions(repo.environ) if s.path == file.resolve()), None)
    if session is None:
        return _not_joined(relative, "no running kernel was found; in one that runs: %load_ext nbcellar", off)
    run_silently(session.connection_file, JOIN)
    if not _live(repo, relative):
        return _not_joined(relative, "its kernel did not join; in a cell, %load_ext nbcellar says why", off)
    return _joined(relative, "its running kernel joined; what it holds is recorded", off)


def _joined(relative: str, what: str, off: str) -> Joined:
    until = (f"until it restarts, because {off}; see: cellar config",) if off else ()
    return Joined(relative, (what, *until), is_on=True)


def _not_joined(relative: str, what: str, off: str) -> Joined:
    why = (f"its next kernel will not record, because {off}; see: cellar config",) if off else ()
    return Joined(relative, (*why, what), is_on=not off)


def detach(repo: Repo, text: str, *, only_session: bool) -> Joined:
    """Record a notebook no longer; its running kernel stops when it is idle."""
    file = _file(repo, text)
    relative = relative_path(repo.repository, file)
    notes = []
    if not only_session and not off_reason(repo.settings, relative):
        _write_off(repo, (*_listed(repo), glob.escape(relative)))
        notes.append(f"it stays off; to record it again: cellar attach {shlex.quote(relative)}")
    stopped = [_stop(repo, notebook) for notebook in _live(repo, relative)]
    drop_drafts_of(repo.cellar_folder / DRAFTS, str(file.resolve()))
    notes.append("its kernel stopped recording" if any(stopped) else "no kernel was recording it")
    return Joined(relative, tuple(notes), is_on=False)


def detach_all(repo: Repo, *, only_session: bool) -> Joined:
    """Record nothing in this repository any more."""
    notes = []
    if not only_session:
        config.write_value(repo.cellar_folder / config.FILE_NAME, _ENABLED, False)
        notes.append("it stays off; to record again: cellar config --unset record.enabled")
    kernels = {NotebookId(entry.notebook) for entry in live_kernels(repo.cellar_folder)}
    stopped = sum(_stop(repo, notebook) for notebook in kernels)
    sweep_drafts(repo.cellar_folder / DRAFTS, older_than_s=0.0)
    notes.append(f"{stopped} running {'kernel' if stopped == 1 else 'kernels'} stopped recording")
    return Joined(f"anything in {repo.root}", tuple(notes), is_on=False)


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


def _switch_on(repo: Repo, relative: str) -> str:
    """Take a notebook off the list; return why it stays off all the same, or nothing."""
    listed = _listed(repo)
    names = (relative, glob.escape(relative))
    if not any(name in listed for name in names):
        return off_reason(repo.settings, relative)
    _write_off(repo, tuple(item for item in listed if item not in names))
    return off_reason(config.load(repo.cellar_folder, repo.environ), relative)


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
