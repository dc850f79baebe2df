"""Notebooks among the workers of pytest-xdist: the cells of one go to one worker.

Without this each worker would run the whole notebook for its share of the cells: right, but slow.
"""

from __future__ import annotations

from typing import Any

_SPLITTING = ("load", "worksteal")


def make_scheduler(config: Any, log: Any) -> Any:
    """Return a scheduler for `--dist load` and `worksteal` that keeps notebooks whole; None to leave it to xdist."""
    if config.getvalue("dist") not in _SPLITTING:
        return None
    from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped, unused-ignore]

    class NotebookScheduling(LoadScopeScheduling):  # type: ignore[misc, unused-ignore]
        """Tests one by one, notebooks as a whole."""

        def _split_scope(self, nodeid: str) -> str:
            file, _, rest = nodeid.partition("::")
            return file if rest.startswith("cell ") else nodeid

    return NotebookScheduling(config, log)


__all__ = ["make_scheduler"]
