"""Notebooks that git wrote while the rules of cleaning changed: their outputs are put right once git is done.

A merge, a rebase or a pick can bring other settings (`clean.outputs`) together with notebooks, and writes files in the
order of their names, by settings that it does not name. What the filter did with a notebook was then right for the old
rules or for none. When git is done, both are known: those of the index as it was, those of the files as they are.

Invariant: only a file that still is what the filter gave git is written, and only to get outputs (with
the noise of their run) that it had before, into cells of the same source that have none.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from nbcellar.config.shared import FILE_NAMES, read_shared
from nbcellar.errors import CellarError
from nbcellar.git.cleaner import ProjectRules
from nbcellar.git.filter import Filled
from nbcellar.git.kept_outputs import KeptOutputs, digest
from nbcellar.git.process import Git
from nbcellar.git.putting_back import put_back
from nbcellar.notebook.codec import read, write
from nbcellar.notebook.model import Notebook

_SUFFIX = ".ipynb"
# What somebody asked for who wants the files of a commit and nothing else; git names the tree then.
_ASKED_FOR = ("checkout:", "reset:", "clone:")


class Index(msgspec.Struct, frozen=True):
    """What the index has, by path, and the commit that is checked out ("" for none)."""

    oids: Mapping[str, str]
    head: str

    @property
    def settings(self) -> dict[str, str]:
        """Return the files of settings."""
        return {path: oid for path, oid in self.oids.items() if path.rpartition("/")[2] in FILE_NAMES}


class Written(msgspec.Struct, frozen=True):
    """What the filter gave git for a file: its digest, and whether git had named the tree that it comes from."""

    content: bytes
    names_tree: bool


class Had(msgspec.Struct, frozen=True):
    """A working file as it was; `is_ours`: what it had besides the commit is nowhere in git."""

    data: bytes
    notebook: Notebook
    is_ours: bool


class Arrivals:
    """The notebooks that one filter process gives git for the working copy; `git` stands at the top of it."""

    def __init__(self, git: Git, filled: Filled = lambda before, after: None) -> None:
        """filled: is told of the files whose outputs are put back, and of what came of it."""
        self._git = git
        self._filled = filled
        self._before: Index | None = None
        self._written: dict[str, Written] = {}

    def begin(self) -> None:
        """Look at the index, before git replaces it: when the first file is asked for."""
        if self._before is None:
            try:
                self._before = Index(_listing(self._git), _head(self._git))
            except CellarError:  # the file is to be answered all the same
                self._before = Index({}, "")

    def note(self, path: str, data: bytes, *, names_tree: bool) -> None:
        """Note what git gets for a path."""
        self._written[path] = Written(digest(data), names_tree)

    def settle(self, kept: KeptOutputs, environ: Mapping[str, str], say: Callable[[str], None]) -> None:
        """Put outputs right, now that git is done; does nothing where no settings came with the notebooks.

        Raises CellarError and OSError; what was not done then is in `kept`, as ever.
        """
        if self._before is None or not self._written:
            return
        after = Index(_listing(self._git), "")
        if self._before.settings != after.settings:
            after = Index(after.oids, _head(self._git))
            change = _Change(self._git, self._before, after, kept, environ, self._filled)
            for path, written in self._written.items():
                for text in change.settle(path, written):
                    say(f"{path}: {text}")


class _Change:
    """One change of settings: the rules before and after it."""

    def __init__(
        self, git: Git, before: Index, after: Index, kept: KeptOutputs, environ: Mapping[str, str], filled: Filled
    ) -> None:
        self._git, self._before, self._after, self._kept = git, before, after, kept
        read_old = _reader(git, before.settings, after.settings)
        self._filled = filled
        self._old = ProjectRules(git.folder, environ, _silent, read=read_old)
        self._new = ProjectRules(git.folder, environ, _silent)
        self._is_asked_for = before.head == after.head or _moved_by(git).startswith(_ASKED_FOR)

    def settle(self, path: str, written: Written) -> list[str]:
        """Put the outputs of one file right; return what there is to tell."""
        file, oid = self._git.folder / path, self._before.oids.get(path)
        if oid is None or self._old.key(path) == self._new.key(path) or file.is_symlink():
            return []
        try:
            data = file.read_bytes()
            if digest(data) != written.content:
                return []
            had, notebook = self._had(path, oid), read(data)
        except (CellarError, FileNotFoundError, RecursionError):  # no notebook, or gone again
            return []
        filled = put_back(notebook, had.notebook, self._new.clean(had.notebook, path))
        told = []
        if not (written.names_tree and self._is_asked_for):
            more = put_back(filled, had.notebook, self._old.clean(had.notebook, path))
            filled = more
            told = [*self._told_stayed(path, filled), *_told_gone(path, filled, had, self._before.head)]
        text = write(filled)
        if text != data:
            from nbcellar.files import replace_file  # most processes write nothing

            replace_file(file, text)
            self._filled([had.data, data], text)
        return told

    def _told_stayed(self, path: str, made: Notebook) -> list[str]:
        """Return what to tell of outputs that make the file differ from what is staged."""
        oid = self._after.oids.get(path)
        staged = read(self._git.run("cat-file", "blob", oid).out) if oid else made
        bare = {cell.id for cell in staged.cells if not cell.outputs}
        stayed = sum(bool(cell.outputs) and cell.id in bare for cell in self._new.clean(made, path).cells)
        if not stayed:
            return []
        what = "the outputs of one cell stay" if stayed == 1 else f"the outputs of {stayed} cells stay"
        return [f"with the settings that came, outputs belong in commits; {what} in the file as a change"]

    def _had(self, path: str, oid: str) -> Had:
        """Return the working file as it was: as it was kept for what the index had, else that itself."""
        staged = self._git.run("cat-file", "blob", oid).out
        found = self._kept.find(digest(staged), os.fsencode(path))
        if found is not None and (found[0].path, found[0].rules) == (os.fsencode(path), self._old.key(path)):
            return Had(found[1], read(found[1]), True)
        return Had(staged, read(staged), False)


def _told_gone(path: str, made: Notebook, had: Had, head: str) -> list[str]:
    """Return what to tell of outputs that gave way to those of a commit and are nowhere in git."""
    now = {(cell.id, cell.source): cell.outputs for cell in made.cells if cell.id}
    gone = sum(
        bool(cell.outputs) and now.get((cell.id, cell.source), cell.outputs) != cell.outputs
        for cell in had.notebook.cells
    )
    if not gone or not had.is_ours:
        return []
    from shlex import quote

    what = "one cell has" if gone == 1 else f"{gone} cells have"
    back = f"git checkout {head[:12]} -- {quote(path)}"
    return [f"{what} outputs of a commit now; those that were there are kept, to see them: {back}"]


def _reader(git: Git, was: Mapping[str, str], now: Mapping[str, str]) -> Callable[[Path], str]:
    """Return what reads the settings as they were."""
    top = git.folder.absolute()
    changed = {top / path: was.get(path) for path in {*was, *now} if was.get(path) != now.get(path)}

    def read_old(path: Path) -> str:
        if path not in changed:
            return read_shared(path)
        oid = changed[path]
        return git.run("cat-file", "blob", oid).out.decode("utf-8", "replace") if oid else ""

    return read_old


def _listing(git: Git) -> dict[str, str]:
    oids = {}
    for line in git.run("ls-files", "-s", "-z").out.split(b"\0"):
        head, _, name = line.partition(b"\t")
        path = os.fsdecode(name)
        if path.endswith(_SUFFIX) or path.rpartition("/")[2] in FILE_NAMES:
            oids[path] = head.split(b" ")[1].decode()
    return oids


def _head(git: Git) -> str:
    return git.run("rev-parse", "-q", "--verify", "HEAD", check=False).out.decode().strip()


def _moved_by(git: Git) -> str:
    """Return what git notes of the last command that moved HEAD; where it notes nothing, that of a checkout."""
    noted = git.run("log", "-g", "-1", "--format=%gs", check=False).out.decode("utf-8", "replace")
    return noted.strip() or _ASKED_FOR[0]


def _silent(text: str) -> None:
    """Say nothing: the filter has said it."""
