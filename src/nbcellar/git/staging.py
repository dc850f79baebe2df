"""Single cells of a notebook into the index, as `git add -p` stages hunks.

Invariant: the working copy is not touched; cells that were not chosen stay in the index as they were, byte for byte;
what the filter, ours or another tool's, keeps out of commits does not get in. A cell is taken out only where it is
still as it was looked at. git's own lock is held from reading the index to writing it, so that nothing that is staged
beside is lost.
"""

from __future__ import annotations

import os
from collections.abc import Collection

import msgspec

from nbcellar.diff.document.pairing import pair_cells
from nbcellar.errors import ConflictError, InvalidInputError, NotFoundError, UnsupportedFormatError
from nbcellar.git.cleaner import load_cleaner
from nbcellar.git.index_lock import locked_index
from nbcellar.git.process import Git
from nbcellar.git.repository import GitRepository
from nbcellar.git.revisions import Place, read_file
from nbcellar.git.working_files import filter_of
from nbcellar.ids import CellId
from nbcellar.notebook.codec import read, write
from nbcellar.notebook.ids import with_unique_ids
from nbcellar.notebook.model import Cell, Notebook

_ORDINARY = "100644"
_OURS = "cellar"
# nbformat has ids of cells from this minor version on.
_WITH_IDS = 5


def read_index(repository: GitRepository, path: str) -> bytes | None:
    """Return the notebook as the index has it, None where it is not in it. Raises InvalidInputError in a merge."""
    try:
        return read_file(repository.git, Place(None, path)) or None  # empty: `git add -N` was told of it
    except NotFoundError:
        return None


def stage_cells(
    repository: GitRepository, path: str, live: Notebook, cells: Collection[int], gone: Collection[Cell]
) -> bool:
    """Put cells of `live`, by their places, into the index, and take the cells `gone` out of it; False if it has them.

    Raises ConflictError when one of `gone` is not there any more or another git holds the index, InvalidInputError for
    a notebook in a merge, one that git ignores, or one of which the index has something else.
    """
    with locked_index(repository) as git:
        return _stage(msgspec.structs.replace(repository, git=git), path, live, cells, gone)


def _stage(
    repository: GitRepository, path: str, live: Notebook, cells: Collection[int], gone: Collection[Cell]
) -> bool:
    git = repository.git
    found, by = read_index(repository, path), filter_of(git, path)
    if found is None and _is_ignored(git, path):
        raise InvalidInputError(f"git ignores {path}", hint=f"to add it all the same: git add -f {path}")
    index = msgspec.structs.replace(live, cells=()) if found is None else _read(found, path, by)
    made = with_cells(index, live, cells, _places(index, live, gone))
    if by == _OURS:
        made = load_cleaner(git.folder, git.environ, lambda text: None).clean(made, path)
    data = write(made)
    if data == found:
        return False
    through = (b"--path=" + os.fsencode(path),) if by not in ("", _OURS) else ("--no-filters",)
    oid = git.run("hash-object", "-w", *through, "--stdin", stdin=data).out.decode().strip()
    entry = f"{_mode(repository, path)} {oid}\t".encode() + os.fsencode(path) + b"\0"
    git.run("update-index", "--add", "-z", "--index-info", stdin=entry)
    return True


def _read(found: bytes, path: str, by: str) -> Notebook:
    try:
        return read(found, path=path)
    except (InvalidInputError, UnsupportedFormatError) as error:
        if by in ("", _OURS):
            raise
        raise InvalidInputError(
            f"what the index has of {path} went through the filter '{by}' and is no notebook",
            hint=f"stage it as a whole: git add {path}",
        ) from error


def with_cells(index: Notebook, live: Notebook, cells: Collection[int], gone: Collection[int]) -> Notebook:
    """Return `index` with some cells of `live` in place of their counterparts or added, and without those at `gone`.

    Raises InvalidInputError for places that are not there.
    """
    if any(not 0 <= place < len(live.cells) for place in cells):
        raise InvalidInputError(f"the notebook has {len(live.cells)} cells", hint="look again, it changed meanwhile")
    pairing = pair_cells(index.cells, live.cells)
    partner = {pair.b: pair.a for pair in pairing.pairs}
    counterpart = {pair.a: pair.b for pair in pairing.pairs}
    taken_out = set(gone) | {pair.a for pair in pairing.pairs if pair.moved and pair.b in cells}
    made: list[tuple[int | None, Cell]] = [
        (counterpart.get(at), cell) for at, cell in enumerate(index.cells) if at not in taken_out
    ]
    for place in sorted(cells):
        fresh = live.cells[place]
        at = next((i for i, (of_live, _) in enumerate(made) if of_live == place), None)
        if at is not None and partner.get(place) not in taken_out:
            made[at] = (place, _in_place(made[at][1], fresh))
        else:
            made.insert(_where(made, place), (place, fresh))
    return msgspec.structs.replace(index, cells=_with_ids(index, [cell for _, cell in made]))


def _places(index: Notebook, live: Notebook, gone: Collection[Cell]) -> set[int]:
    """Return where cells stand in the index that the live notebook does not have."""
    kept = {pair.a for pair in pair_cells(index.cells, live.cells).pairs}
    places: set[int] = set()
    for wanted in gone:
        at = next(
            (
                i
                for i, cell in enumerate(index.cells)
                if i not in kept | places and (cell.type, cell.source) == (wanted.type, wanted.source)
            ),
            None,
        )
        if at is None:
            raise ConflictError("the cell to be removed is not in the index as it was", hint="look again")
        places.add(at)
    return places


def _where(made: list[tuple[int | None, Cell]], place: int) -> int:
    """Return where a cell goes: behind the nearest cell before it in the live notebook that is there."""
    before = [(of_live, i) for i, (of_live, _) in enumerate(made) if of_live is not None and of_live < place]
    return max(before)[1] + 1 if before else 0


def _in_place(old: Cell, fresh: Cell) -> Cell:
    """Return the live cell in the layout that the file has."""
    return msgspec.structs.replace(fresh, keys=old.keys or fresh.keys, source_as_text=old.source_as_text)


def _with_ids(index: Notebook, cells: list[Cell]) -> tuple[Cell, ...]:
    """Return the cells with unique ids, or with none where the format has none."""
    if index.nbformat_minor < _WITH_IDS:
        return tuple(msgspec.structs.replace(cell, id=CellId("")) if cell.id else cell for cell in cells)
    return with_unique_ids(cells)


def _is_ignored(git: Git, path: str) -> bool:
    asked = ("-o", "-i", "--exclude-standard", "-z", "--", os.fsencode(path))
    return bool(git.run("ls-files", *asked).out)


def _mode(repository: GitRepository, path: str) -> str:
    """Return the mode that the index has for a file, that of an ordinary file where it has none."""
    listing = repository.git.run("ls-files", "-s", "-z", "--full-name", "--", os.fsencode(path)).out
    return listing.split(b" ", 1)[0].decode() if listing else _ORDINARY


__all__ = ["read_index", "stage_cells", "with_cells"]
