"""What the commands do, as functions: `nbcellar.open(path)` gives a `Repo` whose methods return frozen data.

Invariant: the command line, the `%cellar` lines of a kernel and Python programs all go through this folder; it prints
nothing and decides nothing that belongs to history, store or session.
"""

from nbcellar.api.repo import Repo, init, open_path, open_repo, own_key, rebuild

__all__ = ["Repo", "init", "open_path", "open_repo", "own_key", "rebuild"]
