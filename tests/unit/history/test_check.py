"""Damage to a history is reported with the commit or ref concerned, and never raised."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from nbcellar.history.model import Covariable, StateDelta
from nbcellar.history.repository import Repository
from nbcellar.ids import CommitId

from .conftest import History


def reasons(history: History) -> list[str]:
    return [f"{problem.about}: {problem.reason}" for problem in history.repo.check().history.problems]


def test_a_sound_history_is_clean_and_the_report_counts_what_was_looked_at(history: History) -> None:
    history.build([1], [2, 1], [3, 1])
    history.record(values={"x": b"1"})
    report = history.repo.check()
    assert report.is_clean and report.store is None
    assert (report.history.commits, report.history.signatures) == (4, 4)
    assert report.history.operations == len(history.repo.ops())


def test_the_store_is_checked_too(tmp_path: Path, clock: Callable[[], int]) -> None:
    with Repository.create(tmp_path, clock=clock) as repo:
        History(repo).step(values={"x": b"1"})
        report = repo.check(read_data=True)
        assert report.store is not None and report.store.objects_verified >= 2
        assert report.is_clean


def test_a_value_that_is_missing_is_named(history: History) -> None:
    commit = history.commit_of(())
    with history.repo.begin(history.notebook, history.key) as tx:
        put = (Covariable(("x",), bytes(32), b"v"),)
        identifier = tx.commit(msgspec.structs.replace(commit, state=StateDelta(None, put=put)))
        tx.finish()
    assert reasons(history) == [f"commit {identifier[:4].hex()}: refers to value 00000000, which is not there"]


def test_a_signature_that_does_not_hold_is_named(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history.key, "sign", lambda message: bytes(64))
    identifier = history.step()
    signer = history.key.key_id[:4].hex()
    assert reasons(history) == [f"commit {identifier[:4].hex()}: the signature of key {signer} does not hold"]


def test_a_ref_to_nothing_is_named(history: History) -> None:
    with history.repo.store.begin() as tx:
        tx.set_ref(history.notebook, "tag/lost", old=None, new=CommitId(bytes(32)))
        tx.commit()
    assert reasons(history) == [f"tag lost of {history.notebook[:8]}: names commit 00000000, which is not there"]


def test_an_operation_that_cannot_be_read_and_an_index_that_differs_are_named(history: History) -> None:
    history.step()
    with history.repo.store.begin() as tx:
        tx.append(history.notebook, b"\xc1")
        tx.execute("DELETE FROM ix_commits")
        tx.commit()
    first, second = reasons(history)
    assert first.startswith("operation 3: operation 3 cannot be read")
    assert second.startswith("the index: ")
    assert history.repo.rebuild_index() == 1
    assert len(reasons(history)) == 1
