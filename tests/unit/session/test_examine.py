"""Looking at objects: what is remembered to look once instead of twice changes no encoding."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nbcellar.session.encode import Limits
from nbcellar.session.examine import Examiner, without_temporaries
from nbcellar.session.names import NeverStore
from nbcellar.session.regions import lay_out
from nbcellar.session.uids import Uids


def examiner() -> Examiner:
    return Examiner({}, Uids(), NeverStore())


def look(with_: Examiner, obj: object) -> tuple[Any, ...]:
    item = with_.try_encode((obj,), Limits(), frozenset())
    assert item.encoded is not None
    layout = lay_out(item.encoded)
    inline = tuple(export.inline for export in item.encoded.exports)
    return with_.version(item.encoded, layout, ()), layout.places, inline, item.spans


def overlapping() -> list[Any]:
    whole = np.arange(6.0)
    return [whole, whole[2:4], np.arange(3.0)]


def apart() -> list[Any]:
    return [np.arange(6.0), np.arange(2.0, 4.0), np.arange(3.0)]


def strided() -> list[Any]:
    grid = np.arange(12.0).reshape(3, 4)
    return [grid[:, ::2], grid[1]]


def large() -> list[Any]:
    return [np.arange(10_000.0), np.arange(4.0)]


@pytest.mark.parametrize("later", [overlapping, apart, strided, large])
@pytest.mark.parametrize("before", [overlapping, apart, strided, large])
def test_what_a_list_held_before_does_not_change_how_it_is_encoded(before: Any, later: Any) -> None:
    used = examiner()
    for _ in range(2):
        look(used, before())
    value = later()
    expected = look(examiner(), value)
    assert [look(used, value) for _ in range(3)] == [expected] * 3


def test_arrays_that_show_memory_of_each_other_are_not_looked_at_twice_to_find_out() -> None:
    used, value = examiner(), overlapping()
    asked: list[bool] = []

    class Counting(list[Any]):
        def __reduce__(self) -> Any:
            asked.append(True)
            return list, (list(self),)

    counting = Counting(value)
    for _ in range(3):
        used.try_encode((counting,), Limits(), frozenset())
    assert len(asked) == 2 + 1 + 1


class Made:
    """Makes what it pickles: containers of containers that nothing else holds, around a list that it does hold."""

    def __init__(self) -> None:
        self.held: list[int] = []
        self.twice = ([], [])

    def __getstate__(self) -> dict[str, Any]:
        once: list[Any] = ["made"]
        return {"held": {"deep": [self.held, ({"deeper": self.twice[0]},)]}, "once": (once, [once]), "list": [[], [[]]]}

    def __setstate__(self, state: dict[str, Any]) -> None:
        raise NotImplementedError


def test_what_a_class_makes_for_its_pickle_counts_as_shared_with_nobody() -> None:
    made = Made()
    item = without_temporaries(examiner().try_encode((made,), Limits(), frozenset()))
    assert set(item.shared) == {id(made), id(made.held), id(made.twice[0])}
