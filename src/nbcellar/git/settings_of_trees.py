"""Settings that a tree of git's brings with it, while git is about to check it out.

Git writes files in the order of their names: a notebook may be smudged while the settings beside it are still those of
the branch before. What tells is git's index, which is the old one until git is done.

Invariant: reading only; a tree that cannot be read changes nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from nbcellar.config.shared import FILE_NAMES, read_shared
from nbcellar.errors import CellarError, InvalidInputError
from nbcellar.git.process import Git


def reader(git: Git, tree: str) -> Callable[[Path], str]:
    """Return what reads shared settings as they will be once `tree` is checked out; `git` stands at the top.

    A file that the tree has as the index does stays as it is on disk, edited or not, and so does one that git does not
    know.
    """
    coming = _coming(git, tree)

    def read(path: Path) -> str:
        blob = coming.get(path)
        if blob is None:
            return read_shared(path)
        if not blob.strip("0"):
            return ""
        try:
            return git.run("cat-file", "blob", blob).out.decode()
        except UnicodeDecodeError:
            raise InvalidInputError(f"{path}: not UTF-8 text") from None

    return read


def _coming(git: Git, tree: str) -> dict[Path, str]:
    """Return the files of settings that will change, each with git's name of its content; zeros: it goes."""
    top = git.folder.absolute()
    try:
        listing = git.run("diff-index", "--cached", "--raw", "-z", "--no-abbrev", "--no-renames", tree).out.split(b"\0")
    except CellarError:  # what is no tree of this repository says nothing
        return {}
    found = {}
    for head, name in zip(listing[::2], listing[1::2], strict=False):
        path = os.fsdecode(name)
        if path.rpartition("/")[2] in FILE_NAMES:
            found[top / path] = head.split(b" ")[2].decode()
    return found
