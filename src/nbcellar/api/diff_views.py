"""What `Repo.diff` gives back: what happened and what changed between two commits.

Invariant: these classes are the schema of `cellar diff --json`, as those of `views.py` are of the other commands.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from nbcellar.api.views import CommitLine, Failure, Variable, View
from nbcellar.diff.model import TextChange, ValueChange


class DiffStep(msgspec.Struct, frozen=True, kw_only=True):
    """A commit between the two points: a cell run, or what else happened (`kind`).

    `undone`: its effect is not in the later point. `lost`: it is on the way of the earlier point only, not of the
    later one. `again`: the cell had run before; `source_change` is then what changed in its source, None if nothing.
    """

    commit: str
    kind: str
    title: str = ""
    execution_count: int | None = None
    cell_id: str = ""
    source: str = ""
    error: Failure | None = None
    undone: bool = False
    lost: bool = False
    again: bool = False
    source_change: TextChange | None = None
    at: str | None = None


class VariableDiff(msgspec.Struct, frozen=True, kw_only=True):
    """A variable that differs. `value` is what changed, None where only previews are known: `reason` then says why.

    `renamed_from`: the variable held this value under another name at the earlier point.
    """

    name: str
    change: Literal["added", "removed", "changed"]
    before: Variable | None = None
    after: Variable | None = None
    value: ValueChange | None = None
    reason: str = ""
    renamed_from: str = ""


class SurroundingChange(msgspec.Struct, frozen=True, kw_only=True):
    """A change of what surrounds the variables: random state, working directory, environment, options."""

    part: str
    text: str


class Diff(View, frozen=True, kw_only=True):
    """`cellar diff --json`: what lies between two commits of a notebook.

    `way`: "same", "ahead" (`after` follows `before`), "back" (`before` follows `after`), "across" (both follow `base`),
    "apart" (nothing in common). `unchanged` counts variables of one version; `equal` names those that were recorded
    anew with the same value. `base_notebook` is set where the two are of different notebooks.
    """

    before: CommitLine
    after: CommitLine
    way: Literal["same", "ahead", "back", "across", "apart"]
    base: str | None = None
    steps: list[DiffStep] = msgspec.field(default_factory=list)
    more_steps: int = 0
    variables: list[VariableDiff] = msgspec.field(default_factory=list)
    unchanged: int = 0
    equal: list[str] = msgspec.field(default_factory=list)
    surroundings: list[SurroundingChange] = msgspec.field(default_factory=list)
    notes: list[str] = msgspec.field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """True if no variable and nothing around them differs."""
        return not (self.variables or self.surroundings)


__all__ = ["Diff", "DiffStep", "SurroundingChange", "VariableDiff"]
