"""Maps of files: what they held comes back whatever became of the file, which no restore changes; a loss is said."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .live import Live, live_session

MAPS = {
    "read only": "x = np.memmap(path, 'f8', 'r')",
    "to be written": "x = np.memmap(path, 'f8', 'r+')",
    "copied when written": "x = np.memmap(path, 'f8', 'c'); x[1] = 7",
    "new": "x = np.memmap(path, 'f8', 'w+', shape=(12,)); x[:] = 3",
    "from within the file": "x = np.memmap(path, 'f8', 'r+', offset=16)",
    "in Fortran's order": "x = np.memmap(path, 'f8', 'r', shape=(3, 4), order='F')",
    "of records": "x = np.memmap(path, [('a', 'f8'), ('b', 'i8')], 'r+')",
    "a part": "x = np.memmap(path, 'f8', 'r+')[2:6]",
    "every third": "x = np.memmap(path, 'f8', 'r')[::3]",
    "long": "np.arange(200_000.0).tofile(path); x = np.memmap(path, 'f8', 'r+')",
}


def change(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(24)
        file.write(b"\1" * 16)


FATES: dict[str, Callable[[Path], object]] = {
    "left alone": lambda path: None,
    "changed": change,
    "deleted": lambda path: path.unlink(),
    "cut short": lambda path: os.truncate(path, 20),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"more than that"),
}


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    with live_session(tmp_path) as made:
        yield made


@pytest.mark.parametrize("fate", FATES)
@pytest.mark.parametrize("kind", MAPS)
def test_what_a_map_held_comes_back_whatever_became_of_the_file(
    live: Live, tmp_path: Path, kind: str, fate: str
) -> None:
    path = tmp_path / "data"
    commit = live.cell(f"import numpy as np\npath = {str(path)!r}\nnp.arange(12.0).tofile(path)\n{MAPS[kind]}")
    held, writeable = live.value("x.tolist()"), live.value("x.flags.writeable")
    live.ns.clear()
    live.restart()
    FATES[fate](path)
    content = path.read_bytes() if path.exists() else None
    report = live.session.restore(commit)
    assert live.value("x.tolist()") == held
    assert live.value("x.flags.writeable") == writeable
    assert (path.read_bytes() if path.exists() else None) == content
    is_map = live.value("type(x).__name__") == "memmap" and live.value("x.mode") != "c"
    if kind not in ("copied when written", "every third"):
        assert is_map == ("x" not in report["uncertain"])
        assert is_map == (fate in ("left alone", "longer"))


def test_views_of_a_private_map_show_its_memory_again(live: Live, tmp_path: Path) -> None:
    path = str(tmp_path / "data")
    commit = live.cell(
        f"import numpy as np\nnp.arange(12.0).tofile({path!r})\nx = np.memmap({path!r}, 'f8', 'c'); y = x[3:]"
    )
    live.restart()
    live.session.restore(commit)
    live.cell("y[0] = 99")
    assert live.value("(x[3], type(x).__name__, type(y).__name__)") == (99, "memmap", "memmap")
    assert live.value(f"np.fromfile({path!r})[3]") == 3


def test_undo_says_that_the_file_of_a_map_keeps_what_was_written(live: Live, tmp_path: Path) -> None:
    path = str(tmp_path / "data")
    live.cell(f"import numpy as np\nnp.arange(4.0).tofile({path!r})\nx = np.memmap({path!r}, 'f8', 'r+')")
    live.cell("x[2] = 50")
    report = live.session.undo()
    assert live.value("x.tolist()") == [0, 1, 2, 3]
    assert "holds something else now" in report["uncertain"]["x"]
    assert live.value(f"np.fromfile({path!r}).tolist()") == [0, 1, 50, 3]
