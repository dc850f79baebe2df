"""Notebooks that a server does not show, in a repository that it lies in: no reference leads to them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.api.test_opened import document

from nbcellar.api import Repo
from nbcellar.api.opened import record_opened
from nbcellar.errors import CellarError
from nbcellar.history.repository import Repository
from nbcellar.server import documents, history, session
from nbcellar.server.documents_messages import AskedDocuments, AskedSide
from nbcellar.server.messages import Asked
from nbcellar.server.places import Places
from nbcellar.server.session_messages import AskedLog, AskedRef, Checkout

HIDDEN = ("secret.ipynb", "shown/.drafts/draft.ipynb")


@pytest.fixture
def commits(tmp_path: Path) -> dict[str, str]:
    """The ids of the first commits of three notebooks, one of which lies openly below the server's root."""
    repository = Repository.create(tmp_path)
    environ = environ_of(tmp_path)
    found = {}
    for name in (*HIDDEN, "shown/open.ipynb"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("{}")
        with Repo(repository, environ=environ, folder=tmp_path, notebook=name) as repo:
            repository.notebook_for(file, create=True)
            made = record_opened(repo, document(f"source of {name}"), message="first")
            assert made is not None
            found[name] = made.hex()
        repository = Repository.find(tmp_path, by="ada")
    repository.close()
    return found


def environ_of(folder: Path) -> dict[str, str]:
    return {"NBCELLAR_CONFIG_DIR": str(folder / "config"), "JUPYTER_DATA_DIR": str(folder / "jupyter")}


@pytest.fixture
def places(tmp_path: Path, commits: dict[str, str]) -> Iterator[Places]:
    yield Places(tmp_path / "shown", environ_of(tmp_path))


@pytest.mark.parametrize("name", HIDDEN)
@pytest.mark.parametrize("form", ["{name}@HEAD", "{stem}@HEAD", "{id}", "{short}", "{name}@{id}", "{id}~0"])
def test_no_reference_leads_to_a_hidden_notebook(places: Places, commits: dict[str, str], name: str, form: str) -> None:
    identity = commits[name]
    ref = form.format(name=name, stem=Path(name).name, id=identity, short=identity[:12])
    side = AskedSide(kind="cellar", revision=ref)
    asked = (
        lambda: session.show(places, AskedRef(path="open.ipynb", ref=ref)),
        lambda: session.variables(places, AskedRef(path="open.ipynb", ref=ref)),
        lambda: session.log(places, AskedLog(path="open.ipynb", ref=ref)),
        lambda: session.checkout(places, Checkout(path="open.ipynb", ref=ref)),
        lambda: history.state(places, AskedRef(path="open.ipynb", ref=ref)),
        lambda: documents.compare(places, AskedDocuments(path="open.ipynb", before=side, after=side)),
    )
    for ask in asked:
        with pytest.raises(CellarError) as caught:
            ask()
        told = f"{caught.value.message} {caught.value.hint}"
        assert "source of" not in told
        assert "named" not in told and "is shown here" in told


def test_a_notebook_that_is_shown_can_be_named(places: Places, commits: dict[str, str]) -> None:
    identity = commits["shown/open.ipynb"]
    for ref in ("HEAD", "open.ipynb@HEAD", identity, identity[:12]):
        assert session.show(places, AskedRef(path="open.ipynb", ref=ref)).commit.id == identity


def test_a_folder_speaks_of_what_is_shown_alone(places: Places, commits: dict[str, str]) -> None:
    found = session.log(places, AskedLog(path=""))
    assert [line.id for line in found.commits] == [commits["shown/open.ipynb"]]
    assert session.standing(places, Asked(path="")).notebook is None
