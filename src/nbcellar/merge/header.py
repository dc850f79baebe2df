"""Three-way merging of everything of a notebook but its cells: metadata, format version, layout of the file.

Invariant: what describes the kernel and the widgets never conflicts: it is taken from ours where both sides changed it,
and what is left out is listed. Other keys that both sides changed to different values are conflicts.
"""

from __future__ import annotations

from typing import Any

import msgspec

from nbcellar.merge.model import Dropped, MergeSettings, Side, other_side
from nbcellar.merge.trees import ABSENT, Path, merge_trees, value_at, with_value_at
from nbcellar.notebook.model import Formatting, Notebook

_WHOLE = frozenset({"kernelspec", "language_info"})
# Written by the programs that ran a notebook, not by a person.
_BY_PROGRAMS = frozenset({"kernelspec", "language_info", "widgets", "papermill", "signature", "toc"})


class HeaderMerge(msgspec.Struct, frozen=True):
    """The merged notebook without cells; it has ours where `conflicts` says that a decision is left."""

    notebook: Notebook
    conflicts: tuple[Path, ...]
    dropped: tuple[Dropped, ...]


def merge_headers(base: Notebook, ours: Notebook, theirs: Notebook, settings: MergeSettings) -> HeaderMerge:
    """Merge what is not a cell."""
    sides = [{"metadata": notebook.metadata, **notebook.extra} for notebook in (base, ours, theirs)]
    merged = merge_trees(*sides, whole=_WHOLE)
    tree = merged.ours
    left: list[Path] = []
    dropped: list[Dropped] = []
    for path in merged.conflicts:
        by_programs = len(path) > 1 and path[0] == "metadata" and path[1] in _BY_PROGRAMS
        side: Side | None = "ours" if by_programs else _side(settings)
        if side is None:
            left.append(path)
            continue
        other = other_side(side)
        gone = value_at(merged.theirs if side == "ours" else merged.ours, path)
        tree = with_value_at(tree, path, value_at(merged.ours if side == "ours" else merged.theirs, path))
        if gone is not ABSENT:
            reason = f"both sides changed it; kept: that of {side}"
            dropped.append(Dropped(side=other, what=".".join(path), reason=reason, value=gone, path=path))
    notebook = msgspec.structs.replace(
        ours,
        cells=(),
        metadata=tree.get("metadata", {}),
        extra={key: value for key, value in tree.items() if key != "metadata"},
        nbformat_minor=_minor(base, ours, theirs),
        keys=_either(base.keys, ours.keys, theirs.keys),
        formatting=_formatting(base, ours, theirs),
        verbatim={**theirs.verbatim, **ours.verbatim},
    )
    return HeaderMerge(notebook, tuple(left), tuple(dropped))


def _side(settings: MergeSettings) -> Side | None:
    for policy in (settings.metadata, settings.conflicts):
        if policy != "mark":
            return policy
    return None


def _minor(base: Notebook, ours: Notebook, theirs: Notebook) -> int:
    merged = merge_trees(base.nbformat_minor, ours.nbformat_minor, theirs.nbformat_minor)
    return max(ours.nbformat_minor, theirs.nbformat_minor) if merged.conflicts else int(merged.ours)


def _either(base: Any, ours: Any, theirs: Any) -> Any:
    return theirs if ours == base else ours


def _formatting(base: Notebook, ours: Notebook, theirs: Notebook) -> Formatting:
    """Merge the layout of the text field by field."""
    fields = {
        name: _either(*(getattr(notebook.formatting, name) for notebook in (base, ours, theirs)))
        for name in Formatting.__struct_fields__
    }
    return Formatting(**fields)


__all__ = ["HeaderMerge", "merge_headers"]
