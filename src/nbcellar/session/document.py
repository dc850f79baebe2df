"""The notebook's file, recorded with a commit when it has changed since the last one.

The kernel does not see the open document, only what the front end saved. Runs in the writer's thread.
Invariant: a file that cannot be read or is no notebook is no error here: the executed cell's source is recorded anyway.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from nbcellar.errors import CellarError
from nbcellar.history.notebooks import Evidence, cell_keys, evidence_of
from nbcellar.ids import Digest
from nbcellar.session.pending import ObjectSink
from nbcellar.store.interface import Kind

if TYPE_CHECKING:
    from nbcellar.history.repository import Repository


class DocumentSink(ObjectSink, Protocol):
    """The part of a recorder that documents need."""

    def saw_file(self, seen: Evidence) -> None: ...


class Document:
    """Follows one notebook file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: tuple[int, int, int] | None = None
        self._file: tuple[int, int] | None = None  # device and inode
        self._tree: Digest | None = None

    def follow(self, repo: Repository) -> None:
        """Go on with the file under its new name, if it was renamed in its folder."""
        if self._file is None or self.path.exists():
            return
        with contextlib.suppress(OSError, CellarError):
            with os.scandir(self.path.parent) as entries:
                names = [e.name for e in entries if e.name.endswith(".ipynb") and e.inode() == self._file[1]]
            for name in names:
                path = self.path.with_name(name)
                status = path.stat()
                if (status.st_dev, status.st_ino) == self._file:
                    repo.notebook_for(path)
                    self.path = path

    def put(self, sink: DocumentSink, *, always: bool) -> Digest | None:
        """Put the document if it changed; return its tree. `always`: return it even if it did not change."""
        try:
            stat = self.path.stat()
            seen = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            if seen == self._seen:
                return self._tree if always and self._tree is not None and sink.has(self._tree) else None
            data = self.path.read_bytes()
        except OSError:
            return None
        self._seen, self._file = seen, (stat.st_dev, stat.st_ino)
        tree = self._split(data, sink, stat)
        changed = tree != self._tree
        self._tree = tree
        return tree if always or changed else None

    def _split(self, data: bytes, sink: DocumentSink, stat: os.stat_result) -> Digest | None:
        from nbcellar import notebook
        from nbcellar.notebook import tree

        try:
            content = notebook.read(data, path=self.path.name)
            root, objects = tree.split(content)
        except CellarError:
            return None
        sink.saw_file(evidence_of(stat, cell_keys(content)))
        for part in objects:
            sink.put(Kind[part.kind], part.data, digest=part.digest)
        return root

    def forget(self) -> None:
        """Look again next time: the commit that held the document was not saved."""
        self._seen = None
