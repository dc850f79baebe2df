"""From which notebook a diff was made: a digest to store beside it.

A diff names places, not what stood there: it may fit a notebook that it was not made from, and make nonsense of it.
Invariant: two notebooks have the same digest exactly if there is no difference between them.
"""

from __future__ import annotations

from blake3 import blake3

from nbcellar.diff.document.equality import json_key
from nbcellar.errors import InvalidInputError
from nbcellar.notebook.model import Notebook, notebook_keys
from nbcellar.notebook.plain import cell_to_plain

_DIGITS = 32


def document_digest(notebook: Notebook) -> str:
    """Return the digest of a document, whatever the layout of its file."""
    hasher = blake3()
    for part in (notebook_keys(notebook), *map(cell_to_plain, notebook.cells)):
        data = json_key(part)
        hasher.update(len(data).to_bytes(8, "big") + data)
    return hasher.hexdigest()[:_DIGITS]


def check_base(notebook: Notebook, digest: str) -> None:
    """Raise InvalidInputError if a diff with this `document_digest` of its base was made from another notebook."""
    found = document_digest(notebook)
    if found != digest:
        raise InvalidInputError(
            f"the diff does not fit this notebook: it was made from document {digest[:12]}, this is {found[:12]}",
            hint="apply it to the notebook that it was made from",
        )


__all__ = ["check_base", "document_digest"]
