"""What the words of `cellar diff` mean: commits of Cellar's, or notebooks in files, folders and git.

Invariant: what is on disk and what begins with `git:` is what it says, two files alone behind `--` too; a bare name is
Cellar's where the notebook has a history, else git's; where it could be both, that is an error which names both.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from nbcellar.cli.console import Console, find_cellar_folder
from nbcellar.errors import (
    AmbiguousReferenceError,
    CellarError,
    InvalidInputError,
    NotFoundError,
    UnknownReferenceError,
)

if TYPE_CHECKING:
    from nbcellar.api.document_sources import Side, Sources
    from nbcellar.git.revisions import Place

# What means the same in Cellar's history whatever git has, or can be nothing of git's.
_CELLARS_OWN = re.compile(r"(HEAD|@)([~^]\d*)*|op:\d+|[0-9a-f]{4,64}|.+@.+", re.DOTALL)


class Chosen(NamedTuple):
    """Two sides that are notebooks (`nbcellar.api.document_sources`), and the paths that choose among them."""

    sources: Sources
    before: Side
    after: Side
    paths: Sequence[str] = ()


def choose(words: Sequence[str], rest: Sequence[str], console: Console) -> Chosen | None:
    """Return the notebooks that are meant, None when commits of Cellar's are: `rest` are variables then, else paths."""
    has_history = find_cellar_folder(console.folder) is not None
    if not words and len(rest) == 2 and all(_is_file(word, console) for word in rest):
        words, rest = rest, ()
    if not words and has_history:
        return None
    from nbcellar.api.document_sources import Sources

    sources = Sources(console.folder, console.environ)
    sides = [sources.side(word) for word in words[:2]]
    if has_history and all(side is None for side in sides):
        if _all_are_cellars([part for word in words[:2] for part in word.split("..") if part], sources, console):
            return None
    return _notebooks(words, rest, sides, sources, has_history, console)


def _is_file(word: str, console: Console) -> bool:
    return word == "-" or (console.folder / word).is_file()


def _notebooks(
    words: Sequence[str],
    rest: Sequence[str],
    sides: list[Side | None],
    sources: Sources,
    has_history: bool,
    console: Console,
) -> Chosen:
    from nbcellar.api.document_sources import File, InGit, WorkingCopy

    index = InGit(_place(None), "git:")
    if len(words) == 1 and ".." in words[0] and sides == [None]:
        words = [part or "HEAD" for part in words[0].split("..", 1)]
        sides = [None, None]
    if not words:
        return Chosen(sources, index, WorkingCopy(), list(rest))
    found = [
        side if side is not None else _named(word, sources, has_history, console)
        for word, side in zip(words[:2], sides, strict=True)
    ]
    if len(found) == 1:
        only = found[0]
        if isinstance(only, File):
            return Chosen(sources, InGit(_place("HEAD"), "git:HEAD"), only, list(rest))
        return Chosen(sources, only, WorkingCopy(), list(rest))
    return Chosen(sources, found[0], found[1], [*words[2:], *rest])


def _named(word: str, sources: Sources, has_history: bool, console: Console) -> Side:
    """Return what a bare name means beside a notebook."""
    from nbcellar.api.document_sources import InGit, Recorded

    if has_history:
        from nbcellar.api.code import document

        try:
            with console.open_repo() as repo:
                return Recorded(word, document(repo.repository, repo.resolve(word)))
        except (UnknownReferenceError, NotFoundError) as error:
            if not _git_knows(word, sources):
                raise error
    if not _git_knows(word, sources):
        raise NotFoundError(
            f"'{word}' is no file, no folder, and no revision of git's",
            hint="cellar diff --help lists what can be compared",
        )
    return InGit(_place(word), f"git:{word}")


def _place(revision: str | None) -> Place:
    from nbcellar.git.revisions import Place

    return Place(revision, None)


def _all_are_cellars(words: Sequence[str], sources: Sources, console: Console) -> bool:
    """Return whether bare names mean commits of Cellar's; False when all are git's alone.

    Raises AmbiguousReferenceError for a branch or tag of both.
    """
    open_to_both = [word for word in words if not _CELLARS_OWN.fullmatch(word)]
    in_git = [word for word in open_to_both if _git_knows(word, sources)]
    if not in_git:
        return True
    with console.open_repo() as repo:
        for word in in_git:
            try:
                notebook, _ = repo.locate(word)
            except CellarError:
                continue
            name = repo.repository.label(notebook)
            raise AmbiguousReferenceError(
                f"'{word}' is a name in the history of {name} and a revision of git's",
                hint=f"say {name}@{word} or git:{word}",
            )
    if len(in_git) < len(words):
        others = [word for word in words if word not in in_git]
        raise InvalidInputError(
            f"'{in_git[0]}' is a revision of git's, '{others[0]}' a commit of Cellar's",
            hint="name the notebook, as in: cellar diff REF analysis.ipynb",
        )
    return False


def _git_knows(word: str, sources: Sources) -> bool:
    from nbcellar.git.revisions import find_commit

    try:
        find_commit(sources.repository.git, word)
    except CellarError:
        return False
    return True


__all__ = ["Chosen", "choose"]
