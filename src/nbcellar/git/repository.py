"""Where a git repository is: its folder, the folders that git keeps for it, and what it may be (bare, linked, inside).

Invariant: git itself is asked, so that worktrees, submodules, `GIT_DIR` and folders called `.git` are what git takes
them for; a path may hold any character that a file's name may.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from nbcellar.errors import InvalidInputError, NoRepositoryError
from nbcellar.git.process import Git, GitFailedError


class GitRepository(msgspec.Struct, frozen=True):
    """A git repository as seen from one worktree.

    git_dir: git's folder of this worktree; common_dir: that of the repository, the same for all its worktrees;
    worktree: None in a bare repository. All absolute. `git` runs at the top of the worktree.
    """

    git: Git
    git_dir: Path
    common_dir: Path
    worktree: Path | None

    @property
    def private(self) -> Path:
        """Return the folder for what is ours; it goes with the repository and is never committed."""
        return self.common_dir / "cellar"

    def path_of(self, file: Path) -> str:
        """Return a file's path in the repository, as git writes it. Raises InvalidInputError for one outside."""
        if self.worktree is None:
            raise InvalidInputError(
                f"{self.git_dir}: a bare repository has no files; name a revision, as git:HEAD:PATH"
            )
        # The folder's links are followed and the file's own are not: git tracks a link as a link.
        absolute = file.parent.resolve() / file.name
        root = self.worktree.resolve()
        if not absolute.is_relative_to(root):
            raise InvalidInputError(f"{file}: outside of the git repository {root}")
        return absolute.relative_to(root).as_posix()


def find_git_repository(folder: Path, environ: Mapping[str, str]) -> GitRepository:
    """Return the repository of a folder. Raises NoRepositoryError where there is none."""
    git = Git(folder.absolute(), environ)
    try:
        git_dir = _folder(git, "--git-dir")
    except GitFailedError as error:
        hint = "" if "dubious" in str(error) else "make one with: git init"
        raise NoRepositoryError(f"{folder}: {_reason(str(error))}", hint=hint) from None
    common = _folder(git, "--git-common-dir")
    is_inside = git.line("rev-parse", "--is-inside-work-tree") == "true"
    worktree = Path(git.line("rev-parse", "--show-toplevel")) if is_inside else _worktree_of(git, git_dir)
    return GitRepository(Git(worktree or git_dir, environ), git_dir, common, worktree)


def common_folder(git: Git) -> Path:
    """Return git's folder of the repository; one process, for what must start fast."""
    return _folder(git, "--git-common-dir")


def git_dir_at(folder: Path, environ: Mapping[str, str]) -> Path:
    """Return git's folder of the worktree at whose top git started us.

    Git itself is not asked, which would cost half as much again as a whole merge.
    """
    if environ.get("GIT_DIR"):
        return folder / environ["GIT_DIR"]
    place = folder / ".git"
    if place.is_file():
        return folder / place.read_text("utf-8", "surrogateescape").strip().removeprefix("gitdir: ")
    return place


def _folder(git: Git, option: str) -> Path:
    # A path of git's may be relative to where it was asked.
    return Path(os.path.normpath(git.folder / git.line("rev-parse", option)))


def _worktree_of(git: Git, git_dir: Path) -> Path | None:
    """Return the worktree of the repository whose `.git` we stand in, as a hook may."""
    if git.line("rev-parse", "--is-bare-repository") == "true" or git_dir.name != ".git":
        return None
    return git_dir.parent


def _reason(message: str) -> str:
    said = message.removeprefix("git rev-parse failed: ")
    return "not in a git repository" if "not a git repository" in said else said
