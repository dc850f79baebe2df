"""Files that git hands to a diff: one side may be the working file itself, with the outputs that the filter leaves out.

Invariant: what is compared is what would be committed; a file that git made for a version is taken as it is.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from nbcellar.errors import CellarError

_ABSENT = frozenset({"/dev/null", "nul", os.devnull})


def read_side(name: str, environ: Mapping[str, str]) -> bytes:
    """Return the content of one side; empty for one that is not there."""
    if name in _ABSENT:
        return b""
    data = Path(name).read_bytes()
    # Git names working files as they stand in the worktree, and its own files by their whole path.
    return data if Path(name).is_absolute() else _as_committed(name, data, environ)


def _as_committed(name: str, data: bytes, environ: Mapping[str, str]) -> bytes:
    from nbcellar.git.filter_process import load_cleaner
    from nbcellar.git.process import Git
    from nbcellar.notebook.codec import read, write

    git = Git(Path.cwd(), environ)
    try:
        fields = git.run("check-attr", "-z", "filter", "--", name).out.split(b"\0")
        if fields[2:3] != [b"cellar"]:
            return data
        return write(load_cleaner(git).clean(read(data), name))
    except (CellarError, RecursionError):
        return data
