"""How much git compares by content."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nbcellar.git.filter_process import _within


def test_the_newest_files_come_first_up_to_a_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for number, size in enumerate((10, 20, 30), 1):
        Path(f"{number}").write_bytes(b"x" * size)
        os.utime(f"{number}", (number, number))
    assert _within([b"1", b"2", b"gone", b"3"], 60) == [b"3", b"2", b"1"]
    assert _within([b"1", b"2", b"3"], 50) == [b"3", b"2"]
    assert _within([b"1", b"2", b"3"], 29) == []
