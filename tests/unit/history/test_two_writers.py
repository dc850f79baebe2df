"""Several processes record in one notebook at once: no commit is lost, none is unreachable."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from nbcellar.history.index import Index
from nbcellar.history.repository import Repository

from .conftest import History

WRITER = """
import importlib.util, sys
from pathlib import Path
spec = importlib.util.spec_from_file_location("graphs", sys.argv[1])
graphs = importlib.util.module_from_spec(spec)
spec.loader.exec_module(graphs)
from nbcellar.history.repository import Repository

with Repository.open(Path(sys.argv[2]), by=sys.argv[3]) as repo:
    history = graphs.History(repo)
    branch, head = None, history.head
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(25):
        done = history.record(*([head] if head else []), source=f"{sys.argv[3]} {number}", on=branch)
        head = done.commits[-1]
        if done.diverged:
            branch = done.branch
        print(head.hex(), flush=True)
"""


def test_two_processes_that_record_at_once_lose_no_commit(tmp_path: Path) -> None:
    with Repository.create(tmp_path) as repo:
        notebook = repo.notebook_for(Path("a.ipynb"), create=True)
    graphs = Path(__file__).with_name("conftest.py")
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(graphs), str(tmp_path), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={"PYTHONPATH": str(Path(__file__).parents[3] / "src"), "PATH": ""},
        )
        for name in ("ana", "bob")
    ]
    for writer in writers:
        assert writer.stdout is not None and writer.stdout.readline() == "ready\n"
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()
    acknowledged = {bytes.fromhex(line) for writer in writers for line in writer.communicate()[0].split()}
    assert [writer.returncode for writer in writers] == [0, 0]
    assert len(acknowledged) == 50
    with Repository.open(tmp_path) as repo:
        assert {entry.id for entry in repo.log(notebook, all_refs=True)} == acknowledged
        assert {branch.name for branch in repo.branches(notebook)} == {"main", "main-2"}
        assert repo.check().is_clean


def test_opening_while_the_first_commit_is_made_takes_the_index_for_what_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Repository.create(tmp_path) as repo:
        history = History(repo)
        asked = Index.is_empty

        def asked_just_before(index: Index) -> bool:
            found = asked(index)
            monkeypatch.setattr(Index, "is_empty", asked)
            history.record(source="x = 1")
            return found

        monkeypatch.setattr(Index, "is_empty", asked_just_before)
        monkeypatch.setattr(
            Repository, "rebuild_index", lambda repo: pytest.fail("it drops what is recorded meanwhile")
        )
        with Repository.open(tmp_path) as second:
            assert len(list(second.log(history.notebook))) == 1
