"""Space and integrity: size, gc, check, rebuild, forget.

Joins what history does not know by itself: which layouts refer to which objects, and the user's key.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from nbcellar.api import space_views, views
from nbcellar.api.kernels import live_kernels
from nbcellar.config import Settings
from nbcellar.errors import AmbiguousReferenceError, InvalidInputError, NotFoundError
from nbcellar.history.keep import KeepPolicy
from nbcellar.history.repository import FOLDER, Repository
from nbcellar.history.sizes import Share, measure_usage
from nbcellar.history.thin import survey
from nbcellar.ids import Digest, NotebookId, short
from nbcellar.store.collect import folder_bytes
from nbcellar.store.interface import Kind
from nbcellar.store.local import LocalStore
from nbcellar.store.room import used_bytes

if TYPE_CHECKING:
    from nbcellar.api.repo import Repo
    from nbcellar.session.replay.budget import Budget
    from nbcellar.store.check import Problem

_KIND_WORDS = {
    Kind.BLOCK: "pieces of values",
    Kind.VALUE: "values",
    Kind.COMMIT: "commits",
    Kind.TREE: "documents",
    Kind.CELL: "cells of documents",
    Kind.OUTPUTS: "outputs",
    Kind.ENVIRONMENT: "environments",
    Kind.STATE: "whole states",
    Kind.AMBIENT: "ambient state",
}


def children_of(kind: Kind, data: bytes) -> Iterable[Digest]:
    """Return what an object refers to, for the layouts that history does not know."""
    if kind is Kind.VALUE:
        from nbcellar.values.manifest import referenced_digests

        return referenced_digests(data)
    if kind is Kind.TREE:
        from nbcellar.notebook.tree import referenced_digests as referenced_by_tree

        return referenced_by_tree(data)
    return ()


def size(repository: Repository, settings: Settings) -> views.Size:
    """Return what takes how much space: by kind of object, variable, notebook and age; and what could be done."""
    report = repository.size()
    parts = [
        space_views.SizePart(what=_KIND_WORDS[part.kind], bytes=part.stored_bytes, objects=part.count)
        for part in report.kinds
    ]
    trash = trash_bytes(repository)
    if trash:
        parts.append(space_views.SizePart(what="trash", bytes=trash))
    rest = report.folder_bytes - report.stored_bytes - trash
    if rest > 0:
        parts.append(space_views.SizePart(what="index, operations and free space", bytes=rest))
    usage = measure_usage(repository, children_of, now_ns=repository.clock())
    store, cap = repository.store, settings.record.max_store_mb << 20
    is_local = isinstance(store, LocalStore)
    removable = _removable(repository, settings) if is_local and not store.read_only else 0
    counted = used_bytes(store) if isinstance(store, LocalStore) else 0
    return views.Size(
        stored_bytes=report.folder_bytes,
        raw_bytes=report.raw_bytes,
        parts=parts,
        variables=[
            _size_of(repository, notebook, share, names) for (notebook, names), share in usage.by_variable.items()
        ],
        notebooks=[_size_of(repository, notebook, share) for notebook, share in usage.by_notebook.items()],
        ages=[space_views.SizePart(what=what, bytes=size) for what, size in zip(_AGES, usage.by_age, strict=True)],
        trash_bytes=trash,
        removable_bytes=removable,
        counted_bytes=counted,
        cap_bytes=cap,
        hints=list(_hints(removable=removable, trash=trash, counted=counted, cap=cap)),
    )


_AGES = ("the last day", "the last 7 days", "the last 30 days", "the last year", "earlier")


def _removable(repository: Repository, settings: Settings) -> int:
    return gc(repository, settings, dry_run=True, purge=False, thin=True, budget_bytes=None).removed_bytes


def _size_of(
    repository: Repository, notebook: NotebookId, share: Share, names: tuple[str, ...] = ()
) -> space_views.SizeOf:
    return space_views.SizeOf(
        notebook=repository.label(notebook),
        names=list(names),
        values=share.values,
        bytes=share.stored_bytes,
        own_bytes=share.own_bytes,
    )


def _hints(*, removable: int, trash: int, counted: int, cap: int) -> Iterator[str]:
    """Yield what a user can do, with the command."""
    if removable:
        yield "values of old states, and what nothing leads to, can go; to see which: cellar gc --dry-run"
    if trash:
        yield "the trash is emptied after 14 days; to do it now: cellar gc --now"
    if cap and counted > _NEARLY * cap:
        yield f"the cap is nearly reached; to raise it: cellar config record.max_store_mb {2 * (cap >> 20)}"


_NEARLY = 0.9


def policy_of(settings: Settings) -> KeepPolicy:
    """Return the keep policy that the settings describe."""
    keep = settings.keep
    return KeepPolicy(
        last=keep.last,
        all_hours=keep.all_hours,
        hourly_days=keep.hourly_days,
        daily_days=keep.daily_days,
        below_bytes=keep.below_kb << 10,
    )


def gc(
    repository: Repository, settings: Settings, *, dry_run: bool, purge: bool, thin: bool, budget_bytes: int | None
) -> views.Gc:
    """Remove what no ref and no operation of the last days leads to, and with `thin` values of old states.

    budget_bytes: more values, that cells can make again, down to this size.
    """
    policy = policy_of(settings) if thin else None
    budget = _budget(repository, settings, policy, budget_bytes) if budget_bytes is not None else None
    done = repository.gc(
        children_of,
        keep_ops_days=settings.gc.keep_ops_days,
        policy=_only_pinned(settings) if budget is not None else policy,
        spare=budget if budget is not None else lambda candidates: frozenset(),
        dry_run=dry_run,
        purge=purge,
    )
    report = done.store
    objects, size = done.unreachable
    trash = trash_bytes(repository)
    return views.Gc(
        dry_run=dry_run,
        removed_objects=report.objects_removed,
        removed_bytes=report.bytes_removed,
        kept_objects=report.objects_kept,
        kept_bytes=(report.bytes_before - report.bytes_removed if dry_run else report.bytes_after) - trash,
        unreachable_objects=objects,
        unreachable_bytes=size,
        thinned_values=done.values,
        thinned_states=done.states,
        thinned_bytes=done.thinned_bytes,
        kept_states=done.kept_states,
        again_cells=budget.cells if budget is not None else 0,
        again_seconds=budget.seconds if budget is not None else 0.0,
        variables=[
            space_views.ThinnedVariable(
                notebook=repository.label(item.notebook),
                names=list(item.names),
                values=item.values,
                bytes=item.stored_bytes,
            )
            for item in done.by_variable
        ],
        trash_bytes=trash,
        freed_bytes=0 if dry_run else report.bytes_before - report.bytes_after,
    )


def _budget(repository: Repository, settings: Settings, policy: KeepPolicy | None, budget_bytes: int) -> Budget | None:
    """Return what chooses among the values that the policy keeps; None where these are small enough."""
    from nbcellar.session.replay.budget import Budget

    days = settings.gc.keep_ops_days
    found = survey(repository, children_of, now_ns=repository.clock(), keep_ops_days=days, policy=policy)
    left = sum(info.stored_bytes for info in repository.store.objects() if info.digest in found.live)
    if left <= budget_bytes:
        return None
    return Budget(repository, left - budget_bytes, frozenset(candidate.value for candidate in found.thinned))


def _only_pinned(settings: Settings) -> KeepPolicy:
    """Return the policy under which only what was named, tagged or built on keeps its values, whatever its age."""
    below = settings.keep.below_kb << 10
    return KeepPolicy(last=1, all_hours=0, hourly_days=0, daily_days=0, weekly=False, below_bytes=below)


def trash_bytes(repository: Repository) -> int:
    """Return what waits in the trash."""
    return folder_bytes(repository.root / FOLDER / "trash")


def check(repository: Repository, *, read_data: bool) -> views.Check:
    """Verify objects, commits, signatures and refs; damage is in the answer, not raised."""
    report = repository.check(read_data=read_data)
    store, history = report.store, report.history
    damaged = [f"{problem.about}: {problem.reason}" for problem in history.problems]
    not_read = []
    if store is not None:
        damaged = [_store_problem(problem) for problem in store.problems] + damaged
        if store.objects_not_read:
            plural = "" if store.objects_not_read == 1 else "s"
            what = f"{store.objects_not_read:,} object{plural}, {store.bytes_not_read:,} bytes"
            not_read.append(f"{what} (cellar check --read-data)")
    return views.Check(
        damaged=damaged,
        commits=history.commits,
        signatures=history.signatures,
        objects=store.objects_verified + store.objects_not_read if store is not None else 0,
        thinned=history.thinned,
        not_read=not_read,
    )


def _store_problem(problem: Problem) -> str:
    what = f" (object {short(problem.object)})" if problem.object else ""
    return f"{problem.file}: {problem.reason}{what}"


def rebuild(cellar_folder: Path) -> tuple[list[str], list[str]]:
    """Make a new meta.db from the packs; return what was found and what is damaged, in lines."""
    from nbcellar.store.rebuild import rebuild as rebuild_store

    report = rebuild_store(cellar_folder)
    with Repository.open(cellar_folder.parent) as repository:
        commits = repository.rebuild_index()
    lines = [f"rebuilt from {report.packs:,} packs: {report.objects:,} objects, {commits:,} commits"]
    if report.moved_aside:
        lines.append(f"the old files are in {report.moved_aside}")
    if not report.same_project:
        lines.append("the project's id was lost: decide again whom to trust (cellar trust ls)")
    lines += report.database
    lines.append("what was recorded after the newest of them is not there, if anything was")
    return lines, list(report.problems)


def what_is(repo: Repo, text: str) -> Literal["variable", "commit"]:
    """Say whether a text names a variable of the notebook's history or a commit."""
    from nbcellar.history.forget import is_unfinished

    is_variable = text.isidentifier() and (_was_recorded(repo, text) or is_unfinished(repo.repository, text))
    try:
        repo.resolve(text)
        is_commit = True
    except NotFoundError:
        is_commit = False
    except InvalidInputError:
        if not is_variable:
            raise
        is_commit = False
    if is_variable and is_commit:
        raise AmbiguousReferenceError(f"'{text}' is a variable and a commit", hint="add --variable or --commit")
    if not is_variable and not is_commit:
        raise NotFoundError(
            f"'{text}' is neither a recorded variable nor a commit", hint="see: cellar vars, cellar log"
        )
    return "variable" if is_variable else "commit"


def forget(repo: Repo, what: str, *, kind: Literal["variable", "commit"], force: bool) -> views.Forgotten:
    """Take a variable or a commit out of history for good."""
    from nbcellar.history.forget import forget_commit, forget_variable
    from nbcellar.trust.keys import load_or_create

    repository = repo.repository
    key = load_or_create(repo.user_folder)
    notes: list[str] = []
    results = 0
    if kind == "variable":
        notebook = repo.notebook()
        done = forget_variable(repository, notebook, what, key=key, children_of=children_of, force=force)
        words = f"variable {', '.join(done.names)}"
        results = len(done.removed)
        if any(entry.notebook == notebook for entry in live_kernels(repo.cellar_folder)):
            names = ", ".join(done.names)
            notes.append(f"the live kernel may still hold it and would record it again; in the notebook: del {names}")
    else:
        notebook, commit = repo.locate(what)
        done = forget_commit(repository, notebook, commit, key=key, children_of=children_of, force=force)
        words = f"commit {short(commit)}"
    return views.Forgotten(
        what=words,
        rewritten=len(done.rewritten),
        removed_bytes=done.bytes_removed,
        shared_pieces=done.shared_objects,
        sources_with_text=[commit.hex() for commit in done.sources_with_text],
        notes=[*notes, *results_note(results)],
    )


def results_note(count: int, *, dry_run: bool = False) -> list[str]:
    """Say how many results of pipelines go with what is forgotten."""
    if not count:
        return []
    verb = "would go" if dry_run else "went"
    return [f"{count} result{'' if count == 1 else 's'} of pipelines that held or were given it {verb} as a whole"]


def _was_recorded(repo: Repo, name: str) -> bool:
    """True if any commit of the notebook, or result of its pipeline, recorded a variable of that name."""
    from nbcellar.history.results import result_of

    repository, notebook = repo.repository, repo.notebook()
    path = repository.label(notebook)
    for identifier in repository.index.ids():
        commit = repository.read_commit(identifier)
        if commit.state is not None and any(name in entry.names for entry in commit.state.put):
            made = result_of(commit)
            if commit.notebook == notebook or (made is not None and made.notebook == path):
                return True
    return False
