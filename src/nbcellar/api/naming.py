"""Branches, tags and the operation log as views."""

from __future__ import annotations

from typing import Literal

from nbcellar.api import describe, views
from nbcellar.errors import NotFoundError
from nbcellar.history.index import title_of
from nbcellar.history.operations import describe as describe_operation
from nbcellar.history.repository import Repository
from nbcellar.ids import CommitId, NotebookId


def branches(repository: Repository, notebook: NotebookId) -> views.Branches:
    """Return the branches by name."""
    head = repository.head(notebook)
    found = [
        views.Branch(
            name=ref.name,
            commit=ref.commit.hex(),
            current=ref.is_current,
            title=_title(repository, notebook, ref.commit),
        )
        for ref in repository.branches(notebook)
    ]
    detached = head.commit.hex() if head.is_detached and head.commit else None
    return views.Branches(notebook=repository.label(notebook), branches=found, detached_at=detached)


def tags(repository: Repository, notebook: NotebookId) -> views.Tags:
    """Return the tags by name."""
    found = [
        views.Tag(name=ref.name, commit=ref.commit.hex(), title=_title(repository, notebook, ref.commit))
        for ref in repository.tags(notebook)
    ]
    return views.Tags(notebook=repository.label(notebook), tags=found)


def delete(repository: Repository, notebook: NotebookId, name: str, kind: Literal["branch", "tag"]) -> str:
    """Delete a branch or tag and return the commit where it was. Raises NotFoundError."""
    known = repository.branches(notebook) if kind == "branch" else repository.tags(notebook)
    commit = next((ref.commit for ref in known if ref.name == name), None)
    if kind == "branch":
        repository.delete_branch(notebook, name)
    else:
        repository.delete_tag(notebook, name)
    return commit.hex() if commit else ""


def operations(repository: Repository, notebook: NotebookId | None, limit: int | None) -> views.Operations:
    """Return operations, newest first; of all notebooks when none is given."""
    found = repository.ops(notebook, limit=limit)
    paths = {entry.notebook: repository.label(entry.notebook) for entry in found}
    return views.Operations(operations=[describe.operation(entry, paths[entry.notebook]) for entry in found])


def op_undo(repository: Repository, notebook: NotebookId, number: int | None) -> views.OperationUndone:
    """Undo an operation; return what it had been and what changed. Raises NotFoundError for an unknown number."""
    done = repository.op_undo(notebook, number)
    made = next((entry for entry in repository.ops(notebook, limit=1) if entry.number == done.operation), None)
    return views.OperationUndone(
        undone=done.undone.number,
        operation=done.operation,
        description=describe_operation(done.undone),
        changes=[describe.ref_change(change) for change in made.changes] if made else [],
        head_moved=done.before.commit != done.after.commit,
    )


def notebook_of_operation(repository: Repository, number: int) -> NotebookId:
    """Return the notebook that an operation is about. Raises NotFoundError."""
    for record in repository.iter_records(None, before=number + 1):
        if record.number == number and record.scope:
            return NotebookId(record.scope)
        break
    raise NotFoundError(f"there is no operation {number}", hint="see: cellar op log")


def _title(repository: Repository, notebook: NotebookId, commit: CommitId) -> str:
    message = repository.message_of(notebook, commit)
    return message.splitlines()[0] if message else title_of(repository.read_commit(commit))
