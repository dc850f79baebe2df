"""What takes the space: pieces that several share are counted once, and what is one's own is what goes with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nbcellar.history.forget import forget_variable
from nbcellar.history.keep import DAY_NS, HOUR_NS
from nbcellar.history.sizes import measure_usage
from nbcellar.ids import Digest
from nbcellar.store.interface import Kind

from .test_thinning import LARGE, NOW, Thinned, blocks_of, large


@pytest.fixture
def recorded(tmp_path: Path) -> Iterator[Thinned]:
    made = Thinned(tmp_path)
    yield made
    made.repo.close()


def test_what_two_variables_share_is_the_own_of_none(recorded: Thinned) -> None:
    shared, alone = large(), large()
    recorded.cell(HOUR_NS, {"x": shared})
    recorded.cell(2 * HOUR_NS, {"y": shared})
    recorded.cell(3 * HOUR_NS, {"y": alone})
    usage = measure_usage(recorded.repo, blocks_of, now_ns=NOW)
    found = {names[0]: share for (_, names), share in usage.by_variable.items()}
    assert list(found) == ["y", "x"], "the largest first"
    assert (found["x"].values, found["y"].values) == (1, 2)
    assert found["x"].own_bytes == 0 and found["x"].stored_bytes > LARGE
    assert LARGE < found["y"].own_bytes < found["y"].stored_bytes
    (notebook,) = usage.by_notebook.values()
    assert notebook.own_bytes == notebook.stored_bytes > 2 * LARGE and notebook.values == 3


def test_what_is_a_variables_own_is_what_forgetting_it_frees(recorded: Thinned) -> None:
    shared = large()
    recorded.cell(HOUR_NS, {"x": shared, "y": shared, "z": large()})
    recorded.cell(2 * HOUR_NS, {"x": large()})
    before = measure_usage(recorded.repo, blocks_of, now_ns=NOW).by_variable
    (own,) = (share.own_bytes for (_, names), share in before.items() if names == ("x",))
    values = _value_bytes(recorded)
    forget_variable(recorded.repo, recorded.notebook, "x", key=recorded.key, children_of=blocks_of)  # type: ignore[arg-type]
    assert values - _value_bytes(recorded) == own


def test_ages_add_up_to_all_and_go_by_the_first_commit(recorded: Thinned) -> None:
    old = large()
    recorded.cell(NOW - 400 * DAY_NS, {"x": old})
    recorded.cell(NOW - 20 * DAY_NS, {"y": large(), "z": large()})
    recorded.cell(NOW - HOUR_NS, {"x": old})
    usage = measure_usage(recorded.repo, blocks_of, now_ns=NOW)
    day, week, month, year, earlier = usage.by_age
    assert week == year == 0
    assert 0 < day < LARGE < earlier < 2 * LARGE < month
    assert sum(usage.by_age) == sum(info.stored_bytes for info in recorded.repo.store.objects())


def _value_bytes(recorded: Thinned) -> int:
    kinds = (Kind.VALUE, Kind.BLOCK)
    return sum(
        recorded.repo.store.info(Digest(i.digest)).stored_bytes for k in kinds for i in recorded.repo.store.objects(k)
    )
