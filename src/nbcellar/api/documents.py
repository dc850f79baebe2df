"""Notebooks as documents: what the commands do with files, for programs, with plain dicts or models.

    import nbcellar

    changes = nbcellar.diff_notebooks(before, after)     # falsy when equal
    after == nbcellar.patch_notebook(before, changes)
    merged = nbcellar.merge_notebooks(base, ours, theirs)

A notebook is a dict as `json.load` or `nbformat.read` give it, or a `nbcellar.notebook.Notebook`; what comes back is of
the same kind.

Invariant: what is passed in is not changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from nbcellar.api.document_sources import Pair
from nbcellar.diff.document.compare import NotebookDiff, compare_notebooks
from nbcellar.diff.document.filters import EVERYTHING, Filters
from nbcellar.notebook.codec import read
from nbcellar.notebook.model import Notebook
from nbcellar.notebook.plain import from_plain, to_plain

if TYPE_CHECKING:
    from nbcellar.merge.model import Conflict, Dropped, Labels, MergeSettings
    from nbcellar.merge.resolving import Choice, Edited

Plain = Mapping[str, Any]
AnyNotebook = TypeVar("AnyNotebook", Notebook, dict[str, Any])
Operations = Sequence[Mapping[str, Any]]


class Merge(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of a merge. `notebook` is of the kind that came in.

    conflicts: what is left to decide. dropped: what the merged notebook does not have of a side, by a policy.
    repairs: sentences. to_ours, to_theirs: what leads from the merged notebook to each side: what remains of them.
    """

    notebook: Any
    conflicts: tuple[Conflict, ...]
    dropped: tuple[Dropped, ...]
    repairs: tuple[str, ...]
    to_ours: NotebookDiff
    to_theirs: NotebookDiff


def diff_notebooks(a: Notebook | Plain, b: Notebook | Plain, *, filters: Filters | None = None) -> NotebookDiff:
    """Return what leads from `a` to `b`, falsy when nothing does.

    filters: which parts count; all of them where there are none. `.changes` of what comes back is for people,
    `.operations` for `patch_notebook`, `.to_jep()` the JSON of the Jupyter Enhancement Proposal, which nbdime reads.
    Raises InvalidInputError for what is no notebook.
    """
    return compare_notebooks(_model(a), _model(b), filters or EVERYTHING)


def patch_notebook(notebook: AnyNotebook, diff: NotebookDiff | Operations) -> AnyNotebook:
    """Return the notebook with a diff applied: one of `diff_notebooks`, or JSON operations, ours or nbdime's.

    Raises InvalidInputError for a diff that does not fit.
    """
    from nbcellar.diff.document.operations import from_json
    from nbcellar.diff.document.patching import patch_notebook as apply

    operations = diff.operations if isinstance(diff, NotebookDiff) else from_json(diff)
    return _like(notebook, apply(_model(notebook), operations))


def merge_notebooks(
    base: Notebook | Plain | None,
    ours: AnyNotebook,
    theirs: Notebook | Plain,
    *,
    settings: MergeSettings | None = None,
    labels: Labels | None = None,
) -> Merge:
    """Return the merge of two edits of a notebook; `base` is None where they have none in common.

    The merged notebook is valid whatever happens: what both sides changed differently is in it as marked cells, which
    `resolve` decides. Raises InvalidInputError for what is no notebook.
    """
    from nbcellar.merge.model import Labels, MergeSettings
    from nbcellar.merge.notebooks import merge_notebooks as merge

    mine, yours = _model(ours), _model(theirs)
    common = None if base is None else _model(base)
    merged = merge(common, mine, yours, settings=settings or MergeSettings(), labels=labels or Labels())
    return Merge(
        notebook=_like(ours, merged.notebook),
        conflicts=merged.conflicts,
        dropped=merged.dropped,
        repairs=merged.repairs,
        to_ours=compare_notebooks(merged.notebook, mine),
        to_theirs=compare_notebooks(merged.notebook, yours),
    )


def resolve(notebook: AnyNotebook, choices: Mapping[str, Choice | Edited] | Choice) -> AnyNotebook:
    """Return a merged notebook with conflicts decided: "ours", "theirs", "both" or "base" for all, or each by its id.

    Raises NotFoundError for an id that no open conflict has.
    """
    from nbcellar.merge.resolving import resolve as decide

    return _like(notebook, decide(_model(notebook), choices))


def compare_pair(pair: Pair, filters: Filters = EVERYTHING) -> NotebookDiff:
    """Return the comparison of two files; one that is not there counts as a notebook without cells.

    Raises InvalidInputError for what is no notebook.
    """
    read_ = [None if side.data is None else read(side.data, path=side.name) for side in (pair.before, pair.after)]
    known = read_[0] or read_[1] or Notebook(cells=())
    before, after = (found or msgspec.structs.replace(known, cells=()) for found in read_)
    return compare_notebooks(before, after, filters)


def _model(notebook: Notebook | Plain) -> Notebook:
    return notebook if isinstance(notebook, Notebook) else from_plain(notebook)


def _like(given: AnyNotebook, made: Notebook) -> AnyNotebook:
    return made if isinstance(given, Notebook) else to_plain(made)


__all__ = ["Merge", "compare_pair", "diff_notebooks", "merge_notebooks", "patch_notebook", "resolve"]
