"""Orders of components: cycles, who comes before whom, a serial order with ties by the document's.

Invariant: results depend on the components and edges alone, not on the order in which edges are given. Pure.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence

from nbcellar.ids import CellId

Parents = Mapping[CellId, frozenset[CellId]]
"""The parents of each component; all of these are components."""


def serial_order(ids: Sequence[CellId], parents: Parents) -> list[CellId]:
    """Return the components so that parents come first, ready ones in document order. `ids` stand in document order.

    What is on a cycle, or behind one, is left out. Kahn's algorithm with a heap.
    """
    place = {id: at for at, id in enumerate(ids)}
    left = {id: len(parents.get(id, ())) for id in ids}
    children: dict[CellId, list[CellId]] = {id: [] for id in ids}
    for child in ids:
        for parent in parents.get(child, ()):
            children[parent].append(child)
    ready = [place[id] for id in ids if left[id] == 0]
    heapq.heapify(ready)
    order = []
    while ready:
        id = ids[heapq.heappop(ready)]
        order.append(id)
        for child in children[id]:
            left[child] -= 1
            if left[child] == 0:
                heapq.heappush(ready, place[child])
    return order


def find_cycle(ids: Sequence[CellId], parents: Parents) -> list[CellId]:
    """Return the components of one cycle, each before the one it is a parent of; nothing where there is none."""
    stuck = set(ids) - set(serial_order(ids, parents))
    at = next((id for id in ids if id in stuck), None)
    seen: dict[CellId, int] = {}
    path: list[CellId] = []
    while at is not None and at not in seen:
        seen[at] = len(path)
        path.append(at)
        at = next((parent for parent in ids if parent in parents.get(at, ()) and parent in stuck), None)
    return path[seen[at] :][::-1] if at is not None else []


def find_circles(ids: Sequence[CellId], parents: Parents) -> list[list[CellId]]:
    """Return the groups of components that wait for each other, each in the order of `ids`; nothing without a cycle."""
    free = set(serial_order(ids, parents))
    stuck = [id for id in ids if id not in free]
    above = {id: _above(id, parents) for id in stuck}
    found: list[list[CellId]] = []
    seen: set[CellId] = set()
    for id in stuck:
        if id not in seen and id in above[id]:
            group = [other for other in stuck if other in above[id] and id in above[other]]
            seen.update(group)
            found.append(group)
    return found


def _above(id: CellId, parents: Parents) -> set[CellId]:
    """Return what comes before a component, itself where it is on a cycle."""
    seen: set[CellId] = set()
    todo = list(parents.get(id, ()))
    while todo:
        at = todo.pop()
        if at not in seen:
            seen.add(at)
            todo += parents.get(at, ())
    return seen


def ancestors(order: Iterable[CellId], parents: Parents) -> dict[CellId, frozenset[CellId]]:
    """Return all that comes before each component. `order` has parents first."""
    found: dict[CellId, frozenset[CellId]] = {}
    for id in order:
        direct = parents.get(id, frozenset())
        found[id] = direct.union(*(found.get(parent, frozenset()) for parent in direct))
    return found


__all__ = ["Parents", "ancestors", "find_circles", "find_cycle", "serial_order"]
