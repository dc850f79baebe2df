"""What cleaning found: the notebook in canonical form, and all that was left out or changed on the way."""

from __future__ import annotations

from typing import Literal

import msgspec

from nbcellar.notebook.model import Notebook

Kind = Literal[
    "cell",
    "output",
    "metadata",
    "widgets",
    "line",
    "id",
    "execution count",
    "run time",
    "view state",
    "kernel",
    "address",
    "image blanks",
]


class LeftOut(msgspec.Struct, frozen=True):
    """One thing that was left out or changed. `cell` is its number before cleaning, from 1; 0 is the notebook itself.

    `what` names it (`metadata.papermill.duration`, `display_data image/png`); `count` is how often it was met there.
    """

    kind: Kind
    what: str
    cell: int = 0
    count: int = 1


class Cleaned(msgspec.Struct, frozen=True):
    """A notebook in canonical form. What only the layout of the file changed is not listed."""

    notebook: Notebook
    left_out: tuple[LeftOut, ...]
