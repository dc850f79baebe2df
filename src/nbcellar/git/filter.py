"""The clean and smudge filter: outputs and noise stay out of commits and in the working copy.

    clean     working file -> what is committed: cleaned by the project's rules; what is left out is kept aside
    smudge    what is committed -> working file: what was left out of it, or of its cells, is put back

Laws: clean(smudge(x)) == x for every x, whatever is kept; what is no notebook goes through as it is; a file that is
byte for byte what is staged is clean as it is, so that a notebook that somebody committed with outputs is not
"modified".
Not for: talking to git (`filter_process.py`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from nbcellar.errors import CellarError
from nbcellar.git.cleaner import Cleaner, object_id
from nbcellar.git.kept_outputs import Kept, KeptOutputs, digest
from nbcellar.git.limits import LARGEST_BYTES
from nbcellar.git.putting_back import put_back, settled
from nbcellar.notebook.codec import read, write
from nbcellar.notebook.model import Notebook

# Notebooks whose outputs are looked through for a file that is new at its path (it was renamed).
_MOST_DONORS = 32

Filled = Callable[[Sequence[bytes], bytes], object]
"""What is told of the files whose outputs were put back, and of what came of it, before that is given to git."""


class _Donor(NamedTuple):
    """A file as it was, its notebook, and that as it would be committed."""

    data: bytes
    before: Notebook
    cleaned: Notebook


class Staged(Protocol):
    """What git's index holds."""

    def holds(self, path: str, data: bytes) -> bool:
        """Return whether exactly this content is staged for a path."""


class Filter:
    """Cleans and smudges the files of one repository.

    say: where a sentence for the user goes; exists: whether a path is there in the working copy; filled: is told of
    files that are made of others.
    """

    def __init__(
        self,
        cleaner: Cleaner,
        kept: KeptOutputs,
        staged: Staged,
        *,
        say: Callable[[str], None],
        exists: Callable[[str], bool],
        filled: Filled = lambda before, after: None,
    ) -> None:
        self._cleaner = cleaner
        self._kept = kept
        self._staged = staged
        self._say = say
        self._exists = exists
        self._tell_filled = filled

    def clean(self, data: bytes, path: str) -> bytes:
        """Return what is committed for a working file."""
        if not self._may_be_notebook(data, path):
            return data
        raw, rules = digest(data), self._cleaner.key(path)
        cleaned = self._kept.cleaned_form(raw, rules)
        if cleaned is None:
            cleaned = self._clean_anew(data, path)
            if cleaned is None:
                return data
            self._kept.note_cleaned_form(raw, rules, cleaned)
        if cleaned == data or self._staged.holds(path, data):
            return data
        try:
            self._kept.keep(Kept(path=os.fsencode(path), raw=raw, cleaned=digest(cleaned), rules=rules), data)
        except OSError as error:
            # Cleaned, git could take the file for unchanged and overwrite it, and its outputs would be nowhere.
            self._say(f"{path}: its outputs could not be kept aside ({error.strerror or error}), so they stay in it")
            return data
        return cleaned

    def of_tree(self, tree: str) -> Filter:
        """Return the filter for files of a tree that git is checking out: its settings may differ."""
        cleaner = self._cleaner.of_tree(tree)
        return Filter(cleaner, self._kept, self._staged, say=self._say, exists=self._exists, filled=self._tell_filled)

    def smudge(self, data: bytes, path: str) -> bytes:
        """Return the working file for what is committed."""
        if len(data) > LARGEST_BYTES or not _looks_like_notebook(data):
            return data
        wanted = digest(data)
        exact = self._kept.find(wanted, os.fsencode(path))
        if exact is not None and self._cleans_to(exact[1], data, path, by=exact[0].rules):
            return exact[1]
        try:
            notebook = read(data, path=path)
            donor = self._donor(notebook, path)
            text = data if donor is None else self._filled(notebook, donor, path)
        except (CellarError, RecursionError):
            return data
        if donor is None or text == data or not self._cleans_to(text, data, path):
            return data
        self._tell_filled([donor.data], text)
        return text

    def _may_be_notebook(self, data: bytes, path: str) -> bool:
        if len(data) > LARGEST_BYTES:
            self._say(f"{path}: larger than {LARGEST_BYTES >> 20} MiB, so it is not cleaned")
            return False
        return _looks_like_notebook(data)

    def _clean_anew(self, data: bytes, path: str) -> bytes | None:
        try:
            notebook = read(data, path=path)
            if write(notebook) != data:  # of nbformat 3 or older: it is read upgraded, which is not for a filter to do
                return None
            cleaned = write(self._cleaner.clean(notebook, path))
        except CellarError as error:
            if b"\n<<<<<<< " not in data:  # git's own, of which the user knows
                self._say(f"{error.message}; it is not cleaned")
            return None
        except (RecursionError, MemoryError) as error:
            self._say(f"{path}: {type(error).__name__}; it is not cleaned")
            return None
        return cleaned

    def _cleans_to(self, filled: bytes, data: bytes, path: str, *, by: str = "") -> bool:
        """Return whether a file cleans to `data`; it is known for one that was kept by the same rules."""
        if by == self._cleaner.key(path):
            return True
        try:
            return write(self._cleaner.clean(read(filled), path)) == data
        except (CellarError, RecursionError):
            return False

    def _filled(self, notebook: Notebook, donor: _Donor, path: str) -> bytes:
        """Return the file with what was left out of its cells."""
        filled = put_back(notebook, donor.before, donor.cleaned)
        return write(settled(filled, notebook, self._cleaner.clean(filled, path)))

    def _donor(self, notebook: Notebook, path: str) -> _Donor | None:
        latest = self._kept.latest(os.fsencode(path))
        if latest is not None:
            return self._with_clean_form(latest[1], path)
        return self._renamed(notebook, path)

    def _renamed(self, notebook: Notebook, path: str) -> _Donor | None:
        """Return the notebook that has most of these cells, by id, and is gone from its own path."""
        ids = {(cell.id, cell.source) for cell in notebook.cells if cell.id and cell.type == "code"}
        best: _Donor | None = None
        most = len(ids) // 2
        if not ids:
            return best
        for kept, data in self._kept.newest(_MOST_DONORS):
            if self._exists(os.fsdecode(kept.path)):
                continue
            donor = self._with_clean_form(data, path)
            shared = sum((cell.id, cell.source) in ids for cell in donor.before.cells) if donor else 0
            if shared > most:
                best, most = donor, shared
        return best

    def _with_clean_form(self, data: bytes, path: str) -> _Donor | None:
        """Return a notebook as it was, and as it would be committed at `path`."""
        try:
            before = read(data)
            return _Donor(data, before, self._cleaner.clean(before, path))
        except (CellarError, RecursionError):
            return None


def _looks_like_notebook(data: bytes) -> bool:
    return data[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")


class NothingStaged:
    """An index that holds nothing: files are cleaned whatever is staged (`cellar git renormalize`)."""

    def holds(self, path: str, data: bytes) -> bool:
        """Return False."""
        return False


class StagedContents:
    """What git's index holds, read when it is first asked for and again when it changed.

    listing: returns a value that changes with the index, and the object ids by path.
    """

    def __init__(self, version: Callable[[], object], listing: Callable[[], Mapping[str, frozenset[str]]]) -> None:
        self._version = version
        self._listing = listing
        self._known: Mapping[str, frozenset[str]] = {}
        self._known_version: object = None

    def holds(self, path: str, data: bytes) -> bool:
        """Return whether exactly this content is staged for a path."""
        version = self._version()
        if version is None or version != self._known_version:
            self._known, self._known_version = self._listing(), version
        staged = self._known.get(path, frozenset())
        return bool(staged) and object_id(data, len(next(iter(staged)))) in staged
