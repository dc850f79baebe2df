"""Where a session's recording stands, as plain data for `cellar status`. Looks only; waits for nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nbcellar.session.engine import Session


def status_of(session: Session) -> Mapping[str, Any]:
    """Return where recording stands, for `cellar status`."""
    head = session.writer.position.head
    return {
        "saving": session.writer.pending,
        "head": head.hex() if head is not None else "",
        "branch": session.writer.position.branch or session.repo.head(session.notebook).branch,
        "variables": len(session.tracker.by_name),
        "not_stored": {name: g.lacks for name, g in session.tracker.by_name.items() if g.lacks},
        "skipped": sorted(name for name in session.tracker.namespace if session.names.is_skipped(name)),
        "failed": str(session.writer.failed) if session.writer.failed else "",
        "saved_bytes": session.writer.saved_bytes,
    }
