"""What git's index holds of a notebook in conflict, and whether the file is as git left it.

Invariant: reading only. A file counts as left by git if git, asked again with one of its conflict styles, writes the
very same bytes.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from nbcellar.git.process import Git
from nbcellar.git.repository import find_git_repository
from nbcellar.git.revisions import stages_of
from nbcellar.merge.conflict_text import MarkedText, read_marked
from nbcellar.merge.fixing import Stages

_STYLES = ("--no-diff3", "--diff3", "--zdiff3")
_SIZES = 7


def stages_of_conflict(path: Path, data: bytes, environ: Mapping[str, str]) -> Stages | None:
    """Return the versions that the index holds of a file whose text is `data`, None if it is not in conflict there.

    Raises NoRepositoryError, StoreUnavailableError where there is no git.
    """
    repository = find_git_repository(path.parent, environ)
    found = stages_of(repository.git, repository.path_of(path))
    if not found:
        return None
    base, ours, theirs = (found.get(stage) for stage in (1, 2, 3))
    marked = read_marked(data)
    left = marked is not None and ours is not None and theirs is not None
    return Stages(base, ours, theirs, is_as_left=left and _is_as_left(repository.git, data, marked, base, ours, theirs))


def _is_as_left(
    git: Git, data: bytes, marked: MarkedText | None, base: bytes | None, ours: bytes | None, theirs: bytes | None
) -> bool:
    """Ask git for the merge again, in each style, and compare."""
    assert marked is not None
    with tempfile.TemporaryDirectory(prefix="cellar-") as folder:
        names = []
        for name, version in (("ours", ours), ("base", base), ("theirs", theirs)):
            Path(folder, name).write_bytes(version or b"")
            names.append(str(Path(folder, name)))
        labels = [marked.our_label, _base_label(data), marked.their_label]
        words = [word for label in labels for word in ("-L", label)]
        return any(
            git.run("merge-file", "-p", "-q", style, *words, *names, check=False).out == data for style in _STYLES
        )


def _base_label(data: bytes) -> str:
    """Return what git called the common version, "" where the marks do not show it."""
    at = data.find(b"\n" + b"|" * _SIZES + b" ")
    if at < 0:
        return ""
    line = data[at + 1 + _SIZES + 1 :].split(b"\n", 1)[0]
    return line.rstrip(b"\r").decode("utf-8", "replace")


__all__ = ["stages_of_conflict"]
