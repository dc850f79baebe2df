"""git's index: what is staged for a path, and telling git to compare a file by its content.

Why the second is there: git takes a file whose size differs from the one in the index for modified without asking the
clean filter, so that merge, switch and pull refuse when nothing but outputs changed (`ie_modified` in git's
read-cache.c). An entry whose size is 0 is compared through the filter (decision 0023).

Invariant: object, mode and stage of an entry stay what they are; entries with marks that writing would lose (unmerged,
skip-worktree, assume-unchanged, intent-to-add) are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from nbcellar.git.process import Git

# A file that is added with `git add -N` stands in the index with the empty blob; a notebook is never empty.
_EMPTY_BLOBS = frozenset(
    {
        "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
        "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813",
    }
)
# Words on one command line; above, the whole index is listed.
_MOST_PATHS = 500
_ENTRY = re.compile(
    rb"(?P<tag>\S) (?P<mode>[0-7]+) (?P<oid>[0-9a-f]+) (?P<stage>[0-3])\t(?P<path>[^\0]+)\0"
    rb"(?:  ctime: .*\n  mtime: .*\n  dev: .*\n  uid: .*\n  size: (?P<size>\d+)\tflags: .*\n)?"
)


class Entry(msgspec.Struct, frozen=True):
    """One entry of the index. `tag` is git's letter: H for an ordinary one; `size` is that of the file when staged."""

    path: bytes
    mode: str
    oid: str
    stage: int
    tag: str
    size: int | None


def entries(git: Git, paths: Sequence[bytes]) -> list[Entry]:
    """Return the entries of paths, which are relative to git's folder."""
    few = len(paths) <= _MOST_PATHS
    listing = git.run("ls-files", "-z", "-v", "-s", "--debug", "--", *(paths if few else ())).out
    wanted = frozenset(paths)
    return [entry for entry in _parse(listing) if entry.path in wanted]


def compare_by_content(git: Git, paths: Sequence[bytes]) -> int:
    """Make git compare these files through the filter from now on, whatever their size; return how many changed.

    Does nothing where another git holds the index: that is no error, the next command comes here again.
    """
    found = [entry for entry in entries(git, paths) if entry.size and _is_plain(entry)]
    if found:
        done = git.run("update-index", "-z", "--index-info", stdin=b"".join(_lines(found)), check=False)
        return 0 if done.code else len(found)
    return 0


def _is_plain(entry: Entry) -> bool:
    return entry.stage == 0 and entry.tag == "H" and entry.mode.startswith("100") and entry.oid not in _EMPTY_BLOBS


def _parse(listing: bytes) -> Iterator[Entry]:
    for found in _ENTRY.finditer(listing):
        size = None if found["size"] is None else int(found["size"])
        text = {name: found[name].decode() for name in ("mode", "oid", "tag")}
        yield Entry(found["path"], text["mode"], text["oid"], int(found["stage"]), text["tag"], size)


def _lines(found: Iterable[Entry]) -> Iterator[bytes]:
    for entry in found:
        yield f"{entry.mode} {entry.oid} {entry.stage}\t".encode() + entry.path + b"\0"
