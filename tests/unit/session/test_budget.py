"""Under a budget, values go that cells can make again in the least time; they come back, and are checked."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.session.live import Live, live_session

from nbcellar.api.maintenance import gc
from nbcellar.config import Gc, Settings
from nbcellar.errors import CannotRestoreError
from nbcellar.ids import CommitId
from nbcellar.session.replay.outside import names_the_outside


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    with live_session(tmp_path) as live:
        yield live


def squeeze(live: Live, budget_bytes: int, *, dry_run: bool = False) -> tuple[int, int]:
    """Collect under a budget; return how many values went and how many cells make them again."""
    done = gc(
        live.repo,
        Settings(gc=Gc(keep_ops_days=0)),
        dry_run=dry_run,
        purge=True,
        thin=True,
        budget_bytes=budget_bytes,
    )
    return done.thinned_values, done.again_cells


def back(live: Live, commit: CommitId, replay: str) -> dict[str, object]:
    live.restart()
    return live.session.restore(commit, (), replay)  # type: ignore[arg-type]


LARGE = "import random\nrandom.seed(1)\nfirst = random.randbytes(300_000)"


def test_what_cells_can_make_again_goes_and_comes_back_as_it_was(live: Live) -> None:
    one = live.cell(LARGE)
    two = live.cell("second = first[:200_000] + random.randbytes(100_000)")
    live.cell("first = 1")
    live.cell("second = 2")
    first, second = bytes(live.repo.read_state(two).covariables[-1].version), one
    assert squeeze(live, 0, dry_run=True) == squeeze(live, 0)
    assert live.repo.check().history.problems == ()
    with pytest.raises(CannotRestoreError, match="thinned out"):
        back(live, two, "no")
    report = back(live, two, "yes")
    assert report["uncertain"] == {} and report["not_restored"] == {}
    assert set(report["replayed"]) <= {"first", "second"}  # type: ignore[arg-type]
    assert live.value("second[:200_000] == first[:200_000], len(second)") == (True, 300_000)
    versions = {entry.names: entry.version for entry in live.repo.read_state(two).covariables}
    assert {g.names: g.version for g in live.session.tracker.groups() if g.names} == versions
    assert first and second


def test_what_is_made_again_is_stored_again_with_the_next_cell(live: Live) -> None:
    one = live.cell(LARGE)
    live.cell("first = 1")
    squeeze(live, 0)
    back(live, one, "yes")
    after = live.cell("x = 1")
    report = back(live, after, "no")
    assert report["not_restored"] == {} and live.value("len(first)") == 300_000


def test_what_files_clocks_and_chance_made_stays(live: Live, tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(bytes(range(256)) * 2000)
    cells = [
        f"from pathlib import Path\nfirst = Path({str(tmp_path / 'data')!r}).read_bytes()",
        "import os\nfirst = os.urandom(300_000)",
        "import time\nfirst = bytes([time.time_ns() % 256]) * 300_000",
        f"def load():\n    with open({str(tmp_path / 'data')!r}, 'rb') as file:\n        return file.read()",
        "first = load() + b'x'",
    ]
    for cell in cells:
        live.cell(cell)
    live.cell("first = 1")
    assert squeeze(live, 0) == (0, 0)


def test_of_two_the_one_that_takes_longer_stays(live: Live) -> None:
    import msgspec

    slow = live.cell("import random\nfirst = random.randbytes(300_000)")
    quick = live.cell("second = random.randbytes(300_000)")
    live.cell("first = second = 1")
    assert slow != quick
    times = {slow: 60.0, quick: 0.1}
    read = live.repo.read_commit

    def timed(commit: CommitId) -> object:
        found = read(commit)
        if commit in times and found.cell is not None:
            cell = msgspec.structs.replace(found.cell, duration_s=times[commit])
            return msgspec.structs.replace(found, cell=cell)
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(live.repo, "read_commit", timed)
        assert squeeze(live, 400_000) == (1, 1)
    report = back(live, quick, "yes")
    assert report["replayed"] == ["second"]


def test_named_points_keep_their_values(live: Live) -> None:
    live.cell(LARGE)
    named = live.session.commit("keep this")
    live.cell("first = 1")
    assert squeeze(live, 0) == (0, 0)
    assert back(live, named, "no")["not_restored"] == {}


def test_what_comes_out_otherwise_is_said(live: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The guess was wrong: the cell depends on something that its text does not show."""
    (tmp_path / "cellar_test_counter.py").write_text(
        "n = 0\ndef draw():\n    global n\n    n += 1\n    return bytes([n]) * 300_000\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    live.cell("import cellar_test_counter as c")
    there = live.cell("first = c.draw()")
    live.cell("first = 1")
    assert squeeze(live, 0)[0] == 1
    report = back(live, there, "yes")
    assert "not as recorded" in report["uncertain"]["first"]  # type: ignore[index]
    head = live.cell("x = 1")
    assert back(live, head, "no")["not_restored"] == {}
    assert live.value("first[0]") == 2
    monkeypatch.delitem(sys.modules, "cellar_test_counter")


@pytest.mark.parametrize(
    "source",
    ["open('x')", "pd.read_csv(f)", "np.random.default_rng()", "time.time()", "x = uuid4()", "%run a.py", "!ls", "def"],
)
def test_text_that_names_the_outside_is_not_counted_on(source: str) -> None:
    assert names_the_outside(source)


@pytest.mark.parametrize("source", ["x = df.groupby('a').mean()", "m.fit(X, y)", "np.random.rand(3)", "a.to_numpy()"])
def test_plain_computation_is_counted_on(source: str) -> None:
    assert not names_the_outside(source)
