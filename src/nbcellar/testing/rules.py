"""How one cell is tested: whether it runs, what of its outputs is compared, and how closely.

Invariant: frozen; the nearest word counts: a mark of the cell (tag or comment) before the cell's metadata, these before
the notebook's, these before what is said for the whole run. Marks of nbval mean what they mean there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import msgspec

from nbcellar.errors import InvalidInputError
from nbcellar.notebook.model import Cell, Notebook

KEY = "test"  # in metadata.cellar, of the notebook and of cells


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """The rules for one cell.

    absolute, relative: two numbers are taken for equal if they differ by at most `absolute + relative * larger
    magnitude`. ignore: patterns of MIME types, and "stdout", "stderr", "error", that do not count, or do with "!"
    before them; the last that fits decides. timeout: seconds, 0 for any time.
    may_raise: an error is an output as others are.
    """

    run: bool = True
    compare: bool = True
    may_raise: bool = False
    absolute: float = 0.0
    relative: float = 0.0
    ignore: tuple[str, ...] = ()
    timeout: float = 600.0


class _Said(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What metadata may say."""

    run: bool | None = None
    compare: bool | None = None
    may_raise: bool | None = None
    absolute: float | None = None
    relative: float | None = None
    ignore: tuple[str, ...] | None = None
    timeout: float | None = None


# Tag -> rule. Comments are the same words of nbval in capitals: "# NBVAL_IGNORE_OUTPUT".
_MARKS: dict[str, dict[str, bool]] = {
    "skip-compare": {"compare": False},
    "nbval-ignore-output": {"compare": False},
    "nbval-check-output": {"compare": True},
    "nbval-skip": {"run": False},
    "skip-execution": {"run": False},
    "raises-exception": {"may_raise": True},
    "nbval-raises-exception": {"may_raise": True},
}
_IGNORE_STDERR = "ignore-stderr"
_COMMENTS = {tag.upper().replace("-", "_"): rules for tag, rules in _MARKS.items() if tag.startswith("nbval-")}
_COMMENTS["PYTEST_VALIDATE_IGNORE_OUTPUT"] = {"compare": False}  # nbval's first name for it


def rules_of(notebook: Notebook, general: Rules) -> tuple[Rules, ...]:
    """Return the rules of each cell. Raises InvalidInputError for metadata that says what there is not."""
    base = _with_metadata(general, notebook.metadata, "the notebook")
    return tuple(_of_cell(cell, base, number) for number, cell in enumerate(notebook.cells, 1))


def _of_cell(cell: Cell, base: Rules, number: int) -> Rules:
    if cell.type != "code":
        return base
    rules = _with_metadata(base, cell.metadata, f"cell {number}")
    changes: dict[str, Any] = {}
    for tag in cell.tags:
        changes.update(_MARKS.get(tag, {}))
    for line in cell.source.splitlines():
        if line.lstrip().startswith("#"):
            changes.update(_COMMENTS.get(line.strip().lstrip("#").strip(), {}))
    if _IGNORE_STDERR in cell.tags:
        changes["ignore"] = (*rules.ignore, "stderr")
    return msgspec.structs.replace(rules, **changes) if changes else rules


def _with_metadata(rules: Rules, metadata: Mapping[str, Any], owner: str) -> Rules:
    ours = metadata.get("cellar")
    value = ours.get(KEY) if isinstance(ours, dict) else None
    if value is None:
        return rules
    try:
        said = msgspec.convert(value, _Said)
    except msgspec.ValidationError as error:
        raise InvalidInputError(
            f"metadata.cellar.{KEY} of {owner}: {error}", hint=f"it may have: {', '.join(_Said.__struct_fields__)}"
        ) from None
    changes = {name: word for name, word in msgspec.structs.asdict(said).items() if word is not None}
    for name in ("absolute", "relative", "timeout"):
        if name in changes:
            check_number(changes[name], f"{name} in metadata.cellar.{KEY} of {owner}")
    return msgspec.structs.replace(rules, **changes)


def check_number(value: float, name: str) -> float:
    """Return the number. Raises InvalidInputError for one below zero or none at all."""
    if not math.isfinite(value) or value < 0:
        raise InvalidInputError(f"{name} must be a number, 0 or more, not {value}")
    return value


__all__ = ["KEY", "Rules", "check_number", "rules_of"]
