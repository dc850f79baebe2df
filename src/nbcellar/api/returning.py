"""Is there a session to bring back? A new kernel of a notebook is empty; what was recorded before it began is not.

Invariant: looks only; a kernel that is busy or records nothing yet is not waited for, and nothing is offered then.
Not for: bringing it back (`Repo.restore`).
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import msgspec

from nbcellar.api import describe, views
from nbcellar.api.kernels import is_local, live_kernels
from nbcellar.errors import CellarError
from nbcellar.ids import CommitId, NotebookId

if TYPE_CHECKING:
    from nbcellar.api.repo import Repo
    from nbcellar.history.model import State

_FARTHEST = 50
_MOST_NAMES = 8


class LostSession(msgspec.Struct, frozen=True, kw_only=True):
    """What the last session of a notebook held: the commit it ended with, how many variables, the names of some."""

    commit: views.CommitLine
    variables: int
    names: list[str]


def lost_session(repo: Repo) -> LostSession | None:
    """Return the session that a restore would bring into the live kernel, if that kernel holds nothing itself."""
    notebook = repo.notebook()
    entry = next((e for e in live_kernels(repo.cellar_folder) if e.notebook == notebook and is_local(e)), None)
    if entry is None:
        return None
    with contextlib.suppress(CellarError):
        lost = _last_session(repo, notebook)
        # Asked last: what a kernel that is still empty now has recorded before is no session of its own.
        said = repo.peek_at(entry) if lost is not None else None
        if said is not None and not said.get("variables"):
            return lost
    return None


def _last_session(repo: Repo, notebook: NotebookId) -> LostSession | None:
    from nbcellar.api.reading import log

    current = repo.repository.head(notebook).commit
    for _ in range(_FARTHEST):
        if current is None:
            return None
        commit = repo.repository.read_commit(current)
        state = _state(repo, current) if commit.state is not None else None
        if state is not None and state.covariables:
            names = sorted(variable.name for variable in describe.variables(state))
            line = log(repo.repository, notebook, current, all_refs=False, limit=1).commits[0]
            return LostSession(commit=line, variables=len(names), names=names[:_MOST_NAMES])
        current = CommitId(commit.parents[0]) if commit.parents else None
    return None


def _state(repo: Repo, commit: CommitId) -> State | None:
    try:
        return repo.repository.read_state(commit)
    except CellarError:  # its capture was interrupted
        return None


__all__ = ["LostSession", "lost_session"]
