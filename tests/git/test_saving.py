"""What Jupyter saves is kept, also where git overwrites without looking."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest
from jupyter_server.extension.config import ExtensionConfigManager
from jupyter_server.extension.manager import ExtensionPackage
from jupyter_server.services.contents.filemanager import FileContentsManager

import nbcellar
from nbcellar.git import saving
from nbcellar.git.install import install, local_places, uninstall
from nbcellar.git.install.save_hook import add_save_hook, remove_save_hook, settings_file
from nbcellar.git.repository import find_git_repository

from .support import SOURCES, Worktree, cellar


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


@pytest.fixture
def on_save(manager: FileContentsManager, repo: Worktree) -> Iterator[Callable[[str], bytes]]:
    """Saves a notebook with a widget and noise, by settings, and returns the file."""

    def saved(settings: str, name: str = "n.ipynb") -> bytes:
        (repo.folder / "cellar.toml").write_text(f"[clean]\n{settings}\n")
        cell = nbformat.v4.new_code_cell("a", execution_count=3, metadata={"scrolled": True, "tags": ["t"]})
        cell.outputs = [nbformat.v4.new_output("stream", text="<o at 0x7f3a11>\n")]
        content = nbformat.v4.new_notebook(cells=[cell], metadata={"widgets": {"application/x": {}}})
        manager.save({"type": "notebook", "format": "json", "content": content}, name)
        return repo.bytes(name)

    yield saved


def test_noise_goes_on_save_and_outputs_stay_in_the_file_and_out_of_the_commit(
    on_save: Callable[[str], bytes], repo: Worktree
) -> None:
    data = on_save("outputs = false\nmax_line = 5\ndrop_output_tags = ['t']")
    (cell,) = json.loads(data)["cells"]
    assert (cell["execution_count"], cell["metadata"]) == (None, {"tags": ["t"]})
    assert cell["outputs"][0]["text"] == ["<o at 0x...>\n"]
    assert "widgets" in json.loads(data)["metadata"]
    repo.commit()
    (committed,) = json.loads(repo.staged())["cells"]
    assert (committed["outputs"], committed["metadata"]) == ([], {"tags": ["t"]})
    (repo.folder / "n.ipynb").unlink()
    repo.git("checkout", "--", "n.ipynb")
    assert repo.bytes() == data


def test_the_hook_alone_leaves_outputs_in_what_the_filter_cleans(repo: Worktree) -> None:
    (repo.folder / "cellar.toml").write_text("[clean]\noutputs = false\n")
    manager = FileContentsManager(root_dir=str(repo.folder))
    manager.pre_save_hook = nbcellar.save_hook
    save(manager, repo, "result")
    assert repo.outputs() == ["result"] * 5
    assert [cell["execution_count"] for cell in json.loads(repo.bytes())["cells"]] == [None] * 5
    repo.commit()
    assert b"result" not in repo.staged()
    cellar(repo.folder, "uninstall")
    (repo.folder / ".gitattributes").write_text("*.ipynb filter=cellar\n")  # shared, and not installed here
    save(manager, repo, "result")
    assert repo.outputs() == [""] * 5


def test_without_the_filter_the_settings_decide_about_outputs(on_save: Callable[..., bytes], repo: Worktree) -> None:
    (repo.folder / ".gitattributes").write_text("paper.ipynb -filter\n")
    (repo.folder / ".git" / "info" / "attributes").unlink()
    assert json.loads(on_save("outputs = false", "paper.ipynb"))["cells"][0]["outputs"] == []
    assert json.loads(on_save("outputs = true", "paper.ipynb"))["cells"][0]["outputs"] != []


@pytest.mark.parametrize("settings", ["on_save = false", "no_such_key = 1"])
def test_a_save_is_as_it_was_where_that_is_wished_or_settings_are_broken(
    on_save: Callable[[str], bytes], repo: Worktree, settings: str
) -> None:
    data = on_save(settings)
    (cell,) = json.loads(data)["cells"]
    assert (cell["execution_count"], cell["metadata"]["scrolled"]) == (3, True)
    repo.commit()
    (committed,) = json.loads(repo.staged())["cells"]
    assert (committed["outputs"], committed["execution_count"]) == ([], None)
    (repo.folder / "n.ipynb").unlink()
    repo.git("checkout", "--", "n.ipynb")
    assert repo.bytes() == data


def test_without_settings_a_save_changes_nothing(manager: FileContentsManager, repo: Worktree) -> None:
    save(manager, repo, "new")
    assert [cell["execution_count"] for cell in json.loads(repo.bytes())["cells"]] == [1, 2, 3, 4, 5]
    assert repo.outputs() == ["new"] * 5


def test_an_older_contents_manager_without_hooks_is_told_of(repo: Worktree) -> None:
    class Bare:
        log = logging.getLogger("nbcellar.test")

    said: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    Bare.log.addHandler(handler)
    try:
        saving._load_jupyter_server_extension(Server(Bare()))  # type: ignore[arg-type]
    finally:
        Bare.log.removeHandler(handler)
    assert len(said) == 2


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


def test_a_server_finds_the_extension_until_it_is_uninstalled(
    bare_repo: Worktree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "jupyter"
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(folder))
    (folder / "jupyter_server_config.d").mkdir(parents=True)
    (folder / "jupyter_server_config.d" / "theirs.json").write_text('{"ServerApp": {"jpserver_extensions": {}}}')
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert cellar(bare_repo.folder, "install", "--save-hook")[0] == 0
    (name,) = ExtensionConfigManager(read_config_path=[str(folder)]).get_jpserver_extensions()
    assert ExtensionPackage(name=name, enabled=True).validate()
    assert "Jupyter Server loads it" in cellar(bare_repo.folder, "doctor")[1]
    assert cellar(bare_repo.folder, "uninstall")[0] == 0
    assert ExtensionConfigManager(read_config_path=[str(folder)]).get_jpserver_extensions() == {}
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert not (bare_repo.folder / ".git" / "cellar").exists()
