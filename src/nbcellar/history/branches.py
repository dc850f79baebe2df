"""Branches, tags, messages and the place of HEAD: each change is one transaction with one operation.

Invariant: a change that cannot be made changes nothing and says why; what a ref held before is in the operation log.
Not for: recording (`recording.py`) or a session's variables: a checkout here moves HEAD only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from nbcellar.errors import (
    AlreadyExistsError,
    ConflictError,
    InvalidInputError,
    NotFoundError,
    UnknownReferenceError,
)
from nbcellar.history import refs
from nbcellar.history.operations import Operation, OperationKind, RefChange, encode_operation
from nbcellar.history.reach import commits_of_operation
from nbcellar.history.refs import Head
from nbcellar.ids import CommitId, NotebookId, short

if TYPE_CHECKING:
    from nbcellar.history.repository import Repository


class Ref(msgspec.Struct, frozen=True):
    """A branch or a tag."""

    name: str
    commit: CommitId
    is_current: bool = False


class HeadChange(msgspec.Struct, frozen=True):
    """Where HEAD was and where it is; a kernel applies the state of `after` by itself."""

    before: Head
    after: Head
    operation: int  # 0: nothing changed


def list_refs(repo: Repository, notebook: NotebookId, kind: str) -> list[Ref]:
    """Return the branches (`refs.BRANCH`) or tags (`refs.TAG`) of a notebook, by name."""
    current = repo.head(notebook).branch if kind == refs.BRANCH else None
    found = repo.store.refs(notebook, kind)
    names = sorted((name.removeprefix(kind), value) for (_, name), value in found.items())
    return [Ref(name, CommitId(value), name == current) for name, value in names]


def create_branch(repo: Repository, notebook: NotebookId, name: str, commit: CommitId, *, force: bool = False) -> int:
    """Make branch `name` point at `commit`; with `force`, move one that exists. Return the operation's number."""
    if force and repo.head(notebook).branch == name:
        raise InvalidInputError(f"branch {name} is the current one and cannot be moved", hint="use: cellar checkout")
    return _create(repo, notebook, refs.BRANCH, name, commit, force=force)


def create_tag(repo: Repository, notebook: NotebookId, name: str, commit: CommitId, *, force: bool = False) -> int:
    """Make tag `name` point at `commit`; with `force`, move one that exists. Return the operation's number."""
    return _create(repo, notebook, refs.TAG, name, commit, force=force)


def delete_branch(repo: Repository, notebook: NotebookId, name: str) -> int:
    """Delete a branch; its commits stay as long as operations are kept. The current branch is refused."""
    if repo.head(notebook).branch == name:
        raise InvalidInputError(f"branch {name} is the current one", hint="check out something else first")
    return _delete(repo, notebook, refs.BRANCH, name)


def delete_tag(repo: Repository, notebook: NotebookId, name: str) -> int:
    """Delete a tag."""
    return _delete(repo, notebook, refs.TAG, name)


def rename_branch(repo: Repository, notebook: NotebookId, old: str, new: str, *, force: bool = False) -> int:
    """Rename a branch; HEAD follows when it is the current one. With `force`, replace a branch named `new`."""
    refs.check_name(new, "branch")
    value = _existing(repo, notebook, refs.BRANCH, old)
    if old == new:
        return 0
    replaced = repo.store.ref(notebook, refs.BRANCH + new)
    if replaced is not None and not force:
        raise AlreadyExistsError(f"a branch {new} exists", hint="use -f to replace it")
    head_value = repo.store.ref(notebook, refs.HEAD)
    head = repo.head(notebook)
    if head.branch == new:
        raise InvalidInputError(f"branch {new} is the current one and cannot be replaced")
    changes = [RefChange(refs.BRANCH + old, value, None), RefChange(refs.BRANCH + new, replaced, value)]
    if head.branch == old:
        changes.append(RefChange(refs.HEAD, head_value, refs.encode_head(branch=new)))
    return change_refs(repo, notebook, OperationKind.BRANCH, changes, f"rename branch {old} to {new}")


def move_head(
    repo: Repository, notebook: NotebookId, commit: CommitId, *, branch: str | None = None, description: str = ""
) -> HeadChange:
    """Attach HEAD to `branch` (whose tip must be `commit`), or detach it at `commit`.

    Where HEAD was does not matter: when another kernel of the notebook moved it meanwhile, it is moved from there.
    """
    for _ in range(_ATTEMPTS):
        try:
            return _move_head(repo, notebook, commit, branch, description)
        except ConflictError as error:
            conflict = error
    raise conflict


_ATTEMPTS = 10


def _move_head(
    repo: Repository, notebook: NotebookId, commit: CommitId, branch: str | None, description: str
) -> HeadChange:
    repo.require_commit(commit)
    value = repo.store.ref(notebook, refs.HEAD)
    before = repo.head(notebook)
    if branch is not None:
        tip = _existing(repo, notebook, refs.BRANCH, branch)
        if tip != commit:
            raise ConflictError(f"branch {branch} moved to {short(tip)} meanwhile", hint="try again")
        after = Head(branch, commit, branch)
        new = refs.encode_head(branch=branch)
    else:
        after = Head(None, commit, before.branch or before.left)
        new = refs.encode_head(commit=commit, left=after.left)
    if new == value:
        return HeadChange(before, after, 0)
    words = description or f"checkout {branch or short(commit)}"
    number = change_refs(repo, notebook, OperationKind.CHECKOUT, [RefChange(refs.HEAD, value, new)], words)
    return HeadChange(before, after, number)


def set_message(repo: Repository, notebook: NotebookId, commit: CommitId, text: str) -> int:
    """Give a commit a newer message, kept beside it: the commit itself never changes. Empty takes it back."""
    repo.require_commit(commit)
    name = refs.message_ref(commit)
    old = repo.store.ref(notebook, name)
    try:
        new = text.encode() or None
    except UnicodeEncodeError as error:
        raise InvalidInputError(f"the message is not text: {error.reason}") from None
    if old == new:
        return 0
    words = f"message of {short(commit)}"
    return change_refs(repo, notebook, OperationKind.MESSAGE, [RefChange(name, old, new)], words)


def change_refs(
    repo: Repository,
    notebook: NotebookId,
    kind: OperationKind,
    changes: list[RefChange],
    description: str,
    *,
    undoes: int = 0,
) -> int:
    """Change refs by compare-and-set together with one operation; return its number.

    Raises ConflictError; UnknownReferenceError for a commit that was taken out of history since the caller looked: an
    operation that names it would keep alive what was forgotten.
    """
    operation = Operation(
        notebook=notebook,
        kind=kind,
        time_ns=repo.clock(),
        by=repo.by,
        changes=tuple(changes),
        description=description,
        undoes=undoes,
    )
    with repo.store.begin() as tx:
        generation = repo.store.ref(refs.PROJECT_SCOPE, refs.GENERATION)
        tx.set_ref(refs.PROJECT_SCOPE, refs.GENERATION, old=generation, new=generation)
        for commit in commits_of_operation(operation, before=False):
            if not repo.index.has(commit):
                raise UnknownReferenceError(f"commit {short(commit)} was taken out of history meanwhile")
        for change in changes:
            old = change.old if isinstance(change.old, bytes) else None
            tx.set_ref(notebook, change.name, old=old, new=change.new)
        tx.append(notebook, encode_operation(operation))
        return tx.commit()


def _create(repo: Repository, notebook: NotebookId, kind: str, name: str, commit: CommitId, *, force: bool) -> int:
    word = kind.rstrip("/")
    refs.check_name(name, word)
    repo.require_commit(commit)
    other = refs.TAG if kind == refs.BRANCH else refs.BRANCH
    if repo.store.ref(notebook, other + name) is not None:
        hint = "one name for both would be ambiguous: choose another"
        raise AlreadyExistsError(f"a {other.rstrip('/')} {name} exists", hint=hint)
    old = repo.store.ref(notebook, kind + name)
    if old == commit:
        return 0
    if old is not None and not force:
        raise AlreadyExistsError(f"a {word} {name} exists, at {short(old)}", hint="use -f to move it")
    verb = "create" if old is None else "move"
    words = f"{verb} {word} {name} at {short(commit)}"
    number = OperationKind.BRANCH if kind == refs.BRANCH else OperationKind.TAG
    return change_refs(repo, notebook, number, [RefChange(kind + name, old, commit)], words)


def _delete(repo: Repository, notebook: NotebookId, kind: str, name: str) -> int:
    old = _existing(repo, notebook, kind, name)
    word = kind.rstrip("/")
    number = OperationKind.BRANCH if kind == refs.BRANCH else OperationKind.TAG
    words = f"delete {word} {name}, was {short(old)}"
    return change_refs(repo, notebook, number, [RefChange(kind + name, old, None)], words)


def _existing(repo: Repository, notebook: NotebookId, kind: str, name: str) -> CommitId:
    value = repo.store.ref(notebook, kind + name)
    if value is None:
        known = ", ".join(ref.name for ref in list_refs(repo, notebook, kind)) or "none"
        word, several = ("branch", "branches") if kind == refs.BRANCH else ("tag", "tags")
        raise NotFoundError(f"there is no {word} '{name}'", hint=f"{several}: {known}")
    return CommitId(value)


__all__ = [
    "HeadChange",
    "Ref",
    "change_refs",
    "create_branch",
    "create_tag",
    "delete_branch",
    "delete_tag",
    "list_refs",
    "move_head",
    "rename_branch",
    "set_message",
]
