"""What the filter asks of cleaning: the rules that hold for each file.

Invariant: a cleaner is pure and idempotent, keeps the number, order and ids of cells, and its key for a path differs
when its results may, so that what was left out by some rules is never taken for the work of others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from nbcellar.errors import CellarError
from nbcellar.notebook.model import Notebook

if TYPE_CHECKING:
    from nbcellar.clean.rules import Rules


class Cleaner(Protocol):
    """The canonical form of notebooks, by the settings that hold for each."""

    def key(self, path: str) -> str:
        """Return a text that names the rules for the file `path`."""

    def clean(self, notebook: Notebook, path: str) -> Notebook:
        """Return the notebook without what the rules leave out for the file `path`."""

    def of_tree(self, tree: str) -> Cleaner:
        """Return the rules that will hold once git has checked out a tree."""


class ProjectRules:
    """The settings of a repository's folders, each read once: as `cellar clean` has them, as far as a filter may.

    Settings that cannot be read are said once a folder, and the defaults hold: outputs do not get into a commit because
    of a slip in a file of settings.
    """

    def __init__(
        self,
        folder: Path,
        environ: Mapping[str, str],
        say: Callable[[str], None],
        *,
        read: Callable[[Path], str] | None = None,
    ) -> None:
        """read: returns the text of a file of settings, "" for none; without it, they are those of the worktree."""
        from nbcellar.config.shared import CleanSettings

        self._folder = folder.absolute()
        self._environ = environ
        self._settings = CleanSettings(environ, read=read)
        self._say = say
        self._trees: dict[str, ProjectRules] = {}
        self._rules: dict[str, Rules] = {}
        self._keys: dict[str, str] = {}

    def key(self, path: str) -> str:
        """Return a text that names the rules for the file `path`."""
        folder = path.rpartition("/")[0]
        if folder not in self._keys:
            self._keys[folder] = self._of(folder).key
        return self._keys[folder]

    def clean(self, notebook: Notebook, path: str) -> Notebook:
        """Return the notebook without what the rules leave out; the very same object where that is nothing."""
        from nbcellar.clean.notebooks import clean

        return clean(notebook, self._of(path.rpartition("/")[0])).notebook

    def of_tree(self, tree: str) -> ProjectRules:
        """Return the rules that will hold once git has checked out a tree, for its notebooks and until then."""
        from nbcellar.git.process import Git
        from nbcellar.git.settings_of_trees import reader

        if tree not in self._trees:
            read = reader(Git(self._folder, self._environ), tree)
            self._trees[tree] = ProjectRules(self._folder, self._environ, self._say, read=read)
        return self._trees[tree]

    def _of(self, folder: str) -> Rules:
        if folder not in self._rules:
            self._rules[folder] = self._read(folder)
        return self._rules[folder]

    def _read(self, folder: str) -> Rules:
        from nbcellar.clean.rules import rules_for_commits
        from nbcellar.config.documents import Clean

        try:
            settings = self._settings.of(self._folder / folder)
        except CellarError as error:
            self._say(f"{error.message}; until that is mended, notebooks are committed as the default settings say")
            settings = Clean()
        return rules_for_commits(settings)


def load_cleaner(folder: Path, environ: Mapping[str, str], say: Callable[[str], None]) -> Cleaner:
    """Return the rules that hold in the worktree at `folder`."""
    return ProjectRules(folder, environ, say)


def object_id(data: bytes, digits: int) -> str:
    """Return git's name of a file's content, in a repository whose names have so many digits."""
    import hashlib

    head = b"blob %d\0" % len(data)
    hashed = hashlib.sha256(head) if digits == 64 else hashlib.sha1(head, usedforsecurity=False)
    hashed.update(data)
    return hashed.hexdigest()
