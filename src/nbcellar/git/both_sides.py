"""A file that shows both sides of a merge, for when the cells cannot be merged.

Invariant: every line of ours and of theirs is in the result, between git's conflict marks where they differ, and there
is at least one mark; the file is replaced whole or not at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from nbcellar.errors import CellarError
from nbcellar.git.labels import SideNames
from nbcellar.git.process import Git


def both_sides(
    base: Path, ours: Path, theirs: Path, names: SideNames, *, marker_size: int, environ: Mapping[str, str]
) -> bytes:
    """Return the text of both sides. Raises OSError when one of them cannot be read."""
    lines = _merged_lines(base, ours, theirs, names, marker_size, environ)
    if lines is not None:
        return lines
    return _whole(ours.read_bytes(), theirs.read_bytes(), names, marker_size)


def _merged_lines(
    base: Path, ours: Path, theirs: Path, names: SideNames, marker_size: int, environ: Mapping[str, str]
) -> bytes | None:
    """Return git's merge by lines; None when it has no conflict to show, or there is no git."""
    labels = [word for name in (names.ours, names.base, names.theirs) for word in ("-L", name)]
    files = [str(path.absolute()) for path in (ours, base, theirs)]
    git = Git(Path.cwd(), environ)
    try:
        answer = git.run("merge-file", "-p", f"--marker-size={marker_size}", *labels, "--", *files, check=False)
    except CellarError:
        return None
    return answer.out if 0 < answer.code < 128 else None


def _whole(ours: bytes, theirs: bytes, names: SideNames, marker_size: int) -> bytes:
    def line(mark: bytes, name: str) -> bytes:
        return mark * marker_size + (b" " + name.encode("utf-8", "replace") if name else b"") + b"\n"

    def ended(data: bytes) -> bytes:
        return data if data.endswith(b"\n") or not data else data + b"\n"

    return b"".join((line(b"<", names.ours), ended(ours), line(b"=", ""), ended(theirs), line(b">", names.theirs)))
