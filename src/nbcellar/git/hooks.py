"""What is looked at before a commit: no notebook with an unresolved conflict gets into one.

Invariant: what is staged is looked at, and not the working file; a notebook that cannot be read is refused only when it
holds git's conflict marks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from nbcellar.errors import CellarError
from nbcellar.git.process import Git

_FIRST_MARK = re.compile(rb"(?m)^<<<<<<< ")
_LAST_MARK = re.compile(rb"(?m)^>>>>>>> ")
_ADDED_OR_CHANGED = frozenset("AMRCT")


class Refused(msgspec.Struct, frozen=True):
    """A staged notebook that must not be committed, and why."""

    path: str
    reason: str
    remedy: str


def refused_notebooks(git: Git) -> list[Refused]:
    """Return the staged notebooks with unresolved conflicts."""
    found = []
    for path, oid in staged_notebooks(git):
        reason = _reason(git.run("cat-file", "blob", oid).out)
        if reason is not None:
            shown = path.decode("utf-8", "replace")
            found.append(Refused(shown, *reason))
    return found


def staged_notebooks(git: Git) -> Iterator[tuple[bytes, str]]:
    """Yield path and object of each notebook that the next commit adds or changes."""
    fields = git.run("diff", "--cached", "--raw", "-z", "--no-renames", "--no-abbrev", "--no-ext-diff").out.split(b"\0")
    for head, path in zip(fields[::2], fields[1::2], strict=False):
        words = head.decode().split()  # :100644 100644 before after M
        if words[4] in _ADDED_OR_CHANGED and words[1].startswith("100") and path.endswith(b".ipynb"):
            yield path, words[3]


def _reason(data: bytes) -> tuple[str, str] | None:
    if b'"conflict"' not in data and not _is_marked(data):
        return None
    from nbcellar.merge.marks import find_groups, has_open_conflicts
    from nbcellar.notebook.codec import read

    try:
        notebook = read(data)
    except CellarError:
        return ("it holds git's conflict marks", "cellar fix") if _is_marked(data) else None
    if not has_open_conflicts(notebook):
        return None
    count = max(1, sum(group.is_open for group in find_groups(notebook)))  # one may stand inside of another
    return f"{count} unresolved conflict{'' if count == 1 else 's'}", "cellar resolve"


def _is_marked(data: bytes) -> bool:
    first = _FIRST_MARK.search(data)
    return first is not None and _LAST_MARK.search(data, first.end()) is not None
