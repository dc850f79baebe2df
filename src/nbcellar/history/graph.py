"""Drawing a history beside its listing, the way `git log --graph` does.

    * 4b1e       main-2
    | * 77aa     main
    |/
    * 0c3d

Invariant: every commit has one line with `*`, and each edge to a listed parent is drawn. Pure: takes ids and parents,
children first, and returns text. Not for: choosing what is listed (`log.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from nbcellar.ids import CommitId


class GraphLine(msgspec.Struct, frozen=True):
    """One line: the drawing, and the commit that stands beside it (None: only edges)."""

    drawing: str
    commit: CommitId | None = None


def draw_graph(commits: Iterable[tuple[CommitId, Sequence[CommitId]]]) -> list[GraphLine]:
    """Return the lines of a graph of (id, parents), where children come before their parents."""
    lines: list[GraphLine] = []
    columns: list[CommitId] = []  # the commit that each column is waiting for
    for commit, parents in commits:
        if commit not in columns:
            columns.append(commit)
        place = columns.index(commit)
        lines += _join(columns, place)
        lines.append(GraphLine(_row(columns, place), commit))
        lines += _leave(columns, place, parents)
    return lines


def _row(columns: Sequence[CommitId], place: int) -> str:
    return " ".join("*" if column == place else "|" for column in range(len(columns)))


def _join(columns: list[CommitId], place: int) -> list[GraphLine]:
    """Lead the other columns that wait for the same commit into `place`, over those between."""
    lines: list[GraphLine] = []
    commit = columns[place]
    while commit in columns[place + 1 :]:
        column, width = columns.index(commit, place + 1), len(columns)
        # The columns on its right follow one to the left at once:  | | |/ /   then   | |/| |   then   |/| | |
        lines.append(GraphLine(_bars(column) + _repeat("/", width - column)))
        lines += [GraphLine(_bars(passed) + "/" + _bars(width - 1 - passed)) for passed in range(column - 1, place, -1)]
        del columns[column]
    return lines


def _leave(columns: list[CommitId], place: int, parents: Sequence[CommitId]) -> list[GraphLine]:
    """Let the column wait for the first parent; further parents get columns beside it, a root ends its column."""
    if not parents:
        del columns[place]
        right = len(columns) - place
        return [GraphLine(f"{'| ' * place} {_repeat('/', right)}")] if right else []
    lines: list[GraphLine] = []
    columns[place] = parents[0]
    for column, parent in enumerate(parents[1:], start=place + 1):
        lines.append(GraphLine(_bars(column) + _repeat("\\", len(columns) - column + 1)))
        columns.insert(column, parent)
    return lines


def _bars(count: int) -> str:
    return _repeat("|", count)


def _repeat(mark: str, count: int) -> str:
    return " ".join([mark] * count)


__all__ = ["GraphLine", "draw_graph"]
