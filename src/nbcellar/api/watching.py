"""Notices that something changed in a repository, whoever did it: a kernel, a terminal, another server.

Invariant: a look costs a few system calls and reads no commit, so it can be taken several times a second; what was
changed between two looks is told by the second one, once. Not for: saying what changed.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

from nbcellar.api.kernels import KERNELS_FOLDER
from nbcellar.api.repo import Repo, open_repo
from nbcellar.errors import CellarError, NoRepositoryError
from nbcellar.history.repository import FOLDER, find_root
from nbcellar.store.local import LocalStore

What = Literal["history", "kernel", "git", "file"]
"""`file`: the notebook itself was written, moved or deleted."""

# What git writes when a commit, a checkout, a merge, a rebase or `git add` is done.
_GIT_FILES = ("HEAD", "index", "logs/HEAD", "packed-refs", "MERGE_HEAD", "CHERRY_PICK_HEAD", "REBASE_HEAD", "ORIG_HEAD")


class Watched:
    """What is known of the repositories around a folder. For one thread."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self._folder = folder
        self._environ = environ
        self._repo: Repo | None = None
        self._git: Path | None = None
        self._file: object = None  # which meta.db the open store is
        self._known: dict[What, object] = dict(self._look())

    def changes(self) -> list[What]:
        """Return what changed since the last call, or since the beginning."""
        found = dict(self._look())
        changed = [what for what, value in found.items() if self._known.get(what) != value]
        self._known = found
        return changed

    def close(self) -> None:
        """Close the store."""
        if self._repo is not None:
            self._repo.close()
            self._repo = None

    def _look(self) -> Iterator[tuple[What, object]]:
        with contextlib.suppress(CellarError, OSError):
            yield "history", self._store_version()
        if self._repo is not None:
            yield "kernel", _listing(self._repo.cellar_folder / KERNELS_FOLDER)
        if self._git is None and _may_be_in_git(self._folder):
            self._git = _git_folder(self._folder, self._environ)
        if self._git is not None:
            yield "git", tuple(stamp(self._git / name) for name in _GIT_FILES)

    def _store_version(self) -> object:
        """Return what is another value after each transaction of any other connection, and after a rebuild."""
        try:
            root = find_root(self._folder)
        except NoRepositoryError:
            self.close()
            return None
        file = _identity(root / FOLDER / "meta.db")
        if self._repo is None or self._repo.root != root or file != self._file:  # made anew under the same name, too
            self.close()
            self._repo, self._file = open_repo(self._folder, environ=self._environ), file
        store = self._repo.repository.store
        return str(root), file, store.version() if isinstance(store, LocalStore) else None


def _may_be_in_git(folder: Path) -> bool:
    return any((each / ".git").exists() for each in (folder, *folder.parents))


def _identity(path: Path) -> object:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _git_folder(folder: Path, environ: Mapping[str, str]) -> Path | None:
    from nbcellar.git.repository import find_git_repository

    try:
        return find_git_repository(folder, environ).git_dir
    except CellarError:
        return None


def _listing(folder: Path) -> object:
    try:
        with os.scandir(folder) as entries:
            return tuple(sorted((entry.name, entry.stat().st_mtime_ns) for entry in entries))
    except OSError:
        return ()


def stamp(path: Path) -> object:
    """Return what is another value once a file was written; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


__all__ = ["Watched", "What", "stamp"]
