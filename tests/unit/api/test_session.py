"""What is asked of a live kernel, and what becomes of its answers."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from nbcellar.api import Repo
from nbcellar.api.session import to_change
from nbcellar.errors import CannotRestoreError, KernelError, NoKernelError
from nbcellar.history.model import COMMIT_FORMAT, Commit, CommitKind, StateDelta
from nbcellar.history.repository import Repository
from nbcellar.ids import CommitId
from nbcellar.session.entries import KernelEntry
from nbcellar.trust.keys import SigningKey

Answer = Callable[[str, Mapping[str, Any]], dict[str, Any]]


class Kernel:
    """Notes what it is asked and answers as it is told."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.answer: Answer = lambda command, args: {"head": args.get("commit") or "ab" * 32, "branch": "main"}

    def __call__(self, notebook: str, command: str, args: Mapping[str, Any]) -> dict[str, Any]:
        self.asked.append((command, dict(args)))
        return self.answer(command, args)


@pytest.fixture
def kernel() -> Kernel:
    return Kernel()


@pytest.fixture
def repo(tmp_path: Path, kernel: Kernel) -> Iterator[Repo]:
    """A repository with two commits without code, of which `kernel` is the live one."""
    repository = Repository.create(tmp_path)
    notebook = repository.notebook_for(tmp_path / "a.ipynb", create=True)
    head: CommitId | None = None
    for number in range(2):
        with repository.begin(notebook, SigningKey(b"k" * 32)) as recorder:
            head = recorder.commit(
                Commit(
                    format=COMMIT_FORMAT,
                    notebook=notebook,
                    parents=(head,) if head else (),
                    kind=CommitKind.AUTO,
                    time_ns=number,
                    state=StateDelta(base=head),
                )
            )
            recorder.finish()
    environ = {"NBCELLAR_CONFIG_DIR": str(tmp_path / "config"), "JUPYTER_RUNTIME_DIR": str(tmp_path)}
    with Repo(repository, environ=environ, folder=tmp_path, kernel_requests=kernel) as opened:
        yield opened


def test_a_checkout_tells_the_kernel_commit_branch_and_what_is_wanted(repo: Repo, kernel: Kernel) -> None:
    head = repo.resolve("HEAD").hex()
    repo.checkout("main", code=False)
    repo.checkout("HEAD~1", code=False)
    assert [args["branch"] for _, args in kernel.asked] == ["main", None]
    args = {"commit": head, "branch": "main", "ref": "main", "variables_only": True, "without": [], "replay": "no"}
    assert kernel.asked[0] == ("checkout", args)


def test_a_checkout_of_a_commit_without_code_is_a_note_not_an_error(repo: Repo) -> None:
    change = repo.checkout("HEAD~1")
    assert change.code_file is None
    assert "no document was recorded" in change.notes[0]


def test_a_failed_checkout_of_variables_writes_no_code(repo: Repo, kernel: Kernel, tmp_path: Path) -> None:
    def fail(command: str, args: Mapping[str, Any]) -> dict[str, Any]:
        raise CannotRestoreError("variable 'x' cannot be rebuilt")

    kernel.answer = fail
    with pytest.raises(CannotRestoreError):
        repo.checkout("HEAD~1")
    assert not list(tmp_path.glob("*.ipynb"))


def test_without_a_kernel_a_checkout_points_to_the_code(repo: Repo, kernel: Kernel) -> None:
    def none(command: str, args: Mapping[str, Any]) -> dict[str, Any]:
        raise NoKernelError("no kernel")

    kernel.answer = none
    with pytest.raises(NoKernelError) as caught:
        repo.checkout("HEAD~1")
    assert "cellar checkout HEAD~1 --code" in caught.value.hint


def test_restore_without_a_reference_leaves_the_choice_to_the_kernel(repo: Repo, kernel: Kernel) -> None:
    repo.restore()
    repo.restore("HEAD~1")
    assert kernel.asked == [
        ("restore", {"commit": None, "without": [], "replay": "no"}),
        ("restore", {"commit": repo.resolve("HEAD~1").hex(), "without": [], "replay": "no"}),
    ]


def test_a_commit_is_made_by_the_live_kernel(repo: Repo, kernel: Kernel) -> None:
    kernel.answer = lambda command, args: {"commit": "cd" * 32, "branch": "main", "notes": ["x is large"]}
    made = repo.commit("good")
    assert (made.id, made.live, made.notes) == ("cd" * 32, True, ["x is large"])
    assert kernel.asked == [("commit", {"message": "good"})]


def test_a_live_kernel_follows_an_undone_operation(repo: Repo, kernel: Kernel) -> None:
    before = repo.resolve("HEAD~1").hex()
    done = repo.op_undo()
    assert kernel.asked == [("checkout", {"commit": before, "branch": "main", "ref": "HEAD", "variables_only": True})]
    assert done.session is not None and done.session.head == before


def test_what_keeps_a_kernel_from_following_is_a_note(repo: Repo, kernel: Kernel) -> None:
    def fail(command: str, args: Mapping[str, Any]) -> dict[str, Any]:
        raise CannotRestoreError("x is gone")

    kernel.answer = fail
    done = repo.op_undo()
    assert done.session is None
    assert done.notes == ["the session stays where it was: x is gone"]


def test_an_answer_of_a_newer_kernel_with_more_fields_is_understood() -> None:
    assert to_change({"head": "ab", "kept": ["x"], "from_the_future": 1}).kept == ["x"]


@pytest.mark.parametrize("answer", [{}, {"head": 1}, {"head": "ab", "kept": "x"}])
def test_an_answer_of_another_shape_is_an_error_of_the_kernel(answer: dict[str, Any]) -> None:
    with pytest.raises(KernelError, match="cannot be read"):
        to_change(answer)


# Other notebooks' kernels -------------------------------------------------------------------------------------------


@pytest.fixture
def peeked(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The notebooks whose kernels are asked how they stand: here, those of `a.ipynb` and of `other.ipynb`."""
    asked: list[str] = []
    mine = repo.repository.notebook_for(repo.root / "a.ipynb")
    other = repo.repository.notebook_for(repo.root / "other.ipynb", create=True)
    for notebook, path in ((mine, "a.ipynb"), (other, "other.ipynb")):
        entry = KernelEntry(1, "0.1.0", os.getpid(), "none", notebook, path, time.time_ns())
        file = repo.cellar_folder / "kernels" / f"{path}.json"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(msgspec.json.encode(entry))
    monkeypatch.setattr(repo, "peek_at", lambda entry: asked.append(entry.path))
    monkeypatch.setattr(repo, "_notebook", "a.ipynb")
    return asked


def test_a_busy_kernel_of_another_notebook_is_not_asked_before_a_checkout(repo: Repo, peeked: list[str]) -> None:
    repo.checkout("HEAD~1", code=False)
    repo.restore()
    repo.tag("here")
    assert peeked == ["a.ipynb"] * 3
    peeked.clear()
    repo.tag("there", "a.ipynb@HEAD")
    assert sorted(peeked) == ["a.ipynb", "other.ipynb"]


def test_the_status_of_one_notebook_asks_its_kernels_alone(repo: Repo, peeked: list[str]) -> None:
    kernels = {line.path: line.kernels for line in repo.status(repo.notebook()).notebooks}
    assert (peeked, len(kernels["a.ipynb"]), kernels["other.ipynb"]) == (["a.ipynb"], 1, [])
    peeked.clear()
    assert {line.path: len(line.kernels) for line in repo.status().notebooks} == {"a.ipynb": 1, "other.ipynb": 1}
    assert sorted(peeked) == ["a.ipynb", "other.ipynb"]
