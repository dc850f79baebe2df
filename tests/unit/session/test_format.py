"""Values written by every release must come back: `tests/data/formats/session-N.tar.gz`, made once and never changed.

To make the file of a new format: `python -m tests.unit.session.test_format N`, a new number, with the release's code.
"""

from __future__ import annotations

import sys
import tarfile
import tempfile
import time
from pathlib import Path

import pytest

from nbcellar.errors import CannotRestoreError
from nbcellar.trust.decisions import TrustStore

from .live import Live, live_session

FOLDER = Path(__file__).parents[2] / "data" / "formats"
MADE_BY = (3, 11)
FIRST = """
import numpy as np
numbers = list(range(5000))
texts = {f"key {i}": f"text {i}" for i in range(5000)}
shared = [1, {"k": (2, 3.5)}]
also = {"shared": shared}
grid = np.arange(400_000.0).reshape(4, 100_000)
column = grid[:, ::2]
small = np.array([1, 2, 3], dtype="<u2")
dates = np.array(["2026-11-20", "NaT"], dtype="M8[D]")
class Point:
    scale = 2
    def __init__(self, x): self.x = x
    def scaled(self): return self.x * self.scale
point = Point(3)
def add(a, b=1): return a + b + len(shared)
"""
SECOND = "shared.append('second')\ngrid[0, 0] = -1.0\npoint.x = 4\ndel small"


def test_the_first_format_is_there() -> None:
    assert (FOLDER / "session-1.tar.gz").exists()


def test_values_of_every_format_come_back(tmp_path: Path) -> None:
    for archive in sorted(FOLDER.glob("session-*.tar.gz")):
        folder = tmp_path / archive.stem
        folder.mkdir()
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
        with live_session(folder) as live:
            _check(live)


def _check(live: Live) -> None:
    repo, notebook = live.repo, live.session.notebook
    head = repo.head(notebook).commit
    assert head is not None
    signer = repo.read_signed(head).key
    TrustStore(live.folder / "user").add(repo.project, signer, now_ns=time.time_ns())
    second, first = (summary.id for summary in repo.log(notebook, limit=2))
    if sys.version_info[:2] != MADE_BY:
        with pytest.raises(CannotRestoreError, match=r"Python 3\.11"):  # code objects belong to a minor version
            live.session.restore(first)
        return
    assert live.session.restore(first)["not_restored"] == {}
    assert live.value("numbers == list(range(5000)) and texts['key 4999'] == 'text 4999'")
    assert live.value("also['shared'] is shared and shared == [1, {'k': (2, 3.5)}]")
    assert live.value("np.shares_memory(grid, column) and column.strides == (800000, 16) and float(grid.sum())") > 0
    assert live.value("small.tolist(), small.dtype.str") == ([1, 2, 3], "<u2")
    assert live.value("str(dates)") == "['2026-11-20'        'NaT']"
    assert live.value("point.scaled() == 6 and type(point) is Point and add(1)") == 4
    live.session.restore(second)
    assert live.value("shared == [1, {'k': (2, 3.5)}, 'second'] and column[0, 0]") == -1.0


def _make(number: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with live_session(folder) as live:
            live.cell(FIRST)
            live.cell(SECOND)
            live.repo.write_log_pack()
        with tarfile.open(FOLDER / f"session-{number}.tar.gz", "w:gz") as tar:
            tar.add(folder / "project", "project")


if __name__ == "__main__":
    _make(int(sys.argv[1]))
