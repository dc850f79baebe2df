"""The notebook, recorded with a commit when it has changed since the last one: as it was open, or as the file has it.

Runs in the writer's thread. Invariant: a file that cannot be read or is no notebook is no error here: the executed
cell's source is recorded anyway. How the file looks is noted in any case, so that a rename is recognised.

Not for: which of the two it is (`drafts.py`).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec

from nbcellar.errors import CellarError
from nbcellar.history.evidence import (
    SAME_SHARE,
    Evidence,
    cell_key,
    cell_keys,
    evidence_of,
    likeness,
    read_cell_keys,
)
from nbcellar.history.notebooks import find_moved, path_of, relative_path
from nbcellar.ids import Digest, NotebookId
from nbcellar.session.drafts import Drafts, Run, UnusableDraftError
from nbcellar.session.pending import ObjectSink
from nbcellar.store.interface import Kind

if TYPE_CHECKING:
    from nbcellar.history.repository import Repository


MOST_RAN = 8


class DocumentSink(ObjectSink, Protocol):
    """The part of a recorder that documents need."""

    def saw_file(self, seen: Evidence) -> None: ...


class Document:
    """Follows one notebook file."""

    def __init__(self, path: Path, drafts: Path) -> None:
        """`drafts`: the folder where editors leave the notebooks that they hold."""
        self.path = path
        self._drafts = Drafts(drafts)
        self._noted: tuple[int, int, int] | None = None  # the file of which `_evidence` speaks
        self._seen: tuple[int, int, int] | None = None  # and the one that `_file_tree` is
        self._file_tree: Digest | None = None
        self._evidence = Evidence()
        self._ran: dict[bytes, None] = {}
        self._tree: Digest | None = None

    def follow(self, repo: Repository, notebook: NotebookId) -> None:
        """Go on with the file under its new name, if it was renamed; another one may be at its old path by now."""
        before = self._evidence
        here = self._likeness_here(before)
        if before.inode == 0 or here is None:
            return
        with contextlib.suppress(OSError, CellarError):
            known = repo.root / path_of(repo, notebook)
            if known != self.path and known.exists() and here < SAME_SHARE:  # somebody else has noticed
                self.path = known
                return
            seen = msgspec.structs.replace(before, ran=tuple(self._ran))
            old = relative_path(repo, self.path)
            new = find_moved(repo, notebook, old, seen, read_cell_keys, at_least=here)
            if new is not None:
                self.path = repo.root / new

    def ran(self, source: str) -> None:
        """Note a cell that ran: what a file holds that has not been saved yet."""
        if len(self._ran) < MOST_RAN:
            self._ran[cell_key("code", source)[:8]] = None

    def put(self, sink: DocumentSink, *, always: bool, run: Run | None = None) -> Digest | None:
        """Put the notebook if it changed; return its tree. `always`: return it even if it did not change.

        run: the cell run that is recorded; if what is open is no notebook of this run, nothing is put.
        """
        try:
            stat = self.path.stat()
        except OSError:
            stat = None
        draft = self._drafts.find(self.path, run, stat.st_mtime_ns if stat is not None else 0)
        if draft is not None:
            with contextlib.suppress(UnusableDraftError):
                tree = self._drafts.put(draft, run, sink)
                if stat is not None:
                    self._note_file(stat, sink)
                return None if tree is None else self._result(tree, always=always)
        if stat is None:
            return None
        if not always and _stamp(stat) == self._seen and self._file_tree == self._tree:
            self._note_unsaved(sink)
            return None
        try:
            return self._result(self._put_file(stat, sink), always=always)
        except OSError:
            return None

    def _result(self, tree: Digest | None, *, always: bool) -> Digest | None:
        changed = tree != self._tree
        self._tree = tree
        return tree if always or changed else None

    def _put_file(self, stat: os.stat_result, sink: DocumentSink) -> Digest | None:
        """Put the file, unless it is the one that was put last; raises OSError."""
        if _stamp(stat) == self._seen and self._file_tree is not None and sink.has(self._file_tree):
            self._note_unsaved(sink)
            return self._file_tree
        data = self.path.read_bytes()
        self._seen = _stamp(stat)
        self._file_tree = self._split(data, sink, stat)
        return self._file_tree

    def _note_file(self, stat: os.stat_result, sink: DocumentSink) -> None:
        """Note how the file looks, though something else is recorded."""
        if _stamp(stat) == self._noted:
            self._note_unsaved(sink)
            return
        self._note(stat, read_cell_keys(self.path), sink)

    def _note(self, stat: os.stat_result, cells: Sequence[bytes], sink: DocumentSink) -> None:
        self._noted = _stamp(stat)
        self._evidence = evidence_of(stat, cells, () if cells else self._ran)
        sink.saw_file(self._evidence)

    def _likeness_here(self, before: Evidence) -> float | None:
        """Return how much the file at the path looks like the one that was seen last; None: it is that one."""
        try:
            stat = self.path.stat()
        except OSError:
            return 0.0
        if (stat.st_dev, stat.st_ino) == (before.device, before.inode):
            return None
        return likeness(before, evidence_of(stat, read_cell_keys(self.path)))

    def _note_unsaved(self, sink: DocumentSink) -> None:
        """Note what ran while the file holds no cells: it may be saved and renamed before it is seen again."""
        ran = tuple(sorted(self._ran))
        if not self._evidence.cells and ran != self._evidence.ran:
            self._evidence = msgspec.structs.replace(self._evidence, ran=ran)
            sink.saw_file(self._evidence)

    def _split(self, data: bytes, sink: DocumentSink, stat: os.stat_result) -> Digest | None:
        from nbcellar import notebook
        from nbcellar.notebook import tree

        self._noted, self._evidence = None, evidence_of(stat, ())
        try:
            content = notebook.read(data, path=self.path.name)
            root, objects = tree.split(content)
        except CellarError:
            return None
        self._note(stat, cell_keys(content), sink)
        for part in objects:
            sink.put(Kind[part.kind], part.data, digest=part.digest)
        return root

    def forget(self, *, unsaved: bool = False) -> None:
        """Look again next time. `unsaved`: the commit that held the notebook was not saved, so the next one is to."""
        self._seen = None
        self._drafts.forget()
        if unsaved:
            self._tree = None


def _stamp(stat: os.stat_result) -> tuple[int, int, int]:
    return stat.st_mtime_ns, stat.st_size, stat.st_ino
