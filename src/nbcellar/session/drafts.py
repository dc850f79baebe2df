"""Which notebook a commit holds: the one that was open in the editor that asked for the run, or the file.

The rule, for a run that an editor asked for:

1. A draft that this editor sent for this run, or later, is the notebook. It is waited for: it is sent as the run is.
2. Of an editor that stays silent, the draft counts only if it is newer than the file.
3. Else the file is the notebook; so it is for every run of a program that sends no drafts.

For a commit without a run, the draft of the last editor counts where it is newer than the file.

Invariant: the cell that ran has the source that ran, and its outputs. A draft without that cell is not the notebook of
its run. Runs in the writer's thread: nobody waits with it but who asks for all to be saved.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import NamedTuple

from nbcellar.history.drafts import Draft, DraftCell, draft_name, index_path, read_cells, read_draft
from nbcellar.history.evidence import cell_key
from nbcellar.ids import Digest
from nbcellar.session.pending import ObjectSink
from nbcellar.store.interface import Kind

ANSWER_S = 1.0  # an editor that has sent drafts is waited for so long
GREETING_S = 0.3  # and one that never did, once
MOST_OUTPUT_BYTES = 1 << 20  # larger ones are not in the commit's notebook, only in its cell run
_STEP_S = 0.005
_CUT = b" not recorded"  # see `outputs.py`
_NONE = (b"", b"")


class Run(NamedTuple):
    """A cell run: as it was asked for, and what became of it.

    `client` and `sent_ms` are those of the message, "" and 0 without one; `outputs` a JSON list, None for no record.
    """

    cell_id: str
    source: str
    client: str = ""
    sent_ms: int = 0
    execution_count: int = 0
    outputs: bytes | None = None


class UnusableDraftError(Exception):
    """A draft is not what its index says."""


class Drafts:
    """The drafts of the editors of one kernel. Mutable; for one thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._last = ""
        self._silent: set[str] = set()  # clients that were waited for in vain
        self._stamp: tuple[str, int, int, int] | None = None
        self._draft: Draft | None = None
        self._modified_ns = 0
        self._put: tuple[bytes, tuple[bytes, ...]] | None = None  # members and cells of `_root`
        self._root: Digest | None = None
        self._ended: dict[str, tuple[bytes, bytes]] = {}  # by id: a draft's version of a cell that ran, and what it is
        self._real: tuple[Path, str] | None = None

    def find(self, path: Path, run: Run | None, file_ns: int) -> Draft | None:
        """Return the draft that is the notebook; None if the file is, which was written at `file_ns`."""
        if run is not None:
            self._last = run.client or self._last
        client = run.client if run is not None else self._last
        draft = self._wait_for(client, run.sent_ms if run is not None else None) if client else None
        if draft is None or draft.path != self._real_path(path):
            return None
        if run is not None and draft.sent_ms >= run.sent_ms:
            return draft
        return draft if self._modified_ns > file_ns else None

    def put(self, draft: Draft, run: Run | None, sink: ObjectSink) -> Digest | None:
        """Put a draft with what ran in it and return its tree; None if the cell that ran is not in it.

        Raises UnusableDraftError.
        """
        place = None
        if run is not None and run.cell_id:
            place = next((n for n, cell in enumerate(draft.cells) if cell.id == run.cell_id), None)
            if place is None:
                return None
        if self._root is None or not sink.has(self._root):
            self.forget()
        ended = {cell.id: self._ended[cell.id] for cell in draft.cells if cell.id in self._ended}
        self._ended = {cell.id: ended[cell.id] for cell in draft.cells if ended.get(cell.id, _NONE)[0] == cell.digest}
        cells = [Digest(self._ended.get(cell.id, (b"", cell.digest))[1]) for cell in draft.cells]
        if run is not None and place is not None:
            cells[place] = self._put_as_it_ran(draft, draft.cells[place], run, sink)
        return self._put_tree(draft, cells, place, sink)

    def forget(self) -> None:
        """Rely on nothing that was put: it was not saved, or history was rewritten."""
        self._put = self._root = None
        self._ended.clear()

    def _put_tree(self, draft: Draft, cells: list[Digest], place: int | None, sink: ObjectSink) -> Digest:
        """Put what the last tree does not lead to; the cell at `place` is there already."""
        from nbcellar.notebook import tree

        now = draft.members, tuple(cells)
        if self._root is not None and now == self._put:
            return self._root
        known = frozenset(self._put[1]) if self._put is not None else frozenset()
        new = [cell for n, cell in enumerate(draft.cells) if n != place and cells[n] not in known]
        payloads = read_cells(self._folder, draft, new)
        if payloads is None:
            raise UnusableDraftError
        for cell, payload in zip(new, payloads, strict=True):
            sink.put(Kind.CELL, payload, digest=Digest(cell.digest))
        root, objects = tree.assemble(cells, draft.members)
        for part in objects:
            sink.put(Kind[part.kind], part.data, digest=part.digest)
        self._put, self._root = now, root
        return root

    def _put_as_it_ran(self, draft: Draft, cell: DraftCell, run: Run, sink: ObjectSink) -> Digest:
        """Put the cell that ran: with the source that ran, its execution count, and its outputs if they are recorded.

        Until the editor sends another version of it, that is the cell in later commits, too, but for another source.
        """
        from nbcellar.notebook.layout import encode_compact
        from nbcellar.notebook.model import cell_to_json
        from nbcellar.notebook.plain import saved_cell

        payloads = read_cells(self._folder, draft, [cell])
        if payloads is None:
            raise UnusableDraftError
        value = json.loads(payloads[0])
        if value.get("cell_type") != "code":  # made into another kind while it ran
            sink.put(Kind.CELL, payloads[0], digest=Digest(cell.digest))
            return Digest(cell.digest)
        value.update(source=run.source, execution_count=run.execution_count or None)
        if run.outputs is not None and len(run.outputs) <= MOST_OUTPUT_BYTES and _CUT not in run.outputs:
            value["outputs"] = json.loads(run.outputs)
        made = encode_compact(cell_to_json(saved_cell(value))).encode()
        digest = sink.put(Kind.CELL, made)
        if cell.source == cell_key("code", run.source)[: len(cell.source)]:
            self._ended[cell.id] = cell.digest, digest
        return digest

    def _wait_for(self, client: str, sent_ms: int | None) -> Draft | None:
        name = draft_name(client)
        began = time.monotonic()
        while True:
            draft = self._look(name)
            if sent_ms is None:
                return draft
            if draft is not None and draft.sent_ms >= sent_ms:
                self._silent.discard(client)
                return draft
            if not self._folder.is_dir():  # no editor has ever left a draft here
                return None
            limit = ANSWER_S if draft is not None else GREETING_S
            if client in self._silent or time.monotonic() - began >= limit:
                self._silent.add(client)
                return draft
            time.sleep(_STEP_S)

    def _look(self, name: str) -> Draft | None:
        """Return the draft that is there now, read again only if it changed."""
        try:
            found = index_path(self._folder, name).lstat()
        except OSError:
            return None
        stamp = name, found.st_mtime_ns, found.st_size, found.st_ino
        if stamp != self._stamp:
            self._draft = read_draft(self._folder, name)
            self._stamp, self._modified_ns = stamp, found.st_mtime_ns
        return self._draft

    def _real_path(self, path: Path) -> str:
        if self._real is None or self._real[0] != path:
            self._real = path, os.path.realpath(path)
        return self._real[1]


__all__ = ["Drafts", "Run", "UnusableDraftError"]
