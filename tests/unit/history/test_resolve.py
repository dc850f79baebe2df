"""References, as users type them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbcellar.errors import AmbiguousReferenceError, InvalidInputError, NotFoundError, UnknownReferenceError
from nbcellar.history.repository import Repository
from nbcellar.ids import CommitId
from nbcellar.store.memory import MemoryStore

from .conftest import History


@pytest.fixture
def merged(history: History) -> History:
    """3 has the parents 2 and 1b:  1 -- 2 -- 3,  1 -- 1b -- 3."""
    history.build([1], [2, 1], [12, 1])
    history.repo.move_head(history.notebook, history.ids[2], branch="main")
    history.ids[3] = history.record(history.ids[2], history.ids[12], source="joins").commits[0]
    return history


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("HEAD", 3),
        ("@", 3),
        ("HEAD~0", 3),
        ("HEAD~", 2),
        ("HEAD~1", 2),
        ("HEAD~2", 1),
        ("HEAD^", 2),
        ("HEAD^1", 2),
        ("HEAD^2", 12),
        ("HEAD^2~1", 1),
        ("HEAD^^", 1),
        ("HEAD^0", 3),
        ("@~2", 1),
        ("~2", 1),
        ("main", 3),
        ("main~1", 2),
        ("main-2", 12),
        ("branch/main", 3),
        ("a.ipynb@HEAD~1", 2),
        ("a@main-2", 12),
        ("a.ipynb@", 3),
    ],
)
def test_a_reference_names(merged: History, text: str, number: int) -> None:
    assert merged.repo.resolve(text, merged.notebook) == merged.ids[number]


@pytest.mark.parametrize("text", ["HEAD~9", "HEAD^3", "nothing", "main~9", "HEAD~99999", "op:999", "tag/main"])
def test_a_reference_that_names_nothing_is_refused(merged: History, text: str) -> None:
    with pytest.raises(UnknownReferenceError):
        merged.repo.resolve(text, merged.notebook)


def test_a_misspelt_name_gets_near_names(merged: History) -> None:
    with pytest.raises(UnknownReferenceError) as caught:
        merged.repo.resolve("mian", merged.notebook)
    assert "main" in caught.value.hint


def test_a_tag_comes_before_an_id_and_a_name_that_looks_like_one_wins(merged: History) -> None:
    repo, notebook = merged.repo, merged.notebook
    prefix = merged.ids[3].hex()[:6]
    repo.create_tag(notebook, prefix, merged.ids[1])
    assert repo.resolve(prefix, notebook) == merged.ids[1]


def test_three_digits_are_too_few(merged: History) -> None:
    with pytest.raises(NotFoundError):
        merged.repo.resolve(merged.ids[3].hex()[:3], merged.notebook)


def test_an_id_of_another_notebook_is_found_and_names_that_notebook(merged: History) -> None:
    other = History(merged.repo, "b.ipynb")
    commit = other.step()
    found = merged.repo.resolve_full(commit.hex()[:12], merged.notebook)
    assert (found.commit, found.notebook) == (commit, other.notebook)
    assert merged.repo.resolve("b@HEAD", merged.notebook) == commit


def test_head_of_an_earlier_operation_is_named_by_its_number(merged: History) -> None:
    repo, notebook = merged.repo, merged.notebook
    recorded = [op.number for op in reversed(repo.ops(notebook)) if op.kind.name == "RECORD"]
    assert repo.resolve(f"op:{recorded[0]}", notebook) == merged.ids[1]
    assert repo.resolve(f"@{{op {recorded[1]}}}", notebook) == merged.ids[2]
    assert repo.resolve(f"op:{recorded[1]}~1", notebook) == merged.ids[1]
    detached = next(op.number for op in repo.ops(notebook) if op.kind.name == "CHECKOUT")
    assert repo.resolve(f"op:{detached}", notebook) == merged.ids[2]
    assert repo.resolve(f"a.ipynb@op:{recorded[0]}", notebook) == merged.ids[1]
    assert repo.resolve(f"a.ipynb@{{op {recorded[0]}}}", notebook) == merged.ids[1]


def test_without_a_notebook_an_id_is_enough_and_a_name_is_not(merged: History) -> None:
    assert merged.repo.resolve(merged.ids[2].hex(), None) == merged.ids[2]
    with pytest.raises(InvalidInputError, match="needs a notebook"):
        merged.repo.resolve("main", None)


def test_a_kernel_that_left_head_resolves_from_its_own(merged: History) -> None:
    assert merged.repo.resolve("HEAD~1", merged.notebook, head=merged.ids[12]) == merged.ids[1]


def test_head_before_the_first_commit_says_so(repo: Repository) -> None:
    history = History(repo)
    with pytest.raises(UnknownReferenceError, match="nothing is recorded"):
        repo.resolve("HEAD", history.notebook)


def test_an_empty_text_is_no_reference(merged: History) -> None:
    with pytest.raises(InvalidInputError):
        merged.repo.resolve("", merged.notebook)


def _many() -> tuple[History, list[CommitId]]:
    history = History(Repository(MemoryStore(), Path("/none")))
    return history, [history.step() for _ in range(600)]


MANY, COMMITS = _many()


@given(st.integers(0, len(COMMITS) - 1), st.integers(4, 64))
def test_a_prefix_names_its_commit_or_lists_all_that_it_fits(index: int, digits: int) -> None:
    prefix = COMMITS[index].hex()[:digits]
    fitting = [commit for commit in COMMITS if commit.hex().startswith(prefix)]
    try:
        assert MANY.repo.resolve(prefix, MANY.notebook) == COMMITS[index]
        assert len(fitting) == 1
    except AmbiguousReferenceError as error:
        assert len(fitting) > 1
        assert all(commit.hex()[: digits + 8] in str(error) for commit in fitting[:8])


@given(st.text(max_size=30))
def test_any_text_is_resolved_or_refused_with_a_sentence(text: str) -> None:
    try:
        MANY.repo.resolve(text, MANY.notebook)
    except (InvalidInputError, NotFoundError) as error:
        assert str(error)
