"""The routes about merges that wait for decisions: in a notebook, and in three files that were handed over."""

from __future__ import annotations

from nbcellar import config
from nbcellar.api import merging_files
from nbcellar.api.documents_fix import fix_file
from nbcellar.api.merging_handed import MergeOutcome
from nbcellar.api.merging_views import MergeFixed, MergeLook, MergeResult, MergeSaved
from nbcellar.api.notebook_files import plain_name
from nbcellar.server import merges_messages as messages
from nbcellar.server.messages import Asked
from nbcellar.server.places import Places
from nbcellar.server.route import Route, get, post


def merge(places: Places, asked: messages.AskedMerge) -> MergeLook:
    """Return what is to be decided in a notebook's file, or in a merge that was handed over."""
    if asked.given:
        return places.merges.find(asked.given).look()
    place = places.notebook(asked.path)
    return merging_files.look_at_file(place.file, place.environ)


def merge_live(places: Places, asked: messages.LiveMerge) -> MergeLook:
    """Return what is to be decided in a notebook as an editor holds it."""
    place = places.notebook(asked.path)
    return merging_files.look_at_file(place.file, place.environ, asked.notebook)


def merge_result(places: Places, asked: messages.Decided) -> MergeResult:
    """Return the notebook with decisions taken; nothing is written."""
    if asked.given:
        return places.merges.find(asked.given).result_of(asked.decisions, asked.back, shown=asked.shown)
    place = places.notebook(asked.path)
    return merging_files.result_of(
        place.file, place.environ, asked.notebook, asked.decisions, asked.back, shown=asked.shown
    )


def merge_anew(places: Places, asked: Asked) -> MergeResult:
    """Return the merge, made anew, of the versions that git's index has of a notebook in conflict."""
    place = places.notebook(asked.path)
    return merging_files.merged_anew(place.file, place.environ)


def merge_again(places: Places, asked: messages.AnewMerge) -> MergeSaved:
    """Write the merge, made anew, of the versions that git's index has in the place of what the file holds."""
    place = places.notebook(asked.path)
    return merging_files.merge_again(place.file, place.environ, asked.version)


def merge_save(places: Places, asked: messages.SaveMerge) -> MergeSaved:
    """Write the notebook with decisions taken, and mark it resolved for git when nothing is left."""
    if asked.given:
        return places.merges.find(asked.given).save(asked.version, asked.decisions, asked.back)
    place = places.notebook(asked.path)
    return merging_files.save_decided(place.file, place.environ, asked.version, asked.decisions, asked.back)


def merge_resolved(places: Places, asked: Asked) -> MergeSaved:
    """Mark a notebook as resolved for git if the file, which an editor has saved, has no conflict left."""
    place = places.notebook(asked.path)
    return merging_files.tell_git(place.file, place.environ)


def merge_fix(places: Places, asked: Asked) -> MergeFixed:
    """Merge again, cell by cell, what git left as text with conflict marks; or mend a notebook that does not open."""
    place = places.notebook(asked.path)
    limit = config.load(None, place.environ).notebooks.max_mb
    found = fix_file(plain_name(place.file), place.folder, max_mb=limit, environ=place.environ)
    return MergeFixed(
        written=found.written,
        marks=found.marks,
        conflicts=found.conflicts,
        dropped=list(found.dropped),
        repairs=[str(repair) for repair in found.repairs],
        remaining=[str(problem) for problem in found.remaining],
    )


def merge_end(places: Places, asked: messages.EndMerge) -> MergeOutcome:
    """Note that the person is done with a merge that was handed over; the command that waits goes on."""
    return places.merges.end(asked.given)


ROUTES: tuple[Route, ...] = (
    get("merge", messages.AskedMerge, MergeLook, merge, "compute"),
    post("merge-live", messages.LiveMerge, MergeLook, merge_live, "compute", action="read"),
    post("merge-result", messages.Decided, MergeResult, merge_result, "compute", action="read"),
    get("merge-anew", Asked, MergeResult, merge_anew, "compute"),
    post("merge-again", messages.AnewMerge, MergeSaved, merge_again, "compute"),
    post("merge-save", messages.SaveMerge, MergeSaved, merge_save, "compute"),
    post("merge-resolved", Asked, MergeSaved, merge_resolved, "compute"),
    post("merge-fix", Asked, MergeFixed, merge_fix, "compute"),
    post("merge-end", messages.EndMerge, MergeOutcome, merge_end, "read"),
)

__all__ = ["ROUTES"]
