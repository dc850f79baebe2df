"""Drafts on disk: what changed is written, what is lacking is said, and nothing is left behind."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.history.test_forget_text import SECRET, forget, holds
from tests.unit.search.conftest import Past, local

from nbcellar.api.maintenance import children_of
from nbcellar.errors import InvalidInputError
from nbcellar.history import drafts
from nbcellar.history.drafts import (
    Draft,
    Version,
    draft_name,
    drop_draft,
    drop_drafts_of,
    index_path,
    read_cells,
    read_draft,
    sweep_drafts,
    write_draft,
)

__all__ = ["local"]


def write(folder: Path, order: list[int], fresh: dict[int, bytes], *, client: str = "tab", path: str = "/a") -> bool:
    versions = {key: Version(f"c{key}", b"12345678", payload) for key, payload in fresh.items()}
    return write_draft(folder, client, path=path, sent_ms=1, members=b"{}", order=order, fresh=versions)


def read(folder: Path, client: str = "tab") -> list[bytes] | None:
    draft = read_draft(folder, draft_name(client))
    return None if draft is None else read_cells(folder, draft, draft.cells)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "drafts"


def test_cells_come_once(folder: Path) -> None:
    assert write(folder, [1, 2, 3], {1: b"one", 2: b"two", 3: b"three"})
    assert write(folder, [3, 4, 1], {4: b"four"})
    assert read(folder) == [b"three", b"four", b"one"]
    assert sorted(path.suffix for path in folder.iterdir()) == [".cells", ".index"]


def test_what_is_lacking_has_to_come_again(folder: Path) -> None:
    assert not write(folder, [1, 2], {2: b"two"}), "nothing is there yet"
    assert write(folder, [1, 2], {1: b"one", 2: b"two"})
    assert not write(folder, [1, 5], {})
    assert read(folder) == [b"one", b"two"], "what was there stays"
    assert not write_draft(folder, "new", path="/a", sent_ms=1, members=None, order=[], fresh={})
    next(folder.glob("*.cells")).unlink()
    assert not write(folder, [1, 2], {})
    assert write(folder, [1, 2], {1: b"one", 2: b"two"})
    assert read(folder) == [b"one", b"two"]


@given(st.lists(st.lists(st.integers(0, 8), max_size=8), min_size=1, max_size=12))
def test_whatever_is_sent_comes_back(tmp_path_factory: pytest.TempPathFactory, turns: list[list[int]]) -> None:
    folder = tmp_path_factory.mktemp("any") / "drafts"
    there: set[int] = set()
    for order in turns:
        fresh = {key: f"cell {key}".encode() * key for key in order if key not in there}
        assert write(folder, order, fresh)
        assert read(folder) == [f"cell {key}".encode() * key for key in order]
        there = set(order)


def test_what_is_of_no_use_any_more_goes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drafts, "_SLACK_BYTES", 1000)
    for key in range(100):
        assert write(
            folder,
            [0, key + 1],
            {0: b"always", key + 1: bytes([key]) * 100} if key == 0 else {key + 1: bytes([key]) * 100},
        )
        assert read(folder) == [b"always", bytes([key]) * 100]
    (cells,) = folder.glob("*.cells")
    assert cells.stat().st_size < 2000


def test_a_notebook_beyond_the_limit_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drafts, "MOST_BYTES", 10)
    assert write(folder, [1], {1: b"12345"})
    with pytest.raises(InvalidInputError, match="recorded from its file only"):
        write(folder, [1, 2], {2: b"123456"})


def test_only_their_user_reads_them(folder: Path) -> None:
    old = os.umask(0)
    try:
        write(folder, [1], {1: b"one"})
    finally:
        os.umask(old)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_no_link_of_a_repository_is_followed(folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    folder.symlink_to(elsewhere)
    with pytest.raises(NotADirectoryError):
        write(folder, [1], {1: b"one"})
    assert list(elsewhere.iterdir()) == []
    folder.unlink()
    write(folder, [1], {1: b"one"})
    target = tmp_path / "target"
    index = index_path(folder, draft_name("tab"))
    index.rename(target)
    index.symlink_to(target)
    before = target.read_bytes()
    assert read(folder) is None
    assert write(folder, [2], {2: b"two"})
    assert target.read_bytes() == before and not index.is_symlink()


def test_a_name_that_an_index_makes_up_leads_nowhere(folder: Path, tmp_path: Path) -> None:
    write(folder, [1], {1: b"one"})
    index = index_path(folder, draft_name("tab"))
    for name in ("../secret", "/etc/passwd", f"{'0' * 32}-x.cells", ""):
        index.write_bytes(
            drafts.msgspec.msgpack.encode(Draft(path="/a", sent_ms=1, members=b"", contents=name, cells=()))
        )
        assert read_draft(folder, draft_name("tab")) is None


def test_an_editor_that_leaves_takes_its_draft_along(folder: Path) -> None:
    write(folder, [1], {1: b"one"}, client="first")
    write(folder, [1], {1: b"one"}, client="second", path="/b")
    drop_draft(folder, "first")
    assert read(folder, "first") is None and read(folder, "second") == [b"one"]
    write(folder, [1], {1: b"one"}, client="first")
    drop_drafts_of(folder, "/b")
    assert read(folder, "first") == [b"one"] and len(list(folder.iterdir())) == 2
    drop_draft(folder.with_name("none"), "first")
    drop_drafts_of(folder.with_name("none"), "/b")


def test_what_nobody_touches_goes_after_a_day(folder: Path) -> None:
    write(folder, [1], {1: b"one"}, client="closed")
    write(folder, [1], {1: b"one"}, client="open")
    (folder / "left.new").write_bytes(b"")
    long_ago = time.time() - 2 * drafts.DAY_S
    for path in folder.iterdir():
        if path.stem != draft_name("open"):
            os.utime(path, (long_ago, long_ago))
    sweep_drafts(folder)
    assert read(folder, "open") == [b"one"], "its cells are old, it is not"
    assert len(list(folder.iterdir())) == 2
    sweep_drafts(folder, older_than_s=0.0)
    assert list(folder.iterdir()) == []


def test_gc_removes_old_drafts_and_a_purge_all(local: Past) -> None:
    folder = local.repo.root / ".cellar" / "drafts"
    write(folder, [1], {1: b"one"})
    local.repo.gc(children_of, dry_run=True, purge=True)
    local.repo.gc(children_of)
    assert read(folder) == [b"one"]
    local.repo.gc(children_of, purge=True)
    assert list(folder.iterdir()) == []


def test_a_forgotten_text_goes_from_drafts(local: Past) -> None:
    local.cell(f"x = {SECRET!r}")
    folder = local.repo.root / ".cellar" / "drafts"
    write(folder, [1], {1: SECRET.encode()})
    assert forget(local).remaining == ()
    assert holds(local) == []
