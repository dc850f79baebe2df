"""Which items of two short lists go together, in order, so that the sum of what each pair gains is the highest."""

from __future__ import annotations

from collections.abc import Sequence


def best_pairs(gains: Sequence[Sequence[float]]) -> list[tuple[int, int]]:
    """Return pairs of places, the last ones first. gains: as [x][y], what item x of one and y of the other gain."""
    width = len(gains[0]) if gains else 0
    best = [[0.0] * (width + 1) for _ in range(len(gains) + 1)]
    for x, row in enumerate(gains):
        for y, gain in enumerate(row):
            best[x + 1][y + 1] = max(best[x][y + 1], best[x + 1][y], best[x][y] + gain)
    pairs, x, y = [], len(gains), width
    while x and y:
        if best[x][y] == best[x - 1][y]:
            x -= 1
        elif best[x][y] == best[x][y - 1]:
            y -= 1
        else:
            x, y = x - 1, y - 1
            pairs.append((x, y))
    return pairs


__all__ = ["best_pairs"]
