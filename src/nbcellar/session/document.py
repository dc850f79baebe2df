"""The notebook's file, recorded with a commit when it has changed since the last one.

The kernel does not see the open document, only what the front end saved. Runs in the writer's thread.
Invariant: a file that cannot be read or is no notebook is no error here: the executed cell's source is recorded anyway.
"""

from __future__ import annotations

import contextlib
import os
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

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: tuple[int, int, int] | None = None
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

    def put(self, sink: DocumentSink, *, always: bool) -> Digest | None:
        """Put the document if it changed; return its tree. `always`: return it even if it did not change."""
        try:
            stat = self.path.stat()
            seen = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            if seen == self._seen:
                self._note_unsaved(sink)
                return self._tree if always and self._tree is not None and sink.has(self._tree) else None
            data = self.path.read_bytes()
        except OSError:
            return None
        self._seen = seen
        tree = self._split(data, sink, stat)
        changed = tree != self._tree
        self._tree = tree
        return tree if always or changed else None

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

        self._evidence = evidence_of(stat, ())
        try:
            content = notebook.read(data, path=self.path.name)
            root, objects = tree.split(content)
        except CellarError:
            return None
        cells = cell_keys(content)
        self._evidence = evidence_of(stat, cells, () if cells else self._ran)
        sink.saw_file(self._evidence)
        for part in objects:
            sink.put(Kind[part.kind], part.data, digest=part.digest)
        return root

    def forget(self) -> None:
        """Look again next time: the commit that held the document was not saved."""
        self._seen = None
