"""Which cells to count on running again, so that the most space is freed for the least time: a minimum cut.

Dropping a piece of data takes that every cell whose results hold it can be run again, and running a cell may take that
others run before it. For a price of space (seconds a byte) the best choice is a closure of greatest weight, which is a
minimum cut (Picard, "Maximal closure of a graph and applications to combinatorial problems", Management Science 1976);
for prices from low to high the choices only grow (Gallo, Grigoriadis and Tarjan, SIAM J. Comput. 1989), so the price
for a budget is found by halving. Flows: Dinic, 1970.

Pure. Not for: what a history holds (`recompute.py`).
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Cell = TypeVar("Cell", bound=Hashable)

_HALVINGS = 60
_MOST_TRIALS = 500
_LEAST_SECONDS = 1e-3  # what asking for a cell costs at the least, however quick it is


@dataclass(frozen=True, slots=True)
class Piece(Generic[Cell]):
    """Data that is stored once: its size in bytes, and the cells whose results hold it."""

    size_bytes: int
    users: frozenset[Cell]


def choose(
    seconds: Mapping[Cell, float],
    needs: Mapping[Cell, Collection[Cell]],
    pieces: Iterable[Piece[Cell]],
    *,
    free_bytes: int,
) -> frozenset[Cell]:
    """Return cells to count on, whose results need not be stored, so that pieces of `free_bytes` at least can go.

    seconds: how long each cell that may be counted on takes; a cell that is not in it never is. needs: what runs before
    a cell. Where so much cannot be freed, as much as can. Before cells that turn out not to be needed are left out,
    their time is the least for the space that they free.
    """
    joined = _join(pieces, seconds, needs)
    return _without_needless(
        best_for(seconds, needs, joined, free_bytes=free_bytes), seconds, needs, joined, free_bytes
    )


def best_for(
    seconds: Mapping[Cell, float],
    needs: Mapping[Cell, Collection[Cell]],
    pieces: Iterable[Piece[Cell]],
    *,
    free_bytes: int,
) -> frozenset[Cell]:
    """Return the choice of the lowest price that frees enough, as `choose`, with nothing left out."""
    joined = _join(pieces, seconds, needs)
    if not joined or free_bytes <= 0:
        return frozenset()
    low, high = 0.0, 2.0 * (sum(seconds.values()) + len(seconds))  # seconds a byte: at the high end, space is all
    best = _closure(seconds, needs, joined, high)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        found = _closure(seconds, needs, joined, middle)
        if freed_bytes(joined, found) >= free_bytes:
            best, high = found, middle
        else:
            low = middle
    return best


def freed_bytes(pieces: Iterable[Piece[Cell]], cells: Collection[Cell]) -> int:
    """Return what goes when the results of `cells` need not be stored."""
    return sum(piece.size_bytes for piece in pieces if piece.users <= set(cells))


def _without_needless(
    chosen: frozenset[Cell],
    seconds: Mapping[Cell, float],
    needs: Mapping[Cell, Collection[Cell]],
    pieces: Sequence[Piece[Cell]],
    free_bytes: int,
) -> frozenset[Cell]:
    """Leave out the slowest cells as long as enough is freed: choices lie on a line with corners, the need between."""
    wanting: defaultdict[Cell, list[Cell]] = defaultdict(list)
    for cell in chosen:
        for needed in needs.get(cell, ()):
            wanting[needed].append(cell)
    left = set(chosen)
    freed = freed_bytes(pieces, left)
    for cell in sorted(chosen, key=lambda one: -seconds[one])[:_MOST_TRIALS]:
        if cell not in left:
            continue
        out, queue = set[Cell](), [cell]
        while queue:  # with the cells that need it
            one = queue.pop()
            if one not in out:
                out.add(one)
                queue += [other for other in wanting[one] if other in left]
        lost = sum(p.size_bytes for p in pieces if p.users <= left and not p.users.isdisjoint(out))
        if freed - lost >= free_bytes or not lost:
            left -= out
            freed -= lost
    return frozenset(left)


def _join(
    pieces: Iterable[Piece[Cell]], seconds: Mapping[Cell, float], needs: Mapping[Cell, Collection[Cell]]
) -> list[Piece[Cell]]:
    """Return pieces that can go at all, those of the same cells as one."""
    sizes: defaultdict[frozenset[Cell], int] = defaultdict(int)
    allowed = _allowed(seconds, needs)
    for piece in pieces:
        if piece.users and piece.users <= allowed:
            sizes[piece.users] += piece.size_bytes
    return [Piece(size, users) for users, size in sizes.items() if size > 0]


def _allowed(seconds: Mapping[Cell, float], needs: Mapping[Cell, Collection[Cell]]) -> set[Cell]:
    """Return the cells that can run again with all that they need."""
    wanting: defaultdict[Cell, list[Cell]] = defaultdict(list)
    out: list[Cell] = []
    for cell in seconds:
        for needed in needs.get(cell, ()):
            wanting[needed].append(cell)
            if needed not in seconds:
                out.append(cell)
    allowed = set(seconds)
    while out:
        cell = out.pop()
        if cell in allowed:
            allowed.discard(cell)
            out += wanting[cell]
    return allowed


def _closure(
    seconds: Mapping[Cell, float],
    needs: Mapping[Cell, Collection[Cell]],
    pieces: Sequence[Piece[Cell]],
    price: float,
) -> frozenset[Cell]:
    """Return the cells on the source's side of the cut: pieces that are worth their cells, with these."""
    network = _Network()
    numbers: dict[Cell, int] = {}

    def number_of(cell: Cell) -> int:
        if cell not in numbers:
            numbers[cell] = network.node()
            network.edge(numbers[cell], _SINK, max(seconds[cell], _LEAST_SECONDS))
            for needed in needs.get(cell, ()):
                network.edge(numbers[cell], number_of(needed), float("inf"))
        return numbers[cell]

    for piece in pieces:
        node = network.node()
        network.edge(_SOURCE, node, price * piece.size_bytes)
        for cell in piece.users:
            network.edge(node, number_of(cell), float("inf"))
    side = network.source_side()
    return frozenset(cell for cell, number in numbers.items() if number in side)


_SOURCE, _SINK = 0, 1
_NOTHING = 1e-12


class _Network:
    """A flow network; nodes are numbers, edges lie in pairs, forth and back."""

    def __init__(self) -> None:
        self._out: list[list[int]] = [[], []]
        self._to: list[int] = []
        self._room: list[float] = []

    def node(self) -> int:
        self._out.append([])
        return len(self._out) - 1

    def edge(self, start: int, end: int, room: float) -> None:
        self._out[start].append(len(self._to))
        self._out[end].append(len(self._to) + 1)
        self._to += [end, start]
        self._room += [room, 0.0]

    def source_side(self) -> set[int]:
        """Push as much as goes, and return the nodes that the source still reaches."""
        while True:
            levels = self._levels()
            if _SINK not in levels:
                return set(levels)
            position = [0] * len(self._out)
            while self._push(levels, position):
                pass

    def _levels(self) -> dict[int, int]:
        levels = {_SOURCE: 0}
        queue = deque([_SOURCE])
        while queue:
            node = queue.popleft()
            for edge in self._out[node]:
                end = self._to[edge]
                if end not in levels and self._room[edge] > _NOTHING:
                    levels[end] = levels[node] + 1
                    queue.append(end)
        return levels

    def _push(self, levels: Mapping[int, int], position: list[int]) -> bool:
        """Send flow along one path of the level graph; no recursion, for chains of cells are long."""
        path: list[int] = []
        node = _SOURCE
        while node != _SINK:
            edges = self._out[node]
            while position[node] < len(edges):
                edge = edges[position[node]]
                end = self._to[edge]
                if self._room[edge] > _NOTHING and levels.get(end, -1) == levels[node] + 1:
                    break
                position[node] += 1
            else:
                if not path:
                    return False
                node = self._to[path.pop() ^ 1]
                position[node] += 1
                continue
            path.append(edge)
            node = end
        room = min(self._room[edge] for edge in path)
        for edge in path:
            self._room[edge] -= room
            self._room[edge ^ 1] += room
        return True


__all__ = ["Piece", "best_for", "choose", "freed_bytes"]
