"""The notebook's file, recorded with a commit when it has changed since the last one.

The kernel does not see the open document, only what the front end saved. Runs in the writer's thread.
Invariant: a file that cannot be read or is no notebook is no error here: the executed cell's source is recorded anyway.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nbcellar.ids import Digest
from nbcellar.store.interface import Kind

if TYPE_CHECKING:
    from nbcellar.session.pending import ObjectSink


class Document:
    """Follows one notebook file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: tuple[int, int, int] | None = None
        self._tree: Digest | None = None

    def put(self, sink: ObjectSink, *, always: bool) -> Digest | None:
        """Put the document if it changed; return its tree. `always`: return it even if it did not change."""
        try:
            stat = self.path.stat()
            seen = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            if seen == self._seen:
                return self._tree if always and self._tree is not None and sink.has(self._tree) else None
            data = self.path.read_bytes()
        except OSError:
            return None
        self._seen = seen
        tree = self._split(data, sink)
        changed = tree != self._tree
        self._tree = tree
        return tree if always or changed else None

    def _split(self, data: bytes, sink: ObjectSink) -> Digest | None:
        from nbcellar import notebook
        from nbcellar.errors import CellarError
        from nbcellar.notebook import tree

        try:
            root, objects = tree.split(notebook.read(data, path=self.path.name))
        except CellarError:
            return None
        for part in objects:
            sink.put(Kind[part.kind], part.data, digest=part.digest)
        return root

    def forget(self) -> None:
        """Look again next time: the commit that held the document was not saved."""
        self._seen = None
