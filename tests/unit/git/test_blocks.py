"""A block of ours in another's file."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbcellar.errors import StoreUnavailableError
from nbcellar.git.install.blocks import edit, with_block, without_block

TEXTS = st.one_of(st.none(), st.binary(max_size=40), st.sampled_from([b"", b"\n", b"a", b"a\n", b"a\r\nb", b"\n\n"]))
BLOCKS = st.sampled_from([b"", b"x\n", b"[a]\n\tb = c\n"])


@given(text=TEXTS, block=BLOCKS)
def test_a_block_that_is_taken_out_leaves_no_trace(text: bytes | None, block: bytes) -> None:
    assert without_block(with_block(text, block)) == text


@given(text=TEXTS, first=BLOCKS, second=BLOCKS)
def test_a_block_takes_the_place_of_the_one_before(text: bytes | None, first: bytes, second: bytes) -> None:
    both = with_block(with_block(text, first), second)
    assert both == with_block(text, second)


def test_what_came_after_stays() -> None:
    assert without_block(with_block(b"a", b"x\n") + b"later\n") == b"a\nlater\n"
    assert without_block(with_block(None, b"x\n") + b"later\n") == b"later\n"


def test_a_file_keeps_its_mode_and_a_link_stays_one(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("a")
    target.chmod(0o600)
    link.symlink_to(target)
    assert edit(link, b"x\n")
    assert not edit(link, b"x\n")
    assert link.is_symlink()
    assert target.stat().st_mode & 0o777 == 0o600
    assert edit(link, None)
    assert target.read_text() == "a"


def test_a_folder_in_the_way_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailableError):
        edit(tmp_path, b"x\n")
    assert not (tmp_path.parent / f"{tmp_path.name}.lock").exists()
