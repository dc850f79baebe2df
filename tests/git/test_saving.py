"""What Jupyter saves is kept, also where git overwrites without looking."""

from __future__ import annotations

import json
import os
from pathlib import Path

import nbformat
import pytest
from jupyter_server.services.contents.filemanager import FileContentsManager

from nbcellar.git import saving
from nbcellar.git.install import install, local_places, uninstall
from nbcellar.git.install.save_hook import add_save_hook, remove_save_hook, settings_file
from nbcellar.git.repository import find_git_repository

from .support import SOURCES, Worktree


class Server:
    """What the extension needs of a server."""

    def __init__(self, manager: FileContentsManager) -> None:
        self.contents_manager = manager
        self.log = manager.log


@pytest.fixture
def manager(repo: Worktree) -> FileContentsManager:
    made = FileContentsManager(root_dir=str(repo.folder))
    saving._load_jupyter_server_extension(Server(made))
    return made


def save(manager: FileContentsManager, repo: Worktree, output: str) -> None:
    """Save the notebook as the server does."""
    repo.write(output=output, name="aside.json")
    content = nbformat.reads((repo.folder / "aside.json").read_text(), as_version=4)
    (repo.folder / "aside.json").unlink()
    manager.save({"type": "notebook", "format": "json", "content": content}, "n.ipynb")


def test_outputs_survive_commands_that_overwrite_without_looking(manager: FileContentsManager, repo: Worktree) -> None:
    save(manager, repo, "old")
    repo.commit()
    save(manager, repo, "saved by Jupyter")
    before = repo.bytes()
    repo.write(("a = 0", *SOURCES[1:]), "never saved by Jupyter")
    repo.git("checkout", "--", "n.ipynb")
    assert repo.bytes() == before
    assert repo.status() == ""


def test_what_git_does_not_filter_is_left_alone(bare_repo: Worktree, tmp_path: Path) -> None:
    bare_repo.write(output="x")
    assert not saving.keep_saved(bare_repo.folder / "n.ipynb", os.environ, print)
    assert not (bare_repo.folder / ".git" / "cellar").exists()


def test_a_save_never_fails_for_us(manager: FileContentsManager, repo: Worktree) -> None:
    save(manager, repo, "old")
    repo.folder.joinpath(".git", "HEAD").write_text("broken")
    save(manager, repo, "new")
    assert repo.outputs() == ["new"] * 5


def test_the_settings_file_goes_with_the_last_installation(repo: Worktree, tmp_path: Path) -> None:
    file = settings_file({"JUPYTER_CONFIG_DIR": str(tmp_path / "jupyter")})
    places = local_places(find_git_repository(repo.folder, os.environ))
    other = tmp_path / "other"
    install(places, save_hook=file)
    assert json.loads(file.read_text())["ServerApp"] == {"jpserver_extensions": {"nbcellar.git.saving": True}}
    add_save_hook(file, other)
    uninstall(places, save_hook=file)
    assert json.loads(file.read_text())["Cellar"] == {"installed_for": [str(other)]}
    assert remove_save_hook(file, other)
    assert not file.parent.exists()
