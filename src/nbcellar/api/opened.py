"""The notebook as it is open in an editor: recorded with its unsaved edits, and given another version of itself.

Invariant: recording moves nothing that a live kernel stands on: with a kernel the commit is kept by the operation log
and HEAD stays, without one the branch goes on to it. The file is not read or written: the editor saves it.

Not for: putting the other version into the editor (the browser does), files that are open nowhere (`code.py`).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from nbcellar import notebook as notebooks
from nbcellar.api import code
from nbcellar.api.jupyter_trust import is_trusted
from nbcellar.api.kernels import live_kernels
from nbcellar.errors import InvalidInputError
from nbcellar.history.model import COMMIT_FORMAT, Commit, CommitKind
from nbcellar.history.recording import HeadMove
from nbcellar.ids import CommitId
from nbcellar.notebook import tree
from nbcellar.store.interface import Kind

if TYPE_CHECKING:
    from nbcellar.api.repo import Repo


class Document(NamedTuple):
    """The notebook of a commit; `trusted`: Jupyter trusts exactly this text, so its outputs may show what they like."""

    commit: CommitId
    notebook: dict[str, Any]
    trusted: bool


def document_of(repo: Repo, ref: str) -> Document:
    """Return the newest notebook at or before a commit. Raises NotFoundError where none was recorded."""
    _, commit = repo.locate(ref)
    data = code.document(repo.repository, commit)
    return Document(commit, json.loads(data.decode("utf-8-sig")), is_trusted(data, repo.environ))


def record_opened(repo: Repo, notebook: dict[str, Any], *, message: str) -> CommitId | None:
    """Record a notebook as its editor holds it, unless exactly this was recorded before; return the new commit.

    Raises InvalidInputError for what is no notebook.
    """
    from nbcellar.trust.keys import load_or_create

    identity, repository = repo.notebook(), repo.repository
    data = json.dumps(_as_saved(notebook), ensure_ascii=False).encode("utf-8", "surrogatepass")
    root, objects = tree.split(notebooks.read(data, path=repository.label(identity)))
    if repository.store.has(root):
        return None
    head = repository.head(identity).commit
    parent = repository.read_commit(head) if head is not None else None
    with repository.begin(identity, load_or_create(repo.user_folder)) as recorder:
        for part in objects:
            recorder.put(Kind[part.kind], part.data, digest=part.digest)
        made = recorder.commit(
            Commit(
                format=COMMIT_FORMAT,
                notebook=identity,
                parents=(head,) if head is not None else (),
                kind=CommitKind.CHECKOUT,
                time_ns=repository.clock(),
                author=repository.by,
                message=message,
                tree=root,
                environment=parent.environment if parent is not None else None,
            ),
            advance=HeadMove.STAY if _has_kernel(repo, identity) else HeadMove.ADVANCE,
        )
        recorder.finish()
    return made


def _has_kernel(repo: Repo, notebook: str) -> bool:
    return any(entry.notebook == notebook for entry in live_kernels(repo.cellar_folder))


def _as_saved(notebook: dict[str, Any]) -> dict[str, Any]:
    """Return what would be in the file: whether a cell is trusted is not a part of it."""
    try:
        cells = [
            {**cell, "metadata": {key: held for key, held in cell["metadata"].items() if key != "trusted"}}
            for cell in notebook["cells"]
        ]
    except (KeyError, TypeError, AttributeError) as error:
        raise InvalidInputError(f"what the editor holds is no notebook: {error!r}") from None
    return {**notebook, "cells": cells}


__all__ = ["Document", "document_of", "record_opened"]
