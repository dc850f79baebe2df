"""Log, one commit in full, and where things stand: from the store alone.

Invariant: nothing here asks a kernel or loads a value.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

from nbcellar.api import describe, views
from nbcellar.api.kernels import is_local, live_kernels
from nbcellar.config import Settings
from nbcellar.errors import CellarError
from nbcellar.history import log as listing
from nbcellar.history.graph import draw_graph
from nbcellar.history.model import EMPTY_STATE, NO_ROOM, Commit, is_not_saved
from nbcellar.history.notebooks import NotebookInfo
from nbcellar.history.repository import FOLDER, Repository
from nbcellar.history.thin import without_thinned
from nbcellar.ids import CommitId, NotebookId
from nbcellar.session.entries import KernelEntry
from nbcellar.store.local import LocalStore
from nbcellar.store.room import used_bytes


def log(
    repository: Repository, notebook: NotebookId, start: CommitId | None, *, all_refs: bool, limit: int | None
) -> views.Log:
    """Return the commits of a listing, newest first."""
    path = repository.label(notebook)
    labels = describe.labels_of(repository, notebook)
    found = listing.log(repository, notebook, start=start, all_refs=all_refs, limit=limit)
    return views.Log(commits=[describe.line(summary, path, labels) for summary in found])


def graph(shown: views.Log) -> Iterator[tuple[str, views.CommitLine | None]]:
    """Yield each line of a drawn log."""
    by_id = {line.id: line for line in shown.commits}
    commits = (
        (CommitId(bytes.fromhex(line.id)), [CommitId(bytes.fromhex(p)) for p in line.parents if p in by_id])
        for line in shown.commits
    )
    for drawn in draw_graph(commits):
        yield drawn.drawing, by_id[drawn.commit.hex()] if drawn.commit is not None else None


def show(
    repository: Repository, notebook: NotebookId, commit_id: CommitId, *, signers: list[views.Signer]
) -> views.Show:
    """Return one commit with its cell, outputs and changes."""
    commit = repository.read_commit(commit_id)
    home = NotebookId(commit.notebook)
    changes = changed_variables(repository, commit_id, commit)
    line = describe.commit_line(
        commit_id,
        commit,
        path=repository.label(home),
        message=repository.message_of(home, commit_id),
        labels=describe.labels_of(repository, home).get(commit_id, []),
        changed=changes,
    )
    return views.Show(
        commit=line,
        author=commit.author,
        cell=describe.cell(commit.cell, repository.store.read) if commit.cell else None,
        changes=changes,
        notes=list(commit.notes),
        signers=signers,
        git_head=commit.git_head,
        has_code=commit.tree is not None,
        has_state=commit.state is not None,
    )


def changed_variables(repository: Repository, commit_id: CommitId, commit: Commit) -> list[views.VariableChange]:
    """Return what a commit's state changed against the one it builds on."""
    if commit.state is None:
        return []
    base = commit.state.base
    before = without_thinned(repository, repository.read_state(CommitId(base))) if base is not None else EMPTY_STATE
    after = repository.read_state(commit_id)
    return describe.changes(before, describe.with_doubts(repository, NotebookId(commit.notebook), commit_id, after))


_State = Literal["recording", "saving", "busy", "failing", "unknown"]
Ask = Callable[[KernelEntry], "dict[str, Any] | None"]
"""Returns what a kernel says of its recording, None when it is busy."""


def status(repository: Repository, settings: Settings, ask: Ask, *, only: NotebookId | None = None) -> views.Status:
    """Return the notebooks with their kernels, and what is off and why; a busy kernel is not waited for.

    only: other notebooks' kernels are left out: to find out that one is busy takes its time.
    """
    entries = [entry for entry in live_kernels(repository.root / FOLDER) if only is None or entry.notebook == only]
    kernels = [_kernel(entry, ask) for entry in entries]
    known = repository.notebooks()
    ids = {info.id for info in known}
    enabled = settings.record.enabled
    return views.Status(
        root=str(repository.root),
        project=repository.project,
        read_only=repository.store.read_only,
        enabled=enabled if isinstance(enabled, str) else ("on" if enabled else "off"),
        notebooks=[_notebook(repository, settings, info, kernels) for info in known],
        stored_bytes=stored_bytes(repository),
        cap_bytes=settings.record.max_store_mb << 20,
        counted_bytes=used_bytes(repository.store) if isinstance(repository.store, LocalStore) else 0,
        kernels_elsewhere=[kernel for notebook, kernel in kernels if notebook not in ids],
    )


def off_reason(settings: Settings, path: str) -> str:
    """Return why a notebook is not recorded by its settings, or nothing."""
    if settings.record.enabled is False:
        return "record.enabled is false"
    for pattern in settings.record.off_notebooks:
        if fnmatch.fnmatchcase(path, pattern):
            return f"record.off_notebooks has '{pattern}'"
    return ""


def stored_bytes(repository: Repository) -> int:
    """Return what the `.cellar` folder takes on disk."""
    total = 0
    for path in (repository.root / FOLDER).rglob("*"):
        try:
            status_of = path.lstat()
        except OSError:
            continue  # removed at this moment
        total += status_of.st_size if path.is_file() else 0
    return total


def _notebook(
    repository: Repository, settings: Settings, info: NotebookInfo, kernels: list[tuple[str, views.Kernel]]
) -> views.NotebookLine:
    newest = listing.log(repository, info.id, limit=1)
    return views.NotebookLine(
        path=info.path,
        id=info.id,
        commits=info.commits,
        head=info.head.hex() if info.head else None,
        branch=info.branch,
        last_time=describe.moment(info.time_ns) if info.commits else None,
        title=newest[0].title if newest else "",
        kind=newest[0].kind.value if newest else "",
        missing=info.path.endswith(".ipynb") and not (repository.root / info.path).exists(),
        off=off_reason(settings, info.path),
        kernels=[kernel for notebook, kernel in kernels if notebook == info.id],
    )


def _kernel(entry: KernelEntry, ask: Ask) -> tuple[str, views.Kernel]:
    try:
        answer = ask(entry)
        state, detail = _recording_state(answer) if answer is not None else ("busy", "a cell is running")
    except CellarError as error:
        state, detail = "unknown", error.message
    kernel = views.Kernel(
        pid=entry.pid,
        notebook=entry.path,
        version=entry.version,
        host="" if is_local(entry) else entry.host,
        started=describe.moment(entry.started_ns),
        state=state,
        detail=detail,
    )
    return entry.notebook, kernel


def _not_saved(lacking: Mapping[str, str]) -> str:
    """Say which variables a limit of size, time or space keeps from being saved."""
    names = sorted(name for name, why in lacking.items() if is_not_saved(why))
    if not names:
        return ""
    rest = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return f"not saved: {', '.join(names[:_LISTED])}{rest}; {lacking[names[0]].removeprefix(NO_ROOM)}"


_LISTED = 5


def _recording_state(answer: Mapping[str, Any]) -> tuple[_State, str]:
    if answer.get("failed"):
        return "failing", str(answer["failed"])
    errors = answer.get("errors")
    last = [text for text in str(errors[-1]).splitlines() if text.strip()] if errors else []
    detail = f"Cellar met an error: {last[-1]}" if last else _not_saved(answer.get("not_stored") or {})
    return ("saving" if answer.get("saving") else "recording"), detail
