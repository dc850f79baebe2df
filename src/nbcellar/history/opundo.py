"""Undoing an operation: its refs go back to what they were before it.

Invariant: after an undo exactly the refs that the operation changed hold the values from before it, or nothing has
changed and the reason is said. An undo is an operation, too: undoing it does the first one again. Not for: variables;
the caller applies the state of the new HEAD.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from nbcellar.errors import ConflictError, InvalidInputError, NotFoundError
from nbcellar.history import refs
from nbcellar.history.branches import change_refs
from nbcellar.history.operations import FIRST_PARENT, Operation, OperationKind, RefChange, decode_operation, describe
from nbcellar.history.refs import Head
from nbcellar.ids import CommitId, NotebookId, short

if TYPE_CHECKING:
    from nbcellar.history.repository import Repository


class OpUndone(msgspec.Struct, frozen=True):
    """What an undo did; a kernel applies the state of `after` when its commit differs from that of `before`."""

    undone: Operation
    operation: int
    before: Head
    after: Head


def op_undo(repo: Repository, notebook: NotebookId, number: int | None = None) -> OpUndone:
    """Undo the last operation of a notebook, or the given one.

    Raises NotFoundError for an unknown number, InvalidInputError for an operation that has no undo, ConflictError
    when a ref moved since.
    """
    operation, later = _find(repo, notebook, number)
    _check_has_undo(operation)
    changes = [_inverse(repo, operation, change) for change in operation.changes if change.name]
    for change in changes:
        _check_unmoved(repo, operation, change, later)
        _check_kept(repo, operation, change)
    before = repo.head(notebook)
    after = _head_after(repo, notebook, before, changes)
    if after.commit is None and before.commit is not None:
        raise InvalidInputError(f"undoing operation {operation.number} would leave HEAD without a commit")
    words = f"undo operation {operation.number}: {describe(operation)}"
    made = change_refs(repo, notebook, OperationKind.UNDO, changes, words, undoes=operation.number)
    return OpUndone(operation, made, before, after)


def _find(repo: Repository, notebook: NotebookId, number: int | None) -> tuple[Operation, list[Operation]]:
    """Return the operation and those of the same notebook after it, newest first."""
    later: list[Operation] = []
    for record in repo.iter_records(notebook):
        if number is not None and record.number < number:
            break
        operation = decode_operation(record)
        if operation.number == number or (number is None and operation.kind is not OperationKind.THIN):
            return operation, later
        later.append(operation)
        if operation.kind is OperationKind.FORGET:
            raise InvalidInputError(
                f"operation {number} cannot be undone: operation {operation.number} took something out of history"
            )
    what = "there is no operation yet" if number is None else f"there is no operation {number}"
    raise NotFoundError(f"{what} of {repo.label(notebook)}", hint="see: cellar op log")


def _check_has_undo(operation: Operation) -> None:
    reasons = {
        OperationKind.CREATE: "with it the notebook began",
        OperationKind.FORGET: "what was taken out of history is gone",
        OperationKind.THIN: "the values that were thinned out are gone",
    }
    reason = reasons.get(operation.kind)
    if reason is None and not any(change.name for change in operation.changes):
        reason = "it moved no ref"
    if reason is not None:
        raise InvalidInputError(f"operation {operation.number} cannot be undone: {reason}")


def _inverse(repo: Repository, operation: Operation, change: RefChange) -> RefChange:
    old = change.old
    if old is FIRST_PARENT:
        assert change.new is not None  # a value before that is derived from the one after needs one
        parents = _parents(repo, operation, CommitId(change.new))
        old = parents[0] if parents else None
    return RefChange(change.name, change.new, old if isinstance(old, bytes) else None)


def _parents(repo: Repository, operation: Operation, commit: CommitId) -> tuple[bytes, ...]:
    try:
        return repo.read_commit(commit).parents
    except NotFoundError:
        raise _gone(operation, commit) from None


def _check_unmoved(repo: Repository, operation: Operation, change: RefChange, later: list[Operation]) -> None:
    if repo.store.ref(operation.notebook, change.name) == change.old:
        return
    mover = next((o.number for o in later if any(c.name == change.name for c in o.changes)), None)
    by = f" by operation {mover}" if mover is not None else ""
    raise ConflictError(
        f"operation {operation.number} cannot be undone: {_word(change.name)} moved since{by}",
        hint=f"undo that one first: cellar op undo {mover}" if mover is not None else "see: cellar op log",
    )


def _check_kept(repo: Repository, operation: Operation, change: RefChange) -> None:
    if change.new is None or change.name.startswith(refs.MESSAGE):
        return
    commit = refs.decode_head(change.new)[1] if change.name == refs.HEAD else CommitId(change.new)
    if commit is not None and not repo.has_commit(commit):
        raise _gone(operation, commit)


def _gone(operation: Operation, commit: CommitId) -> InvalidInputError:
    return InvalidInputError(
        f"operation {operation.number} cannot be undone: commit {short(commit)} is no longer kept",
        hint="gc removes what no branch or tag holds once its operation is older than gc.keep_ops_days",
    )


def _head_after(repo: Repository, notebook: NotebookId, before: Head, changes: list[RefChange]) -> Head:
    new = {change.name: change.new for change in changes}
    value = new.get(refs.HEAD, repo.store.ref(notebook, refs.HEAD))
    if value is None:
        return before
    branch, commit, left = refs.decode_head(value)
    if branch is not None:
        name = refs.BRANCH + branch
        tip = new[name] if name in new else repo.store.ref(notebook, name)
        commit = CommitId(tip) if tip is not None else None
    return Head(branch, commit, left)


def _word(name: str) -> str:
    if name.startswith(refs.MESSAGE):
        return f"the message of {name.removeprefix(refs.MESSAGE)[:8]}"
    return name.replace("/", " ", 1)


__all__ = ["OpUndone", "op_undo"]
