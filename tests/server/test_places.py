"""Paths and messages, without a server."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from jupyter_server.services.contents.filemanager import FileContentsManager
from jupyter_server.services.contents.manager import ContentsManager

from nbcellar.errors import InvalidInputError, NotFoundError
from nbcellar.server.app import places_of
from nbcellar.server.hub import Hub
from nbcellar.server.pipeline_runs import PipelineRuns
from nbcellar.server.places import Places


def places(root: Path, **options: bool) -> Places:
    return Places(root, {"HOME": "/home/ada"}, **options)


def test_a_root_that_is_a_link_is_where_it_leads(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert places(tmp_path / "link").find("a/b.ipynb").file == tmp_path / "real" / "a" / "b.ipynb"


def test_the_whole_disk_can_be_the_root(tmp_path: Path) -> None:
    found = places(Path("/"), allow_hidden=True).find(f"{tmp_path}/a.ipynb")
    assert found.file == tmp_path / "a.ipynb"
    assert places(Path("/")).hide("no repository in /") == "no repository in /"


def test_hidden_files_are_shown_by_servers_that_show_them(tmp_path: Path) -> None:
    assert places(tmp_path, allow_hidden=True).find(".x/a.ipynb").file == tmp_path / ".x" / "a.ipynb"
    with pytest.raises(NotFoundError):
        places(tmp_path).find(".x/a.ipynb")


def test_a_root_in_a_hidden_folder_is_no_hidden_file(tmp_path: Path) -> None:
    (tmp_path / ".local" / "work").mkdir(parents=True)
    assert places(tmp_path / ".local" / "work").find("a.ipynb").file.name == "a.ipynb"


def test_a_file_with_a_colon_is_no_drive(tmp_path: Path) -> None:
    (tmp_path / "run:1.ipynb").touch()
    assert places(tmp_path).find("run:1.ipynb").file.name == "run:1.ipynb"
    with pytest.raises(InvalidInputError, match="drive 'run'"):
        places(tmp_path).find("run:2.ipynb")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("cannot read {root}/a/b.ipynb: denied", "cannot read a/b.ipynb: denied"),
        ("cannot create {root}/.cellar", "cannot create .cellar"),
        ("{root}-other/x/y.db is damaged", "y.db is damaged"),
        ("cannot connect to /run/user/1000/jupyter/kernel-1.json: x", "cannot connect to kernel-1.json: x"),
        ("see /home/ada/notes", "see ~/notes"),
        ("'/var/lib/x/y' and \"/opt/z/w\"", "'y' and \"w\""),
        (
            "a/b/c.ipynb, 1/2, and/or, http://example.org/a/b stay",
            "a/b/c.ipynb, 1/2, and/or, http://example.org/a/b stay",
        ),
        ("nothing at all", "nothing at all"),
    ],
)
def test_messages_name_files_but_not_where_they_are(tmp_path: Path, text: str, shown: str) -> None:
    assert places(tmp_path).hide(text.format(root=tmp_path)) == shown


def test_the_folder_of_the_contents_is_the_root(tmp_path: Path) -> None:
    found = places_of(FileContentsManager(root_dir=str(tmp_path), allow_hidden=True), Hub(), PipelineRuns())
    assert (found.root, found.allow_hidden, found.environ) == (tmp_path, True, os.environ)


def test_notebooks_that_are_no_files_are_said_to_be_elsewhere(tmp_path: Path) -> None:
    class BucketContents(ContentsManager):
        """Keeps nothing."""

    with pytest.raises(InvalidInputError, match="keeps its notebooks in BucketContents"):
        places_of(BucketContents(), Hub(), PipelineRuns()).find("a.ipynb")


def test_a_path_is_refused_before_each_of_its_parts_is_looked_at(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="a path of 64,000,000 characters"):
        places(tmp_path).find("a/" * 32_000_000)
