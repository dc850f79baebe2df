"""The history as the browser's panels show it: in stretches, and what came since; a state with its origins.

Invariant: nothing here asks a kernel or loads a value, but `undo_to`, which changes the live session.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec
from blake3 import blake3

from nbcellar.api import describe, session, views
from nbcellar.api.history_views import Entry, History, Named, StateOf
from nbcellar.history.log import Summary
from nbcellar.history.model import CellRun
from nbcellar.history.steps import require_undos_to
from nbcellar.ids import CommitId, NotebookId

if TYPE_CHECKING:
    from nbcellar.api.repo import Repo
    from nbcellar.session.replay.replayer import Wish

_LINES = 4
_LINE_CHARS = 200


def history(repo: Repo, *, skip: int = 0, limit: int = 200, have: int = 0, digest: str = "") -> History:
    """Return entries of all that the refs of a notebook reach, newest first.

    have, digest: the asker holds that many entries, the last ones of a listing that had this digest. Where they are
    still the last ones, what stands before them is returned; else `limit` entries after `skip`.
    """
    notebook = repo.notebook()
    head = repo.repository.head(notebook)
    listed = repo.repository.log(notebook, all_refs=True)
    follows = bool(digest) and 0 < have <= len(listed) and _digest(listed[len(listed) - have :]) == digest
    wanted = listed[: len(listed) - have] if follows else listed[skip : skip + limit]
    labels = describe.labels_of(repo.repository, notebook)
    return History(
        entries=_entries(repo, notebook, wanted, labels),
        total=len(listed),
        digest=_digest(listed),
        follows=follows,
        head=head.commit.hex() if head.commit is not None else None,
        branch=head.branch,
        names=_names(repo, notebook),
    )


def state(repo: Repo, ref: str = "HEAD") -> StateOf:
    """Return the variables of a commit with the commits that recorded them. Raises NotFoundError where none were."""
    notebook, commit = repo.locate(ref)
    variables = repo.vars(ref).variables
    origins = {CommitId(bytes.fromhex(variable.recorded_in)) for variable in variables if variable.recorded_in}
    recorded = [_entry(repo, notebook, origin) for origin in origins if repo.repository.has_commit(origin)]
    recorded.sort(key=lambda entry: entry.time, reverse=True)
    return StateOf(commit=_entry(repo, notebook, commit), variables=variables, recorded=recorded)


def undo_to(repo: Repo, ref: str, *, without: Sequence[str] = (), replay: Wish = "no") -> views.SessionChange:
    """Take back cell runs in the live kernel until the step that `ref` is part of is the last one.

    Raises InvalidInputError where undo does not lead there.
    """
    repo.catch_up(ref)
    notebook, commit = repo.locate(ref)
    head = repo.repository.head(notebook).commit
    steps = require_undos_to(repo.repository, head, commit) if head is not None else 1
    # The kernel counts again: a cell that runs now is one more step by then.
    asked = {"n": steps, "to": commit.hex(), "without": list(without), "replay": replay}
    return session.change(repo.requests, notebook, "undo", asked)


def _entries(
    repo: Repo, notebook: NotebookId, listed: Sequence[Summary], labels: Mapping[CommitId, list[views.Label]]
) -> list[Entry]:
    path = repo.repository.label(notebook)
    return [
        _with_code(describe.line(summary, path, labels), repo.repository.read_commit(summary.id).cell)
        for summary in listed
    ]


def _entry(repo: Repo, notebook: NotebookId, commit_id: CommitId) -> Entry:
    repository = repo.repository
    commit = repository.read_commit(commit_id)
    line = describe.commit_line(
        commit_id,
        commit,
        path=repository.label(notebook),
        message=repository.message_of(notebook, commit_id),
        labels=(),
        changed=(),
    )
    return _with_code(line, commit.cell)


def _with_code(line: views.CommitLine, cell: CellRun | None) -> Entry:
    fields = msgspec.structs.asdict(line)
    if cell is None:
        return Entry(**fields)
    code = cell.source.strip("\n").splitlines()
    first = "\n".join(_cut(text) for text in code[:_LINES])
    return Entry(**fields, source=first, lines=len(code), duration_s=cell.duration_s)


def _cut(text: str) -> str:
    return text if len(text) <= _LINE_CHARS else text[: _LINE_CHARS - 1] + "…"


def _names(repo: Repo, notebook: NotebookId) -> list[Named]:
    repository = repo.repository
    found = [
        Named(kind="branch", name=ref.name, commit=ref.commit.hex(), current=ref.is_current)
        for ref in repository.branches(notebook)
    ]
    return found + [Named(kind="tag", name=ref.name, commit=ref.commit.hex()) for ref in repository.tags(notebook)]


def _digest(listed: Sequence[Summary]) -> str:
    """Return what changes with any entry: another message, a value thinned out, a commit rewritten or gone."""
    hasher = blake3()
    hasher.update(b"".join(summary.id + summary.flags.to_bytes(4, "big") for summary in listed))
    hasher.update("\n".join(summary.title for summary in listed).encode("utf-8", "surrogatepass"))
    return hasher.hexdigest(16)


__all__ = ["history", "state", "undo_to"]
