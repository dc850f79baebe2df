"""References: the text a user types for a commit.

    [NOTEBOOK@]NAME[~N|^|^N ...]      NAME: HEAD, @, a tag, a branch, at least 4 digits of an id, op:N, @{op N}

Invariant: exact names come before prefixes, tags before branches, as in git; a text that fits several commits is
refused with the candidates, never guessed. Not for: finding notebooks by path (`notebooks.py`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from nbcellar.errors import AmbiguousReferenceError, InvalidInputError, NotFoundError, UnknownReferenceError
from nbcellar.history import refs
from nbcellar.history.operations import decode_operation
from nbcellar.ids import CommitId, NotebookId, short

if TYPE_CHECKING:
    from nbcellar.history.repository import Repository

MIN_PREFIX = 4
_SUFFIX = re.compile(r"^(?P<name>.*?)(?P<steps>(?:~\d*|\^\d*)*)$", re.DOTALL)
_STEP = re.compile(r"([~^])(\d*)")
_OPERATION = re.compile(r"^(?:op:(\d+)|@\{op (\d+)\})$")
_HEX = re.compile(r"^[0-9a-fA-F]+$")
_MAX_STEPS = 10_000_000


class Resolved(NamedTuple):
    """What a reference means. `branch` is set when the text is just the name of a branch (then a checkout attaches)."""

    commit: CommitId
    notebook: NotebookId
    branch: str | None = None


def resolve(repo: Repository, text: str, notebook: NotebookId | None, *, head: CommitId | None = None) -> Resolved:
    """Return the commit that `text` names in `notebook`; `head` stands in for HEAD when a kernel has its own.

    Raises UnknownReferenceError (with near names), AmbiguousReferenceError (with the candidates), InvalidInputError.
    """
    match = _SUFFIX.match(text)
    if match is None or not text:
        raise InvalidInputError("an empty text is no reference", hint=_HINT)
    name, steps = match["name"], match["steps"]
    found = _resolve_name(repo, name or "HEAD", notebook, head, text)
    if not steps:
        return found
    return Resolved(_walk(repo, found.commit, steps, text), found.notebook)


_HINT = "references: HEAD, HEAD~2, a branch, a tag, the first 4 digits of a commit or more, op:12, NOTEBOOK@REF"


def _resolve_name(
    repo: Repository, name: str, notebook: NotebookId | None, head: CommitId | None, text: str
) -> Resolved:
    if notebook is not None:
        found = _exact(repo, name, notebook, head)
        if found is not None:
            return found
    if "@" in name and not name.startswith("@"):
        other, _, rest = name.rpartition("@")
        if rest.startswith("{"):
            other, _, rest = name.rpartition("@@{") if "@@{" in name else (other, "", "@" + rest)
            rest = rest if rest.startswith("@") else "@{" + rest
        return resolve(repo, rest or "HEAD", repo.find_notebook(other))
    found = _prefix(repo, name, notebook)
    if found is not None:
        return found
    if notebook is None:
        raise InvalidInputError(f"'{text}' needs a notebook", hint="say which with -n NOTEBOOK or NOTEBOOK@REF")
    raise _unknown(repo, name, notebook)


def _exact(repo: Repository, name: str, notebook: NotebookId, head: CommitId | None) -> Resolved | None:
    if name in ("HEAD", "@"):
        commit = head if head is not None else repo.head(notebook).commit
        if commit is None:
            raise UnknownReferenceError("HEAD names no commit yet: nothing is recorded", hint="run a cell first")
        return Resolved(commit, notebook)
    operation = _OPERATION.match(name)
    if operation is not None:
        return Resolved(_head_at(repo, notebook, int(operation[1] or operation[2])), notebook)
    for kind in (refs.TAG, refs.BRANCH):
        for ref in (kind + name, *([name] if name.startswith(kind) else ())):
            value = repo.store.ref(notebook, ref)
            if value is not None:
                is_branch = kind == refs.BRANCH
                return Resolved(CommitId(value), notebook, ref.removeprefix(kind) if is_branch else None)
    return None


def _prefix(repo: Repository, name: str, notebook: NotebookId | None) -> Resolved | None:
    if not _HEX.match(name) or len(name) < MIN_PREFIX:
        return None
    fitting = repo.index.with_prefix(name.lower())
    own = [entry for entry in fitting if entry[1] == notebook]
    if len(own) == 1 or len(fitting) == 1:
        commit, home, _ = own[0] if len(own) == 1 else fitting[0]
        return Resolved(commit, home)
    if not fitting:
        return None
    listed = "\n".join(f"  {commit.hex()[: len(name) + 8]} {title}".rstrip() for commit, _, title in fitting[:8])
    raise AmbiguousReferenceError(f"'{name}' fits {len(fitting)} commits:\n{listed}", hint="give more digits")


def _walk(repo: Repository, commit: CommitId, steps: str, text: str) -> CommitId:
    for sign, digits in _STEP.findall(steps):
        number = int(digits) if digits else 1
        if number > _MAX_STEPS:
            raise InvalidInputError(f"'{text}' asks for {number} steps")
        if sign == "~":
            commit, done = repo.index.ancestor(commit, number)
            if done < number:
                raise UnknownReferenceError(f"'{text}' goes back too far: {done} of {number} steps are there")
        elif number:
            commit = _parent(repo, commit, number, f"'{text}': commit {short(commit)} has no parent {number}")
    return commit


def _parent(repo: Repository, commit: CommitId, number: int, message: str) -> CommitId:
    if number == 1:
        parent = repo.index.node(commit).parent
        if parent is not None:
            return parent
    else:
        parents = repo.read_commit(commit).parents
        if len(parents) >= number:
            return CommitId(parents[number - 1])
    raise UnknownReferenceError(message)


def _head_at(repo: Repository, notebook: NotebookId, number: int) -> CommitId:
    """Return where HEAD was after operation `number`: the newest value of HEAD, then that of its branch."""
    newest = repo.store.records(limit=1)
    if not newest or number > newest[0].number:
        raise UnknownReferenceError(f"op:{number}: there is no such operation", hint="see: cellar op log")
    branch: str | None = None
    for record in repo.iter_records(notebook, before=number + 1):
        for change in decode_operation(record).changes:
            if branch is None and change.name == refs.HEAD and change.new is not None:
                branch, detached, _ = refs.decode_head(change.new)
                if detached is not None:
                    return _kept(repo, detached, number)
    if branch is not None:
        for record in repo.iter_records(notebook, before=number + 1):
            for change in decode_operation(record).changes:
                if change.name == refs.BRANCH + branch and change.new is not None:
                    return _kept(repo, CommitId(change.new), number)
    raise UnknownReferenceError(f"op:{number}: HEAD of {repo.label(notebook)} named no commit then")


def _kept(repo: Repository, commit: CommitId, number: int) -> CommitId:
    if not repo.has_commit(commit):
        raise UnknownReferenceError(f"op:{number}: commit {short(commit)} is no longer kept", hint="see: cellar op log")
    return commit


def _unknown(repo: Repository, name: str, notebook: NotebookId) -> NotFoundError:
    import difflib

    names = [ref.name for ref in (*repo.branches(notebook), *repo.tags(notebook))]
    near = difflib.get_close_matches(name, ["HEAD", *names], n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else _HINT
    return UnknownReferenceError(f"'{name}' names no commit of {repo.label(notebook)}", hint=hint)


__all__ = ["MIN_PREFIX", "Resolved", "resolve"]
