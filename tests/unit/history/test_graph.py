"""Drawn graphs, as the user sees them."""

from __future__ import annotations

from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from nbcellar.history.graph import draw_graph
from nbcellar.ids import CommitId


def identify(number: int) -> CommitId:
    return CommitId(blake3(number.to_bytes(8, "big")).digest())


def draw(*graph: list[int]) -> str:
    """Draw a graph given newest first; the number stands beside its `*`."""
    numbers = {identify(number): number for number, *_ in graph}
    lines = draw_graph((identify(number), [identify(parent) for parent in parents]) for number, *parents in graph)
    return "\n".join(line.drawing + (f"  {numbers[line.commit]}" if line.commit else "") for line in lines)


def test_a_line_is_a_column_of_stars() -> None:
    assert draw([3, 2], [2, 1], [1]) == "*  3\n*  2\n*  1"


def test_a_branch_leaves_and_joins_its_column() -> None:
    assert draw([3, 1], [2, 1], [1]) == "\n".join(
        [
            "*  3",
            "| *  2",
            "|/",
            "*  1",
        ]
    )


def test_an_edge_passes_over_the_columns_between() -> None:
    assert draw([5, 1], [4, 2], [3, 1], [1], [2]) == "\n".join(
        [
            "*  5",
            "| *  4",
            "| | *  3",
            "| |/",
            "|/|",
            "* |  1",
            " /",
            "*  2",
        ]
    )


def test_a_merge_opens_a_column() -> None:
    assert draw([4, 2, 3], [3, 1], [2, 1], [1]) == "\n".join(
        [
            "*  4",
            "|\\",
            "| *  3",
            "* |  2",
            "|/",
            "*  1",
        ]
    )


def test_two_histories_stand_side_by_side() -> None:
    assert draw([4, 3], [2, 1], [3], [1]) == "\n".join(["*  4", "| *  2", "* |  3", " /", "*  1"])


@st.composite
def graphs(draw_one: st.DrawFn) -> list[list[int]]:
    size = draw_one(st.integers(1, 12))
    made = []
    for number in range(size):
        parents = draw_one(st.lists(st.integers(0, number - 1), max_size=3, unique=True)) if number else []
        made.append([number, *parents])
    return made[::-1]


@given(graphs())
def test_every_commit_has_one_line_and_no_line_is_wider_than_the_open_edges(graph: list[list[int]]) -> None:
    lines = draw_graph((identify(number), [identify(p) for p in parents]) for number, *parents in graph)
    assert [line.commit for line in lines if line.commit] == [identify(number) for number, *_ in graph]
    assert all(line.drawing.count("*") == (1 if line.commit else 0) for line in lines)
    assert all(set(line.drawing) <= set("*|/\\ ") for line in lines)
