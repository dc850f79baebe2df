"""The results that a notebook's pipeline has in the repository: which, how large, whether they are good now; and away.

Invariant: listing reads messages and manifests, never a value, whoever signed it. What is taken away are refs; the
space comes back with `gc`, and a result that another notebook's component had last stays. Not for: what runs
(`scheduling.py`), archives (`archive_*.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from nbcellar.components.model import Component
from nbcellar.errors import CellarError
from nbcellar.history import refs
from nbcellar.history.model import Commit
from nbcellar.history.operations import Operation, OperationKind, RefChange, encode_operation
from nbcellar.history.reach import references_of_commit
from nbcellar.ids import CellId, CommitId, Digest, NotebookId
from nbcellar.pipeline.cache import LAST, Cache, Outlook, facts_of
from nbcellar.pipeline.keys import code_digest
from nbcellar.pipeline.model import Facts
from nbcellar.pipeline.steps import Place, Step
from nbcellar.store.interface import Kind
from nbcellar.values.manifest import referenced_digests

if TYPE_CHECKING:
    from nbcellar.history.repository import Repository


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A result. cell: of the component it is one of now, or was; reason: why it is not good now, empty if it is.

    is_used: a run would take it. others: notebooks, by path, that had it last for a component of theirs.
    """

    commit: CommitId
    cell: str
    facts: Facts
    made: Commit
    reason: str
    is_used: bool
    others: tuple[str, ...]


class Standing(msgspec.Struct, frozen=True):
    """How a pipeline stands. steps: what a dry run says; ahead: what it knows of each component's next result."""

    components: Sequence[Component]
    steps: Mapping[CellId, Step]
    ahead: Mapping[CellId, Outlook]


def list_kept(repo: Repository, cache: Cache, place: Place, standing: Standing) -> list[Kept]:
    """Return the results of a notebook's components in the order of the document, the newest first.

    Those of cells that are no components any more come last.
    """
    last = {name.removeprefix(LAST): CommitId(value) for (_, name), value in _last_of(repo, place.notebook).items()}
    found: list[tuple[CommitId, Commit, Facts, str]] = []
    for commit in _all_results(repo):
        made = repo.read_commit(commit)
        facts = facts_of(made)
        cell = _cell_of(commit, facts, place, standing, last) if facts is not None else None
        if facts is not None and cell is not None:
            found.append((commit, made, facts, cell))
    order = {component.id: number for number, component in enumerate(standing.components)}
    found.sort(key=lambda entry: (order.get(CellId(entry[3]), len(order)), entry[3], -entry[1].time_ns, entry[0]))
    others = _others(repo, place.notebook)
    return [
        Kept(
            commit=commit,
            cell=cell,
            facts=facts,
            made=made,
            reason=_why_not(cache, commit, facts, CellId(cell), standing),
            is_used=any(step.result == commit.hex() and step.state == "cached" for step in standing.steps.values()),
            others=others.get(commit, ()),
        )
        for commit, made, facts, cell in found
    ]


def take_away(repo: Repository, notebook: NotebookId | None, commits: Iterable[CommitId]) -> None:
    """Take results out of the repository's refs; what nothing else leads to then is removed by `gc`."""
    going = set(commits)
    with repo.store.begin() as tx:
        generation = repo.store.ref(refs.PROJECT_SCOPE, refs.GENERATION)
        tx.set_ref(refs.PROJECT_SCOPE, refs.GENERATION, old=generation, new=generation)
        for scope in {NotebookId(repo.read_commit(commit).notebook) for commit in going}:
            branches = repo.store.refs(scope, refs.BRANCH)
            gone = {name: value for (_, name), value in branches.items() if CommitId(value) in going}
            for name, value in gone.items():
                tx.set_ref(scope, name, old=value, new=None)
            head = repo.store.ref(scope, refs.HEAD)
            if len(gone) == len(branches) and head is not None:
                tx.set_ref(scope, refs.HEAD, old=head, new=None)
            # Of this kind: what was recorded in the scope before keeps nothing alive any more.
            operation = Operation(
                notebook=scope,
                kind=OperationKind.FORGET,
                time_ns=repo.clock(),
                by=repo.by,
                changes=tuple(RefChange(name, None, None) for name in gone),
                description="clear results",
            )
            tx.append(scope, encode_operation(operation))
        for (of_notebook, name), value in _last_of(repo, notebook).items():
            if CommitId(value) in going:
                tx.set_ref(of_notebook, name, old=value, new=None)
        tx.commit()
    repo.drop_caches()


def _last_of(repo: Repository, notebook: NotebookId | None) -> Mapping[tuple[str, str], bytes]:
    return repo.store.refs(notebook, LAST) if notebook is not None else {}


def parts_of(repo: Repository, commit: CommitId, children: Callable[[Digest], Iterable[Digest]]) -> set[Digest]:
    """Return what a commit consists of, as far as results share it."""
    parts = {Digest(commit)}
    for kind, digest in references_of_commit(repo.read_commit(commit)):
        if kind is not Kind.COMMIT:
            parts.add(digest)
        if kind is Kind.VALUE:
            parts.update(children(digest))
    return parts


def _all_results(repo: Repository) -> list[CommitId]:
    notebooks = {info.id for info in repo.notebooks()}
    tips = repo.store.refs(None, refs.BRANCH).items()
    return list(dict.fromkeys(CommitId(value) for (scope, _), value in tips if scope not in notebooks))


def _cell_of(
    commit: CommitId, facts: Facts, place: Place, standing: Standing, last: Mapping[str, CommitId]
) -> str | None:
    """Return the component that a result is one of; None: it is another notebook's."""
    for cell, newest in last.items():
        if newest == commit:
            return cell
    keys = [cell for cell, ahead in standing.ahead.items() if ahead.key is not None and ahead.key.key == facts.key]
    if facts.cell in keys or (facts.notebook == place.path and facts.cell):
        return facts.cell
    return keys[0] if keys else None


def _others(repo: Repository, notebook: NotebookId | None) -> dict[CommitId, tuple[str, ...]]:
    found: dict[CommitId, set[str]] = {}
    for (scope, _), value in repo.store.refs(None, LAST).items():
        if scope != notebook:
            found.setdefault(CommitId(value), set()).add(repo.label(NotebookId(scope)))
    return {commit: tuple(sorted(labels)) for commit, labels in found.items()}


def _why_not(cache: Cache, commit: CommitId, facts: Facts, cell: CellId, standing: Standing) -> str:
    """Return why a result is not good now."""
    try:
        result = cache.read(commit)
    except CellarError as error:
        return error.message
    component = next((c for c in standing.components if c.id == cell), None)
    if result is None or component is None:
        return "its cell is no component now"
    if result.lost:
        return result.lost
    step = standing.steps.get(cell)
    if component.policy.freeze and step is not None and step.result == commit.hex():
        return ""
    if facts.code != code_digest(component.source):
        return "its code changed"
    ahead = standing.ahead.get(cell, Outlook(None))
    expected = ahead.key
    if expected is None:
        return step.reason if step is not None and step.reason else "what it takes is not known yet"
    if expected.key != facts.key:
        return cache.explain(result, expected)
    why = cache.why_not(result, expected.surroundings, ahead.beside)
    return why or ("" if component.policy.cache else "it is not cached")


class Sizes:
    """What results take, as stored. own: what no other commit of the repository consists of, too."""

    def __init__(self, repo: Repository, commits: Iterable[CommitId]) -> None:
        self._repo = repo
        self._children: dict[Digest, list[Digest]] = {}
        self._stored: dict[Digest, int] = {}
        self._holders: Counter[Digest] = Counter()
        self._parts: dict[CommitId, frozenset[Digest]] = {}
        wanted = frozenset(commits)
        for identifier in repo.index.ids() if wanted else ():
            try:
                parts = parts_of(repo, identifier, self._blocks_of)
            except CellarError:
                continue
            self._holders.update(parts)
            if identifier in wanted:
                self._parts[identifier] = frozenset(parts)

    def of(self, commit: CommitId) -> int:
        """Return the bytes of a result, with what others share."""
        return sum(self._size(digest) for digest in self._parts.get(commit, ()))

    def own(self, commits: Collection[CommitId]) -> int:
        """Return the bytes that would be free without these."""
        held = Counter(digest for commit in commits for digest in self._parts.get(commit, ()))
        return sum(self._size(digest) for digest, count in held.items() if self._holders[digest] == count)

    def _blocks_of(self, value: Digest) -> list[Digest]:
        if value not in self._children:
            store = self._repo.store
            self._children[value] = referenced_digests(store.read(value)) if store.has(value) else []
        return self._children[value]

    def _size(self, digest: Digest) -> int:
        if digest not in self._stored:
            store = self._repo.store
            self._stored[digest] = store.info(digest).stored_bytes if store.has(digest) else 0
        return self._stored[digest]


__all__ = ["Kept", "Sizes", "Standing", "list_kept", "parts_of", "take_away"]
