"""The commits that changed one notebook, and which of its cells.

Invariant: renames are followed as git finds them; a version that is no notebook is told as such and hides no commit.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import msgspec

from nbcellar.errors import CellarError
from nbcellar.git.choices import COMMIT_FORMAT, GitCommit, commit_fields
from nbcellar.git.process import Git
from nbcellar.git.repository import GitRepository
from nbcellar.git.revisions import read_object
from nbcellar.notebook.codec import read
from nbcellar.notebook.model import Cell, Notebook

_LONGEST_TITLE = 60


class Touched(GitCommit, frozen=True, kw_only=True):
    """One commit: the notebook's path in it, the path before if it was renamed, and what changed, a line each.

    old and new name git's objects of the two versions; "" where there is none.
    """

    old_path: str = ""
    old: str = ""
    new: str = ""
    changes: tuple[str, ...] = ()


class NotebookHistory(msgspec.Struct, frozen=True, kw_only=True):
    """The commits that changed a notebook, newest first: `cellar git log NB --json`."""

    schema: int = 1
    commits: list[Touched]


def history_of(repository: GitRepository, path: str, *, limit: int | None = None) -> list[Touched]:
    """Return the commits that changed a notebook, newest first, with what they changed."""
    versions = Versions(repository.git)
    found = commits_of(repository, path, limit=limit)
    return [msgspec.structs.replace(entry, changes=tuple(changes(versions, entry))) for entry in found]


def commits_of(repository: GitRepository, path: str, *, limit: int | None = None) -> list[Touched]:
    """Return the commits that changed a notebook, newest first; nobody looked yet into what they changed."""
    words = ["log", "--follow", "-M", "--raw", "-z", "--no-abbrev", "--no-ext-diff", f"--format={COMMIT_FORMAT}"]
    if limit is not None:
        words.append(f"--max-count={limit}")
    if repository.git.run("rev-parse", "--verify", "--quiet", "HEAD", check=False).code:
        return []
    listing = repository.git.run(*words, "--", os.fsencode(path)).out
    return [_parse(record, path) for record in listing.split(b"\x01")[1:]]


def changes(versions: Versions, entry: Touched) -> Iterator[str]:
    """Yield a line for each kind of change between the two versions of a commit."""
    if not entry.new:
        yield "removed the notebook"
        return
    new = versions.read(entry.new)
    old = versions.read(entry.old) if entry.old else None
    if new is None or (old is None and entry.old):
        yield "not a readable notebook"
    elif old is None:
        yield f"added the notebook: {_count(len(new.cells), 'cell')}"
    else:
        yield from _cell_changes(old, new)


class Versions:
    """Notebooks by object; a version is the new one of a commit and the old one of the next."""

    def __init__(self, git: Git) -> None:
        self._git = git
        self._known: dict[str, Notebook | None] = {}

    def read(self, oid: str) -> Notebook | None:
        """Return the notebook in an object, None for what is none."""
        if oid not in self._known:
            if len(self._known) > 1:
                self._known.pop(next(iter(self._known)))
            try:
                self._known[oid] = read(read_object(self._git, oid))
            except (CellarError, RecursionError):
                self._known[oid] = None
        return self._known[oid]


def _parse(record: bytes, path: str) -> Touched:
    # Hash, time, author, title, then git's raw line after a line break, then one path or two.
    said, rest = commit_fields(record)
    names = [os.fsdecode(field) for field in rest[1:] if field]
    words = rest[0].decode().strip().lstrip(":").split() if rest else []
    return Touched(
        **said,
        path=names[-1] if names else path,
        old_path=names[0] if len(names) > 1 and names[0] != names[-1] else "",
        old=_oid(words, 2),
        new=_oid(words, 3),
    )


def _oid(words: list[str], at: int) -> str:
    return words[at] if len(words) > at and words[at].strip("0") else ""


def _cell_changes(old: Notebook, new: Notebook) -> Iterator[str]:
    from nbcellar.diff.document.pairing import pair_cells

    pairing = pair_cells(old.cells, new.cells, blanks_move=True)
    edited, ran, described = [], 0, 0
    for pair in pairing.pairs:
        before, after = old.cells[pair.a], new.cells[pair.b]
        if before.source != after.source or before.type != after.type:
            edited.append(pair.b)
        elif before.outputs != after.outputs or before.execution_count != after.execution_count:
            ran += 1
        elif before.metadata != after.metadata or before.attachments != after.attachments:
            described += 1
    told = False
    for word, places, cells in (
        ("edited", edited, new.cells),
        ("added", pairing.added, new.cells),
        ("removed", pairing.removed, old.cells),
    ):
        for place in places:
            told = True
            yield f"{word} cell {place + 1}: {_title(cells[place])}"
    moved = sum(pair.moved for pair in pairing.pairs)
    counts = [(moved, "moved"), (ran, "run again"), (described, "with other metadata")]
    line = ", ".join(f"{_count(number, 'cell')} {word}" for number, word in counts if number)
    if line:
        yield line
    elif not told:
        yield "nothing in the cells" if old.cells == new.cells else "only ids of cells"


def _title(cell: Cell) -> str:
    line = next((line.strip() for line in cell.source.splitlines() if line.strip()), "(empty)")
    return line if len(line) <= _LONGEST_TITLE else line[: _LONGEST_TITLE - 1] + "…"


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
