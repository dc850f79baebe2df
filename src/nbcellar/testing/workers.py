"""Notebooks among the workers of pytest-xdist: the cells of one go to one worker.

Without this each worker would run the whole notebook for its share of the cells: right, but slow.
"""

from __future__ import annotations

from typing import Any

_SPLITTING = ("load", "worksteal", "loadgroup")


def make_scheduler(config: Any, log: Any) -> Any:
    """Return a scheduler that keeps notebooks whole where xdist would not; None to leave it to xdist."""
    dist = config.getvalue("dist")
    if dist not in _SPLITTING:
        return None
    from xdist.scheduler import LoadGroupScheduling  # type: ignore[import-untyped, unused-ignore]

    class NotebookScheduling(LoadGroupScheduling):  # type: ignore[misc, unused-ignore]
        """Notebooks as a whole, other tests in their groups, and one by one where nobody asked for groups."""

        def _split_scope(self, nodeid: str) -> Any:
            file, _, rest = nodeid.partition("::")
            if rest.startswith("cell "):
                return file
            return super()._split_scope(nodeid) if dist == "loadgroup" else nodeid

    return NotebookScheduling(config, log)


__all__ = ["make_scheduler"]
