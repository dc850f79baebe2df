"""Ids that are made: the same for the same notebook, unique, and made in one go for thousands of equal cells."""

from __future__ import annotations

from typing import Any

import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from nbcellar.notebook import ids
from nbcellar.notebook.ids import FreshIds, is_valid, with_new_ids, with_unique_ids
from nbcellar.notebook.model import Cell


def first_free(kind: str, source: str, taken: set[str]) -> str:
    """Return the first id of its row that is not taken, by looking at all from the beginning."""
    return next(
        made
        for turn in range(1000)
        if (made := blake3(f"{turn}:{kind}:{source}".encode()).hexdigest()[:8]) not in taken
    )


@given(st.lists(st.tuples(st.sampled_from(["code", "markdown"]), st.sampled_from(["", "x", "y"])), max_size=12))
def test_the_first_free_id_of_the_row_is_taken(cells: list[tuple[str, str]]) -> None:
    taken = {first_free("code", "x", set()), "another"}
    fresh = FreshIds(taken)
    for kind, source in cells:
        made = fresh.make(kind, source)
        assert made == first_free(kind, source, taken)
        assert is_valid(made)
        taken.add(made)


def test_ids_of_thousands_of_equal_cells_take_one_try_each(monkeypatch: pytest.MonkeyPatch) -> None:
    tries = 0

    def counting(data: bytes) -> Any:
        nonlocal tries
        tries += 1
        return blake3(data)

    cells = [Cell(type="code", source="x = 1")] * 3000
    monkeypatch.setattr(ids, "blake3", counting)
    assert len({cell.id for cell in with_unique_ids(cells)}) == 3000
    assert with_new_ids(cells) == with_unique_ids(cells)
    assert tries == 9000
