"""What a run is asked for, where it is, and where each of its components stands. Data only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from nbcellar.ids import CellId, NotebookId
from nbcellar.pipeline.model import Failure, State


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """Where a component stands. reason: why it runs, or why it did not."""

    id: CellId
    name: str
    state: State
    reason: str = ""
    seconds: float | None = None
    failure: Failure | None = None
    result: str = ""
    outputs: bytes | None = None
    notes: tuple[str, ...] = ()


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for. targets: these and what comes before them; none: all. again: these run in any case.

    after: with what comes after `again`. parameters: values of this run.
    """

    targets: tuple[CellId, ...] = ()
    again: frozenset[CellId] = frozenset()
    after: bool = False
    parameters: dict[str, Any] = {}


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a pipeline is: the repository's folder, the notebook's, its path there, its id where that is known."""

    root: Path
    folder: Path
    path: str
    notebook: NotebookId | None


__all__ = ["Place", "Step", "Wish"]
