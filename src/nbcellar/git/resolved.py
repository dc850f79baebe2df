"""What git is in the midst of, which files are in conflict, and telling it that one is resolved.

Invariant: `git add` is the only change that is made here, of one file that the index has in conflict.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

from nbcellar.git.repository import GitRepository, find_git_repository

Operation = Literal["", "merge", "rebase", "cherry-pick", "revert"]

# In the order in which they are asked for: a rebase picks commits, too.
_SIGNS: tuple[tuple[str, Operation], ...] = (
    ("rebase-merge", "rebase"),
    ("rebase-apply", "rebase"),
    ("MERGE_HEAD", "merge"),
    ("CHERRY_PICK_HEAD", "cherry-pick"),
    ("REVERT_HEAD", "revert"),
)


class GitStanding(msgspec.Struct, frozen=True):
    """operation: what git waits to go on with, "" for none, as after `git stash pop`. in_conflict: the file is in
    conflict in the index. others: how many other files are."""

    operation: Operation = ""
    in_conflict: bool = False
    others: int = 0


def git_standing(file: Path, environ: Mapping[str, str]) -> GitStanding:
    """Return how git stands to a file. Raises NoRepositoryError, StoreUnavailableError where there is no git."""
    return _standing(find_git_repository(file.parent, environ), file)


def mark_resolved(file: Path, environ: Mapping[str, str]) -> bool:
    """Tell git that a file is resolved; False if it was not in conflict.

    Raises NoRepositoryError, StoreUnavailableError, and GitFailedError when git refuses, as while another git runs.
    """
    repository = find_git_repository(file.parent, environ)
    if not _standing(repository, file).in_conflict:
        return False
    repository.git.run("add", "--", os.fsencode(repository.path_of(file)))
    return True


def merged_branch(repository: GitRepository) -> str:
    """Return a branch that is being merged, by its name, "" where none is at that commit."""
    listed = repository.git.run(
        *("for-each-ref", "--count=1", "--points-at=MERGE_HEAD", "--format=%(refname:short)"),
        *("refs/heads", "refs/remotes"),
        check=False,
    )
    return "" if listed.code else listed.out.decode("utf-8", "replace").strip()


def _standing(repository: GitRepository, file: Path) -> GitStanding:
    going_on: list[Operation] = [name for sign, name in _SIGNS if (repository.git_dir / sign).exists()]
    # `git diff --diff-filter=U` would run the filters and write the index anew, and who watches that would look again.
    listed = repository.git.run("ls-files", "-u", "-z").out.split(b"\0")
    names = {os.fsdecode(entry.partition(b"\t")[2]) for entry in listed if entry}
    path = repository.path_of(file)
    return GitStanding(going_on[0] if going_on else "", path in names, len(names - {path}))


__all__ = ["GitStanding", "Operation", "git_standing", "mark_resolved", "merged_branch"]
