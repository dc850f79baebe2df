"""What the commands do, as functions: `nbcellar.open(path)` gives a `Repo` whose methods return frozen data.

Invariant: the command line, the `%cellar` lines of a kernel and Python programs all go through this folder; it prints
nothing and decides nothing that belongs to history, store or session. Importing a module of it does not load the store:
a comparison of two files must start in some milliseconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nbcellar.api.repo import Repo, init, open_path, open_repo, own_key, rebuild


def __getattr__(name: str) -> Any:
    if name in __all__:
        from nbcellar.api import repo

        return getattr(repo, name)
    raise AttributeError(f"module 'nbcellar.api' has no attribute {name!r}")


__all__ = ["Repo", "init", "open_path", "open_repo", "own_key", "rebuild"]
