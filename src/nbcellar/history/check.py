"""Does the history hold together? On top of the store's own check, which knows bytes but not what they mean.

Invariant: damage is reported, never raised, and nothing is changed. Values are looked for, not read: `read_data` of the
store's check does that, and the report says what was not read. Not for: mending (`reindex.py`, the store's rebuild).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import msgspec

from nbcellar.errors import CellarError
from nbcellar.history import refs
from nbcellar.history.model import Commit, StateDelta, decode_commit, decode_state
from nbcellar.history.operations import Operation, decode_operation
from nbcellar.history.reach import named_commits, references_of_commit, references_of_delta
from nbcellar.ids import CommitId, Digest, short
from nbcellar.store.check import CheckReport, check
from nbcellar.store.interface import Kind
from nbcellar.store.local import LocalStore
from nbcellar.trust.keys import verify

if TYPE_CHECKING:
    from nbcellar.history.repository import Repository

_MADE_AGAIN = "cellar check --rebuild makes it again"

Verify = Callable[[bytes, bytes, bytes], bool]
"""Key, message, signature: does it hold? See `trust.keys.verify`."""


class HistoryProblem(msgspec.Struct, frozen=True):
    """One thing that is wrong, about a commit, a ref or an operation, as a sentence."""

    about: str
    reason: str


class HistoryReport(msgspec.Struct, frozen=True):
    """What was looked at, and what is wrong."""

    commits: int
    signatures: int
    references: int
    refs: int
    operations: int
    thinned: int  # values that commits name and that were thinned out
    problems: tuple[HistoryProblem, ...]

    @property
    def is_clean(self) -> bool:
        return not self.problems


class RepositoryReport(msgspec.Struct, frozen=True):
    """What a check found; `store` is None for a store in memory."""

    store: CheckReport | None
    history: HistoryReport

    @property
    def is_clean(self) -> bool:
        """True if nothing is wrong, as far as was read."""
        return self.history.is_clean and (self.store is None or self.store.is_clean)


def check_repository(repo: Repository, *, read_data: bool) -> RepositoryReport:
    """Check the store, then what its objects mean. Without `read_data` the content of packs is not read."""
    store = check(repo.store, read_data=read_data) if isinstance(repo.store, LocalStore) else None
    return RepositoryReport(store, check_history(repo, verify=verify))


def check_history(repo: Repository, *, verify: Verify) -> HistoryReport:
    """Check every commit's signature and references, every ref and operation, and the index."""
    tally = _Tally(repo, verify)
    commits = set(tally.check_commits())
    tally.check_refs(commits)
    operations = tally.check_operations()
    tally.check_index(commits, operations)
    return HistoryReport(
        commits=len(commits),
        signatures=tally.signatures,
        references=tally.references,
        refs=tally.refs,
        operations=tally.operations,
        thinned=len(tally.thinned),
        problems=tuple(tally.problems),
    )


class _Tally:
    """Counts while the check goes on."""

    def __init__(self, repo: Repository, verify: Verify) -> None:
        self._repo = repo
        self._verify = verify
        self._seen: dict[Digest, bool] = {}
        self._thinned = repo.thinned()
        self.thinned: set[bytes] = set()
        self.signatures = 0
        self.references = 0
        self.refs = 0
        self.operations = 0
        self.problems: list[HistoryProblem] = []
        self._commits: dict[CommitId, tuple[Commit, int]] = {}

    def check_commits(self) -> Iterator[CommitId]:
        for info in self._repo.store.objects(Kind.COMMIT):
            identifier = CommitId(info.digest)
            yield identifier
            about = f"commit {short(identifier)}"
            try:
                payload = self._repo.store.read(info.digest)
                commit = decode_commit(payload)
            except CellarError as error:
                self._report(about, str(error))
                continue
            self._commits[identifier] = (commit, len(payload))
            self._check_signatures(about, identifier)
            self._check_references(about, commit)

    def check_refs(self, commits: set[CommitId]) -> None:
        try:
            found = self._repo.store.refs()
        except CellarError as error:  # the store's check names all that are damaged
            self._report("the refs", str(error))
            return
        for (scope, name), value in found.items():
            self.refs += 1
            about = f"{name.replace('/', ' ', 1)} of {scope[:8] or 'the project'}"
            try:
                missing = [c for c in named_commits(name, value) if c not in commits]
            except (CellarError, ValueError) as error:
                self._report(about, str(error))
                continue
            for commit in missing:
                self._report(about, f"names commit {short(commit)}, which is not there")

    def check_operations(self) -> list[Operation]:
        operations = []
        try:
            for record in self._repo.iter_records(None):
                self.operations += 1
                try:
                    operations.append(decode_operation(record))
                except CellarError as error:
                    self._report(f"operation {record.number}", str(error))
        except CellarError as error:  # as for refs
            self._report("the operation log", str(error))
        return operations

    def check_index(self, commits: set[CommitId], operations: list[Operation]) -> None:
        """Compare the index with what the commits say: all of it, if all of them could be read."""
        try:
            listed = set(self._repo.index.ids())
            if self._repo.store.ref(refs.PROJECT_SCOPE, refs.PURGE_DUE) is not None:
                self._report(
                    "an earlier forget", "is out of history, but not out of the files; finish it with: cellar gc"
                )
                commits = commits & listed
            if listed != commits:
                parts = [
                    f"{word} {len(some)} commit{'' if len(some) == 1 else 's'}{end}"
                    for word, some, end in (
                        ("lacks", commits - listed, ""),
                        ("names", listed - commits, " that are gone"),
                    )
                    if some
                ]
                self._report("the index", f"{' and '.join(parts)}; {_MADE_AGAIN}")
            elif not self.problems:
                self._compare_index({c: self._commits[c] for c in commits}, operations)
        except CellarError as error:
            self._report("the index", str(error))

    def _compare_index(self, commits: dict[CommitId, tuple[Commit, int]], operations: list[Operation]) -> None:
        from nbcellar.history.compare_index import wrong_commits, wrong_values

        wrong = list(wrong_commits(self._repo, commits, operations))
        if wrong:
            commit, what = wrong[0]
            others = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
            self._report("the index", f"is wrong about commit {short(commit)} ({what}){others}; {_MADE_AGAIN}")
        values = wrong_values(self._repo, operations)
        if values:
            plural = "" if values == 1 else "s"
            self._report("the index", f"is wrong about {values} value{plural} thinned out; {_MADE_AGAIN}")

    def _check_signatures(self, about: str, identifier: CommitId) -> None:
        found = self._repo.store.signatures(Digest(identifier))
        if not found:
            self._report(about, "carries no signature")
        for key, signature in found:
            self.signatures += 1
            if not self._verify(key, identifier, signature):
                self._report(about, f"the signature of key {key[:4].hex()} does not hold")

    def _check_references(self, about: str, commit: Commit) -> None:
        for kind, digest in references_of_commit(commit):
            if not self._is_there(digest) and not self._was_thinned(kind, digest):
                self._report(about, f"refers to {kind.name.lower()} {digest[:4].hex()}, which is not there")
            elif kind is Kind.STATE:
                self._check_state(about, digest)

    def _check_state(self, about: str, digest: Digest) -> None:
        try:
            state = decode_state(self._repo.store.read(digest))
        except CellarError as error:
            self._report(about, str(error))
            return
        whole = StateDelta(base=None, put=state.covariables, ambient=dict(state.ambient))
        for kind, part in references_of_delta(whole):
            if not self._is_there(part) and not self._was_thinned(kind, part):
                self._report(
                    about, f"its whole state refers to {kind.name.lower()} {part[:4].hex()}, which is not there"
                )

    def _was_thinned(self, kind: Kind, digest: Digest) -> bool:
        """True for a value that an operation says was removed on purpose."""
        if kind is not Kind.VALUE or digest not in self._thinned:
            return False
        self.thinned.add(digest)
        return True

    def _is_there(self, digest: Digest) -> bool:
        self.references += 1
        known = self._seen.get(digest)
        if known is None:
            known = self._seen[digest] = self._repo.store.has(digest)
        return known

    def _report(self, about: str, reason: str) -> None:
        self.problems.append(HistoryProblem(about, reason))


__all__ = ["HistoryProblem", "HistoryReport", "RepositoryReport", "check_history", "check_repository"]
