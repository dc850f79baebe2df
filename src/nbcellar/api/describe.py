"""Views made from what history and trust hold.

Pure but for reading the repository: nothing is decoded beyond commits, manifests of states and recorded outputs, and
nothing is unpickled.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timezone
from typing import Any

import msgspec

from nbcellar.api import views
from nbcellar.errors import CellarError
from nbcellar.history import refs
from nbcellar.history.doubts import doubtful_versions
from nbcellar.history.log import Summary
from nbcellar.history.model import CellRun, Commit, Covariable, Preview, State, is_not_saved
from nbcellar.history.operations import FIRST_PARENT, Operation, RefChange, describe
from nbcellar.history.repository import Repository
from nbcellar.history.thin import THINNED_OUT, without_thinned
from nbcellar.ids import CommitId, Digest, NotebookId, short

DOUBT = "it was found changed later without a cell that names it, perhaps already here"
_NO_PREVIEW = Preview(type="", text="")


def moment(time_ns: int) -> datetime:
    """Return a time as UTC; what no calendar holds becomes its beginning."""
    try:
        return datetime.fromtimestamp(time_ns / 1e9, timezone.utc)
    except (OverflowError, ValueError, OSError):
        return datetime.fromtimestamp(0, timezone.utc)


def labels_of(repository: Repository, notebook: NotebookId) -> dict[CommitId, list[views.Label]]:
    """Return the names that point at commits: HEAD first, then branches, then tags."""
    head = repository.head(notebook)
    found: dict[CommitId, list[views.Label]] = {}
    if head.commit is not None:
        found[head.commit] = [views.Label(kind="head", name=head.branch or "")]
    for branch in repository.branches(notebook):
        found.setdefault(branch.commit, []).append(views.Label(kind="branch", name=branch.name))
    for tag in repository.tags(notebook):
        found.setdefault(tag.commit, []).append(views.Label(kind="tag", name=tag.name))
    return found


def line(summary: Summary, path: str, labels: Mapping[CommitId, list[views.Label]]) -> views.CommitLine:
    """Return a commit of a listing."""
    changes = summary.changes
    return views.CommitLine(
        id=summary.id.hex(),
        notebook=path,
        parents=[parent.hex() for parent in summary.parents],
        kind=summary.kind.value,
        time=moment(summary.time_ns),
        title=summary.title,
        labels=labels.get(summary.id, []),
        execution_count=summary.execution_count,
        failed=summary.is_failed,
        uncertain=summary.is_uncertain,
        thinned=summary.is_thinned,
        not_saved=summary.is_not_saved,
        added=list(changes.added),
        changed=list(changes.changed),
        removed=list(changes.removed),
        more_changes=summary.more_changes,
        at=summary.at.hex() if summary.at is not None else None,
    )


def with_doubts(repository: Repository, notebook: NotebookId, commit: CommitId, state: State) -> State:
    """Return the state as it is known today: versions found to be doubtful only later, values thinned out since."""
    state = without_thinned(repository, state)
    doubtful = doubtful_versions(repository, notebook, (entry.version for entry in state.covariables), commit)
    if not doubtful:
        return state
    marked = (
        msgspec.structs.replace(entry, uncertain=entry.uncertain or DOUBT) if entry.version in doubtful else entry
        for entry in state.covariables
    )
    return State(tuple(marked), state.ambient)


def variables(state: State) -> list[views.Variable]:
    """Return a state's variables by name."""
    return sorted(
        (variable(entry, name) for entry in state.covariables for name in entry.names), key=lambda found: found.name
    )


def variable(entry: Covariable, name: str) -> views.Variable:
    """Return one variable of a co-variable."""
    place = entry.names.index(name)
    preview = entry.previews[place] if place < len(entry.previews) else _NO_PREVIEW
    return views.Variable(
        name=name,
        type=preview.type,
        preview=preview.text,
        version=entry.version.hex(),
        size_bytes=_size(entry, preview),
        shape=list(preview.shape),
        stored=entry.value is not None,
        reason=entry.reason,
        uncertain=entry.uncertain,
        shares_with=[other for other in entry.names if other != name],
        together_bytes=entry.size_bytes if len(entry.names) > 1 else 0,
        recorded_in=entry.origin.hex(),
    )


def _size(entry: Covariable, preview: Preview) -> int:
    """Return a variable's bytes: what Python says of the object alone, or, if that is more, what was stored of it."""
    alone = len(entry.names) == 1  # of a group that shares memory, no part is known to be this variable's
    return max(preview.size_bytes, entry.size_bytes) if alone else preview.size_bytes or entry.size_bytes


def changes(before: State, after: State) -> list[views.VariableChange]:
    """Return the variables that differ between two states, by name."""
    old = {name: entry for entry in before.covariables for name in entry.names}
    new = {name: entry for entry in after.covariables for name in entry.names}
    found = []
    for name in sorted(old.keys() | new.keys()):
        was, now = old.get(name), new.get(name)
        if was is None and now is not None:
            found.append(views.VariableChange(name=name, change="added", after=variable(now, name)))
        elif now is None and was is not None:
            found.append(views.VariableChange(name=name, change="removed", before=variable(was, name)))
        elif was is not None and now is not None and (was.version, was.value) != (now.version, now.value):
            found.append(
                views.VariableChange(name=name, change="changed", before=variable(was, name), after=variable(now, name))
            )
    return found


def commit_line(
    commit_id: CommitId,
    commit: Commit,
    *,
    path: str,
    message: str,
    labels: Iterable[views.Label],
    changed: Iterable[views.VariableChange],
) -> views.CommitLine:
    """Return the head of one commit shown in full."""
    names: dict[str, list[str]] = {"added": [], "changed": [], "removed": []}
    for change in changed:
        names[change.change].append(change.name)
    cell = commit.cell
    source_line = next((text.strip() for text in cell.source.splitlines() if text.strip()), "") if cell else ""
    return views.CommitLine(
        id=commit_id.hex(),
        notebook=path,
        parents=[parent.hex() for parent in commit.parents],
        kind=commit.kind.value,
        time=moment(commit.time_ns),
        title=next((text.strip() for text in message.splitlines() if text.strip()), source_line),
        message=message,
        labels=list(labels),
        execution_count=cell.execution_count if cell else None,
        failed=cell is not None and cell.error is not None,
        uncertain=any(change.after is not None and change.after.uncertain for change in changed),
        thinned=any(change.after is not None and change.after.reason.startswith(THINNED_OUT) for change in changed),
        not_saved=any(
            change.after is not None and not change.after.stored and is_not_saved(change.after.reason)
            for change in changed
        ),
        added=names["added"],
        changed=names["changed"],
        removed=names["removed"],
        at=commit.at.hex() if commit.at else None,
    )


def cell(run: CellRun, read: Callable[[Digest], bytes]) -> views.Cell:
    """Return an executed cell with its outputs; outputs that cannot be read are named as such."""
    error = run.error
    return views.Cell(
        id=run.cell_id,
        source=run.source,
        execution_count=run.execution_count,
        duration_s=run.duration_s,
        error=views.Failure(name=error.name, value=error.value, line=error.line) if error else None,
        outputs=_outputs(run, read),
        opened_for_writing=list(run.opened_for_writing),
    )


def operation(entry: Operation, path: str) -> views.Operation:
    """Return one entry of the operation log."""
    return views.Operation(
        number=entry.number,
        time=moment(entry.time_ns),
        by=entry.by,
        kind=entry.kind.name.lower(),
        notebook=path,
        description=describe(entry),
        undoes=entry.undoes,
        changes=[ref_change(change) for change in entry.changes if change.name],
    )


def ref_change(change: RefChange) -> views.RefChange:
    """Return a ref before and after in the words of a listing."""
    old = "first parent" if change.old is FIRST_PARENT else _ref_value(change.name, change.old)
    return views.RefChange(name=_ref_name(change.name), before=old, after=_ref_value(change.name, change.new))


def _outputs(run: CellRun, read: Callable[[Digest], bytes]) -> list[dict[str, Any]]:
    if run.outputs is None:
        return []
    try:
        found = json.loads(read(Digest(run.outputs)))
    except (CellarError, ValueError) as error:
        return [{"output_type": "error", "ename": "Outputs", "evalue": f"cannot be read: {error}", "traceback": []}]
    return [output for output in found if isinstance(output, dict)] if isinstance(found, list) else []


def _ref_name(name: str) -> str:
    kind, _, rest = name.partition("/")
    words = {"branch": f"branch {rest}", "tag": f"tag {rest}", "message": f"message of {rest[:8]}"}
    return words.get(kind, name) if rest else name


def _ref_value(name: str, value: object) -> str | None:
    if not isinstance(value, bytes):
        return None
    if name == refs.HEAD:
        branch, commit, _ = refs.decode_head(value)
        return branch or (short(commit) if commit else None)
    if name.startswith(refs.MESSAGE):
        return value.decode(errors="replace")
    return short(value)
