"""A repository: the folder that holds `.cellar`, its notebooks, commits, refs and operations.

Invariant: everything a method returns was verified by the store; every change goes through one transaction. The parts
live in the modules beside this one; this is where they meet. The clock and the user's name are passed in. Not for:
values (the session decodes them) and the working copy of a notebook.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from nbcellar.errors import AlreadyExistsError, CorruptStoreError, NoRepositoryError, UnknownReferenceError
from nbcellar.history import branches, notebooks, refs, results, states
from nbcellar.history.branches import HeadChange, Ref
from nbcellar.history.evidence import ContentKey, read_cell_keys
from nbcellar.history.index import SCHEMA, Index, Node
from nbcellar.history.log import Summary, labels, log
from nbcellar.history.model import Commit, State, StateDelta, decode_commit
from nbcellar.history.notebooks import NotebookInfo
from nbcellar.history.operations import Operation, decode_operation
from nbcellar.history.opundo import OpUndone, op_undo
from nbcellar.history.reach import KEEP_OPS_DAYS, ChildrenOf
from nbcellar.history.recent import Recent, Signed
from nbcellar.history.recording import Recorder, Signer, Tip
from nbcellar.history.refs import Head
from nbcellar.history.resolve import Resolved, resolve
from nbcellar.history.states import StateBuilder
from nbcellar.history.steps import StepPlan, redo_target, undo_target
from nbcellar.history.thin import Spare, thinned_values
from nbcellar.ids import CommitId, Digest, KeyId, NotebookId, short
from nbcellar.store.interface import Kind, Record, Store
from nbcellar.store.local import LocalStore

if TYPE_CHECKING:  # these load what a kernel never needs
    from nbcellar.history.check import RepositoryReport
    from nbcellar.history.keep import KeepPolicy
    from nbcellar.history.maintenance import Collected, SizeReport

FOLDER = ".cellar"
_RECORDS_A_TIME = 256


class IndexedStore(Store, Protocol):
    """A store that keeps derived tables for history."""

    def ensure_schema(self, statements: Sequence[str]) -> None: ...


class Repository:
    """Opened by `create`, `open` or `find`; may be used from several threads, a `Recorder` from one at a time."""

    def __init__(
        self, store: IndexedStore, root: Path, *, by: str = "", clock: Callable[[], int] = time.time_ns
    ) -> None:
        self._store = store
        self._root = root
        self.by = by
        self.clock = clock
        if not store.read_only:
            store.ensure_schema(SCHEMA)
        self.index = Index(store)
        self._tip: Tip | None = None
        self._states: dict[CommitId, State] = {}
        self.recent = Recent()
        self._lock = threading.Lock()  # of tip and states: a thread that reads must not see a builder at work
        self._decoded = lru_cache(maxsize=1024)(self._decode)
        self._node = lru_cache(maxsize=4096)(self._find_node)  # a commit's place never changes
        self._generation = store.ref(refs.PROJECT_SCOPE, refs.GENERATION)
        self._thinned: dict[bytes, int] | None = None
        self._mend_index()

    @classmethod
    def create(cls, folder: Path, *, by: str = "", clock: Callable[[], int] = time.time_ns) -> Repository:
        """Make a repository in `folder`. Raises AlreadyExistsError; one that was begun only is made complete."""
        try:
            store = LocalStore.create(folder / FOLDER)
        except AlreadyExistsError:
            message = f"{folder} is a Cellar repository already"
            raise AlreadyExistsError(message, hint="see: cellar status") from None
        return cls(store, folder, by=by, clock=clock)

    @classmethod
    def open(
        cls,
        folder: Path,
        read_only: bool | None = None,
        *,
        by: str = "",
        clock: Callable[[], int] = time.time_ns,
        late: bool = False,
    ) -> Repository:
        """Open what `folder` holds. read_only None: as it allows; late: see `LocalStore`. Raises NoRepositoryError."""
        if not (folder / FOLDER).is_dir():
            raise NoRepositoryError(f"there is no Cellar repository in {folder}", hint="make one with: cellar init")
        return cls(LocalStore.open(folder / FOLDER, read_only=read_only, late=late), folder, by=by, clock=clock)

    @classmethod
    def find(
        cls, start: Path, read_only: bool | None = None, *, by: str = "", clock: Callable[[], int] = time.time_ns
    ) -> Repository:
        """Open the repository of `start`: the nearest folder, it or above, that holds `.cellar`."""
        return cls.open(find_root(start), read_only, by=by, clock=clock)

    @property
    def root(self) -> Path:
        """The folder that holds `.cellar`."""
        return self._root

    @property
    def store(self) -> IndexedStore:
        return self._store

    @property
    def project(self) -> str:
        """Id of this repository, which trust decisions are about."""
        return self._store.project

    def close(self) -> None:
        self._store.close()

    def __enter__(self) -> Repository:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # Notebooks

    def notebooks(self) -> list[NotebookInfo]:
        """Return the notebooks, by path."""
        return notebooks.list_notebooks(self)

    def notebook_for(self, path: Path, *, create: bool = False, content_key: ContentKey = read_cell_keys) -> NotebookId:
        """Return the notebook at `path`; see `notebooks.notebook_for`."""
        return notebooks.notebook_for(self, path, create=create, content_key=content_key)

    def find_notebook(self, text: str) -> NotebookId:
        """Return the notebook that a user means by a path, the end of one, or the beginning of an id."""
        return notebooks.find_notebook(self, text)

    def forked_from(self, notebook: NotebookId) -> CommitId | None:
        """Return the commit that a copied notebook starts from, to be the parent of its first commit."""
        value = self._store.ref(notebook, refs.FORKED_FROM)
        return CommitId(value) if value is not None else None

    def label(self, notebook: NotebookId) -> str:
        """Return a notebook's path for messages."""
        try:
            return notebooks.path_of(self, notebook)
        except LookupError:
            return results.name_of(self, notebook)

    # Commits and states

    def begin(self, notebook: NotebookId, key: Signer, *, on: str | None = None) -> Recorder:
        """Start recording; `on` is the branch of a kernel that has left HEAD (see `Recorded.diverged`)."""
        tx = self._store.begin()
        self.refresh()
        return Recorder(self, tx, notebook, key, on, self._generation)

    def has_commit(self, commit: CommitId) -> bool:
        tip = self._tip
        return (tip is not None and tip.commit == commit) or self.index.has(commit)

    def require_commit(self, commit: CommitId) -> None:
        """Raise UnknownReferenceError unless the repository holds the commit."""
        if not self.has_commit(commit):
            raise UnknownReferenceError(f"there is no commit {short(commit)} in this repository")

    def read_commit(self, commit: CommitId) -> Commit:
        """Return a commit. Raises UnknownReferenceError, CorruptStoreError, UnsupportedFormatError."""
        return self._decoded(commit)

    def read_signed(self, commit: CommitId) -> Signed:
        """Return payload, signature and key for the trust gate. Raises CorruptStoreError for an unsigned commit."""
        recent = self.recent.signed(commit)
        if recent is not None:
            return recent
        payload = self._store.read(Digest(commit))
        signatures = self._store.signatures(Digest(commit))
        if not signatures:
            raise CorruptStoreError(f"commit {short(commit)} carries no signature", hint="see: cellar check")
        key, signature = signatures[0]
        return Signed(payload, signature, KeyId(key))

    def read_state(self, commit: CommitId) -> State:
        """Return the whole state of a commit, origins filled in. Raises NotFoundError where nothing was captured."""
        cached = self._states.get(commit)
        if cached is None:
            cached = self._built_by_tip(commit) or self._fold(commit).build()
            with self._lock:
                while len(self._states) >= _CACHED_STATES:
                    del self._states[next(iter(self._states))]
                self._states[commit] = cached
        return cached

    def cached_state(self, commit: CommitId) -> State | None:
        """Return a state if it is at hand."""
        return self._states.get(commit)

    def needs_complete(self, base: CommitId | None, *, delta_bytes: int, whole_bytes: int) -> bool:
        """Say whether a state on top of `base` should be stored whole (`states.encode_complete`)."""
        depth, weight = self.chain(base) if base is not None else (0, 0)
        return states.is_complete_due(depth=depth + 1, delta_bytes=weight + delta_bytes, whole_bytes=whole_bytes)

    def complete_payload(self, delta: StateDelta) -> bytes:
        """Return the bytes of the STATE object for a commit with `delta`, to be named in its `complete`."""
        base = self.read_state(CommitId(delta.base)) if delta.base is not None else State((), {})
        return states.encode_complete(base, delta)

    def chain(self, commit: CommitId) -> tuple[int, int]:
        """Return how many deltas lie between a commit and the nearest whole state, and their bytes."""
        tip = self._tip
        if tip is not None and tip.commit == commit:
            return tip.chain
        found = self.index.chain(commit)
        if found is None:
            raise UnknownReferenceError(f"there is no commit {short(commit)} in this repository")
        return found

    def node(self, commit: CommitId) -> Node:
        """Return a commit's place in the graph: kind, first parent, `at`."""
        return self._node(commit)

    def take_tip(self, commit: CommitId) -> StateBuilder | None:
        """Hand over the state of the last recorded commit, if it is this one; the caller may change it."""
        with self._lock:
            tip, self._tip = self._tip, None
        return tip.builder if tip is not None and tip.commit == commit else None

    def keep_tip(self, tip: Tip, generation: bytes | None) -> None:
        """Keep the state of the commit just recorded, in this generation: the next one usually builds on it.

        Not if another thread has found meanwhile that history was rewritten: the commit may be out of it.
        """
        with self._lock:
            if generation == self._generation:
                self._tip = tip

    def read_object(self, digest: Digest) -> bytes:
        """Return an object that this process is likely to have had in hand lately."""
        data = self.recent.object(digest)
        if data is None:
            data = self._store.read(digest)
            self.recent.keep_object(digest, data)
        return data

    def refresh(self) -> bool:
        """Forget what was read if history was rewritten or collected since, by whomever; return whether it was."""
        generation = self._store.ref(refs.PROJECT_SCOPE, refs.GENERATION)
        if generation == self._generation:
            return False
        with self._lock:  # at once: who sees the new generation must not see the old tip
            self._tip = None
            self._generation = generation
        self.drop_caches()
        return True

    def drop_caches(self) -> None:
        """Forget what was read: history was rewritten or collected."""
        with self._lock:
            self._tip = None
            self._states.clear()
        self._thinned = None
        self.recent.clear()
        self._decoded.cache_clear()

    def thinned(self) -> Mapping[bytes, int]:
        """Return the values that were thinned out, with the time, as known since the last `refresh`; see `thin.py`."""
        if self._thinned is None:
            self._thinned = thinned_values(self.index)
        return self._thinned

    def note_stored(self, commit: Commit) -> None:
        """Know that the values which a commit put are there, whatever was thinned out before."""
        for entry in commit.state.put if commit.state is not None and self._thinned else ():
            if entry.value is not None and self._thinned is not None:
                self._thinned.pop(entry.value, None)

    # References

    def head(self, notebook: NotebookId) -> Head:
        """Return where HEAD is."""
        value = self._store.ref(notebook, refs.HEAD)
        if value is None:
            return Head(refs.DEFAULT_BRANCH, None)
        branch, commit, left = refs.decode_head(value)
        if branch is not None:
            tip = self._store.ref(notebook, refs.BRANCH + branch)
            commit = CommitId(tip) if tip is not None else None
        return Head(branch, commit, left)

    def rewritten_to(self, notebook: NotebookId, commit: CommitId) -> CommitId | None:
        """Return what a commit became when history was rewritten, for a kernel that stands at it; None: unknown.

        Known are the tips of branches and the newest commits of each notebook.
        """
        value = self._store.ref(notebook, refs.rewritten_ref(commit))
        return CommitId(value) if value is not None else None

    def resolve(self, text: str, notebook: NotebookId | None, *, head: CommitId | None = None) -> CommitId:
        """Return the commit that `text` names; see `resolve.py`."""
        return resolve(self, text, notebook, head=head).commit

    def resolve_full(self, text: str, notebook: NotebookId | None, *, head: CommitId | None = None) -> Resolved:
        """As `resolve`, with the notebook and, when `text` is just a branch's name, the branch."""
        return resolve(self, text, notebook, head=head)

    def branches(self, notebook: NotebookId) -> list[Ref]:
        return branches.list_refs(self, notebook, refs.BRANCH)

    def tags(self, notebook: NotebookId) -> list[Ref]:
        return branches.list_refs(self, notebook, refs.TAG)

    def create_branch(self, notebook: NotebookId, name: str, commit: CommitId, *, force: bool = False) -> int:
        return branches.create_branch(self, notebook, name, commit, force=force)

    def create_tag(self, notebook: NotebookId, name: str, commit: CommitId, *, force: bool = False) -> int:
        return branches.create_tag(self, notebook, name, commit, force=force)

    def delete_branch(self, notebook: NotebookId, name: str) -> int:
        return branches.delete_branch(self, notebook, name)

    def delete_tag(self, notebook: NotebookId, name: str) -> int:
        return branches.delete_tag(self, notebook, name)

    def rename_branch(self, notebook: NotebookId, old: str, new: str, *, force: bool = False) -> int:
        return branches.rename_branch(self, notebook, old, new, force=force)

    def move_head(
        self, notebook: NotebookId, commit: CommitId, *, branch: str | None = None, description: str = ""
    ) -> HeadChange:
        """Attach HEAD to `branch`, or detach it at `commit`: the part of a checkout that history does."""
        return branches.move_head(self, notebook, commit, branch=branch, description=description)

    def set_message(self, notebook: NotebookId, commit: CommitId, text: str) -> int:
        """Give a commit a newer message; returns the operation's number."""
        return branches.set_message(self, notebook, commit, text)

    def message_of(self, notebook: NotebookId, commit: CommitId) -> str:
        """Return a commit's message, the newest."""
        newer = self._store.ref(notebook, refs.message_ref(commit))
        return newer.decode() if newer is not None else self.read_commit(commit).message

    def log(
        self,
        notebook: NotebookId,
        *,
        start: CommitId | None = None,
        all_refs: bool = False,
        limit: int | None = None,
    ) -> list[Summary]:
        """Return commits reachable from `start` (default: HEAD) or from every ref, newest first."""
        return log(self, notebook, start=start, all_refs=all_refs, limit=limit)

    def labels(self, notebook: NotebookId) -> dict[CommitId, tuple[str, ...]]:
        """Return the names that point at commits, for listings."""
        return labels(self, notebook)

    def undo_target(self, head: CommitId, count: int = 1) -> StepPlan:
        """Return where `count` undos lead; see `steps.py`."""
        return undo_target(self, head, count)

    def redo_target(self, head: CommitId, count: int = 1) -> StepPlan:
        """Return where `count` redos lead; see `steps.py`."""
        return redo_target(self, head, count)

    # Operations

    def ops(self, notebook: NotebookId | None = None, *, limit: int | None = None) -> list[Operation]:
        """Return operations, newest first."""
        return [decode_operation(r) for r in self._store.records(scope=notebook, limit=limit) if r.scope]

    def op_undo(self, notebook: NotebookId, number: int | None = None) -> OpUndone:
        """Undo the last operation of a notebook, or the given one; see `opundo.py`."""
        return op_undo(self, notebook, number)

    # Integrity and space

    def check(self, *, read_data: bool = False) -> RepositoryReport:
        """Check store and history; damage is reported, not raised. Without `read_data` packs' content is not read."""
        from nbcellar.history.check import check_repository

        return check_repository(self, read_data=read_data)

    def rebuild_index(self) -> int:
        """Make the index again from the commits; return their number."""
        from nbcellar.history.reindex import rebuild_index

        return rebuild_index(self)

    def gc(
        self,
        children_of: ChildrenOf,
        *,
        keep_ops_days: float = KEEP_OPS_DAYS,
        policy: KeepPolicy | None = None,
        spare: Spare = lambda candidates: frozenset(),
        dry_run: bool = False,
        purge: bool = False,
    ) -> Collected:
        """Remove what no ref and no operation of the last days leads to, and with a `policy` thin out.

        See `maintenance.py`.
        """
        from nbcellar.history.maintenance import collect_garbage

        return collect_garbage(
            self,
            children_of,
            keep_ops_days=keep_ops_days,
            policy=policy,
            spare=spare,
            dry_run=dry_run,
            purge=purge,
        )

    def write_log_pack(self) -> bool:
        """Copy what is small into a pack, so that a lost database can be rebuilt; False if there was nothing."""
        return isinstance(self._store, LocalStore) and self._store.write_log_pack()

    def join_some(self) -> bool:
        """Do a short piece of the store's housekeeping, for idle moments; True if there is more to do."""
        from nbcellar.history.maintenance import join_some

        return join_some(self)

    def size(self) -> SizeReport:
        """Return what the repository takes."""
        from nbcellar.history.maintenance import measure

        return measure(self)

    def iter_records(self, notebook: NotebookId | None, *, before: int | None = None) -> Iterator[Record]:
        """Yield the records of a notebook's operations (None: of all), newest first, read in batches."""
        while True:
            batch = self._store.records(scope=notebook, before=before, limit=_RECORDS_A_TIME)
            yield from batch
            if len(batch) < _RECORDS_A_TIME:
                return
            before = batch[-1].number

    def _mend_index(self) -> None:
        """Make the index again when it is gone: the store was rebuilt from its packs."""
        if self._store.read_only:
            if not self.index.is_present():
                raise CorruptStoreError(f"the index in {self._root / FOLDER} is missing", hint=_MEND_HINT)
            return
        if not self.index.is_empty() or next(iter(self._store.objects(Kind.COMMIT)), None) is None:
            return
        # Asked again: a kernel may have made the first commit between the two questions, its index with it, and another
        # while the index is made, which would then not be in it.
        if self.index.is_empty():
            self.rebuild_index()

    def _find_node(self, commit: CommitId) -> Node:
        found = self.recent.commit(commit)
        if found is None:
            return self.index.node(commit)
        parent = CommitId(found.parents[0]) if found.parents else None
        return Node(commit, found.kind, parent, CommitId(found.at) if found.at is not None else None)

    def _decode(self, commit: CommitId) -> Commit:
        recent = self.recent.commit(commit)
        if recent is not None:
            return recent
        if not self._store.has(Digest(commit)):
            raise UnknownReferenceError(f"there is no commit {short(commit)} in this repository")
        return decode_commit(self._store.read(Digest(commit)))

    def _built_by_tip(self, commit: CommitId) -> State | None:
        with self._lock:
            tip = self._tip
            return tip.builder.build() if tip is not None and tip.commit == commit else None

    def _fold(self, commit: CommitId) -> StateBuilder:
        return states.fold_state(
            commit, read_commit=self.read_commit, read_object=self._store.read, known=self.cached_state
        )


_CACHED_STATES = 16
_MEND_HINT = "run any command once where the folder can be written: cellar status"


def find_root(start: Path) -> Path:
    """Return the nearest folder, `start` or above, that holds `.cellar`. Raises NoRepositoryError."""
    start = start.absolute()
    for folder in (start, *start.parents):
        if (folder / FOLDER).is_dir():
            return folder
    raise NoRepositoryError(f"there is no Cellar repository in {start} or above", hint="make one with: cellar init")


__all__ = ["FOLDER", "Repository", "Signed", "find_root"]
