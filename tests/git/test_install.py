"""Installing, and taking it away without a trace."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from nbcellar.git.install import global_places, install, uninstall
from nbcellar.git.process import Git
from nbcellar.git.repository import find_git_repository

from .support import Worktree, cellar, make


def files(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Return content and mode of all files that an installation may touch."""
    found = {}
    for path in [
        folder / ".git" / "config",
        *(folder / ".git" / "info").rglob("*"),
        *(folder / ".git" / "hooks").rglob("*"),
    ]:
        if path.is_file():
            found[str(path)] = (path.read_bytes(), path.stat().st_mode)
    for name in (".gitattributes", ".git/cellar"):
        path = folder / name
        if path.exists():
            found[str(path)] = (path.read_bytes() if path.is_file() else b"a folder", 0)
    return found


def _plain(repo: Worktree) -> None:
    pass


def _with_content(repo: Worktree) -> None:
    git = repo.folder / ".git"
    (git / "info" / "attributes").write_bytes(b"*.png binary\r\n*.ipynb filter=nbstripout")
    with (git / "config").open("ab") as file:
        file.write(b"[alias]\n\tx = \"!echo 'a b'\"\n; no end of line")
    (git / "hooks" / "pre-commit").write_bytes(b"#!/bin/sh\necho mine > ran\n")
    (git / "hooks" / "pre-commit").chmod(0o750)


def _without_folders(repo: Worktree) -> None:
    shutil.rmtree(repo.folder / ".git" / "info")
    shutil.rmtree(repo.folder / ".git" / "hooks")


@pytest.mark.parametrize("prepare", [_plain, _with_content, _without_folders])
@pytest.mark.parametrize("shared", [False, True])
def test_uninstall_leaves_no_trace(bare_repo: Worktree, prepare: object, shared: bool) -> None:
    prepare(bare_repo)  # type: ignore[operator]
    before = files(bare_repo.folder)
    words = ["--shared"] if shared else []
    assert cellar(bare_repo.folder, "install", *words)[0] == 0
    assert files(bare_repo.folder) != before
    assert cellar(bare_repo.folder, "install", *words)[0] == 0
    bare_repo.write(output="x")
    bare_repo.git("add", "n.ipynb")
    assert cellar(bare_repo.folder, "uninstall")[0] == 0
    if shared:
        assert files(bare_repo.folder).keys() - before.keys() == set()
    assert files(bare_repo.folder) == before
    assert bare_repo.outputs() == ["x"] * 5
    assert cellar(bare_repo.folder, "uninstall")[1] == "nothing was installed\n"


def test_what_others_wrote_meanwhile_stays(bare_repo: Worktree) -> None:
    bare_repo.install()
    bare_repo.git("config", "user.name", "Later")
    bare_repo.git("config", "filter.other.clean", "cat")
    cellar(bare_repo.folder, "uninstall")
    assert bare_repo.git("config", "user.name").stdout == "Later\n"
    assert bare_repo.git("config", "filter.other.clean").stdout == "cat\n"
    assert "cellar" not in (bare_repo.folder / ".git" / "config").read_text()


def test_git_finds_all_that_was_installed(repo: Worktree) -> None:
    values = repo.git("check-attr", "filter", "diff", "merge", "--", "deep/in/x.ipynb").stdout
    assert values.count(": cellar\n") == 3
    assert repo.git("config", "mergetool.cellar.trustExitCode").stdout == "true\n"
    assert "filter-process" in repo.git("config", "filter.cellar.process").stdout


def test_a_hook_that_was_there_decides_first(bare_repo: Worktree) -> None:
    _with_content(bare_repo)
    bare_repo.install()
    bare_repo.write()
    bare_repo.commit()
    assert (bare_repo.folder / "ran").read_text() == "mine\n"
    (bare_repo.folder / ".git" / "hooks" / "pre-commit.before-cellar").write_text("#!/bin/sh\nexit 3\n")
    assert bare_repo.git("commit", "--allow-empty", "-m", "x", check=False).returncode == 1


def test_a_framework_that_took_the_place_of_the_hook_is_known(bare_repo: Worktree) -> None:
    bare_repo.install()
    folder = bare_repo.folder / ".git" / "hooks"
    (folder / "pre-commit").rename(folder / "pre-commit.legacy")  # as `pre-commit install` does
    theirs = '#!/bin/sh\n"$(dirname "$0")/pre-commit.legacy" "$@"\n'
    (folder / "pre-commit").write_text(theirs)
    (folder / "pre-commit").chmod(0o755)
    assert "refuses notebooks" in cellar(bare_repo.folder, "status")[1]
    bare_repo.install()
    assert not (folder / "pre-commit.before-cellar").exists()
    cellar(bare_repo.folder, "uninstall")
    assert [path.name for path in folder.glob("pre-commit*") if path.suffix != ".sample"] == ["pre-commit"]
    assert (folder / "pre-commit").read_text() == theirs


def test_other_tools_whose_place_is_taken_are_named(bare_repo: Worktree) -> None:
    bare_repo.git("config", "filter.lfs.clean", "cat")
    (bare_repo.folder / ".gitattributes").write_text("big.ipynb filter=lfs diff=lfs merge=lfs -text\n")
    bare_repo.write(name="big.ipynb")
    bare_repo.commit()
    said = cellar(bare_repo.folder, "install")[1]
    assert "notebooks had diff=lfs, filter=lfs, merge=lfs, which Cellar's take the place of" in said
    assert "*.ipynb filter=lfs" in said
    assert "lfs" not in cellar(bare_repo.folder, "install")[1]


def test_hooks_outside_of_the_repository_are_left_alone(bare_repo: Worktree, tmp_path: Path) -> None:
    folder = tmp_path / "my hooks"
    folder.mkdir()
    bare_repo.git("config", "core.hooksPath", str(folder))
    code, said = cellar(bare_repo.folder, "install")
    assert code == 0
    assert str(folder) in said
    assert "pre-commit || exit 1" in said
    assert list(folder.iterdir()) == []


def test_a_config_that_git_writes_at_this_moment_is_an_error(bare_repo: Worktree) -> None:
    (bare_repo.folder / ".git" / "config.lock").touch()
    before = (bare_repo.folder / ".git" / "config").read_bytes()
    code, said = cellar(bare_repo.folder, "install")
    assert code == 1
    assert "is being written by another program" in said
    assert (bare_repo.folder / ".git" / "config").read_bytes() == before


@pytest.fixture
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home with a git configuration that is a link, as of people who keep theirs in a repository."""
    (tmp_path / "home").mkdir()
    (tmp_path / "dotfiles").write_text("[user]\n\tname = Ada")
    (tmp_path / "home" / ".gitconfig").symlink_to(tmp_path / "dotfiles")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home" / "config"))
    monkeypatch.delenv("GIT_CONFIG_GLOBAL")
    yield tmp_path


def test_a_global_installation_holds_for_every_repository(own_home: Path) -> None:
    git = Git(own_home, os.environ)
    install(global_places(git))
    repo = make(own_home / "anywhere")
    repo.write(output="x")
    repo.commit()
    assert repo.outputs() == ["x"] * 5
    assert '"outputs": []' in repo.staged().decode()
    assert (own_home / "home" / ".gitconfig").is_symlink()
    uninstall(global_places(git))
    assert (own_home / "dotfiles").read_text() == "[user]\n\tname = Ada"
    assert [path for path in (own_home / "home" / "config").rglob("*") if path.is_file()] == []


def test_a_system_wide_installation_is_taken_away_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "etc").mkdir()
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", str(tmp_path / "etc" / "gitconfig"))
    assert cellar(tmp_path, "install", "--system")[0] == 0
    assert make(tmp_path / "r").git("config", "merge.cellar.name").stdout == "cell by cell\n"
    assert cellar(tmp_path, "uninstall", "--system")[0] == 0
    assert [path for path in (tmp_path / "etc").rglob("*") if path.is_file()] == []


def test_the_doctor_finds_nothing_wrong_after_an_installation(repo: Worktree) -> None:
    code, said = cellar(repo.folder, "doctor")
    assert code == 0
    assert "problem" not in said


def test_the_doctor_says_what_is_missing(bare_repo: Worktree) -> None:
    code, said = cellar(bare_repo.folder, "doctor")
    assert code == 1
    assert "cellar git install" in said


def test_the_doctor_finds_an_environment_that_is_gone(repo: Worktree) -> None:
    run = repo.folder / ".git" / "cellar" / "run"
    run.write_text(run.read_text().replace("python='", "python='/nowhere"))
    code, said = cellar(repo.folder, "doctor")
    assert code == 1
    assert "is gone: the environment was moved or deleted" in said
    cellar(repo.folder, "install")
    assert cellar(repo.folder, "doctor")[0] == 0


def test_the_doctor_finds_attributes_of_another_tool(repo: Worktree) -> None:
    with (repo.folder / ".git" / "info" / "attributes").open("a") as file:
        file.write("*.ipynb merge=jupyternotebook\n")
    assert "merge=jupyternotebook" in cellar(repo.folder, "doctor")[1]


def test_a_repository_may_be_moved(repo: Worktree, tmp_path: Path) -> None:
    repo.write(output="old")
    repo.commit()
    repo.folder.rename(tmp_path / "moved 'there")
    moved = Worktree(tmp_path / "moved 'there")
    moved.write(output="new")
    assert moved.status() == ""
    assert find_git_repository(moved.folder, os.environ).worktree == moved.folder


def test_outside_of_a_repository_it_says_so(tmp_path: Path) -> None:
    code, said = cellar(tmp_path, "install")
    assert code == 2
    assert "not in a git repository" in said
