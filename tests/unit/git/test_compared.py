"""How much git compares by content."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nbcellar.git.compared import choose, limit_bytes

MIB = 1 << 20


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files called 1, 2, 3, the last being the newest, of as many tenths of 10 MiB."""
    for number in (1, 2, 3):
        with (tmp_path / f"{number}").open("wb") as file:
            file.truncate(number * MIB)
        os.utime(tmp_path / f"{number}", (number, number))
    return tmp_path


def test_the_newest_files_come_first_up_to_a_size(folder: Path) -> None:
    paths = [b"1", b"2", b"gone", b"3"]
    found = choose(paths, folder, lambda: 6 * MIB)
    assert (found.by_content, found.by_size) == ([b"3", b"2", b"1"], [])
    found = choose(paths, folder, lambda: 5 * MIB)
    assert (found.by_content, found.by_size) == ([b"3", b"2"], [b"1"])


def test_a_large_file_does_not_keep_smaller_ones_out(folder: Path) -> None:
    found = choose([b"1", b"2", b"3"], folder, lambda: 2 * MIB)
    assert (found.by_content, found.by_size) == ([b"2"], [b"3", b"1"])


def test_few_bytes_need_no_settings(folder: Path) -> None:
    def unwanted() -> int:
        raise AssertionError

    assert choose([b"1"], folder, unwanted).by_content == [b"1"]


def test_the_limit_is_a_setting_and_a_slip_in_it_is_said(tmp_path: Path) -> None:
    said: list[str] = []
    environ = {"NBCELLAR_CONFIG_DIR": str(tmp_path)}
    assert limit_bytes(tmp_path, environ, said.append) == 64 * MIB
    assert limit_bytes(tmp_path, {**environ, "NBCELLAR_NOTEBOOKS_COMPARE_MB": "7"}, said.append) == 7 * MIB
    assert said == []
    assert limit_bytes(tmp_path, {**environ, "NBCELLAR_NOTEBOOKS_COMPARE_MB": "0"}, said.append) == 64 * MIB
    assert len(said) == 1 and "compare_mb" in said[0].lower()
