"""Taking a value or a commit out of history for good.

Invariant: afterwards no ref, no operation and no commit of this store leads to what was forgotten, and the store has
removed it at once, without trash; what was interrupted, the next `gc` finishes. Commits after it have new ids, signed
anew with the own key; older operations of the notebooks concerned cannot be undone any more. What stays is said: the
code that made the value, and copies under other names. Not for: copies elsewhere (remotes, archives, live sessions).
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

import msgspec

from nbcellar.errors import CellarError, ConflictError, InvalidInputError, NotFoundError
from nbcellar.history import refs
from nbcellar.history.doubts import DOUBT
from nbcellar.history.index import delete_commits, update_commit
from nbcellar.history.maintenance import collect_garbage
from nbcellar.history.model import EMPTY_STATE, Commit
from nbcellar.history.operations import Operation, OperationKind, RefChange, decode_operation, encode_operation
from nbcellar.history.reach import ChildrenOf, commits_of_operation, live_objects
from nbcellar.history.results import LAST, result_of
from nbcellar.history.rewrite import CommitCut, Cut, Plan, Rewritten, VariableCut, plan_rewrite, versions_of
from nbcellar.history.states import Changes, StateBuilder, chain_of
from nbcellar.ids import DIGEST_BYTES, CommitId, Digest, NotebookId
from nbcellar.store.interface import Kind, Transaction

if TYPE_CHECKING:
    from nbcellar.history.recording import Signer
    from nbcellar.history.repository import Repository

_ATTEMPTS = 10
_REMEMBERED = 64


class Mark(msgspec.Struct, frozen=True):
    """A moment of the whole history: what is decided on it holds as long as both are what they were.

    A ref that is left as it is may begin to name what goes: a HEAD that is detached there meanwhile, a new tag. So it
    does not do to compare the refs that a rewriting moves; each of these comes with an operation.
    """

    generation: bytes | None
    record: int  # number of the newest operation


def mark_of(repo: Repository) -> Mark:
    """Return the present moment; asked before anything else is."""
    generation = repo.store.ref(refs.PROJECT_SCOPE, refs.GENERATION)
    newest = repo.store.records(limit=1)
    return Mark(generation, newest[0].number if newest else 0)


class Forgotten(msgspec.Struct, frozen=True):
    """What was taken out and what was not.

    rewritten: old to new ids. removed: the commit, and results of pipelines that held what goes: these go as a whole.
    names: all names that held the value. shared_objects: pieces of it that stay because
    other variables hold the same bytes. sources_with_text: commits (new ids) whose code, message, error or notes name
    the variable: these were not changed.
    """

    rewritten: dict[CommitId, CommitId]
    removed: tuple[CommitId, ...]
    signed_for_others: int
    names: tuple[str, ...]
    shared_objects: int
    sources_with_text: tuple[CommitId, ...]
    bytes_removed: int


def forget_variable(
    repo: Repository,
    notebook: NotebookId,
    name: str,
    *,
    key: Signer,
    children_of: ChildrenOf,
    force: bool = False,
) -> Forgotten:
    """Take every value and preview that `name` held in a notebook's history out of it.

    Raises NotFoundError when no commit holds one; InvalidInputError when commits of others would have to be signed
    anew and not `force`: as the own key's, their values would load without asking.
    """
    salt = os.urandom(16)
    values: set[Digest] = set()
    names: set[str] = set()

    def make_cut() -> Cut:
        versions = versions_of(name, notebook, commits_of(repo), read_object=repo.store.read)
        versions |= _versions_in_results(repo, notebook, name)
        if not versions:
            raise NotFoundError(f"no commit of {repo.label(notebook)} holds a value of '{name}'")
        return VariableCut(name, versions, salt=salt, values=values, names=names)

    try:
        plan, others = rewrite(repo, notebook, make_cut, key, _words_of(name), force=force)
    except NotFoundError:
        if not is_unfinished(repo, name):
            raise
        plan, others = Plan((), {}, {}, frozenset()), 0
        names.add(name)
    shared = _shared(repo, values, children_of)
    mentions = tuple(i for i, commit in commits_of(repo) if commit.notebook == notebook and _mentions(commit, name))
    removed_bytes = purge(repo, children_of)
    return Forgotten(
        rewritten=dict(plan.renamed),
        removed=tuple(plan.removed),
        signed_for_others=others,
        names=tuple(sorted(names)),
        shared_objects=shared,
        sources_with_text=mentions,
        bytes_removed=removed_bytes,
    )


def _versions_in_results(repo: Repository, notebook: NotebookId, name: str) -> frozenset[bytes]:
    """Return the versions that a name has in results of the notebook's pipeline."""
    path = repo.label(notebook)
    found: set[bytes] = set()
    for _, commit in commits_of(repo):
        made = result_of(commit)
        if made is not None and made.notebook == path and commit.state is not None:
            found.update(entry.version for entry in commit.state.put if name in entry.names)
    return frozenset(found)


def is_unfinished(repo: Repository, name: str) -> bool:
    """True if a variable is out of history, but perhaps not out of the files: that was interrupted, or failed."""
    return _words_of(name) in _due(repo).split("\n")


def _words_of(name: str) -> str:
    return f"forget variable {name}"


def _due(repo: Repository) -> str:
    return (repo.store.ref(refs.PROJECT_SCOPE, refs.PURGE_DUE) or b"").decode()


def forget_commit(
    repo: Repository,
    notebook: NotebookId,
    commit: CommitId,
    *,
    key: Signer,
    children_of: ChildrenOf,
    force: bool = False,
) -> Forgotten:
    """Take a commit out of history: its code, outputs, message, and the values that no later state holds.

    Branches at it go back to its parent, tags at it are deleted. Raises UnknownReferenceError, InvalidInputError as
    `forget_variable`.
    """
    repo.require_commit(commit)
    plan, others = rewrite(repo, notebook, lambda: CommitCut(commit), key, "forget a commit", force=force)
    return Forgotten(
        rewritten=dict(plan.renamed),
        removed=tuple(plan.removed),
        signed_for_others=others,
        names=(),
        shared_objects=0,
        sources_with_text=(),
        bytes_removed=purge(repo, children_of),
    )


def rewrite(
    repo: Repository,
    notebook: NotebookId | None,
    make_cut: Callable[[], Cut],
    key: Signer,
    words: str,
    *,
    force: bool,
    objects: Mapping[Digest, tuple[Kind, bytes]] | None = None,
    clean: Callable[[str], str] | None = None,
) -> tuple[Plan, int]:
    """Plan and write until nobody recorded meanwhile; return the plan, and how many commits were signed by others.

    objects: filled by the cut. clean: as in `write_rewrite`; with it there is something to write in any case.
    """
    for _ in range(_ATTEMPTS):
        mark = mark_of(repo)
        plan = plan_rewrite(commits_of(repo), make_cut(), read_commit=repo.read_commit, read_object=repo.store.read)
        if not plan.rewritten and not plan.removed and clean is None:
            return plan, 0
        others = count_others(repo, plan, key)
        if others and not force:
            raise InvalidInputError(
                f"{others} of the commits that must be rewritten are signed by others",
                hint="with --force they are signed as yours, and their variables will load without asking",
            )
        try:
            write_rewrite(repo, notebook, plan, key, words, mark=mark, objects=objects, clean=clean)
        except ConflictError:
            continue  # a kernel recorded meanwhile: its commit must be rewritten, too
        finally:
            repo.drop_caches()
        return plan, others
    raise ConflictError("the history moved each time it was rewritten", hint="stop the recording kernel and try again")


def commits_of(repo: Repository) -> Iterator[tuple[CommitId, Commit]]:
    """Yield all commits, parents first."""
    for identifier in repo.index.ids():
        try:
            yield identifier, repo.read_commit(identifier)
        except NotFoundError:  # collected since it was listed
            continue


def count_others(repo: Repository, plan: Plan, key: Signer) -> int:
    """Return how many of the commits that a plan rewrites the key has not signed."""
    signers = ({signer for signer, _ in repo.store.signatures(Digest(entry.old))} for entry in plan.rewritten)
    return sum(key.key_id not in found for found in signers)


def write_rewrite(
    repo: Repository,
    notebook: NotebookId | None,
    plan: Plan,
    key: Signer,
    words: str,
    *,
    mark: Mark,
    objects: Mapping[Digest, tuple[Kind, bytes]] | None = None,
    clean: Callable[[str], str] | None = None,
) -> None:
    """Carry out a plan in one transaction: new commits signed, index, refs and one operation a notebook concerned.

    mark: from before the plan was made. objects: new ones that rewritten commits name. clean: applied to messages that
    refs hold. The old objects are still in the store afterwards. Raises ConflictError when anything was recorded,
    moved, rewritten or collected since the plan was made.
    """
    with repo.store.begin() as tx:
        tx.require_last(mark.record)
        tx.set_ref(refs.PROJECT_SCOPE, refs.GENERATION, old=mark.generation, new=refs.next_generation(mark.generation))
        for digest, (kind, data) in (objects or {}).items():
            tx.put(kind, data, digest=digest)
        for entry in plan.rewritten:
            if entry.state_object is not None:
                tx.put(Kind.STATE, entry.state_object)
            tx.put(Kind.COMMIT, entry.payload, digest=Digest(entry.new))
            tx.sign(Digest(entry.new), key.key_id, key.sign(entry.new))
        _update_index(repo, tx, plan)
        due = _due(repo)
        _set(repo, tx, refs.PROJECT_SCOPE, refs.PURGE_DUE, f"{due}\n{words}".strip().encode())
        changes = _move_refs(repo, tx, plan, clean)
        _leave_word(repo, tx, plan)
        asked = () if notebook is None else (notebook,)
        rewritten = {NotebookId(entry.commit.notebook) for entry in plan.rewritten}
        for scope in {*asked, *changes, *rewritten, *_leading_to(repo, plan)}:
            _append(repo, tx, scope, changes.get(scope, []), words)
        tx.commit()


def _update_index(repo: Repository, tx: Transaction, plan: Plan) -> None:
    chains: dict[bytes, tuple[int, int]] = {}
    for entry in plan.rewritten:
        delta = entry.commit.state
        base = delta.base if delta is not None else None
        before = (chains.get(base) or repo.chain(CommitId(base))) if base is not None else None
        chains[entry.new] = chain_of(entry.commit, len(entry.payload), before)
        changes = _joined_changes(repo, plan, entry) if entry.is_joined else None
        update_commit(tx, entry.old, entry.new, entry.commit, chains[entry.new], changes)
    delete_commits(tx, plan.removed)


def _joined_changes(repo: Repository, plan: Plan, entry: Rewritten) -> Changes:
    """Return what a delta does that took in a removed commit's. Names are what they were, so old states tell."""
    delta = entry.commit.state
    assert delta is not None  # else there was nothing to join
    old_ids = {other.new: other.old for other in plan.rewritten}
    base = CommitId(delta.base) if delta.base is not None else None
    state = repo.read_state(old_ids.get(base, base)) if base is not None else EMPTY_STATE
    return StateBuilder(state).apply(delta, entry.new)


def _move_refs(
    repo: Repository, tx: Transaction, plan: Plan, clean: Callable[[str], str] | None
) -> dict[NotebookId, list[RefChange]]:
    """Move every ref that names what came out otherwise. The log gets the new values only: the old ones must go."""
    changes: dict[NotebookId, list[RefChange]] = {}
    for (scope, name), value in repo.store.refs().items():
        new_name, new_value = _moved_ref(name, value, plan)
        if clean is not None and new_value is not None and name.startswith(refs.MESSAGE):
            new_value = clean(new_value.decode(errors="replace")).encode()
        if (new_name, new_value) == (name, value):
            continue
        if new_name == name:
            tx.set_ref(scope, name, old=value, new=new_value)
        else:
            tx.set_ref(scope, name, old=value, new=None)
            if new_name:
                tx.set_ref(scope, new_name, old=repo.store.ref(scope, new_name), new=new_value)
        if new_name and not name.startswith((refs.REWRITTEN, DOUBT, LAST)):
            changes.setdefault(NotebookId(scope), []).append(RefChange(new_name, None, new_value))
    return changes


def _moved_ref(name: str, value: bytes, plan: Plan) -> tuple[str, bytes | None]:
    """Return name and value of a ref afterwards; an empty name or the value None: it goes."""
    if name.startswith(refs.MESSAGE):
        commit = CommitId(bytes.fromhex(name.removeprefix(refs.MESSAGE)))
        if commit in plan.removed:
            return "", None
        return (refs.message_ref(plan.renamed[commit]) if commit in plan.renamed else name), value
    if name.startswith(refs.TAG):
        return name, None if CommitId(value) in plan.removed else plan.renamed.get(CommitId(value), value)
    if name.startswith((refs.BRANCH, refs.REWRITTEN, LAST)) or name == refs.FORKED_FROM:
        return name, plan.moved(CommitId(value))
    if name.startswith(DOUBT):
        return _moved_doubt(name, value, plan)
    if name == refs.HEAD:
        _, detached, left = refs.decode_head(value)
        if detached is not None:
            moved = plan.moved(detached)
            return name, refs.encode_head(branch=left) if moved is None else refs.encode_head(commit=moved, left=left)
    return name, value


def _moved_doubt(name: str, value: bytes, plan: Plan) -> tuple[str, bytes | None]:
    if bytes.fromhex(name.removeprefix(DOUBT)) in plan.versions:
        return name, None
    ends = (CommitId(value[:DIGEST_BYTES]), CommitId(value[DIGEST_BYTES:]))
    return name, b"".join(plan.moved(end) or bytes(DIGEST_BYTES) for end in ends)


def _leading_to(repo: Repository, plan: Plan) -> set[NotebookId]:
    """Return the notebooks whose operations name what came out, as one does that checked out a commit of another."""
    gone = plan.renamed.keys() | plan.removed.keys()
    operations = (decode_operation(record) for record in repo.iter_records(None))
    return {operation.notebook for operation in operations if not gone.isdisjoint(commits_of_operation(operation))}


def _leave_word(repo: Repository, tx: Transaction, plan: Plan) -> None:
    """Note what the newest commits of each notebook became, so that a kernel that stands at one can go on."""
    newest: dict[str, dict[CommitId, None]] = {}
    for entry in plan.rewritten:
        newest.setdefault(entry.commit.notebook, {})[entry.old] = None
    tips = {CommitId(v) for (_, name), v in repo.store.refs().items() if name.startswith(refs.BRANCH)}
    for scope, commits in newest.items():
        last = list(commits)[-_REMEMBERED:]
        for old in {*last, *(tips & commits.keys())}:
            _set(repo, tx, scope, refs.rewritten_ref(old), plan.moved(old))
    for old, commit in plan.removed.items():
        _set(repo, tx, commit.notebook, refs.rewritten_ref(old), plan.moved(old))


def _set(repo: Repository, tx: Transaction, scope: str, name: str, new: bytes | None) -> None:
    tx.set_ref(scope, name, old=repo.store.ref(scope, name), new=new)


def _append(repo: Repository, tx: Transaction, scope: NotebookId, changes: list[RefChange], words: str) -> None:
    operation = Operation(
        notebook=scope,
        kind=OperationKind.FORGET,
        time_ns=repo.clock(),
        by=repo.by,
        changes=tuple(changes),
        description=words,
    )
    tx.append(scope, encode_operation(operation))


def _shared(repo: Repository, values: set[Digest], children_of: ChildrenOf) -> int:
    """Return how many objects of the forgotten values stay alive for others."""
    live = live_objects(repo, children_of, now_ns=repo.clock())
    pieces = set(values)
    for value in values:
        try:
            pieces.update(children_of(Kind.VALUE, repo.store.read(value)))
        except NotFoundError:
            continue
    return len(pieces & live)


def _mentions(commit: Commit, name: str) -> bool:
    cell = commit.cell
    error = cell.error.value if cell is not None and cell.error is not None else ""
    texts = (cell.source if cell is not None else "", error, commit.message, *commit.notes)
    pattern = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
    return any(pattern.search(text) for text in texts)


def purge(repo: Repository, children_of: ChildrenOf) -> int:
    """Remove what nothing leads to any more, at once and without trash; return its size in bytes."""
    try:
        return collect_garbage(repo, children_of, purge=True).store.bytes_removed
    except CellarError as error:
        error.hint = "it is out of history, but still in the files; when the cause is gone: cellar gc"
        raise


__all__ = [
    "Forgotten",
    "Mark",
    "commits_of",
    "count_others",
    "forget_commit",
    "forget_variable",
    "mark_of",
    "purge",
    "rewrite",
    "write_rewrite",
]
