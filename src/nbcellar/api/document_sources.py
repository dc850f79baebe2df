"""What the two sides of a comparison of notebooks are, and the pairs of notebooks that they come to.

A side is a file, a folder, standard input, a place in git (`git:REV`, `git:REV:PATH`, `git:` for the index), a commit
of Cellar's, or the working copy.

Invariant: reading only; a notebook that is on one side alone is paired with nothing, and not left out.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from nbcellar.api.notebook_files import STANDARD_INPUT, find_notebooks, read_bytes
from nbcellar.errors import InvalidInputError, NotFoundError, UnknownReferenceError

if TYPE_CHECKING:
    from nbcellar.git.cleaner import Cleaner
    from nbcellar.git.repository import GitRepository
    from nbcellar.git.revisions import Changed, Place

GIT = "git:"
NOTEBOOK = ".ipynb"


class Document(msgspec.Struct, frozen=True):
    """One side of a pair: the bytes of a notebook's file, None where there is none, and what to call it."""

    name: str
    data: bytes | None


class Pair(msgspec.Struct, frozen=True):
    """Two versions of a notebook; `name` is its path as a person knows it."""

    name: str
    before: Document
    after: Document


class File(msgspec.Struct, frozen=True):
    """A file, or standard input."""

    name: str


class Folder(msgspec.Struct, frozen=True):
    """All notebooks below a folder."""

    name: str


class InGit(msgspec.Struct, frozen=True):
    """A place in git: all its notebooks, or one."""

    place: Place
    name: str


class Recorded(msgspec.Struct, frozen=True):
    """The document of a commit of Cellar's."""

    name: str
    data: bytes


class Given(msgspec.Struct, frozen=True):
    """The text of a notebook that somebody holds, such as one with unsaved edits; `path`: the file that it would be."""

    name: str
    data: bytes | None
    path: Path | None = None


class WorkingCopy(msgspec.Struct, frozen=True):
    """The notebooks of the git repository as they are on disk, or would be committed where the filter is on."""


Side = File | Folder | InGit | Recorded | Given | WorkingCopy


class Sources:
    """Makes pairs of two sides, for one folder and environment."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self.folder = folder
        self.environ = environ
        self._repository: GitRepository | None = None
        self._cleaner: Cleaner | None = None

    @property
    def repository(self) -> GitRepository:
        """The git repository around the folder. Raises NoRepositoryError."""
        if self._repository is None:
            from nbcellar.git.repository import find_git_repository

            self._repository = find_git_repository(self.folder, self.environ)
        return self._repository

    def side(self, word: str) -> Side | None:
        """Return the side that a word names by its form or as something on disk; None for a bare name."""
        if word == STANDARD_INPUT:
            return File(word)
        if word.startswith(GIT):
            from nbcellar.git.revisions import parse_place

            return InGit(parse_place(word), word)
        path = self.folder / Path(word).expanduser()
        if path.is_dir():
            return Folder(word)
        return File(word) if path.exists() or (word.endswith(NOTEBOOK) and "@" not in word) else None

    def pair(self, before: Side, after: Side) -> Pair:
        """Return the pair of two sides that are one notebook each; a file that a revision does not have has no data."""
        before, after = self._with_path(before, after), self._with_path(after, before)
        if not (_is_one(before) and _is_one(after)):
            raise InvalidInputError(f"{_kind(before)} and {_kind(after)} are not one notebook each")
        old, new = self._read_or_none(before, after), self._read_or_none(after, before)
        return Pair(new.name if old.name == new.name else f"{old.name} -> {new.name}", old, new)

    def pairs(self, before: Side, after: Side, paths: Sequence[str] = ()) -> Iterator[Pair]:
        """Yield the pairs that two sides come to, of the notebooks at or below `paths` if there are any."""
        before, after = self._with_path(before, after), self._with_path(after, before)
        if isinstance(after, Folder) and isinstance(before, InGit) and before.place.path is None:
            paths, after = [after.name, *paths], WorkingCopy()  # `git diff REV FOLDER` means that, too
        elif isinstance(before, Folder) and isinstance(after, InGit) and after.place.path is None:
            paths, before = [before.name, *paths], WorkingCopy()
        if isinstance(before, Folder) and isinstance(after, Folder):
            yield from self._folders(before, after, paths)
        elif _is_one(before) and _is_one(after):
            _refuse_paths(paths)
            old, new = self._read(before, after), self._read(after, before)
            yield Pair(new.name if old.name in (new.name, os.devnull) else f"{old.name} -> {new.name}", old, new)
        elif isinstance(before, InGit | WorkingCopy) and isinstance(after, InGit | WorkingCopy):
            yield from self._trees(before, after, paths)
        else:
            raise InvalidInputError(
                f"{_kind(before)} cannot be compared with {_kind(after)}",
                hint="compare two notebooks, two folders, or two states of a git repository",
            )

    def _with_path(self, side: Side, other: Side) -> Side:
        """Give a place in git without a path the path of the file on the other side."""
        if (
            isinstance(side, InGit)
            and side.place.path is None
            and isinstance(other, File)
            and other.name != STANDARD_INPUT
        ):
            path = self.repository.path_of(self.folder / Path(other.name).expanduser())
            return InGit(msgspec.structs.replace(side.place, path=path), f"{side.name}:{path}")
        if isinstance(side, InGit) and side.place.path is None and isinstance(other, Given) and other.path is not None:
            path = self.repository.path_of(other.path)
            return InGit(msgspec.structs.replace(side.place, path=path), f"{side.name}:{path}")
        return side

    def _read_or_none(self, side: Side, other: Side) -> Document:
        try:
            return self._read(side, other)
        except UnknownReferenceError:
            raise
        except NotFoundError:
            if not isinstance(side, InGit):
                raise
            return Document(side.name, None)

    def _read(self, side: Side, other: Side) -> Document:
        if isinstance(side, Recorded):
            return Document(side.name, side.data)
        if isinstance(side, Given):
            data = side.data
            if data is not None and side.path is not None and isinstance(other, InGit):
                data = self._as_committed(side.path, data)
            return Document(side.name, data)
        if isinstance(side, InGit):
            from nbcellar.git.revisions import read_file

            return Document(side.name, read_file(self.repository.git, side.place))
        assert isinstance(side, File)
        shown = "standard input" if side.name == STANDARD_INPUT else side.name
        data = None if side.name == os.devnull else read_bytes(side.name, self.folder)
        if data is not None and isinstance(other, InGit) and other.place.path is not None and shown == side.name:
            data = self._as_committed(self.folder / Path(side.name).expanduser(), data)
        return Document(shown, data)

    def _folders(self, before: Folder, after: Folder, paths: Sequence[str]) -> Iterator[Pair]:
        old, new = (_notebooks_below(self.folder / Path(side.name).expanduser()) for side in (before, after))
        for name in sorted({*old, *new}):
            if not paths or any(_is_below(name, os.path.normpath(path)) for path in paths):
                sides = [
                    Document(f"{side.name}/{name}", _bytes_of(found.get(name)))
                    for side, found in ((before, old), (after, new))
                ]
                if sides[0].data != sides[1].data:
                    yield Pair(name, *sides)

    def _trees(self, before: InGit | WorkingCopy, after: InGit | WorkingCopy, paths: Sequence[str]) -> Iterator[Pair]:
        from nbcellar.git.revisions import changed_notebooks

        for side in (before, after):
            if isinstance(side, InGit) and side.place.path is not None:
                raise InvalidInputError(f"{side.name} is one notebook; give one for the other side, too")
        swapped = isinstance(before, WorkingCopy) or (_is_index(before) and not isinstance(after, WorkingCopy))
        first, second = (after, before) if swapped else (before, after)
        assert isinstance(first, InGit)
        revision = second.place.revision if isinstance(second, InGit) else None
        found = changed_notebooks(self.repository.git, first.place.revision, revision, staged=_is_index(second))
        wanted = [self._path(path) for path in paths]
        for changed in found:
            names = [name for name in (changed.new_path, changed.old_path) if name is not None]
            if wanted and not any(_is_below(name, path) for name in names for path in wanted):
                continue
            old, new = self._sides(changed, first, second)
            shown = " -> ".join(dict.fromkeys(reversed(names) if not swapped else names))
            yield Pair(shown, new, old) if swapped else Pair(shown, old, new)

    def _path(self, path: str) -> str:
        return self.repository.path_of((self.folder / Path(path).expanduser()).absolute())

    def _sides(self, changed: Changed, first: InGit, second: InGit | WorkingCopy) -> tuple[Document, Document]:
        from nbcellar.git.revisions import read_object

        git = self.repository.git
        old = Document(f"{first.name}:{changed.old_path}", read_object(git, changed.old) if changed.old else None)
        if isinstance(second, InGit):
            return old, Document(
                f"{second.name}:{changed.new_path}", read_object(git, changed.new) if changed.new else None
            )
        worktree = self.repository.worktree
        if worktree is None or changed.new_path is None:
            return old, Document(str(changed.new_path), None)
        path = worktree / changed.new_path
        data = _bytes_of(path)
        if data is not None and data != old.data:
            data = self._as_committed(path, data)
        return old, Document(changed.new_path, data)

    def _as_committed(self, file: Path, data: bytes) -> bytes:
        """Return a working file as git would commit it: what the filter keeps out of commits is no difference."""
        from nbcellar.git.cleaner import load_cleaner
        from nbcellar.git.working_files import as_committed

        git = self.repository.git
        if self._cleaner is None:  # what is wrong with settings, git says whenever it calls the filter
            self._cleaner = load_cleaner(git.folder, git.environ, lambda text: None)
        try:
            path = self.repository.path_of(file.absolute())
        except InvalidInputError:  # outside of the repository
            return data
        return as_committed(git, self._cleaner, path, data)


def _is_one(side: Side) -> bool:
    return isinstance(side, File | Recorded | Given) or (isinstance(side, InGit) and side.place.path is not None)


def _is_index(side: Side) -> bool:
    return isinstance(side, InGit) and side.place.revision is None


def _kind(side: Side) -> str:
    if isinstance(side, WorkingCopy):
        return "the working copy"
    kind = {File: "the file", Folder: "the folder", Recorded: "the recorded notebook", Given: "the notebook"}.get(
        type(side), "the revision"
    )
    return f"{kind} {side.name}"


def _refuse_paths(paths: Sequence[str]) -> None:
    if paths:
        raise InvalidInputError(
            f"{' '.join(paths)}: paths choose among several notebooks, and these sides are one each",
            hint="leave them out, or compare folders or revisions",
        )


def _notebooks_below(folder: Path) -> dict[str, Path]:
    """Return the notebooks below a folder by their path in it."""
    return {path.relative_to(folder).as_posix(): path for path in find_notebooks(folder)}


def _is_below(name: str, path: str) -> bool:
    return path in (".", "") or name == path or name.startswith(path.rstrip("/") + "/")


def _bytes_of(path: Path | None) -> bytes | None:
    if path is None:
        return None
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise NotFoundError(f"cannot read {path}: {error.strerror or error}") from error


__all__ = ["Document", "File", "Folder", "Given", "InGit", "Pair", "Recorded", "Side", "Sources", "WorkingCopy"]
