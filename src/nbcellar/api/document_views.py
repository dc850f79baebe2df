"""What `cellar diff --json` prints for notebooks: frozen, text and numbers alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from nbcellar.api.document_sources import Pair
from nbcellar.diff.document.base import document_digest
from nbcellar.diff.document.changes import NotebookChange
from nbcellar.diff.document.compare import NotebookDiff
from nbcellar.diff.document.operations import to_json
from nbcellar.notebook.codec import read


class NotebookDiffView(msgspec.Struct, frozen=True, kw_only=True):
    """Two versions of one notebook.

    before, after: what the versions are called; null for one that is not there. changes: what a person wants to know.
    operations: what `cellar patch` applies to the first version to get the second. base_digest: the digest of the first
    version's document, by which `cellar patch` knows it; null where there is none.
    """

    name: str
    before: str | None
    after: str | None
    changes: NotebookChange
    operations: list[dict[str, Any]]
    base_digest: str | None = None


class NotebookDiffs(msgspec.Struct, frozen=True, kw_only=True):
    """The notebooks that were compared and differ, in the order of their names."""

    schema: int = 1
    notebooks: list[NotebookDiffView]


def notebook_diffs(compared: Iterable[tuple[Pair, NotebookDiff]]) -> NotebookDiffs:
    """Return the view of some comparisons; notebooks that are the same are left out."""
    found = []
    for pair, diff in compared:
        names = [None if side.data is None else side.name for side in (pair.before, pair.after)]
        if diff or None in names:
            operations = to_json(diff.operations)
            base = None if pair.before.data is None else document_digest(read(pair.before.data, path=pair.before.name))
            view = NotebookDiffView(
                name=pair.name,
                before=names[0],
                after=names[1],
                changes=diff.changes,
                operations=operations,
                base_digest=base,
            )
            found.append(view)
    return NotebookDiffs(notebooks=found)


__all__ = ["NotebookDiffView", "NotebookDiffs", "notebook_diffs"]
