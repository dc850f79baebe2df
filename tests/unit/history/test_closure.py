"""The choice of what to recompute is the best one: compared with trying all choices."""

from __future__ import annotations

from itertools import chain, combinations

from hypothesis import given
from hypothesis import strategies as st

from nbcellar.history.closure import Piece, best_for, choose, freed_bytes

CELLS = list("abcdef")


@st.composite
def problems(draw: st.DrawFn) -> tuple[dict[str, float], dict[str, list[str]], list[Piece[str]], int]:
    names = CELLS[: draw(st.integers(1, len(CELLS)))]
    seconds = {name: draw(st.integers(1, 20)) / 2 for name in names if draw(st.integers(0, 5))}
    needs = {name: draw(st.lists(st.sampled_from(names[:i]), unique=True)) for i, name in enumerate(names) if i}
    users = st.frozensets(st.sampled_from(names), min_size=1, max_size=3)
    pieces = draw(st.lists(st.builds(Piece, st.integers(1, 1000), users), max_size=6))
    return seconds, needs, pieces, draw(st.integers(0, 3000))


def closures(seconds: dict[str, float], needs: dict[str, list[str]]) -> list[frozenset[str]]:
    every = chain.from_iterable(combinations(seconds, n) for n in range(len(seconds) + 1))
    return [frozenset(s) for s in every if all(set(needs.get(cell, ())) <= set(s) for cell in s)]


@given(problems())
def test_no_other_choice_frees_as_much_in_less_time(
    problem: tuple[dict[str, float], dict[str, list[str]], list[Piece[str]], int],
) -> None:
    seconds, needs, pieces, free = problem
    chosen = choose(seconds, needs, pieces, free_bytes=free)
    best = best_for(seconds, needs, pieces, free_bytes=free)
    assert chosen <= best
    assert chosen <= seconds.keys() and all(set(needs.get(cell, ())) <= chosen for cell in chosen)
    others = closures(seconds, needs)
    assert freed_bytes(pieces, chosen) >= min(free, max(freed_bytes(pieces, other) for other in others))
    freed, took = freed_bytes(pieces, best), sum(seconds[cell] for cell in best)
    assert freed >= min(free, max(freed_bytes(pieces, other) for other in others))
    for other in others:
        if freed_bytes(pieces, other) >= freed:
            assert sum(seconds[cell] for cell in other) >= took - 1e-9


def test_a_quick_cell_with_a_large_result_goes_before_a_slow_one() -> None:
    pieces = [Piece(1000, frozenset("a")), Piece(1000, frozenset("b"))]
    assert choose({"a": 60.0, "b": 0.5}, {}, pieces, free_bytes=900) == {"b"}
    assert choose({"a": 60.0, "b": 0.5}, {}, pieces, free_bytes=1100) == {"a", "b"}


def test_what_several_results_hold_goes_only_with_all_of_them() -> None:
    pieces = [Piece(1000, frozenset("ab")), Piece(10, frozenset("a"))]
    assert choose({"a": 1.0, "b": 9.0}, {}, pieces, free_bytes=10) == {"a"}
    assert choose({"a": 1.0}, {}, pieces, free_bytes=1000) == {"a"}


def test_cells_that_others_need_are_counted() -> None:
    pieces = [Piece(1000, frozenset("b")), Piece(900, frozenset("c"))]
    seconds = {"a": 100.0, "b": 1.0, "c": 50.0}
    assert choose(seconds, {"b": ["a"]}, pieces, free_bytes=800) == {"c"}
    assert choose({"b": 1.0, "c": 50.0}, {"b": ["gone"]}, pieces, free_bytes=1900) == {"c"}


def test_a_long_chain_of_cells_is_no_trouble() -> None:
    count = 3000
    needs = {n: [n - 1] for n in range(1, count)}
    pieces = [Piece(10, frozenset([n])) for n in range(count)]
    chosen = choose(dict.fromkeys(range(count), 1.0), needs, pieces, free_bytes=10 * count)
    assert len(chosen) == count
