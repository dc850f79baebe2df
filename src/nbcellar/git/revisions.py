"""Files as revisions and the index have them, and which notebooks two of them differ in.

A place is written `git:REV:PATH`, `git:REV` (the tree), `git::PATH` (the index) or `git:` (the index, all of it).

Invariant: a name of a revision never becomes an option of git's, a path never a pattern; what is no file (a link, a
submodule, a folder) is an error and not its text.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import msgspec

from nbcellar.errors import InvalidInputError, NotFoundError, UnknownReferenceError
from nbcellar.git.process import Git, GitFailedError

PREFIX = "git:"
_STAGES = {0: "the index", 1: "base", 2: "ours", 3: "theirs"}


class Place(msgspec.Struct, frozen=True):
    """`revision`: None for the index. `path`: None for all files."""

    revision: str | None
    path: str | None


class Changed(msgspec.Struct, frozen=True):
    """A file that differs: its path on either side (None: it is not there) and its objects ("" for a working file)."""

    old_path: str | None
    new_path: str | None
    old: str
    new: str


def parse_place(text: str) -> Place:
    """Return what `git:...` names. Raises InvalidInputError for other text."""
    if not text.startswith(PREFIX):
        raise InvalidInputError(
            f"'{text}' does not begin with '{PREFIX}'", hint="write git:REV:PATH, or git: for the index"
        )
    rest = text.removeprefix(PREFIX)
    revision, colon, path = _split(rest)
    return Place(revision or None, path if colon else None)


def find_commit(git: Git, revision: str) -> str:
    """Return the commit that a revision means, as 40 or 64 digits. Raises UnknownReferenceError."""
    return _object(git, f"{revision}^{{commit}}", revision)


def read_file(git: Git, place: Place, *, stage: int = 0) -> bytes:
    """Return a file's bytes. `stage` is for the index: 1 base, 2 ours, 3 theirs of a merge that is not done.

    Raises NotFoundError, UnknownReferenceError, InvalidInputError.
    """
    if place.path is None:
        raise InvalidInputError("this names all files of a revision, not one", hint="write git:REV:PATH")
    oid = _staged(git, place.path, stage) if place.revision is None else _committed(git, place.revision, place.path)
    return git.run("cat-file", "blob", oid).out


def read_object(git: Git, oid: str) -> bytes:
    """Return the bytes of an object that git has named."""
    return git.run("cat-file", "blob", oid).out


def stages_of(git: Git, path: str) -> dict[int, bytes]:
    """Return what the index holds of a file in conflict: 1 base, 2 ours, 3 theirs, as far as they are there."""
    return {stage: read_object(git, oid) for stage, (_, oid) in _index_entries(git, path).items() if stage}


def changed_notebooks(git: Git, old: str | None, new: str | None, *, staged: bool = False) -> list[Changed]:
    """Return the notebooks that differ between two revisions, renames found.

    new None: the working copy, or the index when `staged`; old None: the index (then new is the working copy).
    """
    words = ["diff", "--raw", "-z", "-M", "--no-abbrev", "--no-ext-diff", "--ignore-submodules"]
    if staged:
        words.append("--cached")
    words += [find_commit(git, name) for name in (old, new) if name is not None]
    found = _parse_raw(git.run(*words, "--").out.split(b"\0"))
    return [entry for entry in found if _is_notebook(entry.old_path) or _is_notebook(entry.new_path)]


def _split(rest: str) -> tuple[str, str, str]:
    """Split at git's colon: the first outside of braces, as in `HEAD^{/fix: it}:nb.ipynb`."""
    depth = 0
    for at, sign in enumerate(rest):
        depth += (sign == "{") - (sign == "}")
        if sign == ":" and depth <= 0:
            return rest[:at], ":", rest[at + 1 :]
    return rest, "", ""


def _object(git: Git, expression: str, shown: str) -> str:
    try:
        found = git.line("rev-parse", "--verify", "--quiet", "--end-of-options", expression)
    except (GitFailedError, ValueError):  # a NUL in it
        found = ""
    if not found or found.startswith("^"):  # ^HEAD: all that cannot be reached from it
        raise UnknownReferenceError(f"git knows no revision '{shown}'", hint="to list some: git log --oneline")
    return found


def _committed(git: Git, revision: str, path: str) -> str:
    tree = _object(git, f"{revision}^{{tree}}", revision)
    listing = git.run("ls-tree", "-z", "--full-tree", tree, "--", os.fsencode(path)).out
    for line in filter(None, listing.split(b"\0")):
        head, _, name = line.partition(b"\t")
        mode, _, oid = head.decode().split()
        if os.fsdecode(name) == path:
            return _checked(mode, oid, f"{path} in {revision}")
    raise NotFoundError(f"{path} is not in {revision}")


def _staged(git: Git, path: str, stage: int) -> str:
    found = _index_entries(git, path)
    if stage in found:
        return _checked(*found[stage], f"{path} in {_STAGES[stage]}")
    if found and stage == 0:
        raise InvalidInputError(f"{path} is in the midst of a merge", hint=f"to resolve: cellar resolve {path}")
    raise NotFoundError(f"{path} is not in {_STAGES.get(stage, 'the index')}")


def _index_entries(git: Git, path: str) -> dict[int, tuple[str, str]]:
    """Return mode and object by stage."""
    found = {}
    for line in git.run("ls-files", "-s", "-z", "--full-name", "--", os.fsencode(path)).out.split(b"\0"):
        head, _, name = line.partition(b"\t")
        if name and os.fsdecode(name) == path:
            mode, oid, stage = head.decode().split()
            found[int(stage)] = (mode, oid)
    return found


def _checked(mode: str, oid: str, shown: str) -> str:
    kinds = {"120000": "a symbolic link", "160000": "a submodule", "040000": "a folder"}
    if mode in kinds:
        raise InvalidInputError(f"{shown} is {kinds[mode]}, not a file")
    return oid


def _parse_raw(fields: list[bytes]) -> Iterator[Changed]:
    rest = iter(fields)
    for head in rest:
        if not head:
            continue
        old_mode, new_mode, old, new, status = head.decode().lstrip(":").split()
        first = os.fsdecode(next(rest))
        second = os.fsdecode(next(rest)) if status[0] in "RC" else first
        yield Changed(
            first if old_mode != "000000" else None,
            second if new_mode != "000000" else None,
            old if old.strip("0") else "",
            new if new.strip("0") else "",
        )


def _is_notebook(path: str | None) -> bool:
    return path is not None and path.endswith(".ipynb")
