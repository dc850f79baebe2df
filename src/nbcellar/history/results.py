"""Results of pipelines as history sees them: commits outside of every notebook's line.

The scope of a result is the beginning of its key, its message says, as JSON, of which component it is. Each is a commit
without parents on a branch of its own, so one goes without the others. Invariant: what `result_of` takes for a result
is in no notebook's history. Not for: what a result depends on and when it is used (`pipeline/`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import msgspec

from nbcellar.errors import CellarError
from nbcellar.history import refs
from nbcellar.history.model import Commit, Covariable
from nbcellar.ids import CommitId, NotebookId

if TYPE_CHECKING:
    from nbcellar.history.repository import Repository

SCOPE_DIGITS = 32
LAST = "component/"
"""+ id of a cell, in a notebook's scope: the commit of that component's last result."""

_OWNER = "results of "


class Made(msgspec.Struct, frozen=True):
    """What the message of a result says of where it comes from.

    reads: name -> digest of what it was given; classes: those by uid that these needed.
    """

    key: str
    component: str = ""
    cell: str = ""
    notebook: str = ""
    reads: dict[str, str] = {}
    classes: dict[str, str] = {}


_decoder = msgspec.json.Decoder(Made)


def result_of(commit: Commit) -> Made | None:
    """Return what a commit is a result of; None for one of a notebook's history."""
    if not commit.message.startswith("{"):
        return None
    try:
        made = _decoder.decode(commit.message)
    except (msgspec.DecodeError, UnicodeEncodeError):
        return None
    return made if made.key[:SCOPE_DIGITS] == commit.notebook else None


def owner_of(commit: Commit) -> NotebookId:
    """Return who a commit's space is counted for: its notebook, or for a result the results of its notebook."""
    made = result_of(commit)
    return NotebookId(commit.notebook if made is None else _OWNER + (made.notebook or "pipelines"))


def line_of(commit: Commit) -> NotebookId:
    """Return what a commit is one of many of, by age: its notebook, or for a result its component."""
    made = result_of(commit)
    return NotebookId(commit.notebook if made is None else f"{made.notebook}\0{made.cell}")


def name_of(repo: Repository, scope: NotebookId) -> str:
    """Return what a scope is called that is no notebook's."""
    if scope.startswith(_OWNER):
        return scope
    for value in repo.store.refs(scope, refs.BRANCH).values():
        with contextlib.suppress(CellarError):
            made = result_of(repo.read_commit(CommitId(value)))
            if made is not None:
                where = f"{made.notebook}, " if made.notebook else ""
                return f"{where}component {made.component or made.cell}"
    return f"notebook {scope[:8]}"


def readers_of(dropped: Iterable[Covariable], results: Mapping[CommitId, Made]) -> list[CommitId]:
    """Return the results that were given one of these values: they hold its digest.

    The digest of an object with a class of the notebook's is one of both; whoever took its name is taken for a reader.
    """
    values: set[str] = set()
    names: set[str] = set()
    classes: set[str] = set()
    for entry in dropped:
        if entry.value is not None:
            values.add(entry.value.hex())
        if entry.needs:
            names.update(entry.names)
        classes.update(entry.defines)
    return [
        identifier
        for identifier, made in results.items()
        if not (values.isdisjoint(made.reads.values()) and names.isdisjoint(made.reads))
        or not classes.isdisjoint(made.classes)
    ]


__all__ = ["LAST", "SCOPE_DIGITS", "Made", "line_of", "name_of", "owner_of", "readers_of", "result_of"]
