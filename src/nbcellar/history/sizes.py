"""What takes the space: by variable, by notebook, by age, with what several share counted once.

Invariant: of each owner `stored_bytes` is all that its values consist of, and `own_bytes` what no other owner refers
to, so that much goes when it goes. Reads manifests, no values. Not for: removing anything (`maintenance.py`,
`forget.py`).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import TYPE_CHECKING, Generic, TypeVar

import msgspec

from nbcellar.errors import CellarError
from nbcellar.history.keep import DAY_NS
from nbcellar.history.reach import ChildrenOf, mark, references_of_commit
from nbcellar.history.results import owner_of
from nbcellar.ids import Digest, NotebookId
from nbcellar.store.interface import Kind

if TYPE_CHECKING:
    from nbcellar.history.repository import Repository

AGES_DAYS = (1, 7, 30, 365)
"""Ends of the spans of age; the last span has none."""

_Owner = TypeVar("_Owner", bound=Hashable)
Variable = tuple[NotebookId, tuple[str, ...]]


class Share(msgspec.Struct, frozen=True):
    """What belongs to one owner, in bytes as stored; `values` counts its versions."""

    values: int
    stored_bytes: int
    own_bytes: int


class Usage(msgspec.Struct, frozen=True):
    """Bytes by owner; the results of a notebook's pipeline are one (`results.owner_of`).

    `by_age`: for each span of `AGES_DAYS` and the rest, what was first recorded then.
    """

    by_variable: dict[Variable, Share]
    by_notebook: dict[NotebookId, Share]
    by_age: tuple[int, ...]


class _Owners(Generic[_Owner]):
    """Who refers to an object: one owner, or several."""

    def __init__(self, sizes: Mapping[Digest, int]) -> None:
        self._sizes = sizes
        self._parts: dict[_Owner, set[Digest]] = {}
        self._values: dict[_Owner, set[Digest]] = {}

    def add(self, owner: _Owner, value: Digest, parts: Iterable[Digest]) -> None:
        self._parts.setdefault(owner, set()).update(parts)
        self._values.setdefault(owner, set()).add(value)

    def shares(self) -> dict[_Owner, Share]:
        """Return what each owner has, the largest first."""
        holders: dict[Digest, int] = {}
        for parts in self._parts.values():
            for digest in parts:
                holders[digest] = holders.get(digest, 0) + 1
        size = self._sizes.get
        found = {
            owner: Share(
                len(self._values[owner]),
                sum(size(digest, 0) for digest in parts),
                sum(size(digest, 0) for digest in parts if holders[digest] == 1),
            )
            for owner, parts in self._parts.items()
        }
        return dict(sorted(found.items(), key=lambda item: (-item[1].stored_bytes, repr(item[0]))))


def measure_usage(repo: Repository, children_of: ChildrenOf, *, now_ns: int) -> Usage:
    """Return what takes the space, of all commits that are stored. Commits that cannot be read are passed over."""
    sizes = {info.digest: info.stored_bytes for info in repo.store.objects()}
    variables: _Owners[Variable] = _Owners(sizes)
    notebooks: _Owners[NotebookId] = _Owners(sizes)
    ages = [0] * (len(AGES_DAYS) + 1)
    dated: set[Digest] = set()
    trees: dict[Digest, set[Digest]] = {}
    for identifier in repo.index.ids():
        try:
            commit = repo.read_commit(identifier)
        except CellarError:
            continue
        notebook = owner_of(commit)
        parts = {Digest(identifier)}
        for entry in commit.state.put if commit.state is not None else ():
            if entry.value is None or Digest(entry.value) not in sizes:
                continue
            value = Digest(entry.value)
            pieces = {value, *children_of(Kind.VALUE, repo.store.read(value))}
            variables.add((notebook, entry.names), value, pieces)
            parts |= pieces
        rest = [(kind, digest) for kind, digest in references_of_commit(commit) if kind in _DOCUMENTS]
        for kind, digest in rest:
            parts.add(digest)
            if kind is Kind.TREE:
                if digest not in trees:
                    trees[digest] = set()
                    mark(repo, [(kind, digest)], children_of, trees[digest])
                parts |= trees[digest]
        notebooks.add(notebook, Digest(identifier), parts)
        span = _span(now_ns - commit.time_ns)
        ages[span] += sum(sizes.get(digest, 0) for digest in parts - dated)
        dated |= parts
    return Usage(variables.shares(), notebooks.shares(), tuple(ages))


_DOCUMENTS = (Kind.TREE, Kind.OUTPUTS, Kind.ENVIRONMENT, Kind.AMBIENT, Kind.STATE)


def _span(age_ns: int) -> int:
    return next((n for n, days in enumerate(AGES_DAYS) if age_ns < days * DAY_NS), len(AGES_DAYS))


__all__ = ["AGES_DAYS", "Share", "Usage", "Variable", "measure_usage"]
