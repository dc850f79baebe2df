"""The index says what the commits say, or `check` names what is different; damage is reported, not raised."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nbcellar.history.model import CommitKind
from nbcellar.history.repository import Repository

from .conftest import History


@pytest.fixture
def local(tmp_path: Path, clock: Callable[[], int]) -> Iterator[History]:
    """A notebook with a branch, a merge and an undo, and another notebook."""
    with Repository.create(tmp_path, by="ana@host", clock=clock) as repo:
        history = History(repo)
        ids = history.build([1], [2, 1], [3, 1], [4, 3, 2])
        history.step(values={"x": b"1", "y": b"2"}, source="x, y = 1, 2")
        history.record(kind=CommitKind.UNDO, at=ids[4])
        History(repo, "b.ipynb").step(values={"z": b"3"})
        yield history


def change(history: History, statement: str) -> None:
    """Change the database behind the repository's back."""
    with contextlib.closing(sqlite3.connect(history.repo.root / ".cellar" / "meta.db")) as db, db:
        assert db.execute(statement).rowcount == 1, statement


def problems(history: History) -> list[str]:
    report = history.repo.check(read_data=True)
    return [f"{p.about}: {p.reason}" for p in report.history.problems]


CHANGES = {
    "notebook": "UPDATE ix_commits SET notebook = 2 WHERE n = 5",
    "kind": "UPDATE ix_commits SET kind = 2 WHERE n = 5",
    "time": "UPDATE ix_commits SET time_ns = time_ns + 1 WHERE n = 5",
    "parent": "UPDATE ix_commits SET parent = 3 WHERE n = 5",
    "other parents) and 2 more": "UPDATE ix_commits SET n = 40 WHERE n = 4",
    "at": "UPDATE ix_commits SET at = NULL WHERE n = 6",
    "execution count": "UPDATE ix_commits SET execution_count = 77 WHERE n = 5",
    "flags": "UPDATE ix_commits SET flags = flags | 32 WHERE n = 5",
    "depth": "UPDATE ix_commits SET depth = depth + 64 WHERE n = 5",
    "weight": "UPDATE ix_commits SET weight = weight + 1 WHERE n = 5",
    "title": "UPDATE ix_commits SET title = 'x, y = 1, 3' WHERE n = 5",
    "changes": "UPDATE ix_commits SET changes = '+x' WHERE n = 5",
    "other parents": "UPDATE ix_parents SET parent = 1 WHERE n = 4",
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_differs_from_the_commits_is_named_and_made_again(local: History, what: str) -> None:
    assert problems(local) == []
    change(local, CHANGES[what])
    (problem,) = problems(local)
    assert "the index: is wrong about commit" in problem and f"({what}" in problem
    local.repo.rebuild_index()
    assert problems(local) == []


def test_a_commit_that_stands_before_its_parent_is_named(local: History) -> None:
    local.record(source="a last one")
    change(local, "UPDATE ix_commits SET n = 0 WHERE n = 8")
    (problem,) = problems(local)
    assert "is wrong about commit" in problem and "(number)" in problem


def test_a_value_that_no_operation_thinned_out_is_named(local: History) -> None:
    change(local, "INSERT INTO ix_thinned VALUES (x'00', 1)")
    (problem,) = problems(local)
    assert "is wrong about 1 value thinned out" in problem
    local.repo.rebuild_index()
    assert problems(local) == []


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE records SET payload = x'00' WHERE number = 3", "operation 3 is not what was written"),
        ("UPDATE refs SET value = x'40' WHERE name = 'HEAD' AND scope = 2", "'HEAD' of"),
    ],
)
def test_damage_of_operations_and_refs_is_reported_and_not_raised(local: History, statement: str, words: str) -> None:
    change(local, statement)
    report = local.repo.check(read_data=True)
    assert report.store is not None
    assert any(words in problem.reason for problem in report.store.problems)
    assert any(words in problem.reason for problem in report.history.problems), "and what it keeps from being checked"
