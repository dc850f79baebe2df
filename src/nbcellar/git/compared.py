"""Which notebooks git compares by their content (`index.py`): the newest, up to a size together.

Every `git status` reads these through the filter, some 3 ms of processor time for a megabyte, so there is a limit, a
setting. What is beyond is noted in `.git/cellar/by_size`. git takes such a file for modified once its size is another;
so that this ends with the command that notices it, the filter then enters it, too, until git has seen its new size.

Invariant: a file that alone is above the limit does not keep smaller ones out; a note that cannot be read or written
costs git's second look and nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from nbcellar.errors import CellarError
from nbcellar.git import index
from nbcellar.git.process import Git

_MIB = 1 << 20
# Together so small, files are within any limit, and settings need not be read for them.
_ALWAYS_BYTES = _MIB
NOTE = "by_size"
_SUFFIX = b".ipynb"


class Choice(msgspec.Struct, frozen=True):
    """The files that git compares by content, newest first, and those that it compares by size."""

    by_content: Sequence[bytes] = ()
    by_size: Sequence[bytes] = ()


def choose(paths: Sequence[bytes], folder: Path, limit_bytes: Callable[[], int]) -> Choice:
    """Return what is to be compared by content of paths below a folder; those that are not there are in neither."""
    dated = []
    for path in paths:
        try:
            status = os.lstat(folder / os.fsdecode(path))
        except OSError:
            continue
        dated.append((status.st_mtime_ns, status.st_size, path))
    dated.sort(reverse=True)
    if sum(size for _, size, _ in dated) <= _ALWAYS_BYTES:
        return Choice([path for _, _, path in dated])
    left = limit_bytes()
    chosen: list[bytes] = []
    others: list[bytes] = []
    for _, size, path in dated:
        fits = size <= left
        left -= size if fits else 0
        (chosen if fits else others).append(path)
    return Choice(chosen, others)


def compare(git: Git, paths: Sequence[bytes], note: Path, limit: Callable[[], int]) -> int:
    """Make git compare what is chosen of `paths` by content, and what it would take for modified of those noted before.

    `git` stands at the top of the worktree. Returns how many entries of the index changed.
    """
    choice = choose(paths, git.folder, limit)
    noted = _read_note(note)
    beyond = (noted | frozenset(choice.by_size)) - frozenset(choice.by_content)
    if beyond != noted:
        _write_note(note, beyond)
    grown = [entry.path for entry in index.entries(git, sorted(beyond)) if _differs(git, entry)] if beyond else []
    return index.compare_by_content(git, [*choice.by_content, *grown])


def _differs(git: Git, entry: index.Entry) -> bool:
    try:
        return bool(entry.size) and os.lstat(git.folder / os.fsdecode(entry.path)).st_size != entry.size
    except OSError:
        return False


def _read_note(note: Path) -> frozenset[bytes]:
    try:
        return frozenset(note.read_bytes().split(b"\0")) - {b""}
    except OSError:
        return frozenset()


def _write_note(note: Path, paths: frozenset[bytes]) -> None:
    aside = note.with_name(f"{note.name}.{os.getpid()}.new")
    try:
        aside.write_bytes(b"\0".join(sorted(paths)))
        aside.replace(note)
    except OSError:
        aside.unlink(missing_ok=True)


def limit_bytes(folder: Path, environ: Mapping[str, str], say: Callable[[str], None]) -> int:
    """Return the setting `notebooks.compare_mb` for a worktree; the default, with a word, if it cannot be read."""
    from nbcellar import config
    from nbcellar.config.documents import Notebooks

    own = folder / ".cellar"
    try:
        return config.load(own if own.is_dir() else None, environ).notebooks.compare_mb * _MIB
    except CellarError as error:
        say(error.message)
        return Notebooks().compare_mb * _MIB


def tracked_notebooks(git: Git) -> list[bytes]:
    """Return the notebooks that git tracks; `git` stands at the top of the worktree."""
    return [path for path in git.run("ls-files", "-z").out.split(b"\0") if path.endswith(_SUFFIX)]
