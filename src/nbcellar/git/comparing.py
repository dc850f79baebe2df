"""When git is told to compare notebooks by their content: at once, or once a merge has ended.

An entry that is compared by content (`index.py`; which files: `compared.py`) is never up to date for commands that look
at sizes and dates alone, `git merge --abort` and `git cherry-pick --abort` among them: they would refuse every notebook
that the merge changed. So what a merge has staged keeps the size that git gave it until that is committed or dropped.

Invariant: while something that has an --abort of this kind is under way, no entry that differs from HEAD is touched.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from nbcellar.git import compared
from nbcellar.git.process import Git
from nbcellar.git.repository import git_dir_at

# AUTO_MERGE is there after a conflict of any command, `git stash pop` among them, which `git reset --merge` takes back.
_UNDER_WAY = ("MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "SQUASH_MSG", "AUTO_MERGE")
# `git rebase --abort` resets whatever is there.
_REBASING = ("rebase-merge", "rebase-apply")
_WAITING = "waiting"


def compare(git: Git, private: Path, paths: Sequence[bytes], limit: Callable[[], int]) -> int:
    """Make git compare files by content, those that a merge has staged when it has ended; `private` remembers them.

    limit: see `compared.choose`. Returns how many entries of the index changed.
    """
    if _is_merging(git_dir_at(git.folder, git.environ)):
        staged = _staged(git, paths)
        _wait(private, staged)
        paths = [path for path in paths if path not in staged]
    else:
        paths = [*paths, *(path for path in _waiting(private) if path not in paths)]
    return compared.compare(git, paths, private / compared.NOTE, limit)


def compare_waiting(git: Git, private: Path, limit: Callable[[], int]) -> None:
    """Do it for all that waited, as the commit of what a merge staged is about to be made."""
    if waiting := _waiting(private):
        compared.compare(git, waiting, private / compared.NOTE, limit)


def _is_merging(git_dir: Path) -> bool:
    return any((git_dir / name).exists() for name in _UNDER_WAY) and not any(
        (git_dir / name).exists() for name in _REBASING
    )


def _staged(git: Git, paths: Sequence[bytes]) -> frozenset[bytes]:
    """Return which of the paths are staged with another content than HEAD's."""
    listed = git.run("diff-index", "--cached", "--name-only", "--no-renames", "-z", "HEAD", check=False)
    return frozenset(listed.out.split(b"\0")) & frozenset(paths)


def _wait(private: Path, paths: frozenset[bytes]) -> None:
    file = private / _WAITING
    try:
        known = file.read_bytes().split(b"\0") if file.exists() else []
        if new := sorted(paths.difference(known)):
            private.mkdir(parents=True, exist_ok=True)
            with file.open("ab") as target:
                target.write(b"".join(path + b"\0" for path in new))
    except OSError:  # forgotten, they are compared by content from the next `git status` on
        pass


def _waiting(private: Path) -> list[bytes]:
    """Return what waits, and forget it."""
    file = private / _WAITING
    try:
        found = file.read_bytes()
        file.unlink()
    except OSError:
        return []
    return [path for path in dict.fromkeys(found.split(b"\0")) if path]
