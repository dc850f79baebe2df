"""What is kept comes back as it was, and goes when it is old."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nbcellar.git.kept_outputs import Kept, KeptOutputs, Limits, digest

DAY_S = 86_400


@pytest.fixture
def store(tmp_path: Path) -> KeptOutputs:
    return KeptOutputs(tmp_path / "outputs")


def keep(store: KeptOutputs, data: bytes, *, path: str = "n.ipynb", cleaned: bytes = b"clean") -> None:
    store.keep(Kept(path=path.encode(), raw=digest(data), cleaned=digest(cleaned), rules="r"), data)


def found(store: KeptOutputs, path: str = "n.ipynb", cleaned: bytes = b"clean") -> bytes | None:
    entry = store.find(digest(cleaned), path.encode())
    return None if entry is None else entry[1]


def test_the_same_path_goes_before_others(store: KeptOutputs) -> None:
    keep(store, b"one", path="a")
    keep(store, b"two", path="b")
    assert found(store, "a") == b"one"
    assert found(store, "b") == b"two"
    assert found(store, "c") in (b"one", b"two")


def test_the_latest_of_a_path_is_of_any_content(store: KeptOutputs) -> None:
    keep(store, b"one", cleaned=b"x")
    keep(store, b"two", cleaned=b"y")
    latest = store.latest(b"n.ipynb")
    assert latest is not None
    assert latest[1] == b"two"
    assert store.latest(b"other") is None
    assert found(store, cleaned=b"x") == b"one"


def test_nothing_is_found_in_an_empty_store(store: KeptOutputs) -> None:
    assert found(store) is None
    assert store.latest(b"n.ipynb") is None
    assert list(store.newest(9)) == []
    assert store.cleaned_form(digest(b"x"), "r") is None


def test_a_cleaned_form_is_of_its_rules(store: KeptOutputs) -> None:
    store.note_cleaned_form(digest(b"raw"), "r", b"clean")
    assert store.cleaned_form(digest(b"raw"), "r") == b"clean"
    assert store.cleaned_form(digest(b"raw"), "other rules") is None


def test_old_files_go_and_young_ones_stay(store: KeptOutputs) -> None:
    keep(store, b"old", path="a", cleaned=b"x")
    for path in store.folder.rglob("*"):
        os.utime(path, (0, 0))
    keep(store, b"young", path="b", cleaned=b"y")
    now_s = max(path.stat().st_mtime for path in store.folder.rglob("*"))
    assert store.prune(Limits(days=90), now_s) == 3
    assert found(store, "a", b"x") is None
    assert found(store, "b", b"y") == b"young"


def test_above_the_size_the_oldest_go(store: KeptOutputs) -> None:
    for number in range(4):
        data = os.urandom(600_000)
        keep(store, data, path=f"{number}", cleaned=b"%d" % number)
        for path in store.folder.rglob("*"):
            if path.is_file() and path.stat().st_mtime > 1000:
                os.utime(path, (number, number))
    store.prune(Limits(megabytes=1), 10)
    assert found(store, "0", b"0") is None
    assert found(store, "3", b"3") is not None


def test_what_is_kept_again_is_young_again(store: KeptOutputs) -> None:
    keep(store, b"data")
    for path in store.folder.rglob("*"):
        os.utime(path, (0, 0))
    keep(store, b"data")
    raw = next(path for path in (store.folder / "raw").rglob("*") if path.is_file())
    assert raw.stat().st_mtime > 0


def test_pruning_comes_once_a_day(store: KeptOutputs) -> None:
    keep(store, b"old")
    now_s = 100 * DAY_S + max(path.stat().st_mtime for path in store.folder.rglob("*"))
    store.prune_now_and_then(Limits(), now_s)
    assert found(store) is None
    os.utime(store.folder / "pruned", (now_s, now_s))
    keep(store, b"again")
    store.prune_now_and_then(Limits(days=0), now_s + 60)
    assert found(store) == b"again"
