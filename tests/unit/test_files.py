"""Files that appear whole or not at all: the old one or the new one, and nothing beside it."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from nbcellar.files import replace_file, written_beside


def test_a_file_is_replaced_and_keeps_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "n.ipynb"
    replace_file(path, b"old")
    path.chmod(0o640)
    replace_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o7777 == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_on_a_full_disk_the_old_file_stays_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = tmp_path / "n.ipynb"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        replace_file(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_whatever_goes_wrong_before_it_is_moved_it_is_removed(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), written_beside(tmp_path / "n.ipynb", b"new", mode=0o600) as aside:
        assert aside.read_bytes() == b"new"
        assert aside.stat().st_mode & 0o777 == 0o600
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []
