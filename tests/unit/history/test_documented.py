"""Which commits have a notebook to compare with: those with one, and those after them."""

from __future__ import annotations

from pathlib import Path

from nbcellar.api.document_revisions import revisions
from nbcellar.history.log import documented
from nbcellar.history.model import COMMIT_FORMAT, Commit, CommitKind
from nbcellar.history.recording import HeadMove
from nbcellar.history.repository import Repository
from nbcellar.ids import CommitId, NotebookId
from nbcellar.notebook import tree
from nbcellar.store.interface import Kind
from nbcellar.trust.keys import load_or_create


class Line:
    """Commits of one notebook, as many as a test makes."""

    def __init__(self, folder: Path) -> None:
        self.repo = Repository.create(folder)
        self.key = load_or_create(folder / "user")
        self.file = folder / "a.ipynb"
        self.notebook: NotebookId = self.repo.notebook_for(self.file, create=True)

    def commit(self, parent: CommitId | None, *, document: bool = False) -> CommitId:
        """Make a commit that no branch moves to."""
        with self.repo.begin(self.notebook, self.key) as recorder:
            root, objects = tree.assemble([], b'{"cells":[],"nbformat":4,"nbformat_minor":5}')
            for part in objects:
                recorder.put(Kind[part.kind], part.data, digest=part.digest)
            made = recorder.commit(
                Commit(
                    format=COMMIT_FORMAT,
                    notebook=self.notebook,
                    parents=(parent,) if parent is not None else (),
                    kind=CommitKind.AUTO,
                    time_ns=1,
                    tree=root if document else None,
                ),
                advance=HeadMove.STAY,
            )
            recorder.finish()
        return made

    def tag(self, name: str, commit: CommitId) -> None:
        self.repo.create_tag(self.notebook, name, commit)


def test_a_commit_has_the_notebook_of_those_before_it(tmp_path: Path) -> None:
    line = Line(tmp_path)
    first = line.commit(None)
    bare = line.commit(first)
    with_document = line.commit(first, document=True)
    after = line.commit(line.commit(with_document))
    line.tag("bare", bare)
    line.tag("after", after)
    listed = line.repo.log(line.notebook, all_refs=True)
    assert {first, bare, with_document, after} <= {summary.id for summary in listed}
    there = documented(line.repo, listed)
    assert with_document in there and after in there
    assert first not in there and bare not in there
    newest = line.repo.log(line.notebook, all_refs=True, limit=1)
    assert documented(line.repo, newest) == {after}, "also where the notebook is further back than the listing"


def test_only_such_commits_are_offered_for_comparing(tmp_path: Path) -> None:
    line = Line(tmp_path)
    first = line.commit(None)
    last = line.commit(line.commit(first, document=True))
    line.tag("last", last)
    line.repo.close()
    environ = {"HOME": str(tmp_path), "NBCELLAR_CONFIG_DIR": str(tmp_path / "config")}
    found = [commit.id for commit in revisions(line.file, environ).recorded]
    assert last.hex() in found and len(found) == 2
    assert first.hex() not in found
