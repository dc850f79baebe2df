"""Files that git hands to a diff: versions come smudged, with outputs put back, and one may be the working file itself.

Invariant: what is compared is what is committed, or would be.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from nbcellar.errors import CellarError

# What `git check-attr filter` said of the working file, from the program that git calls.
_FILTERED = "CELLAR_FILTERED"
_ABSENT = frozenset({"/dev/null", "nul", os.devnull})


def read_side(name: str, environ: Mapping[str, str], *, oid: str | None = None) -> bytes:
    """Return the content of one side as it is committed or would be; empty for one that is not there.

    oid: git's name of the content, zeros when git does not know it yet, None when the caller does not.
    """
    if name in _ABSENT:
        return b""
    data = Path(name).read_bytes()
    if not Path(name).is_absolute():  # git names working files as they stand in the worktree, its own by whole paths
        return _cleaned(data, name) if _is_filtered(name, environ) else data
    if _is_object(data, oid, environ):
        return data
    return _cleaned(data, name)


def _is_filtered(name: str, environ: Mapping[str, str]) -> bool:
    answer = environ.get(_FILTERED)
    if answer is not None:
        return answer.endswith(": filter: cellar")
    from nbcellar.git.process import Git

    try:
        fields = Git(Path.cwd(), environ).run("check-attr", "-z", "filter", "--", name).out.split(b"\0")
    except CellarError:
        return False
    return fields[2:3] == [b"cellar"]


def _is_object(data: bytes, oid: str | None, environ: Mapping[str, str]) -> bool:
    """Return whether a file is what git has stored, so that nothing was put back into it."""
    from nbcellar.git.cleaner import object_id

    if oid is not None and oid.strip("0"):
        return object_id(data, len(oid)) == oid
    if data.find(b'"output_type"') < 0:
        return True
    from nbcellar.git.process import Git

    try:
        git = Git(Path.cwd(), environ)
        return git.run("cat-file", "-e", object_id(data, 40), check=False).code == 0
    except CellarError:
        return True


def _cleaned(data: bytes, name: str) -> bytes:
    from nbcellar.git.cleaner import load_cleaner
    from nbcellar.notebook.codec import read, write

    try:
        return write(load_cleaner(Path.cwd()).clean(read(data), name))
    except (CellarError, RecursionError):
        return data
