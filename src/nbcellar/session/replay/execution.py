"""How a cell is run a second time: what a replay asks of whoever can run cells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ran:
    """How a cell ended: `error` is the name of its exception, `printed` what it wrote to the standard output."""

    error: str = ""
    message: str = ""
    printed: str = ""


Execute = Callable[[str], Ran]
"""Runs the source of a cell in the user namespace as IPython would, unrecorded; raises KeyboardInterrupt only."""
