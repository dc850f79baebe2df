"""Whom this user trusts, and where."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest

from nbcellar.errors import CorruptStoreError, InvalidInputError, UnsupportedFormatError
from nbcellar.trust.decisions import DECISIONS_FILE, TrustStore, Verdict
from nbcellar.trust.keys import SigningKey, load_or_create

ADA, EVE = SigningKey(b"a" * 32).key_id, SigningKey(b"e" * 32).key_id
HERE, THERE = "1" * 32, "2" * 32


def test_nobody_is_trusted_before_it_was_decided(tmp_path: Path) -> None:
    decisions = TrustStore(tmp_path)
    assert not decisions.is_trusted(HERE, ADA)
    assert decisions.list() == ()
    assert list(tmp_path.iterdir()) == []


def test_trust_holds_for_one_key_in_one_project(tmp_path: Path) -> None:
    made = TrustStore(tmp_path).add(HERE, ADA, now_ns=7, label="Ada")
    decisions = TrustStore(tmp_path)
    assert decisions.is_trusted(HERE, ADA)
    assert not decisions.is_trusted(THERE, ADA)
    assert not decisions.is_trusted(HERE, EVE)
    assert decisions.list() == decisions.list(HERE) == (made,)
    assert decisions.list(THERE) == ()
    assert (made.key_id, made.label, made.time_ns, made.verdict) == (ADA, "Ada", 7, Verdict.TRUSTED)


def test_a_decision_replaces_the_one_before_and_can_be_taken_back(tmp_path: Path) -> None:
    decisions = TrustStore(tmp_path)
    decisions.add(HERE, ADA, now_ns=1)
    decisions.add(HERE, ADA, now_ns=2, verdict=Verdict.BLOCKED)
    assert not decisions.is_trusted(HERE, ADA)
    assert len(decisions.list()) == 1
    assert decisions.remove(HERE, ADA)
    assert not decisions.remove(HERE, ADA)
    assert decisions.list() == ()


def test_ones_own_key_is_trusted_until_it_is_blocked(tmp_path: Path) -> None:
    own = load_or_create(tmp_path).key_id
    decisions = TrustStore(tmp_path)
    assert decisions.is_trusted(HERE, own)
    assert not decisions.is_trusted(HERE, ADA)
    decisions.add(HERE, own, now_ns=1, verdict=Verdict.BLOCKED)
    assert not decisions.is_trusted(HERE, own)
    assert decisions.is_trusted(THERE, own)


def test_what_another_process_decided_counts_at_once(tmp_path: Path) -> None:
    one, other = TrustStore(tmp_path), TrustStore(tmp_path)
    assert not one.is_trusted(HERE, ADA)
    other.add(HERE, ADA, now_ns=1)
    assert one.is_trusted(HERE, ADA)
    other.remove(HERE, ADA)
    assert not one.is_trusted(HERE, ADA)


def test_decisions_made_at_once_are_all_kept(tmp_path: Path) -> None:
    keys = [bytes([i]) * 32 for i in range(12)]
    threads = [threading.Thread(target=lambda key=key: TrustStore(tmp_path).add(HERE, key, now_ns=1)) for key in keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {decision.key_id for decision in TrustStore(tmp_path).list()} == set(keys)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"format": "1", "decisions": []}',
        '{"format": 1}',
        '{"format": 1, "decisions": [{"project": "p", "key": "zz", "verdict": "trusted", "time_ns": 1}]}',
        '{"format": 1, "decisions": [{"project": "p", "key": "00", "verdict": "trusted", "time_ns": 1}]}',
        '{"format": 1, "decisions": [{"project": "p", "key": "00", "verdict": "maybe", "time_ns": 1}]}',
    ],
)
def test_a_file_that_cannot_be_understood_is_an_error_and_is_kept(tmp_path: Path, content: str) -> None:
    load_or_create(tmp_path)
    path = tmp_path / DECISIONS_FILE
    path.write_text(content)
    decisions = TrustStore(tmp_path)
    for ask in (
        lambda: decisions.is_trusted(HERE, ADA),
        lambda: decisions.is_trusted(HERE, load_or_create(tmp_path).key_id),
        decisions.list,
        lambda: decisions.add(HERE, ADA, now_ns=1),
        lambda: decisions.remove(HERE, ADA),
    ):
        with pytest.raises(CorruptStoreError, match="no key is trusted"):
            ask()
    assert path.read_text() == content


def test_a_newer_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / DECISIONS_FILE).write_text('{"format": 2, "verdicts": {}}')
    with pytest.raises(UnsupportedFormatError, match="format 2"):
        TrustStore(tmp_path).is_trusted(HERE, ADA)


def test_decisions_are_private(tmp_path: Path) -> None:
    TrustStore(tmp_path / "new").add(HERE, ADA, now_ns=1)
    for path in (tmp_path / "new").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700


def test_what_is_no_key_cannot_be_trusted(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="32"):
        TrustStore(tmp_path).add(HERE, b"short", now_ns=1)
