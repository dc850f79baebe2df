"""What the commands do, as functions: `nbcellar.open(path)` gives a `Repo` whose methods return frozen data.

Invariant: the command line, the `%cellar` lines of a kernel and Python programs all go through this folder; it prints
nothing and decides nothing that belongs to history, store or session. What is about notebooks as documents
(`documents_*.py`) is there without loading any of these: git starts such commands once for each file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nbcellar.api.repo import Repo, init, open_path, open_repo, own_key, rebuild

__all__ = ["Repo", "init", "open_path", "open_repo", "own_key", "rebuild"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from nbcellar.api import repo

    return getattr(repo, name)
