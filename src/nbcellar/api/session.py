"""What changes the live session, and what of it works without one.

The kernel's answers are the fields of `views.SessionChange`. Requests (name: arguments):

    undo: n, to, without, replay checkout: commit, branch, ref, variables_only, without, replay     commit: message
    redo: n, without, replay     restore: commit (None: the last state), without, replay            wait_saved, detach
    take: commit, names

`commit` is a full id in hexadecimal, and so is `to`, which undo leads to, whatever `n` says; `branch` is the branch to
attach HEAD to, or None to detach it; `without` lists variables that are not brought back; `replay` is "no", "yes" or
"ask": whether cells may run again for what is not stored. To "ask", the answer may be {"ask": the cells}, and nothing
was done; the `id` of these, as `replay`, runs them, and is answered in the same way where history changed meanwhile and
other cells would run.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from nbcellar.api import code as documents
from nbcellar.api import views
from nbcellar.api.kernels import Requests, live_kernels
from nbcellar.errors import CellarError, KernelError, NoKernelError, NotFoundError
from nbcellar.history.model import COMMIT_FORMAT, Commit, CommitKind, StateDelta
from nbcellar.ids import CommitId, NotebookId

if TYPE_CHECKING:
    from nbcellar.api.repo import Repo
    from nbcellar.session.replay.replayer import Wish


def change(requests: Requests, notebook: NotebookId, command: str, args: Mapping[str, Any]) -> views.SessionChange:
    """Ask the kernel for a change of its session and return what it did."""
    answer = requests(notebook, command, args)
    if "ask" in answer:
        answer = {"head": "", "asks": True, "replay": answer["ask"]}
    return to_change(answer)


def to_change(result: Mapping[str, Any]) -> views.SessionChange:
    """Return a kernel's answer as a view; fields that this version does not know are left out."""
    known = {field.name for field in msgspec.structs.fields(views.SessionChange)} - {"schema"}
    try:
        return msgspec.convert({k: v for k, v in result.items() if k in known}, views.SessionChange)
    except msgspec.ValidationError as error:
        raise KernelError(f"the kernel's answer cannot be read: {error}") from None


def catch_up(repo: Repo, ref: str | None) -> None:
    """Wait until idle kernels have saved what they recorded; see `Repo.catch_up`."""
    only = None
    if ref is not None and "@" not in ref and repo.default_notebook is not None:
        with contextlib.suppress(CellarError):
            only = repo.notebook()
    for entry in live_kernels(repo.cellar_folder):
        if only is None or entry.notebook == only:
            with contextlib.suppress(CellarError):
                if repo.peek_at(entry) is not None:
                    repo.requests(NotebookId(entry.notebook), "wait_saved", {})


def checkout(
    repo: Repo, ref: str, *, variables: bool, code: bool, without: Sequence[str], replay: Wish
) -> views.SessionChange:
    """Bring variables, code or both of a commit back; see `Repo.checkout`."""
    repo.catch_up(ref)
    found = repo.resolve_full(ref)
    if not variables:
        return _checkout_code(repo, found.notebook, found.commit)
    args: dict[str, Any] = {
        "commit": found.commit.hex(),
        "branch": found.branch,
        "ref": ref,
        "variables_only": not code,
        "without": list(without),
        "replay": replay,
    }
    try:
        done = change(repo.requests, found.notebook, "checkout", args)
    except NoKernelError as error:
        hint = f"for the code alone: cellar checkout {ref} --code; for both, open the notebook first"
        raise NoKernelError(error.message, hint=hint) from None
    return _with_code(repo, found.notebook, found.commit, done) if code and not done.asks else done


def take(repo: Repo, ref: str, names: Sequence[str]) -> views.SessionChange:
    """Bring single variables of a commit into the live session; see `Repo.checkout`."""
    repo.catch_up(ref)
    found = repo.resolve_full(ref)
    return change(repo.requests, found.notebook, "take", {"commit": found.commit.hex(), "names": list(names)})


def follow(repo: Repo, notebook: NotebookId, done: views.OperationUndone) -> views.OperationUndone:
    """Bring a live kernel to where HEAD is after an undone operation; what keeps it from going there is a note."""
    head = repo.repository.head(notebook)
    if head.commit is None:
        return done
    args = {"commit": head.commit.hex(), "branch": head.branch, "ref": "HEAD", "variables_only": True}
    try:
        session = change(repo.requests, notebook, "checkout", args)
    except NoKernelError:
        return done
    except CellarError as error:
        note = f"the session stays where it was: {error.message}"
        return msgspec.structs.replace(done, notes=[*done.notes, note])
    return msgspec.structs.replace(done, session=session)


def commit(repo: Repo, message: str) -> views.NamedCommit:
    """Name this point, live or, with no kernel, from the last recorded state."""
    notebook = repo.notebook()
    try:
        result = repo.requests(notebook, "commit", {"message": message})
    except NoKernelError:
        if any(entry.notebook == notebook for entry in live_kernels(repo.cellar_folder)):
            raise  # a kernel on another machine: its state is not known here
        return _commit_recorded(repo, notebook, message)
    return views.NamedCommit(
        id=str(result["commit"]),
        branch=result.get("branch"),
        message=message,
        live=True,
        notes=[str(note) for note in result.get("notes", ())],
    )


def stop(requests: Requests, notebook: NotebookId) -> bool:
    """Stop the recording of a live kernel; False if there is none."""
    try:
        requests(notebook, "detach", {})
    except NoKernelError:
        return False
    return True


def _checkout_code(repo: Repo, notebook: NotebookId, commit_id: CommitId) -> views.SessionChange:
    written = documents.write_code(repo, notebook, commit_id)
    return views.SessionChange(head=commit_id.hex(), code_file=str(written.path), notes=list(written.notes))


def _with_code(repo: Repo, notebook: NotebookId, commit_id: CommitId, done: views.SessionChange) -> views.SessionChange:
    """Add the code to a checkout of variables; that a commit holds none is a note here, not an error."""
    try:
        written = documents.write_code(repo, notebook, commit_id)
    except NotFoundError as error:
        return msgspec.structs.replace(done, notes=[*done.notes, error.message])
    if written.unchanged:
        return done
    return msgspec.structs.replace(done, code_file=str(written.path), notes=[*done.notes, *written.notes])


def _commit_recorded(repo: Repo, notebook: NotebookId, message: str) -> views.NamedCommit:
    repository = repo.repository
    head = repository.head(notebook).commit
    if head is None:
        raise NotFoundError("nothing is recorded yet", hint="run a cell first")
    made, branch = record_document(repo, notebook, kind=CommitKind.NAMED, message=message)
    return views.NamedCommit(id=made.hex(), branch=branch, message=message, live=False)


def record_document(repo: Repo, notebook: NotebookId, *, kind: CommitKind, message: str) -> tuple[CommitId, str | None]:
    """Record the notebook's file as it is, with the variables of HEAD; return the commit and its branch."""
    from nbcellar.trust.keys import load_or_create

    repository = repo.repository
    head = repository.head(notebook).commit
    parent = repository.read_commit(head) if head is not None else None
    with repository.begin(notebook, load_or_create(repo.user_folder)) as recorder:
        tree = documents.put_file(recorder, repository.root / repository.label(notebook))
        made = recorder.commit(
            Commit(
                format=COMMIT_FORMAT,
                notebook=notebook,
                parents=(head,) if head is not None else (),
                kind=kind,
                time_ns=repository.clock(),
                author=repository.by,
                message=message,
                state=StateDelta(base=head) if parent is not None and parent.state is not None else None,
                tree=tree if tree is not None else (parent.tree if parent else None),
                environment=parent.environment if parent else None,
            )
        )
        done = recorder.finish()
    return made, done.branch
