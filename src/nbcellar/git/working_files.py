"""Files that git hands to a diff: versions come smudged, with outputs put back, and one may be the working file itself.

Invariant: what is compared is what is committed, or would be.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from nbcellar.errors import CellarError
from nbcellar.git.cleaner import Cleaner, load_cleaner, object_id
from nbcellar.git.limits import too_large
from nbcellar.git.process import Git

# What `git check-attr filter` said of the working file, from the program that git calls.
_FILTERED = "CELLAR_FILTERED"
_ABSENT = frozenset({"/dev/null", "nul", os.devnull})


def read_side(name: str, environ: Mapping[str, str], *, path: str = "", oid: str | None = None) -> bytes:
    """Return the content of one side as it is committed or would be; empty for one that is not there.

    path: where the notebook is in the repository, "" when the caller does not know; oid: git's name of the content,
    zeros when git does not know it yet, None when the caller does not.
    """
    if name in _ABSENT:
        return b""
    data = Path(name).read_bytes()
    git = Git(Path.cwd(), environ)
    if not Path(name).is_absolute():  # git names working files as they stand in the worktree, its own by whole paths
        return _cleaned(git, _cleaner(git), data, [name]) if _is_filtered(git, name) else data
    if _is_object(git, data, oid):
        return data
    return _cleaned(git, _cleaner(git), data, [path] if path else _paths_called(git, Path(name).name))


def as_committed(git: Git, cleaner: Cleaner, path: str, data: bytes) -> bytes:
    """Return the content of the working file `path` as git would commit it; `git` stands at the top of the worktree."""
    if not has_filter(git, path) or _is_staged(git, path, data):
        return data
    return _cleaned(git, cleaner, data, [path])


def _is_staged(git: Git, path: str, data: bytes) -> bool:
    """Return whether the index has exactly this, as it may have of a time before the filter."""
    entries = git.run("ls-files", "-s", "-z", "--", os.fsencode(path)).out.split(b"\0")
    oids = [entry.split(b" ")[1].decode() for entry in entries if entry]
    return any(object_id(data, len(oid)) == oid for oid in oids)


def _is_filtered(git: Git, name: str) -> bool:
    answer = git.environ.get(_FILTERED)
    return answer.endswith(": filter: cellar") if answer is not None else has_filter(git, name)


def has_filter(git: Git, path: str) -> bool:
    """Return whether a file goes through our filter; `git` stands at the top of the worktree."""
    try:
        return filter_of(git, path) == "cellar"
    except CellarError:
        return False


def filter_of(git: Git, path: str) -> str:
    """Return the filter that a file goes through, "" for none; `git` stands at the top of the worktree."""
    fields = git.run("check-attr", "-z", "filter", "--", os.fsencode(path)).out.split(b"\0")
    name = fields[2].decode("utf-8", "replace") if len(fields) > 2 else ""
    return "" if name in ("unspecified", "unset", "set") else name


def _is_object(git: Git, data: bytes, oid: str | None) -> bool:
    """Return whether a file is what git has stored, so that nothing was put back into it."""
    if oid is not None and oid.strip("0"):
        return object_id(data, len(oid)) == oid
    return _is_known(git, data)


def _is_known(git: Git, data: bytes) -> bool:
    try:
        return git.run("cat-file", "-e", object_id(data, 40), check=False).code == 0
    except CellarError:
        return True


def _paths_called(git: Git, name: str) -> list[str]:
    """Return the files that git may have made a temporary file of this name for: `n.ipynb`, or `x7_n.ipynb`."""
    try:
        paths = [os.fsdecode(path) for path in git.run("ls-files", "-z").out.split(b"\0")]
    except CellarError:
        paths = []
    found = [path for path in paths if path and name.endswith(path.rpartition("/")[2])]
    return found or [name]


def _cleaner(git: Git) -> Cleaner:
    return load_cleaner(git.folder, git.environ, lambda text: None)  # `git status` and `git add` say what is wrong


def _cleaned(git: Git, cleaner: Cleaner, data: bytes, paths: Sequence[str]) -> bytes:
    """Return what is committed for a file that is at one of `paths`: where their rules differ, what git knows."""
    from nbcellar.notebook.codec import read, write

    if too_large(len(data)):  # the filter leaves it as it is
        return data
    by_rules = {cleaner.key(path): path for path in reversed(paths)}
    try:
        notebook = read(data)
        forms = [write(cleaner.clean(notebook, path)) for path in by_rules.values()]
    except (CellarError, RecursionError):
        return data
    if len(forms) == 1:
        return forms[0]
    return next((form for form in forms if _is_known(git, form)), forms[-1])
