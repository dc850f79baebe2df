"""Which stored values to give up under a budget, because cells can make them again, and quickly.

A value counts as one that cells can make again if each cell that ever put it names nothing of the world outside: no
files, clocks, networks, programs or sources of randomness other than the recorded random states, neither itself nor in
the functions and classes of the notebook that it uses; if it did not fail; and if all that it needs is stored or such a
value, too. A replay compares what comes out with the digest that is kept, so a wrong guess is said, not believed.

Invariant: nothing is run or removed here. Not for: the choice (`history/closure.py`), removing (`history/thin.py`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from nbcellar.history.closure import Piece, choose
from nbcellar.history.repository import Repository
from nbcellar.history.thin import Candidate
from nbcellar.ids import CommitId, Digest
from nbcellar.session.replay.outside import names_the_outside
from nbcellar.session.replay.steps import ALL, CannotReplayError, Finder, Step, is_stored
from nbcellar.store.interface import Kind
from nbcellar.values.manifest import referenced_digests


@dataclass(slots=True)
class Budget:
    """A `Spare` for thinning out: it spares what is dear to make again.

    going: values that go anyway. seconds, cells: what it takes to make all the others again, once it was asked.
    """

    repo: Repository
    free_bytes: int
    going: frozenset[bytes] = frozenset()
    seconds: float = 0.0
    cells: int = 0

    def __call__(self, candidates: Sequence[Candidate]) -> AbstractSet[bytes]:
        """Return the values among the candidates that stay."""
        asked = [candidate for candidate in candidates if candidate.value not in self.going]
        makers = _makers(self.repo, {candidate.value for candidate in asked})
        cells = _Cells(self.repo)
        seconds: dict[CommitId, float] = {}
        needs: dict[CommitId, frozenset[CommitId]] = {}
        for commit in {commit for commits in makers.values() for commit in commits}:
            cells.look(commit, seconds, needs)
        chosen = choose(seconds, needs, _pieces(self.repo, makers, self.going), free_bytes=self.free_bytes)
        self.seconds, self.cells = sum(seconds[commit] for commit in chosen), len(chosen)
        return {value for value, commits in makers.items() if not commits <= chosen}


class _Cells:
    """Looks at cells, each once."""

    def __init__(self, repo: Repository) -> None:
        thinned = repo.thinned()
        self._repo = repo
        self._finder = Finder(repo, lambda entry: is_stored(entry, thinned), lambda source: source)

    def look(
        self, commit: CommitId, seconds: dict[CommitId, float], needs: dict[CommitId, frozenset[CommitId]]
    ) -> None:
        """Note how long a cell takes and what runs before it, if it can be counted on."""
        queue = [commit]
        while queue:
            one = queue.pop()
            if one in needs:
                continue
            try:
                step = self._finder.step(one)
                before = frozenset(CommitId(entry.origin) for entry in self._finder.needed(step))
            except CannotReplayError:
                needs[one] = frozenset()
                continue
            needs[one] = before
            if self._is_repeatable(step):
                seconds[one] = step.cell.duration_s
                queue += before

    def _is_repeatable(self, step: Step) -> bool:
        cell = step.cell
        if cell.error is not None or cell.opened_for_writing or cell.reads in (None, ALL):
            return False
        if any(entry.value is None or entry.uncertain for entry in step.put):
            return False
        sources = [cell.source, *self._sources_of_code(step)]
        return not any(names_the_outside(source) for source in sources)

    def _sources_of_code(self, step: Step) -> Iterable[str]:
        """Yield the cells that made the functions and classes which a cell uses."""
        names = set(step.cell.reads or ())
        for entry in self._finder.state_before(step).covariables:
            if names.isdisjoint(entry.names) and entry.names:
                continue
            if entry.defines or any(preview.type in ("function", "type") for preview in entry.previews):
                origin = self._repo.read_commit(CommitId(entry.origin))
                yield origin.cell.source if origin.cell is not None else "open()"  # made outside of what is recorded


def _makers(repo: Repository, values: AbstractSet[bytes]) -> dict[bytes, frozenset[CommitId]]:
    """Return the commits that put each value."""
    found: defaultdict[bytes, set[CommitId]] = defaultdict(set)
    for identifier in repo.index.ids():
        state = repo.read_commit(identifier).state
        for entry in state.put if state is not None else ():
            if entry.value is not None and entry.value in values:
                found[entry.value].add(identifier)
    return {value: frozenset(commits) for value, commits in found.items()}


def _pieces(
    repo: Repository, makers: Mapping[bytes, frozenset[CommitId]], going: AbstractSet[bytes]
) -> list[Piece[CommitId]]:
    """Return what values consist of, with the cells whose results hold it; nothing that another value holds, too."""
    users: defaultdict[bytes, set[CommitId]] = defaultdict(set)
    others: set[bytes] = set()
    sizes: dict[bytes, int] = {}
    values: list[Digest] = []
    for info in repo.store.objects():
        sizes[info.digest] = info.stored_bytes
        if info.kind is Kind.VALUE:
            values.append(info.digest)
    for value in values:
        if value in going:
            continue
        parts = [value, *referenced_digests(repo.store.read(value))]
        if value in makers:
            for part in parts:
                users[part] |= makers[value]
        else:
            others.update(parts)
    return [
        Piece(sizes.get(part, 0), frozenset(cells)) for part, cells in users.items() if part not in others and cells
    ]


__all__ = ["Budget"]
