"""A repository as a whole: found, opened, its states read from chains, its index made again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nbcellar.errors import (
    AlreadyExistsError,
    NoRepositoryError,
    NotFoundError,
    StoreUnavailableError,
    UnknownReferenceError,
)
from nbcellar.history.model import EMPTY_STATE, CommitKind, State, StateDelta, apply_delta
from nbcellar.history.reindex import rebuild_index
from nbcellar.history.repository import Repository
from nbcellar.ids import CommitId
from nbcellar.store.interface import Kind
from nbcellar.store.memory import MemoryStore

from .conftest import History
from .test_states import deltas


def test_a_repository_is_found_from_a_folder_below(tmp_path: Path) -> None:
    Repository.create(tmp_path).close()
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    with Repository.find(below) as repo:
        assert repo.root == tmp_path


def test_no_repository_names_the_command_that_makes_one(tmp_path: Path) -> None:
    with pytest.raises(NoRepositoryError) as caught:
        Repository.find(tmp_path)
    assert "cellar init" in caught.value.hint
    with pytest.raises(NoRepositoryError):
        Repository.open(tmp_path)


def test_a_second_repository_in_one_folder_is_refused(tmp_path: Path) -> None:
    with Repository.create(tmp_path), pytest.raises(AlreadyExistsError):
        Repository.create(tmp_path)


def test_making_a_repository_that_failed_can_be_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("nbcellar.store.database._name_exclusively", _full)
        with pytest.raises(StoreUnavailableError):
            Repository.create(tmp_path)
    with pytest.raises(NoRepositoryError) as caught:
        Repository.open(tmp_path)
    assert "cellar init" in caught.value.hint
    Repository.create(tmp_path).close()


def _full(*paths: Path) -> None:
    raise OSError(28, "No space left on device")


def test_what_was_recorded_is_there_after_opening_again(tmp_path: Path) -> None:
    with Repository.create(tmp_path, by="ana@host") as repo:
        history = History(repo)
        commit = history.step(values={"x": b"1"})
        notebook = history.notebook
    with Repository.open(tmp_path) as repo:
        assert repo.head(notebook).commit == commit
        assert [c.names for c in repo.read_state(commit).covariables] == [("x",)]
        assert [entry.id for entry in repo.log(notebook)] == [commit]


def test_a_folder_opened_to_read_is_read_and_not_written(tmp_path: Path) -> None:
    with Repository.create(tmp_path) as repo:
        history = History(repo)
        commit = history.step()
    with Repository.open(tmp_path, read_only=True) as repo:
        assert repo.resolve("HEAD", history.notebook) == commit
        with pytest.raises(OSError, match="read-only"):
            repo.begin(history.notebook, history.key)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(deltas(), st.booleans()), min_size=1, max_size=8), st.data())
def test_a_state_read_back_is_the_sum_of_its_deltas_however_they_are_cut(
    chain: list[tuple[StateDelta, bool]], data: st.DataObject
) -> None:
    """Some commits hold whole states, some build on commits that are not their parents."""
    repo = Repository(MemoryStore(), Path("/none"))
    history = History(repo)
    expected: list[tuple[CommitId, State]] = []
    for delta, is_whole in chain:
        base = data.draw(st.sampled_from([None, *range(len(expected))]))
        base_id, before = expected[base] if base is not None else (None, EMPTY_STATE)
        parents = (expected[-1][0],) if expected else ()
        with repo.begin(history.notebook, history.key) as tx:
            delta = msgspec.structs.replace(delta, base=base_id)
            if is_whole:
                whole = tx.put(Kind.STATE, repo.complete_payload(delta))
                delta = msgspec.structs.replace(delta, complete=whole)
            commit = msgspec.structs.replace(history.commit_of(parents), state=delta)
            identifier = tx.commit(commit)
            tx.finish()
        expected.append((identifier, apply_delta(before, delta, commit=identifier)))
    fresh = Repository(repo.store, Path("/none"))
    for identifier, state in expected:
        assert fresh.read_state(identifier) == state
        assert repo.read_state(identifier) == state


def test_chains_of_deltas_are_counted_and_end_in_a_whole_state(history: History) -> None:
    repo = history.repo
    first = history.step(values={"x": b"1"})
    second = history.step(values={"y": b"2"})
    assert repo.chain(first)[0] == 1 and repo.chain(second)[0] == 2
    assert repo.chain(second)[1] > repo.chain(first)[1] > 0
    with repo.begin(history.notebook, history.key) as tx:
        commit = history.commit_of((second,))
        assert commit.state is not None
        whole = tx.put(Kind.STATE, repo.complete_payload(commit.state))
        third = tx.commit(msgspec.structs.replace(commit, state=msgspec.structs.replace(commit.state, complete=whole)))
        tx.finish()
    assert repo.chain(third) == (0, 0)
    assert not repo.needs_complete(third, delta_bytes=10, whole_bytes=100)


def test_a_commit_without_a_state_says_so(history: History) -> None:
    with history.repo.begin(history.notebook, history.key) as tx:
        bare = tx.commit(msgspec.structs.replace(history.commit_of(()), state=None))
        tx.finish()
    with pytest.raises(NotFoundError, match="holds no variables"):
        history.repo.read_state(bare)


def test_an_unknown_commit_is_an_unknown_reference(history: History) -> None:
    for read in (history.repo.read_commit, history.repo.read_state, history.repo.node, history.repo.chain):
        with pytest.raises(UnknownReferenceError):
            read(CommitId(bytes(32)))


def test_the_index_made_again_is_the_one_that_recording_made(history: History) -> None:
    history.build([1], [2, 1], [3, 1])
    history.record(values={"a": b"1", "b": b"2"})
    history.record(values={"a": b"3"}, drop=("b",))
    history.record(kind=CommitKind.UNDO, at=history.ids[3])
    history.record(history.head, history.ids[2], source="two parents")  # type: ignore[arg-type]
    tables = ("ix_commits", "ix_parents")
    before = [list(history.repo.store.query(f"SELECT * FROM {table}")) for table in tables]
    rebuild_index(history.repo)
    assert [list(history.repo.store.query(f"SELECT * FROM {table}")) for table in tables] == before


def test_an_index_that_is_missing_is_made_when_the_repository_is_opened(
    tmp_path: Path, clock: Callable[[], int]
) -> None:
    with Repository.create(tmp_path, clock=clock) as repo:
        history = History(repo)
        history.build([1], [2, 1])
        with repo.store.begin() as tx:
            tx.execute("DELETE FROM ix_commits")
            tx.commit()
    with Repository.open(tmp_path) as repo:
        assert [entry.id for entry in repo.log(history.notebook)] == [history.ids[2], history.ids[1]]
