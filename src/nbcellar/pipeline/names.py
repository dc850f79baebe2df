"""Where results are in a repository. Not for: the key itself (`keys.py`)."""

from __future__ import annotations

from nbcellar.history.results import SCOPE_DIGITS
from nbcellar.ids import NotebookId


def scope_of(key: str) -> NotebookId:
    """Return the scope in which the results of a component's key are: no notebook's, so that no listing shows it."""
    return NotebookId(key[:SCOPE_DIGITS])


__all__ = ["SCOPE_DIGITS", "scope_of"]
